"""The wire, as relays meet it: good ones, broken ones, and real ones. Every outcome, on both event loops."""

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from hypothesis import given
from hypothesis import strategies as st

from mailhub.deliver import replies
from mailhub.deliver.replies import GarbledError, Reply
from mailhub.deliver.wire import Answer, Outcome, Relay, Stage, Timeouts, Wire, stuffed
from mailhub.errors import SettingsError
from tests.deliver import peers
from tests.deliver.peers import ALL_OFFERS, Act, Authority, Peer, until

pytestmark = pytest.mark.anyio

SENDER, READER = "retours+abc@centre.example", "helene@mairie.example"
LETTER = b"From: question@centre.example\r\nTo: helene@mairie.example\r\nSubject: Bonjour\r\n\r\nBonjour.\r\n"
LARGE = LETTER + (b"x" * 70 + b"\r\n") * 120_000  # more than any socket buffer holds
TAKEN = Answer(Outcome.ACCEPTED, Stage.END, 250, "2.0.0", "Taken")
PLAIN_OFFERS = tuple(offer for offer in ALL_OFFERS if offer != "PIPELINING")
BOTH_WAYS = pytest.mark.parametrize("offers", [ALL_OFFERS, PLAIN_OFFERS], ids=["pipelined", "one by one"])


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return peers.authority(tmp_path_factory.mktemp("tls"))


@contextlib.asynccontextmanager
async def wire_to(peer: Peer, **changes: Any) -> AsyncIterator[Wire]:
    """A wire to a relay that listens; nothing is said yet."""
    async with peer.listening() as port:
        wire = Wire(Relay(**{"host": "127.0.0.1", "port": port, "helo": "mail.centre.example", **changes}))
        try:
            yield wire
        finally:
            await wire.quit()


async def outcome_at(peer: Peer, letter: bytes = LETTER, **changes: Any) -> Answer:
    """What becomes of one letter."""
    async with wire_to(peer, **changes) as wire:
        return await wire.deliver(SENDER, READER, letter)


# -- it goes well -----------------------------------------------------------------------------------------------


@BOTH_WAYS
async def test_a_letter_is_handed_over(offers: tuple[str, ...]):
    peer = Peer(offers=offers)

    async with wire_to(peer) as wire:
        answer = await wire.deliver(SENDER, READER, LETTER)
        assert wire.is_open

    assert answer == TAKEN
    assert answer.line == "250 2.0.0 Taken"
    assert peer.letters == [LETTER + b".\r\n"]
    assert peer.heard == [
        "EHLO mail.centre.example",
        f"MAIL FROM:<{SENDER}> SIZE={len(LETTER)}",
        f"RCPT TO:<{READER}>",
        "DATA",
        "QUIT",
    ]
    assert not wire.is_open


async def test_where_it_is_offered_the_envelope_leaves_in_one_piece():
    """The relay says nothing before it has read DATA: who waits for the answer to MAIL would wait for ever."""

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        await reader.readline()
        writer.write(b"250-here\r\n250 PIPELINING\r\n")
        commands.append(await reader.readuntil(b"DATA\r\n"))
        writer.write(b"250 OK\r\n250 OK\r\n354 Go\r\n")
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"250 Taken\r\n")
        writer.close()

    commands: list[bytes] = []
    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    wire = Wire(Relay("127.0.0.1", server.sockets[0].getsockname()[1]))
    answer = await wire.deliver("", READER, LETTER)
    await wire.quit()
    server.close()

    assert answer.outcome is Outcome.ACCEPTED
    assert commands == [b"MAIL FROM:<>\r\nRCPT TO:<helene@mairie.example>\r\nDATA\r\n"]


@BOTH_WAYS
async def test_many_letters_go_over_one_connection(offers: tuple[str, ...]):
    peer = Peer(offers=offers)

    async with wire_to(peer) as wire:
        answers = [await wire.deliver("", f"r{number}@mairie.example", LETTER) for number in range(20)]
        assert wire.sent_count == 20

    assert answers == [TAKEN] * 20
    assert peer.connections == 1
    assert len(peer.letters) == 20
    assert [line for line in peer.heard if line.startswith("MAIL")] == [
        f"MAIL FROM:<> SIZE={len(LETTER)}"
    ] * 20
    assert "RSET" not in peer.heard


async def test_a_relay_of_old_knows_only_helo():
    peer = Peer({"EHLO": "502 what?"})

    assert await outcome_at(peer) == TAKEN
    assert peer.heard[:3] == ["EHLO mail.centre.example", "HELO mail.centre.example", f"MAIL FROM:<{SENDER}>"]


