"""Issues of publications: kept in the very form that leaves, released once, to a roster frozen at that instant.

How far each copy got is no business of this room: a copy on paper stands in the ledger, a copy by email in the outbox,
and `outbox` reads both as one.
"""

from mailhub.centre.publications.issue import (
    Issue,
    IssueState,
    add,
    called,
    claim_due,
    close,
    due,
    find_late,
    hold,
    listed,
    next_number,
    put_off,
    release,
    running,
    silent,
    stop,
)
from mailhub.centre.publications.ledger import Ledger, Recipient, copy_of, freeze, lines
from mailhub.centre.publications.manuscript import Manuscript, masthead, sample, title, typeset

__all__ = [
    "Issue",
    "IssueState",
    "Ledger",
    "Manuscript",
    "Recipient",
    "add",
    "called",
    "claim_due",
    "close",
    "copy_of",
    "due",
    "find_late",
    "freeze",
    "hold",
    "lines",
    "listed",
    "masthead",
    "next_number",
    "put_off",
    "release",
    "running",
    "sample",
    "silent",
    "stop",
    "title",
    "typeset",
]
