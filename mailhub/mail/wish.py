"""One wish as it was understood; what `wishes` reads and handlers act upon."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mailhub.mail.presence import Answer
from mailhub.mail.reasons import Reason


class Kind(StrEnum):
    """What is asked for."""

    LEAVE = "leave"  # the publications named, else the one answered
    LEAVE_EVERYTHING = "leave-everything"  # and never write again
    MAYBE_LEAVE = "maybe-leave"  # reasons to leave without the wish: ask for one word
    PAUSE = "pause"  # until a day
    JOIN = "join"
    CHANGE_ADDRESS = "change-address"
    PAPER = "paper"  # paper instead of email
    EMAIL = "email"  # email instead of paper
    YES = "yes"
    NO = "no"
    UNDO = "undo"
    RSVP = "rsvp"
    HELP = "help"
    NONE = "none"  # no wish of this kind: the mail is about something else
    PERSON = "person"  # a wish, but not a clear one: staff decide


class Asked(StrEnum):
    """What the mail being answered had asked; it gives a bare "oui" or "revue" its meaning."""

    NOTHING = "nothing"
    CONFIRMATION = "confirmation"
    INVITATION = "invitation"
    OTHER_PUBLICATION = "other-publication"  # we had said: answer with its name to stop it as well


@dataclass(frozen=True, slots=True)
class Wish:
    """One wish, and the words or the rule that gave it."""

    kind: Kind
    why: str = ""  # their words that gave it, folded; "" when a rule did without any
    reason: Reason | None = None  # our rule, or the doubt; None when their words say it all
    among: tuple[Kind, ...] = ()  # the wishes found that the reason is about
    publications: tuple[str, ...] = ()  # codes of those named; empty when none was
    since: date | None = None  # the day it takes effect, when one is named
    until: date | None = None  # the day a pause ends
    channel: str | None = None  # "paper" when only the printed copy is to stop
    address: str | None = None  # a mail address named in the text that is not the sender's
    label_code: str | None = None  # the code at the foot of a paper label, "0417-K"
    answer: Answer | None = None
    people: int = 1
    represented_by: str | None = None
    remark: str = ""
