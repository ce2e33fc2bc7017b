"""The doors, as peers meet them: real sockets, whole transcripts, every promise of `receive/smtp.py`."""

import asyncio
import contextlib
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailhub.errors import SettingsError, StorageTrouble
from mailhub.receive.limits import Limits
from mailhub.receive.smtp import Arrival, Door, Kept

T = TypeVar("T")
NewLoop = Callable[[], asyncio.AbstractEventLoop]
BOTH_LOOPS = pytest.mark.parametrize(
    "new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
OURS = ("question@centre.example", "revue@centre.example", "réunion@centre.example")
SIMPLE = b"From: a@reader.example\r\nSubject: Bonjour\r\n\r\nUne question.\r\n"


@dataclass
class Shelf:
    """A journal of the simplest kind: keeps mails in a list, says no when told to."""

    arrivals: list[Arrival] = field(default_factory=list)
    outcome: Callable[[Arrival], Sequence[Kept]] = lambda arrival: [Kept.KEPT] * len(arrival.recipients)
    before: Callable[[], None] = lambda: None
    gate: asyncio.Event | None = None
    reached: threading.Event = field(default_factory=threading.Event)

    async def keep(self, arrival: Arrival) -> Sequence[Kept]:
        self.reached.set()
        if self.gate:
            await self.gate.wait()
        outcome = self.outcome(arrival)
        self.arrivals.append(arrival)
        return outcome

    @property
    def raws(self) -> list[bytes]:
        return [arrival.raw for arrival in self.arrivals]


@dataclass
class House:
    """A door that is open, in its own loop and thread."""

    door: Door
    loop: asyncio.AbstractEventLoop
    addresses: list[str]

    @property
    def port(self) -> int:
        return int(self.addresses[0].rpartition(":")[2])

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)


