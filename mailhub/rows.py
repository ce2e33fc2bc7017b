"""Rows asked for and written past the session's unit of work: what every mail needs, at the price of the statement.

SQLAlchemy takes ten to thirty times the time of a small statement to keep objects and tables in step and to carry the
statement out. Rare work is well served by that; what is done for each mail is compiled once, here, and handed to the
driver. As with the session, what was changed before is written before a question is asked.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, TypeVar

from sqlalchemy import Dialect, Executable, Insert, inspect
from sqlalchemy import insert as sa_insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.instrumentation import manager_of_class
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from mailhub import engines

Convert = Callable[[Any], Any]
Row = TypeVar("Row", bound=SQLModel)
_KEPT = 512  # statements kept prepared; the house has a few dozen, for each engine it opens


def ask(session: Session, statement: Executable, **known: object) -> list[tuple[Any, ...]]:
    """Carry out a statement about columns, built once with `bindparam` and kept by its module; every row it gives."""
    line = _line(session)
    return _prepared(statement, line.dialect).run(line, known)


def first(session: Session, statement: Executable, **known: object) -> tuple[Any, ...] | None:
    """The first row that answers, or None."""
    found = ask(session, statement, **known)
    return found[0] if found else None


def value(session: Session, statement: Executable, **known: object) -> Any:  # noqa: ANN401 — whatever the column holds
    """The first column of the first row that answers, or None."""
    found = ask(session, statement, **known)
    return found[0][0] if found else None


def ask_each(session: Session, statement: Executable, known: Iterable[Mapping[str, object]]) -> None:
    """Carry out a statement that gives no rows once for each of these sets of values."""
    line = _line(session)
    _prepared(statement, line.dialect).run_many(line, known)


def insert(session: Session, table: type[Row], **values: object) -> Row:
    """Insert a new row at once; the session holds it as if it had been read back. What is not said has its default.

    Not within a savepoint that may be undone: the session would go on holding the row.
    """
    row = record(session, table, **values)
    make_transient_to_detached(row)
    session.add(row)
    return row


def record(session: Session, table: type[Row], **values: object) -> Row:
    """The same, but the session does not hold the row, which costs more than its insert: a change to it is lost."""
    line = _line(session)
    values = {**_defaults(table), **values}
    keys = _inserting(table, tuple(values), line.dialect).run(line, values)[0]
    row: Row = manager_of_class(table).new_instance()  # as the session makes those it reads
    vars(row).update(values, **dict(zip(_keys(table), keys, strict=True)))
    return row


def insert_missing(session: Session, table: type[SQLModel], rows: Sequence[Mapping[str, object]]) -> int:
    """Insert those rows that no unique key forbids; say how many were new. Never an error, on either engine.

    Every row has the same columns.
    """
    if not rows:
        return 0
    line = _line(session)
    return _inserting_missing(table, tuple(rows[0]), line.dialect).run_many(line, rows)


@dataclass(frozen=True, slots=True)
class _Line:
    """What a session speaks to the database by, from its first question to its end."""

    dialect: Dialect
    driver: Any  # the driver's connection


def _line(session: Session) -> _Line:
    """The session's line, free of what the session still had to write."""
    session.flush()
    line: _Line | None = session.info.get(_Line)
    if line is None:
        connection = session.connection()
        line = session.info[_Line] = _Line(connection.dialect, connection.connection.driver_connection)
    return line


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement as a driver takes it, with what turns our values into the driver's and back."""

    sql: str
    wanted: tuple[tuple[str, Convert | None], ...]  # its values, by their names
    has_places: bool  # the driver takes them in this order; else by name
    fixed: Mapping[str, object]  # the driver's values of what the statement itself says
    outward: tuple[tuple[int, Convert], ...]

    def run(self, line: _Line, known: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Carry it out; every row it gives."""
        cursor = self._carry_out("execute", line, self._values(known))
        found = cursor.fetchall() if cursor.description else []
        return [self._converted(row) for row in found] if self.outward else found

    def run_many(self, line: _Line, known: Iterable[Mapping[str, object]]) -> int:
        """Carry it out for each; say how many rows that touched."""
        count: int = self._carry_out("executemany", line, [self._values(each) for each in known]).rowcount
        return count

    def _carry_out(self, how: str, line: _Line, values: object) -> Any:  # noqa: ANN401 — a driver's cursor
        engines.still_open(line.driver)
        cursor = line.driver.cursor()
        try:
            getattr(cursor, how)(self.sql, values)
        except line.dialect.loaded_dbapi.Error as error:
            # As SQLAlchemy would have raised it, without the values, which may be words of a mail.
            refused = line.dialect.loaded_dbapi.Error
            raise DBAPIError.instance(
                self.sql, None, error, refused, hide_parameters=True, dialect=line.dialect
            ) from error
        return cursor

    def _values(self, known: Mapping[str, object]) -> Sequence[object] | Mapping[str, object]:
        if self.fixed:
            known = {**self.fixed, **known}
        if self.has_places:
            return [known[name] if convert is None else convert(known[name]) for name, convert in self.wanted]
        return {
            name: known[name] if convert is None else convert(known[name]) for name, convert in self.wanted
        }

    def _converted(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for place, convert in self.outward:
            values[place] = convert(values[place])
        return tuple(values)


@lru_cache(_KEPT)
def _prepared(statement: Executable, dialect: Dialect) -> _Prepared:
    compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    columns = getattr(statement, "exported_columns", ())
    return _prepare(compiled, dialect, [column.type for column in columns])


@lru_cache(_KEPT)
def _inserting(table: type[SQLModel], columns: tuple[str, ...], dialect: Dialect) -> _Prepared:
    keys = inspect(table).primary_key
    compiled = sa_insert(table).returning(*keys).compile(dialect=dialect, column_keys=list(columns))
    return _prepare(compiled, dialect, [key.type for key in keys])


@lru_cache(_KEPT)
def _inserting_missing(table: type[SQLModel], columns: tuple[str, ...], dialect: Dialect) -> _Prepared:
    insert_here: Callable[[type[SQLModel]], Insert] = (
        sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    )
    statement = insert_here(table).on_conflict_do_nothing()  # type: ignore[attr-defined]
    return _prepare(statement.compile(dialect=dialect, column_keys=list(columns)), dialect, [])


def _prepare(compiled: SQLCompiler, dialect: Dialect, results: Sequence[TypeEngine[Any]]) -> _Prepared:
    said = compiled.construct_params(_check=False)
    inward = {name: _inward(compiled.binds[name].type, dialect) for name in said}
    fixed: dict[str, object] = {}
    for name, given in said.items():
        if not compiled.binds[name].required:
            convert = inward.pop(name)
            fixed[name] = given if convert is None else convert(given)
    places = compiled.positiontup
    outward = [each.dialect_impl(dialect).result_processor(dialect, None) for each in results]
    return _Prepared(
        compiled.string,
        tuple((name, inward.get(name)) for name in (said if places is None else places)),
        places is not None,
        fixed,
        tuple((place, convert) for place, convert in enumerate(outward) if convert is not None),
    )


def _inward(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """What turns our value into the driver's, if anything must."""
    if isinstance(kind, UTCDateTime):
        return _instants(dialect)
    convert: Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return convert


@lru_cache(_KEPT)
def _instants(dialect: Dialect) -> Convert | None:
    """The same for instants; the few of a transaction stand in nearly all of its rows, and are turned once for all."""
    convert: Convert | None = UTCDateTime().dialect_impl(dialect).bind_processor(dialect)
    return convert and lru_cache(_KEPT)(convert)


@cache
def _defaults(table: type[SQLModel]) -> Mapping[str, object]:
    """The columns an insert names, each with its default; the number of a row is left to the database."""
    return {
        name: field.default
        for name, field in table.model_fields.items()
        if not field.is_required() and not (name in _keys(table) and field.default is None)
    }


@cache
def _keys(table: type[SQLModel]) -> tuple[str, ...]:
    return tuple(key.key for key in inspect(table).primary_key)
