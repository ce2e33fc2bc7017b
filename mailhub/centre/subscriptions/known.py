"""What the tables say about the readers of many subscriptions, read at once: a few questions, however many they are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement
from sqlmodel import Session, SQLModel, col, select

from mailhub.centre import people
from mailhub.centre.people import Function, Organisation, Person, PostalAddress, Tenure
from mailhub.centre.subscriptions.subscription import Subscription

MOST_NAMED = 500  # rows asked for by number; beyond, the whole table is read
Row = TypeVar("Row", bound=SQLModel)


@dataclass(frozen=True, slots=True)
class Known:
    """The rows that these subscriptions need of every other table."""

    persons: Mapping[int, Person]
    addresses: Mapping[int, str]
    functions: Mapping[int, Function]
    holders: Mapping[int, int]  # function -> person
    organisations: Mapping[int, str]
    postal: Mapping[tuple[str, int], PostalAddress]

    def reader_of(self, row: Subscription) -> int | None:
        """Who reads it now, by number; None for a function nobody holds."""
        return row.person_id if row.person_id is not None else self.holders.get(row.function_id or 0)


def of(session: Session, rows: Sequence[Subscription]) -> Known:
    """Read what is known of these: whole tables for many, as the people of one centre fit in memory many times over."""
    seats = {row.function_id for row in rows if row.function_id is not None}
    tenures = _named(session, Tenure, "function_id", seats, col(Tenure.until).is_(None))
    holders = {tenure.function_id: tenure.person_id for tenure in tenures}
    wanted = {row.person_id for row in rows if row.person_id is not None} | set(holders.values())
    persons = {person.id or 0: person for person in _named(session, Person, "id", wanted)}
    functions = {seat.id or 0: seat for seat in _named(session, Function, "id", seats)}
    bodies = {person.organisation_id for person in persons.values() if person.organisation_id is not None}
    bodies |= {seat.organisation_id for seat in functions.values()}
    return Known(
        persons=persons,
        addresses=people.addresses(session, sorted(wanted)),
        functions=functions,
        holders=holders,
        organisations={body.id or 0: body.name for body in _named(session, Organisation, "id", bodies)},
        postal={
            **{("person", post.person_id or 0): post for post in _posts(session, "person_id", wanted)},
            **{("function", post.function_id or 0): post for post in _posts(session, "function_id", seats)},
        },
    )


def _posts(session: Session, owner: str, wanted: Collection[int]) -> list[PostalAddress]:
    return _named(session, PostalAddress, owner, wanted)


def _named(
    session: Session, table: type[Row], column: str, wanted: Collection[int], *where: ColumnElement[bool]
) -> list[Row]:
    """The rows whose column names one of these."""
    if not wanted:
        return []
    query = select(table).where(*where)
    if len(wanted) <= MOST_NAMED:
        query = query.where(col(getattr(table, column)).in_(wanted))
    return [row for row in session.exec(query).all() if getattr(row, column) in wanted]
