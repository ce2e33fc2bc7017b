"""Who receives what, by which way, and with what proof.

A subscription belongs to a person or to a function; joining takes a yes from the address itself, leaving takes a word.
Every change is written down by `consent.record` and nowhere else. Nothing here writes a letter: verbs say what they
changed, and `handlers` tells people.
"""

from mailhub.centre.subscriptions.admitting import needs_yes, refuse_channel
from mailhub.centre.subscriptions.confirmation import About, Answer, Confirmation, Reply, Settled
from mailhub.centre.subscriptions.confirmation import forget as forget_questions
from mailhub.centre.subscriptions.consent import (
    EVERYTHING,
    Act,
    Consent,
    Evidence,
    Source,
    Suppression,
    digest_of,
    history,
    is_suppressed,
    record,
    suppress,
    suppressed,
)
from mailhub.centre.subscriptions.joining import Asked, answer, ask
from mailhub.centre.subscriptions.lapsing import lapse, to_remind
from mailhub.centre.subscriptions.leaving import (
    change_channel,
    complain,
    died,
    leave,
    leave_everything,
    pause,
    resume,
    shun,
    stop_paper,
    undo,
)
from mailhub.centre.subscriptions.moving import ask_to_move, object_to_move
from mailhub.centre.subscriptions.roster import Excluded, Postal, Recipient, is_wanted, roster
from mailhub.centre.subscriptions.subscription import (
    CLOSED,
    LIVE,
    Channel,
    State,
    Subscription,
    borne,
    find,
    get,
    held_by,
    label,
    listed,
    postal_of,
    reader_of,
)

__all__ = [
    "CLOSED",
    "EVERYTHING",
    "LIVE",
    "About",
    "Act",
    "Answer",
    "Asked",
    "Channel",
    "Confirmation",
    "Consent",
    "Evidence",
    "Excluded",
    "Postal",
    "Recipient",
    "Reply",
    "Settled",
    "Source",
    "State",
    "Subscription",
    "Suppression",
    "answer",
    "ask",
    "ask_to_move",
    "borne",
    "change_channel",
    "complain",
    "died",
    "digest_of",
    "find",
    "forget_questions",
    "get",
    "held_by",
    "history",
    "is_suppressed",
    "is_wanted",
    "label",
    "lapse",
    "leave",
    "leave_everything",
    "listed",
    "needs_yes",
    "object_to_move",
    "pause",
    "postal_of",
    "reader_of",
    "record",
    "refuse_channel",
    "resume",
    "roster",
    "shun",
    "stop_paper",
    "suppress",
    "suppressed",
    "to_remind",
    "undo",
]
