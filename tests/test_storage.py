"""Bytes are kept once, under the name of their content."""

import hashlib
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from mailhub import storage
from mailhub.database import Database
from mailhub.errors import UnknownRow
from mailhub.storage import Blob

BYTES = b"From: a@b.example\r\n\r\n\x00\xff caf\xe9\r\n"


def test_bytes_come_back_as_they_were(database: Database, now: datetime):
    with database.transaction() as session:
        digest = storage.keep(session, BYTES, now)

    with database.reading() as session:
        assert digest == hashlib.sha256(BYTES).hexdigest()
        assert storage.fetch(session, digest) == BYTES


def test_the_same_bytes_are_kept_once(database: Database, now: datetime):
    with database.transaction() as session:
        first = storage.keep(session, BYTES, now)
        again = storage.keep(session, BYTES, now + timedelta(days=1))

    with database.reading() as session:
        assert first == again
        assert session.exec(select(Blob.size, Blob.stored_at)).all() == [(len(BYTES), now)]


def test_no_bytes_are_bytes_too(database: Database, now: datetime):
    with database.transaction() as session:
        digest = storage.keep(session, b"", now)

        assert storage.fetch(session, digest) == b""


def test_forgotten_bytes_are_gone(database: Database, now: datetime):
    with database.transaction() as session:
        digest = storage.keep(session, BYTES, now)
        storage.forget(session, digest)
        storage.forget(session, digest)

        with pytest.raises(UnknownRow, match=digest):
            storage.fetch(session, digest)
