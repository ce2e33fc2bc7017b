"""Tokens: the opaque part of `rep+TOKEN@`, `note+TOKEN@`, `retours+TOKEN@`, `oui+TOKEN@` and of our Message-IDs.

A token says which thread; the address says who. It is an HMAC-SHA-256 of which 96 bits are kept, names the key
that made it, and is bound to one purpose, one thread and one person: used for anything else it is no token at all.
A retired key or an older layout is no token either (desk.md S1-S3, S21).
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

_BODY = struct.Struct(">BcQIH")  # key id, purpose, thread, person, expiry in days since 1970 (0: never)
_MAC_OCTETS = 12
_LENGTH = len(base64.b32encode(bytes(_BODY.size + _MAC_OCTETS)).rstrip(b"="))
_CONTEXT = b"mailhub token 1\0"  # another layout takes another number, and the old one dies with it


_FIRST_DAY = date(1970, 1, 1).toordinal()


def day(when: date) -> int:
    """A day, or the day of an instant, as `Token.until` counts them."""
    return when.toordinal() - _FIRST_DAY


class Purpose(StrEnum):
    """What a token is for; it is of no use for anything else."""

    ASKER = "a"  # the asker's own thread
    ANSWER = "s"  # a member of staff: a reply becomes the answer
    NOTE = "n"  # a member of staff: a reply stays internal
    BOUNCE = "b"  # return path of one letter (VERP)
    CONFIRM = "c"  # yes or no to what was held
    LEAVE = "l"  # leave one list, for ever good: thread is the subscription, person whose it is
    JOIN = "j"  # yes or no to a subscription or a new address: thread is the confirmation
    DONE = "d"  # our word that a subscription was changed, which can be undone: thread is the subscription
    ISSUE = "i"  # one copy of an issue, in its Message-ID: thread is the issue, person the *subscription*
    ISSUE_RETURN = "v"  # the return path of one copy (VERP): thread is the issue, person the *subscription*
    FILE = "f"  # fetch one attachment


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says once its signature holds."""

    purpose: Purpose
    thread: int  # row of the request, letter, held mail or file it is about
    person: int  # row of the person or member of staff it was given to
    until: int = 0  # last day it is good for, in days since 1970-01-01; 0: it does not expire


@dataclass(frozen=True, slots=True)
class Keyring:
    """The secrets tokens are made with; the current one signs, the others still verify."""

    current: int
    secrets: Mapping[int, bytes]  # key id (0-255) -> at least 32 random octets
    digests: bytes = (
        b""  # a leaked key that makes fingerprints still, and no token; empty: the oldest of `secrets`
    )

    def seal(self, token: Token) -> str:
        """Write a token: 45 characters of lower-case base32, safe in a local part of at most 64 octets."""
        return _sealed(self.current, self.secrets[self.current], token)

    def open(self, text: str) -> Token | None:
        """Read a token back; anything but a good one, of a key we still hold, is None."""
        if len(text) != _LENGTH:
            return None
        try:
            raw = base64.b32decode(text.upper() + "=" * (-_LENGTH % 8))
        except (binascii.Error, ValueError):
            return None
        if base64.b32encode(raw).decode().rstrip("=") != text.upper():  # the last letter has a bit to spare
            return None
        body, mac = raw[: _BODY.size], raw[_BODY.size :]
        key, purpose, thread, person, until = _BODY.unpack(body)
        if key not in self.secrets or not hmac.compare_digest(mac, _mac(self.secrets[key], body)):
            return None
        return Token(Purpose(purpose.decode()), thread, person, until)

    def fingerprint(self, text: str) -> str:
        """A short keyed digest of `text`, the same for ever: addresses that must not be written to are known by it.

        It therefore outlives a leak of its key. Whoever has that key learns from it only whether an address they
        guess stands among the digests, and that only with the database in hand; a fingerprint opens nothing.
        """
        key = self.digests or self.secrets[min(self.secrets)]
        digest = _digest(key, b"fingerprint\0", text.encode())
        return base64.b32encode(digest[:10]).decode().lower()


@lru_cache(8)  # a letter bears its token twice: in its Reply-To and in its Message-ID
def _sealed(key: int, secret: bytes, token: Token) -> str:
    body = _BODY.pack(key, token.purpose.encode(), token.thread, token.person, token.until)
    return base64.b32encode(body + _mac(secret, body)).decode().rstrip("=").lower()


def _mac(secret: bytes, body: bytes) -> bytes:
    return _digest(secret, _CONTEXT, body)[:_MAC_OCTETS]


def _digest(secret: bytes, context: bytes, text: bytes) -> bytes:
    mac = _begun(secret, context).copy()
    mac.update(text)
    return mac.digest()


@lru_cache(16)  # to begin costs as much as all the rest
def _begun(secret: bytes, context: bytes) -> hmac.HMAC:
    return hmac.new(secret, context, hashlib.sha256)
