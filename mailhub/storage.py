"""Bytes kept under the name of their content: the raw mails and the files that came with them.

They live in the database, so that a mail and its rows are kept by the same commit and saved by the same backup.
"""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, delete, select

from mailhub import rows
from mailhub.errors import UnknownRow

WORTH_WRITING_OCTETS = (
    32 * 1024
)  # a statement for less costs more than it writes, and takes the interpreter from the doors


class Blob(SQLModel, table=True):
    """Some bytes, once, however often they came."""

    digest: str = Field(primary_key=True, max_length=64)  # SHA-256 of the content, in hexadecimal
    size: int  # in bytes
    stored_at: datetime  # when they first came
    content: bytes  # last: SQLite walks through all of it to reach a column behind it


def keep(session: Session, content: bytes, now: datetime) -> str:
    """Keep these bytes and say under which name; bytes that are kept already stay as they are."""
    (digest,) = keep_all(session, [content], now)
    return digest


def keep_all(session: Session, contents: Iterable[bytes], now: datetime) -> list[str]:
    """The same for many, asked for one by one and written whenever there is enough for a statement."""
    digests, blobs, octets = [], [], 0
    for content in contents:
        digest = hashlib.sha256(content).hexdigest()
        digests.append(digest)
        blobs.append({"digest": digest, "size": len(content), "stored_at": now, "content": content})
        octets += len(content)
        if octets >= WORTH_WRITING_OCTETS:
            rows.insert_missing(session, Blob, blobs)
            blobs, octets = [], 0
    rows.insert_missing(session, Blob, blobs)
    return digests


def fetch(session: Session, digest: str) -> bytes:
    """The bytes of that name."""
    content = session.exec(select(Blob.content).where(Blob.digest == digest)).one_or_none()
    if content is None:
        raise UnknownRow(f"no bytes are kept under {digest}")
    return content


def forget(session: Session, digest: str) -> None:
    """Remove the bytes of that name; nothing happens when they are gone, or when something else is made of them.

    A mail that somebody passed on as a file is such: the file of a request holds the same bytes.
    """
    with suppress(IntegrityError), session.begin_nested():
        session.execute(delete(Blob).where(col(Blob.digest) == digest))
