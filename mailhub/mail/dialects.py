"""Returned mail in the sixty-odd forms machines invented before and beside RFC 3464.

No form is recognised by name. A notice is read as a person reads it: an address on a line of its own under
"could not be delivered to", an address before a colon, a sendmail transcript, an address in a sentence that
speaks of failure. Each address seen gets a weight from how it stands; the heaviest ones are the recipients.
flufl.bounce, which does know forms by name, is asked when nothing was found.
"""

import logging
import re
from dataclasses import dataclass

from flufl.bounce import all_failures

from mailhub.mail.message import Message
from mailhub.mail.notices import Notice
from mailhub.mail.wording import fold, phrases

# A detector that stumbles over a stranger's mail logs a traceback each time; it is no news.
logging.getLogger("flufl.bounce").disabled = True

MAX_LINES = 2_000
MAX_LINE = 1_000
MAX_RECIPIENTS = 200  # a text notice lists a handful; a hostile one stops here
REACH = 8  # lines between "the following addresses failed" and the first address

ADDRESS = re.compile(
    r"(?:\"[^\"\s]{1,64}\"|[\w.!#$%&'*+/=?^`{|}~-]{1,80})@#?(?:\[[\d.]{7,15}\]|[\w-]{1,63}(?:\.[\w-]{1,63}){0,8})"
)
WRAPPER = re.compile(
    r"^(?:.*?[:;])?(?:smtp|rfc822|mailto|to|from|rcpt)=", re.IGNORECASE
)  # X.400's SMTP=user@host