async def test_a_large_letter_arrives_whole():
    letter = LETTER + (b"." + b"x" * 76 + b"\r\n") * 60_000
    peer = Peer()

    assert await outcome_at(peer, letter) == TAKEN
    assert peer.letters == [stuffed(letter)]


# -- what is said -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "sent"),
    [
        (b"a: b\r\n\r\nc\r\n", b"a: b\r\n\r\nc\r\n.\r\n"),
        (b"a: b\r\n\r\nc", b"a: b\r\n\r\nc\r\n.\r\n"),
        (b".a\r\n.\r\n..\r\n", b"..a\r\n..\r\n...\r\n.\r\n"),
        (b"a\n.\nb\r.\rc", b"a\r\n..\r\nb\r\n..\r\nc\r\n.\r\n"),
        (b"a\n.\r\nMAIL FROM:<evil@x.example>\r\n", b"a\r\n..\r\nMAIL FROM:<evil@x.example>\r\n.\r\n"),
        (b"a\r\n.\r", b"a\r\n..\r\n.\r\n"),
        (b"", b".\r\n"),
    ],
)
def test_dots_are_doubled_and_lines_end_in_one_way(letter: bytes, sent: bytes):
    assert stuffed(letter) == sent


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"a"])).map(b"".join))
def test_no_letter_ends_before_its_end(letter: bytes):
    sent = stuffed(letter)

    assert sent.endswith(b".\r\n")
    assert b"\r\n.\r\n" not in (b"\r\n" + sent)[:-1]
    assert sent.count(b"\n") == sent.count(b"\r") == sent.count(b"\r\n")


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example>\r\nRCPT TO:<c@d.example",
        "a@b.example\r\nDATA",
        "a@b.example\n",
        "a@b.example> SIZE=1",
        "nobody",
        "a@b.example\u2028",
        "a b@c.example",
        "\0@c.example",
    ],
)
@pytest.mark.parametrize("place", ["sender", "recipient"])
async def test_what_is_no_address_is_never_said(address: str, place: str):
    peer = Peer()
    async with wire_to(peer) as wire:
        envelope = (address, READER) if place == "sender" else (SENDER, address)
        answer = await wire.deliver(*envelope, LETTER)
        after = await wire.deliver(SENDER, READER, LETTER)

    assert (answer.outcome, answer.stage, answer.code) == (Outcome.REFUSED, Stage.MAIL, None)
    assert "no address" in answer.text
    assert after == TAKEN
    assert [line for line in peer.heard if line[:4] in {"MAIL", "RCPT", "DATA"}] == [
        f"MAIL FROM:<{SENDER}> SIZE={len(LETTER)}",
        f"RCPT TO:<{READER}>",
        "DATA",
    ]


async def test_extensions_are_used_when_needed_only():
    peer = Peer(offers=("SMTPUTF8", "8BITMIME"))
    async with wire_to(peer) as wire:
        for recipient, letter in (
            (READER, LETTER),
            ("accueil@brest-métropole.example", LETTER),
            (READER, LETTER + "é".encode()),
            (READER, "Subject: é\r\n\r\n".encode()),
            ("hélène@été.example", LETTER),
        ):
            assert (await wire.deliver("", recipient, letter)).outcome is Outcome.ACCEPTED

    assert [line for line in peer.heard if line[:4] in {"MAIL", "RCPT"}] == [
        *("MAIL FROM:<>", "RCPT TO:<helene@mairie.example>"),
        *("MAIL FROM:<>", "RCPT TO:<accueil@xn--brest-mtropole-hkb.example>"),
        *("MAIL FROM:<> BODY=8BITMIME", "RCPT TO:<helene@mairie.example>"),
        *("MAIL FROM:<> BODY=8BITMIME SMTPUTF8", "RCPT TO:<helene@mairie.example>"),
        *("MAIL FROM:<> SMTPUTF8", "RCPT TO:<hélène@xn--t-9fab.example>"),
    ]


@pytest.mark.parametrize(
    ("offers", "recipient", "letter", "reason"),
    [
        ((), "hélène@mairie.example", LETTER, "SMTPUTF8"),
        (("8BITMIME",), READER, "Subject: é\r\n\r\n".encode(), "SMTPUTF8"),
        ((), READER, LETTER + b"\xe9", "8BITMIME"),
        (("SIZE 80",), READER, LETTER, "the relay takes 80"),
    ],
)
async def test_what_the_relay_cannot_take_is_refused_with_the_reason(
    offers: tuple[str, ...], recipient: str, letter: bytes, reason: str
):
    peer = Peer(offers=offers)
    async with wire_to(peer) as wire:
        answer = await wire.deliver(SENDER, recipient, letter)
        assert wire.is_open

    assert (answer.outcome, answer.stage, answer.code) == (Outcome.REFUSED, Stage.MAIL, None)
    assert reason in answer.text
    assert not any(line.startswith("MAIL") for line in peer.heard)


