"""The caching resolver, against a real name server on this machine that says what a test wants."""

import socket
import threading
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.rrset
import pytest

from mailhub.mail.resolver import NoRecord, TemporaryDns
from mailhub.receive.dns import Dns


class NameServer:
    """A name server over UDP: knows the records of `zone`, says nothing about `silent` names."""

    def __init__(self) -> None:
        self.zone: dict[tuple[str, str], list[str]] = {}
        self.silent: set[str] = set()
        self.broken: set[str] = set()
        self.ttl = 60
        self.asked: list[tuple[str, str]] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            wire, peer = self.socket.recvfrom(4096)
            if not wire:
                return
            query = dns.message.from_wire(wire)
            name = query.question[0].name.to_text(omit_final_dot=True)
            kind = query.question[0].rdtype.name
            self.asked.append((name, kind))
            if name not in self.silent:
                self.socket.sendto(self._answer(query, name, kind).to_wire(), peer)

    def _answer(self, query: dns.message.Message, name: str, kind: str) -> dns.message.Message:
        answer = dns.message.make_response(query)
        if name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif (name, kind) in self.zone:
            values = self.zone[name, kind]
            answer.answer.append(dns.rrset.from_text_list(f"{name}.", self.ttl, "IN", kind, values))
        elif not any(known == name for known, _ in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", ("127.0.0.1", self.port))
        self.thread.join()
        self.socket.close()


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def names(server: NameServer, clock: Clock) -> Dns:
    return Dns(["127.0.0.1"], port=server.port, answer_seconds=2.0, clock=clock)


def test_every_kind_of_record_is_read(server: NameServer, names: Dns):
    server.zone = {
        ("centre.example", "TXT"): ['"v=spf1 " "mx -all"', '"autre"'],
        ("centre.example", "MX"): ["20 mx2.centre.example.", "10 mx1.centre.example."],
        ("mx1.centre.example", "A"): ["192.0.2.1", "192.0.2.2"],
        ("mx1.centre.example", "AAAA"): ["2001:db8::1"],
        ("1.2.0.192.in-addr.arpa", "PTR"): ["mx1.centre.example."],
    }
    resolver = names.for_one_mail()

    assert set(resolver.txt("centre.example")) == {b"v=spf1 mx -all", b"autre"}
    assert resolver.mx("centre.example") == ("mx1.centre.example", "mx2.centre.example")
    assert set(resolver.addresses("mx1.centre.example", 4)) == {"192.0.2.1", "192.0.2.2"}
    assert resolver.addresses("mx1.centre.example", 6) == ("2001:db8::1",)
    assert resolver.ptr("192.0.2.1") == ("mx1.centre.example",)


def test_an_answer_is_remembered_as_long_as_it_says(server: NameServer, names: Dns, clock: Clock):
    server.zone["centre.example", "TXT"] = ["v=spf1"]

    for name in ("centre.example", "Centre.Example", "centre.example."):
        names.for_one_mail().txt(name)
    assert len(server.asked) == 1

    clock.now += 61
    names.for_one_mail().txt("centre.example")
    assert len(server.asked) == 2


def test_no_answer_is_remembered_for_more_than_an_hour(server: NameServer, names: Dns, clock: Clock):
    server.ttl = 2_000_000
    server.zone["centre.example", "TXT"] = ["v=spf1"]
    names.for_one_mail().txt("centre.example")

    clock.now += 3601
    names.for_one_mail().txt("centre.example")

    assert len(server.asked) == 2


@pytest.mark.parametrize("name", ["inconnu.example", "centre.example"])
def test_what_does_not_exist_is_remembered_too(server: NameServer, names: Dns, name: str):
    server.zone["centre.example", "A"] = ["192.0.2.1"]

    for _ in range(3):
        with pytest.raises(NoRecord):
            names.for_one_mail().txt(name)

    assert server.asked == [(name, "TXT")]


@pytest.mark.parametrize(
    "name", ["a" * 64 + ".example", "a..example", ".".join(["abcdefgh"] * 40), "é" * 80, "\udce9"]
)
def test_a_name_nobody_can_ask_for_has_no_record(server: NameServer, names: Dns, name: str):
    with pytest.raises(NoRecord):
        names.for_one_mail().txt(name)

    assert server.asked == []


def test_a_silent_server_is_temporary_and_not_remembered(server: NameServer, names: Dns):
    server.silent.add("lent.example")
    with pytest.raises(TemporaryDns):
        names.for_one_mail(seconds=0.05).txt("lent.example")

    server.silent.clear()
    with pytest.raises(NoRecord):
        names.for_one_mail().txt("lent.example")


def test_a_failing_server_is_temporary(server: NameServer, names: Dns):
    server.broken.add("casse.example")

    with pytest.raises(TemporaryDns):
        names.for_one_mail().txt("casse.example")


def test_without_any_server_every_question_is_temporary():
    with pytest.raises(TemporaryDns):
        Dns([]).for_one_mail().txt("centre.example")


def test_one_mail_asks_so_many_questions_and_no_more(server: NameServer, names: Dns):
    server.zone["centre.example", "TXT"] = ["v=spf1"]
    resolver = names.for_one_mail(questions=2)
    resolver.txt("centre.example")
    resolver.txt("centre.example")

    with pytest.raises(TemporaryDns):
        resolver.txt("centre.example")
    assert names.for_one_mail().txt("centre.example") == (b"v=spf1",)


def test_one_mail_waits_so_long_and_no_more(server: NameServer, names: Dns, clock: Clock):
    server.zone["centre.example", "TXT"] = ["v=spf1"]
    resolver = names.for_one_mail(seconds=8.0)

    clock.now += 8.0

    with pytest.raises(TemporaryDns):
        resolver.txt("centre.example")


def test_a_huge_record_is_no_record(server: NameServer, names: Dns):
    server.zone["gros.example", "TXT"] = [
        " ".join(f'"{chr(97 + at) * 255}"' for at in range(20)) + f' "{n}"' for n in range(4)
    ]

    with pytest.raises(NoRecord):
        names.for_one_mail().txt("gros.example")


def test_the_null_mx_is_no_mx(server: NameServer, names: Dns):
    server.zone["muet.example", "MX"] = ["0 ."]

    with pytest.raises(NoRecord):
        names.for_one_mail().mx("muet.example")


def test_memory_is_bounded(server: NameServer, clock: Clock):
    names = Dns(["127.0.0.1"], port=server.port, remembered=2, clock=clock)
    for name in ("a.example", "b.example", "c.example", "a.example", "c.example"):
        with pytest.raises(NoRecord):
            names.for_one_mail().txt(name)

    assert [name for name, _ in server.asked] == ["a.example", "b.example", "c.example", "a.example"]