class Peer:
    """A peer that says exactly what it is told, byte by byte."""

    def __init__(self, address: str | int) -> None:
        if isinstance(address, str) and address.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(10)
            self.socket.connect(address.removeprefix("unix:"))
        else:
            self.socket = socket.create_connection(("127.0.0.1", int(address)), timeout=10)
        self.stream = self.socket.makefile("rb")

    def say(self, *lines: bytes | str) -> None:
        self.socket.sendall(
            b"".join(line if isinstance(line, bytes) else f"{line}\r\n".encode() for line in lines)
        )

    def hear(self, replies: int = 1) -> list[str]:
        """Whole replies, the lines of one joined by a bar; fewer when the other side hangs up."""
        heard: list[str] = []
        lines: list[str] = []
        while len(heard) < replies:
            line = self.stream.readline().decode()
            if not line:
                break
            lines.append(line.rstrip("\r\n"))
            if line[3:4] == " ":
                heard.append("|".join(lines))
                lines = []
        return heard

    def ask(self, *lines: bytes | str) -> str:
        self.say(*lines)
        return "".join(self.hear())

    def greet(self, hello: str = "EHLO reader.example") -> "Peer":
        self.hear()
        self.ask(hello)
        return self

    def begin(self, *recipients: str, sender: str = "a@reader.example") -> str:
        """Envelope and DATA; the answer to DATA."""
        self.ask(f"MAIL FROM:<{sender}>")
        for recipient in recipients or ("question@centre.example",):
            self.ask(f"RCPT TO:<{recipient}>")
        return self.ask("DATA")

    def rest(self) -> bytes:
        """All that still comes until the other side hangs up."""
        return self.stream.read()

    def close(self) -> None:
        self.stream.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def open_house(
    shelf: Shelf,
    limits: Limits = Limits(),
    *,
    tls: ssl.SSLContext | None = None,
    smtp: Sequence[str] = ("127.0.0.1:0",),
    lmtp: Sequence[str] = (),
    is_ours: Callable[[str], bool] = OURS.__contains__,
    new_loop: NewLoop = uvloop.new_event_loop,  # as `mailhub serve`
) -> Iterator[House]:
    loop = new_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    door = Door(shelf.keep, is_ours, limits, "mx.centre.example", tls, now=lambda: NOON)
    house = House(door, loop, [])
    try:
        house.addresses = house.run(door.listen(smtp=smtp, lmtp=lmtp))
        yield house
    finally:
        house.run(door.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def house(shelf: Shelf) -> Iterator[House]:
    with open_house(shelf, lmtp=["127.0.0.1:0"]) as house:
        yield house


@pytest.fixture
def peer(house: House) -> Iterator[Peer]:
    with Peer(house.port) as peer:
        yield peer.greet()


@pytest.fixture
def lmtp(house: House) -> Iterator[Peer]:
    with Peer(house.addresses[1].rpartition(":")[2]) as peer:
        yield peer.greet("LHLO front.example")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate the house made for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx.centre.example")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "mx.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def trusting_anyone() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


# ── a mail comes in ──


def test_a_mail_is_kept_with_all_that_the_peer_said_about_it(house: House, shelf: Shelf):
    with Peer(house.port) as peer:
        greetings = [*peer.hear(), peer.ask("EHLO reader.example")]
        dialogue = [
            peer.ask("MAIL FROM:<a@reader.example> SIZE=60 BODY=8BITMIME"),
            peer.ask("RCPT TO:<question@centre.example>"),
            peer.ask("RCPT TO:<revue@centre.example>"),
            peer.ask("DATA"),
            peer.ask(SIMPLE + b".\r\n"),
            peer.ask("QUIT"),
        ]
        rest = peer.rest()

    assert greetings == [
        "220 mx.centre.example ESMTP",
        "250-mx.centre.example|250-SIZE 26214400|250-8BITMIME|250-SMTPUTF8|250-PIPELINING|250 ENHANCEDSTATUSCODES",
    ]
    assert dialogue == [
        "250 2.1.0 OK",
        "250 2.1.5 OK",
        "250 2.1.5 OK",
        "354 End data with <CR><LF>.<CR><LF>",
        "250 2.0.0 Kept",
        "221 2.0.0 Bye",
    ]
    assert rest == b""
    assert shelf.arrivals == [
        Arrival(
            raw=SIMPLE,
            sender="a@reader.example",
            recipients=("question@centre.example", "revue@centre.example"),
            source="smtp",
            client_ip="127.0.0.1",
            helo="reader.example",
            received_at=NOON,
        )
    ]
    assert [envelope.recipient for envelope in shelf.arrivals[0].envelopes] == list(
        shelf.arrivals[0].recipients
    )


def test_250_is_said_only_after_the_mail_is_kept(house: House, shelf: Shelf, peer: Peer):
    shelf.gate = asyncio.Event()
    peer.begin()
    peer.say(SIMPLE + b".\r\n")
    assert shelf.reached.wait(10)

    peer.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.socket.recv(1)
    peer.socket.settimeout(10)
    house.loop.call_soon_threadsafe(shelf.gate.set)

    assert peer.hear() == ["250 2.0.0 Kept"]


def test_an_old_peer_that_says_helo_is_served(house: House, shelf: Shelf):
    with Peer(house.port) as peer:
        peer.hear()
        answers = [peer.ask("HELO old.example"), peer.begin(), peer.ask(SIMPLE + b".\r\n")]

    assert answers == ["250 mx.centre.example", "354 End data with <CR><LF>.<CR><LF>", "250 2.0.0 Kept"]
    assert shelf.raws == [SIMPLE]


def test_the_standard_library_delivers_several_mails_in_one_visit(house: House, shelf: Shelf):
    with smtplib.SMTP("127.0.0.1", house.port, timeout=10) as client:
        for number in range(3):
            refused = client.sendmail(
                "a@reader.example", list(OURS[:2]), f"Subject: {number}\n\n.point\n..\n"
            )
            assert refused == {}

    assert shelf.raws == [f"Subject: {number}\r\n\r\n.point\r\n..\r\n".encode() for number in range(3)]


@BOTH_LOOPS
def test_pipelined_commands_are_answered_in_order_and_a_refused_recipient_does_not_disturb(
    shelf: Shelf, new_loop: NewLoop
):
    """RFC 2920: a whole group in one packet, two mails one after the other."""
    with open_house(shelf, new_loop=new_loop) as house, Peer(house.port) as peer:
        peer.greet()
        peer.say(
            "MAIL FROM:<a@reader.example>",
            "RCPT TO:<nobody@centre.example>",
            "RCPT TO:<question@centre.example>",
            "DATA",
        )
        first = peer.hear(4)
        peer.say(SIMPLE + b".\r\n", "MAIL FROM:<b@reader.example>", "RCPT TO:<revue@centre.example>", "DATA")
        second = peer.hear(4)
        peer.say(SIMPLE + b".\r\n", "QUIT")
        last = peer.hear(2)

    assert first == [
        "250 2.1.0 OK",
        "550 5.1.1 No such mailbox here",
        "250 2.1.5 OK",
        "354 End data with <CR><LF>.<CR><LF>",
    ]
    assert second == ["250 2.0.0 Kept", "250 2.1.0 OK", "250 2.1.5 OK", "354 End data with <CR><LF>.<CR><LF>"]
    assert last == ["250 2.0.0 Kept", "221 2.0.0 Bye"]
    assert [arrival.sender for arrival in shelf.arrivals] == ["a@reader.example", "b@reader.example"]


def test_a_body_sent_along_with_data_is_read_right(shelf: Shelf, peer: Peer):
    """Against RFC 2920, but harmless: what follows the final dot is the next command."""
    peer.say(
        "MAIL FROM:<a@reader.example>",
        "RCPT TO:<question@centre.example>",
        "DATA",
        SIMPLE + b".\r\n",
        "NOOP",
        "QUIT",
    )

    assert [reply[:3] for reply in peer.hear(9)] == ["250", "250", "354", "250", "250", "221"]
    assert shelf.raws == [SIMPLE]


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b".x\r\n.\r\n", b"x\r\n"),  # RFC 5321 4.5.2: a lone leading dot goes, even before text
        (b"a\r\n..\r\n...\r\n.\r\n", b"a\r\n.\r\n..\r\n"),
        (b"a.\r\n.\r\n", b"a.\r\n"),
        (b"\0\xff\r\n.\r\n", b"\0\xff\r\n"),
        (b"x" * 5000 + b"\r\n.\r\n", b"x" * 5000 + b"\r\n"),
        (b"x" * 200_000 + b"\r\n..y\r\n.\r\n", b"x" * 200_000 + b"\r\n.y\r\n"),
    ],
)
def test_a_body_is_read_to_its_dot_and_unstuffed(shelf: Shelf, peer: Peer, wire: bytes, body: bytes):
    peer.begin()

    assert peer.ask(wire) == "250 2.0.0 Kept"
    assert shelf.raws == [body]
    assert peer.ask("NOOP") == "250 2.0.0 OK"


@pytest.mark.parametrize("cut", range(1, 9))
def test_the_end_of_a_body_is_found_wherever_packets_and_blocks_are_cut(shelf: Shelf, peer: Peer, cut: int):
    """The end sign lies across the border of two blocks of 64 KiB, and comes one byte at a time."""
    body = b"y" * (64 * 1024 - cut) + b"\r\n"
    peer.begin()
    peer.say(body)
    for byte in b".\r\n":
        peer.say(bytes([byte]))

    assert peer.hear() == ["250 2.0.0 Kept"]
    assert shelf.raws == [body]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(lines=st.lists(st.text(".ab ", max_size=4), max_size=8), cuts=st.lists(st.integers(0, 60), max_size=4))
def test_any_body_comes_through_as_it_was_sent(house: House, shelf: Shelf, lines: list[str], cuts: list[int]):
    body = "".join(f"{line}\r\n" for line in lines).encode()
    wire = (
        "".join(f".{line}\r\n" if line.startswith(".") else f"{line}\r\n" for line in lines).encode()
        + b".\r\n"
    )
    shelf.arrivals.clear()
    with Peer(house.port) as peer:
        peer.greet().begin()
        for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(wire)], strict=True):
            peer.say(wire[start:end])
        answer = peer.hear()

    assert answer == ["250 2.0.0 Kept"]
    assert shelf.raws == [body]


# ── who may write, and to whom ──


