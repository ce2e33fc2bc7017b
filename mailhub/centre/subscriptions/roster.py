"""Who an issue goes to, name by name: by email, on paper, by both, or not, and then why.

Every subscription of a publication is in the roster exactly once, whatever its history: email + paper + both +
excluded is all of them (R19, T29). One email goes to an address, whoever lives there; it names all of them (T23).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from mailhub.centre import people
from mailhub.centre.people import Person
from mailhub.centre.subscriptions import known, subscription
from mailhub.centre.subscriptions.known import Known
from mailhub.centre.subscriptions.subscription import Channel, State, Subscription


class Excluded(StrEnum):
    """Why somebody on the roster is sent nothing this time."""

    PENDING = "pending"  # has not said yes
    PAUSED = "paused"
    LEFT = "left"
    SUSPENDED = "suspended"  # its email came back, and there is no paper
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    DECEASED = "deceased"
    VACANT = "vacant"  # a function nobody holds, by email
    NO_EMAIL = "no-email-address"
    NO_POSTAL = "no-postal-address"
    SHARES_COPY = "shares-copy"  # named in the one copy that goes to their address


@dataclass(frozen=True, slots=True)
class Postal:
    """Where a paper copy goes, as values."""

    function: str
    organisation: str
    delivery: str
    building: str
    street: str
    place: str
    postcode: str
    city: str
    country: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """One line of the roster."""

    subscription_id: int
    person_id: int | None  # None: a function nobody holds
    names: tuple[str, ...]  # who the copy is for; several when one address is shared
    address: str | None  # where the email goes; None without email
    channel: Channel  # how the copy goes this time, without what cannot go
    excluded: Excluded | None = None
    postal: Postal | None = None  # where paper goes; None without paper
    also: tuple[int, ...] = ()  # subscriptions of the others its email names: each can leave for themselves


_CLOSED: Mapping[State, Excluded] = {
    State.PENDING: Excluded.PENDING,
    State.PAUSED: Excluded.PAUSED,
    State.LEFT: Excluded.LEFT,
    State.COMPLAINED: Excluded.COMPLAINED,
    State.SUPPRESSED: Excluded.SUPPRESSED,
}


def roster(session: Session, publication: str, at: datetime) -> list[Recipient]:
    """Everybody on the list of a publication at an instant, in order of subscription; reads only."""
    query = select(Subscription).where(Subscription.publication == publication).order_by(col(Subscription.id))
    rows = session.exec(query).all()
    tables = known.of(session, rows)
    return _share([_line(row, tables, at) for row in rows])


def is_wanted(session: Session, subscription_id: int, channel: Channel, at: datetime) -> bool:
    """Say whether a copy is still to go this way at this instant: asked again just before it leaves (D23, S32)."""
    row = session.get(Subscription, subscription_id, populate_existing=True)
    reader = subscription.reader_of(session, row) if row else None
    if row is None or (reader is not None and reader.deceased):
        return False
    state = row.state_at(at)
    return state is State.ACTIVE or (state is State.SUSPENDED and channel is Channel.PAPER)


def _line(row: Subscription, tables: Known, at: datetime) -> Recipient:
    person_id = tables.reader_of(row)
    person = tables.persons.get(person_id) if person_id is not None else None
    address = tables.addresses.get(person_id) if person_id is not None else None
    name = person.name if person and person.name else address
    postal = _postal(row, person, tables)
    line = Recipient(
        subscription_id=row.id or 0,
        person_id=person_id,
        names=(name,) if name else (),
        address=address,
        channel=row.channel,
        postal=postal,
    )
    state = row.state_at(at)
    if person is not None and person.deceased:
        return replace(line, excluded=Excluded.DECEASED)
    if state in _CLOSED:
        return replace(line, excluded=_CLOSED[state])
    return _by_what_can_go(line, suspended=state is State.SUSPENDED)


def _by_what_can_go(line: Recipient, *, suspended: bool) -> Recipient:
    """Leave out the way that cannot be gone; exclude whoever has none left."""
    email = line.channel.has_email and line.address is not None and not suspended
    paper = line.channel.has_paper and line.postal is not None
    if email or paper:
        return _reduced(line, email=email, paper=paper)
    if line.channel is Channel.PAPER or (line.channel is Channel.BOTH and not suspended and line.address):
        return replace(line, excluded=Excluded.NO_POSTAL)
    if suspended:
        return replace(line, excluded=Excluded.SUSPENDED)
    return replace(line, excluded=Excluded.NO_EMAIL if line.person_id is not None else Excluded.VACANT)


def _reduced(line: Recipient, *, email: bool, paper: bool) -> Recipient:
    channel = Channel.BOTH if email and paper else Channel.EMAIL if email else Channel.PAPER
    return replace(
        line,
        channel=channel,
        address=line.address if email else None,
        postal=line.postal if paper else None,
    )


def _share(lines: list[Recipient]) -> list[Recipient]:
    """One email to an address and one paper copy to a person: the first bears the names of those who share it."""
    first_by_mail: dict[str, int] = {}
    on_paper: set[int] = set()
    shared: list[Recipient] = []
    for line in lines:
        if line.excluded:
            shared.append(line)
            continue
        email, paper = line.channel.has_email, line.channel.has_paper
        if email and line.address in first_by_mail:
            place = first_by_mail[line.address or ""]
            first = shared[place]
            names = (*first.names, *(name for name in line.names if name not in first.names))
            shared[place] = replace(first, names=names, also=(*first.also, line.subscription_id))
            email = False
        elif email:
            first_by_mail[line.address or ""] = len(shared)
        if paper and line.person_id is not None:
            paper = line.person_id not in on_paper
            on_paper.add(line.person_id)
        shared.append(
            _reduced(line, email=email, paper=paper)
            if email or paper
            else replace(line, excluded=Excluded.SHARES_COPY)
        )
    return shared


def _postal(row: Subscription, person: Person | None, tables: Known) -> Postal | None:
    function = tables.functions.get(row.function_id or 0)
    found = subscription.label(
        tables.postal.get(("function", row.function_id or 0)),
        tables.postal.get(("person", people.identity(person) if person else 0)),
    )
    if found is None:
        return None
    organisation_id = function.organisation_id if function else person.organisation_id if person else None
    return Postal(
        function=function.title if function else "",
        organisation=tables.organisations.get(organisation_id or 0, ""),
        delivery=found.delivery,
        building=found.building,
        street=found.street,
        place=found.place,
        postcode=found.postcode,
        city=found.city,
        country=found.country,
    )
