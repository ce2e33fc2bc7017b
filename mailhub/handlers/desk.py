"""What a handler is given, and what it gives back.

A handler reads the Reading, speaks to the domain through the session (which cannot commit) and returns one
Outcome. Letters it causes are drafts in that Outcome; the pipeline puts them in the outbox in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from mailhub.centre.profile import Centre
from mailhub.journal import Verdict
from mailhub.lists import Lists
from mailhub.mail.draft import Draft
from mailhub.render import Renderer


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a handler works with."""

    session: Session
    now: datetime
    centre: Centre
    renderer: Renderer

    @property
    def lists(self) -> Lists:
        """What is published, and for which circles."""
        return self.centre.lists


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mail."""

    verdict: Verdict | None  # None: held, it waits for somebody's answer
    note: str  # for the journal: what was done, with numbers and references, without any text of the mail
    drafts: tuple[Draft, ...] = ()
