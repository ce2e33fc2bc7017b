"""Persons and the addresses they are known by.

Several persons may share one address (a couple, a team): each has a place at it, and who came first is who it names
when nothing tells them apart. An address somebody left still recognises them for a year, and is never written to.
Nothing here is merged or guessed: what is not certain is proposed.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, String, bindparam, func, insert
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub import rows
from mailhub.centre.people.identity import identity
from mailhub.centre.people.organisations import organisation_of
from mailhub.errors import UnknownRow
from mailhub.mail import french
from mailhub.mail.address import domain_of, normalise

ALIAS_LIVES = timedelta(days=365)  # an address somebody left goes on finding their threads for so long (S34)

# fmt: off
SHARED_LOCAL_PARTS = frozenset({
    "accueil", "administration", "association", "bureau", "communication", "contact", "courrier",
    "direction", "documentation", "info", "infos", "information", "mairie", "secretariat", "service",
    "standard", "urbanisme", "ville",
})
# fmt: on


class Person(SQLModel, table=True):
    """Somebody who wrote to us, or is on file."""

    id: int | None = Field(default=None, primary_key=True)
    name: str | None = None  # as they sign themselves
    organisation_id: int | None = Field(default=None, foreign_key="organisation.id", index=True)
    shared_mailbox: bool = False  # several people behind one address: never merged, never greeted by name
    deceased: bool = False  # nothing is sent to them any more, by mail or by post
    created_at: datetime
    last_contact_at: datetime  # the last time *they* wrote; the retention clock


class EmailAddress(SQLModel, table=True):
    """An address of a person. Places at it are numbered, so that two who meet us at once are not two by accident."""

    address: str = Field(primary_key=True)  # normalised
    place: int = Field(default=0, primary_key=True)  # 0 is whom it names when nothing else tells
    person_id: int = Field(foreign_key="person.id", index=True)
    left_at: datetime | None = None  # they changed address: still recognised for a year, never written to


_AT = (
    select(EmailAddress.person_id, EmailAddress.left_at)
    .where(col(EmailAddress.address) == bindparam("address"))
    .order_by(col(EmailAddress.left_at).is_not(None), col(EmailAddress.place))
)


# The next free place; who takes it at the same instant is refused by the key.
_TAKE_PLACE = insert(EmailAddress).from_select(
    ["address", "person_id", "place"],
    select(
        bindparam("bare", type_=String),
        bindparam("person", type_=Integer),
        func.coalesce(func.max(EmailAddress.place) + 1, 0),
    ).where(col(EmailAddress.address) == bindparam("bare")),
)


def all_at(session: Session, address: str) -> list[Person]:
    """Everybody who has this address, whom it names first; those who left it come last."""
    return [person for person, _ in _at(session, address)]


def present_at(session: Session, address: str) -> list[Person]:
    """Those of them who have not left it: an address may be given to whoever comes next."""
    return [person for person, is_here in _at(session, address) if is_here]


def _at(session: Session, address: str) -> list[tuple[Person, bool]]:
    """Everybody who has this address, in order, and whether they have it still."""
    found = rows.ask(session, _AT, address=normalise(address))
    return [(session.get_one(Person, person_id), left_at is None) for person_id, left_at in found]


def recognise(session: Session, address: str, name: str | None = None) -> Person | None:
    """The person who has this address; among several the one so named, else the first, the same every time.

    Whoever left it is not known there by another name: a successor's mail is not theirs.
    """
    found = _at(session, address)
    named = (person for person, _ in found if same_name(person.name, name))
    others = (person for person, is_here in found if is_here or not name)
    return next(named, None) or next(others, None)


def same_name(one: str | None, other: str | None) -> bool:
    """Say whether two names are one: order, case, accents, titles and hyphens apart (« Mme LE GALL Odile », « Odile Le-Gall »)."""
    return bool(one and other) and name_words(one or "") == name_words(other or "")


def nearly_same_name(one: str | None, other: str | None) -> bool:
    """Say whether one name may be the other with a slip of the keyboard (R3): a person looks at both."""
    if not one or not other:
        return False
    this, that = ("".join(name_words(name)) for name in (one, other))
    return difflib.SequenceMatcher(None, this, that, autojunk=False).ratio() >= _NEARLY


def name_words(name: str) -> tuple[str, ...]:
    """The words of a name by which it is known again, in no order of its writer's."""
    words = sorted(_MARKS.sub(" ", french.fold(name)).split())
    return tuple(word for word in words if word not in _TITLES) or tuple(words)


_MARKS = re.compile(r"[-,.]")
_TITLES = frozenset(
    {"m", "mr", "mme", "mlle", "mmes", "mm", "madame", "monsieur", "mademoiselle", "dr", "me"}
)
_NEARLY = 0.85


