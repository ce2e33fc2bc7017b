"""Rows read and written past the session's unit of work: what is done for every mail, at the price the database asks.

The session keeps objects and tables in step, and takes two to eight times the time of the statement for it. Rare
work is well served by that; what each mail needs is done here. As with the session, what was changed before is
written before a question is asked.
"""

from functools import cache
from typing import Any

from sqlalchemy import CursorResult, Executable, Insert, inspect
from sqlalchemy import insert as sa_insert
from sqlalchemy.orm import make_transient_to_detached
from sqlmodel import Session, SQLModel


def ask(session: Session, statement: Executable, **known: object) -> CursorResult[*tuple[Any, ...]]:
    """Ask for columns, or change them; a statement built once (`bindparam`) costs a tenth of one built each time."""
    session.flush()
    return session.connection().execute(statement, known)


def insert(session: Session, row: SQLModel) -> None:
    """Insert a new row at once and give it its key; the session holds it as if it had been added and flushed."""
    table = type(row)
    values = {name: value for name in _columns(table) if (value := getattr(row, name)) is not None}
    done = session.connection().execute(_insert(table), values)
    for name, value in zip(inspect(table).primary_key, done.inserted_primary_key or (), strict=True):
        setattr(row, name.key, value)
    make_transient_to_detached(row)
    session.add(row)


@cache
def _columns(table: type[SQLModel]) -> tuple[str, ...]:
    return tuple(inspect(table).column_attrs.keys())


@cache
def _insert(table: type[SQLModel]) -> Insert:
    return sa_insert(table)
