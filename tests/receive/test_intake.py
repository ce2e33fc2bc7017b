"""From a door to the journal: what becomes of those who wait when the journal cannot be written."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session

from mailhub.database import Database
from mailhub.errors import StorageTrouble
from mailhub.receive.intake import Intake
from mailhub.receive.smtp import Arrival, Kept

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SIMPLE = b"From: a@reader.example\r\nSubject: Bonjour\r\n\r\nUne question.\r\n"


class Locked(Database):
    """A database that refuses to write, after having thought about it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.tries = 0
        self.tried, self.refuses = threading.Event(), threading.Event()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        self.tries += 1
        self.tried.set()
        self.refuses.wait(10)
        raise StorageTrouble("another process writes and does not end")
        yield


def test_all_who_wait_are_told_at_once_that_the_journal_cannot_be_written(tmp_path: Path):
    database = Locked(f"sqlite:///{tmp_path}/mailhub.db")

    async def many() -> list[list[Kept]]:
        intake = Intake(database, lambda: NOON, lambda: None)
        intake.start()
        first = intake.keep(arrival())
        await asyncio.to_thread(database.tried.wait, 10)
        others = [intake.keep(arrival()) for _ in range(600)]
        database.refuses.set()
        outcomes = await asyncio.wait_for(asyncio.gather(first, *others), 10)
        await asyncio.to_thread(intake.stop)
        return outcomes

    assert asyncio.run(many()) == [[Kept.NOT_NOW]] * 601
    assert database.tries == 1


def arrival() -> Arrival:
    return Arrival(
        SIMPLE, "a@reader.example", ("question@centre.example",), "smtp", "192.0.2.1", "reader", NOON
    )
