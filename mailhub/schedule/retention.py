"""The retention clocks: raw bytes go when what became of their mail is old enough; its line in the journal stays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from mailhub import journal
from mailhub.database import Database
from mailhub.journal import Verdict
from mailhub.schedule.ticks import is_done, take_slot

JOB = "retention"
AT_ONCE = 100  # mails to one transaction: the doors wait for the same database

log = structlog.get_logger()


@dataclass(frozen=True)
class Retention:
    """How long the raw bytes of one home are kept."""

    database: Database
    now: Callable[[], datetime]
    days: Mapping[Verdict, int]

    def tick(self) -> int:
        """Let the clocks run, once in a day of UTC, whoever comes first; say how many mails lost their bytes.

        The day is called done when all of it is: to begin again after a crash is harmless.
        """
        now = self.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        with self.database.reading() as session:
            if is_done(session, JOB, midnight):
                return 0
            over = journal.expired(session, now, self.days)
        for first in range(0, len(over), AT_ONCE):
            with self.database.transaction() as session:
                journal.forget(session, over[first : first + AT_ONCE])
        with self.database.transaction() as session:
            take_slot(session, JOB, midnight)
        log.info("retention", mails=len(over))
        return len(over)
