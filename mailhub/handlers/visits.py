"""One mail about lists, with whoever wrote it: what they receive, what they mean, and the letters about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from mailhub import journal
from mailhub.centre import people, subscriptions
from mailhub.centre.people import Person
from mailhub.centre.subscriptions import LIVE, Confirmation, Evidence, Source, Subscription
from mailhub.handlers import correspondence, incoming, letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.lists import Publication
from mailhub.mail.draft import Draft
from mailhub.mail.reasons import Reason
from mailhub.mail.tokens import Purpose
from mailhub.mail.wish import Kind, Wish
from mailhub.understand import Reading


class Concern(StrEnum):
    """What staff are to look at though the mail itself was clear."""

    SEAT = "seat"  # a function is no longer served
    NO_WAY = "no-way"  # neither paper, by their word, nor email, which came back
    NOT_NOW = "not-now"  # a new address that may not be asked now
    ELSEWHERE = "elsewhere"  # a yes or no from another address than the one asked
    TOO_LATE = "too-late"  # a yes to what nobody asks any more


@dataclass(frozen=True)
class Visit:
    """One mail about lists: who writes, what they receive, what they mean."""

    reading: Reading
    desk: Desk

    @cached_property
    def wish(self) -> Wish:
        """What they ask."""
        return self.reading.wish or Wish(Kind.NONE, reason=Reason.NO_WORDS)

    @cached_property
    def answered(self) -> Subscription | None:
        """The subscription whose letter or issue this mail answers."""
        token = self.reading.reader_token
        if token is None or token.purpose is Purpose.JOIN:
            return None
        return subscriptions.borne(self.desk.session, token)

    @cached_property
    def asked(self) -> Confirmation | None:
        """The question of ours this mail answers."""
        token = self.reading.reader_token
        if token is None or token.purpose is not Purpose.JOIN:
            return None
        return self.desk.session.get(Confirmation, token.thread)

    @cached_property
    def person(self) -> Person | None:
        """Who writes: of those who have the address, the one so named, else the one whose letter is answered."""
        found = people.all_at(self.desk.session, self.reading.sender or "")
        readers = [each for each in found if self.rows_of(each)] or found
        named = [each for each in readers if people.same_name(each.name, self.reading.sender_name)]
        answered = subscriptions.reader_of(self.desk.session, self.answered) if self.answered else None
        addressed = [each for each in readers if answered is not None and each.id == answered.id]
        here = people.present_at(self.desk.session, self.reading.sender or "")
        present = [each for each in readers if each in here or not self.reading.sender_name]
        return next(iter([*named, *addressed, *present]), None)

    def rows_of(self, person: Person) -> list[Subscription]:
        """Everything a person has to do with."""
        return subscriptions.held_by(self.desk.session, [people.identity(person)])

    @cached_property
    def rows(self) -> list[Subscription]:
        """Everything the writer has to do with."""
        return self.rows_of(self.person) if self.person else []

    @property
    def live(self) -> list[Subscription]:
        """What they receive now, or would after a pause."""
        return [row for row in self.rows if row.state in LIVE]

    @cached_property
    def codes(self) -> frozenset[str]:
        """The publications meant: those named, else those answered, else the one written to; none when nobody knows."""
        if self.wish.publications:
            return frozenset(self.wish.publications)
        if self.asked is not None and self.asked.codes:
            return frozenset(self.asked.codes)
        if self.answered is not None and self.answered in self.rows:
            return frozenset({self.answered.publication})
        at = self.desk.centre.publication_of(self.reading.service)
        return frozenset({at.code}) if at else frozenset()

    def meant(self, rows: Sequence[Subscription]) -> list[Subscription]:
        """Those of these subscriptions the mail is about: all of them when it names none."""
        return [row for row in rows if row.publication in self.codes] if self.codes else list(rows)

    @cached_property
    def evidence(self) -> Evidence:
        """This mail, as proof."""
        number = self.reading.number
        digest = journal.get(self.desk.session, number).digest if number else None
        return Evidence(Source.MAIL, self.desk.now, message_digest=digest, inbound_id=number or None)

    def titled(self, rows: Sequence[Subscription]) -> tuple[Publication, ...]:
        """The publications of these subscriptions."""
        return correspondence.publications(self.desk, [row.publication for row in rows])

    def told(
        self, template: str, row: Subscription | None, about: Sequence[Publication], **values: object
    ) -> tuple[Draft, ...]:
        """The one letter that says what was done; none where an answer would be one too many."""
        reading = self.reading
        if self.person is None or not correspondence.may_answer(self.desk, reading, template):
            return ()
        key = f"{template}:{reading.number}"
        deed = correspondence.Deed(
            template, key, self.person, reading.sender or "", row, about, values, answers=reading
        )
        return (correspondence.done(self.desk, deed),)

    def shown_to_staff(
        self, concern: Concern | None = None, *, nothing_done: bool = False
    ) -> tuple[Draft, ...]:
        """The mail as staff see it: who writes, what they receive, what was understood and why it was not enough."""
        reading = self.reading
        values = {
            **incoming.outlines(reading),
            "understood": str(self.wish.kind),
            "why": self._why(concern),
            "nothing_done": nothing_done,
            "named": self.wish.address,
            "since": self.wish.since,
            "reader": correspondence.card(self.desk, self.person, self.rows),
            "text": "" if reading.quoting.only_quotes else reading.quoting.reply,
        }
        return letters.to_team(self.desk, "subscription-wish", f"subscription-wish:{reading.number}", values)

    def left_to_staff(self, concern: Concern | None = None) -> Outcome:
        """Not clear, not theirs, or not ours to do: staff see it with all that is known, nothing is done."""
        drafts = self.shown_to_staff(concern, nothing_done=True)
        said = f"{self.wish.kind} of a reader, shown to {len(drafts)} of staff"
        return Outcome(Verdict.TRIAGE, said, drafts)

    def _why(self, concern: Concern | None) -> str:
        if concern is not None:
            return self.desk.renderer.words("reasons", reason=concern, among=(), words="")
        wish = self.wish
        return self.desk.renderer.words("reasons", reason=wish.reason, among=wish.among, words=wish.why)
