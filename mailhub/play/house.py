"""The house that serves the play: `mailhub serve` in a process of its own, so that it can really be killed.

It is told its ports by the environment, and says that it is ready as to systemd (sd_notify). Commands run beside it,
in the same home, as its staff would type them.
"""

import asyncio
import os
import socket
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailhub.errors import HomeError
from mailhub.play.home import LOG

READY_SECONDS = 30.0
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and how it ended."""

    status: int
    out: str
    aside: str  # on standard error

    @property
    def lines(self) -> list[str]:
        """All of it, line by line."""
        return (self.out + self.aside).splitlines()


class House:
    """One serving process, started, killed and started again; and commands beside it."""

    def __init__(self, home: Path, relay_port: int, now: datetime | None) -> None:
        """Letters will leave for `relay_port` of this machine; `now` stops the clock of the process."""
        self.home = home
        self.port = _free_port()  # where its door is, the same after every restart
        self.pages_port = _free_port()
        self._relay_port = relay_port
        self._now = now
        self._process: asyncio.subprocess.Process | None = None
        self._prompt: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process that serves; None while none does."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Serve, and return once the door is open."""
        self._hang_up()
        ours, theirs = socket.socketpair()
        self._prompt = await asyncio.open_connection(sock=ours)
        with (
            theirs,
            tempfile.TemporaryDirectory(prefix="play-") as folder,
            closing(_notifications(folder)) as ready,
        ):
            log = os.open(self.home / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(),
                    env=self._environment() | {"NOTIFY_SOCKET": str(Path(folder) / "ready")},
                    stdin=theirs.fileno(),
                    stdout=log,
                    stderr=log,
                )
            finally:
                os.close(log)
            await self._until_ready(ready)

    async def put_clock(self, now: datetime) -> None:
        """Let the stopped clock of a rehearsal show another instant; return once what was due then is on its way."""
        if self._prompt is None or self._now is None:
            raise HomeError("nobody serves by a stopped clock: there is none to put on")
        self._now = now  # for commands, and after a restart
        reader, writer = self._prompt
        line = f"{now.isoformat()}\n".encode()
        writer.write(line)
        if await asyncio.wait_for(reader.readline(), READY_SECONDS) != line:
            raise HomeError(f"the clock was not put on; the last words are in {self.home / LOG}")

    async def command(self, *words: str, rehearsed: bool = False) -> Said:
        """Run `mailhub` with these words, in this home; `rehearsed`: it knows `--now`, and is told our clock."""
        told = ["--now", self._now.isoformat()] if rehearsed and self._now else []
        process = await asyncio.create_subprocess_exec(
            *_mailhub(*words, "--home", str(self.home), *told),
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, aside = await process.communicate()
        return Said(process.returncode or 0, out.decode(), aside.decode())

    def kill(self) -> None:
        """`kill -9`: nothing is finished, nothing is said."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def gone(self) -> None:
        """Return once the process has ended."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """Ask it to finish what is under way and end."""
        self._hang_up()
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            self.kill()
            await self.gone()

    async def _until_ready(self, ready: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        told = asyncio.create_task(loop.sock_recv(ready, 100))
        ended = asyncio.create_task(self.gone())
        try:
            await asyncio.wait({told, ended}, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not told.done():
                raise HomeError(f"the house did not open; its last words are in {self.home / LOG}")
        finally:
            told.cancel()
            ended.cancel()

    def _hang_up(self) -> None:
        if self._prompt is not None:
            self._prompt[1].close()
            self._prompt = None

    def _command(self) -> list[str]:
        if self._now is None:
            return _mailhub("serve", "--home", str(self.home))
        return [sys.executable, "-m", "mailhub.play.rehearsal", str(self.home), self._now.isoformat()]

    def _environment(self) -> dict[str, str]:
        """Ours without what would lead it to the database or the settings of a real centre."""
        mine = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("MAILHUB_") and name not in {"DATABASE_URL", "NOTIFY_SOCKET"}
        }
        return mine | {
            "MAILHUB_RECEIVE__SMTP": f'["127.0.0.1:{self.port}"]',
            "MAILHUB_RELAY__PORT": str(self._relay_port),
            "MAILHUB_WEB__LISTEN": f"127.0.0.1:{self.pages_port}",
        }


def _mailhub(*words: str) -> list[str]:
    return [sys.executable, "-m", "mailhub.cli", *words]


def _notifications(folder: str) -> socket.socket:
    ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ready.settimeout(0)  # the event loop waits, not the socket
    ready.bind(str(Path(folder) / "ready"))
    return ready


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])
