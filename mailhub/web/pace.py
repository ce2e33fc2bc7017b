"""How often one client may ask: a small count in memory, forgotten when the process ends."""

import ipaddress
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

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
            now, whose = self._now(), neighbourhood(client)
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


def neighbourhood(client: str) -> str:
    """Whom a client counts as: its IPv4 address, or the /64 an IPv6 subscriber is given whole (RFC 6177)."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)
