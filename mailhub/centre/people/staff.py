"""The team: who answers, from which addresses, and who is told of what."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub import rows
from mailhub.centre.people.identity import identity
from mailhub.errors import Refused, UnknownRow
from mailhub.mail.address import normalise


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


def hire(
    session: Session, name: str, addresses: list[str], now: datetime, *, told_of_new: bool = True
) -> Staff:
    """Add a member of staff with the addresses they write from; copies go to the first."""
    if not name.strip():
        raise Refused("a member of staff needs a name")
    namesake = session.exec(select(Staff).where(Staff.name == name)).first()
    if namesake:
        raise Refused(f"there is already a member of staff called {name}{_way_back(namesake)}")
    staff = Staff(name=name, told_of_new=told_of_new, created_at=now)
    session.add(staff)
    session.flush()
    _write_from(session, staff, addresses)
    return staff


def readdress(session: Session, name_or_address: str, addresses: list[str], *, only: bool = False) -> Staff:
    """Somebody writes from these addresses too, or from these `only`; copies go to the first from now on."""
    staff = staff_called(session, name_or_address)
    theirs = select(StaffAddress).where(StaffAddress.staff_id == identity(staff))
    named = {normalise(written) for written in addresses}
    for row in session.exec(theirs).all():
        if only and row.address not in named:
            session.delete(row)
        row.main = False
    session.flush()
    _write_from(session, staff, addresses)
    return staff


def _write_from(session: Session, staff: Staff, addresses: list[str]) -> None:
    for place, address in enumerate(dict.fromkeys(map(normalise, addresses))):
        row = session.get(StaffAddress, address)
        if row is not None and row.staff_id != staff.id:
            back = _way_back(staff_called(session, address))
            raise Refused(f"{address} already belongs to a member of staff{back}")
        row = row or StaffAddress(address=address, staff_id=identity(staff))
        row.main = place == 0
        session.add(row)
    session.flush()


def _way_back(staff: Staff) -> str:
    return "" if staff.active else f", disabled; `mailhub staff enable {staff.name!r}` takes them back"


def disable(session: Session, name_or_address: str) -> Staff:
    """Take somebody off the staff: their tokens are dead from this instant (S4)."""
    staff = staff_called(session, name_or_address)
    staff.active = False
    return staff


def enable(session: Session, name_or_address: str) -> Staff:
    """Take somebody back: their tokens and addresses are worth what they were."""
    staff = staff_called(session, name_or_address)
    staff.active = True
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


_ACTIVE = (
    select(Staff.id, Staff.name, StaffAddress.address)
    .join(StaffAddress)
    .where(col(Staff.active).is_(True), col(StaffAddress.main).is_(True))
    .order_by(col(Staff.id))
)
_TOLD_OF_NEW = _ACTIVE.where(col(Staff.told_of_new).is_(True))
_BY_ID = _ACTIVE.where(col(Staff.id) == bindparam("id"))
_ANY_ADDRESS = aliased(StaffAddress)
_AT = _ACTIVE.join(_ANY_ADDRESS, col(_ANY_ADDRESS.staff_id) == Staff.id).where(
    col(_ANY_ADDRESS.address) == bindparam("address")
)


def colleague(session: Session, staff_id: int) -> Colleague | None:
    """An active member of staff, or None: whoever left is nobody here."""
    row = rows.first(session, _BY_ID, id=staff_id)
    return Colleague(*row) if row else None


def colleague_at(session: Session, address: str) -> Colleague | None:
    """The active member of staff who writes from this address."""
    row = rows.first(session, _AT, address=normalise(address))
    return Colleague(*row) if row else None


def told_of_new(session: Session) -> list[Colleague]:
    """Whoever receives a copy of each new question."""
    return [Colleague(*row) for row in rows.ask(session, _TOLD_OF_NEW)]


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


def name_of_staff(session: Session, staff_id: int | None) -> str | None:
    """The name of somebody who is or was staff."""
    staff = session.get(Staff, staff_id) if staff_id is not None else None
    return staff.name if staff else None
