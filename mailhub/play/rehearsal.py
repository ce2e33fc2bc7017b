"""`mailhub serve` by a clock that stands still until it is put on, so that a play says the same dates every time.

Whoever holds the other end of standard input writes an instant on a line. The clock is put there, what a serving home
does for issues each minute is done once, and the line comes back. `mailhub serve` itself has no such option: a centre
with a wrong clock would promise wrong dates. This one refuses to start where letters would leave the machine.
"""

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

from mailhub import app, config
from mailhub.app import House
from mailhub.errors import Refused

IDLE_SECONDS = 0.05  # nobody waits in a rehearsal


class Clock:
    """Stands still."""

    def __init__(self, written: str) -> None:
        self.put(written)

    def put(self, written: str) -> None:
        """Put it there."""
        self._at = datetime.fromisoformat(written).astimezone(UTC)

    def __call__(self) -> datetime:
        """The instant it shows."""
        return self._at


def main(home: str, instant: str) -> None:
    """Serve a home of the play until told to stop."""
    settings = config.load(Path(home), os.environ)
    if settings.relay.host != "127.0.0.1":
        raise Refused(f"a stopped clock rehearses, and the relay {settings.relay.host} is no rehearsal")
    clock = Clock(instant)
    house = app.build(settings, clock)
    try:
        asyncio.run(_rehearse(house, clock))
    finally:
        house.close()


async def _rehearse(house: House, clock: Clock) -> None:
    prompted = asyncio.create_task(_follow(house, clock))
    try:
        await app.serve(house, idle_seconds=IDLE_SECONDS)
    finally:
        prompted.cancel()


async def _follow(house: House, clock: Clock) -> None:
    """Let the clock show what we are told, and what is due then happen."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=os.dup(sys.stdin.fileno())))
    while line := await reader.readline():
        clock.put(line.decode().strip())
        await asyncio.to_thread(house.issues.tick)
        writer.write(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
