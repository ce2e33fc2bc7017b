"""What became of each copy that left by email, one row for each issue and reader."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from mailhub.database import words


class Returned(StrEnum):
    """What became of one copy, as far as anybody told us; later words rank higher."""

    SENT = "sent"  # the relay took it, and nothing came back so far
    POLICY = "policy"  # refused for what we are or send: ours, never theirs (5.7.x)
    SOFT = "soft"  # full, away, unreachable for now
    DELIVERED = "delivered"  # their server says so
    HARD = "hard"  # the mailbox is closed
    ADDRESS = "address"  # there is no such address (5.1.x)


class IssueReturn(SQLModel, table=True):
    """One copy of one issue by email, and what became of it."""

    subscription_id: int = Field(primary_key=True, foreign_key="subscription.id")
    issue_id: int = Field(primary_key=True)
    address: str  # where it went: failures stay with the address they happened at (T15)
    outcome: Returned = Field(sa_column=Column(words(Returned), nullable=False))
    first_at: datetime  # when it left, or was first heard of
    at: datetime  # when the outcome was told
