"""What kind of mail this is, and, a separate verdict, whether it may be answered automatically.

Only the mail itself counts: a bounce that a person forwards or attaches is that person's mail.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mailhub.mail import absences, calendar, complaints, dialects, notices, receipts
from mailhub.mail.message import Message
from mailhub.mail.wording import fold, phrases


class Kind(StrEnum):
    """One mail is exactly one of these; the order is the order of tests."""

    BOUNCE = "bounce"  # delivery status: failed, delayed or delivered
    COMPLAINT = "feedback-report"  # ARF, Signal Spam
    RECEIPT = "receipt"  # read, or deleted unread
    CALENDAR_REPLY = "calendar-reply"
    AUTO_REPLY = "auto-reply"  # vacation, out of office, acknowledgement by a machine
    AUTO_GENERATED = "auto-generated"
    BULK = "bulk"  # Precedence bulk, list or junk, or a List-* header
    HUMAN = "human"


@dataclass(frozen=True, slots=True)
class Sort:
    """The two verdicts, each with the rule that gave it."""

    kind: Kind
    why: str  # the header or wording that decided, for the journal
    may_answer: bool  # False: file it, stay silent (X-Auto-Response-Suppress, null sender, lists, machines)
    why_silent: str  # "" when it may be answered


def sort(message: Message, *, null_sender: bool = False) -> Sort:
    """Sort one mail. `null_sender` is what the envelope said; a Return-Path header says it afterwards."""
    clues = _clues(message, null_sender=null_sender)
    kind, why = next(((kind, why) for kind, test in TESTS if (why := test(clues))), (Kind.HUMAN, ""))
    silent = _silent(clues, kind)
    return Sort(kind, why, may_answer=not silent, why_silent=silent)


@dataclass(frozen=True, slots=True)
class _Clues:
    """What the tests look at, taken from the mail once."""

    message: Message
    headers: dict[str, list[str]]  # names in lower case, values as decoded
    sender: str  # the From address in lower case
    subject: str  # folded
    null_sender: bool

    def first(self, name: str) -> str:
        return next(iter(self.headers.get(name, ())), "").strip()


def _clues(message: Message, *, null_sender: bool) -> _Clues:
    headers: dict[str, list[str]] = {}
    for name, value in message.headers:
        headers.setdefault(name.lower(), []).append(value)
    sender = next((box.address for box in message.from_ if box.address), "")
    # Postfix's local delivery writes <MAILER-DAEMON> for the null sender.
    path = next(iter(headers.get("return-path", ())), "").strip().lower()
    return _Clues(
        message=message,
        headers=headers,
        sender=sender.lower(),
        subject=" ".join(fold(message.subject or "").split()),
        null_sender=null_sender or path in {"<>", "<mailer-daemon>", "mailer-daemon"},
    )


# Local parts and display names that mail systems use for themselves.
MACHINE = re.compile(
    r"(mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|postmaster|post[-_.](master|office)|\"?system[ ._-]administrator\"?|mail[-_.]?delivery[\w.-]*|mailer|"
    r"mail[-_.]administrator|bounces?|smtp[\w.-]*)@"
)
MACHINE_NAME = phrases(
    r"(e-?)?mail(er)? ?(delivery|deliver|transport|administrator|daemon|system|server|router|gateway)",
    r"postmaster|system ?admin|internet mail|delivery (sub)?system|mail ?(sub)?system|\bsmtp\b.*mail",
)
SUBJECT = phrases(
    r"(\[[^\]]{1,40}\] ?)?(re: ?)?(mail|message|e-?mail|delivery|returned|permanent|your)?[ -]*"
    r"(undeliver|undelivered|non-?deliver|not delivered|returned mail|delivery (status|fail|prob|error|notice|notif|delay|incomplete)|"
    r"failure (notice|delivery)|failed (mail|delivery)|mail failed|mail failure|delivery has failed|bounce)",
    r"(warning: )?(mail|message)\b.{0,60}(delayed|could not be delivered|not (yet )?(been )?delivered|still being retried|"
    r"delivery (failed|has failed)|failed|returned)",
    r"(mail|message) (system|processing|delivery) (error|problem|warning)|processing error|error during delivery|"
    r"automatically rejected mail|message status - undeliverable|message you sent blocked|there was an error sending your mail|permanent delivery failure|rejected: ",
    r"(message|courriel|mail)? ?non[- ](remis|distribue|delivre)|(notification d')?etat de (la )?(remise|distribution)|"
    r"(avis|echec|rapport) de (non[- ])?(la )?(remise|distribution|livraison)|remise (differee|impossible)|"
    r"(message|mail) (retourne|renvoye) a l'expediteur|undelivered",
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


def _bounce(clues: _Clues) -> str:
    """A delivery report by its form, or a machine's letter by sender and wording."""
    message = clues.message
    if _challenge(clues):
        return ""
    if structure := _report(clues):
        return structure
    if "x-failed-recipients" in clues.headers:
        return "X-Failed-Recipients"
    machine = _is_machine(clues)
    subject = "" if CARRIED.match(clues.subject) else _match(SUBJECT, clues.subject)
    if not (machine or clues.null_sender or subject) or absences.in_subject(clues.subject):
        return ""
    if (machine or clues.null_sender) and subject:
        return f"subject of a report: {subject}"
    notice = notices.read(message)
    text = dialects.speaks_of_failure(notice.text[:4_000])
    if not text or (clues.null_sender and not machine and absences.in_text(notice.text)):
        return ""
    if machine or clues.null_sender:
        return f"words of a report: {text}"
    # No machine signs it: then it must look like one all through, and open without a greeting.
    proven = notice.enclosed or clues.first("auto-submitted").lower().startswith("auto-")
    return (
        f"subject and words of a report: {subject}"
        if proven and not GREETING.match(fold(notice.text))
        else ""
    )


