"""One visit at a door: who is let in, how long it may stay, how it is answered and how it ends.

What is said in it is the affair of its conversation.
"""

# ruff: noqa: N802  # aiosmtpd finds its hooks by their names

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from typing import Protocol, cast

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session, TLSSetupException

from mailhub.errors import MailhubError
from mailhub.mail.sources import source_of
from mailhub.receive import commands
from mailhub.receive.limits import Gate, Limits
from mailhub.receive.replies import Reply, wire

log = structlog.get_logger()
# aiosmtpd tells every command and address at INFO, and what it does not know at WARNING; the journal is where
# addresses belong, and the words of strangers belong nowhere.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class Host(Protocol):
    """Whose door it is: aiosmtpd's hooks, and word of each coming, going and mail not said to its end."""

    def entered(self, visit: "Visit") -> None: ...
    def left(self, visit: "Visit") -> None: ...
    def begins_anew(self, visit: "Visit") -> None: ...
    def handle_MAIL(
        self, visit: "Visit", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str: ...
    def handle_RCPT(
        self, visit: "Visit", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str: ...
    def take(
        self,
        visit: "Visit",
        sender: str,
        recipients: Sequence[str],
        body: bytes,
        tell: Callable[[Sequence[Reply]], None],
    ) -> None: ...


class Visit(SMTP):
    """A peer at a door of ours, from its coming to its going."""

    source = "smtp"
    session: Session
    envelope: Envelope
    transport: asyncio.Transport | None

    def __init__(
        self, host: Host, gate: Gate, limits: Limits, hostname: str, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(
            host,
            data_size_limit=limits.message_bytes,
            enable_SMTPUTF8=True,
            hostname=hostname,
            ident="ESMTP" if self.source == "smtp" else "LMTP",  # the banner tells no version
            tls_context=tls,
            loop=asyncio.get_running_loop(),
        )
        self.command_size_limits = commands.COMMAND_SIZES
        self.client_ip = ""
        self._host = host
        self._gate = gate
        self._limits = limits
        self._inside = False
        self._taking = False  # from 354 to the answer of the mail
        self._keeping = False
        self._leaving = False
        self._errors = 0
        self._deadline = 0.0
        self._visit_ends = self.loop.time() + limits.visit_seconds

    # ── coming and going ──

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the peer in, or tell it to come back."""
        line = cast("asyncio.Transport", transport)
        peer = line.get_extra_info("peername")
        self.client_ip = peer[0] if isinstance(peer, tuple) else ""
        self._inside = self._gate.enter(source_of(self.client_ip))
        if not self._inside:
            line.write(wire(Reply.TOO_MANY_VISITS))
            line.close()
            return
        super().connection_made(transport)
        self._host.entered(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the peer; heard twice after a failed TLS handshake."""
        if not self._inside:
            return
        self._inside = False
        self._gate.leave(source_of(self.client_ip))
        self._host.left(self)
        super().connection_lost(error)

    def _create_envelope(self) -> Envelope:
        """Nothing is being said; aiosmtpd asks for this when a mail is over or dropped."""
        self._host.begins_anew(self)
        return super()._create_envelope()

    def leave(self) -> None:
        """End the visit because we close down: now, or once the mail that is being said is answered."""
        self._leaving = True
        if not self._taking:
            self._hang_up(Reply.CLOSING)

    def abort(self) -> None:
        """Cut the line; below TLS, which may be hung up and not let go of."""
        line = cast("asyncio.Transport | None", self._original_transport or self.transport)
        if line is not None:
            line.abort()

    def _hang_up(self, reply: Reply) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # a peer that does not read would hold us for ever
            return
        self.transport.write(wire(reply))
        self.transport.close()

    # ── time ──

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Give the peer this much longer. The timer is set again when it rings, not at every command."""
        seconds = self._limits.idle_seconds if duration is None else duration
        self._set_deadline(min(self.loop.time() + seconds, self._visit_ends))

    def _wait_for_us(self) -> None:
        """The delay is ours from now on, and has its own limit."""
        self._keeping = True
        self._set_deadline(self.loop.time() + self._limits.keep_seconds)

    def _set_deadline(self, when: float) -> None:
        self._deadline = when
        if self._timeout_handle is None or self._timeout_handle.when() > when:
            if self._timeout_handle is not None:
                self._timeout_handle.cancel()
            self._timeout_handle = self.loop.call_at(when, self._timeout_cb)

    def _timeout_cb(self) -> None:
        self._timeout_handle = None  # it has rung; whatever goes on below sets another
        if self.loop.time() < self._deadline:
            self._set_deadline(self._deadline)
        elif self._keeping:
            self._keep_no_longer()
        else:
            self._set_deadline(self.loop.time() + self._limits.idle_seconds)  # to hear our goodbye
            if self.transport is not None and self.transport.is_closing():
                self.abort()  # it was said goodbye to, and does not listen
            else:
                self._hang_up(Reply.TOO_SLOW)

    def _keep_no_longer(self) -> None:
        """Answer for a mail that took us too long to keep."""
        raise NotImplementedError

    # ── answers ──

    async def push(self, status: str) -> None:  # type: ignore[override]  # bytes are never said
        """Send one answer, and wait when the peer does not read; after a goodbye the dialogue is over."""
        if self._writer.is_closing():
            cast("asyncio.Task[None]", self._handler_coroutine).cancel()
        else:
            self._reply(status)
        await self._writer.drain()

    def _reply(self, status: str) -> None:
        """Send one answer, however many lines, in one write; too many refusals end the visit."""
        self._errors += status[0] == "5"
        ends = self._errors > self._limits.errors
        self._writer.write(wire(Reply.TOO_MANY_ERRORS if ends else status))
        if ends and self.transport is not None:
            self.transport.close()

    async def handle_exception(self, error: Exception) -> str:
        """Answer for any trouble of ours."""
        return self.trouble(error)

    def trouble(self, error: Exception) -> Reply:
        """Answer for any trouble of ours: it may heal, so the sender keeps the mail and learns nothing more."""
        if isinstance(error, TLSSetupException):
            log.info("no TLS", peer=self.client_ip)
        elif isinstance(error, MailhubError):  # its text says enough
            log.error("refused for now", peer=self.client_ip, why=str(error))
        else:
            log.error("refused for now", peer=self.client_ip, exc_info=error)
        return Reply.TROUBLE