@pytest.mark.parametrize(
    "recipient",
    [
        "nobody@centre.example",
        "victim@elsewhere.example",
        "victim%elsewhere.example@centre.example",
        '"victim@elsewhere.example"@centre.example',
        "elsewhere.example!victim@centre.example",
        "@centre.example:victim@elsewhere.example",
        "question@[127.0.0.1]",
        "root",
        "",
    ],
)
@pytest.mark.parametrize("sender", ["a@reader.example", "question@centre.example", ""])
def test_a_recipient_that_is_not_ours_is_refused_whoever_writes(
    peer: Peer, shelf: Shelf, recipient: str, sender: str
):
    assert peer.ask(f"MAIL FROM:<{sender}>") == "250 2.1.0 OK"
    assert peer.ask(f"RCPT TO:<{recipient}>") == "550 5.1.1 No such mailbox here"
    assert peer.ask("DATA") == "503 5.5.1 Need RCPT first"
    assert shelf.arrivals == []


@pytest.mark.parametrize(
    ("path", "sender"),
    [
        ("<>", ""),
        ("<> SIZE=100", ""),
        ("<a@reader.example>", "a@reader.example"),
        ("<A.B+c=d'e/f@Reader-1.example> BODY=7BIT", "A.B+c=d'e/f@Reader-1.example"),
        (' <"a b"@reader.example>', '"a b"@reader.example'),
        ("<..odd.@reader.example>", "..odd.@reader.example"),
        ("<@relay.example:a@reader.example>", "a@reader.example"),
        ("<a@[192.0.2.1]>", "a@[192.0.2.1]"),
        ("<élu@mairie.example> SMTPUTF8", "élu@mairie.example"),
        ("a@reader.example", "a@reader.example"),
        ("<root>", "root"),
    ],
)
def test_senders_of_every_form_are_read(peer: Peer, shelf: Shelf, path: str, sender: str):
    assert peer.ask(f"MAIL FROM:{path}") == "250 2.1.0 OK"
    peer.ask("RCPT TO:<question@centre.example>")
    peer.ask("DATA")

    assert peer.ask(SIMPLE + b".\r\n") == "250 2.0.0 Kept"
    assert shelf.arrivals[0].sender == sender


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("MAIL FROM:<a@reader.example", "553 5.1.3"),
        ("MAIL FROM:<a@b@reader.example>", "553 5.1.3"),
        ("MAIL FROM:<@reader.example>", "553 5.1.3"),
        ('MAIL FROM:<"a@reader.example>', "553 5.1.3"),
        ("MAIL FROM:<a b@reader.example>", "553 5.1.3"),
        ("MAIL FROM:<" + "(" * 400 + "a@reader.example>", "553 5.1.3"),
        (b"MAIL FROM:<\xff@reader.example> SMTPUTF8\r\n", "553 5.1.3"),
        (b"MAIL FROM:<a\rb@reader.example>\r\n", "553 5.1.3"),
        ("MAIL FROM:<élu@mairie.example>", "553 5.6.7"),
        ("MAIL FROM:<a@reader.example> SIZE=26214401", "552 5.3.4"),
        ("MAIL FROM:<a@reader.example> BODY=BINARYMIME", "501 5.5.4"),
        ("MAIL FROM:<a@reader.example> RET=FULL", "555 5.5.4"),
        ("MAIL a@reader.example", "501 5.5.4"),
        ("MAIL FROM:<a@reader.example> " + "X" * 600, "500 5.5.2"),
        ("MAIL", "501 5.5.4"),
        ("RCPT TO:<question@centre.example>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("VRFY question@centre.example", "252 2.0.0"),
        ("VRFY nobody@centre.example", "252 2.0.0"),
        ("EXPN revue", "502 5.5.1"),
        ("AUTH PLAIN AGEAYg==", "502 5.5.1"),
        ("STARTTLS", "454 4.7.0"),
        ("XCLIENT ADDR=192.0.2.1", "500 5.5.2"),
        ("HELP", "214 2.0.0"),
        ("NOOP", "250 2.0.0"),
        ("RSET", "250 2.0.0"),
        ("X" * 300_000, "500 5.5.2"),
        (b"\xff\xfe\r\n", "500 5.5.2"),
        (b"\r\n", "500 5.5.2"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)
def test_odd_commands_get_a_code_with_an_enhanced_one_and_the_visit_goes_on(
    peer: Peer, command: bytes | str, answer: str
):
    assert peer.ask(command).startswith(answer)
    assert peer.ask("NOOP") == "250 2.0.0 OK"


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(
    said=st.lists(
        st.sampled_from(
            [
                "EHLO reader.example",
                "HELO reader.example",
                "MAIL FROM:<a@reader.example>",
                "MAIL FROM:<a@reader.example> SIZE=4096 BODY=8BITMIME",
                "MAIL FROM:<a@reader.example> SIZE=26214401",
                "MAIL FROM:<>",
                "RCPT TO:<question@centre.example>",
                "RCPT TO:<nobody@centre.example>",
                "RCPT TO:<" + "x" * 60 + "@centre.example>",
                "DATA\r\n.",  # an empty mail, or two commands out of order
                "RSET",
                "NOOP",
            ]
        ),
        max_size=12,
    )
    .map(lambda said: "\r\n".join(said).splitlines()[: Limits().errors])  # one more may end the visit
    .filter(lambda said: said.count(".") < 5),  # as a sixth word that is no command does
    at_once=st.booleans(),
)
def test_a_plain_command_is_answered_as_the_dialogue_would(house: House, said: list[str], at_once: bool):
    """Only capitals are plain: with small letters all goes through aiosmtpd."""
    with Peer(house.port) as plain, Peer(house.port) as dialogue:
        plain.hear(), dialogue.hear()
        expected = [dialogue.ask(command[:4].lower() + command[4:]) for command in said]
        if at_once:
            plain.say(*said)
            heard = plain.hear(len(said))
        else:
            heard = [plain.ask(command) for command in said]

    assert heard == expected


def test_a_greeting_comes_first(house: House):
    with Peer(house.port) as peer:
        peer.hear()

        assert peer.ask("MAIL FROM:<a@reader.example>").startswith("503 5.5.1")
        assert peer.ask("EHLO").startswith("501 5.5.4")


def test_a_name_that_is_not_text_is_kept_as_text(house: House, shelf: Shelf):
    with Peer(house.port) as peer:
        peer.hear()
        peer.ask(b"EHLO a\0b\xff\x1b.example\r\n")
        peer.begin()
        peer.ask(SIMPLE + b".\r\n")

    assert shelf.arrivals[0].helo == "a?b??.example"


def test_postmaster_needs_no_domain(peer: Peer, shelf: Shelf):
    """RFC 5321 section 4.5.1."""
    assert peer.begin("Postmaster") == "354 End data with <CR><LF>.<CR><LF>"
    peer.ask(SIMPLE + b".\r\n")
    assert shelf.arrivals[0].recipients == ("Postmaster",)


def test_an_accented_address_of_ours_works_with_smtputf8(peer: Peer, shelf: Shelf):
    peer.ask("MAIL FROM:<élu@mairie.example> SMTPUTF8")
    peer.ask("RCPT TO:<réunion@centre.example>")
    peer.ask("DATA")

    assert peer.ask("Subject: Réunion", "", "À bientôt", ".") == "250 2.0.0 Kept"
    assert (shelf.arrivals[0].sender, shelf.arrivals[0].recipients) == (
        "élu@mairie.example",
        ("réunion@centre.example",),
    )


def test_the_same_recipient_twice_is_one_recipient(peer: Peer, shelf: Shelf):
    peer.begin("revue@centre.example", "revue@centre.example")
    peer.ask(SIMPLE + b".\r\n")

    assert shelf.arrivals[0].recipients == ("revue@centre.example",)


# ── trouble of ours ──


@pytest.mark.parametrize(
    "outcome",
    [
        lambda _arrival: [Kept.NOT_NOW],
        lambda _arrival: [],
        lambda _arrival: (_ for _ in ()).throw(
            StorageTrouble("/srv/mailhub/storage/mailhub.db is read-only")
        ),
        lambda _arrival: 1 / 0,
    ],
    ids=["said no", "said nothing", "known trouble", "a bug"],
)
def test_trouble_of_ours_is_451_tells_nothing_and_the_visit_goes_on(
    peer: Peer, shelf: Shelf, outcome: Callable[[Arrival], Sequence[Kept]]
):
    well = shelf.outcome
    shelf.outcome = outcome
    peer.begin()
    answers = [peer.ask(SIMPLE + b".\r\n")]
    shelf.outcome = well
    peer.begin()
    answers.append(peer.ask(SIMPLE + b".\r\n"))

    assert answers == ["451 4.3.0 Trouble on our side, try again later", "250 2.0.0 Kept"]


def test_one_recipient_refused_for_now_refuses_the_mail_on_smtp(peer: Peer, shelf: Shelf):
    """SMTP has one answer for all; those kept already will be known when the sender tries again."""
    shelf.outcome = lambda _arrival: [Kept.KEPT, Kept.NOT_NOW]
    peer.begin("question@centre.example", "revue@centre.example")

    assert peer.ask(SIMPLE + b".\r\n") == "451 4.3.0 Trouble on our side, try again later"


def test_trouble_while_asking_whose_address_it_is_is_451(shelf: Shelf):
    def broken(address: str) -> bool:
        raise RuntimeError(f"no row for {address} in table secret")

    with open_house(shelf, is_ours=broken) as house, Peer(house.port) as peer:
        peer.greet().ask("MAIL FROM:<a@reader.example>")

        assert (
            peer.ask("RCPT TO:<question@centre.example>") == "451 4.3.0 Trouble on our side, try again later"
        )
        assert peer.ask("NOOP") == "250 2.0.0 OK"


def test_a_journal_that_never_answers_is_451(shelf: Shelf):
    shelf.gate = asyncio.Event()
    with open_house(shelf, Limits(keep_seconds=0.05)) as house, Peer(house.port) as peer:
        peer.greet().begin()
        answer = peer.ask(SIMPLE + b".\r\n")

        async def keep_late() -> None:
            shelf.gate.set()
            await asyncio.wait(house.door._keeping)

        house.run(keep_late())
        next_answer = peer.ask("NOOP")  # what is kept late is no news to the peer

    assert answer == "451 4.3.0 Trouble on our side, try again later"
    assert len(shelf.arrivals) == 1
    assert next_answer == "250 2.0.0 OK"


def test_who_falls_silent_after_a_mail_that_took_too_long_is_shown_out(shelf: Shelf):
    shelf.gate = asyncio.Event()
    with open_house(shelf, Limits(keep_seconds=0.05, idle_seconds=0.1)) as house, Peer(house.port) as peer:
        peer.greet().begin()
        peer.say(SIMPLE + b".\r\n")
        said = peer.rest()
        house.loop.call_soon_threadsafe(shelf.gate.set)

    assert said == b"451 4.3.0 Trouble on our side, try again later\r\n421 4.4.2 Time is up, goodbye\r\n"


def test_a_mail_being_kept_is_kept_though_the_peer_hangs_up(house: House, shelf: Shelf):
    shelf.gate = asyncio.Event()
    with Peer(house.port) as peer:
        peer.greet().begin()
        peer.say(SIMPLE + b".\r\n")
        assert shelf.reached.wait(10)
    house.loop.call_soon_threadsafe(shelf.gate.set)
    house.run(house.door.close())

    assert shelf.raws == [SIMPLE]


@pytest.mark.parametrize(
    "greeting", ["EHLO reader.example", "HELO reader.example"]
)  # the quick way, and the dialogue's
def test_what_is_said_while_a_mail_is_kept_is_heard_when_it_is_answered(
    house: House, shelf: Shelf, greeting: str
):
    shelf.gate = asyncio.Event()
    with Peer(house.port) as peer:
        peer.greet(greeting).begin()
        peer.say(SIMPLE + b".\r\nMAIL FROM:<b@reader.example>\r\nRCPT TO:<question@centre.example>\r\n")
        assert shelf.reached.wait(10)
        peer.say("NOOP", "DATA")
        house.loop.call_soon_threadsafe(shelf.gate.set)
        answers = peer.hear(5)
        answer = peer.ask(SIMPLE + b".\r\n")

    assert [each[:9] for each in answers] == ["250 2.0.0", "250 2.1.0", "250 2.1.5", "250 2.0.0", "354 End d"]
    assert answer == "250 2.0.0 Kept"
    assert [arrival.sender for arrival in shelf.arrivals] == ["a@reader.example", "b@reader.example"]


def test_a_peer_that_talks_on_while_its_mail_is_kept_fills_no_memory(house: House, shelf: Shelf):
    shelf.gate = asyncio.Event()
    with Peer(house.port) as peer:
        peer.greet().begin()
        peer.say(SIMPLE + b".\r\n")
        assert shelf.reached.wait(10)
        peer.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):  # as much as the system keeps, then it is made to wait
            peer.socket.sendall(b"NOOP\r\n" * 5_000_000)
        (visit,) = house.door._visits
        held = len(visit._unheard)
        house.loop.call_soon_threadsafe(shelf.gate.set)

    assert 0 < held <= 1024 * 1024


