"""How much the doors take, from everybody together and from one source; counting only, no network here.

Limits protect the machine, not the centre from its readers: every refusal made here is temporary.
"""

from dataclasses import dataclass

from mailhub.mail.sources import source_of

MEBIBYTE = 1024 * 1024
MOST_SOURCES_REMEMBERED = 10_000  # a stranger with many addresses must not fill the memory


@dataclass(frozen=True, slots=True)
class Limits:
    """What one mail, one visit and one source may cost. Times: RFC 5321 section 4.5.3.2."""

    message_bytes: int = 25 * MEBIBYTE  # announced as SIZE
    bodies_bytes: int = 256 * MEBIBYTE  # bodies half received, of all visits together
    recipients: int = 100  # of one mail; RFC 5321 4.5.3.1.8 asks for at least 100
    hops: int = 100  # Received fields, RFC 5321 6.3
    visits: int = 200  # connections at one time
    visits_per_source: int = 20
    messages_per_minute: int = 60  # of one source; 0 is no limit
    errors: int = 20  # permanent refusals in one visit: harvesters guess, posts do not
    idle_seconds: float = 300  # for the next command, or the next 64 KiB of a body
    data_seconds: float = 1800  # for a whole body
    visit_seconds: float = 6 * 3600
    keep_seconds: float = 60  # for the journal to keep one mail
    unlimited_sources: frozenset[str] = frozenset(
        {"", "127.0.0.1", "::1"}
    )  # our own front door; "" is a UNIX socket


@dataclass(slots=True)
class _Purse:
    """What one source may still spend: messages, refilled evenly."""

    messages: float
    filled_at: float


class Gate:
    """Counts who is inside and how much they bring, and says no before it hurts."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._unlimited = frozenset(map(source_of, limits.unlimited_sources))
        self._visits = 0
        self._bodies_bytes = 0
        self._visits_of: dict[str, int] = {}
        self._purses: dict[str, _Purse] = {}

    def enter(self, source: str) -> bool:
        """Let a visit in, unless too many are inside; each that was let in must `leave`."""
        mine = self._visits_of.get(source, 0)
        crowded = mine >= self._limits.visits_per_source and source not in self._unlimited
        if crowded or self._visits >= self._limits.visits:
            return False
        self._visits += 1
        self._visits_of[source] = mine + 1
        return True

    def leave(self, source: str) -> None:
        """A visit is over."""
        self._visits -= 1
        self._visits_of[source] -= 1
        if not self._visits_of[source]:
            del self._visits_of[source]

    def take_message(self, source: str, now: float) -> bool:
        """May this source bring one more mail? `now` is in seconds of any steady clock."""
        most = self._limits.messages_per_minute
        if not most or source in self._unlimited:
            return True
        purse = self._purses.get(source)
        if purse is None:
            self._forget_the_quiet(now)
            purse = self._purses[source] = _Purse(most, now)
        purse.messages = min(most, purse.messages + (now - purse.filled_at) * most / 60)
        purse.filled_at = now
        if purse.messages < 1:
            return False
        purse.messages -= 1
        return True

    def hold_bytes(self, count: int) -> bool:
        """Set memory aside for part of a body; what was granted must be released."""
        if self._bodies_bytes + count > self._limits.bodies_bytes:
            return False
        self._bodies_bytes += count
        return True

    def release_bytes(self, count: int) -> None:
        """A body is kept, refused or cut off."""
        self._bodies_bytes -= count

    def _forget_the_quiet(self, now: float) -> None:
        """After a minute of silence a purse is full again, which is the same as none."""
        if len(self._purses) < MOST_SOURCES_REMEMBERED:
            return
        self._purses = {source: purse for source, purse in self._purses.items() if now - purse.filled_at < 60}
        if len(self._purses) >= MOST_SOURCES_REMEMBERED:
            self._purses.clear()
