"""The world around a served home: mail servers that try again until they have their 250, and a relay that remembers."""

import asyncio
import contextlib
import smtplib
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from typing import Self

from tests.deliver.peers import Act, Answer, Peer
from tests.journey import Loop
from tests.serving import LONGEST_SECONDS

Saw = Callable[[str], object]  # told the name of each moment that has come


# -- the relay --------------------------------------------------------------------------------------------------


@dataclass
class Relay(Peer):
    """A relay that keeps every letter it has taken, and tells each moment of taking it.

    Moments: "granted" (it is about to say 354), "taken" (the final dot has come), "answered" (250 has left).
    """

    saw: Saw = lambda _: None
    on_letter: Callable[[bytes], object] = lambda _: None

    @property
    def taken(self) -> list[bytes]:
        """Every letter; a lone dot, which ends a DATA that nobody is to get, is none."""
        return [unstuffed(letter) for letter in list(self.letters) if letter != b".\r\n"]

    @property
    def arrived(self) -> Counter[str]:
        """How often the letter of each Message-ID came."""
        return Counter(map(message_id, self.taken))

    @contextlib.contextmanager
    def open(self) -> Iterator[int]:
        """Listen in a thread of its own; gives the port."""
        loop = Loop()
        door = self.listening()
        try:
            yield loop.run(door.__aenter__())
        finally:
            loop.run(door.__aexit__(None, None, None))
            loop.close()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Answers leave one by one: none shall wait until the one before was acknowledged.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await super()._visit(reader, writer)

    async def _say(self, writer: asyncio.StreamWriter, stage: str, default: Answer) -> str:
        if stage == "DATA":
            self.saw("granted")
        if stage != "END":
            return await super()._say(writer, stage, default)
        self.on_letter(unstuffed(self.letters[-1]))
        self.saw("taken")
        said = await super()._say(writer, stage, default)
        self.saw("answered")
        return said


def unstuffed(letter: bytes) -> bytes:
    """A letter as it was before it went over the wire."""
    return letter.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")


def message_id(letter: bytes) -> str:
    """The Message-ID of a letter, without its brackets."""
    return str(BytesHeaderParser().parsebytes(letter)["Message-ID"]).strip("<>")


# -- mail servers -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parcel:
    """A mail that a server wants to hand over: the same bytes at every try."""

    sender: str
    recipient: str
    raw: bytes


class Signpost:
    """Where a home can be reached at the moment; each place is somebody's port, and no port is the same twice."""

    def __init__(self) -> None:
        self._places: list[tuple[int, int]] = []  # (serial number, port)
        self._serial = 0
        self._changed = threading.Condition()

    def add(self, port: int) -> None:
        """Somebody serves there."""
        with self._changed:
            self._serial += 1
            self._places.append((self._serial, port))
            self._changed.notify_all()

    def drop(self, place: tuple[int, int]) -> None:
        """Nobody serves there any more."""
        with self._changed, contextlib.suppress(ValueError):
            self._places.remove(place)

    def find(self, turn: int) -> tuple[int, int]:
        """A place where somebody serves, waiting for one; `turn` spreads visitors over several."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._places, LONGEST_SECONDS), "nobody serves"
            return self._places[turn % len(self._places)]


@dataclass
class Servers:
    """Mail servers, one connection each, that hand over what is given to them and try again until it is taken.

    They go on while there is leave to: so many mails at a time. Moments: "half" (half a body has left), "dot" (all of
    it, and no answer has been read), "accepted" (250 was read).
    """

    signpost: Signpost
    connections: int
    saw: Saw = lambda _: None
    accepted: list[Parcel] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)  # 4yz, after which a mail is tried again

    def __post_init__(self) -> None:
        self._waiting: deque[Parcel] = deque()
        self._leave = 0
        self._in_hand = 0
        self._closed = False
        self._news = threading.Condition()
        self._troubles: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._work, args=(number,), daemon=True)
            for number in range(self.connections)
        ]

    def give(self, parcels: Sequence[Parcel], *, first: bool = False) -> None:
        """Have mails handed over, after or before all others."""
        with self._news:
            if first:
                self._waiting.extendleft(parcels)
            else:
                self._waiting.extend(parcels)
            self._news.notify_all()

    def allow(self, count: int) -> None:
        """Let so many mails go from now on, whatever leave there was before."""
        with self._news:
            self._leave = count
            self._news.notify_all()

    def is_done(self) -> bool:
        """Say whether every mail has its 250."""
        with self._news:
            assert not self._troubles, self._troubles
            return not self._waiting and not self._in_hand

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._news:
            self._closed = True
            self._news.notify_all()

    def _work(self, number: int) -> None:
        try:
            line: _Line | None = None
            while (parcel := self._next()) is not None:
                while True:
                    if line is None:
                        line = _Line.open(self.signpost, number)
                    if line is not None and self._hand_over(line, parcel):
                        break
                    if line is not None and not line.is_alive:
                        line = None
        except BaseException as trouble:  # noqa: BLE001 — told by is_done
            self._troubles.append(trouble)

    def _next(self) -> Parcel | None:
        with self._news:
            self._news.wait_for(lambda: self._closed or (self._leave > 0 and self._waiting))
            if self._closed:
                return None
            self._leave -= 1
            self._in_hand += 1
            return self._waiting.popleft()

    def _hand_over(self, line: "_Line", parcel: Parcel) -> bool:
        answer = line.hand_over(parcel, self.saw)
        if not answer.startswith("250"):
            if answer:
                self.refusals.append(answer)
            return False
        with self._news:
            self.accepted.append(parcel)
            self._in_hand -= 1
        self.saw("accepted")
        return True


class _Line:
    """One SMTP connection."""

    def __init__(self, signpost: Signpost, place: tuple[int, int], client: smtplib.SMTP) -> None:
        self.is_alive = True
        self._signpost, self._place, self._client = signpost, place, client

    @classmethod
    def open(cls, signpost: Signpost, turn: int) -> "_Line | None":
        """Connect to whoever serves; None when they have just gone."""
        place = signpost.find(turn)
        try:
            client = smtplib.SMTP("127.0.0.1", place[1], "client.example", timeout=LONGEST_SECONDS)
            assert client.sock is not None
            # A body leaves in two halves; nobody shall wait for the first to be acknowledged.
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.ehlo()
        except (OSError, smtplib.SMTPException):
            signpost.drop(place)
            return None
        return cls(signpost, place, client)

    def hand_over(self, parcel: Parcel, saw: Saw) -> str:
        """Say a whole mail; the answer, "" when the line broke before one came."""
        try:
            return self._say(parcel, saw)
        except (OSError, smtplib.SMTPException):
            self.is_alive = False
            self._signpost.drop(self._place)
            self._client.close()
            return ""

    def _say(self, parcel: Parcel, saw: Saw) -> str:
        client = self._client
        for code, words in (
            client.mail(parcel.sender),
            client.rcpt(parcel.recipient),
            client.docmd("DATA"),
        ):
            if code >= 400:
                client.rset()
                return f"{code} {words.decode()}"
        body = parcel.raw.replace(b"\r\n.", b"\r\n..") + b".\r\n"
        client.send(body[: len(body) // 2])
        saw("half")
        client.send(body[len(body) // 2 :])
        saw("dot")
        code, words = client.getreply()
        return f"{code} {words.decode()}"


__all__ = ["Act", "Parcel", "Relay", "Servers", "Signpost", "message_id", "unstuffed"]
