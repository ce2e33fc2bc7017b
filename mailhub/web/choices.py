"""What a reader chose on a page: done at once, kept as proof, told by one letter with a way back.

The bearer of a token is whoever holds the letter, which may have been forwarded. So a page never shows a name or an
address, and whatever is done by it is told to the address on file (D28). A choice made twice changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from mailhub import outbox
from mailhub.centre import people, subscriptions
from mailhub.centre.people import Person
from mailhub.centre.subscriptions import (
    LIVE,
    Act,
    Channel,
    Confirmation,
    Evidence,
    Reply,
    Source,
    State,
    Subscription,
)
from mailhub.handlers import correspondence
from mailhub.handlers.desk import Desk
from mailhub.lists import Channel as Offered
from mailhub.lists import Publication
from mailhub.mail import tokens
from mailhub.mail.draft import Draft
from mailhub.mail.tokens import Purpose, Token

UNDO_DAYS = 30
_PAGES = frozenset({Source.PAGE, Source.ONE_CLICK})
_UNDONE = frozenset({Act.WITHDRAWN, Act.PAUSED, Act.RESUMED, Act.CHANNEL})
_WRITTEN_TO = frozenset({State.ACTIVE, State.PAUSED})  # whose address works, as far as we know


@dataclass(frozen=True, slots=True)
class Held:
    """A subscription, and who reads it: what a good token stands for."""

    row: Subscription
    person: Person
    publication: Publication | None  # None: the centre no longer publishes it

    @property
    def title(self) -> str:
        """How a reader knows it."""
        return self.publication.title if self.publication else self.row.publication


def held(desk: Desk, text: str, purpose: Purpose, *, claim: bool = False) -> Held | None:
    """What a token of this purpose stands for; None for any other, for one that has expired, for a successor's.

    With `claim` the row is ours until the transaction ends: of two presses at once, the second finds it done.
    """
    token = desk.centre.keyring.open(text)
    if token is None or token.purpose is not purpose or not _is_good(token, desk.now):
        return None
    if claim:
        desk.session.get(Subscription, token.thread, with_for_update=True, populate_existing=True)
    row = subscriptions.borne(desk.session, token)
    reader = subscriptions.reader_of(desk.session, row) if row else None
    if row is None or reader is None:
        return None
    about = correspondence.publications(desk, [row.publication])
    return Held(row, reader, next(iter(about), None))


def asked(desk: Desk, text: str) -> Confirmation | None:
    """The question a token is about, while somebody still asks it or has been answered."""
    token = desk.centre.keyring.open(text)
    if token is None or token.purpose is not Purpose.JOIN or not _is_good(token, desk.now):
        return None
    question = desk.session.get(Confirmation, token.thread)
    if question is None or question.person_id != token.person or question.reply is Reply.LAPSED:
        return None
    return question


def receives(desk: Desk, question: Confirmation) -> bool:
    """Say whether they receive any of what they were asked about: they may have left since they said yes."""
    rows = (subscriptions.find(desk.session, code, question.person_id) for code in question.codes)
    return any(row is not None and row.state in LIVE for row in rows)


def leave(desk: Desk, of: Held, source: Source) -> tuple[Draft, ...]:
    """Stop this one list."""
    before = of.row.state
    changed = subscriptions.leave(desk.session, [of.row], Evidence(source, desk.now))
    stays = correspondence.publications(
        desk,
        [
            each.publication
            for each in subscriptions.held_by(desk.session, [people.identity(of.person)])
            if each.state in LIVE
        ],
    )
    values = {"stays": stays, "everything": False, "paper": False, "changed": True}
    return _told(desk, of, changed, "subscription-left", values) if before in _WRITTEN_TO else ()


def pause(desk: Desk, of: Held, until: date) -> tuple[Draft, ...]:
    """Send nothing before a day; it ends by itself."""
    morning = desk.centre.calendar.morning(until)
    row = of.row
    if row.state is State.PAUSED and row.paused_from is None and row.paused_until == morning:
        return ()
    changed = subscriptions.pause(desk.session, [row], Evidence(Source.PAGE, desk.now), until=morning)
    return _told(desk, of, changed, "subscription-paused", {"until": until, "since": None})


def resume(desk: Desk, of: Held) -> None:
    """End a pause. What was stopped for its returns is not started again by a page."""
    if of.row.state is State.PAUSED:
        subscriptions.resume(desk.session, [of.row], Evidence(Source.PAGE, desk.now))


def change_channel(desk: Desk, of: Held, channel: Channel) -> tuple[Draft, ...]:
    """Send it another way, among those that are open to this reader."""
    if channel not in channels(desk.session, of):
        return ()
    before, evidence = of.row.state, Evidence(Source.PAGE, desk.now)
    changed = subscriptions.change_channel(desk.session, [of.row], channel, evidence)
    if channel is Channel.BOTH or before not in _WRITTEN_TO:
        return ()  # both is more, not less: the page has said it
    return _told(desk, of, changed, "subscription-channel", {"channel": str(channel)})


def channels(session: Session, of: Held) -> tuple[Channel, ...]:
    """The ways this publication can come to this reader, the present one among them."""
    offered = of.publication.channels if of.publication else ()
    paper = Offered.PAPER in offered and subscriptions.postal_of(session, of.row) is not None
    email = Offered.EMAIL in offered and bool(people.current_address(session, of.person))
    open_to = [each for each in Channel if (email or not each.has_email) and (paper or not each.has_paper)]
    return tuple(each for each in Channel if each in open_to or each is of.row.channel)


def way_back(desk: Desk, of: Held) -> str | None:
    """A token that takes back the last choice made by a page, for a month; None where there is nothing to take back."""
    last = next(reversed(subscriptions.history(desk.session, people.identity(of.row))), None)
    if last is None or last.source not in _PAGES or last.act not in _UNDONE or last.state_before not in LIVE:
        return None
    until = tokens.day(last.at) + UNDO_DAYS
    token = Token(Purpose.DONE, people.identity(of.row), people.identity(of.person), until)
    return desk.centre.keyring.seal(token) if _is_good(token, desk.now) else None


def undo(desk: Desk, of: Held) -> bool:
    """Take the last choice made by a page back; False when something else was decided since."""
    if way_back(desk, of) is None:
        return False
    evidence = Evidence(Source.PAGE, desk.now)
    return bool(subscriptions.undo(desk.session, desk.centre.keyring, [of.row], "", evidence))


def _is_good(token: Token, now: datetime) -> bool:
    """DONE without an end is of our letters, which only their receiver answers: of no use on a page."""
    if not token.until:
        return token.purpose is not Purpose.DONE
    return token.until >= tokens.day(now)


def _told(
    desk: Desk, of: Held, changed: Sequence[Subscription], template: str, values: dict[str, object]
) -> tuple[Draft, ...]:
    """One letter about what was done, to the address on file; none when it changed nothing, or too many went today."""
    to = people.current_address(desk.session, of.person)
    if not changed or to is None or of.publication is None:
        return ()
    _, today = outbox.written_to(desk.session, to, template, desk.now)
    if today >= desk.centre.courtesy.per_day:
        return ()
    desk.session.flush()
    proof = subscriptions.history(desk.session, people.identity(of.row))[-1]
    key = f"{template}:page:{proof.id}"
    deed = correspondence.Deed(template, key, of.person, to, of.row, (of.publication,), values)
    return (correspondence.done(desk, deed),)