@pytest.mark.parametrize("offer", ["SIZE", "SIZE 0", "SIZE many"])
async def test_a_size_without_a_number_is_no_limit(offer: str):
    assert await outcome_at(Peer(offers=(offer,))) == TAKEN


# -- the relay says no ------------------------------------------------------------------------------------------


@BOTH_WAYS
@pytest.mark.parametrize("stage", list(Stage)[1:])
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("550 5.7.1 No", (Outcome.REFUSED, 550, "5.7.1", "No")),
        ("450 4.2.0 Not now", (Outcome.DEFERRED, 450, "4.2.0", "Not now")),
        (
            "554-5.7.1 Three\r\n554-5.7.1 long\r\n554 5.7.1 lines",
            (Outcome.REFUSED, 554, "5.7.1", "Three long lines"),
        ),
        ("451", (Outcome.DEFERRED, 451, None, "")),
    ],
)
async def test_a_no_is_the_letters_answer_and_the_connection_goes_on(
    offers: tuple[str, ...], stage: Stage, said: str, expected: tuple[Any, ...]
):
    answers: dict[str, Any] = {stage.upper(): [said]}
    if "PIPELINING" in offers and stage in {Stage.MAIL, Stage.RCPT}:
        answers["DATA"] = ["503 5.5.1 No recipients"]
    peer = Peer(answers, offers)
    async with wire_to(peer) as wire:
        first = await wire.deliver(SENDER, READER, LETTER)
        second = await wire.deliver(SENDER, READER, LETTER)

    assert (first.outcome, first.code, first.enhanced, first.text) == expected
    assert first.stage is stage
    assert second == TAKEN
    assert peer.connections == 1
    assert peer.heard.count("RSET") == 1


async def test_a_data_granted_for_nobody_is_ended_with_a_lone_dot():
    """RFC 2920 section 3.1: the only recipient was refused, and yet the relay waits for a letter."""
    peer = Peer({"RCPT": ["550 5.1.1 Unknown"], "END": ["554 5.5.1 No valid recipients"]})
    async with wire_to(peer) as wire:
        first = await wire.deliver(SENDER, READER, LETTER)
        second = await wire.deliver(SENDER, READER, LETTER)

    assert first == Answer(Outcome.REFUSED, Stage.RCPT, 550, "5.1.1", "Unknown")
    assert second == TAKEN
    assert peer.letters == [b".\r\n", LETTER + b".\r\n"]
    assert peer.connections == 1


@pytest.mark.parametrize("act", [Act.CLOSE, Act.HANG])
async def test_a_refused_recipient_stays_refused_whatever_follows_the_lone_dot(act: Act):
    peer = Peer({"RCPT": "550 5.1.1 Unknown", "END": act})

    answer = await outcome_at(peer, timeouts=Timeouts(end=0.05))

    assert answer == Answer(Outcome.REFUSED, Stage.RCPT, 550, "5.1.1", "Unknown")


async def test_no_dot_is_sent_to_a_recipient_of_a_refused_sender():
    peer = Peer({"MAIL": ["550 5.7.1 Not you"]})
    async with wire_to(peer) as wire:
        first = await wire.deliver(SENDER, READER, LETTER)
        second = await wire.deliver(SENDER, READER, LETTER)

    assert first == Answer(Outcome.REFUSED, Stage.MAIL, 550, "5.7.1", "Not you")
    assert second == TAKEN
    assert peer.letters == [LETTER + b".\r\n"]
    assert peer.connections == 2


@BOTH_WAYS
@pytest.mark.parametrize("stage", list(Stage)[1:])
async def test_a_421_defers_the_letter_and_ends_the_connection(offers: tuple[str, ...], stage: Stage):
    peer = Peer({stage.upper(): ["421 4.3.2 Closing"]}, offers)
    async with wire_to(peer) as wire:
        first = await wire.deliver(SENDER, READER, LETTER)
        assert not wire.is_open
        second = await wire.deliver(SENDER, READER, LETTER)

    assert first == Answer(Outcome.DEFERRED, stage, 421, "4.3.2", "Closing")
    assert second == TAKEN


