"""The courier's books: what came of letters is written, and the next are taken in hand, in one transaction.

Written first, done afterwards: nothing leaves that was not marked *sending*. What the relay said is known on when it
cannot be written, and what follows from an end (a receipt, a failure) is caused by the commit that writes it.
"""

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
from mailhub.deliver.pacing import Pacing
from mailhub.deliver.wire import Answer, Outcome, stuffed
from mailhub.errors import Temporary, UnknownRow
from mailhub.handlers import bounces, departures, letters
from mailhub.handlers.desk import Desk
from mailhub.mail import dkim
from mailhub.mail.newsletter import Copy, Form
from mailhub.outbox import Claim, End, Outgoing, OutgoingState, Retries, personal
from mailhub.render import Renderer

RELAY_AWAY = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=5))
# Letters in hand, sent or about to be, whose end is not written, are what a kill puts in doubt. Letters to one: one for
# each connection. Of an issue as many, or a hundredth of what waits, so that the doubt stays small beside the issue.
PART_IN_HAND = 100
MOST_IN_HAND = 4  # for each connection
_OPEN = frozenset({OutgoingState.SENDING, OutgoingState.IN_DOUBT})  # a notice may have settled it meanwhile
FORMS_KEPT = 4  # issues leaving at the same time

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    """One claimed letter and what leaves: its body with dots doubled, as the wire wants it."""

    claim: Claim
    copy: Copy | None  # None: it cannot be put together
    taken_at: datetime  # in hand since, and others take us for dead a `LEASE` later


Result = tuple[Claim, Answer]


@dataclass
class Books:
    """What one courier knows of letters in hand, and writes. Used by one thread at a time."""

    database: Database
    centre: Centre
    renderer: Renderer
    now: Callable[[], datetime]
    retries: Retries
    connections: int
    pacing: Pacing
    in_hand_of_an_issue: int = field(default=0, init=False)  # at most, as it was when the turn began
    _unwritten: list[Result] = field(default_factory=list, init=False)  # ends not committed yet
    _away: int = field(default=0, init=False)  # how often in a row the relay could not be reached
    _away_until: datetime | None = field(default=None, init=False)
    _forms: dict[str, Form] = field(default_factory=dict, init=False)

    def recover(self, *, everything: bool) -> int:
        """Put in doubt what a dead courier left on the wire, and tell the authors."""
        with self.database.transaction() as session:
            rows = outbox.abandoned(session, self.now(), everything=everything)
            for row in rows:
                outbox.in_doubt(row, "the process died while this letter was on the wire", self.now())
                session.flush()
                self._follow_up(session, row.id or 0)
        return len(rows)

    def remember(self, results: Sequence[Result], *, broken_off: bool = False) -> None:
        """Take note of how letters ended; what is not written yet goes into the next transaction.

        Of a turn that was broken off, what stayed here says nothing about the relay.
        """
        now = self.now()
        if results and not broken_off:
            self._mind_the_relay(results, now)
        for claim, answer in results:
            self.pacing.done(claim.destination, answer, now)
        self._unwritten += results

    @property
    def is_behind(self) -> bool:
        """Say whether ends are known that could not be written."""
        return bool(self._unwritten)

    def write(self, results: Sequence[Result], in_hand: int, *, claiming: bool) -> list[Letter]:
        """Write what came of letters and, if `claiming`, take hold of the next; one commit keeps both or neither.

        `in_hand` are those claimed before and not ended. When the commit fails, what the relay said is known on, and
        written by the next that succeeds.
        """
        now = self.now()
        self.remember(results)
        done = list(self._unwritten)
        if self._away_until is not None and now < self._away_until:
            claiming = False
        if not done and not (claiming and self._something_is_due(now)):
            return []
        claims: list[Claim] = []
        try:
            with self.database.transaction() as session:
                self._settle(session, done, now)
                if not done:
                    self.in_hand_of_an_issue = self._part_in_hand(session)
                claims = self._choose(session, in_hand, now) if claiming else []
                outbox.take(session, claims, now)
                letters = [Letter(claim, self._copy(session, claim), now) for claim in claims]
        except BaseException:
            for claim in claims:
                self.pacing.give_back(claim.destination)
            raise
        self._unwritten.clear()
        return letters

    def _something_is_due(self, now: datetime) -> bool:
        with self.database.reading() as session:
            return outbox.is_due(session, now, self.pacing.shut(now))

    def _settle(self, session: Session, results: Sequence[Result], now: datetime) -> None:
        taken = [(claim.id, answer.line) for claim, answer in results if answer.outcome is Outcome.ACCEPTED]
        outbox.settle_sent(session, taken, now)
        for claim, answer in results:
            if answer.outcome is not Outcome.ACCEPTED:
                row = outbox.get(session, claim.id, claim=True)
                if row.state not in _OPEN:
                    continue
                self._note(row, answer, now)
                if claim.issue_id is not None and row.state is OutgoingState.FAILED:
                    self._count_return(session, claim, answer, outbox.end_of(row.answer or ""))
            if claim.issue_id is None:
                self._follow_up(session, claim.id)

    def _note(self, row: Outgoing, answer: Answer, now: datetime) -> None:
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

    def _choose(self, session: Session, in_hand: int, now: datetime) -> list[Claim]:
        due = outbox.waiting(session, now, self.in_hand_of_an_issue, self.pacing.shut(now))
        # Letters to one come first: while there are any, nothing else fills the room they need.
        to_many = bool(due) and due[0].issue_id is not None
        room = (self.in_hand_of_an_issue if to_many else self.connections) - in_hand
        chosen: list[Claim] = []
        for claim in due:
            if len(chosen) < room and self.pacing.take(claim.destination, now):
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

    def _count_return(self, session: Session, claim: Claim, answer: Answer, end: End) -> None:
        """What the relay refused counts like what came back (D32)."""
        desk = Desk(session, self.now(), self.centre, self.renderer)
        outcome = returns.of_answer(answer.code or 0, answer.line, answer.stage)
        events = returns.record(session, claim.subscription_id or 0, claim.issue_id or 0, outcome, desk.now)
        with _as_far_as_possible(session, claim.id):
            drafts = bounces.told(desk, events, why=letters.why(desk, end), said=end.said)
            outbox.put(session, drafts, domain=self.centre.domain, now=desk.now)

    def _follow_up(self, session: Session, letter_id: int) -> None:
        desk = Desk(session, self.now(), self.centre, self.renderer)
        with _as_far_as_possible(session, letter_id):
            drafts = departures.told_of(outbox.get(session, letter_id), desk)
            outbox.put(session, drafts, domain=self.centre.domain, now=desk.now)


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
