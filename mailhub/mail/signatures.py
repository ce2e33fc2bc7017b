"""The DKIM signatures a mail carries, each checked: RFC 6376, RFC 8301, RFC 8463.

dkimpy computes; this module decides what may be computed, and refuses what verifies without proving anything:
a body signed in part, a header added beside the signed one. Nothing a mail or a key record contains raises here.
"""

import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dkim as dkimpy
from dkim.util import parse_tag_value

from mailhub.mail import domains
from mailhub.mail.dkim import relaxed_body
from mailhub.mail.resolver import NoRecord, Resolver, TemporaryDns

MOST_SIGNATURES = 5  # a mail with more is not better proven, only dearer. RFC 6376 section 8.4
_LONGEST_FIELD = 8192
_LONGEST_KEY_RECORD = 1024  # RSA-4096 takes 760; a longer modulus would only keep the processor busy
_ALGORITHMS = (b"rsa-sha256", b"ed25519-sha256")  # no SHA-1: RFC 8301 section 3.1
# What may stand once in a mail (RFC 5322 section 3.6, RFC 2045 section 3): a second one was added by somebody else.
_ONCE = frozenset(
    b"from sender reply-to to cc date subject message-id in-reply-to references "
    b"mime-version content-type content-transfer-encoding".split()
)
# dkimpy logs pieces of hostile mails; the result says it all.
_SILENCE = logging.getLogger("mailhub.mail.signatures.dkimpy")
_SILENCE.setLevel(logging.CRITICAL + 1)
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature: who signed, what came of it ("pass", "fail", "temperror"), and why in short words."""

    domain: str
    result: str
    why: str = ""


class _UnacceptableError(Exception):
    """A signature that is not even computed."""


def verify(raw: bytes, resolver: Resolver) -> tuple[Signature, ...]:
    """Check the topmost signatures of a mail, five at most."""
    if b"dkim-signature" not in raw.partition(b"\r\n\r\n")[0].lower():
        return ()
    try:
        mail = dkimpy.DKIM(raw, logger=_SILENCE, minkey=1024)  # RFC 8301 section 3.2
    except Exception:  # noqa: BLE001 — dkimpy stumbles over broken headers in many ways
        return (Signature("", "fail", "unreadable headers"),)
    bodies = {b"simple": mail.body, b"relaxed": relaxed_body(mail.body)}
    fields = [value for name, value in mail.headers if name.lower() == b"dkim-signature"]
    return tuple(
        _check(mail, at, field, bodies, resolver) for at, field in enumerate(fields[:MOST_SIGNATURES])
    )


def _check(
    mail: dkimpy.DKIM, at: int, field: bytes, bodies: Mapping[bytes, bytes], resolver: Resolver
) -> Signature:
    def key_record(name: bytes, timeout: int = 0) -> bytes | None:  # noqa: ARG001 — as dkimpy calls it
        return _key_record(name.decode("ascii").rstrip("."), resolver)

    domain = ""
    try:
        tags = _tags(field)
        domain = _host_name(tags[b"d"])
        # Canonical before dkimpy sees it: its own expressions take minutes on a long run of spaces.
        mail.body = bodies[_body_form(tags)]
        _refuse(tags, mail.headers, mail.body)
        passed = mail.verify(at, dnsfunc=key_record)
    except TemporaryDns:
        return Signature(domain, "temperror", "DNS does not answer")
    except _UnacceptableError as refusal:
        return Signature(domain, "fail", str(refusal))
    except Exception as error:  # noqa: BLE001 — ValidationError, KeyError, LabelTooLong, binascii.Error and others
        return Signature(domain, "fail", type(error).__name__)
    return Signature(domain, "pass") if passed else Signature(domain, "fail", "does not verify")


def _tags(field: bytes) -> dict[bytes, bytes]:
    if len(field) > _LONGEST_FIELD:
        raise _UnacceptableError("field too long")
    tags: dict[bytes, bytes] = parse_tag_value(field)
    return tags


def _refuse(tags: Mapping[bytes, bytes], headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
    """Refuse signatures that could verify and still prove nothing."""
    if tags[b"a"] not in _ALGORITHMS:
        raise _UnacceptableError("algorithm refused")
    signed = Counter(name.strip().lower() for name in tags[b"h"].split(b":"))
    if b"from" not in signed:
        raise _UnacceptableError("From is not signed")  # RFC 6376 section 5.4
    if b"l" in tags and int(tags[b"l"]) < len(body.rstrip(b"\r\n")):
        raise _UnacceptableError("l= leaves a part of the body unsigned")  # RFC 6376 section 8.2
    present = Counter(name.lower() for name, _ in headers)
    for name in _ONCE & signed.keys():
        if present[name] > signed[name]:  # RFC 6376 section 8.15
            raise _UnacceptableError(f"{name.decode('ascii')} occurs more often than it was signed")


def _host_name(written: bytes) -> str:
    domain = domains.a_label(written.decode("utf-8"))
    if not _HOST_NAME.fullmatch(domain):
        raise _UnacceptableError("d= is no domain")
    return domain


def _body_form(tags: Mapping[bytes, bytes]) -> bytes:
    return b"relaxed" if tags.get(b"c", b"").endswith(b"/relaxed") else b"simple"


def _key_record(name: str, resolver: Resolver) -> bytes | None:
    """The one key record of a selector. Several are undefined (RFC 6376 section 3.6.2.2): none is taken."""
    try:
        found = resolver.txt(name)
    except NoRecord:
        return None
    keys = [text for text in found if text.startswith(b"v=DKIM1")] or list(found)
    return keys[0] if len(keys) == 1 and len(keys[0]) <= _LONGEST_KEY_RECORD else None
