"""Whether a mail is a delivery report: by its MIME form, or by who writes it and in what words.

A person who forwards, attaches, quotes or discusses a report is a person. What the report says is read in `dsn`.
"""

import re

from mailhub.mail import absences, dialects, notices, receipts
from mailhub.mail.clues import Clues
from mailhub.mail.wording import fold, phrases

SUBJECT = phrases(
    r"(\[[^\]]{1,40}\] ?)?(re: ?)?(mail|message|e-?mail|delivery|returned|permanent|your)?[ -]*"
    r"(undeliver|undelivered|non-?deliver|not delivered|returned mail|delivery (status|fail|prob|error|notice|notif|delay|incomplete)|"
    r"failure (notice|delivery)|failed (mail|delivery)|mail failed|mail failure|delivery has failed|bounce)",
    r"warning: \S{1,100} - user unknown|(warning: )?(mail|message)\b.{0,60}(delayed|could not be delivered|not (yet )?(been )?delivered|still being retried|"
    r"delivery (failed|has failed)|failed|returned)",
    r"(mail|message) (system|processing|delivery) (error|problem|warning)|processing error|error during delivery|"
    r"automatically rejected mail|message status - undeliverable|message you sent blocked|there was an error sending your mail|permanent delivery failure|rejected: ",
    r"(votre )?(message|courriel|courrier|e-?mail|mail)? ?non[- ](remis|distribue|delivre|achemine)|(notification d')?etat de (la )?(remise|distribution)|"
    r"(avis|notification|echec|erreur|rapport)( d'echec)? (de |d'|lors de )(non[- ])?(la |l')?(remise|distribution|livraison|envoi|acheminement)|"
    r"(votre )?(message|courriel|courrier|e-?mail|mail) n'a .{0,60}\b(remis|distribue|delivre|achemine|transmis)|"
    r"(remise|distribution|livraison)( de votre (message|courriel))? (differee|retardee|impossible)|"
    r"(message|mail|courriel|courrier) (retarde|en attente de (remise|distribution)|(retourne|renvoye) a l'expediteur)|"
    r"retour a l'expediteur|adresse (inconnue|introuvable|inexistante)|undelivered",
    r"unzustellbar|zustellung.{0,40}(fehl|status)|nicht zugestellt|ruckmeldung zur unzustellbarkeit|"
    r"no se (puede|pudo) entregar|no entregad|devuelto|mancato recapito|mancata consegna|impossibile recapitare|"
    r"onbestelbaar|niet (te )?bezorg|falha na entrega|nao entregue|ваше сообщение не доставлено|недоставлен|"
    r"メッセージを配信できません|配信不能|送信できません|niedostarcz|zwrot",
)
CARRIED = re.compile(r"(tr|fwd?|wg|rv|i|enc|doorst) ?:")  # a person passes it on
GREETING = re.compile(
    r"\W{0,3}(bonjour|bonsoir|hello|hi|dear|cher|chere|madame|monsieur|hallo|hola|ciao|ola|salut)\b"
)
# Answers of programs that hold a mail until its sender proves to be human: no bounce, nothing to answer.
CHALLENGE = phrases(
    r"(added|add you|you're listed|you are listed|be listed) (to|on|in) (the recipient's |my |our |your )?(\w+ )?"
    r"(guest|allowed|approved|white|safe) ?-?list",
    r"have your address added to the recipient's|mailinblack|spam ?arrest|verify that you are (a )?human",
    r"(cliquez|cliquer).{0,80}(liberer|authentifier|que votre (message|mail|courriel) (soit|me soit) (remis|delivre|distribue))",
)


def why(clues: Clues) -> str:
    """What makes a mail a delivery report, "" when nothing does."""
    found = _form(clues) or _header(clues) or _letter(clues)
    return "" if found and challenge(clues) else found


def challenge(clues: Clues) -> str:
    """The wording of a program that wants its sender to prove human; "" when a mail system signs it."""
    found = None if clues.machine else CHALLENGE.search(" ".join(fold(clues.message.text[:2_000]).split()))
    return found[0] if found else ""


def _form(clues: Clues) -> str:
    """The MIME form of a delivery report. RFC 3464 section 2."""
    tree = clues.message.tree
    kind = tree.get_content_type()
    if kind in notices.STATUS_TYPES:
        return kind
    if not kind.startswith("multipart/"):
        return ""
    below = [child.get_content_type() for child in notices.children(tree)]
    if kind == "multipart/report":
        if notices.parameter(tree, "report-type").lower() == "delivery-status":
            return "multipart/report; report-type=delivery-status"
        if any(part in notices.STATUS_TYPES for part in below):
            return "multipart/report with message/delivery-status"
        if receipts.why(clues.message) and receipts.is_refusal(clues.message):
            return "a receipt that says rejected"
    elif clues.machine or clues.null_sender:
        # Lists and gateways wrap a report once more, or call it mixed.
        inner = [part for child in notices.children(tree) for part in notices.children(child)]
        nested = [*below, *(part.get_content_type() for part in inner)]
        return next((part for part in nested if part in notices.STATUS_TYPES), "")
    return ""


def _header(clues: Clues) -> str:
    """Exim and Gmail name the failed recipients in a header of their own."""
    return "X-Failed-Recipients" if "x-failed-recipients" in clues.headers else ""


def _letter(clues: Clues) -> str:
    """A report in plain words. A subject or a sender alone proves nothing; an absence is no report."""
    signed = clues.machine or clues.null_sender
    found = None if CARRIED.match(clues.subject) else SUBJECT.match(clues.subject)
    if not (signed or found) or absences.in_subject(clues.subject, clues.message.text):
        return ""
    if signed and found:
        return f"subject of a report: {found[0]}"
    notice = notices.read(clues.message)
    words = dialects.speaks_of_failure(notice.text[:4_000])
    if signed:
        away = not clues.machine and absences.is_away(notice.text)
        return f"words of a report: {words}" if words and not away else ""
    # No machine signs it: then it must look like one all through, and open without a greeting.
    proven = notice.enclosed or clues.keyword("auto-submitted").startswith("auto-")
    return (
        f"subject and words of a report: {words}"
        if words and proven and not GREETING.match(fold(notice.text))
        else ""
    )
