"""What kind of mail this is, and, a separate verdict, whether it may be answered automatically.

Only the mail itself counts: a bounce that a person forwards or attaches is that person's mail.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from mailhub.mail import absences, address, calendar, complaints, receipts, reports
from mailhub.mail.clues import Clues
from mailhub.mail.clues import of as gather
from mailhub.mail.message import Message


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
    clues = gather(message, null_sender=null_sender)
    kind, why = next(((kind, why) for kind, test in TESTS if (why := test(clues))), (Kind.HUMAN, ""))
    silent = _silent(clues, kind)
    return Sort(kind, why, may_answer=not silent, why_silent=silent)


def _complaint(clues: Clues) -> str:
    return complaints.why(clues.message)


def _receipt(clues: Clues) -> str:
    return receipts.why(clues.message)


def _calendar_reply(clues: Clues) -> str:
    return "text/calendar METHOD:REPLY" if calendar.method(clues.message) == "REPLY" else ""


# X-Autoreply, X-AutoReply-From, X-Autorespond, X-Autoresponder, X-Mail-Autoreply, X-Auto-Response … but not
# X-Auto-Response-Suppress, which asks *us* for silence and says nothing about its own mail.
AUTO_NAME = re.compile(
    r"(x-.*)?auto[-_]?(reply|replied|respond|responder|response)([-_]?(from|by|type))?|x-vacation|.*holidayreply"
)
AUTO_WORDS = (
    ("delivered-to", "autoresponder"),
    ("x-apple-action", "vacation"),
    ("x-post-messageclass", "autoresponder"),
)
GENERATED_NAME = re.compile(r"(x-.*)?(auto[-_]?generated|machinegenerated)")
_NAMES_KEPT = 500  # a correspondence has few
NEGATIVE = {"no", "false", "0", "none", ""}


@lru_cache(_NAMES_KEPT)
def _is_auto(name: str) -> bool:
    return AUTO_NAME.fullmatch(name) is not None


@lru_cache(_NAMES_KEPT)
def _is_generated(name: str) -> bool:
    return GENERATED_NAME.fullmatch(name) is not None


def _auto_reply(clues: Clues) -> str:
    """A vacation notice or acknowledgement, by RFC 3834, by older headers, or by what programs write."""
    if clues.keyword("auto-submitted") == "auto-replied":
        return "Auto-Submitted: auto-replied"
    return _auto_reply_header(clues) or _auto_reply_wording(clues)


def _auto_reply_header(clues: Clues) -> str:
    """The headers programs used before RFC 3834, and since."""
    for name in clues.headers:
        if _is_auto(name) and clues.first(name).lower() not in NEGATIVE:
            return name
    for name in ("precedence", "x-precedence"):
        if clues.keyword(name).replace("-", "_") in {"auto_reply", "autoreply", "vacation"}:
            return f"{name}: {clues.first(name)}"
    for name, word in AUTO_WORDS:
        if word in clues.first(name).lower().partition("@")[0]:
            return f"{name}: {word}"
    # Exchange answers by rule; a mail merely redirected by a rule has the first header only.
    ruled = "x-ms-exchange-inbox-rules-loop" in clues.headers and _suppresses(clues)
    return "X-MS-Exchange-Inbox-Rules-Loop" if ruled else ""


def _auto_reply_wording(clues: Clues) -> str:
    """A subject only programs write; words in the body count only when a machine is known to have sent them."""
    if wording := absences.in_subject(clues.subject, clues.message.text):
        return f"subject: {wording}"
    report = clues.message.tree.get_content_type() == "multipart/report"
    if (clues.null_sender or report or address.never_answer(clues.sender)) and (
        wording := reports.challenge(clues)
    ):
        return f"challenge: {wording}"
    machine = (
        clues.null_sender or clues.keyword("auto-submitted") == "auto-generated" or _answers_in_bulk(clues)
    )
    wording = absences.in_text(clues.message.text) if machine else ""
    return f"words of an absence from a machine: {wording}" if wording else ""


def _answers_in_bulk(clues: Clues) -> bool:
    """Whether a mail called bulk answers one, or wants no answer itself: programs mark their absences so, no list does."""
    bulk = any(clues.keyword(name) in {"bulk", "junk"} for name in ("precedence", "x-precedence"))
    return (
        bulk
        and ("in-reply-to" in clues.headers or _suppresses(clues))
        and not any(name in clues.headers for name in LIST_HEADERS)
    )


def _auto_generated(clues: Clues) -> str:
    """Anything else no person sent: notifications, alerts, robots."""
    submitted = clues.keyword("auto-submitted")
    # A forwarded mail is still the person's who wrote it; RFC 3834 section 5 leaves room for other words.
    if submitted and submitted not in {"no", "auto-forwarded"}:
        return f"Auto-Submitted: {submitted}"
    for name in clues.headers:
        if _is_generated(name) and clues.first(name).lower() not in NEGATIVE:
            return name
    if clues.first("x-loop").lower() in {"yes", "true"}:
        return "X-Loop"
    if clues.first("x-amazon-mail-relay-type").lower() == "notification":
        return "X-AMAZON-MAIL-RELAY-TYPE: NOTIFICATION"
    if clues.machine and "daemon" in clues.sender:
        return f"from {clues.sender.split('@')[0]}"
    if _reports_on_our_mail(clues):
        return "report on a domain"
    return "null sender" if clues.null_sender else ""


# receiver!domain!from!to, as DMARC and TLS reports are called. RFC 7489 section 7.2.1.1, RFC 8460 section 5.3
REPORT_NAME = re.compile(r"[\w.-]+![\w.-]+!\d+!\d+(?:![\w.-]+)?\.(?:xml|json|zip|gz)(?:\.gz)?", re.IGNORECASE)


def _reports_on_our_mail(clues: Clues) -> bool:
    """Whether it brings such a report by itself; who passes one on says something of their own."""
    if not any(REPORT_NAME.fullmatch(part.filename or "") for part in clues.message.attachments):
        return False
    return clues.subject.lower().startswith("report domain:") or not clues.message.text.strip()


LIST_HEADERS = (
    "list-id",
    "list-post",
    "list-help",
    "list-unsubscribe",
    "list-subscribe",
    "list-owner",
    "list-archive",
)


def _bulk(clues: Clues) -> str:
    """Mail to many. RFC 2369, RFC 2919, and the Precedence everybody knows and no RFC defines."""
    for name in ("precedence", "x-precedence"):
        if clues.keyword(name) in {"bulk", "list", "junk"}:
            return f"{name}: {clues.first(name)}"
    return next((name for name in LIST_HEADERS if name in clues.headers), "")


TESTS: tuple[tuple[Kind, Callable[[Clues], str]], ...] = (
    (Kind.BOUNCE, reports.why),
    (Kind.COMPLAINT, _complaint),
    (Kind.RECEIPT, _receipt),
    (Kind.CALENDAR_REPLY, _calendar_reply),
    (Kind.AUTO_REPLY, _auto_reply),
    (Kind.AUTO_GENERATED, _auto_generated),
    (Kind.BULK, _bulk),
)


def _silent(clues: Clues, kind: Kind) -> str:
    """Why no automatic answer may go out, "" when one may."""
    if kind is not Kind.HUMAN:
        return kind.value
    if clues.null_sender:
        return "null sender"
    submitted = clues.keyword("auto-submitted")
    if submitted not in {"", "no"}:
        return f"Auto-Submitted: {submitted}"
    if _suppresses(clues):
        return "X-Auto-Response-Suppress"
    if "x-loop" in clues.headers:
        return "X-Loop"
    if not clues.sender:
        return "no sender address"
    return f"from {clues.sender.split('@')[0]}@" if address.never_answer(clues.sender) else ""


def _suppresses(clues: Clues) -> bool:
    """Whether the sender asks that machines keep silent; wishes about receipts and reports do not count."""
    wishes = {wish.strip() for wish in clues.first("x-auto-response-suppress").lower().split(",")}
    return bool(wishes & {"all", "autoreply", "oof"})
