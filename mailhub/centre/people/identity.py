"""The key of a row: what other rows and tokens name it by."""

from typing import Protocol


class Row(Protocol):
    """A row with a number."""

    id: int | None


def identity(row: Row) -> int:
    """The key of a row that has been flushed."""
    assert row.id is not None
    return row.id
