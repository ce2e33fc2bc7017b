"""What a person decides about a mail that waits for one: try it again, let it in, end it."""

from datetime import datetime

from sqlmodel import Session

from mailhub.errors import Refused
from mailhub.journal.inbound import Inbound, InboundState, Verdict
from mailhub.journal.questions import get


def replay(session: Session, inbound_id: int) -> Inbound:
    """Put a parked mail back in the queue."""
    row = get(session, inbound_id, claim=True)
    if row.state is not InboundState.PARKED:
        raise Refused(f"mail {inbound_id} is {row.state}, only a parked mail can be replayed")
    row.state, row.attempts = InboundState.WAITING, 0
    return row


def release(session: Session, inbound_id: int, vouched_by: int | None = None) -> Inbound:
    """Let a mail in that was held, set aside or sent to triage: it is handled afresh, as a person's own words."""
    row = get(session, inbound_id, claim=True)
    ended_aside = row.verdict in {Verdict.QUARANTINE, Verdict.TRIAGE, Verdict.AUTOMATIC}
    if row.state is not InboundState.HELD and not ended_aside:
        raise Refused(
            f"mail {row.id} is {row.verdict or row.state}; only a held or set-aside mail can be let in"
        )
    if not row.raw_kept:
        raise Refused(f"the bytes of mail {row.id} were removed by the retention clock")
    row.state, row.verdict, row.attempts = InboundState.WAITING, None, 0
    row.vouched_by, row.let_in = vouched_by, vouched_by is None
    return row


def discard(session: Session, inbound_id: int, why: str, now: datetime) -> Inbound:
    """End a held or parked mail without doing anything for it; the bytes stay until their clock runs out."""
    row = get(session, inbound_id, claim=True)
    if row.state not in {InboundState.HELD, InboundState.PARKED}:
        raise Refused(f"mail {inbound_id} is {row.state}, only a held or parked mail can be discarded")
    row.state, row.verdict, row.handled_at = InboundState.DONE, Verdict.QUARANTINE, now
    row.rule, row.note = row.rule or "discarded", why
    return row
