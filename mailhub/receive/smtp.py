"""The SMTP and LMTP doors: have a mail kept, then say 250; anything in doubt is 451 and stays with the sender.

Only mail for addresses of ours is taken, whoever sends it: there is no relaying, so no one logs in. The raw bytes
are handed on as they came, without a trace field; what the peer said about them travels in the Arrival.
"""

# ruff: noqa: N802  # aiosmtpd finds its hooks by their names

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from aiosmtpd.smtp import Envelope as Transaction
from aiosmtpd.smtp import Session

from mailhub.errors import SettingsError
from mailhub.mail.envelope import Envelope
from mailhub.mail.sources import source_of
from mailhub.receive.conversation import Conversation
from mailhub.receive.limits import Gate, Limits
from mailhub.receive.lmtp import LmtpConversation
from mailhub.receive.replies import Reply
from mailhub.receive.visit import Visit

BACKLOG: Final = 512  # connections the system may queue for us while we are busy
PRESSED_SECONDS: Final = 0.02
GRACE_SECONDS: Final = 10  # for peers to end their mail and read that we close down


class Kept(StrEnum):
    """What became of a mail for one recipient."""

    KEPT = "kept"  # committed, or was already there
    NOT_NOW = "not now"  # the sender shall try again


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mail as it came through a door, with everything the peer said about it."""

    raw: bytes
    sender: str  # MAIL FROM, "" for the null sender
    recipients: tuple[str, ...]  # RCPT TO, each once, all ours; "postmaster" may come without a domain
    source: str  # "smtp" or "lmtp"
    client_ip: str  # "" for a UNIX socket
    helo: str
    received_at: datetime  # aware UTC, when the body was complete

    @property
    def envelopes(self) -> tuple[Envelope, ...]:
        """One envelope per recipient, as the journal keeps them."""
        return tuple(
            Envelope(recipient, self.sender, self.source, self.received_at, self.client_ip, self.helo)
            for recipient in self.recipients
        )


class Door:
    """SMTP and LMTP listeners that keep a mail before they say 250."""

    def __init__(
        self,
        keep: Callable[[Arrival], Awaitable[Sequence[Kept]]],
        is_ours: Callable[[str], bool],
        limits: Limits,
        hostname: str,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`keep` resolves after the commit, with one outcome per recipient in their order; if it raises, none is kept.

        It is carried to its end even if the peer hangs up. `is_ours` is asked for every recipient.
        """
        self._keep = keep
        self._is_ours = is_ours
        self._limits = limits
        self._hostname = hostname
        self._tls = tls
        self._now = now
        self._gate = Gate(limits)
        self._servers: list[asyncio.AbstractServer] = []
        self._sockets: list[Path] = []
        self._visits: set[Visit] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._sending: set[Visit] = set()  # named a sender, and have not ended their mail
        self._last_word = 0.0  # of a mail, on the monotonic clock
        self._keeping: set[asyncio.Future[Sequence[Kept]]] = set()

    async def listen(self, *, smtp: Iterable[str] = (), lmtp: Iterable[str] = ()) -> list[str]:
        """Open the doors and return where they are, in the same order.

        An address is `host:port`, `:port` for every interface, or `unix:/path`; port 0 lets the system choose.
        """
        bound = []
        for kind, addresses in ((Conversation, smtp), (LmtpConversation, lmtp)):
            for address in addresses:
                try:
                    bound += await self._listen(kind, address)
                except (OSError, ValueError) as error:
                    raise SettingsError(f"cannot listen on {address!r}: {error}") from error
        return bound

    def coming(self) -> int:
        """How many mails are being said right now; may be asked from any thread."""
        return len(self._sending)

    def is_pressed(self) -> bool:
        """Say whether mail comes in this very moment: a sender waits, while what is accepted is safe and may wait.

        Each word of a mail counts for a moment only, so that a sender who says no more presses nobody. Whoever has
        said all and has no answer yet presses however long it takes: else the slower we are, the more would be done
        beside.
        """
        return bool(self._keeping) or time.monotonic() - self._last_word < PRESSED_SECONDS

    async def close(self) -> None:
        """Take no new visit, finish the mails being said, and see everybody out."""
        for server in self._servers:
            server.close()
        for path in self._sockets:
            path.unlink(missing_ok=True)
        for visit in tuple(self._visits):
            visit.leave()
        if self._keeping:
            await asyncio.wait(self._keeping, timeout=self._limits.keep_seconds)
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await self._empty.wait()
        except TimeoutError:
            for visit in tuple(self._visits):
                visit.abort()

    async def _listen(self, kind: type[Visit], address: str) -> list[str]:
        loop = asyncio.get_running_loop()

        def answer() -> Visit:
            return kind(self, self._gate, self._limits, self._hostname, self._tls)

        if address.startswith("unix:"):
            path = Path(address.removeprefix("unix:"))
            server: asyncio.AbstractServer = await loop.create_unix_server(answer, str(path), backlog=BACKLOG)
            path.chmod(0o660)  # noqa: ASYNC240  # once, at the start; who may hand us mail is up to its group
            self._sockets.append(path)
            self._servers.append(server)
            return [address]
        host, _, port = address.rpartition(":")
        tcp = await loop.create_server(answer, host.strip("[]") or None, int(port), backlog=BACKLOG)
        self._servers.append(tcp)
        names = [socket.getsockname() for socket in tcp.sockets]
        return [f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}" for name in names]

    # ── what a conversation asks ──

    def entered(self, visit: Visit) -> None:
        """Remember who is inside."""
        self._visits.add(visit)
        self._empty.clear()

    def left(self, visit: Visit) -> None:
        """Forget who is gone."""
        self._visits.discard(visit)
        self._sending.discard(visit)
        if not self._visits:
            self._empty.set()

    def begins_anew(self, visit: Visit) -> None:
        """The visit says no mail now: the last is over, or was dropped (RSET, another greeting, a refusal)."""
        self._sending.discard(visit)

    def handle_MAIL(
        self,
        visit: Visit,
        _session: Session,
        transaction: Transaction,
        address: str,
        _options: list[str],
    ) -> str:
        """Begin a mail, unless this source brings too many."""
        if not address.isascii() and not transaction.smtp_utf8:
            return Reply.NEEDS_SMTPUTF8
        if not self._gate.take_message(source_of(visit.client_ip), visit.loop.time()):
            return Reply.TOO_FAST
        self._last_word = time.monotonic()
        transaction.mail_from = address
        self._sending.add(visit)
        return Reply.SENDER_OK

    def handle_RCPT(
        self,
        _visit: Visit,
        _session: Session,
        transaction: Transaction,
        address: str,
        _options: list[str],
    ) -> str:
        """Take a recipient of ours, and no other, whoever the sender is."""
        if len(transaction.rcpt_tos) >= self._limits.recipients:
            return Reply.TOO_MANY_RECIPIENTS
        if not address.isascii() and not transaction.smtp_utf8:
            return Reply.NEEDS_SMTPUTF8
        if address.lower() != "postmaster" and not ("@" in address and self._is_ours(address)):
            return Reply.NO_SUCH_MAILBOX
        self._last_word = time.monotonic()
        transaction.rcpt_tos.append(address)
        return Reply.RECIPIENT_OK

    def take(
        self,
        visit: Visit,
        sender: str,
        recipients: Sequence[str],
        body: bytes,
        tell: Callable[[Sequence[Reply]], None],
    ) -> None:
        """Have a mail kept, and tell the answer for each recipient once its fate is certain.

        Neither a peer that hangs up now nor the end of our patience stops a commit halfway.
        """
        self._sending.discard(visit)
        self._last_word = time.monotonic()
        arrival = Arrival(
            raw=body,
            sender=sender,
            recipients=tuple(dict.fromkeys(recipients)),
            source=visit.source,
            client_ip=visit.client_ip,
            helo=visit.session.host_name or "",
            received_at=self._now(),
        )

        def kept(keeping: asyncio.Future[Sequence[Kept]]) -> None:
            self._keeping.discard(keeping)
            self._last_word = time.monotonic()  # the answer; the next mail may follow at once
            try:
                outcome = dict(zip(arrival.recipients, keeping.result(), strict=True))
            except Exception as error:  # noqa: BLE001  # a rim
                tell([visit.trouble(error)] * len(recipients))
                return
            tell(
                [Reply.KEPT if outcome[recipient] is Kept.KEPT else Reply.TROUBLE for recipient in recipients]
            )

        keeping = asyncio.ensure_future(self._keep(arrival))
        self._keeping.add(keeping)
        keeping.add_done_callback(kept)
