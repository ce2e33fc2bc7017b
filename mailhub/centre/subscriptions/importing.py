"""A file of readers: planned line by line, shown, then carried out. Nobody is ever brought back by a file (T21).

One person is one address and name, however often and however written; every line of the file has one line in the
report, with what became of it and why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from mailhub.centre import people
from mailhub.centre.people import Function, Person, PostalAddress
from mailhub.centre.subscriptions import consent, moving, onfile
from mailhub.centre.subscriptions.admitting import needs_yes, refuse_channel
from mailhub.centre.subscriptions.consent import Act, Evidence, Source
from mailhub.centre.subscriptions.onfile import OnFile
from mailhub.centre.subscriptions.sheet import Line
from mailhub.centre.subscriptions.subscription import CLOSED, LIVE, Channel, State, new
from mailhub.errors import Refused
from mailhub.lists import Channel as Offered
from mailhub.lists import Publication
from mailhub.mail import french, phrasebook
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


IsOurs = Callable[[str], bool]


def plan(
    session: Session, keyring: Keyring, publication: Publication, lines: Sequence[Line], *, is_ours: IsOurs
) -> list[Step]:
    """What a file would do, line by line; changes nothing. `is_ours` knows the addresses of the centre itself."""
    steps, _ = _plan(onfile.read(session, publication.code), keyring, publication, lines, is_ours)
    return steps


def carry_out(
    session: Session,
    keyring: Keyring,
    publication: Publication,
    lines: Sequence[Line],
    *,
    is_ours: IsOurs,
    at: datetime,
    recorded_by: str = "",
) -> list[Step]:
    """Do what `plan` shows, all of it or nothing."""
    known = onfile.read(session, publication.code)
    steps, wanted = _plan(known, keyring, publication, lines, is_ours)
    _bring_in(session, known, publication, wanted, at, recorded_by)
    return steps


# -- what a file would do ---------------------------------------------------------------------------------------


def _plan(
    known: OnFile, keyring: Keyring, publication: Publication, lines: Sequence[Line], is_ours: IsOurs
) -> tuple[list[Step], list[_Wanted]]:
    steps: list[Step] = []
    chosen: list[_Wanted] = []
    seen = _Seen({}, {}, {})
    for line in lines:
        who = line.address or line.email or line.full_name or line.function
        same = seen.before(line)
        if same is not None:
            steps.append(Step(line.number, who, Fate.MERGED, f"the same person as line {same}"))
            continue
        try:
            _refuse_unusable(publication, line, is_ours)
            fate, wanted = _judge(known, keyring, publication, line)
            seen.seat(line)
        except Refused as refusal:
            steps.append(Step(line.number, who, Fate.REFUSED, str(refusal)))
        else:
            steps.append(Step(line.number, who, fate))
            chosen += [wanted] if wanted else []
    return steps, chosen


@dataclass(frozen=True)
class _Seen:
    """The people earlier lines of the file were about."""

    lines: dict[tuple[str, str, str], int]
    addresses: dict[str, int]
    seats: dict[tuple[str, str], int]

    def seat(self, line: Line) -> None:
        """Refuse a second holder of one function; remembers the first."""
        if line.function and line.organisation:
            first = self.seats.setdefault((line.function, line.organisation), line.number)
            if first != line.number:
                raise Refused(f"line {first} names who holds this function already")

    def before(self, line: Line) -> int | None:
        """The earlier line about the same person; remembers this one when there is none.

        Another name at one address is another person (T23); no name at all is whoever came first there.
        """
        name = " ".join(people.name_words(line.full_name))
        where = french.fold(f"{line.function} {line.postcode} {line.street} {line.place}")
        elsewhere = "" if line.address else " ".join(french.words(where))
        key = (line.address, name, elsewhere)
        same = self.lines.get(key)
        if same is None and line.address and (not name or (line.address, "", "") in self.lines):
            same = self.addresses.get(line.address)
        if same is None:
            self.lines[key] = line.number
            if line.address:
                self.addresses.setdefault(line.address, line.number)
        return same


def _refuse_unusable(publication: Publication, line: Line, is_ours: IsOurs) -> None:
    """Refuse what no reader on file can make right: our own address, or what an export says of somebody else's list."""
    if line.address and is_ours(line.address):
        raise Refused("an address of the centre itself")
    if line.publication and line.publication != publication.code:
        raise Refused(f'a line of "{line.publication}"')
    if line.state and line.state != State.ACTIVE:
        raise Refused(f'"{line.state}": a file adds only who is active')
    if line.consent and not phrasebook.proves_consent(line.consent):
        raise Refused(
            f'"{line.consent}" is no proof: say how and when they said yes, « par mail le 3 mars 2026 »'
        )


