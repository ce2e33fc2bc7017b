"""The journal and the outbox of the centre of the play, read at one moment, as anybody at its desk could."""

from dataclasses import dataclass
from typing import TypeVar

from sqlmodel import Session, SQLModel, select

from mailhub import journal, outbox
from mailhub.centre.requests import Request
from mailhub.database import Database
from mailhub.journal import Inbound, InboundState, Verdict
from mailhub.outbox import Outgoing, OutgoingState

Row = TypeVar("Row", bound=SQLModel)


@dataclass(frozen=True, slots=True)
class Books:
    """What the centre has written down, oldest first."""

    journal: tuple[Inbound, ...]
    outbox: tuple[Outgoing, ...]
    requests: tuple[Request, ...]
    states: dict[InboundState, int]
    verdicts: dict[Verdict, int]

    @property
    def doubtful(self) -> list[Outgoing]:
        """Letters of which nobody knows whether they arrived."""
        return [row for row in self.outbox if row.state is OutgoingState.IN_DOUBT]


def read(database: Database) -> Books:
    """One moment of all the books."""
    with database.reading() as session:
        states, verdicts = journal.figures(session)
        return Books(
            journal=_all(session, Inbound),
            outbox=_all(session, Outgoing),
            requests=_all(session, Request),
            states=states,
            verdicts=verdicts,
        )


def unfinished(database: Database) -> str:
    """What is under way, in words; "" when all is quiet."""
    with database.reading() as session:
        states, _ = journal.figures(session)
        letters = outbox.figures(session)
    mails = states.get(InboundState.WAITING, 0)
    leaving = letters.get(OutgoingState.WAITING, 0) + letters.get(OutgoingState.SENDING, 0)
    return f"{mails} mails wait to be handled and {leaving} letters to leave" if mails or leaving else ""


def _all(session: Session, table: type[Row]) -> tuple[Row, ...]:
    return tuple(row.model_copy() for row in session.exec(select(table)).all())
