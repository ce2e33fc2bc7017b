"""The wire and a real Postfix: in clear and in TLS, every kind of no, and what stands in its queue afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mailhub.deliver.wire import Answer, Outcome, Relay, Stage, Wire
from tests.deliver import peers

PROGRAMS = "/usr/sbin:/usr/local/sbin:/usr/bin:/bin"
POSTFIX, POSTCAT = shutil.which("postfix", path=PROGRAMS), shutil.which("postcat", path=PROGRAMS)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(POSTFIX is None, reason="Postfix is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="Postfix is started by root only"),
    pytest.mark.xdist_group("postfix of the wire"),
]

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.mairie.example
mydestination = mairie.example
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps = inline:{{ helene=x, plein=x, hélène=x }}
smtpd_recipient_restrictions =
    check_recipient_access inline:{{ {{ plein@mairie.example = 452 4.2.2 Mailbox full }} }},
    reject_unauth_destination
smtpd_client_restrictions = check_client_access static:HOLD
header_checks = regexp:{home}/etc/header_checks
message_size_limit = 300000
smtputf8_enable = yes
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {certificate}
biff = no
"""
MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
"""
SENDER, READER = "retours+abc@centre.example", "helene@mairie.example"
LETTER = b"From: question@centre.example\r\nSubject: Bonjour\r\n\r\n.\r\n..\r\nBonjour.\r\n"


@dataclass(frozen=True)
class Postfix:
    """One that runs, and keeps what it takes in its hold queue."""

    home: Path
    port: int
    ca_file: Path

    def relay(self, **changes: Any) -> Relay:
        return Relay(**{"host": "127.0.0.1", "port": self.port, "helo": "mail.centre.example", **changes})

    def kept(self, answer: Answer) -> bytes:
        """The letter as it stands in the queue, after the headers Postfix put before it."""
        assert POSTCAT
        number = answer.text.rpartition(" ")[2]
        command = [POSTCAT, "-c", self.home / "etc", "-bhq", number]
        return subprocess.run(command, check=True, capture_output=True).stdout


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    """A Postfix of our own, apart from one that may run on this machine."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        for folder in ("etc", "queue", "data", "tls"):
            (home / folder).mkdir()
        shutil.chown(home / "data", "postfix")
        ours = peers.authority(home / "tls")
        ours.server("127.0.0.1")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        certificate = home / "tls/127.0.0.1.pem"
        (home / "etc/main.cf").write_text(MAIN_CF.format(home=home, certificate=certificate))
        (home / "etc/master.cf").write_text(MASTER_CF.format(port=port))
        (home / "etc/header_checks").write_text("/^Subject: Refuse/ REJECT not this one\n")
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        # `start` returns when the door is open.
        subprocess.run([POSTFIX, "-c", home / "etc", "start"], check=True, **quiet)
        try:
            yield Postfix(home, port, ours.ca_file)
        finally:
            subprocess.run([POSTFIX, "-c", home / "etc", "stop"], check=False, **quiet)


async def deliver(relay: Relay, *letters: tuple[str, str, bytes]) -> list[Answer]:
    wire = Wire(relay)
    answers = [await wire.deliver(*letter) for letter in letters]
    await wire.quit()
    return answers


@pytest.mark.parametrize("in_tls", [False, True])
async def test_letters_stand_in_the_queue_as_we_sent_them(postfix: Postfix, in_tls: bool):
    large = LETTER + (b"." * 70 + b"\r\n") * 3000
    relay = postfix.relay(ca_file=postfix.ca_file if in_tls else None)
    answers = await deliver(relay, (SENDER, READER, LETTER), ("", READER, large))

    assert [answer.outcome for answer in answers] == [Outcome.ACCEPTED] * 2
    for answer, letter in zip(answers, (LETTER, large), strict=True):
        kept = postfix.kept(answer)
        assert kept.partition(b"\n\n")[2] == letter.partition(b"\r\n\r\n")[2].replace(b"\r\n", b"\n")
        assert (b"with ESMTPS" in kept) == in_tls


async def test_a_no_in_the_middle_spoils_nothing(postfix: Postfix):
    answers = await deliver(
        postfix.relay(),
        (SENDER, READER, LETTER),
        (SENDER, "personne@mairie.example", LETTER),
        (SENDER, "plein@mairie.example", LETTER),
        (SENDER, "helene@ailleurs.example", LETTER),
        (SENDER, READER, LETTER.replace(b"Bonjour", b"Refuse")),
        (SENDER, READER, LETTER + b"x" * 400_000),
        (SENDER, "hélène@mairie.example", LETTER),
        (SENDER, READER, LETTER),
    )

    assert [(answer.outcome, answer.stage, answer.code, answer.enhanced) for answer in answers] == [
        (Outcome.ACCEPTED, Stage.END, 250, "2.0.0"),
        (Outcome.REFUSED, Stage.RCPT, 550, "5.1.1"),
        (Outcome.DEFERRED, Stage.RCPT, 452, "4.2.2"),
        (Outcome.REFUSED, Stage.RCPT, 554, "5.7.1"),
        (Outcome.REFUSED, Stage.END, 550, "5.7.1"),
        (Outcome.REFUSED, Stage.MAIL, None, None),
        (Outcome.ACCEPTED, Stage.END, 250, "2.0.0"),
        (Outcome.ACCEPTED, Stage.END, 250, "2.0.0"),
    ]


async def test_a_certificate_of_an_unknown_authority_gets_nothing(postfix: Postfix, tmp_path: Path):
    (answer,) = await deliver(
        postfix.relay(ca_file=peers.authority(tmp_path).ca_file), (SENDER, READER, LETTER)
    )

    assert (answer.outcome, answer.stage) == (Outcome.NOT_SENT, Stage.CONNECT)
    assert "certificate" in answer.text