def _challenge(clues: _Clues) -> str:
    """The wording of a program that wants its sender to prove human, when no mail system signs it."""
    found = (
        None if _is_machine(clues) else CHALLENGE.search(" ".join(fold(clues.message.text[:2_000]).split()))
    )
    return found[0] if found else ""


def _report(clues: _Clues) -> str:
    """The MIME form of a delivery report. RFC 3464 section 2."""
    tree = clues.message.tree
    if tree.get_content_type() in notices.STATUS_TYPES:
        return tree.get_content_type()
    below = [child.get_content_type() for child in notices.children(tree)]
    if tree.get_content_type() == "multipart/report":
        if str(tree.get_param("report-type", "")).lower() == "delivery-status":
            return "multipart/report; report-type=delivery-status"
        if any(kind in notices.STATUS_TYPES for kind in below):
            return "multipart/report with message/delivery-status"
        if receipts.why(clues.message) and receipts.is_refusal(clues.message):
            return "a receipt that says rejected"
    elif _is_machine(clues) or clues.null_sender:
        # Lists and gateways wrap a report once more, or call it mixed.
        nested = [
            grandchild.get_content_type()
            for child in notices.children(tree)
            for grandchild in notices.children(child)
        ]
        return next((kind for kind in (*below, *nested) if kind in notices.STATUS_TYPES), "")
    return ""


def _is_machine(clues: _Clues) -> bool:
    """Whether the From is one that mail systems use, or no address at all."""
    if MACHINE.match(clues.sender):
        return True
    written = fold(clues.first("from"))
    return (bool(written) and not re.search(r"[^@\s]@[^@\s]", clues.sender)) or bool(
        MACHINE_NAME.search(written.split("<")[0])
    )


def _complaint(clues: _Clues) -> str:
    return complaints.why(clues.message)


def _receipt(clues: _Clues) -> str:
    return receipts.why(clues.message)


def _calendar_reply(clues: _Clues) -> str:
    return "text/calendar METHOD:REPLY" if calendar.method(clues.message) == "REPLY" else ""


# X-Autoreply, X-AutoReply-From, X-Autorespond, X-Autoresponder, X-Mail-Autoreply, X-Auto-Response … but not
# X-Auto-Response-Suppress, which asks *us* for silence and says nothing about its own mail.
AUTO_NAME = re.compile(
    r"(x-.*)?auto[-_]?(reply|replied|respond|responder|response)([-_]?(from|by|type))?|x-vacation|.*holidayreply"
)
GENERATED_NAME = re.compile(r"(x-.*)?(auto[-_]?generated|machinegenerated)")
NEGATIVE = {"no", "false", "0", "none", ""}


def _auto_reply(clues: _Clues) -> str:
    """A vacation notice or acknowledgement, by RFC 3834, by older headers, or by what programs write."""
    if _keyword(clues.first("auto-submitted")) == "auto-replied":
        return "Auto-Submitted: auto-replied"
    return _auto_reply_header(clues) or _auto_reply_wording(clues)


def _auto_reply_header(clues: _Clues) -> str:
    """The headers programs used before RFC 3834, and since."""
    for name in clues.headers:
        if AUTO_NAME.fullmatch(name) and clues.first(name).lower() not in NEGATIVE:
            return name
    for name in ("precedence", "x-precedence"):
        if _keyword(clues.first(name)).replace("-", "_") in {"auto_reply", "autoreply", "vacation"}:
            return f"{name}: {clues.first(name)}"
    for name, word in (
        ("delivered-to", "autoresponder"),
        ("x-apple-action", "vacation"),
        ("x-post-messageclass", "autoresponder"),
    ):
        if word in clues.first(name).lower().partition("@")[0]:
            return f"{name}: {word}"
    # Exchange answers by rule; a mail merely redirected by a rule has the first header only.
    return (
        "X-MS-Exchange-Inbox-Rules-Loop"
        if "x-ms-exchange-inbox-rules-loop" in clues.headers and _suppresses(clues)
        else ""
    )