async def test_a_relay_that_wants_a_login_first_refuses_no_letter():
    answer = await outcome_at(Peer({"MAIL": "530 5.7.0 Authentication required"}))

    assert answer == Answer(Outcome.NOT_SENT, Stage.MAIL, 530, "5.7.0", "Authentication required")


# -- the connection ends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offers", "act"),
    [
        *((PLAIN_OFFERS, act) for act in Act),
        *((ALL_OFFERS, act) for act in (Act.CLOSE, Act.HANG)),  # a reset may swallow replies on their way
    ],
)
@pytest.mark.parametrize(
    ("stage", "outcome"),
    [
        (Stage.MAIL, Outcome.NOT_SENT),
        (Stage.RCPT, Outcome.DEFERRED),
        (Stage.DATA, Outcome.DEFERRED),
        (Stage.END, Outcome.IN_DOUBT),
    ],
)
async def test_only_after_the_final_dot_there_is_doubt(
    offers: tuple[str, ...], act: Act, stage: Stage, outcome: Outcome
):
    peer = Peer({stage.upper(): act}, offers)
    limit = {Stage.DATA: {"data": 0.05}, Stage.END: {"end": 0.05}}.get(stage, {"command": 0.3})
    limits = Timeouts(**limit) if act is Act.HANG else Timeouts()
    async with wire_to(peer, timeouts=limits) as wire:
        answer = await wire.deliver(SENDER, READER, LETTER)
        assert not wire.is_open

    assert (answer.outcome, answer.stage, answer.code) == (outcome, stage, None)
    assert answer.text


@pytest.mark.parametrize("in_tls", [False, True])
@pytest.mark.parametrize("act", [Act.CLOSE, Act.RESET, Act.HANG])
async def test_a_letter_cut_in_the_middle_is_not_in_doubt(act: Act, in_tls: bool, ours: Authority):
    tls = {"tls": ours.server("127.0.0.1")} if in_tls else {}
    peer = Peer({"READING": act}, reads=1000)
    async with peer.listening(**tls) as port:
        wire = Wire(
            Relay(
                "127.0.0.1",
                port,
                "implicit" if in_tls else "none",
                ca_file=ours.ca_file if in_tls else None,
                timeouts=Timeouts(block=0.1),
            )
        )
        answer = await wire.deliver(SENDER, READER, LARGE)

    assert (answer.outcome, answer.stage) == (Outcome.DEFERRED, Stage.DATA)
    assert peer.letters == []


async def test_a_refusal_said_while_we_still_talk_is_heard():
    peer = Peer({"READING": "552 5.3.4 Too big"}, reads=1000)
    answer = await outcome_at(peer, LARGE, timeouts=Timeouts(block=0.5))

    assert answer == Answer(Outcome.REFUSED, Stage.DATA, 552, "5.3.4", "Too big")


async def test_a_relay_that_closes_between_letters_costs_none():
    peer = Peer()
    async with wire_to(peer) as wire:
        for _ in range(3):
            assert await wire.deliver(SENDER, READER, LETTER) == TAKEN
            peer.close_idle()

    assert peer.connections == 3
    assert len(peer.letters) == 3


@pytest.mark.parametrize("answer", ["421 4.7.0 Enough for one connection", Act.CLOSE, Act.RESET])
async def test_a_relay_that_has_enough_of_a_connection_gets_a_new_one(answer: peers.Answer):
    peer = Peer({"MAIL": ["250 OK", "250 OK", answer]})
    async with wire_to(peer) as wire:
        answers = [await wire.deliver(SENDER, READER, LETTER) for _ in range(3)]

    assert answers == [TAKEN] * 3
    assert peer.connections == 2


async def test_a_goodbye_that_came_while_nobody_listened_is_not_taken_for_an_answer():
    peer = Peer()
    async with wire_to(peer) as wire:
        assert await wire.deliver(SENDER, READER, LETTER) == TAKEN
        peer.say_to_idle(b"421 4.4.2 You were silent\r\n")
        await until(lambda: not wire._connection.is_idle)
        answer = await wire.deliver(SENDER, READER, LETTER)

    assert answer == TAKEN
    assert peer.connections == 2


async def test_a_courier_that_is_stopped_in_the_middle_hangs_up():
    peer = Peer({"END": Act.HANG})
    async with wire_to(peer) as wire:
        sending = asyncio.create_task(wire.deliver(SENDER, READER, LETTER))
        await until(lambda: bool(peer.letters))
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert not wire.is_open


