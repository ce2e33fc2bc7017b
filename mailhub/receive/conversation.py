"""One SMTP conversation: aiosmtpd's dialogue, with bodies read in blocks and addresses read fast.

It knows the protocol and its time limits; whose mail it is and what becomes of it is asked of the handler.
aiosmtpd reads a body line by line, which is two thirds of the cost of a mail of 40 KiB.
"""

# ruff: noqa: N802  # aiosmtpd finds its commands and hooks by their names

import asyncio
import logging
import re
import ssl
from collections.abc import Sequence
from typing import Final, Protocol, cast

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session, TLSSetupException, syntax

from mailhub.errors import MailhubError
from mailhub.receive.body import END_OF_BODY, has_bare_newline, hops, unstuffed
from mailhub.receive.limits import Gate, Limits, source_of
from mailhub.receive.replies import Reply, enhanced

log = structlog.get_logger()
# aiosmtpd tells every command and address at INFO, and what it does not know at WARNING; the journal is where
# addresses belong, and the words of strangers belong nowhere.
logging.getLogger("mail.log").setLevel(logging.ERROR)

BLOCK: Final = 64 * 1024  # the stream pauses the peer at twice this
# A path of RFC 5321 section 4.1.2 and the parameters after it, a little wider than the book: dots anywhere, no
# brackets, no domain. aiosmtpd asks the parser of mail headers, which is slow and stumbles over crooked input.
ATOM: Final = r"""[^\s"(),:;<>@\[\\\]]+"""
MAILBOX: Final = rf"""(?:{ATOM}|"(?:[^"\\]|\\.)*")(?:@(?:{ATOM}|\[[\w.:-]+\]))?"""
PATH: Final = re.compile(rf"(?:<(?:@[^<>:\s]+:)?({MAILBOX})?>|({MAILBOX}))(?:\s+(.*))?")