# Wording that says a mail did not get through. Broad: it is only asked near an address.
FAILED = phrases(
    r"undeliver|not (be |been |yet been )?(deliver|sent|reach|accept|process|recogni)|non[- ]?deliver|return(ed|ing)\b",
    r"(could|can|did|do|does|was|were|is|are|has|have|will)(n't| not)\b|\bcannot\b|\bunable\b|impossible",
    r"fail(ed|ure|ing|s)?\b|\berrors?\b|reject|refus|denied|unknown|invalid|\bno such|disabled|exceed|unavailable|"
    r"bounced?\b|problem|not listed|\bdelay|abort|affected|\bfull\b|quota|blocked|giv(en|ing) up",
    r"n'(a|ont) (\w+ ){0,2}(pu|ete)\b|pas parvenu|echec|echoue|inconnu|non remis|n'existe pas|introuvable|supprime|n'est pas reconnu|"
    r"rejete|bloque|erreur|retard|en attente|pas encore|toujours pas",
    r"konnten? nicht|nicht zugestellt|unzustellbar|fehl|unbekannt|abgelehnt|verzoger",
    r"no (se )?(pud|pued|ha)|no fue|rechaz|desconocid|\bfallo|\berror|retras|no entregad",
    r"non (e stat|recapit|consegn|puo)|rifiut|sconosciut|fallit|errore|ritard",
    r"kon(den)? niet|niet (worden )?(afgeleverd|bezorgd)|onbestelbaar|mislukt|onbekend|geweigerd|vertrag",
    r"nao (pode|foi|pude|entreg)|falh|rejeitad|desconhecid|\berro\b|atras",
    r"не может быть доставлено|не доставлен|ошибк|не удалось|nie (zost|mog|uda)|\bblad",
    r"できません|失敗|エラー|届き?|存在しません|配信不能|不達|退信|无法|失败",
)
# Wording by which a whole mail is told to be a report, with nobody's address in sight.
NOTICE = phrases(
    r"(could|can|did|was|has|have|may)(n't| not) (yet )?(be |been |have been )?(successfully )?(deliver|reach|sent to)",
    r"(unable|failed|impossible|not able|wasn't able|error while trying|trouble|problems?) (to |in )?(deliver|send)",
    r"(deliver[ye]+|mail|message)( of| to| for)?.{0,60}(has |have |was |been )*(failed|failure|delayed|aborted|"
    r"problems|not accepted|bounced|rejected|returned)",
    r"undeliver(ed|able)|non-?deliver|not deliver|delivery (status|error|problem|attempts?|report)",
    r"(following|intended|these|failed|affected) (address(es|\(es\))?|recipients?|recipient\(s\))",
    r"did not (reach|receive)|no valid recipients|transcript of session follows|qmail-send program",
    r"(returned|returning) (mail|message|to sender)|mail (has been )?returned",
    r"\b5\d\d[ -#]{1,3}5\.\d\.\d|rcpt to ?:|(user|recipient|host|address|mailbox) (unknown|not found|rejected)",
    r"(unknown|invalid|no such|not a valid) (final delivery )?(user|recipient|address|mailbox)",
    r"\b(user|account|address|mailbox|recipient)s?\b.{0,60}\bdo(es)? not exist",
    # « Votre message à … n'a malheureusement pas pu être remis »: the verb stands where the courtesy lets it.
    r"\b(message|courriel|mail|courrier)s?\b[^!?]{0,90}\bn'(a|ont)\b(\s\w+){0,4}\s(remis|distribue|delivre|achemine|transmis|envoye|livre)",
    r"\b(message|courriel|mail|courrier)s?\b[^!?]{0,90}\bn'(est|sont)\s(pas|jamais)\s(parvenu|arrive)",
    r"\bvotre (message|courriel|e-?mail)\b[^!?]{0,90}\ba\s(\w+\s)?ete\s(rejete|refuse|bloque|retourne)\b",
    r"\b(adresse|destinataire|utilisateur|compte)\b[^!?]{0,60}@[^!?]{1,80}\b(introuvable|inexistant|inconnue?|n'existe\spas|"
    r"n'est\spas\sreconnue?|a\sete\s(supprimee?|desactivee?))\b",
    r"non[- ](remis|distribue|delivre|remise)|echec de (la )?(remise|distribution|livraison)|"
    r"impossible de (remettre|distribuer|livrer|delivrer|transmettre)",
    r"(konnte|konnten) nicht.{0,40}(zugestellt|ubermittelt)|nicht zugestellt|unzustellbar|zustellung.{0,40}fehl",
    r"no (se )?(ha |pudo |ha podido |puede )+(ser |sido )?(entreg|envi)|no fue entregad|error de entrega",
    r"(non|impossibile).{0,30}(recapit|consegn)|mancato recapito|mancata consegna",
    r"(kon|kan) niet.{0,40}(afgeleverd|bezorgd)|onbestelbaar",
    r"nao (pode|foi|pude).{0,30}(entreg|envi)|falha na entrega",
    r"не может быть доставлено|не доставлен|送信できません|配信できません|届けることができません|did not like our",
    r"is not accepting mail|account.{0,30}(over quota|disabled)|mailbox.{0,10}full|"
    r"niezn?any|nie zosta.{0,20}dostarczon",
)
# What only a mail system says of a mail it still holds.
HELD = phrases(
    r"\b(message|courriel|mail|courrier)s?\b[^!?]{0,90}\b(pas\sencore|toujours\spas)\s(pu\s)?(etre\s|ete\s)?(remis|distribue|delivre|achemine|transmis|livre)",
    r"\bpas\sencore\spu\s(remettre|distribuer|delivrer|acheminer|transmettre|livrer)\s(votre|le|ce)\s(message|courriel|mail|courrier)",
    r"\b(remise|distribution|livraison|acheminement)\b[^!?]{0,90}\b(retardee?|differee?)\b|retard.{0,20}(remise|distribution)",
    r"\b(message|courriel|mail)s?\b[^!?]{0,90}\b(en (file d')?attente de (remise|distribution|livraison)|en file d'attente|(est|sera) (retarde|differe)\b)",
    r"\b(not|has not) yet been delivered\b|\b(delivery|message|mail)\b.{0,60}\b(is|has been|was) delayed\b|noch nicht zugestellt",
)
# Looking for a word is cheap; most notices hold none of these.
HELD_WORDS = ("encore", "toujours", "retard", "differe", "attente", "delayed", "yet", "noch")
DELAYED = phrases(
    r"not yet (been )?(deliver|sent)|will (be retried|continue|keep|try)|"
    r"(still|continue|keep) (being |be )?(retr|try|attempt)|(been|message|mail|delivery|status)\W{0,3}delay(ed)?\b|"
    r"warning message only|just a warning|only a warning|delivery attempts will|do not need to resend|"
    r"no action is required|temporarily (deferred|delayed)",
    r"remise.{0,20}(retard|differe)|nouvelles? tentatives?\b|\b(re)?essaiera\b|\breessayer\b|\bcontinuer(a|ons|ont)\b.{0,20}\bessayer|"
    r"tentatives.{0,30}(se poursuiv|vont continuer)|\b(inutile|pas besoin) de (le |la )?renvoyer",
    r"verzoger|noch nicht zugestellt|retrasad|aun no se ha|ritardat|vertraagd|atrasad|задерж|nog niet",
)
FINAL = phrases(
    r"permanent|giv(en|ing) up|gave up|not (be )?(going to )?(try|retr)|no further|could not be delivered|fatal|"
    r"has been removed|definitif|endgultig"
)
# Lines whose addresses are never the failed one.
ELSEWHERE = phrases(
    r"\b(contact|assistance|help ?desk|support|questions?|administrator|urgent|forward)\b.{0,60}@",
    r"(mail )?from ?[:=<]|sender ?[:=<]|\breply-to|return-path|envelope-from|message-?id|references|in-reply-to|^\W*x-\w",
    r"received ?:|\bby \S+ with |\bsize=|\bf=\[|a message sent by|original sender|mts-id|mailto:.{0,40}subject=",
    r"support@|helpdesk|postmaster@|abuse@|contactez|pour toute question|kontakt",
    r"^\W*(sorry|dear|hello|bonjour|hi)\W{1,3}\S{1,80}@",  # the sender, greeted
)
NAMED_IN_HEADER = re.compile(
    r"\s*(to|à|a|an|para|aan|cc|copie)\s*:", re.IGNORECASE
)  # the "To:" of "Your message"
MACHINE = re.compile(
    r"(mailer-daemon|postmaster|post_master|no-?reply|abuse|listserv|majordomo)@", re.IGNORECASE
)

