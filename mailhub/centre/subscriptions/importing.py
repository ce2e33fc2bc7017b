"""A file of readers: planned line by line, shown, then carried out. Nobody is ever brought back by a file (T21).

One person is one address and name, however often and however written; every line of the file has one line in the
report, with what became of it and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from mailhub.centre import people
from mailhub.centre.people import Function, Person, PostalAddress
from mailhub.centre.subscriptions import consent
from mailhub.centre.subscriptions.admitting import admit, needs_yes, refuse_channel
from mailhub.centre.subscriptions.consent import Act, Evidence, Source
from mailhub.centre.subscriptions.sheet import Line
from mailhub.centre.subscriptions.subscription import CLOSED, LIVE, Channel, subscription_of
from mailhub.errors import Refused
from mailhub.lists import Channel as Offered
from mailhub.lists import Publication
from mailhub.mail import french
from mailhub.mail.tokens import Keyring


class Fate(StrEnum):
    """What becomes of one line."""

    ADDED = "added"
    REPLACED = "holder replaced"  # the function has it already; whoever holds it now reads it
    UNCHANGED = "unchanged"  # they receive it already
    MERGED = "merged"  # the same person as an earlier line
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the report."""

    number: int  # of the line in the file
    who: str  # address or name, as read
    fate: Fate
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What one line asks for, once it is understood."""

    line: Line
    channel: Channel


def plan(session: Session, keyring: Keyring, publication: Publication, lines: Sequence[Line]) -> list[Step]:
    """What a file would do, line by line; changes nothing."""
    return [step for step, _ in _plan(session, keyring, publication, lines)]


def carry_out(
    session: Session,
    keyring: Keyring,
    publication: Publication,
    lines: Sequence[Line],
    *,
    at: datetime,
    recorded_by: str = "",
) -> list[Step]:
    """Do what `plan` shows; what a constraint or a rule refuses meanwhile is in the report too."""
    steps = []
    for step, wanted in _plan(session, keyring, publication, lines):
        if wanted is None:
            steps.append(step)
            continue
        try:
            _add(session, keyring, publication, wanted, at, recorded_by)
        except Refused as refusal:
            steps.append(replace(step, fate=Fate.REFUSED, why=str(refusal)))
        else:
            steps.append(step)
    return steps


def _plan(
    session: Session, keyring: Keyring, publication: Publication, lines: Sequence[Line]
) -> list[tuple[Step, _Wanted | None]]:
    planned: list[tuple[Step, _Wanted | None]] = []
    first: dict[tuple[str, str], int] = {}
    nameless: dict[str, int] = {}  # a line without a name is whoever has that address
    for line in lines:
        who = line.address or line.email or line.full_name
        key = (line.address, french.fold(" ".join(sorted(line.full_name.lower().split()))))
        same = _same_as(line, key, first, nameless)
        if same is not None:
            planned.append((Step(line.number, who, Fate.MERGED, f"the same person as line {same}"), None))
            continue
        first[key] = line.number
        if line.address:
            nameless.setdefault(line.address, line.number)
        try:
            fate, wanted = _judge(session, keyring, publication, line)
        except Refused as refusal:
            planned.append((Step(line.number, who, Fate.REFUSED, str(refusal)), None))
        else:
            planned.append((Step(line.number, who, fate), wanted))
    return planned


def _same_as(
    line: Line, key: tuple[str, str], first: dict[tuple[str, str], int], nameless: dict[str, int]
) -> int | None:
    if key in first and (line.address or line.full_name):
        return first[key]
    if not line.address or line.address not in nameless:
        return None
    # Another name at the same address is another person (T23); no name at all is whoever came first.
    return nameless[line.address] if not line.full_name or (line.address, "") in first else None


def _judge(
    session: Session, keyring: Keyring, publication: Publication, line: Line
) -> tuple[Fate, _Wanted | None]:
    channel = _channel(publication, line)
    refuse_channel(publication, channel)
    if channel.has_email and not line.address:
        raise Refused(f'"{line.email}" is no address' if line.email else "no address for an email")
    if not line.address and not line.full_name and not line.function:
        raise Refused("neither an address nor a name")
    if channel.has_paper and not _postal(line).is_complete:
        raise Refused("the postal address is not complete: street or place, postcode, town")
    if line.address and consent.is_suppressed(
        session, consent.digest_of(keyring, line.address), publication.code
    ):
        raise Refused("this address asked never to be written to")
    holder = _holder(session, line)
    if isinstance(holder, Person) and holder.deceased:
        raise Refused("deceased")
    row = subscription_of(session, publication.code, holder) if holder is not None else None
    if row is not None and row.state in CLOSED:
        raise Refused(f"{row.state}: only their own yes brings them back")
    live = row is not None and row.state in LIVE
    if live and not _succeeds(session, line, holder):
        return Fate.UNCHANGED, None
    if row is not None and not live and not line.consent:
        raise Refused("asked already; their yes is waited for")
    if channel.has_email and needs_yes(publication, line.address) and not line.consent:
        raise Refused("they have to say yes first: fill the column « consent », or `mailhub subscribers add`")
    return (Fate.REPLACED if live else Fate.ADDED), _Wanted(line, channel)


def _succeeds(session: Session, line: Line, holder: Person | Function | None) -> bool:
    """Say whether a line names somebody else than whoever holds its function now."""
    if not isinstance(holder, Function) or not (line.address or line.full_name):
        return False
    current = people.holder(session, people.identity(holder))
    return current is None or current != _known(session, line)


_BY_PAPER = ("papier", "paper", "poste", "courrier", "postal")
_BY_BOTH = ("both", "les deux", "papier et courriel", "courriel et papier", "deux")


def _channel(publication: Publication, line: Line) -> Channel:
    """The way the line names, else the one its addresses allow."""
    said = french.fold(line.channel).strip()
    if said in _BY_BOTH:
        return Channel.BOTH
    if said in _BY_PAPER:
        return Channel.PAPER
    if said in {"email", "e-mail", "mail", "courriel"} or line.address or line.email:
        return Channel.EMAIL
    if said:
        raise Refused(f'"{line.channel}" is no way an issue goes: courriel, papier, les deux')
    return Channel.PAPER if Offered.PAPER in publication.channels else Channel.EMAIL


def _holder(session: Session, line: Line) -> Person | Function | None:
    """Who a line is about, when they are on file: a function of an organisation, else a person."""
    if line.function and line.organisation:
        return people.find_function(session, line.function, line.organisation)
    return _known(session, line)


def _known(session: Session, line: Line) -> Person | None:
    """The person at that address and so named, or the only one it can be; without an address, by name and post."""
    if not line.address:
        return people.find_by_post(session, line.full_name, line.postcode, line.street or line.place)
    found = people.all_at(session, line.address)
    named = [each for each in found if people.same_name(each.name, line.full_name)]
    nameless = [each for each in found if not each.name or not line.full_name]
    return next(iter([*named, *nameless]), None)


def _postal(line: Line) -> PostalAddress:
    return PostalAddress(
        delivery=line.delivery,
        building=line.building,
        street=line.street,
        place=line.place,
        postcode=line.postcode,
        city=line.city,
        country=line.country,
    )


def _add(
    session: Session,
    keyring: Keyring,
    publication: Publication,
    wanted: _Wanted,
    at: datetime,
    recorded_by: str,
) -> None:
    line = wanted.line
    organisation = people.organisation_called(session, line.organisation) if line.organisation else None
    person = _person(session, line, organisation, at)
    holder: Person | Function | None = person
    if line.function and organisation is not None:
        holder = people.function_called(session, line.function, people.identity(organisation))
        if person is not None:
            people.appoint(session, holder, person, at)
    assert holder is not None  # a line without both was refused
    postal = _postal(line)
    if postal.is_complete:
        people.set_postal(session, holder, postal)
    note = line.consent or f"fichier, ligne {line.number}"
    evidence = Evidence(Source.IMPORT, at, note=note, recorded_by=recorded_by)
    act = Act.GIVEN if line.consent else Act.INFORMED
    admit(session, keyring, publication, holder, line.address or None, wanted.channel, evidence, act)


def _person(
    session: Session, line: Line, organisation: people.Organisation | None, at: datetime
) -> Person | None:
    """The person of a line, new or known; nobody where only a function is named."""
    if not line.address and not line.full_name:
        return None
    person = _known(session, line) or people.introduce(
        session, line.address or None, line.full_name or None, at
    )
    if person.name is None and line.full_name:
        person.name = line.full_name
    if organisation is not None and person.organisation_id is None:
        person.organisation_id = people.identity(organisation)
    session.flush()
    return person
