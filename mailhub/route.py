"""Stage 4: one ordered table from a Reading to an Errand. First line that applies; its name is kept with the mail.

The order is the product's: what machines say comes before what people ask, who is speaking before what they want,
and the last line always applies, so that nothing falls through (O1). Pure: it reads values and decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mailhub.centre.profile import Service
from mailhub.mail.kinds import Kind
from mailhub.mail.tokens import Purpose
from mailhub.mail.wish import Kind as Wanted
from mailhub.understand import Reading


class Errand(StrEnum):
    """What is to be done with one mail; one handler each."""

    DUPLICATE = "duplicate"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    RECEIPT = "receipt"
    CALENDAR = "calendar"
    AUTOMATIC = "automatic"
    QUARANTINE = "quarantine"
    CONFIRMATION = "confirmation"  # yes or no to a held mail
    NOTE = "note"
    ANSWER = "answer"  # a staff reply, to be judged by its factors
    FOLLOW_UP = "follow-up"  # the asker again, or a third party
    SUBSCRIPTION = "subscription"  # a wish about what somebody receives, or their yes to it
    QUESTION = "question"
    TRIAGE = "triage"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table."""

    name: str
    applies: Callable[[Reading], bool]
    errand: Errand


@dataclass(frozen=True, slots=True)
class Ruling:
    """Where a mail goes and which line sent it there."""

    errand: Errand
    rule: str


def _token_is(reading: Reading, purpose: Purpose) -> bool:
    """A living token: good signature, and given to somebody who is still staff (S4)."""
    return (
        reading.token is not None
        and reading.token.purpose is purpose
        and reading.standing.token_staff is not None
    )


def _let_in(reading: Reading) -> bool:
    return reading.standing.let_in and reading.sender is not None


def _staff(reading: Reading) -> bool:
    return reading.standing.staff is not None


def _in_thread(reading: Reading) -> bool:
    return reading.standing.request_id is not None


def _leave_address(reading: Reading) -> bool:
    """`stop+TOKEN`: the token decides, whoever writes and whatever they write (D24)."""
    return (
        reading.service is Service.STOP
        and reading.token is not None
        and reading.token.purpose is Purpose.LEAVE
    )


def _settles_subscription(reading: Reading) -> bool:
    """A yes, a no or a second thought about a subscription, wherever it was sent."""
    token = reading.reader_token
    return token is not None and (
        token.purpose is Purpose.JOIN
        or (reading.service is Service.CONFIRM and token.purpose in {Purpose.LEAVE, Purpose.DONE})
    )


# What a mail to a question's address must ask for, in so many words, to be no question.
_PLAIN_COMMANDS = frozenset({Wanted.LEAVE, Wanted.LEAVE_EVERYTHING})
_NO_COMMANDS = frozenset({Wanted.NONE, Wanted.RSVP, Wanted.YES, Wanted.NO})


def _list_command(reading: Reading) -> bool:
    wish = reading.wish
    if wish is None or wish.kind in _NO_COMMANDS:
        return False
    if reading.service is Service.QUESTION and reading.reader_token is None:
        return wish.kind in _PLAIN_COMMANDS or (wish.kind is Wanted.JOIN and bool(wish.publications))
    return True


_VOUCHED = (Rule("let in by staff", lambda r: r.standing.vouched_by is not None, Errand.ANSWER),)
_LEAVE_ADDRESS = Rule("leave address", _leave_address, Errand.SUBSCRIPTION)
# What machines wrote, what came before, what is too much: nothing that an operator let in.
_ASIDE = (
    Rule("the same mail came before", lambda r: r.standing.duplicate_of is not None, Errand.DUPLICATE),
    Rule("delivery status", lambda r: r.sort.kind is Kind.BOUNCE, Errand.BOUNCE),
    Rule("complaint", lambda r: r.sort.kind is Kind.COMPLAINT, Errand.COMPLAINT),
    Rule("read receipt", lambda r: r.sort.kind is Kind.RECEIPT, Errand.RECEIPT),
    Rule("calendar reply", lambda r: r.sort.kind is Kind.CALENDAR_REPLY, Errand.CALENDAR),
    Rule("our own letter came back", lambda r: r.standing.own, Errand.AUTOMATIC),
    _LEAVE_ADDRESS,  # mail programs write there by themselves, as our List-Unsubscribe asks them to
    Rule("automatic", lambda r: r.sort.kind is not Kind.HUMAN, Errand.AUTOMATIC),
    Rule("no single author", lambda r: r.sender is None, Errand.QUARANTINE),
    Rule("over the limits", lambda r: r.message.over_limits, Errand.QUARANTINE),
    Rule("too many from one author", lambda r: r.standing.flood, Errand.QUARANTINE),
)
# What people want.
_WANTED = (
    Rule("yes or no to what was held", lambda r: r.standing.held_id is not None, Errand.CONFIRMATION),
    Rule("note address", lambda r: _token_is(r, Purpose.NOTE), Errand.NOTE),
    Rule("staff token", lambda r: _token_is(r, Purpose.ANSWER), Errand.ANSWER),
    Rule("staff in a thread without their token", lambda r: _staff(r) and _in_thread(r), Errand.ANSWER),
    Rule("thread", _in_thread, Errand.FOLLOW_UP),
    _LEAVE_ADDRESS,
    Rule("let in by an operator", _let_in, Errand.QUESTION),
    Rule("yes or no to a subscription", _settles_subscription, Errand.SUBSCRIPTION),
    Rule("list command in plain words", _list_command, Errand.SUBSCRIPTION),
    Rule("question address", lambda r: r.service is Service.QUESTION, Errand.QUESTION),
    Rule("dead token", lambda r: r.service in {Service.REPLY, Service.NOTE}, Errand.TRIAGE),
    Rule("somebody has to look", lambda r: True, Errand.TRIAGE),  # noqa: ARG005 — the last line always applies
)


def route(reading: Reading) -> Ruling:
    """Send one mail on its errand: the first line that applies, top-down."""
    rules = (*_VOUCHED, *_WANTED) if _let_in(reading) else (*_VOUCHED, *_ASIDE, *_WANTED)
    rule = next(rule for rule in rules if rule.applies(reading))
    return Ruling(rule.errand, rule.name)
