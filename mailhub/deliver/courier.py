"""Outbox to relay: letters taken in hand are signed and handed over, over a few connections that stay open.

Between two transactions of the books the wire is busy. Few letters are in hand at any time, and one we make a mistake
with keeps no other from leaving.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from mailhub.centre.profile import Centre
from mailhub.database import Database
from mailhub.deliver.books import Books, Letter, Result
from mailhub.deliver.pacing import Pace, Pacing
from mailhub.deliver.wire import Answer, Outcome, Relay, Stage, Wire
from mailhub.mail.dkim import Signer
from mailhub.mail.newsletter import Copy
from mailhub.mail.words import one_line
from mailhub.outbox import LEASE, Claim, Retries
from mailhub.render import Renderer

SIGNERS = 2  # threads: while one waits for the interpreter, the other signs
TURN_SECONDS = 1.0  # for so long `step` takes letters in hand: whoever wants to stop need not wait long
UNWRITTEN_SECONDS = 0.02  # how long an end waits for others to be written with

log = structlog.get_logger()


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
    books: Books = field(init=False)
    _wires: list[Wire] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.books = Books(
            database=self.database,
            centre=self.centre,
            renderer=self.renderer,
            now=self.now,
            retries=self.retries,
            connections=self.connections,
            pacing=Pacing(self.paces, self.per_destination_per_minute),
        )

    def recover(self, *, everything: bool) -> int:
        """Put in doubt what a dead courier left on the wire, and tell the authors."""
        return self.books.recover(everything=everything)

    async def step(self) -> bool:
        """Send what is due, for a while; False when nothing was."""
        return await _Turn(self).run()

    async def close(self) -> None:
        """Write what is known and not written yet, and say goodbye to the relay."""
        try:
            if self.books.is_behind:
                await asyncio.to_thread(self.books.write, [], 0, claiming=False)
        finally:
            wires, self._wires = self._wires, []
            await asyncio.gather(*(wire.quit() for wire in wires))

    def wires(self) -> list[Wire]:
        """The connections, opened when they are first used."""
        while len(self._wires) < self.connections:
            self._wires.append(Wire(self.relay))
        return self._wires

    def has_time_for(self, letter: Letter) -> bool:
        """Say whether a letter that begins now surely ends while it is ours: later it is anybody's to call in doubt."""
        longest = timedelta(seconds=self.relay.timeouts.letter)
        return self.now() + longest <= letter.taken_at + LEASE

    def ready(self, letter: Letter) -> bytes | Answer:
        """What goes over the wire; when nothing can, what became of the letter.

        Never raises, nor does `send`: a letter we make a mistake with is no reason for the others to stay.
        """
        if letter.copy is None:
            return _unready("cannot be put together")
        try:
            return self._signed(letter.copy)
        except Exception as mistake:
            log.exception("cannot be signed", letter=letter.claim.id)
            return _unready(f"cannot be signed: {mistake}")

    async def send(self, wire: Wire, claim: Claim, raw: bytes) -> Answer:
        """Hand one letter over; a connection that has carried its share is replaced first."""
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


@dataclass(eq=False, slots=True)
class _Parcel:
    """One letter in hand."""

    letter: Letter
    ready: bytes | Answer | None = None  # None while it is being signed