# What stands right before the failed address.
TOLD = phrases(
    r"rcpt to ?: ?<?$",
    r"(failed |intended |final |invalid |affected )+(recipient|address|user ?id)s? ?: ?<?\"?$",
    r"error-for ?: *<?$",
    r"(unknown user|user unknown|no such user|invalid final delivery userid|unknown recipient|undeliverable to|"
    r"originally addressed to|generated from|delivery failed \d+ attempts|local mailbox|target mail address|"
    r"delivering your mail to|deliver (the |your |this )?(message|mail) to|delivered to|addressed to( email address)?|"
    r"permanent errors|rejected recipient|your (message|mail) (to|for)|sent mail to|delivery to|recipient|"
    r"user|mailbox|destinataire|adresse|empfanger) ?:? ?-* ?[<\"'(]?$",
)
AFTER_ENTRY = re.compile(r"$|[:.(\[,;/<—]|- |(on|le|am|invalid)\b", re.IGNORECASE)
HEADING = re.compile(r"(recipient|address|destinat|empfang|adress|宛先|アドレス|users?)\W?.{0,30}[:：-]\s*$")
HEAVY, STANDING, NEAR, SOMEWHERE = 6, 5, 3, 2
OWN = 1  # the sender's own address where a failed one would stand: they wrote to themselves


@dataclass(frozen=True, slots=True)
class Sighting:
    """One recipient a notice names, and what it says of them."""

    recipient: str
    words: str
    delayed: bool


