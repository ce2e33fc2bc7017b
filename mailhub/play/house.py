"""The house that serves the play: `mailhub serve` in a process of its own, so that it can really be killed.

It is told its ports by the environment, and says that it is ready as to systemd (sd_notify).
"""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

from mailhub.errors import HomeError
from mailhub.play.home import LOG

READY_SECONDS = 30.0
STOP_SECONDS = 30.0


class House:
    """One serving process, started, killed and started again."""

    def __init__(self, home: Path, relay_port: int, now: datetime | None) -> None:
        """Letters will leave for `relay_port` of this machine; `now` stops the clock of the process."""
        self.home = home
        self.port = _free_port()  # where its door is, the same after every restart
        self._relay_port = relay_port
        self._now = now
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process that serves; None while none does."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Serve, and return once the door is open."""
        with tempfile.TemporaryDirectory(prefix="play-") as folder, closing(_notifications(folder)) as ready:
            log = os.open(self.home / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(),
                    env=self._environment(str(Path(folder) / "ready")),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            finally:
                os.close(log)
            await self._until_ready(ready)

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

    def _command(self) -> list[str]:
        if self._now is None:
            return [sys.executable, "-m", "mailhub.cli", "serve", "--home", str(self.home)]
        return [sys.executable, "-m", "mailhub.play.rehearsal", str(self.home), self._now.isoformat()]

    def _environment(self, notify: str) -> Mapping[str, str]:
        """Ours without what would lead it to the database or the settings of a real centre."""
        mine = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("MAILHUB_") and name not in {"DATABASE_URL", "NOTIFY_SOCKET"}
        }
        return mine | {
            "MAILHUB_RECEIVE__SMTP": f'["127.0.0.1:{self.port}"]',
            "MAILHUB_RELAY__PORT": str(self._relay_port),
            "NOTIFY_SOCKET": notify,
        }


def _notifications(folder: str) -> socket.socket:
    ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ready.settimeout(0)  # the event loop waits, not the socket
    ready.bind(str(Path(folder) / "ready"))
    return ready


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])
