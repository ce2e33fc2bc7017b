"""Who writes and who answers: people, their addresses, their organisations, and the staff.

A person is known by an address; an organisation by its mail domains. A shared mailbox (`mairie@`) is an address of
an organisation, not of a person (M7, S28). Nothing here is merged or guessed: what is not certain is proposed.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub.errors import Refused, UnknownRow
from mailhub.mail.address import domain_of, is_public_provider, normalise

# fmt: off
SHARED_LOCAL_PARTS = frozenset({
    "accueil", "administration", "association", "bureau", "communication", "contact", "courrier",
    "direction", "documentation", "info", "infos", "information", "mairie", "secretariat", "service",
    "standard", "urbanisme", "ville",
})
# fmt: on


class Organisation(SQLModel, table=True):
    """A body people write from: a town, a council, an association."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    member_from: date | None = None  # first day of the current membership
    member_until: date | None = None  # last day of it; the membership module will keep the history


class OrganisationDomain(SQLModel, table=True):
    """A mail domain that belongs to one organisation; a public provider's never does."""

    domain: str = Field(primary_key=True)  # A-labels, lower case
    organisation_id: int = Field(foreign_key="organisation.id", index=True)


class Person(SQLModel, table=True):
    """Somebody who wrote to us."""

    id: int | None = Field(default=None, primary_key=True)
    name: str | None = None  # as they sign themselves
    organisation_id: int | None = Field(default=None, foreign_key="organisation.id", index=True)
    shared_mailbox: bool = False  # several people behind one address: never merged, never greeted by name
    created_at: datetime
    last_contact_at: datetime  # the last time *they* wrote; the retention clock


class EmailAddress(SQLModel, table=True):
    """An address of a person, unique across the centre."""

    address: str = Field(primary_key=True)  # normalised
    person_id: int = Field(foreign_key="person.id", index=True)


class Staff(SQLModel, table=True):
    """A member of the team. Disabled staff keep their history and lose every token at once (S4)."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    told_of_new: bool = True  # receives a copy of each new question
    active: bool = True
    created_at: datetime


class StaffAddress(SQLModel, table=True):
    """An address a member of staff writes from; copies go to the main one."""

    address: str = Field(primary_key=True)  # normalised
    staff_id: int = Field(foreign_key="staff.id", index=True)
    main: bool = False


@dataclass(frozen=True, slots=True)
class Colleague:
    """An active member of staff, as the rest of the house sees them."""

    id: int
    name: str
    address: str  # where copies go; never shown to an asker


def recognise(session: Session, address: str) -> Person | None:
    """The person who has this address, or None."""
    row = session.get(EmailAddress, normalise(address))
    return session.get(Person, row.person_id) if row else None


def meet(session: Session, address: str, name: str | None, now: datetime) -> Person:
    """The person who has this address, created at the first meeting; an organisation is recognised by its domain."""
    person = recognise(session, address)
    if person is None:
        return _introduce(session, normalise(address), name, now)
    if person.name is None and name:
        person.name = name
    if person.organisation_id is None:
        person.organisation_id = organisation_of(session, address)
    person.last_contact_at = max(person.last_contact_at, now)
    return person


def _introduce(session: Session, address: str, name: str | None, now: datetime) -> Person:
    person = Person(
        name=name,
        organisation_id=organisation_of(session, address),
        shared_mailbox=address.partition("@")[0] in SHARED_LOCAL_PARTS,
        created_at=now,
        last_contact_at=now,
    )
    session.add(person)
    session.flush()
    session.add(EmailAddress(address=address, person_id=identity(person)))
    return person


def identity(row: Person | Staff | Organisation) -> int:
    """The key of a row that has been flushed."""
    assert row.id is not None
    return row.id


_ADDRESS = (
    select(EmailAddress.address)
    .where(col(EmailAddress.person_id) == bindparam("person_id"))
    .order_by(EmailAddress.address)
)


def address_of(session: Session, person_id: int) -> str:
    """The address on file of a person; the first in order when there are several."""
    found: str | None = session.execute(_ADDRESS, {"person_id": person_id}).scalar()
    if found is None:
        raise UnknownRow(f"person {person_id} has no address on file")
    return found


def organisation_of(session: Session, address: str) -> int | None:
    """The organisation whose exact domain this is; subdomains and look-alikes are nobody's (M8)."""
    domain = domain_of(normalise(address))
    if not domain or is_public_provider(domain):
        return None
    row = session.get(OrganisationDomain, domain)
    return row.organisation_id if row else None


def is_member(organisation: Organisation | None, day: date) -> bool:
    """Say whether the organisation's membership covers that day; shown to staff, it never gates a question (R17)."""
    return (
        organisation is not None
        and organisation.member_from is not None
        and organisation.member_from <= day
        and (organisation.member_until is None or day <= organisation.member_until)
    )


