"""The server our letters leave by, and how a connection to it is made ready: greeting, TLS, login.

Nothing is said in clear to another machine unless that was written out, and a password never is (desk.md S24).
"""

import re
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from mailhub.deliver.connection import Connection
from mailhub.deliver.replies import Reply
from mailhub.errors import SettingsError
from mailhub.mail import domains

_HELO = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")


class UnwelcomeError(ConnectionError):
    """The relay answers, and will not work for us as things are."""

    def __init__(self, what: str, reply: Reply | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds (RFC 5321 section 4.5.3.2)."""

    connect: float = 30  # also for TLS
    greeting: float = 300
    command: float = 300  # EHLO, login, MAIL, RCPT
    data: float = 120  # the 354 to DATA
    block: float = 180  # until the relay took a quarter of a mebibyte
    end: float = 600  # the answer to the final dot
    goodbye: float = 5
    letter: float = (
        840  # one letter altogether, connecting included; the outbox takes its courier for dead after 900
    )


@dataclass(frozen=True, slots=True)
class Relay:
    """Where it is and what it wants.

    `starttls` is required unless the relay is this machine: nothing leaves it. Give `ca_file` and TLS is required
    there as well.
    """

    host: str
    port: int = 25
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    helo: str = "localhost"
    ca_file: Path | None = None  # PEM, trusted besides the system's
    timeouts: Timeouts = Timeouts()

    def __post_init__(self) -> None:
        if not _HELO.fullmatch(self.helo):
            raise SettingsError(f"relay: {self.helo!r} is no name to introduce ourselves by")

    @property
    def is_here(self) -> bool:
        """Say whether the relay is on this machine, by what is written: no resolver is believed."""
        return domains.is_loopback(self.host)


Offers = Mapping[str, str]  # what EHLO announced: {"SIZE": "10240000", "PIPELINING": ""}


async def call(relay: Relay) -> tuple[Connection, Offers]:
    """Connect and make ready to send; raises an OSError that says why it cannot be."""
    if relay.username and relay.tls == "none" and not relay.is_here:
        raise UnwelcomeError("gets no password in clear, and TLS is switched off")
    limits = relay.timeouts
    connection = await Connection.open(relay.host, relay.port, limits.connect)
    try:
        if relay.tls == "implicit":  # RFC 8314 section 3.3
            await connection.start_tls(_context(relay.ca_file), relay.host, limits.connect)
        _expect(220, await connection.reply(limits.greeting), "does not receive us")
        offers = await _introduce(connection, relay)
        if relay.tls == "starttls" and (relay.ca_file or not relay.is_here):
            offers = await _secure(connection, relay, offers)
        if relay.username:
            await _log_in(connection, relay, offers)
    except BaseException:
        connection.close()
        raise
    return connection, offers


async def _introduce(connection: Connection, relay: Relay) -> Offers:
    reply = await _ask(connection, relay, f"EHLO {relay.helo}")
    if reply.code in {500, 502}:  # a server of before 1995: RFC 5321 section 3.2
        _expect(250, await _ask(connection, relay, f"HELO {relay.helo}"), "does not know HELO")
        return {}
    _expect(250, reply, "does not like our name")
    offered = (line.partition(" ") for line in reply.lines[1:])
    return {keyword.upper(): parameters.strip() for keyword, _, parameters in offered}


async def _secure(connection: Connection, relay: Relay, offers: Offers) -> Offers:
    if "STARTTLS" not in offers:
        raise UnwelcomeError("does not offer STARTTLS; nothing is said in clear")
    context = _context(relay.ca_file)
    _expect(220, await _ask(connection, relay, "STARTTLS"), "refuses STARTTLS")
    await connection.start_tls(context, relay.host, relay.timeouts.connect)
    return await _introduce(connection, relay)  # what was said in clear does not count: RFC 3207 section 4.2


async def _log_in(connection: Connection, relay: Relay, offers: Offers) -> None:
    """PLAIN (RFC 4616) or LOGIN: within TLS nothing better is needed, and every relay knows one of them."""
    offered = offers.get("AUTH", "").upper().split()
    if "PLAIN" in offered:
        lines = ["AUTH PLAIN " + _base64(f"\0{relay.username}\0{relay.password}")]
    elif "LOGIN" in offered:
        lines = ["AUTH LOGIN", _base64(relay.username), _base64(relay.password)]
    else:
        raise UnwelcomeError("offers no login we know (PLAIN, LOGIN)")
    for line in lines[:-1]:
        _expect(334, await _ask(connection, relay, line), "refuses the login")
    _expect(235, await _ask(connection, relay, lines[-1]), "refuses the login")


async def _ask(connection: Connection, relay: Relay, line: str) -> Reply:
    connection.write(f"{line}\r\n".encode("ascii"))
    return await connection.reply(relay.timeouts.command)


def _expect(code: int, reply: Reply, otherwise: str) -> None:
    if reply.code != code:
        raise UnwelcomeError(otherwise, reply)


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


@lru_cache(maxsize=8)  # reading the system's certificates takes some ten milliseconds
def _context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
