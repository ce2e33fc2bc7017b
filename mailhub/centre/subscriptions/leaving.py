"""Going out, pausing, changing the way: at once, on a word, and undone on a word.

Every verb takes the subscriptions it is about and gives back those it changed: said twice, it changes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session, select

from mailhub.centre.people import Person, identity
from mailhub.centre.subscriptions import consent
from mailhub.centre.subscriptions.consent import Act, Consent, Evidence
from mailhub.centre.subscriptions.subscription import LIVE, Channel, State, Subscription
from mailhub.mail.tokens import Keyring

# What one word takes back; a complaint or our own stop is not taken back by « ANNULER ».
_UNDOABLE = frozenset({Act.WITHDRAWN, Act.OBJECTED, Act.PAUSED, Act.RESUMED, Act.CHANNEL})

Changed = tuple[Subscription, ...]


def leave(session: Session, rows: Iterable[Subscription], evidence: Evidence) -> Changed:
    """Stop these subscriptions now."""
    leaving = [row for row in rows if row.state in LIVE or row.state is State.PENDING]
    for row in leaving:
        consent.record(session, row, Act.WITHDRAWN, evidence, state=State.LEFT)
    return tuple(leaving)


def leave_everything(
    session: Session, keyring: Keyring, rows: Sequence[Subscription], address: str, evidence: Evidence
) -> Changed:
    """Stop these, and let nobody join at this address any more; another reader who has it goes on (T23).

    What they had left before is written down too, so that to take this back brings nothing more back.
    """
    leaving = [row for row in rows if row.state in LIVE or row.state is State.PENDING]
    for row in (*leaving, *(row for row in rows if row.state is State.LEFT)):
        consent.record(session, row, Act.OBJECTED, evidence, state=State.SUPPRESSED)
    digest = consent.digest_of(keyring, address)
    consent.suppress(session, digest, consent.EVERYTHING, evidence.source, evidence.at)
    return tuple(leaving)


def complain(
    session: Session,
    keyring: Keyring,
    row: Subscription,
    address: str | None,
    evidence: Evidence,
    *,
    beside: Iterable[Subscription] = (),
) -> Changed:
    """Somebody pressed « spam »: that list stops at once, for that address for ever (D34).

    `beside` are the subscriptions of others who read it at that address.
    """
    if address:
        shun(session, keyring, row.publication, address, evidence)
    complaining = [each for each in (row, *beside) if each.state is not State.COMPLAINED]
    for each in complaining:
        consent.record(session, each, Act.COMPLAINED, evidence, state=State.COMPLAINED)
    return tuple(complaining)


def shun(session: Session, keyring: Keyring, publication: str, address: str, evidence: Evidence) -> None:
    """Send a publication to an address never again."""
    digest = consent.digest_of(keyring, address)
    consent.suppress(session, digest, publication, evidence.source, evidence.at)


def died(session: Session, person: Person, evidence: Evidence) -> Changed:
    """Nothing more goes to somebody, by mail or by post; what belongs to a function they held waits for the next."""
    person.deceased = True
    session.add(person)
    own = select(Subscription).where(Subscription.person_id == identity(person))
    return leave(session, session.exec(own).all(), evidence)


def pause(
    session: Session,
    rows: Iterable[Subscription],
    evidence: Evidence,
    *,
    until: datetime,
    since: datetime | None = None,
) -> Changed:
    """Send nothing between two instants; nobody has to end it."""
    pausing = [row for row in rows if row.state in {State.ACTIVE, State.PAUSED}]
    for row in pausing:
        consent.record(session, row, Act.PAUSED, evidence, state=State.PAUSED)
        row.paused_from, row.paused_until = since, until
    return tuple(pausing)


def resume(session: Session, rows: Iterable[Subscription], evidence: Evidence) -> Changed:
    """Send again: a pause ends early, or an address that came back works again and starts at nought (T11)."""
    resuming = [row for row in rows if row.state in {State.PAUSED, State.SUSPENDED}]
    for row in resuming:
        row.returns_since = evidence.at  # the dates of a pause stay, for whoever takes this back
        consent.record(session, row, Act.RESUMED, evidence, state=State.ACTIVE)
    return tuple(resuming)


def change_channel(
    session: Session,
    rows: Iterable[Subscription],
    channel: Channel,
    evidence: Evidence,
    *,
    wants_email: bool = True,
) -> Changed:
    """Send another way from the next issue on, never both by accident.

    `wants_email` says that email was asked for, where the channel has it: not merely that there is no more paper.
    """
    changing = [row for row in rows if row.state in LIVE and row.channel is not channel]
    for row in changing:
        # Email that was stopped for its returns starts afresh when it is asked for again.
        again = row.state is State.SUSPENDED and channel.has_email and wants_email
        state = State.ACTIVE if again else row.state
        if state is not row.state:
            row.returns_since = evidence.at
        consent.record(session, row, Act.CHANNEL, evidence, channel=channel, state=state)
    return tuple(changing)


def stop_paper(session: Session, rows: Iterable[Subscription], evidence: Evidence) -> Changed:
    """No more paper: email goes on where there was any, else the subscription ends (D48)."""
    live = [row for row in rows if row.state in LIVE and row.channel.has_paper]
    both = [row for row in live if row.channel is Channel.BOTH]
    alone = [row for row in live if row.channel is Channel.PAPER]
    return (
        *change_channel(session, both, Channel.EMAIL, evidence, wants_email=False),
        *leave(session, alone, evidence),
    )


def undo(
    session: Session,
    keyring: Keyring,
    rows: Sequence[Subscription],
    address: str,
    evidence: Evidence,
    *,
    about: Subscription | None = None,
) -> Changed:
    """Take the last decision back, with everything that was decided by the same word; nothing when it was undone.

    `about` is the subscription whose last decision is meant; without it the last of all is.
    """
    last = {row.id: past[-1] for row in rows if (past := consent.history(session, row.id or 0))}
    found = [
        kept for kept in last.values() if kept.act in _UNDOABLE and kept.state_before is not State.PENDING
    ]
    meant = [kept for kept in found if about is None or kept.subscription_id == about.id]
    if not meant:
        return ()
    latest = max(meant, key=lambda kept: (kept.at, kept.id or 0))
    together = {kept.subscription_id: kept for kept in found if _by_the_same_word(kept, latest)}
    undone = [row for row in rows if row.id in together]
    for row in undone:
        kept = together[row.id or 0]
        consent.record(
            session, row, Act.RESTORED, evidence, state=kept.state_before, channel=kept.channel_before
        )
        if kept.act is Act.PAUSED and kept.paused_until_before is not None:
            row.paused_from, row.paused_until = kept.paused_from_before, kept.paused_until_before
    if latest.act is Act.OBJECTED:
        digest = consent.digest_of(keyring, address)
        consent.lift(session, digest, frozenset({consent.EVERYTHING}), evidence.at)
    return tuple(undone)


def _by_the_same_word(kept: Consent, latest: Consent) -> bool:
    return (kept.at, kept.act, kept.source, kept.inbound_id) == (
        latest.at,
        latest.act,
        latest.source,
        latest.inbound_id,
    )
