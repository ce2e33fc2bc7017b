"""How fast each destination is served: so many letters on their way at a time, so many a minute, and rest when asked.

Providers count by where their mail is handled, so domains of one provider share a pace (lists.md D40, D41). A pace is
known to one process and forgotten with it: what must last is in the outbox.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailhub.deliver.wire import Answer, Outcome, Stage

REST = timedelta(minutes=10)  # lists.md D40
A_MINUTE = timedelta(minutes=1)
RECOVERED = 20  # letters taken after a rest, one more at a time: it is forgotten then
MOST_KNOWN = 5000  # destinations; beyond, those with nothing under way are forgotten
# Gmail's « too fast » and Orange's « too many connections » may come with other codes than 421.
_TOO_FAST = ("4.7.28", "OFR004_104")


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace of one provider."""

    domains: tuple[str, ...]
    at_once: int  # letters on their way at one time


@dataclass(eq=False)
class _Provider:
    """What is known of one provider now."""

    domains: tuple[str, ...]
    at_once: int | None = None  # None: as many as there are connections
    in_hand: int = 0
    ramp: int | None = None  # after a rest: one at a time, then one more with each letter taken
    rest_until: datetime | None = None
    recent: deque[datetime] = field(default_factory=deque)

    def is_open(self, now: datetime, per_minute: int) -> bool:
        """Say whether one more letter may be on its way."""
        if self.rest_until is not None and now < self.rest_until:
            return False
        while self.recent and self.recent[0] <= now - A_MINUTE:
            self.recent.popleft()
        if per_minute and len(self.recent) + self.in_hand >= per_minute:
            return False
        return all(most is None or self.in_hand < most for most in (self.at_once, self.ramp))


class Pacing:
    """Who may be written to now, as far as this process knows."""

    def __init__(self, paces: Sequence[Pace] = (), per_minute: int = 60) -> None:
        """`per_minute`: letters to one provider within a minute; 0 for no limit."""
        self._per_minute = per_minute
        self._named = {
            domain: provider
            for pace in paces
            for provider in [_Provider(pace.domains, pace.at_once)]
            for domain in pace.domains
        }
        self._others: dict[str, _Provider] = {}
        self._shut: set[_Provider] = set()

    def shut(self, now: datetime) -> list[str]:
        """Domains nothing more may leave for at this moment."""
        self._shut = {provider for provider in self._shut if not provider.is_open(now, self._per_minute)}
        return [domain for provider in self._shut for domain in provider.domains]

    def take(self, destination: str, now: datetime) -> bool:
        """Take one letter in hand, if one more may be on its way there."""
        provider = self._provider(destination)
        if not provider.is_open(now, self._per_minute):
            self._shut.add(provider)
            return False
        provider.in_hand += 1
        return True

    def give_back(self, destination: str) -> None:
        """A letter taken in hand stays where it is after all."""
        self._provider(destination).in_hand -= 1

    def done(self, destination: str, answer: Answer, now: datetime) -> None:
        """A letter in hand has come to its end."""
        provider = self._provider(destination)
        provider.in_hand -= 1
        if answer.outcome is Outcome.NOT_SENT:
            return
        if self._per_minute:
            provider.recent.append(now)
        if _asks_for_rest(answer):
            provider.rest_until, provider.ramp = now + REST, 1
            self._shut.add(provider)
        elif answer.outcome is Outcome.ACCEPTED and provider.ramp is not None:
            provider.ramp = provider.ramp + 1 if provider.ramp < RECOVERED else None
        if len(self._others) > MOST_KNOWN:
            self._forget_idle(now)

    def _provider(self, domain: str) -> _Provider:
        known = self._named.get(domain) or self._others.get(domain)
        if known is None:
            known = self._others[domain] = _Provider((domain,))
        return known

    def _forget_idle(self, now: datetime) -> None:
        """Let go of what the next letter would not find different."""
        self._others = {
            domain: known
            for domain, known in self._others.items()
            if known.in_hand or known.ramp or (known.recent and known.recent[-1] > now - A_MINUTE)
        }


def _asks_for_rest(answer: Answer) -> bool:
    """421 about a recipient is the destination's; before one is named, it is the relay's own."""
    if answer.outcome is not Outcome.DEFERRED or answer.stage in {Stage.CONNECT, Stage.MAIL}:
        return False
    return answer.code == 421 or any(sign in answer.line for sign in _TOO_FAST)
