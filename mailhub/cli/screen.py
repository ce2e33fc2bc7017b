"""What the operator sees: tables on a terminal, plain text in a pipe, JSON when asked; errors as one sentence.

Subjects, names and server answers were written by strangers: whatever could steer a terminal is made visible first.
"""

# ruff: noqa: PLC0415 — heavy rooms are imported where they are used, so that the program starts at once

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import chain

import typer

Row = Mapping[str, object]


def document(value: object) -> None:
    """One JSON document."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def lines(rows: Iterable[Row]) -> None:
    """One JSON object on each line."""
    for row in rows:
        typer.echo(json.dumps(row, ensure_ascii=False, default=_plain))


def table(rows: Iterable[Row], columns: Sequence[str], *, nothing: str) -> None:
    """These columns of the rows; aligned on a terminal, separated by tabs in a pipe."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        typer.echo(nothing, err=True)
        return
    rows = chain([first], rows)
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(cell(row[column]) for column in columns))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        shown.add_column(column.replace("_", " "))
    for row in rows:
        shown.add_row(*(Text(cell(row[column])) for column in columns))
    Console().print(shown)


def facts(row: Row, keys: Sequence[str]) -> None:
    """Named values, one on each line; those that are not there are left out."""
    width = max(map(len, keys))
    for key in keys:
        if row[key] not in (None, "", [], ()):
            typer.echo(f"{key.replace('_', ' '):<{width}}  {cell(row[key])}")


def say(text: str = "") -> None:
    """Some lines of text."""
    typer.echo("\n".join(harmless(line) for line in text.splitlines()))


def done(row: Row, sentence: str, *, as_json: bool) -> None:
    """What a command has done: one sentence, or what it made or changed as one JSON document."""
    if as_json:
        document(row)
    else:
        say(sentence)


def aside(text: str) -> None:
    """A word beside the result, which a pipe does not carry on."""
    typer.echo(harmless(text), err=True)


def octets(content: bytes) -> None:
    """Bytes exactly as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def complain(error: Exception) -> None:
    """One error, as a sentence; several problems of one file, as one each."""
    for line in str(error).splitlines():
        typer.echo(f"mailhub: {harmless(line)}", err=True)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something long is under way, on a terminal only."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(harmless(what)):
        yield


def cell(value: object) -> str:
    """One value on one line."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    return harmless(" ".join(str(value).split()))


def harmless(text: str) -> str:
    """The text with everything that could steer a terminal or reverse its reading shown as a mark."""
    return "".join(
        letter if letter.isprintable() or letter == "\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
