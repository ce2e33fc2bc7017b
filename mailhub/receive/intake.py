"""From a door to the journal: everything that waits is kept by one commit, then everybody is told.

A commit costs a write to disk however much it holds, so the thread takes all that has come while the last one was
under way, and waits a moment for mails that are just being said (group commit); what is large is written down
while the next is heard. Nobody is told `kept` before the commit; when it fails, all of the group are told `not now`,
and when that is the storage's fault, all who wait.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

import structlog

from mailhub import journal
from mailhub.database import Database
from mailhub.errors import StorageTrouble
from mailhub.receive.smtp import Arrival, Kept

MOST_AT_ONCE = 500
MOST_OCTETS_AT_ONCE = 64 * 1024 * 1024
LONGEST_WAIT_SECONDS = 0.002  # for one more mail; less than a disk takes to write

log = structlog.get_logger()

_Outcome = asyncio.Future[list[Kept]]
_Waiting = tuple[Arrival, asyncio.AbstractEventLoop, _Outcome]


class Intake:
    """Keeps what the doors bring, in a thread of its own."""

    def __init__(self, database: Database, now: Callable[[], datetime], bell: Callable[[], None]) -> None:
        """`bell` is rung after each commit that brought something new to handle."""
        self._database = database
        self._now = now
        self._bell = bell
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="intake", daemon=True)
        self._coming: Callable[[], int] = int  # nobody, until the doors are open

    def start(self, coming: Callable[[], int] = int) -> None:
        """Begin to keep what comes; `coming` tells how many mails are being said at the doors."""
        self._coming = coming
        self._thread.start()

    def stop(self) -> None:
        """Keep what has come, then end."""
        self._queue.put(None)
        self._thread.join()

    def keep(self, arrival: Arrival) -> _Outcome:
        """Have a mail kept; the outcome is there once it is committed, or could not be. To be asked within a loop."""
        loop = asyncio.get_running_loop()
        outcome: _Outcome = loop.create_future()
        self._queue.put((arrival, loop, outcome))
        return outcome

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            self._keep([first])

    def _keep(self, group: list[_Waiting]) -> None:
        try:
            with self._database.transaction() as session:
                mails = ((arrival.raw, arrival.envelopes) for arrival in self._gather(group))
                new = journal.accept(session, mails, self._now())
        except Exception as error:  # noqa: BLE001 — whatever it is, the senders must keep their mail
            if isinstance(error, StorageTrouble):
                # They would wait as long for the same answer, one after the other, and fill the memory meanwhile.
                group += iter(partial(self._next, 0), None)
            # Named, without a trace: one for each refused mail would fill what is left of a full disk.
            log.critical("journal cannot be written", mails=len(group), why=str(error))
            self._tell(group, Kept.NOT_NOW)
            return
        self._tell(group, Kept.KEPT)
        if new:
            self._bell()

    def _gather(self, group: list[_Waiting]) -> Iterator[Arrival]:
        """The mails that go together; `group`, which has the first, grows."""
        until = time.monotonic() + LONGEST_WAIT_SECONDS
        waiting: _Waiting | None = group[0]
        octets = 0
        while waiting is not None:
            octets += len(waiting[0].raw)
            yield waiting[0]
            if len(group) == MOST_AT_ONCE or octets >= MOST_OCTETS_AT_ONCE:
                return
            if (waiting := self._next(until)) is not None:
                group.append(waiting)

    def _next(self, until: float) -> _Waiting | None:
        """One more mail that has come, or comes by then."""
        try:
            waiting = self._queue.get(timeout=max(0, until - time.monotonic()) if self._coming() else 0)
        except queue.Empty:
            return None
        if waiting is None:
            self._queue.put(None)  # the end, when this group is kept
        return waiting

    @staticmethod
    def _tell(group: list[_Waiting], kept: Kept) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Outcome, list[Kept]]]] = {}
        for arrival, loop, outcome in group:
            by_loop.setdefault(loop, []).append((outcome, [kept] * len(arrival.recipients)))
        for loop, outcomes in by_loop.items():
            loop.call_soon_threadsafe(_resolve, outcomes)


def _resolve(outcomes: list[tuple[_Outcome, list[Kept]]]) -> None:
    for outcome, kept in outcomes:
        if not outcome.done():
            outcome.set_result(kept)
