"""What a clock does for issues, minute by minute: releases them, asks about late ones, drops what is over, reports.

Each of these happens once, in one transaction with the row of its slot, whichever process comes first (T3, T4).
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlmodel import Session

from mailhub import outbox
from mailhub.centre import publications, subscriptions
from mailhub.centre.profile import Centre
from mailhub.centre.publications import Issue, IssueState, Recipient
from mailhub.database import Database
from mailhub.handlers import letters
from mailhub.handlers.desk import Desk
from mailhub.outbox import Line, Standing
from mailhub.render import Renderer
from mailhub.schedule.ticks import take_slot

MOST_NAMED = 100  # failures and doubts named in a report; `mailhub ledger` has them all

log = structlog.get_logger()


class Roster(Protocol):
    """Who is on the list of a publication at an instant: `subscriptions.roster`."""

    def __call__(self, session: Session, publication: str, at: datetime, /) -> Sequence[Recipient]: ...


@dataclass(frozen=True)
class Issues:
    """The clock's work on the issues of one home."""

    database: Database
    centre: Centre
    renderer: Renderer
    now: Callable[[], datetime]
    late_after: timedelta = timedelta(hours=6)  # past its hour by more, an issue waits for a person (T5)
    roster: Roster = subscriptions.roster

    def tick(self) -> int:
        """Do what is due; say how many issues were released by this very call."""
        for work in (self.drop_expired, self.ask_about_late):
            try:
                work()
            except Exception:
                log.exception("left for the next minute", work=work.__name__)
        released = self.release_due()
        self.follow_up()
        return released

    def release_due(self) -> int:
        """Let issues leave whose hour has come: their rosters are frozen, and copies planned, at one instant each.

        One whose hour is long past never leaves from here, though it could not be put off (T5).
        """
        now = self.now()
        with self.database.reading() as session:
            due = publications.due(session, now)
            late = publications.find_late(due, now, self.late_after)
            references = [issue.reference for issue in due if issue not in late]
        return sum(self._try_to_release(reference) for reference in references)

    def ask_about_late(self) -> int:
        """Put off issues whose hour is long past, and tell staff: after a restore they may have left before (T5)."""
        now = self.now()
        with self.database.reading() as session:
            found = publications.find_late(publications.due(session, now), now, self.late_after)
            references = [issue.reference for issue in found]
        return sum(self._ask_about(reference, now) for reference in references)

    def drop_expired(self) -> int:
        """Give up copies whose time is over (D43)."""
        with self.database.transaction() as session:
            dropped = outbox.expire(session, self.now())
        if dropped:
            log.warning("copies expired", copies=dropped)
        return dropped

    def follow_up(self) -> None:
        """Count what got through, and close an issue when every copy has come to its end: staff get its account."""
        with self.database.reading() as session:
            references = [issue.reference for issue in publications.running(session, self.now())]
        for reference in references:
            try:
                self._follow_up(reference)
            except Exception:
                log.exception("issue cannot be followed up", issue=reference)

    def _follow_up(self, reference: str) -> None:
        with self.database.transaction() as session:
            issue = publications.called(session, reference)
            outbox.count_sent(session, issue)
            if issue.state is IssueState.STOPPED:
                outbox.take_back(session, issue, self.now())
            is_over = issue.state is not IssueState.PAUSED and not outbox.unfinished(session, issue)
            if is_over and issue.released_at and take_slot(session, f"close {reference}", issue.released_at):
                if issue.state is IssueState.STOPPED:
                    outbox.seal(session, issue, self.now())
                self._tell(session, issue, "issue-report", self._account(session, issue))
                publications.close(session, issue)

    def _ask_about(self, reference: str, now: datetime) -> bool:
        """Whoever cannot be told, the issue does not leave by itself any more."""
        with self.database.transaction() as session:
            issue = publications.called(session, reference)
            if not publications.claim_due(session, issue, now):
                return False
            publications.put_off(session, issue)
            if issue.release_at and take_slot(session, f"late {reference}", issue.release_at):
                try:
                    with session.begin_nested():
                        self._tell(session, issue, "issue-late", {"planned_at": issue.release_at})
                except Exception:
                    log.exception("nobody could be told", issue=reference)
        return True

    def _try_to_release(self, reference: str) -> bool:
        """What is wrong with one issue keeps no other: staff are told once, and the next minute tries again."""
        try:
            return self._release(reference)
        except Exception:
            log.exception("issue cannot be released", issue=reference)
        try:
            with self.database.transaction() as session:
                issue = publications.called(session, reference)
                if issue.release_at and take_slot(session, f"trouble {reference}", issue.release_at):
                    values = {"planned_at": issue.release_at, "hours": self.late_after // timedelta(hours=1)}
                    self._tell(session, issue, "issue-trouble", values)
        except Exception:
            log.exception("nobody could be told", issue=reference)
        return False

    def _release(self, reference: str) -> bool:
        now = self.now()
        with self.database.transaction() as session:
            issue = publications.called(session, reference)
            if not publications.claim_due(session, issue, now):
                log.info("no longer to be released", issue=reference, state=issue.state)
                return False
            publication = self.centre.lists.publication(issue.publication)
            # Only whoever lets it leave takes the slot: an issue that is held may be released for the same hour again.
            if issue.release_at is None or not take_slot(session, f"release {reference}", issue.release_at):
                log.info("released by another process", issue=reference)
                return False
            roster = self.roster(session, issue.publication, now)
            expires_after = timedelta(days=publication.expires_after_days)
            lines = publications.freeze(session, issue, roster, now, expires_after=expires_after)
            copies = outbox.plan(session, issue, self.centre, self.renderer, now)
        log.info("released", issue=reference, roster=lines, copies=copies)
        return True

    def _account(self, session: Session, issue: Issue) -> dict[str, object]:
        named: dict[str, list[dict[str, object]]] = {}
        for standing in (Standing.FAILED, Standing.IN_DOUBT):
            lines = itertools.islice(outbox.read(session, issue, standing), MOST_NAMED)
            named[standing.value] = [self._named(line) for line in lines]
        return {"sums": {str(key): count for key, count in outbox.sums(session, issue).items()}, **named}

    def _named(self, line: Line) -> dict[str, object]:
        """One reader in a report; why a copy failed is said in our words, then in the server's."""
        end = outbox.end_of(line.why or "")
        failed = line.standing is Standing.FAILED
        why = self.renderer.words("endings", endings=end.endings, said=end.said) if failed else ""
        return {"name": line.name, "address": line.address, "letter_id": line.letter_id, "why": why}

    def _tell(self, session: Session, issue: Issue, template: str, values: Mapping[str, object]) -> None:
        desk = Desk(session, self.now(), self.centre, self.renderer)
        known = {"issue": issue.reference, "title": issue.title, **values}
        known |= {
            key: self.centre.calendar.local(at) for key, at in known.items() if isinstance(at, datetime)
        }
        drafts = letters.to_team(desk, template, f"{template}:{issue.reference}:{issue.release_at}", known)
        outbox.put(session, drafts, domain=self.centre.domain, now=desk.now)
