"""Functions that outlive people: « chef de projet, Kerbrec » is held by somebody, then by somebody else.

What belongs to a function (a subscription, a postal address) stays when its holder changes; who held it when is kept.
"""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub.centre.people.identity import identity
from mailhub.centre.people.persons import Person
from mailhub.errors import UnknownRow


class Function(SQLModel, table=True):
    """A seat in an organisation."""

    __table_args__ = (UniqueConstraint("title", "organisation_id"),)
    id: int | None = Field(default=None, primary_key=True)
    title: str  # « chef de projet »
    organisation_id: int = Field(foreign_key="organisation.id", index=True)


class Tenure(SQLModel, table=True):
    """Who held a function, and when."""

    __table_args__ = (
        Index(  # one holder at a time
            "uq_tenure_function_id_current",
            "function_id",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    function_id: int = Field(foreign_key="function.id", index=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    since: datetime
    until: datetime | None = None  # None: they hold it now


def function_called(session: Session, title: str, organisation_id: int) -> Function:
    """The function of that title in an organisation, created when it is new."""
    found = session.exec(
        select(Function).where(Function.title == title, Function.organisation_id == organisation_id)
    ).first()
    if found is None:
        found = Function(title=title, organisation_id=organisation_id)
        session.add(found)
        session.flush()
    return found


def function(session: Session, function_id: int) -> Function:
    """The function of this row."""
    found = session.get(Function, function_id)
    if found is None:
        raise UnknownRow(f"there is no function {function_id}")
    return found


def appoint(session: Session, seat: Function, person: Person | None, now: datetime) -> bool:
    """Give a function to somebody, or leave it vacant; whoever held it is no longer written to for it.

    False when they hold it already.
    """
    current = _tenure(session, identity(seat))
    if current is not None and person is not None and current.person_id == person.id:
        return False
    if current is not None:
        current.until = now
        session.flush()  # the next holder comes after this one has left, for the rule of one at a time
    if person is not None:
        session.add(Tenure(function_id=identity(seat), person_id=identity(person), since=now))
        session.flush()
    return True


def holder(session: Session, function_id: int) -> Person | None:
    """Who holds a function now."""
    tenure = _tenure(session, function_id)
    return session.get(Person, tenure.person_id) if tenure else None


def functions_of(session: Session, person_id: int) -> list[Function]:
    """The functions a person holds now."""
    query = (
        select(Function)
        .join(Tenure)
        .where(Tenure.person_id == person_id, col(Tenure.until).is_(None))
        .order_by(col(Function.id))
    )
    return list(session.exec(query).all())


def _tenure(session: Session, function_id: int) -> Tenure | None:
    query = select(Tenure).where(Tenure.function_id == function_id, col(Tenure.until).is_(None))
    return session.exec(query).first()
