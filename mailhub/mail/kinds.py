"""What kind of mail this is, and, a separate verdict, whether it may be answered automatically."""

from dataclasses import dataclass
from enum import StrEnum


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
