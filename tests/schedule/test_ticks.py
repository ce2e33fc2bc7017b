"""The ticks of one process."""

import asyncio
import queue

import pytest
from apscheduler.triggers.date import DateTrigger

from mailhub.database import Database
from mailhub.errors import StorageTrouble
from mailhub.schedule import Scheduler
from tests.serving import LONGEST_SECONDS


def release() -> None:
    """Work that can be done."""


def fail() -> None:
    """Work that cannot be done to its end."""
    raise StorageTrouble


@pytest.mark.parametrize("work", [release, fail])
def test_what_the_clock_did_may_have_caused_letters_and_whoever_sends_them_is_told(sqlite_url, now, work):
    told: queue.Queue[str] = queue.Queue()

    def do() -> None:
        told.put("done")
        work()

    async def run() -> list[str]:
        stop = asyncio.Event()
        scheduler = Scheduler([do], lambda: told.put("told"), DateTrigger())
        running = asyncio.create_task(scheduler.run(stop))
        seen = [await asyncio.to_thread(told.get, timeout=LONGEST_SECONDS) for _ in range(2)]
        stop.set()
        await running
        return seen

    database = Database(sqlite_url)
    seen = asyncio.run(run())
    database.close()

    assert seen == ["done", "told"]
