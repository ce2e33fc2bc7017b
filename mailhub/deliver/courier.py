"""Outbox to relay: claim with the intent written first, send, write what came of it.

One turn is two small transactions with the wire between them: nothing is sent that was not first marked *sending*,
and what came of a whole group is settled by one commit, together with the letters it causes (a receipt, a failure).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from mailhub import outbox
from mailhub.centre.profile import Centre
from mailhub.database import Database
from mailhub.deliver.wire import Answer, Outcome, Relay, Wire
from mailhub.handlers import departures
from mailhub.handlers.desk import Desk
from mailhub.mail.dkim import Signer
from mailhub.outbox import Outgoing, Retries
from mailhub.render import Renderer

RELAY_AWAY = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=5))

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    """What the wire needs of one row."""

    id: int
    sender: str
    recipient: str
    destination: str
    raw: bytes


@dataclass
class Courier:
    """Delivers the outbox of one home over a few connections that stay open."""

    database: Database
    relay: Relay
    centre: Centre
    renderer: Renderer
    now: Callable[[], datetime]
    signer: Signer | None = None
    retries: Retries = field(default_factory=Retries)
    connections: int = 4
    per_destination_per_minute: int = 60
    _wires: list[Wire] = field(default_factory=list, init=False)
    _away: int = field(default=0, init=False)  # how often in a row the relay could not be reached
    _away_until: datetime | None = field(default=None, init=False)
    _recent: dict[str, deque[datetime]] = field(default_factory=dict, init=False)

    def recover(self, *, everything: bool) -> int:
        """Put in doubt what a dead courier left on the wire, and tell the authors."""
        with self.database.transaction() as session:
            rows = outbox.abandoned(session, self.now(), everything=everything)
            for row in rows:
                outbox.in_doubt(row, "the process died while this letter was on the wire", self.now())
                self._follow_up(self._desk(session), row)
        return len(rows)

    async def step(self) -> bool:
        """Send what is due, at most one letter per connection; False when nothing was."""
        letters = await asyncio.to_thread(self._claim)
        if not letters:
            return False
        answers = await asyncio.gather(*(self._send(place, letter) for place, letter in enumerate(letters)))
        await asyncio.to_thread(self._settle, list(zip(letters, answers, strict=True)))
        return True

    async def close(self) -> None:
        """Say goodbye to the relay."""
        wires, self._wires = self._wires, []
        await asyncio.gather(*(wire.quit() for wire in wires))

    async def _send(self, place: int, letter: Letter) -> Answer:
        while len(self._wires) <= place:
            self._wires.append(Wire(self.relay))
        signed = (
            self.signer.headers_for(letter.raw, when=int(self.now().timestamp())) if self.signer else b""
        ) + letter.raw
        answer = await self._wires[place].deliver(letter.sender, letter.recipient, signed)
        log.info("delivered", letter=letter.id, outcome=answer.outcome, code=answer.code, stage=answer.stage)
        return answer

    def _claim(self) -> list[Letter]:
        now = self.now()
        if self._away_until is not None and now < self._away_until:
            return []
        with self.database.reading() as session:
            if not outbox.is_due(session, now):
                return []
        with self.database.transaction() as session:
            rows = outbox.claim(session, now, self.connections, self._paused(now))
            return [
                Letter(
                    row.id or 0, row.envelope_from, row.recipient, row.destination, outbox.raw(session, row)
                )
                for row in rows
            ]

    def _settle(self, results: Sequence[tuple[Letter, Answer]]) -> None:
        now = self.now()
        self._mind_the_relay(results, now)
        with self.database.transaction() as session:
            desk = self._desk(session)
            for letter, answer in results:
                row = outbox.get(session, letter.id)
                self._note(row, answer, now)
                session.add(row)
                self._follow_up(desk, row)
        for letter, answer in results:
            if answer.outcome is not Outcome.NOT_SENT:
                self._recent.setdefault(letter.destination, deque(maxlen=1000)).append(now)

    def _mind_the_relay(self, results: Sequence[tuple[Letter, Answer]], now: datetime) -> None:
        """When no letter of a turn could leave, the relay is away: let everything wait, each time a little longer."""
        if all(answer.outcome is Outcome.NOT_SENT for _, answer in results):
            self._away_until = now + RELAY_AWAY[min(self._away, len(RELAY_AWAY) - 1)]
            self._away += 1
            log.warning("relay cannot be reached", again_at=self._away_until, why=results[0][1].line)
        else:
            self._away, self._away_until = 0, None

    def _note(self, row: Outgoing, answer: Answer, now: datetime) -> None:
        match answer.outcome:
            case Outcome.ACCEPTED:
                outbox.sent(row, answer.line, now)
            case Outcome.REFUSED:
                outbox.failed(row, answer.line, now)
            case Outcome.DEFERRED:
                outbox.deferred(row, answer.line, now, self.retries)
            case Outcome.IN_DOUBT:
                outbox.in_doubt(row, answer.line, now)
            case Outcome.NOT_SENT:
                outbox.put_back(row, answer.line, now)

    def _follow_up(self, desk: Desk, row: Outgoing) -> None:
        outbox.put(desk.session, departures.told_of(row, desk), domain=self.centre.domain, now=desk.now)

    def _desk(self, session: Session) -> Desk:
        return Desk(session, self.now(), self.centre, self.renderer)

    def _paused(self, now: datetime) -> list[str]:
        """Destinations that had their share of the last minute."""
        if not self.per_destination_per_minute:
            return []
        since = now - timedelta(minutes=1)
        for destination in list(self._recent):
            times = self._recent[destination]
            while times and times[0] <= since:
                times.popleft()
            if not times:
                del self._recent[destination]
        return [name for name, times in self._recent.items() if len(times) >= self.per_destination_per_minute]