def meet(session: Session, address: str, name: str | None, now: datetime) -> Person:
    """The person who has this address, created at the first meeting; an organisation is recognised by its domain."""
    person = recognise(session, address, name)
    if person is None:
        return introduce(session, address, name, now)
    if person.name is None and name:
        person.name = name
    if person.organisation_id is None:
        person.organisation_id = organisation_of(session, address)
    person.last_contact_at = max(person.last_contact_at, now)
    return person


def introduce(session: Session, address: str | None, name: str | None, now: datetime) -> Person:
    """Put a new person on file, beside whoever has that address already; without one they are known by post alone."""
    known = _known_of_stranger(address, name, now)
    organisation_id = organisation_of(session, address) if address else None
    person = rows.insert(session, Person, organisation_id=organisation_id, **known)
    if address:
        rows.ask(session, _TAKE_PLACE, bare=normalise(address), person=identity(person))
    return person


def stranger(address: str | None, name: str | None, now: datetime) -> Person:
    """Somebody new, not on file yet."""
    return Person(**_known_of_stranger(address, name, now))


def _known_of_stranger(address: str | None, name: str | None, now: datetime) -> dict[str, Any]:
    local = normalise(address).partition("@")[0] if address else None
    shared = local in SHARED_LOCAL_PARTS
    return {"name": name, "shared_mailbox": shared, "created_at": now, "last_contact_at": now}


def give_addresses(session: Session, pairs: Sequence[tuple[Person, str]]) -> None:
    """Give many new persons their addresses at once, at the next free places; an organisation is known by its domain."""
    bodies = {
        domain: organisation_of(session, f"x@{domain}") for domain in {domain_of(each) for _, each in pairs}
    }
    for person, address in pairs:
        person.organisation_id = person.organisation_id or bodies[domain_of(address)]
    taken = dict(
        session.exec(
            select(EmailAddress.address, func.max(EmailAddress.place)).group_by(EmailAddress.address)
        ).all()
    )
    for person, address in pairs:
        taken[address] = taken.get(address, -1) + 1
        session.add(EmailAddress(address=address, place=taken[address], person_id=identity(person)))
    session.flush()


def give_address(session: Session, person: Person, address: str) -> None:
    """Add an address to a person, at the next free place; one they had left is theirs again."""
    bare = normalise(address)
    query = select(EmailAddress).where(EmailAddress.address == bare, EmailAddress.person_id == person.id)
    mine = session.exec(query).first()
    if mine is not None:
        mine.left_at = None
    else:
        rows.ask(session, _TAKE_PLACE, bare=bare, person=identity(person))


def change_address(session: Session, person: Person, new: str, now: datetime) -> None:
    """Write to the new address from now on; those they had only find their threads for a year."""
    give_address(session, person, new)
    others = select(EmailAddress).where(
        EmailAddress.address != normalise(new),
        EmailAddress.person_id == person.id,
        col(EmailAddress.left_at).is_(None),
    )
    for row in session.exec(others).all():
        row.left_at = now


def forget_old_addresses(session: Session, now: datetime) -> int:
    """Remove addresses people left more than a year ago; say how many."""
    left = session.exec(select(EmailAddress).where(col(EmailAddress.left_at) < now - ALIAS_LIVES)).all()
    for row in left:
        session.delete(row)
    return len(left)


_ADDRESS = (
    select(EmailAddress.address)
    .where(col(EmailAddress.person_id) == bindparam("person_id"))
    .order_by(col(EmailAddress.left_at).is_not(None), col(EmailAddress.address))
)


def address_of(session: Session, person_id: int) -> str:
    """The address on file of a person; the first in order when there are several."""
    found: str | None = rows.value(session, _ADDRESS, person_id=person_id)
    if found is None:
        raise UnknownRow(f"person {person_id} has no address on file")
    return found


_MOST_NAMED = 500  # parameters of one question; SQLite allows 32,766 and older builds 999


def current_address(session: Session, person: Person | None) -> str | None:
    """The address a person is written to; None for nobody, and for whoever has none."""
    return addresses(session, [identity(person)]).get(identity(person)) if person else None


def addresses(session: Session, person_ids: Iterable[int]) -> dict[int, str]:
    """The address each of these persons is written to; who has none is left out."""
    wanted = list(person_ids)
    found: dict[int, str] = {}
    for start in range(0, len(wanted), _MOST_NAMED):
        query = (
            select(EmailAddress.person_id, func.min(EmailAddress.address))
            .where(
                col(EmailAddress.person_id).in_(wanted[start : start + _MOST_NAMED]),
                col(EmailAddress.left_at).is_(None),
            )
            .group_by(col(EmailAddress.person_id))
        )
        found.update(dict(session.exec(query).all()))
    return found