def _auto_reply_wording(clues: _Clues) -> str:
    """A subject only programs write; words in the body count only when a machine is known to have sent them."""
    if wording := absences.in_subject(clues.subject):
        return f"subject: {wording}"
    report = clues.message.tree.get_content_type() == "multipart/report"
    if (clues.null_sender or report or NOBODY.match(clues.sender)) and (wording := _challenge(clues)):
        return f"challenge: {wording}"
    machine = clues.null_sender or _keyword(clues.first("auto-submitted")) == "auto-generated"
    wording = absences.in_text(clues.message.text) if machine else ""
    return f"words of an absence from a machine: {wording}" if wording else ""


def _auto_generated(clues: _Clues) -> str:
    """Anything else no person sent: notifications, alerts, robots."""
    submitted = _keyword(clues.first("auto-submitted"))
    # A forwarded mail is still the person's who wrote it; RFC 3834 section 5 leaves room for other words.
    if submitted and submitted not in {"no", "auto-forwarded"}:
        return f"Auto-Submitted: {submitted}"
    for name in clues.headers:
        if GENERATED_NAME.fullmatch(name) and clues.first(name).lower() not in NEGATIVE:
            return name
    if clues.first("x-loop").lower() in {"yes", "true"}:
        return "X-Loop"
    if clues.first("x-amazon-mail-relay-type").lower() == "notification":
        return "X-AMAZON-MAIL-RELAY-TYPE: NOTIFICATION"
    if MACHINE.match(clues.sender) and "daemon" in clues.sender:
        return f"from {clues.sender.split('@')[0]}"
    return "null sender" if clues.null_sender else ""


LIST_HEADERS = (
    "list-id",
    "list-post",
    "list-help",
    "list-unsubscribe",
    "list-subscribe",
    "list-owner",
    "list-archive",
)


def _bulk(clues: _Clues) -> str:
    """Mail to many. RFC 2369, RFC 2919, and the Precedence everybody knows and no RFC defines."""
    for name in ("precedence", "x-precedence"):
        if _keyword(clues.first(name)) in {"bulk", "list", "junk"}:
            return f"{name}: {clues.first(name)}"
    return next((name for name in LIST_HEADERS if name in clues.headers), "")


TESTS: tuple[tuple[Kind, Callable[[_Clues], str]], ...] = (
    (Kind.BOUNCE, _bounce),
    (Kind.COMPLAINT, _complaint),
    (Kind.RECEIPT, _receipt),
    (Kind.CALENDAR_REPLY, _calendar_reply),
    (Kind.AUTO_REPLY, _auto_reply),
    (Kind.AUTO_GENERATED, _auto_generated),
    (Kind.BULK, _bulk),
)

# Addresses behind which no person reads. RFC 3834 section 2.
NOBODY = re.compile(
    r"(no-?_?reply|ne-?_?pas-?_?repondre|do-?not-?reply|nepasrepondre|mailer-daemon|postmaster|owner-.*|.*-owner|"
    r".*-request|.*-bounces?|bounces?[+-].*|listserv|majordomo|sympa)@"
)


def _silent(clues: _Clues, kind: Kind) -> str:
    """Why no automatic answer may go out, "" when one may."""
    if kind is not Kind.HUMAN:
        return kind.value
    if clues.null_sender:
        return "null sender"
    submitted = clues.first("auto-submitted")
    if submitted and _keyword(submitted) != "no":
        return f"Auto-Submitted: {submitted}"
    if _suppresses(clues):
        return "X-Auto-Response-Suppress"
    if "x-loop" in clues.headers:
        return "X-Loop"
    if not clues.sender:
        return "no sender address"
    return f"from {clues.sender.split('@')[0]}@" if NOBODY.match(clues.sender) else ""


def _suppresses(clues: _Clues) -> bool:
    """Whether the sender asks that machines keep silent; wishes about receipts and reports do not count."""
    wishes = {wish.strip() for wish in clues.first("x-auto-response-suppress").lower().split(",")}
    return bool(wishes & {"all", "autoreply", "oof"})


def _keyword(value: str) -> str:
    """The first word of a header value, without comment and parameters."""
    return re.split(r"[;(\s]", value.strip(), maxsplit=1)[0].lower()


def _match(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.match(text)
    return found[0] if found else ""
