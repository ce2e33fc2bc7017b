"""Bytes kept under the name of their content: the raw mails and the files that came with them.

They live in the database, so that a mail and its rows are kept by the same commit and saved by the same backup.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import LargeBinary, func, type_coerce
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, delete, select

from mailhub import rows
from mailhub.errors import UnknownRow

WORTH_WRITING_OCTETS = (
    32 * 1024
)  # a statement for less costs more than it writes, and takes the interpreter from the doors
_MOST_NAMED = 500  # in one statement


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
            _write(session, blobs)
            blobs, octets = [], 0
    _write(session, blobs)
    return digests


def _write(session: Session, blobs: Sequence[Mapping[str, object]]) -> None:
    """Keep what is new, and hold what was kept already, so that nobody forgets it before we have said who needs it."""
    if rows.insert_missing(session, Blob, blobs) == len(blobs):
        return
    found = select(Blob.digest).where(col(Blob.digest).in_([blob["digest"] for blob in blobs]))
    held = set(session.exec(found.with_for_update(read=True, key_share=True)).all())
    rows.insert_missing(session, Blob, [blob for blob in blobs if blob["digest"] not in held])


def claim(session: Session, digest: str) -> None:
    """Let nobody find these bytes kept until the transaction ends: they may be forgotten in it."""
    session.exec(select(Blob.digest).where(Blob.digest == digest).with_for_update()).all()


def fetch(session: Session, digest: str) -> bytes:
    """The bytes of that name."""
    content = session.exec(select(Blob.content).where(Blob.digest == digest)).one_or_none()
    if content is None:
        raise UnknownRow(f"no bytes are kept under {digest}")
    return content


def beginnings(session: Session, digests: Sequence[str], octets: int) -> dict[str, bytes]:
    """The first so many octets of the bytes of these names; what is not kept is left out."""
    found: dict[str, bytes] = {}
    for start in range(0, len(digests), _MOST_NAMED):
        few = digests[start : start + _MOST_NAMED]
        beginning = type_coerce(func.substr(Blob.content, 1, octets), LargeBinary)
        found.update(session.execute(select(Blob.digest, beginning).where(col(Blob.digest).in_(few))).all())
    return found


def forget(session: Session, digest: str) -> None:
    """Remove the bytes of that name; nothing happens when they are gone, or when something else is made of them.

    A mail that somebody passed on as a file is such: the file of a request holds the same bytes.
    """
    with suppress(IntegrityError), session.begin_nested():
        session.execute(delete(Blob).where(col(Blob.digest) == digest))