def _judge(
    known: OnFile, keyring: Keyring, publication: Publication, line: Line
) -> tuple[Fate, _Wanted | None]:
    channel = _channel(publication, line)
    refuse_channel(publication, channel)
    if channel.has_email and not line.address:
        raise Refused(f'"{line.email}" is no address' if line.email else "no address for an email")
    if not line.address and not line.full_name and not (line.function and line.organisation):
        raise Refused("neither an address nor a name")
    if channel.has_paper and not _postal(line).is_complete:
        raise Refused("the postal address is not complete: street or place, postcode, town")
    if line.address and consent.digest_of(keyring, line.address) in known.suppressed:
        raise Refused("this address asked never to be written to")
    holder = known.holder_of(line)
    if isinstance(holder, Person) and holder.deceased:
        raise Refused("deceased")
    row = known.subscription_of(holder)
    if row is not None and row.state in CLOSED:
        raise Refused(f"{row.state}: only their own yes brings them back")
    live = row is not None and row.state in LIVE
    if live and not _succeeds(known, line, holder):
        return Fate.UNCHANGED, None
    if reason := known.who_left(line):
        raise Refused(reason)
    if row is None and (name := known.nearly(line)):
        raise Refused(f"may be {name}, who is on file: write both alike, or `mailhub subscribers add`")
    if row is not None and not live and not line.consent:
        raise Refused("asked already; their yes is waited for")
    if channel.has_email and needs_yes(publication, line.address) and not line.consent:
        raise Refused("they have to say yes first: fill the column « consent », or `mailhub subscribers add`")
    return (Fate.REPLACED if live else Fate.ADDED), _Wanted(line, channel)


def _succeeds(known: OnFile, line: Line, holder: Person | Function | None) -> bool:
    """Say whether a line names somebody else than whoever holds its function now."""
    if not isinstance(holder, Function) or not (line.address or line.full_name):
        return False
    current = known.holders.get(holder.id or 0)
    return current is None or current is not known.person_of(line)


_BY_EMAIL = frozenset({"email", "e-mail", "mail", "courriel"})
_BY_PAPER = frozenset({"papier", "paper", "poste", "courrier", "postal"})
_BY_BOTH = frozenset({"both", "les deux", "papier et courriel", "courriel et papier", "deux"})


def _channel(publication: Publication, line: Line) -> Channel:
    """The way the line names, else the one its addresses allow."""
    said = french.fold(line.channel).strip()
    if said in _BY_BOTH:
        return Channel.BOTH
    if said in _BY_PAPER:
        return Channel.PAPER
    if said and said not in _BY_EMAIL:
        raise Refused(f'"{line.channel}" is no way an issue goes: courriel, papier, les deux')
    if said or line.email or Offered.PAPER not in publication.channels:
        return Channel.EMAIL
    return Channel.PAPER


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


# -- doing it ---------------------------------------------------------------------------------------------------


def _bring_in(
    session: Session,
    known: OnFile,
    publication: Publication,
    chosen: Sequence[_Wanted],
    at: datetime,
    recorded_by: str,
) -> None:
    """Everybody together: new persons first, then what points at them, each table in one go."""
    persons = _persons(session, known, [wanted.line for wanted in chosen], at)
    holders = [
        _holder(session, wanted.line, person, Evidence(Source.IMPORT, at, recorded_by=recorded_by))
        for wanted, person in zip(chosen, persons, strict=True)
    ]
    rows = []
    for wanted, holder in zip(chosen, holders, strict=True):
        if wanted.line.city and (postal := _postal(wanted.line)).is_complete:
            people.set_postal(session, holder, postal)
        row = known.subscription_of(holder) or new(publication.code, holder, wanted.channel, at)
        rows.append(row)
    session.add_all(rows)
    session.flush()
    for wanted, row in zip(chosen, rows, strict=True):
        if row.state not in LIVE:
            note = wanted.line.consent or f"fichier, ligne {wanted.line.number}"
            evidence = Evidence(Source.IMPORT, at, note=note, recorded_by=recorded_by)
            act = Act.GIVEN if wanted.line.consent else Act.INFORMED
            consent.record(session, row, act, evidence, state=State.ACTIVE, channel=wanted.channel)
    session.flush()


def _persons(session: Session, known: OnFile, lines: Sequence[Line], at: datetime) -> list[Person | None]:
    """The person of each line, known or new; None where only a function is named."""
    names = {line.organisation for line in lines if line.organisation}
    bodies = {name: people.organisation_called(session, name) for name in sorted(names)}
    found: list[Person | None] = []
    fresh: list[tuple[Line, Person]] = []
    for line in lines:
        person = known.person_of(line)
        if person is None and (line.address or line.full_name):
            person = people.stranger(line.address or None, line.full_name or None, at)
            fresh.append((line, person))
        if person is not None:
            person.name = person.name or line.full_name or None
            if line.organisation and person.organisation_id is None:
                person.organisation_id = people.identity(bodies[line.organisation])
        found.append(person)
    session.add_all(person for _, person in fresh)
    session.flush()
    people.give_addresses(session, [(person, line.address) for line, person in fresh if line.address])
    return found


def _holder(session: Session, line: Line, person: Person | None, evidence: Evidence) -> Person | Function:
    """The person, or the function they now hold."""
    if not (line.function and line.organisation):
        assert person is not None  # a line without either was refused
        return person
    body = people.organisation_called(session, line.organisation)
    seat = people.function_called(session, line.function, people.identity(body))
    if person is not None and people.appoint(session, seat, person, evidence.at):
        moving.succeed(session, seat, person, evidence)
    return seat