def test_closing_answers_the_mail_being_kept_and_then_takes_leave(shelf: Shelf):
    shelf.gate = asyncio.Event()
    with open_house(shelf) as house, Peer(house.port) as peer, Peer(house.port) as idle:
        idle.greet()
        peer.greet().begin()
        peer.say(SIMPLE + b".\r\n")
        assert shelf.reached.wait(10)
        closing = asyncio.run_coroutine_threadsafe(house.door.close(), house.loop)
        said_to_idle = idle.rest()
        house.loop.call_soon_threadsafe(shelf.gate.set)
        said = peer.rest()
        closing.result(10)
        with pytest.raises(ConnectionRefusedError):
            Peer(house.port)

    assert said_to_idle == b"421 4.3.2 Closing down, come back later\r\n"
    assert said == b"250 2.0.0 Kept\r\n421 4.3.2 Closing down, come back later\r\n"


def test_closing_hears_a_mail_to_its_end(shelf: Shelf):
    with open_house(shelf) as house, Peer(house.port) as peer, Peer(house.port) as idle:
        idle.greet()
        peer.greet().begin()
        peer.say(SIMPLE[:10])
        closing = asyncio.run_coroutine_threadsafe(house.door.close(), house.loop)
        idle.rest()
        peer.say(SIMPLE[10:] + b".\r\n")
        said = peer.rest()
        closing.result(10)

    assert said == b"250 2.0.0 Kept\r\n421 4.3.2 Closing down, come back later\r\n"
    assert shelf.raws == [SIMPLE]


