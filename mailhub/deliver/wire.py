"""One letter over one connection, and the plain truth about what became of it.

Where the relay offers PIPELINING (RFC 2920), MAIL, RCPT and DATA leave together: a letter costs two waits. What went
wrong before the final dot had left is safe to try again; after it, without an answer, the letter is *in doubt*.
"""

import asyncio
import re
from dataclasses import dataclass, replace
from enum import StrEnum

from mailhub.deliver.connection import Connection
from mailhub.deliver.relay import Offers, Relay, Timeouts, UnwelcomeError, call
from mailhub.deliver.replies import TEXT_LENGTH, GarbledError, Reply
from mailhub.errors import Refused
from mailhub.mail import address, domains, words
from mailhub.outbox import Ending

__all__ = ["Answer", "Outcome", "Relay", "Stage", "Timeouts", "Wire"]


class Outcome(StrEnum):
    """What became of a letter."""

    ACCEPTED = "accepted"  # the relay answers for it now
    REFUSED = "refused"  # never again as it is
    DEFERRED = "deferred"  # not now
    IN_DOUBT = "in_doubt"  # nobody knows: the connection ended between the final dot and the answer
    NOT_SENT = "not_sent"  # the letter was not touched: no connection, or one that had ended


class Stage(StrEnum):
    """How far a letter had come."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # up to the final dot
    END = "end"  # after it


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one letter, and in whose words."""

    outcome: Outcome
    stage: Stage
    code: int | None = None  # None: not the relay's words but ours
    enhanced: str | None = None  # RFC 3463
    text: str = ""  # one line, without control characters

    @property
    def line(self) -> str:
        """Code and text as one line."""
        return " ".join(str(part) for part in (self.code, self.enhanced, self.text) if part)


_OUTCOMES = {2: Outcome.ACCEPTED, 4: Outcome.DEFERRED, 5: Outcome.REFUSED}
_LONE_DOT = b".\r\n"
_LINE_END = re.compile(rb"\r\n?|\n")


