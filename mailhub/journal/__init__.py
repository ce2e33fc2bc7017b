"""Stage 2: every mail we took, and what became of it. Raw bytes first, thoughts later.

`accept` is the doors' only verb: raw bytes and one `Inbound` row per envelope recipient, in the door's own
transaction, committed before anybody is told `250`. The pipeline then settles each row with exactly one verdict;
what fails three times is parked for a human, and can be replayed. Nothing here reads a mail.
"""

from mailhub.journal.decisions import discard, release, replay
from mailhub.journal.handling import (
    ECHO_SPAN,
    Claimed,
    Ending,
    Seen,
    Traits,
    Unread,
    claim,
    failed,
    seen,
    settle,
    waiting,
)
from mailhub.journal.inbound import Inbound, InboundState, Verdict, accept, expired, forget
from mailhub.journal.questions import bearing, concerning, figures, get, listed, oldest_waiting, raw

__all__ = [
    "ECHO_SPAN",
    "Claimed",
    "Ending",
    "Inbound",
    "InboundState",
    "Seen",
    "Traits",
    "Unread",
    "Verdict",
    "accept",
    "bearing",
    "claim",
    "concerning",
    "discard",
    "expired",
    "failed",
    "figures",
    "forget",
    "get",
    "listed",
    "oldest_waiting",
    "raw",
    "release",
    "replay",
    "seen",
    "settle",
    "waiting",
]