async def test_one_letter_has_an_end_however_slowly_the_relay_answers():
    answer = await outcome_at(Peer({"RCPT": Act.HANG}), timeouts=Timeouts(letter=0.3))

    assert answer == Answer(Outcome.DEFERRED, Stage.RCPT, text="no end within 0.3 seconds")


# -- relays that do not speak SMTP ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xff\xfe\x00\r\n",
        b"250-one\r\n550 two\r\n",
        b"999 what\r\n",
        b"25 short\r\n",
        b"250_glued\r\n",
        b"\r\n",
        b"x" * 5000,
        b"250-" + b"y" * 5000,
        b"250-more\r\n" * 1000,
        b"z" * 1_000_000,
        b"150 Preliminary\r\n",
    ],
    ids=lambda garbage: repr(garbage[:12]),
)
@pytest.mark.parametrize(
    ("stage", "outcome"),
    [
        ("GREETING", Outcome.NOT_SENT),
        ("EHLO", Outcome.NOT_SENT),
        ("MAIL", Outcome.NOT_SENT),
        ("DATA", Outcome.DEFERRED),
        ("END", Outcome.IN_DOUBT),
    ],
)
async def test_garbage_ends_the_connection(garbage: bytes, stage: str, outcome: Outcome):
    async with wire_to(Peer({stage: garbage})) as wire:
        answer = await wire.deliver(SENDER, READER, LETTER)
        assert not wire.is_open

    assert answer.outcome is outcome
    assert len(answer.text) <= 500
    assert answer.text.isprintable()


@pytest.mark.parametrize(
    ("stage", "said", "outcome"),
    [
        ("MAIL", "354 Go ahead", Outcome.DEFERRED),
        ("DATA", "250 OK", Outcome.DEFERRED),
        ("END", "354 More", Outcome.IN_DOUBT),
    ],
)
@BOTH_WAYS
async def test_an_answer_to_another_question_ends_the_connection(
    stage: str, said: str, outcome: Outcome, offers: tuple[str, ...]
):
    async with wire_to(Peer({stage: said}, offers)) as wire:
        answer = await wire.deliver(SENDER, READER, LETTER)
        assert not wire.is_open

    assert answer.outcome is outcome


async def test_a_relay_that_loses_count_of_pipelined_commands_is_left():
    """It answers DATA twice: what follows would be read one reply too late for ever."""
    peer = Peer({"END": ["250 2.0.0 Taken\r\n250 2.0.0 Taken"]})
    async with wire_to(peer) as wire:
        answers = [await wire.deliver(SENDER, READER, LETTER) for _ in range(2)]

    assert answers == [TAKEN] * 2
    assert peer.connections == 2


async def test_a_reply_that_drips_is_not_waited_for_longer_than_one_that_does_not_come():
    gone = asyncio.Event()

    async def receive(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(b"220-")
            while not writer.transport.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.001)  # the drip itself
        writer.transport.abort()
        gone.set()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wire = Wire(Relay("127.0.0.1", port, timeouts=Timeouts(greeting=0.05)))
    answer = await wire.deliver(SENDER, READER, LETTER)
    server.close()
    await gone.wait()  # the loop must not end before its last connection

    assert (answer.outcome, answer.stage) == (Outcome.NOT_SENT, Stage.CONNECT)
    assert "no reply within 0.05 seconds" in answer.text


async def test_what_a_relay_says_is_one_line_without_control_characters():
    said = b"550-5.1.1 Non\x1b[31m \xe9\x00\r\n550-5.1.1 " + b"w" * 1000 + b"\r\n550 5.1.1 fin\r\n"
    answer = await outcome_at(Peer({"RCPT": said}))

    assert answer.enhanced == "5.1.1"
    assert answer.text == ("Non [31m \ufffd  " + "w" * 1000)[:500]


async def test_a_rset_refused_is_no_letters_fault():
    peer = Peer({"RCPT": ["550 5.1.1 Unknown"], "DATA": ["503 no"], "RSET": ["500 what?"]})
    async with wire_to(peer) as wire:
        first = await wire.deliver(SENDER, READER, LETTER)
        second = await wire.deliver(SENDER, READER, LETTER)

    assert (first.outcome, second) == (Outcome.REFUSED, TAKEN)
    assert peer.connections == 2