class _Turn:
    """A while of sending: each connection takes letters from one stock, one hand keeps the stock and the books.

    An RSA signature is half the work of a letter, and OpenSSL makes it beside the interpreter: on another core, while
    the wire and the books go on.
    """

    def __init__(self, courier: Courier) -> None:
        self._courier, self._books = courier, courier.books
        self._stock: deque[_Parcel] = deque()
        self._ended: list[Result] = []
        self._in_hand = 0  # claimed, and its end not written
        self._flying = 0  # given to a connection
        self._able = 0  # connections that can carry one
        self._is_over = False  # nobody waits for us any more
        self._more = asyncio.Event()
        self._news = asyncio.Event()

    async def run(self) -> bool:
        """Send until nothing is due or the turn is over; False when there was nothing at all."""
        try:
            if not await self._keep_books(claiming=True):
                return False
            async with asyncio.TaskGroup() as tasks:
                lanes = [tasks.create_task(self._carry(wire)) for wire in self._courier.wires()]
                self._able = len(lanes)
                await self._oversee()
                for lane in lanes:
                    lane.cancel()
        except ExceptionGroup as troubles:
            raise troubles.exceptions[0] from None
        except asyncio.CancelledError:
            # Whoever waited for us waits no longer: what was not begun is untouched.
            self._give_back("we were stopped")
            self._books.remember(self._ended, broken_off=True)
            raise
        return True

    async def _oversee(self) -> None:
        """Let the connections work until nothing is in hand, and take more while the turn lasts."""
        clock = asyncio.get_running_loop().time
        end = clock() + TURN_SECONDS
        try:
            while self._in_hand:
                await self._enough_ended()
                await self._keep_books(claiming=self._able > 0 and clock() < end)
        except Exception:
            await self._land()
            raise

    async def _land(self) -> None:
        """The books cannot be kept: what is on the wire comes to its end, nothing more leaves, all is written later."""
        self._give_back("the database could not be written")
        while self._flying:
            self._news.clear()
            await self._news.wait()
        self._books.remember(self._ended, broken_off=True)

    async def _keep_books(self, *, claiming: bool) -> int:
        """Settle what has ended and claim what there is room for; say how many came.

        Nobody calls a thread back: whoever is cancelled meanwhile waits for its commit, and knows what it brought.
        """
        books = asyncio.ensure_future(self._write_books(claiming=claiming))
        try:
            return await asyncio.shield(books)
        except asyncio.CancelledError:
            self._is_over = True
            while not books.done():  # however often they are told to hurry
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([books])
            if trouble := books.exception():
                log.warning("books not kept while stopping", why=str(trouble))
            raise

    async def _write_books(self, *, claiming: bool) -> int:
        ended, self._ended = self._ended, []
        self._in_hand -= len(ended)
        letters = await asyncio.to_thread(self._books.write, ended, self._in_hand, claiming=claiming)
        self._in_hand += len(letters)
        parcels = [_Parcel(letter) for letter in letters]
        self._stock.extend(parcels)
        loop = asyncio.get_running_loop()
        for first in range(min(SIGNERS, len(parcels))):
            loop.run_in_executor(None, self._make_ready, parcels[first::SIGNERS], loop)
        return len(letters)

    def _make_ready(self, parcels: Sequence[_Parcel], loop: asyncio.AbstractEventLoop) -> None:
        """Sign letters one after the other, and wake the connections when there is something for each."""
        for number, parcel in enumerate(parcels, 1):
            parcel.ready = self._courier.ready(parcel.letter)
            if number % self._courier.connections == 0 or number == len(parcels):
                loop.call_soon_threadsafe(self._more.set)

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
            self._give_back("no connection to the relay")
        enough = max(self._courier.connections, self._books.in_hand_of_an_issue // 2)
        return len(self._ended) >= min(self._in_hand, enough)

    async def _carry(self, wire: Wire) -> None:
        """One connection: a letter after the other; it ends when it cannot be made while others can."""
        while True:
            while self._is_over or not self._stock or (ready := self._stock[0].ready) is None:
                self._more.clear()
                await self._more.wait()
            letter = self._stock.popleft().letter
            claim = letter.claim
            if not self._courier.has_time_for(letter):
                self._ended.append((claim, _untouched("it had waited too long behind others")))
                self._news.set()
                continue
            self._flying += 1
            try:
                answer = ready if isinstance(ready, Answer) else await self._courier.send(wire, claim, ready)
            except asyncio.CancelledError:
                if not wire.may_have_left:
                    self._ended.append((claim, _untouched("we were stopped")))
                raise
            finally:
                self._flying -= 1
            self._ended.append((claim, answer))
            if answer.outcome is Outcome.NOT_SENT:
                self._able -= 1
            self._news.set()
            if answer.outcome is Outcome.NOT_SENT:
                return

    def _give_back(self, why: str) -> None:
        """What was not begun ends untouched."""
        while self._stock:
            self._ended.append((self._stock.popleft().letter.claim, _untouched(why)))


def _untouched(why: str) -> Answer:
    return Answer(Outcome.NOT_SENT, Stage.CONNECT, text=why)


def _unready(why: str) -> Answer:
    """Not this letter's fault, as far as we know: it is tried again like one refused for now."""
    return Answer(Outcome.DEFERRED, Stage.CONNECT, text=one_line(why))
