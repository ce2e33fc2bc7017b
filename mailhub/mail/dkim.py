"""DKIM for what leaves: sign letters (RFC 6376, RFC 8463), make keys, and write the records to publish.

A `Signer` is made once per process and signs with every key of the domain, RSA first: who knows Ed25519 checks the
second signature, everybody else the first. Only relaxed/relaxed with SHA-256, and never `l=`, which would let
anybody add to a letter. Signing is direct with `cryptography`: ten times faster than a general library.
"""

import base64
import hashlib
import ipaddress
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from mailhub.errors import SettingsError
from mailhub.mail import domains

# Named one time more than they occur, so that nobody can add a second one. RFC 6376 section 8.15.
OVERSIGNED = (b"from", b"reply-to", b"subject", b"date", b"to", b"cc")
# RFC 6376 section 5.4.1, and what one-click unsubscribing needs: RFC 8058 section 4.
SIGNED = (
    *OVERSIGNED,
    *(b"message-id", b"in-reply-to", b"references"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding"),
    *(b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id"),
)

PrivateKey = RSAPrivateKey | Ed25519PrivateKey
PublicKey = RSAPublicKey | Ed25519PublicKey


_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?")


class KeyKind(StrEnum):
    """The two kinds of keys, as `k=` names them."""

    RSA = "rsa"
    ED25519 = "ed25519"


class DnsRecord(NamedTuple):
    """One record to publish."""

    name: str  # without final dot
    type: str
    value: str  # one string; a zone file wants it cut, see `zone_line`


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the selector under which its public half is published."""

    selector: str
    private: PrivateKey

    @classmethod
    def load(cls, selector: str, pem: bytes) -> "SigningKey":
        """Read a private key as `generate` writes it; refuse what verifiers would refuse."""
        if not _SELECTOR.fullmatch(selector):
            raise SettingsError(f"DKIM selector {selector!r}: letters, digits, hyphens and dots only")
        try:
            private = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            private = None
        if isinstance(private, Ed25519PrivateKey) or (
            isinstance(private, RSAPrivateKey) and private.key_size >= 2048  # RFC 8301 section 3.2
        ):
            return cls(selector, private)
        raise SettingsError(
            f"DKIM key {selector}: not an unencrypted PEM private key, Ed25519 or RSA of 2048 bits or more"
        )

    @property
    def kind(self) -> KeyKind:
        """What sort of key this is."""
        return KeyKind.RSA if isinstance(self.private, RSAPrivateKey) else KeyKind.ED25519

    def sign(self, digest: bytes) -> bytes:
        """Sign a SHA-256 digest; Ed25519 signs the digest itself as its message. RFC 8463 section 3."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        return self.private.sign(digest)


class Signer:
    """Signs every letter of one domain with all its keys."""

    def __init__(self, domain: str, keys: Sequence[SigningKey], headers: Sequence[bytes] = SIGNED) -> None:
        self.domain = domains.a_label(domain)
        self.keys = tuple(sorted(keys, key=lambda key: key.kind is not KeyKind.RSA))
        self._headers = tuple(name.lower() for name in headers)
        self._openings = [_opening(key, self.domain) for key in self.keys]

    def headers_for(self, raw: bytes, *, when: int | None = None) -> bytes:
        """Give the DKIM-Signature fields to put before a finished mail (CRLF lines, no bare CR or LF)."""
        head, _, body = raw.partition(b"\r\n\r\n")
        return self.headers_with(head, body_hash(body), when=when)

    def headers_with(self, head: bytes, digest: bytes, *, when: int | None = None) -> bytes:
        """The same when the header block and the `body_hash` are known apart: a body hashed once serves many.

        `when` becomes `t=`, seconds since 1970.
        """
        names, lines = _select(head, self._headers)
        hashed = hashlib.sha256(b"".join(lines))
        rest = b"\r\n h=%b;\r\n bh=%b;\r\n b=" % (_folded_names(names), base64.b64encode(digest))
        stamp = b"" if when is None else b"\r\n t=%d;" % when
        fields = []
        for key, opening in zip(self.keys, self._openings, strict=True):
            value = b"".join((opening, stamp, rest))
            mine = hashed.copy()
            # The field itself comes last, in canonical form, b= empty, without its CRLF. RFC 6376 section 3.7.
            mine.update(b"dkim-signature:" + value.replace(b"\r\n ", b" "))
            signature = base64.b64encode(key.sign(mine.digest()))
            fields.append(b"DKIM-Signature: %b%b\r\n" % (value, _wrapped(signature)))
        return b"".join(fields)


def sign(
    raw: bytes,
    *,
    domain: str,
    selector: str,
    key: bytes,
    headers: Sequence[bytes] = SIGNED,
    when: int | None = None,
) -> bytes:
    """Sign one mail with one PEM key; give the DKIM-Signature field to put before it."""
    return Signer(domain, [SigningKey.load(selector, key)], headers).headers_for(raw, when=when)


def body_hash(body: bytes) -> bytes:
    """SHA-256 of the canonical body: what `bh=` says, before base64."""
    return hashlib.sha256(relaxed_body(body)).digest()


# --- canonical forms ----------------------------------------------------------------------------------------


def relaxed_body(body: bytes) -> bytes:
    """The body with white space at line ends, runs of it and empty last lines gone. RFC 6376 section 3.4.4.

    Only plain searches, so that a body of ten million spaces takes no longer than any other.
    """
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    if b" \r\n" in body:
        body = body.replace(b" \r\n", b"\r\n")
    text = body.rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def relaxed_value(value: bytes) -> bytes:
    """A header value on one line, single spaces, none at the ends. RFC 6376 section 3.4.2."""
    value = value.replace(b"\r\n", b"").replace(b"\t", b" ")
    while b"  " in value:
        value = value.replace(b"  ", b" ")
    return value.strip(b" ")


_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", re.MULTILINE)


def _select(head: bytes, wanted: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], list[bytes]]:
    """The names for `h=` and the canonical fields they stand for, last occurrence first (RFC 6376 section 5.4.2)."""
    present: dict[bytes, list[bytes]] = defaultdict(list)
    for field in _FIELD.finditer(head):
        present[field[1].lower()].append(field[2])
    names, lines = [], []
    for name in wanted:
        for value in reversed(present.get(name, ())):
            names.append(name)
            lines.append(b"%b:%b\r\n" % (name, relaxed_value(value)))
        if name in OVERSIGNED:
            names.append(name)
    return tuple(names), lines


def _opening(key: SigningKey, domain: str) -> bytes:
    """The part of the field that is the same in every letter."""
    domain_tag, selector_tag = f"d={domain};", f"s={key.selector};"
    gap = " " if len(domain_tag) + len(selector_tag) < 76 else "\r\n "
    return f"v=1; a={key.kind}-sha256; c=relaxed/relaxed;\r\n {domain_tag}{gap}{selector_tag}".encode("ascii")


@lru_cache(maxsize=256)  # letters of one kind carry the same headers
def _folded_names(names: tuple[bytes, ...]) -> bytes:
    """The list of `h=`, folded after a colon so that lines stay within 78. RFC 6376 section 3.5."""
    lines = [b""]
    for name in names:
        if len(lines[-1]) + len(name) > 70:
            lines.append(b"")
        lines[-1] += name + b":"
    return b"\r\n ".join(lines)[:-1]


def _wrapped(signature: bytes) -> bytes:
    return b"\r\n ".join(signature[at : at + 72] for at in range(0, len(signature), 72))


# --- keys and records ---------------------------------------------------------------------------------------


def generate(kind: KeyKind | str) -> bytes:
    """Make a new private key, in PEM: to be kept where only the service reads it."""
    private: PrivateKey
    if KeyKind(kind) is KeyKind.RSA:
        private = generate_private_key(public_exponent=65537, key_size=2048)  # RFC 8301 section 3.2
    else:
        private = Ed25519PrivateKey.generate()
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def record(selector: str, domain: str, public_key: PublicKey) -> tuple[str, str]:
    """The name and the TXT value that publish a key. RFC 6376 section 3.6.1, RFC 8463 section 4."""
    if isinstance(public_key, RSAPublicKey):
        kind, packed = KeyKind.RSA, public_key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )  # fmt: skip
    else:
        kind, packed = KeyKind.ED25519, public_key.public_bytes_raw()
    name = f"{selector}._domainkey.{domains.a_label(domain)}"
    return name, f"v=DKIM1; k={kind}; p={base64.b64encode(packed).decode('ascii')}"