# -- replies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "reply", "left"),
    [
        (b"250 OK\r\n", Reply(250, ("OK",)), b""),
        (b"250 OK\n354 Go", Reply(250, ("OK",)), b"354 Go"),
        (b"250\r\n", Reply(250, ("",)), b""),
        (b"250 \r\n", Reply(250, ("",)), b""),
        (b"250-a\r\n250-\r\n250 b\r\n250", Reply(250, ("a", "", "b")), b"250"),
        (b"250 half", None, b"250 half"),
        (b"250-a\r\n", None, b"250-a\r\n"),
        (b"", None, b""),
    ],
)
def test_replies_are_read_one_by_one(octets: bytes, reply: Reply | None, left: bytes):
    heard = bytearray(octets)

    assert replies.take(heard) == reply
    assert heard == left


@given(
    st.binary(max_size=300)
    | st.lists(st.sampled_from([b"250", b"-", b" ", b"\r\n", b"x", b"\n"])).map(b"".join)
)
def test_any_octets_are_a_reply_or_half_of_one_or_garbage(octets: bytes):
    heard = bytearray(octets)
    with contextlib.suppress(GarbledError):
        while reply := replies.take(heard):
            assert reply.kind in {2, 3, 4, 5}
            assert reply.text.isprintable()
        assert len(heard) <= len(octets)


# -- connecting, TLS and login ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        ({"GREETING": "554 5.7.1 You are listed"}, 554, "does not receive us: You are listed"),
        ({"GREETING": "421 4.7.0 Too many connections"}, 421, "does not receive us: Too many connections"),
        ({"EHLO": "550 5.7.1 Who?"}, 550, "does not like our name: Who?"),
        ({"GREETING": Act.CLOSE}, None, "closed the connection"),
    ],
)
async def test_a_relay_that_does_not_receive_us_leaves_the_letter_untouched(
    answers: dict[str, Any], code: int | None, said: str
):
    answer = await outcome_at(Peer(answers))

    assert (answer.outcome, answer.stage, answer.code) == (Outcome.NOT_SENT, Stage.CONNECT, code)
    assert said in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "no.such.host.invalid", "a..b", "x" * 300])
async def test_a_relay_that_is_not_there_leaves_the_letter_untouched(host: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = await Wire(Relay(host, port)).deliver(SENDER, READER, LETTER)

    assert (answer.outcome, answer.stage) == (Outcome.NOT_SENT, Stage.CONNECT)
    assert answer.text


@pytest.mark.parametrize("host", ["127.1", "0.0.0.0"])  # names that lead here, but do not say so
async def test_nothing_is_said_in_clear_to_another_machine(host: str):
    peer = Peer()
    answer = await outcome_at(peer, host=host, username="centre", password="secret")

    assert (answer.outcome, answer.stage) == (Outcome.NOT_SENT, Stage.CONNECT)
    assert "does not offer STARTTLS" in answer.text
    assert peer.heard == ["EHLO mail.centre.example"]


@pytest.mark.parametrize("said", ["454 4.7.0 Not now", "250 OK"])
async def test_starttls_refused_is_no_reason_to_go_on_in_clear(said: str, ours: Authority):
    peer = Peer({"STARTTLS": said}, (*ALL_OFFERS, "STARTTLS"))
    answer = await outcome_at(peer, ca_file=ours.ca_file)

    assert (answer.outcome, answer.stage) == (Outcome.NOT_SENT, Stage.CONNECT)
    assert "refuses STARTTLS" in answer.text
    assert peer.heard == ["EHLO mail.centre.example", "STARTTLS"]


async def test_words_slipped_in_before_tls_begins_are_noticed(ours: Authority):
    peer = Peer({"STARTTLS": "220 Go\r\n250-PIPELINING\r\n250 AUTH PLAIN"}, (*ALL_OFFERS, "STARTTLS"))
    answer = await outcome_at(peer, ca_file=ours.ca_file)

    assert answer.outcome is Outcome.NOT_SENT
    assert "in clear where TLS should begin" in answer.text


async def test_a_letter_goes_in_clear_where_that_was_written_out():
    assert await outcome_at(Peer(), host="127.1", tls="none") == TAKEN


async def test_a_password_never_does():
    peer = Peer(offers=("AUTH PLAIN",))
    answer = await outcome_at(peer, host="127.1", tls="none", username="centre", password="secret")

    assert answer.outcome is Outcome.NOT_SENT
    assert "no password in clear" in answer.text
    assert peer.connections == 0


def test_a_password_is_not_shown():
    assert "secret" not in repr(Relay("mx.example", username="centre", password="secret"))


@pytest.mark.parametrize("helo", ["", "a b", "a\r\nMAIL FROM:<>", "é.example"])
def test_a_name_to_introduce_ourselves_by_is_checked(helo: str):
    with pytest.raises(SettingsError):
        Relay("mx.example", helo=helo)


# -- aiosmtpd ---------------------------------------------------------------------------------------------------


class Postbox:
    """What aiosmtpd hands its mail to."""

    def __init__(self, *offers: str) -> None:
        self.offers = offers
        self.envelopes: list[Envelope] = []
        self.sessions: list[Session] = []

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *(f"250-{offer}" for offer in self.offers), responses[-1]]

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        self.sessions.append(session)
        return "250 2.0.0 Taken"


