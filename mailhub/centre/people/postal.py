"""Postal addresses, in the parts that a French label puts on its lines (XP Z10-011); one for each person or function."""

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, select

from mailhub.centre.people.functions import Function
from mailhub.centre.people.identity import identity
from mailhub.centre.people.persons import Person


class PostalAddress(SQLModel, table=True):
    """Where paper goes, below the lines that name the person and the organisation."""

    __table_args__ = (CheckConstraint("(person_id IS NULL) <> (function_id IS NULL)", name="one_owner"),)
    id: int | None = Field(default=None, primary_key=True)
    person_id: int | None = Field(default=None, foreign_key="person.id", unique=True)
    function_id: int | None = Field(default=None, foreign_key="function.id", unique=True)
    delivery: str = ""  # flat, floor, service: « Service urbanisme »
    building: str = ""  # « Maison des projets », « Bâtiment B »
    street: str = ""  # « 12 B ALLEE DES TILLEULS »
    place: str = ""  # « CS 40012 », hamlet
    postcode: str = ""
    city: str = ""
    country: str = ""  # empty: France

    @property
    def is_complete(self) -> bool:
        """Whether a label can be made of it: a town with its code, and a street or a place in it."""
        return bool((self.street or self.place) and self.city and (self.postcode or self.country))


def postal_of(session: Session, owner: Person | Function) -> PostalAddress | None:
    """Where paper for a person or a function goes."""
    column = PostalAddress.person_id if isinstance(owner, Person) else PostalAddress.function_id
    return session.exec(select(PostalAddress).where(column == identity(owner))).first()


def set_postal(session: Session, owner: Person | Function, lines: PostalAddress) -> PostalAddress:
    """Replace where paper for a person or a function goes."""
    old = postal_of(session, owner)
    if old is not None:
        session.delete(old)
        session.flush()
    lines.person_id = identity(owner) if isinstance(owner, Person) else None
    lines.function_id = identity(owner) if isinstance(owner, Function) else None
    session.add(lines)
    session.flush()
    return lines