class Host(Protocol):
    """Who a conversation is held for: aiosmtpd's hooks, and word of each coming and going."""

    def entered(self, visit: "Conversation") -> None: ...
    def left(self, visit: "Conversation") -> None: ...
    async def handle_MAIL(
        self, visit: "Conversation", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str: ...
    async def handle_RCPT(
        self, visit: "Conversation", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str: ...
    async def take(
        self, visit: "Conversation", sender: str, recipients: Sequence[str], body: bytes
    ) -> list[Reply]: ...


class CommandSizes(dict[str, int]):
    """The longest line of each command; unlike aiosmtpd's table it does not grow with what strangers type."""

    def __missing__(self, command: str) -> int:
        return 512  # RFC 5321 4.5.3.1.4


# MAIL may also carry SIZE (RFC 1870), BODY (RFC 6152) and SMTPUTF8 (RFC 6531).
COMMAND_SIZES: Final = CommandSizes(MAIL=512 + 26 + 17 + 10)


class Conversation(SMTP):
    """A visit at the SMTP door."""

    source = "smtp"
    session: Session
    envelope: Envelope
    transport: asyncio.Transport | None
    line_length_limit = BLOCK  # sizes the stream; a line over 998 octets is odd, no reason to lose a mail

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
        self.command_size_limits = COMMAND_SIZES
        self.client_ip = ""
        self._host = host
        self._gate = gate
        self._limits = limits
        self._inside = False
        self._taking = False  # from 354 to the answer of the mail
        self._keeping = False
        self._leaving = False
        self._errors = 0
        self._held_bytes = 0
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
            line.write(f"{Reply.TOO_MANY_VISITS}\r\n".encode())
            line.close()
            return
        super().connection_made(transport)
        self._host.entered(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the peer; heard twice after a failed TLS handshake."""
        if not self._inside:
            return
        self._inside = False
        super().connection_lost(error)
        self._gate.leave(source_of(self.client_ip))
        self._host.left(self)

    def leave(self) -> None:
        """End the visit because we close down: now, or once the mail that is being said is answered."""
        self._leaving = True
        if not self._taking:
            self._hang_up(Reply.CLOSING)

    def abort(self) -> None:
        """Cut the line."""
        if self.transport is not None:
            self.transport.abort()

    def _hang_up(self, reply: Reply) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # a peer that does not read would hold us for ever
            return
        self.transport.write(f"{reply}\r\n".encode())
        self.transport.close()

    # ── time ──

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Give the peer this much longer. The timer is set again when it rings, not at every command."""
        seconds = self._limits.idle_seconds if duration is None else duration
        self._deadline = min(self.loop.time() + seconds, self._visit_ends)
        if self._timeout_handle is None or self._timeout_handle.when() > self._deadline:
            if self._timeout_handle is not None:
                self._timeout_handle.cancel()
            self._timeout_handle = self.loop.call_at(self._deadline, self._timeout_cb)

    def _timeout_cb(self) -> None:
        now = self.loop.time()
        if self._keeping:  # the delay is ours, and has its own limit
            self._timeout_handle = self.loop.call_at(now + self._limits.keep_seconds, self._timeout_cb)
        elif now < self._deadline:
            self._timeout_handle = self.loop.call_at(self._deadline, self._timeout_cb)
        else:
            self._hang_up(Reply.TOO_SLOW)

    # ── answers ──

    async def push(self, status: str) -> None:  # type: ignore[override]  # bytes are never said
        """Send one answer, however many lines, in one write; too many refusals end the visit."""
        self._errors += status.startswith("5")
        ends = self._errors > self._limits.errors
        self._writer.write(f"{Reply.TOO_MANY_ERRORS if ends else enhanced(status)}\r\n".encode())
        if ends and self.transport is not None:
            self.transport.close()
        await self._writer.drain()

    async def handle_exception(self, error: Exception) -> str:
        """Answer for any trouble of ours: it may heal, so the sender keeps the mail and learns nothing more."""
        if isinstance(error, TLSSetupException):
            log.info("no TLS", peer=self.client_ip)
        elif isinstance(error, MailhubError):  # its text says enough
            log.error("refused for now", peer=self.client_ip, why=str(error))
        else:
            log.error("refused for now", peer=self.client_ip, exc_info=error)
        return Reply.TROUBLE

    def answer(self, replies: Sequence[str]) -> str:
        """Answer for a body, given one reply per recipient: SMTP has a single one, good only if all are."""
        return next((reply for reply in replies if reply[0] != "2"), replies[0])

    # ── commands ──

    async def smtp_HELO(self, hostname: str | None) -> None:
        """Greet an old peer."""
        await self._greet(hostname, extended=False)

    async def smtp_EHLO(self, hostname: str | None) -> None:
        """Greet a peer and say what we can do."""
        await self._greet(hostname, extended=True)

    async def smtp_STARTTLS(self, arg: str | None) -> None:
        """Go on under TLS, knowing nothing of what was said in the clear. RFC 3207 section 4.2."""
        if arg or not self.tls_context or self.session.ssl:
            await self.push("501 Syntax: STARTTLS" if arg else Reply.NO_TLS)
            return
        cast("asyncio.Transport", self.transport).pause_reading()
        self._unread.clear()  # commands sent along in the clear may be a stranger's
        await self.push("220 2.0.0 Ready to start TLS")
        try:
            await self._writer.start_tls(self.tls_context, ssl_handshake_timeout=self._limits.idle_seconds)
        except OSError as error:  # broken handshakes and slow ones
            raise TLSSetupException from error
        self.transport = cast("asyncio.Transport", self._writer.transport)
        self._reader._transport = self.transport  # type: ignore[attr-defined]  # noqa: SLF001  # Python 3.11 forgets
        self.envelope = self._create_envelope()
        self.session.host_name, self.session.extended_smtp = None, False
        self.session.ssl = self.transport.get_extra_info("cipher")

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:
        """Take one mail; answer when its fate is certain."""
        if await self.check_helo_needed():
            return
        if arg or not self.envelope.rcpt_tos:
            await self.push("501 Syntax: DATA" if arg else Reply.NEED_RECIPIENT)
            return
        self._taking = True
        await self.push(Reply.GO_AHEAD)
        try:
            answer = await self._take()
        except Exception as error:  # noqa: BLE001  # a rim: LMTP owes each recipient an answer
            answer = self.answer([await self.handle_exception(error)] * len(self.envelope.rcpt_tos))
        finally:
            self._gate.release_bytes(self._held_bytes)
            self._held_bytes = 0
        self.envelope = self._create_envelope()
        self._reset_timeout()
        self._taking = False
        await self.push(answer)
        if self._leaving:
            self._hang_up(Reply.CLOSING)

    async def smtp_VRFY(self, arg: str | None) -> None:
        """Tell nobody who lives here. RFC 5321 section 7.3."""
        await self.push(Reply.NOT_VERIFIED if arg else "501 Syntax: VRFY <address>")

    async def smtp_HELP(self, _arg: str | None) -> None:
        """Point to the book."""
        await self.push(Reply.HELP)

    async def smtp_EXPN(self, _arg: str | None) -> None:
        """Tell nobody who is on a list."""
        await self.push(Reply.NO_SUCH_COMMAND)

    async def smtp_AUTH(self, _arg: str | None) -> None:
        """Let nobody log in: nothing is submitted here."""
        await self.push(Reply.NO_SUCH_COMMAND)

    async def _greet(self, hostname: str | None, *, extended: bool) -> None:
        if not hostname:
            await self.push("501 Name yourself")
            return
        self.envelope = self._create_envelope()
        # PostgreSQL keeps no NUL, and one bad name would fail the commit of a whole group.
        self.session.host_name = "".join(letter if letter.isprintable() else "?" for letter in hostname)
        self.session.extended_smtp = extended
        lines = [self.hostname]
        if extended:
            lines += [
                f"SIZE {self.data_size_limit}",
                "8BITMIME",
                "SMTPUTF8",
                "PIPELINING",
                "ENHANCEDSTATUSCODES",
            ]
            lines += ["STARTTLS"] if self.tls_context and not self.session.ssl else []
        said = "".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}\r\n"
        self._writer.write(said.encode())  # not pushed: greetings bear no enhanced code, RFC 2034 section 4
        await self._writer.drain()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Read a path and what follows it; None for what is no address, "<>" for the null sender."""
        path = PATH.fullmatch(arg)
        address = path and (path[1] or path[2] or "<>")
        if path is None or not address or not address.isprintable():  # control characters, or not UTF-8
            return None, None
        return address, path[3] or ""

    # ── the body ──

    async def _take(self) -> str:
        """Read the body and hand it on; return the answer of the whole transaction."""
        sender, recipients = self.envelope.mail_from or "", self.envelope.rcpt_tos
        body, refusal = await self._body()
        refusal = refusal or self._refusal(body)
        if refusal:
            return self.answer([refusal] * len(recipients))
        self._keeping = True
        try:
            return self.answer(
                await self._host.take(self, "" if sender == "<>" else sender, recipients, body)
            )
        finally:
            self._keeping = False

    @property
    def _unread(self) -> bytearray:
        """What the peer has sent and we have not read; asyncio shows it to nobody, aiosmtpd looks all the same."""
        return cast("bytearray", self._reader._buffer)  # type: ignore[attr-defined]  # noqa: SLF001

    async def _body(self) -> tuple[bytes, Reply | None]:
        """Read up to CRLF.CRLF and nothing else, without the doubled dots; or nothing, and why.

        A refused body is read to its end all the same: RFC 5321 section 4.2.5 has no answer before.
        """
        # The line end of DATA also opens the end of an empty body.
        self._unread[:0] = b"\r\n"
        most = self._limits.message_bytes * 4 // 3 + BLOCK  # on the wire; a lone dot travels as two
        data_ends = self.loop.time() + self._limits.data_seconds
        blocks: list[bytes] = []
        refusal: Reply | None = None
        while True:
            self._reset_timeout(min(self._limits.idle_seconds, data_ends - self.loop.time()))
            try:
                blocks.append(await self._reader.readuntil(END_OF_BODY))
                break
            except asyncio.LimitOverrunError as longer:
                blocks.append(await self._reader.read(longer.consumed))
            if refusal is None:
                refusal = self._hold(len(blocks[-1]), most)
            if refusal is not None:
                blocks.clear()
        if refusal is not None:
            return b"", refusal
        return unstuffed(b"".join(blocks)), None

    def _hold(self, count: int, most: int) -> Reply | None:
        """Set memory aside for one more block, or say why not."""
        if self._held_bytes + count > most:
            return Reply.TOO_BIG
        if not self._gate.hold_bytes(count):
            return Reply.NO_ROOM
        self._held_bytes += count
        return None

    def _refusal(self, body: bytes) -> Reply | None:
        """Say why a body is refused by its form alone."""
        if len(body) > self._limits.message_bytes:
            return Reply.TOO_BIG
        if has_bare_newline(body):
            return Reply.BARE_NEWLINE
        if hops(body) > self._limits.hops:
            return Reply.LOOPING
        return None