@contextlib.asynccontextmanager
async def aiosmtpd(
    postbox: Postbox, *, implicit: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[int]:
    served: list[SMTP] = []

    def serve() -> SMTP:
        served.append(SMTP(postbox, hostname="mx.example", **options))
        return served[-1]

    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0, ssl=implicit)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for smtp in served:
            if smtp.transport is not None and not smtp.transport.is_closing():
                smtp.transport.abort()
        await asyncio.sleep(0)


def only_centre(_: SMTP, __: Session, ___: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
    good = data == LoginPassword(b"centre", "mot de passe é".encode())
    return (
        AuthResult(success=good, handled=False)
        if mechanism in {"PLAIN", "LOGIN"}
        else AuthResult(success=False)
    )


@pytest.mark.parametrize("offers", [(), ("PIPELINING",)])
async def test_aiosmtpd_gets_what_we_sent(offers: tuple[str, ...]):
    postbox = Postbox(*offers)
    letters = [LETTER + b"." * number + b"\r\n" for number in range(5)]
    async with aiosmtpd(postbox) as port:
        wire = Wire(Relay("127.0.0.1", port))
        answers = [await wire.deliver(SENDER, READER, letter) for letter in letters]
        await wire.quit()

    assert answers == [TAKEN] * 5
    assert [envelope.content for envelope in postbox.envelopes] == letters
    assert {(envelope.mail_from, *envelope.rcpt_tos) for envelope in postbox.envelopes} == {(SENDER, READER)}
    assert {id(session) for session in postbox.sessions} == {id(postbox.sessions[0])}


@pytest.mark.parametrize("excluded", [(), ("PLAIN",)], ids=["PLAIN", "LOGIN"])
async def test_starttls_then_login_then_the_letter(excluded: Sequence[str], ours: Authority):
    postbox = Postbox("PIPELINING")
    options = {"tls_context": ours.server("127.0.0.1"), "require_starttls": True, "auth_required": True}
    async with aiosmtpd(
        postbox, authenticator=only_centre, auth_exclude_mechanism=excluded, **options
    ) as port:
        relay = Relay(
            "127.0.0.1",
            port,
            username="centre",
            password="mot de passe é",
            ca_file=ours.ca_file,
            helo="mail.centre.example",
        )
        wire = Wire(relay)
        answer = await wire.deliver(SENDER, READER, LETTER)
        await wire.quit()

    assert answer == TAKEN
    assert postbox.sessions[0].ssl is not None
    assert postbox.sessions[0].authenticated
    assert postbox.sessions[0].host_name == "mail.centre.example"


async def test_a_wrong_password_leaves_the_letter_untouched(ours: Authority):
    async with aiosmtpd(Postbox(), authenticator=only_centre, tls_context=ours.server("127.0.0.1")) as port:
        relay = Relay("127.0.0.1", port, username="centre", password="faux", ca_file=ours.ca_file)
        answer = await Wire(relay).deliver(SENDER, READER, LETTER)

    assert (answer.outcome, answer.stage, answer.code) == (Outcome.NOT_SENT, Stage.CONNECT, 535)
    assert "refuses the login" in answer.text
    assert "faux" not in answer.line


async def test_no_login_we_know_leaves_the_letter_untouched(ours: Authority):
    async with aiosmtpd(
        Postbox(), tls_context=ours.server("127.0.0.1"), auth_exclude_mechanism=["PLAIN", "LOGIN"]
    ) as port:
        answer = await Wire(
            Relay("127.0.0.1", port, username="centre", password="faux", ca_file=ours.ca_file)
        ).deliver(SENDER, READER, LETTER)

    assert (answer.outcome, answer.code) == (Outcome.NOT_SENT, None)
    assert "offers no login we know" in answer.text


async def test_tls_from_the_first_octet(ours: Authority):
    postbox = Postbox("PIPELINING")
    async with aiosmtpd(postbox, implicit=ours.server("localhost")) as port:
        wire = Wire(Relay("localhost", port, "implicit", ca_file=ours.ca_file))
        answers = [await wire.deliver(SENDER, READER, LARGE[:700_000]) for _ in range(2)]
        await wire.quit()

    assert answers == [TAKEN] * 2
    assert len(postbox.envelopes) == 2


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize(
    ("name", "trusted"),
    [("mx.other.example", True), ("127.0.0.1", False)],
    ids=["wrong name", "unknown issuer"],
)
async def test_a_certificate_is_checked(tls: str, name: str, trusted: bool, ours: Authority, tmp_path: Path):
    postbox = Postbox("PIPELINING")
    context = ours.server(name)
    way = {"implicit": context} if tls == "implicit" else {"tls_context": context}
    ca_file = ours.ca_file if trusted else peers.authority(tmp_path).ca_file
    async with aiosmtpd(postbox, **way) as port:
        answer = await Wire(Relay("127.0.0.1", port, tls, ca_file=ca_file)).deliver(SENDER, READER, LETTER)

    assert (answer.outcome, answer.stage) == (Outcome.NOT_SENT, Stage.CONNECT)
    assert "certificate" in answer.text.lower()
    assert not postbox.envelopes


async def test_a_ca_file_that_cannot_be_read_is_said():
    answer = await outcome_at(Peer(), tls="implicit", ca_file=Path("/nowhere/ca.pem"))

    assert answer.outcome is Outcome.NOT_SENT
    assert "No such file" in answer.text


# -- Postfix's own sink -----------------------------------------------------------------------------------------

SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin")
with_sink = pytest.mark.skipif(SINK is None, reason="smtp-sink (Postfix) is not installed")


@contextlib.asynccontextmanager
async def sink(*options: str) -> AsyncIterator[int]:
    """Run smtp-sink; it listens when the first connection succeeds."""
    assert SINK is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = ("-u", "root") if os.geteuid() == 0 else ()
    process = await asyncio.create_subprocess_exec(SINK, *user, *options, f"127.0.0.1:{port}", "100")
    try:
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0)
                continue
            writer.close()
            break
        assert process.returncode is None, "smtp-sink does not run"
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@with_sink
@pytest.mark.parametrize("options", [(), ("-p",), ("-p", "-8")], ids=["pipelined", "one by one", "7 bits"])
async def test_postfix_takes_our_letters(options: tuple[str, ...], tmp_path: Path):
    letter = LETTER + b".\r\n..\r\n.fin\r\n" + (b"x" * 70 + b"\r\n") * 5000
    async with sink(*options, "-D", str(tmp_path / "mail")) as port:
        wire = Wire(Relay("127.0.0.1", port))
        answers = [await wire.deliver(SENDER, READER, letter) for _ in range(3)]
        await wire.quit()

    assert [answer.outcome for answer in answers] == [Outcome.ACCEPTED] * 3
    received = (tmp_path / "mail").read_bytes()
    assert received.count(letter.replace(b"\r\n", b"\n")) == 3


