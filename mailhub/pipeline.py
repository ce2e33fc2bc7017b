"""Carries mail from the journal to the outbox: understand, route, handle.

Reading (and any DNS it needs) happens outside the transaction; what follows is one short transaction for a handful
of mails. When one of them raises, none is committed and each is handled alone: the bad one leaves no trace but a note.
"""

import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from mailhub import journal, outbox, understand
from mailhub.centre.profile import Centre
from mailhub.database import Database, take_turns
from mailhub.errors import ChangedMeanwhile, StorageTrouble
from mailhub.handlers import HANDLERS, Handler
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Claimed, Ending, Unread, Verdict
from mailhub.render import Renderer
from mailhub.route import Errand, route
from mailhub.understand import Reading, Weigh, believe_nobody

AT_ONCE = 200  # mails to one transaction; a commit costs as much as handling several
AT_LEAST = 3  # of them before it gives way to doors that wait for the same database

log = structlog.get_logger()


@dataclass(frozen=True)
class Pipeline:
    """Handles the mails of one home."""

    database: Database
    centre: Centre
    renderer: Renderer
    now: Callable[[], datetime]
    weigh: Weigh = believe_nobody
    readers: Executor | None = None  # reads several mails at once where reading waits for DNS
    handlers: Mapping[Errand, Handler] = field(default_factory=lambda: HANDLERS)

    def step(self, is_pressed: Callable[[], bool] = lambda: False) -> bool:
        """Handle the oldest waiting mails; False when there were none but those another process has in hand.

        While `is_pressed` says that mail comes in, fewer are handled at a time: what is accepted may wait, its sender
        may not.
        """
        with self.database.reading() as session:
            unread = journal.waiting(session, AT_LEAST if is_pressed() else AT_ONCE)
        if not unread:
            return False
        each = self.readers.map if self.readers else map
        readings: dict[int, Reading] = {}
        for mail, reading in zip(unread, each(self._read, unread), strict=True):
            if isinstance(reading, Exception):
                self._note_failure(mail.number, reading, "reading")
                continue
            readings[mail.number] = reading
            if len(readings) >= AT_LEAST and is_pressed():
                break
        try:
            return self._handle(readings, is_pressed) > 0 or len(readings) < len(unread)
        except StorageTrouble:
            raise
        except Exception:  # noqa: BLE001 — one of them; alone, it will be known which
            for number, reading in readings.items():
                self._handle_alone(number, reading)
        return True

    def _read(self, unread: Unread) -> Reading | Exception:
        """What a mail says, or what reading it came to grief on: that is this mail's alone."""
        try:
            return understand.read(
                unread.raw, unread.envelope, self.centre, number=unread.number, weigh=self.weigh
            )
        except Exception as error:  # noqa: BLE001 — whatever it is, the mails behind it are read
            return error

    def _handle(self, readings: Mapping[int, Reading], is_pressed: Callable[[], bool] = lambda: False) -> int:
        """Everything these mails cause, or nothing; say how many were handled."""
        ended: list[tuple[int, Verdict | None, str]] = []
        with self.database.transaction() as session:
            now = self.now()
            claimed = journal.claim(session, readings)
            # Of two mails of one author, in whichever process, the later sees what the first did.
            take_turns(session, {readings[mail.number].sender or "" for mail in claimed})
            for mail in claimed:
                if len(ended) >= AT_LEAST and is_pressed():
                    break
                reading = readings[mail.number]
                outcome, rule = self._run(session, mail, reading, now)
                self._settle(session, mail, reading, outcome, rule, now)
                ended.append((reading.number, outcome.verdict, rule))
        for number, verdict, rule in ended:
            log.info("handled", mail=number, verdict=verdict, rule=rule)
        return len(ended)

    def _handle_alone(self, number: int, reading: Reading) -> None:
        """One mail in a transaction of its own; whatever its handler raises, the others go on."""
        try:
            try:
                self._handle({number: reading})
            except (IntegrityError, ChangedMeanwhile):
                # Two processes met the same person at once: one waited and lost. What the other wrote can be read
                # by now.
                self._handle({number: reading})
        except StorageTrouble:
            raise
        except Exception as error:  # noqa: BLE001 — whatever it is, it is this mail's alone
            self._note_failure(number, error, "a handler")

    def _note_failure(self, number: int, error: Exception, where: str) -> None:
        """Count a failure of one mail; the third parks it."""
        with self.database.transaction() as session:
            for mail in journal.claim(session, [number]):
                journal.failed(session, mail, f"{type(error).__name__} in {where}", self.now())
        frame = traceback.extract_tb(error.__traceback__)[-1]
        # Not the message of the error: it may hold words of the mail.
        log.warning(
            "mail failed", mail=number, error=type(error).__name__, file=frame.filename, line=frame.lineno
        )

    def _run(self, session: Session, mail: Claimed, reading: Reading, now: datetime) -> tuple[Outcome, str]:
        placed = understand.place(session, reading, self.centre, mail)
        ruling = route(placed)
        desk = Desk(session, now, self.centre, self.renderer)
        return self.handlers[ruling.errand](placed, desk), ruling.rule

    def _settle(
        self, session: Session, mail: Claimed, reading: Reading, outcome: Outcome, rule: str, now: datetime
    ) -> None:
        outbox.put(session, outcome.drafts, domain=self.centre.domain, now=now)
        ending = Ending(
            verdict=outcome.verdict,
            rule=rule,
            note=outcome.note,
            message_id=reading.message.message_id,
            author=reading.sender,
            gist=reading.gist,
        )
        journal.settle(session, mail, ending, now)
