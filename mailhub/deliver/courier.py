"""Outbox to relay: claim with the intent written first, send, write what came of it.

One transaction writes what came of the last few letters and claims the next few; between two of them the wire is
busy. Nothing is sent that was not first marked *sending*, few letters are in hand at any time, and what follows from
a letter (a receipt, a failure) is caused by the commit that settles it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from mailhub import outbox, storage
from mailhub.centre import returns
from mailhub.centre.profile import Centre
from mailhub.database import Database
from mailhub.deliver.pacing import Pace, Pacing
from mailhub.deliver.wire import Answer, Outcome, Relay, Stage, Wire, stuffed
from mailhub.errors import Temporary, UnknownRow
from mailhub.handlers import bounces, departures
from mailhub.handlers.desk import Desk
from mailhub.mail import dkim
from mailhub.mail.dkim import Signer
from mailhub.mail.newsletter import Copy, Form
from mailhub.mail.words import one_line
from mailhub.outbox import Claim, Outgoing, OutgoingState, Retries, personal
from mailhub.render import Renderer

RELAY_AWAY = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=5))
# Letters in hand, sent or about to be, whose end is not written, are what a kill puts in doubt. Letters to one: one for
# each connection. Of an issue as many, or a hundredth of what waits, so that the doubt stays small beside the issue.
PART_IN_HAND = 100
MOST_IN_HAND = 4  # for each connection
TURN = 24  # letters per connection before `step` returns, so that whoever wants to stop need not wait long
UNWRITTEN_SECONDS = 0.02  # how long an end waits for others to be written with
FORMS_KEPT = 4  # issues leaving at the same time

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    """One claimed letter and what leaves: its body with dots doubled, as the wire wants it."""

    claim: Claim
    copy: Copy | None  # None: it cannot be put together


Result = tuple[Claim, Answer]


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
    paces: Sequence[Pace] = ()
    letters_per_connection: int = 100  # lists.md D41
    _wires: list[Wire] = field(default_factory=list, init=False)
    _unwritten: list[Result] = field(default_factory=list, init=False)  # ends not committed yet
    _away: int = field(default=0, init=False)  # how often in a row the relay could not be reached
    _away_until: datetime | None = field(default=None, init=False)
    in_hand_of_an_issue: int = field(default=0, init=False)  # at most, as it was when the turn began
    _forms: dict[str, Form] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._pacing = Pacing(self.paces, self.per_destination_per_minute)

    def recover(self, *, everything: bool) -> int:
        """Put in doubt what a dead courier left on the wire, and tell the authors."""
        with self.database.transaction() as session:
            rows = outbox.abandoned(session, self.now(), everything=everything)
            for row in rows:
                outbox.in_doubt(row, "the process died while this letter was on the wire", self.now())
                session.flush()
                self._follow_up(session, row.id or 0)
        return len(rows)

    async def step(self) -> bool:
        """Send what is due, for a while; False when nothing was."""
        turn = _Turn(self)
        return await turn.run()

    async def close(self) -> None:
        """Write what is known and not written yet, and say goodbye to the relay."""
        try:
            if self._unwritten:
                await asyncio.to_thread(self.settle_and_claim, [], 0, 0)
        finally:
            wires, self._wires = self._wires, []
            await asyncio.gather(*(wire.quit() for wire in wires))

    def wires(self) -> list[Wire]:
        """The connections, opened when they are first used."""
        while len(self._wires) < self.connections:
            self._wires.append(Wire(self.relay))
        return self._wires

    async def send(self, wire: Wire, letter: Letter) -> Answer:
        """Sign one letter and hand it over; a connection that has carried its share is replaced first.

        Never raises: a letter we make a mistake with is no reason for the others to stay.
        """
        claim = letter.claim
        if letter.copy is None:
            return _unready("cannot be put together")
        try:
            raw = self._signed(letter.copy)
        except Exception as mistake:
            log.exception("cannot be signed", letter=claim.id)
            return _unready(f"cannot be signed: {mistake}")
        try:
            if self.letters_per_connection and wire.sent_count >= self.letters_per_connection:
                await wire.quit()
            answer = await wire.deliver(claim.envelope_from, claim.recipient, raw, is_stuffed=True)
        except Exception as mistake:  # ours, at a moment nobody knows: the relay may have it
            log.exception("cannot be handed over", letter=claim.id)
            return Answer(Outcome.IN_DOUBT, Stage.END, text=one_line(f"cannot be handed over: {mistake}"))
        log.info("delivered", letter=claim.id, outcome=answer.outcome, code=answer.code, stage=answer.stage)
        return answer

    def _signed(self, copy: Copy) -> bytes:
        signatures = b""
        if self.signer:
            when = int(self.now().timestamp())
            signatures = self.signer.headers_with(copy.head, copy.digest, when=when)
        return b"%b%b\r\n%b" % (signatures, copy.head, copy.body)

    def remember(self, results: Sequence[Result]) -> None:
        """Take note of how letters ended; what is not written yet goes into the next transaction."""
        now = self.now()
        if results:
            self._mind_the_relay(results, now)
        for claim, answer in results:
            self._pacing.done(claim.destination, answer, now)
        self._unwritten += results

    # -- in a thread, in one transaction --

    def settle_and_claim(self, results: Sequence[Result], in_hand: int, most: int) -> list[Letter]:
        """Write what came of letters and take hold of the next; both are kept by one commit or none is.

        `in_hand` are those claimed before and not ended, `most` is all that may be claimed. When the commit fails,
        what the relay said is known on, and written by the next that succeeds.
        """
        now = self.now()
        self.remember(results)
        done = list(self._unwritten)
        if self._away_until is not None and now < self._away_until:
            most = 0
        if not done and not (most and self._something_is_due(now)):
            return []
        claims: list[Claim] = []
        try:
            with self.database.transaction() as session:
                self._settle(session, done, now)
                if not done:
                    self.in_hand_of_an_issue = self._part_in_hand(session)
                claims = self._choose(session, in_hand, most, now)
                outbox.take(session, claims, now)
                letters = [Letter(claim, self._copy(session, claim)) for claim in claims]
        except BaseException:
            for claim in claims:
                self._pacing.give_back(claim.destination)
            raise
        self._unwritten.clear()
        return letters

    def _something_is_due(self, now: datetime) -> bool:
        with self.database.reading() as session:
            return outbox.is_due(session, now)

    def _settle(self, session: Session, results: Sequence[Result], now: datetime) -> None:
        taken = [(claim.id, answer.line) for claim, answer in results if answer.outcome is Outcome.ACCEPTED]
        outbox.settle_sent(session, taken, now)
        for claim, answer in results:
            if answer.outcome is not Outcome.ACCEPTED:
                row = self._note(outbox.get(session, claim.id), answer, now)
                if claim.issue_id is not None and row.state is OutgoingState.FAILED:
                    self._count_return(session, claim, answer)
            if claim.issue_id is None:
                self._follow_up(session, claim.id)

    def _note(self, row: Outgoing, answer: Answer, now: datetime) -> Outgoing:
        """Write what became of a letter that was not simply taken."""
        match answer.outcome:
            case Outcome.REFUSED:
                outbox.failed(row, answer.line, now)
            case Outcome.DEFERRED:
                outbox.deferred(row, answer.line, now, self.retries)
            case Outcome.IN_DOUBT:
                outbox.in_doubt(row, answer.line, now)
            case _:
                outbox.put_back(row, answer.line, now)
        return row

    def _choose(self, session: Session, in_hand: int, most: int, now: datetime) -> list[Claim]:
        if not most:
            return []
        due = outbox.waiting(session, now, self.in_hand_of_an_issue, self._pacing.shut(now))
        # Letters to one come first: while there are any, nothing else fills the room they need.
        to_many = bool(due) and due[0].issue_id is not None
        room = (self.in_hand_of_an_issue if to_many else self.connections) - in_hand
        chosen: list[Claim] = []
        for claim in due:
            if len(chosen) < min(room, most) and self._pacing.take(claim.destination, now):
                chosen.append(claim)
        return chosen

    def _part_in_hand(self, session: Session) -> int:
        most = self.connections * MOST_IN_HAND
        part = outbox.copies_waiting(session, most * PART_IN_HAND) // PART_IN_HAND
        return max(part, self.connections)

    def _copy(self, session: Session, claim: Claim) -> Copy | None:
        """What leaves; None when bytes are missing or spoiled, which keeps no other letter from leaving."""
        try:
            if claim.personal is not None:
                form = self._form(session, claim.digest)
                return personal.copy(form, claim.personal, claim.message_id, claim.created_at)
            head, _, body = storage.fetch(session, claim.digest).partition(b"\r\n\r\n")
            return Copy(head + b"\r\n", stuffed(body), dkim.body_hash(body))
        except (UnknownRow, ValueError):
            log.exception("cannot be put together", letter=claim.id)
            return None

    def _form(self, session: Session, digest: str) -> Form:
        if digest not in self._forms:
            if len(self._forms) >= FORMS_KEPT:
                self._forms.clear()
            self._forms[digest] = Form(storage.fetch(session, digest), stuffed)
        return self._forms[digest]

    def _mind_the_relay(self, results: Sequence[Result], now: datetime) -> None:
        """When no letter of a turn could leave, the relay is away: let everything wait, each time a little longer."""
        if all(answer.outcome is Outcome.NOT_SENT for _, answer in results):
            self._away_until = now + RELAY_AWAY[min(self._away, len(RELAY_AWAY) - 1)]
            self._away += 1
            log.warning("relay cannot be reached", again_at=self._away_until, why=results[0][1].line)
        else:
            self._away, self._away_until = 0, None

    def _count_return(self, session: Session, claim: Claim, answer: Answer) -> None:
        """What the relay refused counts like what came back (D32)."""
        desk = Desk(session, self.now(), self.centre, self.renderer)
        outcome = returns.of_answer(answer.code or 0, answer.line, answer.stage)
        events = returns.record(session, claim.subscription_id or 0, claim.issue_id or 0, outcome, desk.now)
        with _as_far_as_possible(session, claim.id):
            drafts = bounces.told(desk, events, said=answer.line)
            outbox.put(session, drafts, domain=self.centre.domain, now=desk.now)

    def _follow_up(self, session: Session, letter_id: int) -> None:
        desk = Desk(session, self.now(), self.centre, self.renderer)
        with _as_far_as_possible(session, letter_id):
            drafts = departures.told_of(outbox.get(session, letter_id), desk)
            outbox.put(session, drafts, domain=self.centre.domain, now=desk.now)


class _Turn:
    """A while of sending: each connection takes letters from one stock, one hand keeps the stock and the books."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._stock: deque[Letter] = deque()
        self._ended: list[Result] = []
        self._in_hand = 0  # claimed, and its end not written
        self._flying = 0  # given to a connection
        self._able = 0  # connections that can carry one
        self._is_over = False  # nobody waits for us any more
        self._more = asyncio.Event()
        self._news = asyncio.Event()

    async def run(self) -> bool:
        """Send until nothing is due or the turn is over; False when there was nothing at all."""
        left = TURN * self._courier.connections
        try:
            claimed = await self._keep_books(left)
            if not claimed:
                return False
            async with asyncio.TaskGroup() as tasks:
                lanes = [tasks.create_task(self._carry(wire)) for wire in self._courier.wires()]
                self._able = len(lanes)
                await self._oversee(left - claimed)
                for lane in lanes:
                    lane.cancel()
        except ExceptionGroup as troubles:
            raise troubles.exceptions[0] from None
        except asyncio.CancelledError:
            # Whoever waited for us waits no longer: what was not begun is untouched.
            self._give_back()
            self._courier.remember(self._ended)
            raise
        return True

    async def _oversee(self, left: int) -> None:
        """Let the connections work until nothing is in hand; `left` is how many letters this turn may still take."""
        try:
            while self._in_hand:
                await self._enough_ended()
                left -= await self._keep_books(left if self._able else 0)
        except Exception:
            await self._land()
            raise

    async def _land(self) -> None:
        """The books cannot be kept: what is on the wire comes to its end, nothing more leaves, all is written later."""
        self._give_back()
        while self._flying:
            self._news.clear()
            await self._news.wait()
        self._courier.remember(self._ended)

    async def _keep_books(self, most: int) -> int:
        """Settle what has ended and claim what there is room for; say how many came.

        Nobody calls a thread back: whoever is cancelled meanwhile waits for its commit, and knows what it brought.
        """
        books = asyncio.ensure_future(self._write_books(most))
        try:
            return await asyncio.shield(books)
        except asyncio.CancelledError:
            self._is_over = True
            await asyncio.wait([books])
            raise

    async def _write_books(self, most: int) -> int:
        ended, self._ended = self._ended, []
        self._in_hand -= len(ended)
        letters = await asyncio.to_thread(self._courier.settle_and_claim, ended, self._in_hand, most)
        self._in_hand += len(letters)
        self._stock.extend(letters)
        self._more.set()
        return len(letters)

    async def _enough_ended(self) -> None:
        """Wait until it is worth a commit: half of what may be in hand has ended, or nobody is busy.

        One that has ended waits no longer than a blink for others, so that its end is soon certain.
        """
        while not self._is_enough():
            self._news.clear()
            try:
                async with asyncio.timeout(UNWRITTEN_SECONDS if self._ended else None):
                    await self._news.wait()
            except TimeoutError:
                return

    def _is_enough(self) -> bool:
        if not self._able:
            self._give_back()
        courier = self._courier
        return len(self._ended) >= min(
            self._in_hand, max(courier.connections, courier.in_hand_of_an_issue // 2)
        )

    async def _carry(self, wire: Wire) -> None:
        """One connection: a letter after the other; it ends when it cannot be made while others can."""
        while True:
            while self._is_over or not self._stock:
                self._more.clear()
                await self._more.wait()
            letter = self._stock.popleft()
            self._flying += 1
            answer = await self._courier.send(wire, letter)
            self._flying -= 1
            self._ended.append((letter.claim, answer))
            if answer.outcome is Outcome.NOT_SENT:
                self._able -= 1
            self._news.set()
            if answer.outcome is Outcome.NOT_SENT:
                return

    def _give_back(self) -> None:
        """No connection can be made: what was not begun ends untouched."""
        untouched = Answer(Outcome.NOT_SENT, Stage.CONNECT, text="no connection to the relay")
        while self._stock:
            self._ended.append((self._stock.popleft().claim, untouched))


def _unready(why: str) -> Answer:
    """Not this letter's fault, as far as we know: it is tried again like one refused for now."""
    return Answer(Outcome.DEFERRED, Stage.CONNECT, text=one_line(why))


@contextmanager
def _as_far_as_possible(session: Session, letter_id: int) -> Iterator[None]:
    """What an end causes never keeps the end from being written: a template that does not hold costs its own letter."""
    try:
        with session.begin_nested():
            yield
    except (SQLAlchemyError, Temporary):
        raise
    except Exception:
        log.exception("nobody could be told", letter=letter_id)