class Wire:
    """A connection to the relay that carries one letter at a time, as many as the relay takes."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.sent_count = 0  # letters accepted over this connection
        self._connection: Connection | None = None
        self._offers: Offers = {}
        self._tainted = False  # a transaction was begun and not accepted: RSET before the next
        self._stage = Stage.CONNECT
        self._answered = False  # the relay has said something about this letter

    @property
    def is_open(self) -> bool:
        """Say whether a letter can be sent without connecting first, as far as we know."""
        return self._connection is not None and self._connection.is_open

    @property
    def may_have_left(self) -> bool:
        """Say whether the letter in hand may have reached the relay, were we to stop now."""
        return self._stage in {Stage.DATA, Stage.END}

    async def deliver(self, mail_from: str, rcpt_to: str, data: bytes, *, is_stuffed: bool = False) -> Answer:
        """Send one letter over a connection that is made when needed; "" sends from the null sender.

        Never raises for the network, and is over within `Timeouts.letter`. A connection the relay had enough of is
        replaced once (D42). `is_stuffed`: the data is what `stuffed` would make of it; the copies of an issue are
        stuffed once for all.
        """
        until = asyncio.get_running_loop().time() + self.relay.timeouts.letter
        used = self.is_open
        if not used and (trouble := await self._connect(until)):
            return trouble
        answer = await self._send(mail_from, rcpt_to, data, until, is_stuffed=is_stuffed)
        if used and answer.outcome is Outcome.NOT_SENT:
            return await self._connect(until) or await self._send(
                mail_from, rcpt_to, data, until, is_stuffed=is_stuffed
            )
        return answer

    async def _connect(self, until: float) -> Answer | None:
        """Connect and make ready to send; None when that went well, else why not."""
        self._hang_up()
        self._stage = Stage.CONNECT
        try:
            async with asyncio.timeout_at(until):
                self._connection, self._offers = await call(self.relay)
        except UnwelcomeError as trouble:
            answer = _answer(Outcome.NOT_SENT, Stage.CONNECT, trouble.reply)
            return replace(
                answer, text=_text(f"{self._name} {trouble.what}: {answer.text}".removesuffix(": "))
            )
        except (OSError, UnicodeError) as trouble:  # the latter for a host no resolver can be asked about
            return Answer(Outcome.NOT_SENT, Stage.CONNECT, text=_text(f"{self._name}: {self._why(trouble)}"))
        return None

    async def _send(
        self, mail_from: str, rcpt_to: str, data: bytes, until: float, *, is_stuffed: bool
    ) -> Answer:
        """Send one letter over the open connection."""
        self._stage, self._answered = Stage.MAIL, False
        if self._connection is None or not self._connection.is_idle:
            self._hang_up()
            return Answer(Outcome.NOT_SENT, Stage.MAIL, text="the connection had ended")
        try:
            envelope = self._envelope(mail_from, rcpt_to, data)
            left = until - asyncio.get_running_loop().time()
            with self._connection.within(left, self._no_end):
                content = data if is_stuffed else stuffed(data)
                return await self._converse(self._connection, envelope, content)
        except Refused as reason:
            return Answer(Outcome.REFUSED, Stage.MAIL, text=_text(str(reason)))
        except OSError as trouble:
            return self._cut_short(trouble)
        except BaseException:
            self._hang_up()
            raise

    async def quit(self) -> None:
        """Say goodbye, and hang up whatever the relay says."""
        connection = self._connection
        try:
            if connection is not None and connection.is_idle:
                connection.write(b"QUIT\r\n")
                await connection.reply(self.relay.timeouts.goodbye)
        except OSError:
            pass  # it is over either way
        finally:
            self._hang_up()

    # -- the conversation --

    def _envelope(self, mail_from: str, rcpt_to: str, data: bytes) -> tuple[bytes, bytes]:
        """MAIL and RCPT, with what the letter needs and the relay offers; refused when that is not enough."""
        sender, recipient = _path(mail_from) if mail_from else "", _path(rcpt_to)
        parameters = []
        most = self._offers.get("SIZE", "")
        if most.isdecimal() and 0 < int(most) < len(data):  # RFC 1870 section 6.1; 0 is no limit
            raise Refused(f"{Ending.TOO_LARGE}: the letter has {len(data)} octets, the relay takes {most}")
        if "SIZE" in self._offers:
            parameters.append(f" SIZE={len(data)}")
        head = b""
        if not data.isascii():
            if "8BITMIME" not in self._offers:
                raise Refused("the letter is not ASCII, and the relay does not offer 8BITMIME")
            parameters.append(" BODY=8BITMIME")
            head = data.partition(b"\r\n\r\n")[0]
        if not (sender.isascii() and recipient.isascii() and head.isascii()):
            if "SMTPUTF8" not in self._offers:
                raise Refused("an address is not ASCII, and the relay does not offer SMTPUTF8")
            parameters.append(" SMTPUTF8")
        return (
            f"MAIL FROM:<{sender}>{''.join(parameters)}\r\n".encode(),
            f"RCPT TO:<{recipient}>\r\n".encode(),
        )

    async def _converse(
        self, connection: Connection, envelope: tuple[bytes, bytes], content: bytes
    ) -> Answer:
        mail, rcpt = envelope
        limits = self.relay.timeouts
        steps = (
            (Stage.MAIL, mail, 2, limits.command),
            (Stage.RCPT, rcpt, 2, limits.command),
            (Stage.DATA, b"DATA\r\n", 3, limits.data),
        )
        reset = b"RSET\r\n" if self._tainted else b""
        together = "PIPELINING" in self._offers
        connection.write(reset + (mail + rcpt + b"DATA\r\n" if together else b""))
        if reset and (await connection.reply(limits.command)).kind != 2:
            raise GarbledError("the relay refuses RSET")
        self._tainted = True
        refusal: Answer | None = None
        for stage, command, wanted, seconds in steps:
            self._stage = stage
            if not together:
                connection.write(command)
            reply = await self._reply(connection, seconds)
            if reply.code in {421, 530}:
                return self._turned_away(reply)
            if reply.kind != wanted:
                refusal = refusal or self._refusal(reply)
                if not together:
                    return refusal
        if refusal is None:
            return await self._hand_over(connection, content)
        if reply.kind == 3:
            await self._send_nothing(connection, refusal)
        return refusal

    async def _hand_over(self, connection: Connection, content: bytes) -> Answer:
        await connection.pour(content, self.relay.timeouts.block)
        self._stage = Stage.END
        reply = await self._reply(connection, self.relay.timeouts.end)
        if reply.code == 421:
            return self._turned_away(reply)
        if reply.kind == 3:
            raise GarbledError("the relay answers the final dot with a 3yz")
        if reply.kind == 2:
            self._tainted = False
            self.sent_count += 1
        return _answer(_OUTCOMES[reply.kind], Stage.END, reply)

    async def _send_nothing(self, connection: Connection, refusal: Answer) -> None:
        """The relay waits for a letter nobody is to get: a lone dot ends that. RFC 2920 section 3.1"""
        if refusal.stage is not Stage.RCPT:  # then somebody might get the dot
            self._hang_up()
            return
        connection.write(_LONE_DOT)
        try:
            await connection.reply(self.relay.timeouts.end)
        except OSError:
            self._hang_up()

    async def _reply(self, connection: Connection, seconds: float) -> Reply:
        reply = await connection.reply(seconds)
        self._answered = True
        return reply

    # -- when it does not go well --

    def _refusal(self, reply: Reply) -> Answer:
        if reply.kind not in {4, 5}:
            raise GarbledError(f"the relay answers {self._stage} with {reply.code}")
        return _answer(_OUTCOMES[reply.kind], self._stage, reply)

    def _turned_away(self, reply: Reply) -> Answer:
        """421 ends the connection; 530 wants TLS or a login. Neither is about this letter, unless it comes late.

        A relay that had enough of a connection it took letters from says 421 to the next one: no letter's fault
        (D42). On a new connection it means not now (D40).
        """
        worn_out = self._stage is Stage.MAIL and self.sent_count > 0
        untouched = reply.code == 530 or worn_out
        self._hang_up()
        return _answer(Outcome.NOT_SENT if untouched else Outcome.DEFERRED, self._stage, reply)

    def _cut_short(self, trouble: OSError) -> Answer:
        """The connection ended in the middle of a letter."""
        last_words = self._connection.overheard() if self._connection and self._stage is Stage.DATA else None
        self._hang_up()
        if last_words is not None and last_words.kind in {4, 5}:  # it refused while we were still talking
            return _answer(_OUTCOMES[last_words.kind], self._stage, last_words)
        if self._stage is Stage.END:
            outcome = Outcome.IN_DOUBT
        else:
            outcome = Outcome.DEFERRED if self._answered else Outcome.NOT_SENT
        return Answer(outcome, self._stage, text=_text(self._why(trouble)))

    def _why(self, trouble: Exception) -> str:
        return str(trouble) or self._no_end

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._offers, self._tainted, self.sent_count = None, {}, False, 0

    @property
    def _no_end(self) -> str:
        return f"no end within {self.relay.timeouts.letter:g} seconds"

    @property
    def _name(self) -> str:
        return f"the relay {self.relay.host}:{self.relay.port}"


def stuffed(data: bytes) -> bytes:
    """A letter as it goes over the wire: CRLF lines, leading dots doubled, the final dot. RFC 5321 section 4.5.2

    A lone CR or LF becomes a line end: relays that disagree about them can be made to see two letters in one.
    """
    if not data.count(b"\n") == data.count(b"\r") == data.count(b"\r\n"):
        data = _LINE_END.sub(b"\r\n", data)
    doubled = data.replace(b"\r\n.", b"\r\n..")
    return b"%b%b%b.\r\n" % (
        b"." if data.startswith(b".") else b"",
        doubled,
        b"" if data.endswith(b"\r\n") or not data else b"\r\n",
    )


def _path(written: str) -> str:
    """An address as it stands in MAIL and RCPT; nothing that could end a line is one (desk.md S12)."""
    if not address.is_valid(written):
        raise Refused(f"this is no address: {written!r}")
    local, _, domain = written.rpartition("@")
    return f"{local}@{domain if domain.isascii() else domains.a_label(domain)}"


def _answer(outcome: Outcome, stage: Stage, reply: Reply | None) -> Answer:
    if reply is None:
        return Answer(outcome, stage)
    return Answer(outcome, stage, reply.code, reply.enhanced, reply.text)


def _text(said: str) -> str:
    return words.one_line(said)[:TEXT_LENGTH]
