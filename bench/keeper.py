"""The doors with the smallest durable journal behind them: raw bytes and a row in SQLite, waiting mails committed
together. It is the door's own speed that this shows; the whole service is measured when `mailhub serve` stands here.

    python -m bench.keeper HOME        prints the address it listens on, serves until SIGTERM
"""

import asyncio
import hashlib
import queue
import signal
import sqlite3
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import uvloop

from mailhub.receive.limits import Limits
from mailhub.receive.smtp import Arrival, Door, Kept

MOST_AT_ONCE = 256
SCHEMA = """
CREATE TABLE blob (digest BLOB PRIMARY KEY, raw BLOB NOT NULL);
CREATE TABLE inbound (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL REFERENCES blob, recipient TEXT NOT NULL, sender TEXT NOT NULL,
    source TEXT NOT NULL, client_ip TEXT NOT NULL, helo TEXT NOT NULL, received_at TEXT NOT NULL,
    state TEXT NOT NULL, UNIQUE (digest, recipient, source));
CREATE INDEX inbound_state ON inbound (state, id);
"""


class Keeper:
    """One thread that writes; whoever waits while it commits goes into the next commit."""

    def __init__(self, path: Path) -> None:
        self._waiting: queue.SimpleQueue[tuple[Arrival, asyncio.Future[Sequence[Kept]]] | None] = (
            queue.SimpleQueue()
        )
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._write, args=(path,), name="keeper")
        self._thread.start()

    def keep(self, arrival: Arrival) -> asyncio.Future[Sequence[Kept]]:
        """Resolve after the commit."""
        kept = self._loop.create_future()
        self._waiting.put((arrival, kept))
        return kept

    def close(self) -> None:
        """Write what waits and stop."""
        self._waiting.put(None)
        self._thread.join()

    def _write(self, path: Path) -> None:
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(SCHEMA)
        while (first := self._waiting.get()) is not None:
            batch = [first]
            while len(batch) < MOST_AT_ONCE and not self._waiting.empty():
                more = self._waiting.get()
                if more is None:
                    self._waiting.put(None)
                    break
                batch.append(more)
            self._commit(database, [arrival for arrival, _ in batch])
            self._loop.call_soon_threadsafe(self._tell, batch)
        database.close()

    @staticmethod
    def _commit(database: sqlite3.Connection, arrivals: list[Arrival]) -> None:
        digests = [hashlib.sha256(arrival.raw).digest() for arrival in arrivals]
        database.execute("BEGIN IMMEDIATE")
        database.executemany(
            "INSERT OR IGNORE INTO blob VALUES (?, ?)",
            [(digest, arrival.raw) for digest, arrival in zip(digests, arrivals, strict=True)],
        )
        database.executemany(
            "INSERT OR IGNORE INTO inbound VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
            [
                (
                    digest,
                    recipient,
                    mail.sender,
                    mail.source,
                    mail.client_ip,
                    mail.helo,
                    mail.received_at.isoformat(),
                )
                for digest, mail in zip(digests, arrivals, strict=True)
                for recipient in mail.recipients
            ],
        )
        database.execute("COMMIT")

    @staticmethod
    def _tell(batch: list[tuple[Arrival, asyncio.Future[Sequence[Kept]]]]) -> None:
        for arrival, kept in batch:
            if not kept.done():
                kept.set_result([Kept.KEPT] * len(arrival.recipients))


async def serve(home: Path) -> None:
    """Listen on a free port of loopback until told to stop."""
    keeper = Keeper(home / "keeper.db")
    door = Door(
        keeper.keep, lambda address: address.endswith("@centre.example"), Limits(), "mx.centre.example"
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print(*await door.listen(smtp=["127.0.0.1:0"]), flush=True)
    await stop.wait()
    await door.close()
    keeper.close()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
