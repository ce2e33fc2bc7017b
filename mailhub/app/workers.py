"""Who does the work of a running house: threads that are rung for, and the courier's rounds.

Each does one thing; if there was nothing, it waits for its bell or a few seconds.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable

import structlog

from mailhub.deliver.courier import Courier
from mailhub.receive.smtp import PRESSED_SECONDS

LONGEST_WAY_GIVEN_SECONDS = 0.5  # handling gives way to the doors, but never starves
LONGEST_RUSH_SECONDS = 5.0  # after so long without a calm moment it gives way no longer than a moment
IDLE_SECONDS = 2.0  # the bell is a hint; the tables are looked at this often all the same

log = structlog.get_logger()


class Bell:
    """A hint that there may be work."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def ring(self) -> None:
        """Wake whoever waits."""
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Wait for a ring, or so long."""
        self._event.wait(seconds)
        self._event.clear()


class Worker:
    """A named thread: do one thing; if there was nothing, wait for the bell or a few seconds.

    While `is_pressed` says that others need the processor more, it waits too, a little at a time and never for long;
    when that does not end, a rush has become the rule, and it takes its share.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        bell: Bell,
        is_pressed: Callable[[], bool],
        after: Callable[[], None],
        rest: Callable[[], None],
    ) -> None:
        """`after` follows each step that did something; `rest` is for what can wait until nobody needs anything."""
        self._step, self._bell, self._is_pressed = step, bell, is_pressed
        self._after, self._rest = after, rest
        self._stopping = threading.Event()
        self._calm_at = time.monotonic()  # when nobody needed the processor more
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the step under way and end."""
        self._stopping.set()
        self._bell.ring()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._give_way()
            try:
                busy = self._step()
                if not busy and not self._is_pressed():
                    self._rest()
            except Exception:
                log.exception("step failed", worker=self._thread.name)
                busy = False
            if busy:
                self._after()
            elif not self._stopping.is_set():
                self._bell.wait(IDLE_SECONDS)

    def _give_way(self) -> None:
        now = time.monotonic()
        in_a_rush = now - self._calm_at < LONGEST_RUSH_SECONDS
        until = now + (LONGEST_WAY_GIVEN_SECONDS if in_a_rush else PRESSED_SECONDS)
        while self._is_pressed() and not self._stopping.is_set():
            if time.monotonic() >= until:
                return
            self._stopping.wait(PRESSED_SECONDS)  # the bell rings at every mail
        self._calm_at = time.monotonic()


async def deliver(courier: Courier, letters: asyncio.Event, stop: asyncio.Event, idle_seconds: float) -> None:
    """Send what is due, round after round, until told to stop; rung for by `letters`, or after so long."""
    while not stop.is_set():
        letters.clear()
        try:
            busy = await courier.step()
        except Exception:
            log.exception("step failed", worker="courier")
            busy = False
        if not busy:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(letters.wait(), idle_seconds)


async def see_off(courier: asyncio.Task[None], seconds: float) -> None:
    """Let the courier end its turn, but not for ever: a relay may take a quarter of an hour to say nothing."""
    _, unfinished = await asyncio.wait([courier], timeout=seconds)
    if unfinished:
        log.warning("relay does not answer, its letters are left in doubt")
        courier.cancel()
