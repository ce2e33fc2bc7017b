"""One SMTP conversation: aiosmtpd's dialogue, but for what nearly every mail says the same way.

It knows the protocol; whose mail it is and what becomes of it is asked of the host. aiosmtpd reads a body line by
line, which is two thirds of the cost of a mail of 40 KiB, and wakes a task for every command, which is most of the
cost of a small one: here bodies are taken in as they come, and what is plain is answered where it arrives.
"""

# ruff: noqa: N802  # aiosmtpd finds its commands and hooks by their names

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final, TypeGuard, cast

from aiosmtpd.smtp import MISSING, TLSSetupException, syntax

from mailhub.receive import commands
from mailhub.receive.body import Body, has_bare_newline, hops
from mailhub.receive.replies import Reply
from mailhub.receive.visit import Visit

BLOCK: Final = 64 * 1024  # the stream pauses the peer at twice this


class Conversation(Visit):
    """What is said at the SMTP door."""

    line_length_limit = BLOCK  # sizes the stream; a line over 998 octets is odd, no reason to lose a mail
    _body: Body | None = None  # of the mail that is being said, then kept
    _data_ends = 0.0
    _unheard = b""  # what the peer said while a mail was kept
    _answered: asyncio.Future[None] | None = None  # the dialogue waits for the answer to a mail

    # ── what the peer says ──

    def data_received(self, data: bytes) -> None:
        """Take in a body, answer plain commands where they arrive, and leave all else to the dialogue of aiosmtpd.

        To wake the dialogue costs more than to answer, and nearly every command of a mail is plain.
        """
        while data:
            if self._keeping:
                self._hear_later(data)
                return
            if self._body is not None:
                data = self._hear(self._body, data)
            elif self._is_listening() and (done := self._answer_plain(data)):
                data = data[done:]
            else:
                super().data_received(data)
                return

    def connection_lost(self, error: Exception | None) -> None:
        """Forget what was being said; a mail that is being kept is kept."""
        self._let_go()
        super().connection_lost(error)

    def _is_listening(self) -> bool:
        """Does the dialogue wait for a command, with all that was said before read and all answers sent?"""
        return (
            self._reader._waiter is not None  # type: ignore[attr-defined]  # noqa: SLF001
            and not self._unread
            and not cast("asyncio.Transport", self.transport).get_write_buffer_size()
        )

    def _answer_plain(self, said: bytes) -> int:
        """Answer the plain commands at the beginning that are in order; return where the others begin."""
        done = 0
        while self._body is None and self._may_come(command := commands.plain(said, done)):
            done = command.end
            if command.sender or command.recipient:
                self._reset_timeout()
                self._reply(self._ask(command))
            else:
                self._begin_body()
        return done

    def _ask(self, command: commands.PlainCommand) -> str:
        """What the host says to MAIL or RCPT."""
        ask = self._host.handle_RCPT if command.recipient else self._host.handle_MAIL
        try:
            return ask(self, self.session, self.envelope, command.recipient or command.sender, [])
        except Exception as error:  # noqa: BLE001  # a rim
            return self.trouble(error)

    def _may_come(self, command: commands.PlainCommand | None) -> TypeGuard[commands.PlainCommand]:
        """Is it this command's turn? What is out of order, or too big, is the dialogue's to refuse."""
        return (
            command is not None
            and bool(self.session.host_name)
            and (self.session.extended_smtp or not command.is_extended)
            and bool(self.envelope.mail_from) is not bool(command.sender)
            and bool(command.sender or command.recipient or self.envelope.rcpt_tos)
            and command.size <= self._limits.message_bytes
            and not self._writer.is_closing()
        )

    # ── answers ──

    def answer(self, replies: Sequence[str]) -> str:
        """Answer for a body, given one reply per recipient: SMTP has a single one, good only if all are."""
        return next((reply for reply in replies if reply[0] != "2"), replies[0])

    async def _call_handler_hook(self, command: str, *said: object) -> object:
        """Ask the host, which knows at once."""
        hook = self._handle_hooks.get(command)
        return MISSING if hook is None else hook(self, self.session, self.envelope, *said)

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
        self._answered = self.loop.create_future()
        self._begin_body()
        if self._unread:  # said without waiting for our answer
            self.data_received(await self._reader.read(len(self._unread)))
        await self._answered
        await self._writer.drain()

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
        """Read an address in our way; aiosmtpd asks for it by this name."""
        return commands.path(arg)

    # ── the body ──

    def _begin_body(self) -> None:
        """Ask for a body, and hear it from now on."""
        self._taking = True
        # On the wire a lone dot travels as two.
        self._body = Body(self._gate, self._limits.message_bytes * 4 // 3 + BLOCK)
        self._data_ends = self.loop.time() + self._limits.data_seconds
        self._reset_timeout(min(self._limits.idle_seconds, self._limits.data_seconds))
        self._reply(Reply.GO_AHEAD)

    def _hear(self, body: Body, data: bytes) -> bytes:
        """Take in a piece of a body, and hand it on when it is whole; return what follows its end."""
        blocks = body.octets // BLOCK
        rest = body.hear(data)
        if body.is_whole:
            self._hand_on(body)
        elif body.octets // BLOCK > blocks:
            self._reset_timeout(min(self._limits.idle_seconds, self._data_ends - self.loop.time()))
        return rest

    def _hand_on(self, body: Body) -> None:
        """Have a mail kept, unless its form alone is a reason not to."""
        sender, recipients = self.envelope.mail_from or "", self.envelope.rcpt_tos
        try:
            mail = body.mail()
            if refusal := body.refusal or self._refusal(mail):
                self._end_mail(body, [refusal] * len(recipients))
                return
            self._wait_for_us()
            self._host.take(
                self, "" if sender == "<>" else sender, recipients, mail, partial(self._end_mail, body)
            )
        except Exception as error:  # noqa: BLE001  # a rim: LMTP owes each recipient an answer
            self._end_mail(body, [self.trouble(error)] * len(recipients))

    def _hear_later(self, data: bytes) -> None:
        """Keep what is said before a mail is answered, and hear no more until then."""
        if not self._unheard and self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()
        self._unheard += data

    def _end_mail(self, body: Body, replies: Sequence[Reply]) -> None:
        """Answer for a mail, one reply per recipient, and go on; too late when the peer is gone or was told otherwise."""
        if body is not self._body:
            return
        self._let_go()
        self.envelope = self._create_envelope()
        self._reset_timeout()
        self._reply(self.answer(replies))
        if self._leaving:
            self._hang_up(Reply.CLOSING)
        unheard, self._unheard = self._unheard, b""
        if unheard and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()
            self.data_received(unheard)
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)

    def _keep_no_longer(self) -> None:
        if self._body is not None:
            self._end_mail(self._body, [self.trouble(TimeoutError())] * len(self.envelope.rcpt_tos))

    def _let_go(self) -> None:
        if self._body is not None:
            self._body.let_go()
        self._body = None
        self._taking = self._keeping = False

    @property
    def _unread(self) -> bytearray:
        """What the peer has sent and we have not read; asyncio shows it to nobody, aiosmtpd looks all the same."""
        return cast("bytearray", self._reader._buffer)  # type: ignore[attr-defined]  # noqa: SLF001

    def _refusal(self, mail: bytes) -> Reply | None:
        """Say why a mail is refused by its form alone."""
        if len(mail) > self._limits.message_bytes:
            return Reply.TOO_BIG
        if has_bare_newline(mail):
            return Reply.BARE_NEWLINE
        if hops(mail) > self._limits.hops:
            return Reply.LOOPING
        return None