def read(notice: Notice, message: Message) -> tuple[Sighting, ...]:
    """The recipients a notice names in its own words, in the order it names them."""
    lines = _lines(notice.text)
    return _sightings(lines, _weighed(lines, _named_by_header(message), _strangers(notice, message)), message)


def guess(notice: Notice, message: Message) -> tuple[Sighting, ...]:
    """When no recipient stands out: forms known by name, a bare user name, the only addressee of the returned mail."""
    lines = _lines(notice.text)
    found = _known_forms(message) or _only_word(lines, message) or _sole_addressee(notice)
    return _sightings(lines, found, message)


def speaks_of_failure(text: str) -> str:
    """The wording in a text that tells a report of a failure or a delay, "" when there is none."""
    said = fold(text)
    found = NOTICE.search(said)
    return found[0] if found else _held(said)


def _held(said: str) -> str:
    """The wording by which a mail system tells that it still holds a mail."""
    found = HELD.search(said) if any(word in said for word in HELD_WORDS) else None
    return found[0] if found else ""


def _lines(text: str) -> list[str]:
    return [line[:MAX_LINE] for line in text.splitlines()[:MAX_LINES]]


def _sightings(lines: list[str], seen: dict[str, int], message: Message) -> tuple[Sighting, ...]:
    """Each address with what is said of it; the number is the line it stands on."""
    late = _is_late(message, "\n".join(lines))
    starts = sorted(set(seen.values()))
    alone = len(seen) == 1
    return tuple(
        Sighting(address, _words_about(lines, starts, at, alone=alone), late) for address, at in seen.items()
    )


def _named_by_header(message: Message) -> tuple[str, ...]:
    """Exim and Gmail list the recipients in a header of their own."""
    listed = ",".join(message.all_headers("X-Failed-Recipients"))[: MAX_LINE * 10]
    return tuple(dict.fromkeys(found[0] for found in ADDRESS.finditer(listed)))


def _strangers(notice: Notice, message: Message) -> frozenset[str]:
    """Addresses that are not the failed recipient: who wrote the report and who wrote the returned mail."""
    known = [box.address for box in (*message.from_, *message.to) if box.address]
    for name in ("From", "Return-Path", "Sender", "Reply-To"):
        known += [found[0] for found in ADDRESS.finditer((notice.returned_header(name) or "")[:MAX_LINE])]
    return frozenset(address.lower() for address in known)


def _weighed(lines: list[str], failed: tuple[str, ...], strangers: frozenset[str]) -> dict[str, int]:
    """The heaviest addresses with the line each stands on."""
    wanted = {address.lower() for address in failed}
    weights: dict[str, tuple[int, int]] = {}
    names: dict[str, str] = {}
    folded = [fold(line) for line in lines]
    failing = [bool(FAILED.search(said)) for said in folded]
    heading = -REACH - 1
    for number, (line, said) in enumerate(zip(lines, folded, strict=True)):
        near = any(failing[max(0, number - 1) : number + 3])
        for found in ADDRESS.finditer(line):
            address = _bare(found[0])
            key = address.lower()
            weight = _weight(line, said, found, number - heading, near=near)
            if key in wanted:
                weight = HEAVY + 1
            elif key in strangers or MACHINE.match(address):
                weight = OWN if weight >= STANDING and key in strangers else 0
            if weight > weights.get(key, (0, 0))[0] and len(weights) < MAX_RECIPIENTS * 4:
                weights[key] = (weight, number)
                names.setdefault(key, address)
        if failing[number] or _is_heading(said):
            heading = number
    for address in failed:
        weights.setdefault(address.lower(), (HEAVY + 1, 0))
        names.setdefault(address.lower(), address)
    best = max((weight for weight, _ in weights.values()), default=0)
    return dict(
        [(names[key], at) for key, (weight, at) in weights.items() if weight == best][:MAX_RECIPIENTS]
    )


