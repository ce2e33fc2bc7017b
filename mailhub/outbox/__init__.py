"""Stage 6: every letter we owe, and how far it got. One row, one person, one unique key.

A letter enters in the transaction that causes it and leaves by `deliver`: claimed as *sending* (the intent is
written before the wire is touched), then *sent*, *deferred*, *failed* or *in doubt*. In doubt is the truth when a
connection died between the final dot and the reply: it is shown so, and never resent unless a human says so.
A copy of an issue is such a letter too; the ledger of the issue is read from these rows, and written nowhere else.
"""

from mailhub.outbox.claims import Claim, abandoned, copies_waiting, is_due, settle_sent, take, waiting
from mailhub.outbox.endings import End, Ending, end_of
from mailhub.outbox.issues import count_sent, expire, plan, seal, stop, take_back, unfinished
from mailhub.outbox.ledger import Line, Standing, complaints, read, sums
from mailhub.outbox.letter import (
    LEASE,
    Outgoing,
    OutgoingState,
    Retries,
    deferred,
    failed,
    forget,
    get,
    in_doubt,
    put,
    put_back,
    raw,
    retry,
    return_id,
    said,
    sent,
    settle_doubt,
)
from mailhub.outbox.questions import (
    figures,
    keyed,
    listed,
    oldest_due,
    returned,
    unsettled,
    with_message_id,
    written,
    written_to,
)

__all__ = [
    "LEASE",
    "Claim",
    "End",
    "Ending",
    "Line",
    "Outgoing",
    "OutgoingState",
    "Retries",
    "Standing",
    "abandoned",
    "complaints",
    "copies_waiting",
    "count_sent",
    "deferred",
    "end_of",
    "expire",
    "failed",
    "figures",
    "forget",
    "get",
    "in_doubt",
    "is_due",
    "keyed",
    "listed",
    "oldest_due",
    "plan",
    "put",
    "put_back",
    "raw",
    "read",
    "retry",
    "return_id",
    "returned",
    "said",
    "seal",
    "sent",
    "settle_doubt",
    "settle_sent",
    "stop",
    "sums",
    "take",
    "take_back",
    "unfinished",
    "unsettled",
    "waiting",
    "with_message_id",
    "written",
    "written_to",
]
