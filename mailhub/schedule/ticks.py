"""The ticks of one process, and the row that makes each slot of a job happen once."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from sqlmodel import Field, Session, SQLModel

from mailhub.rows import insert_missing

EVERY_MINUTE = CronTrigger(second=0, timezone="UTC")


class Tick(SQLModel, table=True):
    """A slot of a job that was done."""

    job: str = Field(primary_key=True)
    slot: datetime = Field(primary_key=True)


def take_slot(session: Session, job: str, slot: datetime) -> bool:
    """True for the one who does this job in this slot; the claim stands or falls with the caller's transaction."""
    return insert_missing(session, Tick, [{"job": job, "slot": slot}]) == 1


def is_done(session: Session, job: str, slot: datetime) -> bool:
    """Say whether somebody did this job in this slot."""
    return session.get(Tick, (job, slot)) is not None


class Scheduler:
    """The ticks of one process."""

    def __init__(
        self,
        every_minute: Sequence[Callable[[], object]],
        ring: Callable[[], object] = lambda: None,
        minute: BaseTrigger = EVERY_MINUTE,
    ) -> None:
        """`every_minute`: work that is harmless to repeat.

        `ring` is called after each such work, which may have caused letters; `minute` is when it is done.
        """
        self._minutely, self._ring, self._minute = every_minute, ring, minute

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until told to stop."""
        ticker = AsyncIOScheduler(timezone="UTC")
        for work in self._minutely:
            ticker.add_job(asyncio.to_thread, self._minute, [self._do, work], misfire_grace_time=30)
        ticker.start()
        try:
            await stop.wait()
        finally:
            ticker.shutdown(wait=False)

    def _do(self, work: Callable[[], object]) -> None:
        try:
            work()
        finally:  # what was kept before it failed is owed all the same
            self._ring()