def _weight(line: str, said: str, found: re.Match[str], below_heading: int, *, near: bool) -> int:
    """How much this address looks like the one that failed."""
    head, tail = line[: found.start()], line[found.end() :]
    before = fold(head)[-80:]
    entry = _is_entry(head, tail)
    colon = entry and tail.lstrip("> ").startswith((":", "(expanded from"))  # before what the server said
    if not colon and ELSEWHERE.search(said) and not TOLD.search(before):
        return 0
    if NAMED_IN_HEADER.match(line):
        return SOMEWHERE
    if entry:
        return HEAVY if below_heading <= REACH or (colon and near) else STANDING - 1
    if TOLD.search(before):
        return STANDING
    if re.match(r"\s*[45]\d\d[ -]", line) and tail.lstrip("> ").startswith("..."):
        return STANDING
    return NEAR if near else SOMEWHERE


def _is_entry(head: str, tail: str) -> bool:
    """Whether the address opens its line, alone or before what went wrong."""
    opening = re.sub(r"\"[^\"]{0,80}\"", "", head).strip(" \t*><•-'")
    rest = re.sub(r"^>?<mailto:[^>]{1,200}>", "", tail).strip(" \t>'")
    return not opening and bool(AFTER_ENTRY.match(rest))


def _is_heading(said: str) -> bool:
    """Whether a line announces a list of recipients."""
    return bool(HEADING.search(said))


def _bare(address: str) -> str:
    """An address without what X.400 and MIME wrote around it."""
    return WRAPPER.sub("", address).rstrip(".-").lstrip("'`|{")


def _words_about(lines: list[str], starts: list[int], at: int, *, alone: bool) -> str:
    """What is said between this recipient and the next one; all of it when there is only one."""
    if alone:
        return "\n".join(lines)
    end = next((start for start in starts if start > at), at + 30)
    return "\n".join(lines[at : min(end, at + 30)])


def _is_late(message: Message, text: str) -> bool:
    """Whether the mail is only late: told to be retried and not told to be given up."""
    subject = fold(message.subject or "")
    said = fold(text[:8_000])
    if re.search(
        r"\b(delay|delayed|warning|still being retried|not yet delivered|retard|differe|en attente)", subject
    ):
        return not re.search(r"fail|undeliver|returned|unknown", subject)
    return bool(DELAYED.search(said) or _held(said)) and not FINAL.search(said)


def _known_forms(message: Message) -> dict[str, int]:
    """What flufl.bounce finds, told apart from the uuencoded lines it takes for addresses."""
    try:
        temporary, permanent = all_failures(message.tree)
    except Exception:  # noqa: BLE001  its detectors raise IndexError and AttributeError on broken mails (6.0.0)
        return {}
    found = [item.decode("utf-8", "replace") for item in (*permanent, *temporary)]
    return {address: 0 for address in sorted(found)[:MAX_RECIPIENTS] if ADDRESS.fullmatch(address)}


def _only_word(lines: list[str], message: Message) -> dict[str, int]:
    """A provider that names its own users without a domain: a lone word after a heading."""
    domain = next((box.address.rpartition("@")[2] for box in message.from_ if box.address), "")
    for number, line in enumerate(lines[1:], 1):
        word = line.strip()
        above = fold(" ".join(lines[max(0, number - 2) : number])).rstrip()
        named = re.fullmatch(r"[A-Za-z0-9._+-]{2,64}", word) and above.endswith(":")
        if domain and named and FAILED.search(above):
            return {f"{word}@{domain}": number}
    return {}


def _sole_addressee(notice: Notice) -> dict[str, int]:
    """The only address the returned mail went to."""
    found = [_bare(hit[0]) for hit in ADDRESS.finditer((notice.returned_header("To") or "")[:MAX_LINE])]
    return {found[0]: 0} if len(set(found)) == 1 else {}