@with_sink
@pytest.mark.parametrize(
    ("options", "outcome", "stage"),
    [
        (("-f", "mail"), Outcome.REFUSED, Stage.MAIL),
        (("-f", "rcpt"), Outcome.REFUSED, Stage.RCPT),
        (("-f", "data"), Outcome.REFUSED, Stage.DATA),
        (("-f", "."), Outcome.REFUSED, Stage.END),
        (("-r", "mail"), Outcome.DEFERRED, Stage.MAIL),
        (("-r", "rcpt"), Outcome.DEFERRED, Stage.RCPT),
        (("-r", "."), Outcome.DEFERRED, Stage.END),
        (("-Q", "rcpt"), Outcome.DEFERRED, Stage.RCPT),
        (("-q", "mail"), Outcome.NOT_SENT, Stage.MAIL),
        (("-q", "data"), Outcome.DEFERRED, Stage.DATA),
        (("-q", "."), Outcome.IN_DOUBT, Stage.END),
        (("-f", "connect"), Outcome.NOT_SENT, Stage.CONNECT),
    ],
)
@pytest.mark.parametrize("way", [(), ("-p",)], ids=["pipelined", "one by one"])
async def test_postfix_says_no_in_every_place(
    options: tuple[str, ...], outcome: Outcome, stage: Stage, way: tuple[str, ...]
):
    async with sink(*way, *options) as port:
        wire = Wire(Relay("127.0.0.1", port))
        answers = [await wire.deliver(SENDER, READER, LETTER) for _ in range(2)]
        await wire.quit()

    assert [(answer.outcome, answer.stage) for answer in answers] == [(outcome, stage)] * 2
