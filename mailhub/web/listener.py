"""Where pages are listened for: a place taken before anything else begins, and served until told to stop."""

import asyncio
import socket

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from mailhub.errors import SettingsError

BACKLOG = 64
GOODBYE_SECONDS = 5  # for readers who are still being answered when we end
MOST_CONNECTIONS = 200  # at one time; mail must not wait for want of file descriptors
HEAD_SECONDS = 20  # for a whole request but its form, which `guard` waits for


def bound(listen: str) -> socket.socket:
    """A listener at `host:port`, `:port` for every interface; whoever comes before it is served waits.

    Port 0 lets the system choose.
    """
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host or not host else socket.AF_INET
    try:
        return socket.create_server(
            (host, int(port)), family=family, backlog=BACKLOG, dualstack_ipv6=not host
        )
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot listen on {listen!r}: {error}") from error


def arranged(application: Starlette, listener: socket.socket) -> uvicorn.Config:
    """How the pages are served; only a web server on this very machine is believed about who asks."""
    host, port = listener.getsockname()[:2]
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        http=Patient,
        proxy_headers=True,
        forwarded_allow_ips=["127.0.0.1", "::1"],  # else FORWARDED_ALLOW_IPS of the environment decides
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )


class Patient(H11Protocol):
    """A connection of uvicorn's that is let in only while there is room, and not kept for whoever asks nothing."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._watch()

    def _watch(self) -> None:
        self.loop.call_later(HEAD_SECONDS, self._look, self.cycle, self.transport.get_write_buffer_size())

    def _look(self, last: object, unread: int) -> None:
        """Hang up on whoever has begun no new request since the last look, unless one is being answered.

        Whoever takes what was answered is waited for, though it take long; who takes nothing of it is not.
        """
        if self not in self.connections:
            return
        waiting = self.transport.get_write_buffer_size()
        answered = self.cycle is None or self.cycle.response_complete
        if self.cycle is last and (waiting == unread if waiting else answered):
            self.transport.abort()
        else:
            self._watch()


async def serve(application: Starlette, listener: socket.socket) -> None:
    """Serve the pages until the task is cancelled, which is how it ends."""
    server = uvicorn.Server(arranged(application, listener))
    serving = asyncio.create_task(server._serve([listener]))  # noqa: SLF001 — `serve` would take over the signals
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