def test_closing_does_not_wait_for_ever_for_the_end_of_a_mail(shelf: Shelf, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mailhub.receive.smtp.GRACE_SECONDS", 0.01)
    with open_house(shelf) as house, Peer(house.port) as peer:
        peer.greet().begin()
        peer.say(SIMPLE[:10])
        house.run(house.door.close())
        with contextlib.suppress(ConnectionError):
            peer.rest()

    assert shelf.arrivals == []


def test_who_is_coming_is_who_says_a_mail(house: House, shelf: Shelf):
    with Peer(house.port) as peer, Peer(house.port) as other:
        peer.greet()
        other.greet().begin()
        during = house.door.coming()
        other.say(SIMPLE + b".\r\n")
        assert other.hear() == ["250 2.0.0 Kept"]
        after = house.door.coming()

    assert (during, after) == (1, 0)
    assert shelf.raws == [SIMPLE]


@pytest.mark.parametrize("said", ["RSET", "EHLO reader.example", "DATA"])
def test_who_drops_a_mail_or_has_it_refused_is_not_coming(shelf: Shelf, said: str):
    with open_house(shelf, Limits(message_bytes=100)) as house, Peer(house.port) as peer:
        peer.greet().ask("MAIL FROM:<a@reader.example>")
        peer.ask("RCPT TO:<question@centre.example>")
        during = house.door.coming()
        peer.ask(said)
        if said == "DATA":
            assert peer.ask(b"x" * 200 + b"\r\n.\r\n")[:3] == "552"

        assert (during, house.door.coming()) == (1, 0)


def test_a_mail_that_waits_to_be_kept_presses_however_long_it_takes(
    house: House, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mailhub.receive.smtp.PRESSED_SECONDS", 0)  # the moment its words count is over
    shelf.gate = asyncio.Event()
    with Peer(house.port) as peer:
        peer.greet().begin()
        said = house.door.is_pressed()
        peer.say(SIMPLE + b".\r\n")
        assert shelf.reached.wait(10)
        waits = house.door.is_pressed()
        house.loop.call_soon_threadsafe(shelf.gate.set)
        assert peer.hear() == ["250 2.0.0 Kept"]
        answered = house.door.is_pressed()

    assert (said, waits, answered) == (False, True, False)


def test_a_body_cut_off_is_not_a_mail(house: House, shelf: Shelf):
    with Peer(house.port) as peer:
        peer.greet().begin()
        peer.say(SIMPLE)
        peer.socket.shutdown(socket.SHUT_WR)
        peer.rest()
    house.run(house.door.close())

    assert shelf.arrivals == []
    assert house.door._gate._bodies_bytes == 0


# ── limits ──


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"x" * 98 + b"\r\n.\r\n", "250 2.0.0 Kept"),
        (b"..\r\n" * 33 + b"x\r\n.\r\n", "552 5.3.4 The mail is too big"),
        (b"..\r\n" * 33 + b".\r\n", "250 2.0.0 Kept"),  # RFC 1870: the doubled dots do not count
        (b"x" * 99 + b"\r\n.\r\n", "552 5.3.4 The mail is too big"),
        (b"x" * 3_000_000 + b"\r\n.\r\n", "552 5.3.4 The mail is too big"),
    ],
)
def test_a_mail_over_the_size_is_refused_and_the_visit_goes_on(shelf: Shelf, body: bytes, answer: str):
    """P19: 552, and the next mail is taken."""
    with open_house(shelf, Limits(message_bytes=100)) as house, Peer(house.port) as peer:
        peer.hear()
        assert "250-SIZE 100|" in peer.ask("EHLO reader.example")
        peer.begin()
        assert peer.ask(body) == answer
        assert peer.ask("MAIL FROM:<a@reader.example> SIZE=101")[:9] == "552 5.3.4"
        peer.begin()
        assert peer.ask(b"x\r\n.\r\n") == "250 2.0.0 Kept"