def dns_records(domain: str, signer: Signer, relay_host: str | None = None) -> list[DnsRecord]:
    """All an operator publishes so that letters of the domain are believed: the keys, SPF and DMARC.

    `relay_host` is the machine that hands letters to the world, None when it is ours. A provider that asks for an
    `include:` of its own goes into SPF in place of it. SPF ends in `~all`: with `-all` some receivers refuse a
    forwarded letter before they look at its signature (RFC 9989, "Issues Specific to SPF").
    """
    zone = domains.a_label(domain)
    keys = [record(key.selector, signer.domain, key.private.public_key()) for key in signer.keys]
    return [
        *(DnsRecord(name, "TXT", value) for name, value in keys),
        DnsRecord(zone, "TXT", f"v=spf1 mx {_mechanism(relay_host)} ~all"),
        DnsRecord(f"_dmarc.{zone}", "TXT", f"v=DMARC1; p=none; rua=mailto:postmaster@{zone}"),
    ]


def zone_line(published: DnsRecord) -> str:
    """A record as a zone file wants it; a string of a TXT record holds 255 octets. RFC 1035 section 3.3.14."""
    value = published.value
    pieces = " ".join(f'"{value[at : at + 255]}"' for at in range(0, len(value), 255))
    return f"{published.name}. IN {published.type} {pieces}"


def _mechanism(relay_host: str | None) -> str:
    if not relay_host or domains.is_loopback(relay_host):
        return "a"
    try:
        address = ipaddress.ip_address(relay_host.strip("[]"))
    except ValueError:
        return f"a:{domains.a_label(relay_host)}"
    return f"ip{address.version}:{address}"
