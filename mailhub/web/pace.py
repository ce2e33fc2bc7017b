"""How often one client may ask: a small count in memory, forgotten when the process ends."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from mailhub.mail.sources import source_of

_MOST_KNOWN = 10_000  # clients counted at once; beyond, those of a window that is over are forgotten


class Pace:
    """At most so many of one thing by one client in a span of time."""

    def __init__(self, most: int, span: timedelta, now: Callable[[], datetime]) -> None:
        self._most, self._span, self._now = most, span, now
        self._counts: dict[str, tuple[datetime, int]] = {}
        self._lock = threading.Lock()

    def spend(self, client: str) -> bool:
        """Count one; False when it was one too many."""
        with self._lock:
            now, whose = self._now(), source_of(client)
            since, count = self._counts.get(whose, (now, 0))
            if now - since >= self._span:
                since, count = now, 0
            if whose not in self._counts and len(self._counts) >= _MOST_KNOWN:
                self._forget(now)
            self._counts[whose] = (since, count + 1)
            return count < self._most

    def _forget(self, now: datetime) -> None:
        live = {each: kept for each, kept in self._counts.items() if now - kept[0] < self._span}
        # Still full of fresh ones: a flood from everywhere. Starting again is better than growing.
        self._counts = live if len(live) < _MOST_KNOWN else {}
