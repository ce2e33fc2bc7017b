"""Relays to send to: one that answers as it is told to, well or badly, and certificates for those that speak TLS."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ALL_OFFERS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 51200000", "ENHANCEDSTATUSCODES")


class Act(Enum):
    """What a relay may do instead of answering."""

    CLOSE = "close"  # an orderly end
    RESET = "reset"  # as when a machine dies
    HANG = "hang"  # say nothing and wait


Answer = str | bytes | Act


class _Gone(Exception):  # noqa: N818
    pass


@dataclass
class Peer:
    """A relay that does as it is told; one answer, or one for each time, by stage."""

    answers: Mapping[str, Answer | list[Answer]] = field(default_factory=dict)
    offers: tuple[str, ...] = ALL_OFFERS
    reads: int | None = None  # octets of a letter it reads before it acts as told for "READING"
    heard: list[str] = field(default_factory=list)
    letters: list[bytes] = field(default_factory=list)
    connections: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Open the door; give its port."""
        tasks: set[asyncio.Task[None]] = set()

        def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.get_running_loop().create_task(self._visit(reader, writer)))

        door = socket.create_server(("127.0.0.1", 0))
        if self.reads is not None:  # nor may the kernel take much in its place
            door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        most = 2**26 if self.reads is None else 2**12
        server = await asyncio.start_server(receive, sock=door, limit=most, ssl=tls)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def close_idle(self) -> None:
        """End every connection, as relays do after a while."""
        for writer in self._writers:
            writer.close()

    def say_to_idle(self, words: bytes) -> None:
        """Say something nobody asked for."""
        for writer in self._writers:
            writer.write(words)

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            await self._converse(reader, writer)
        except (_Gone, OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._say(writer, "GREETING", "220 peer.example ESMTP")
        defaults = {
            "EHLO": "".join(f"250-{line}\r\n" for line in ("peer.example", *self.offers)) + "250 HELP",
            **dict.fromkeys(("HELO", "MAIL", "RCPT", "RSET"), "250 2.0.0 OK"),
            "DATA": "354 Go ahead",
            "QUIT": "221 2.0.0 Bye",
        }
        while line := await reader.readline():
            self.heard.append(line.decode().rstrip("\r\n"))
            verb = line.decode().split()[0].upper()
            said = await self._say(writer, verb, defaults.get(verb, "502 5.5.1 Not known"))
            if verb == "DATA" and said.startswith("354"):
                await self._read_letter(reader, writer)
            elif verb == "QUIT":
                return

    async def _read_letter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.reads is not None:
            await reader.readexactly(self.reads)
            await self._say(writer, "READING", Act.HANG)
            await asyncio.Event().wait()
        letter = b""
        while not (letter == b".\r\n" or letter.endswith(b"\r\n.\r\n")):
            letter += await reader.readuntil(b".\r\n")
        self.letters.append(letter)
        await self._say(writer, "END", "250 2.0.0 Taken")

    async def _say(self, writer: asyncio.StreamWriter, stage: str, default: Answer) -> str:
        answer = self.answers.get(stage, default)
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else default
        if answer is Act.HANG:
            await asyncio.Event().wait()
        if answer is Act.RESET:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if isinstance(answer, Act):
            raise _Gone
        octets = answer if isinstance(answer, bytes) else f"{answer}\r\n".encode()
        writer.write(octets)
        await writer.drain()
        if octets.startswith(b"421"):
            raise _Gone
        return octets.decode("utf-8", "replace")


# -- certificates -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own."""

    directory: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def ca_file(self) -> Path:
        return self.directory / "ca.pem"

    def server(self, name: str) -> ssl.SSLContext:
        """What a server of this name, or IP address, shows."""
        try:
            alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            alternative = x509.DNSName(name)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _certificate(name, self.certificate.subject, key)
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .add_extension(_signed_with(self.key), critical=False)  # strictly checked since Python 3.13
            .sign(self.key, hashes.SHA256())
        )
        path = self.directory / f"{name}.pem"
        path.write_bytes(_pem(certificate) + _private(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def authority(directory: Path) -> Authority:
    """Make an authority whose `ca_file` a client may trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Fictional Authority")])
    certificate = (
        _certificate("Fictional Authority", name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_signed_with(key), critical=False)
        .sign(key, hashes.SHA256())
    )
    (directory / "ca.pem").write_bytes(_pem(certificate))
    return Authority(directory, key, certificate)


# What an authority's key is for: certificates and lists of revoked ones.
_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _signed_with(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _certificate(name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something has happened."""
    while not condition():  # noqa: ASYNC110 — there is nobody who could set an event
        await asyncio.sleep(0)
