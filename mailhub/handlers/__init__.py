"""Stage 5: one small handler per errand, (Reading, Desk) to Outcome. They are strangers to each other."""

from collections.abc import Callable, Mapping

from mailhub.handlers import (
    aside,
    bounces,
    complaints,
    confirmations,
    follow_ups,
    notes,
    questions,
    replies,
    subscriptions,
    triage,
)
from mailhub.handlers.desk import Desk, Outcome
from mailhub.route import Errand
from mailhub.understand import Reading

Handler = Callable[[Reading, Desk], Outcome]

HANDLERS: Mapping[Errand, Handler] = {
    Errand.DUPLICATE: aside.duplicate,
    Errand.BOUNCE: bounces.handle,
    Errand.COMPLAINT: complaints.handle,
    Errand.RECEIPT: aside.receipt,
    Errand.CALENDAR: triage.handle,
    Errand.AUTOMATIC: aside.automatic,
    Errand.QUARANTINE: aside.quarantine,
    Errand.CONFIRMATION: confirmations.handle,
    Errand.NOTE: notes.handle,
    Errand.ANSWER: replies.handle,
    Errand.FOLLOW_UP: follow_ups.handle,
    Errand.SUBSCRIPTION: subscriptions.handle,
    Errand.QUESTION: questions.handle,
    Errand.TRIAGE: triage.handle,
}