def test_large_bodies_share_a_bounded_memory(shelf: Shelf):
    with (
        open_house(shelf, Limits(bodies_bytes=200_000)) as house,
        Peer(house.port) as first,
        Peer(house.port) as other,
    ):
        first.greet().begin()
        first.say(b"x" * 150_000)
        other.greet().begin()
        refused = other.ask(b"x" * 300_000 + b"\r\n.\r\n")
        other.begin()
        small = other.ask(SIMPLE + b".\r\n")
        finished = first.ask(b"\r\n.\r\n")
        other.begin()
        later = other.ask(b"x" * 150_000 + b"\r\n.\r\n")

    assert refused == "452 4.3.1 No room for large mails right now, try again later"
    assert [small, finished, later] == ["250 2.0.0 Kept"] * 3


def test_a_body_that_is_refused_holds_no_memory_while_it_goes_on(shelf: Shelf):
    with (
        open_house(shelf, Limits(message_bytes=1000, bodies_bytes=200_000)) as house,
        Peer(house.port) as endless,
        Peer(house.port) as other,
    ):
        endless.greet().begin()
        endless.say(b"x" * 100_000)
        other.greet().begin()
        assert other.ask(SIMPLE + b".\r\n") == "250 2.0.0 Kept"  # what was said before has been heard
        assert house.door._gate._bodies_bytes == 0


def test_too_many_recipients_are_put_off(shelf: Shelf):
    with open_house(shelf, Limits(recipients=2), is_ours=lambda _: True) as house, Peer(house.port) as peer:
        peer.greet().ask("MAIL FROM:<a@reader.example>")
        answers = [peer.ask(f"RCPT TO:<r{number}@centre.example>")[:9] for number in range(3)]
        peer.ask("DATA")

        assert peer.ask(SIMPLE + b".\r\n") == "250 2.0.0 Kept"
    assert answers == ["250 2.1.5", "250 2.1.5", "452 4.5.3"]


def test_too_many_visits_of_one_source_or_in_all_are_put_off(shelf: Shelf):
    for limits in (Limits(visits_per_source=1, unlimited_sources=frozenset()), Limits(visits=1)):
        with open_house(shelf, limits) as house:
            with Peer(house.port) as first, Peer(house.port) as second:
                welcome, refusal = first.hear(), second.rest()
                first.ask("QUIT")
                first.rest()
            with Peer(house.port) as third:
                again = third.hear()

        assert welcome == again == ["220 mx.centre.example ESMTP"]
        assert refusal == b"421 4.7.0 Too many connections, come back later\r\n"


def test_a_source_that_brings_too_many_mails_a_minute_is_put_off(shelf: Shelf):
    limits = Limits(messages_per_minute=2, unlimited_sources=frozenset())
    with open_house(shelf, limits) as house, Peer(house.port) as peer:
        peer.greet()
        for _ in range(2):
            peer.begin()
            assert peer.ask(SIMPLE + b".\r\n") == "250 2.0.0 Kept"

        assert peer.ask("MAIL FROM:<a@reader.example>") == (
            "450 4.7.1 Too many mails from your side, try again later"
        )


def test_a_harvester_of_addresses_is_shown_out(shelf: Shelf):
    with open_house(shelf, Limits(errors=3)) as house, Peer(house.port) as peer:
        peer.greet().ask("MAIL FROM:<a@reader.example>")
        answers = [peer.ask(f"RCPT TO:<guess{number}@centre.example>")[:9] for number in range(4)]

        assert answers == ["550 5.1.1"] * 3 + ["421 4.7.0"]
        assert peer.rest() == b""


def test_a_harvester_that_asks_for_all_at_once_learns_no_more(shelf: Shelf):
    asked: list[str] = []

    def nobody(address: str) -> bool:
        asked.append(address)
        return False

    guesses = [f"RCPT TO:<guess{number}@centre.example>" for number in range(50)]
    with open_house(shelf, Limits(errors=3), is_ours=nobody) as house, Peer(house.port) as peer:
        peer.greet().say("MAIL FROM:<a@reader.example>", *guesses)
        answers = [answer[:9] for answer in peer.hear(60)]

    assert answers == ["250 2.1.0", *["550 5.1.1"] * 3, "421 4.7.0"]
    assert len(asked) == 4


@pytest.mark.parametrize(
    "limits",
    [Limits(idle_seconds=0.05), Limits(data_seconds=0.05), Limits(visit_seconds=0.05)],
    ids=["idle", "data", "visit"],
)
def test_a_peer_that_falls_silent_in_its_mail_is_shown_out(shelf: Shelf, limits: Limits):
    with open_house(shelf, limits) as house, Peer(house.port) as peer:
        peer.greet().begin()
        peer.say(b"Subject: ...")

        assert peer.rest() == b"421 4.4.2 Time is up, goodbye\r\n"
    assert shelf.arrivals == []


@pytest.mark.parametrize("new_loop", [uvloop.new_event_loop, asyncio.new_event_loop])
def test_whoever_was_shown_out_makes_room_for_the_next(shelf: Shelf, new_loop: NewLoop):
    troubles: list[object] = []
    with open_house(shelf, Limits(visits=1, idle_seconds=0.05), new_loop=new_loop) as house:
        house.loop.set_exception_handler(lambda _, trouble: troubles.append(trouble))
        for _ in range(3):
            with Peer(house.port) as peer:
                peer.greet()
                assert peer.rest() == b"421 4.4.2 Time is up, goodbye\r\n"

    assert troubles == []


