"""A question and its life: opened with a promise, answered, assigned, closed, reopened.

Verbs take the session first and never commit.
"""

from mailhub.centre.requests.opening import (
    Promise,
    open_,
)
from mailhub.centre.requests.questions import (
    attachments,
    called,
    count_by_state,
    doors,
    exchanges,
    get,
    history,
    in_whose_thread,
    listed,
    of_person,
    participants,
    sharing_an_id,
    written_since,
)
from mailhub.centre.requests.request import (
    Request,
    RequestKind,
    RequestState,
    answer,
    assign,
    await_us,
    close,
    is_past_reopening,
    require_open,
)
from mailhub.centre.requests.thread import (
    BETWEEN_STAFF,
    Attachment,
    Exchange,
    ExchangeKind,
    Written,
    add,
    add_door,
)

__all__ = [
    "BETWEEN_STAFF",
    "Attachment",
    "Exchange",
    "ExchangeKind",
    "Promise",
    "Request",
    "RequestKind",
    "RequestState",
    "Written",
    "add",
    "add_door",
    "answer",
    "assign",
    "attachments",
    "await_us",
    "called",
    "close",
    "count_by_state",
    "doors",
    "exchanges",
    "get",
    "history",
    "in_whose_thread",
    "is_past_reopening",
    "listed",
    "of_person",
    "open_",
    "participants",
    "require_open",
    "sharing_an_id",
    "written_since",
]
