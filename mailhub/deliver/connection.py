"""One connection to a relay: lines out, replies in, and the knowledge of what has left this machine.

TLS is asyncio's and `ssl`'s work. Whatever goes wrong is an `OSError`: lost, timed out, or not SMTP.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Self, cast

from mailhub.deliver import replies
from mailhub.deliver.replies import GarbledError, Reply

MOST_HEARD = (
    65536  # octets a relay may say before anyone listens: the replies to one pipelined group are far fewer
)
_SLICE = 262144  # of a letter; each must be gone within one `block` timeout
_FINAL_DOT = len(b".\r\n")


class Connection(asyncio.Protocol):
    """Used by one task at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._heard = bytearray()
        self._ended: Exception | None = None
        self._in_tls = False
        self._clogged = False  # the kernel has not taken everything yet
        self._news: asyncio.Future[None] | None = None
        self._late: TimeoutError | None = None  # a time limit has passed

    @classmethod
    async def open(cls, host: str, port: int, seconds: float) -> Self:
        """Connect, in clear for now."""
        async with _made_within(seconds, "no connection"):
            _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    @property
    def is_idle(self) -> bool:
        """Open, and the relay has said nothing that we did not ask for."""
        return self.is_open and not self._heard

    @property
    def is_open(self) -> bool:
        """Say whether there is still somebody at the other end, as far as we know."""
        return self._ended is None and self._transport is not None and not self._transport.is_closing()

    async def start_tls(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """Go on in TLS; the relay has agreed, or expects nothing else."""
        if self._heard:
            # Words in clear after the agreement were put there by somebody in between (CVE-2011-0411 and its kin).
            raise GarbledError("the relay went on in clear where TLS should begin")
        loop = asyncio.get_running_loop()
        async with _made_within(seconds, "no TLS"):
            transport = await loop.start_tls(self._open(), self, context, server_hostname=host)
        if transport is None:
            raise ConnectionResetError("the connection was lost while TLS began")
        self._in_tls = True
        self._adopt(transport)

    def write(self, octets: bytes | memoryview) -> None:
        """Send something short; raises if it surely did not leave."""
        transport = self._open()
        transport.write(octets)
        self._open()  # a write that fails at once closes the transport

    async def pour(self, octets: bytes, seconds: float) -> None:
        """Send something long; returns when the kernel has all of it, raises while it has not.

        In TLS what was written may still wait below, where nobody tells us. But the next write is held back until
        it has gone: so the last octets, the final dot, make a write of their own.
        """
        view = memoryview(octets)
        body = len(octets) - _FINAL_DOT if self._in_tls else len(octets)
        for at in range(0, body, _SLICE):
            await self._push(view[at : min(at + _SLICE, body)], seconds)
        if self._in_tls:
            await self._push(view[body:], seconds)

    async def reply(self, seconds: float) -> Reply:
        """The next reply; the whole of it must come within so many seconds."""
        reply = replies.take(self._heard)
        if reply is None:
            with self.within(seconds, f"no reply within {seconds:g} seconds"):
                while reply is None:
                    await self._wait()
                    reply = replies.take(self._heard)
        return reply

    @contextlib.contextmanager
    def within(self, seconds: float, why: str) -> Iterator[None]:
        """A time limit for all that is waited for here, and what is said when it has passed; one may lie within another.

        A letter needs half a dozen, which cost it less in this way than one `asyncio.timeout` would.
        """
        late = TimeoutError(why)
        alarm = asyncio.get_running_loop().call_later(seconds, self._give_up, late)
        try:
            yield
        finally:
            alarm.cancel()
            if self._late is late:
                self._late = None

    def overheard(self) -> Reply | None:
        """A reply that came before it was due, None when there is none."""
        try:
            return replies.take(self._heard)
        except GarbledError:
            return None

    def close(self) -> None:
        """Hang up at once."""
        if self._transport is not None:
            self._transport.abort()

    # -- what asyncio tells us --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._adopt(cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        """Keep what was said."""
        self._heard += data
        if len(self._heard) > MOST_HEARD:
            self._ended = GarbledError("the relay talks without end")
            self.close()
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember why."""
        if self._ended is None:
            self._ended = (
                exc if isinstance(exc, OSError) else ConnectionResetError("the relay closed the connection")
            )
        self._tell()

    def pause_writing(self) -> None:
        """The kernel takes no more for now."""
        self._clogged = True

    def resume_writing(self) -> None:
        """The kernel has taken everything."""
        self._clogged = False
        self._tell()

    # -- within --

    async def _push(self, octets: memoryview, seconds: float) -> None:
        self.write(octets)
        if self._clogged:
            with self.within(seconds, f"the relay takes nothing more within {seconds:g} seconds"):
                while self._clogged:
                    await self._wait()

    def _adopt(self, transport: asyncio.Transport) -> None:
        # To know when all has left: paused above one octet (0 would pause TLS for ever), resumed at none.
        transport.set_write_buffer_limits(high=1, low=0)
        self._transport = transport

    def _open(self) -> asyncio.Transport:
        if self._transport is None or not self.is_open:
            raise self._ended or ConnectionResetError("the connection is closed")
        return self._transport

    async def _wait(self) -> None:
        if self._ended is not None:
            raise self._ended
        if self._late is not None:
            raise self._late
        self._news = asyncio.get_running_loop().create_future()
        await self._news

    def _give_up(self, late: TimeoutError) -> None:
        self._late = late
        self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


@contextlib.asynccontextmanager
async def _made_within(seconds: float, what: str) -> AsyncIterator[None]:
    """A time limit that says what did not happen, for what asyncio itself makes: no `Connection` waits there yet."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TimeoutError(f"{what} within {seconds:g} seconds") from None