@BOTH_LOOPS
def test_after_a_goodbye_under_tls_nothing_more_is_answered(
    shelf: Shelf, tls: ssl.SSLContext, new_loop: NewLoop, caplog: pytest.LogCaptureFixture
):
    asked: list[str] = []

    def nobody(address: str) -> bool:
        asked.append(address)
        return False

    guesses = "".join(f"RCPT TO:<guess{number}@centre.example>\r\n" for number in range(100))
    with (
        open_house(shelf, Limits(errors=3), tls=tls, new_loop=new_loop, is_ours=nobody) as house,
        Peer(house.port) as peer,
    ):
        peer.greet().ask("STARTTLS")
        with trusting_anyone().wrap_socket(peer.socket) as wrapped, wrapped.makefile("rb") as replies:
            wrapped.sendall(b"EHLO reader.example\r\nMAIL FROM:<a@reader.example>\r\n" + guesses.encode())
            answers = replies.read().splitlines()
        assert gone_within(house, 10)

    assert answers[-1] == b"421 4.7.0 Too many errors, goodbye"
    assert len(asked) <= 5  # the fifth is not answered
    assert caplog.records == []


@BOTH_LOOPS
@pytest.mark.parametrize("way", ["QUIT", "errors", "half-closed"])
def test_whoever_leaves_without_reading_our_answers_makes_room_for_the_next(
    shelf: Shelf, way: str, new_loop: NewLoop
):
    with open_house(shelf, Limits(visits=1, errors=3, idle_seconds=0.2), new_loop=new_loop) as house:
        with Peer(house.port) as peer:
            peer.greet()
            (visit,) = house.door._visits
            line = visit.transport
            line.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            while line.get_write_buffer_size() < 16_000:  # so much waits for the peer to read
                peer.say(*["EHLO reader.example"] * 50)
                time.sleep(0.02)
            if way == "half-closed":
                peer.socket.shutdown(socket.SHUT_WR)
            else:
                peer.say(*["QUIT"] if way == "QUIT" else ["EXPN"] * 4)
            assert gone_within(house, 10)
        with Peer(house.port) as peer:
            assert peer.hear() == ["220 mx.centre.example ESMTP"]