def register_organisation(
    session: Session, name: str, domains: list[str], member_from: date | None, member_until: date | None
) -> Organisation:
    """Add an organisation or complete the one of that name; a domain moves to nobody silently."""
    organisation = session.exec(select(Organisation).where(Organisation.name == name)).first()
    if organisation is None:
        organisation = Organisation(name=name)
        session.add(organisation)
    organisation.member_from = member_from or organisation.member_from
    organisation.member_until = member_until or organisation.member_until
    session.flush()
    for written in domains:
        domain = domain_of(normalise(f"x@{written}"))
        if is_public_provider(domain):
            raise Refused(f"{domain} is a public mail provider: it cannot stand for {name}")
        row = session.get(OrganisationDomain, domain)
        if row is None:
            session.add(OrganisationDomain(domain=domain, organisation_id=identity(organisation)))
        elif row.organisation_id != organisation.id:
            raise Refused(f"{domain} already belongs to another organisation")
    return organisation


# -- staff ------------------------------------------------------------------------------------------------------


def hire(
    session: Session, name: str, addresses: list[str], now: datetime, *, told_of_new: bool = True
) -> Staff:
    """Add a member of staff with the addresses they write from; copies go to the first."""
    if session.exec(select(Staff).where(Staff.name == name)).first():
        raise Refused(f"there is already a member of staff called {name}")
    staff = Staff(name=name, told_of_new=told_of_new, created_at=now)
    session.add(staff)
    session.flush()
    for place, written in enumerate(addresses):
        address = normalise(written)
        if session.get(StaffAddress, address):
            raise Refused(f"{address} already belongs to a member of staff")
        session.add(StaffAddress(address=address, staff_id=identity(staff), main=place == 0))
    return staff


def disable(session: Session, name_or_address: str) -> Staff:
    """Take somebody off the staff: their tokens are dead from this instant (S4)."""
    staff = staff_called(session, name_or_address)
    staff.active = False
    return staff


def staff_called(session: Session, name_or_address: str) -> Staff:
    """The member of staff with this address, this name, or the only one whose name begins so."""
    row = session.get(StaffAddress, normalise(name_or_address)) if "@" in name_or_address else None
    if row is not None:
        return session.get_one(Staff, row.staff_id)
    everyone = session.exec(select(Staff)).all()
    wanted = name_or_address.casefold()
    found = [staff for staff in everyone if staff.name.casefold() == wanted] or [
        staff for staff in everyone if staff.name.casefold().startswith(wanted)
    ]
    if len(found) != 1:
        names = ", ".join(staff.name for staff in everyone) or "nobody yet; see `mailhub staff add`"
        raise UnknownRow(f"no single member of staff is called {name_or_address!r} (staff: {names})")
    return found[0]


# Built once: building a question costs more than its answer, and these are asked for every mail.
_ACTIVE = (
    select(Staff.id, Staff.name, StaffAddress.address)
    .join(StaffAddress)
    .where(col(Staff.active).is_(True), col(StaffAddress.main).is_(True))
    .order_by(col(Staff.id))
)
_TOLD_OF_NEW = _ACTIVE.where(col(Staff.told_of_new).is_(True))


def colleague(session: Session, staff_id: int) -> Colleague | None:
    """An active member of staff, or None: whoever left is nobody here."""
    row = session.execute(_ACTIVE.where(col(Staff.id) == bindparam("id")), {"id": staff_id}).first()
    return Colleague(*row) if row else None


def colleague_at(session: Session, address: str) -> Colleague | None:
    """The active member of staff who writes from this address."""
    row = session.get(StaffAddress, normalise(address))
    return colleague(session, row.staff_id) if row else None


def told_of_new(session: Session) -> list[Colleague]:
    """Whoever receives a copy of each new question."""
    return [Colleague(*row) for row in session.execute(_TOLD_OF_NEW).all()]


def staff_addresses(session: Session) -> list[str]:
    """Every address of staff, past ones too: none of them is ever shown to an asker (O5)."""
    return list(session.exec(select(StaffAddress.address)).all())


def team(session: Session) -> list[tuple[Staff, list[str]]]:
    """Everybody who is or was staff, with their addresses, the main one first."""
    addresses: dict[int, list[str]] = {}
    query = select(StaffAddress).order_by(col(StaffAddress.main).desc(), col(StaffAddress.address))
    for row in session.exec(query).all():
        addresses.setdefault(row.staff_id, []).append(row.address)
    everybody = session.exec(select(Staff).order_by(col(Staff.id))).all()
    return [(staff, addresses.get(identity(staff), [])) for staff in everybody]


def organisations(session: Session) -> list[tuple[Organisation, list[str]]]:
    """Every organisation by name, with its mail domains."""
    domains: dict[int, list[str]] = {}
    for row in session.exec(select(OrganisationDomain).order_by(OrganisationDomain.domain)).all():
        domains.setdefault(row.organisation_id, []).append(row.domain)
    everyone = session.exec(select(Organisation).order_by(Organisation.name)).all()
    return [(organisation, domains.get(identity(organisation), [])) for organisation in everyone]


def name_of_staff(session: Session, staff_id: int | None) -> str | None:
    """The name of somebody who is or was staff."""
    staff = session.get(Staff, staff_id) if staff_id is not None else None
    return staff.name if staff else None