def gone_within(house: House, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while house.door._visits and time.monotonic() < end:
        time.sleep(0.01)
    return not house.door._visits


# ── bodies that lie about their end ──


@pytest.mark.parametrize(
    "false_end",
    [b"\n.\r\n", b"\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n.\n", b"\r\r\n.\r\r\n", b"\r\n\0.\r\n\n"],
)
def test_a_false_end_of_body_never_smuggles_a_second_mail(peer: Peer, shelf: Shelf, false_end: bytes):
    """S17: what a careless server would take for two mails is one, and refused."""
    smuggled = b"MAIL FROM:<question@centre.example>\r\nRCPT TO:<revue@centre.example>\r\nDATA\r\nSubject: faux\r\n\r\nfaux"
    peer.begin()

    answer = peer.ask(SIMPLE + b"fin" + false_end + smuggled + b"\r\n.\r\n")

    assert answer == "550 5.6.0 A lone CR or LF is not a line end in mail"
    assert peer.ask("NOOP") == "250 2.0.0 OK"
    assert shelf.arrivals == []


@pytest.mark.parametrize(("hops", "answer"), [(100, "250 2.0.0"), (101, "554 5.4.6")])
def test_a_mail_that_went_round_and_round_is_stopped(peer: Peer, hops: int, answer: str):
    received = b"".join(
        b"%s: by mx%d.example\r\n" % (b"RECEIVED" if n % 2 else b"Received", n) for n in range(hops)
    )
    peer.begin()

    assert peer.ask(received + SIMPLE + b"Received: in the body\r\n" + b".\r\n")[:9] == answer


# ── LMTP ──


def test_lmtp_answers_once_for_each_recipient(lmtp: Peer, shelf: Shelf):
    """RFC 2033 section 4.2, with one of two recipients put off."""
    shelf.outcome = lambda arrival: [
        Kept.NOT_NOW if recipient.startswith("revue") else Kept.KEPT for recipient in arrival.recipients
    ]
    lmtp.begin(
        "revue@centre.example", "nobody@centre.example", "question@centre.example", "revue@centre.example"
    )
    lmtp.say(SIMPLE + b".\r\n", "NOOP")

    assert lmtp.hear(4) == [
        "451 4.3.0 Trouble on our side, try again later",
        "250 2.0.0 Kept",
        "451 4.3.0 Trouble on our side, try again later",
        "250 2.0.0 OK",
    ]
    assert shelf.arrivals[0].recipients == ("revue@centre.example", "question@centre.example")
    assert (shelf.arrivals[0].source, shelf.arrivals[0].helo) == ("lmtp", "front.example")


@pytest.mark.parametrize(
    ("body", "answer"),
    [(b"a\nb\r\n", "550 5.6.0"), (b"Received: x\r\n" * 101, "554 5.4.6"), (SIMPLE, "451 4.3.0")],
)
def test_lmtp_refuses_once_for_each_recipient(lmtp: Peer, shelf: Shelf, body: bytes, answer: str):
    shelf.outcome = lambda _arrival: 1 / 0
    lmtp.begin("question@centre.example", "revue@centre.example")
    lmtp.say(body + b".\r\n", "NOOP")

    assert [reply[:9] for reply in lmtp.hear(3)] == [answer, answer, "250 2.0.0"]


def test_lmtp_wants_lhlo(house: House):
    with Peer(house.addresses[1].rpartition(":")[2]) as peer:
        answers = [
            *peer.hear(),
            peer.ask("EHLO a.example"),
            peer.ask("HELO a.example"),
            peer.ask("LHLO a.example"),
        ]

    assert answers[:3] == ["220 mx.centre.example LMTP"] + ["500 5.5.1 This is LMTP: say LHLO"] * 2
    assert answers[3].endswith("|250-PIPELINING|250 ENHANCEDSTATUSCODES")


def test_smtp_has_no_lhlo(peer: Peer):
    assert peer.ask("LHLO a.example")[:3] == "500"


@BOTH_LOOPS
def test_lmtp_works_on_a_unix_socket_that_leaves_nothing_behind(
    shelf: Shelf, tmp_path: Path, new_loop: NewLoop
):
    path = tmp_path / "lmtp"
    address = f"unix:{path}"
    for _ in range(2):  # and again over a socket that a crash left there
        with open_house(shelf, smtp=[], lmtp=[address], new_loop=new_loop) as house:
            assert house.addresses == [address]
            assert path.stat().st_mode & 0o777 == 0o660
            with smtplib.LMTP(str(path)) as client:
                assert client.sendmail("a@reader.example", OURS[0], SIMPLE) == {}
        assert not path.exists()
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(str(path))

    assert [(arrival.client_ip, arrival.source) for arrival in shelf.arrivals] == [("", "lmtp")] * 2


# ── TLS ──


@BOTH_LOOPS
def test_starttls_protects_a_whole_mail(shelf: Shelf, tls: ssl.SSLContext, new_loop: NewLoop):
    with (
        open_house(shelf, tls=tls, new_loop=new_loop) as house,
        smtplib.SMTP("127.0.0.1", house.port, timeout=10) as client,
    ):
        client.ehlo("reader.example")
        offered = client.has_extn("starttls")
        client.starttls(context=trusting_anyone())
        before_greeting = client.docmd("MAIL FROM:<a@reader.example>")
        client.ehlo("reader.example")
        offered_again = client.has_extn("starttls")
        client.sendmail("a@reader.example", ["question@centre.example"], SIMPLE + b"x" * 200_000 + b"\r\n")
        twice = client.docmd("STARTTLS")

    assert (offered, offered_again, before_greeting[0], twice[0]) == (True, False, 503, 454)
    assert shelf.raws == [SIMPLE + b"x" * 200_000 + b"\r\n"]


@BOTH_LOOPS
def test_commands_slipped_in_before_the_handshake_are_dropped(
    shelf: Shelf, tls: ssl.SSLContext, new_loop: NewLoop
):
    """S17, CVE-2024-34083: a stranger on the line must not speak before the peer does."""
    with open_house(shelf, tls=tls, new_loop=new_loop) as house, Peer(house.port) as peer:
        peer.greet()
        peer.say("STARTTLS", "EHLO evil.example", "MAIL FROM:<evil@reader.example>")
        ready = peer.hear()
        wrapped = trusting_anyone().wrap_socket(peer.socket)
        wrapped.sendall(b"NOOP\r\nMAIL FROM:<a@reader.example>\r\n")
        replies = wrapped.makefile("rb")
        answers = [replies.readline(), replies.readline()]
        replies.close()
        wrapped.close()

    assert ready == ["220 2.0.0 Ready to start TLS"]
    assert answers == [b"250 2.0.0 OK\r\n", b"503 5.5.1 Error: send HELO first\r\n"]


@BOTH_LOOPS
def test_a_broken_handshake_ends_the_visit_and_frees_its_place(
    shelf: Shelf, tls: ssl.SSLContext, new_loop: NewLoop
):
    with open_house(shelf, Limits(visits=1), tls=tls, new_loop=new_loop) as house:
        with Peer(house.port) as peer:
            peer.greet().ask("STARTTLS")
            peer.say(b"this is not TLS at all\r\n")
            with contextlib.suppress(ConnectionResetError):
                peer.rest()
        with Peer(house.port) as peer:
            assert peer.hear() == ["220 mx.centre.example ESMTP"]


# ── the doors themselves ──


def test_an_address_that_cannot_be_listened_on_is_named(shelf: Shelf):
    with (
        open_house(shelf) as house,
        pytest.raises(SettingsError, match=re.escape(f"cannot listen on '127.0.0.1:{house.port}'")),
    ):
        house.run(house.door.listen(smtp=[f"127.0.0.1:{house.port}"]))
    with open_house(shelf) as house, pytest.raises(SettingsError, match="cannot listen on 'nowhere'"):
        house.run(house.door.listen(smtp=["nowhere"]))


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 on this machine")
def test_an_ipv6_address_is_listened_on_when_the_machine_has_one(shelf: Shelf):
    with open_house(shelf, smtp=["127.0.0.1:0"]) as house:
        try:
            address = house.run(house.door.listen(smtp=["[::1]:0"]))[0]
        except SettingsError:
            pytest.skip("IPv6 is switched off")
        host, _, port = address.rpartition(":")
        with smtplib.SMTP(host.strip("[]"), int(port), timeout=10) as client:
            client.sendmail("a@reader.example", ["question@centre.example"], SIMPLE)

    assert shelf.arrivals[0].client_ip == "::1"


# ── peers made by others ──


def program(name: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def test_swaks_delivers_over_tls_with_pipelining(shelf: Shelf, tls: ssl.SSLContext, tmp_path: Path):
    swaks = program("swaks")
    known = subprocess.run([swaks, "--support"], capture_output=True, text=True, check=False)
    if "=== TLS supported" not in known.stdout:
        pytest.skip("swaks knows no TLS here: libnet-ssleay-perl is not installed")
    letter = tmp_path / "letter.eml"
    letter.write_bytes(SIMPLE)
    with open_house(shelf, tls=tls) as house:
        result = subprocess.run(
            [swaks, "--server", f"127.0.0.1:{house.port}", "--from", "a@reader.example", "--pipeline", "--tls",
             "--to", "question@centre.example,revue@centre.example", "--data", f"@{letter}", "--suppress-data"],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip

    assert result.returncode == 0, result.stdout + result.stderr
    assert [arrival.recipients for arrival in shelf.arrivals] == [
        ("question@centre.example", "revue@centre.example")
    ]
    assert shelf.raws[0].startswith(SIMPLE)


@pytest.mark.parametrize("protocol", ["smtp", "lmtp", "unix"])
def test_smtp_source_delivers_many_mails_over_many_connections(shelf: Shelf, tmp_path: Path, protocol: str):
    source = program("smtp-source")
    path = Path(tmp_path / "lmtp")
    with open_house(shelf, lmtp=["127.0.0.1:0", f"unix:{path}"]) as house:
        place = {
            "smtp": [house.addresses[0]],
            "lmtp": ["-L", house.addresses[1]],
            "unix": ["-L", house.addresses[2]],
        }[protocol]
        subprocess.run(
            [source, "-s", "10", "-m", "60", "-l", "20000", "-f", "a@reader.example", "-t", OURS[0], *place],
            check=True, timeout=60, capture_output=True,
        )  # fmt: skip

    assert len(shelf.arrivals) == 60
    assert {len(raw) > 20_000 for raw in shelf.raws} == {True}
