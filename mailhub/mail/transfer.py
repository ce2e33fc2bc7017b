"""Content-Transfer-Encoding undone: base64, quoted-printable and uuencode, tolerant of what relays do to them.

What cannot be decoded is kept as far as it goes, with a word on what was wrong. RFC 2045 section 6.
"""

import binascii
import contextlib
import importlib
import re
from collections.abc import Callable

_decode_base64: Callable[[bytes], bytes] = binascii.a2b_base64
with contextlib.suppress(
    ImportError
):  # eight times as fast where it is installed; attachments are what mails weigh
    _decode_base64 = importlib.import_module("pybase64").b64decode

_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
)
_BASE64_ONLY = re.compile(rb"[A-Za-z0-9+/=\s]*")
_BAD_QUOTED = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*\Z)")
_IDENTITY = {"", "7bit", "8bit", "binary"}
_UUENCODE = {"x-uuencode", "uuencode", "x-uue", "uue"}


def decode(octets: bytes, encoding: str) -> tuple[bytes, str | None]:
    """The octets the sender meant; the second value says what was broken, if anything was."""
    if encoding in _IDENTITY:
        return octets, None
    if encoding == "base64":
        return base64(octets)
    if encoding == "quoted-printable":
        defect = "bad quoted-printable" if _BAD_QUOTED.search(octets) else None
        return binascii.a2b_qp(octets), defect
    if encoding in _UUENCODE:
        return _uu(octets)
    return octets, "unknown transfer encoding"


def base64(octets: bytes) -> tuple[bytes, str | None]:
    """Decode base64: foreign characters skipped, missing padding supplied, several padded pieces joined."""
    padding = octets.find(b"=")
    if padding >= 0 and octets[padding:].strip(b"=\r\n \t"):
        rest = octets[padding:]
        if _BASE64_ONLY.fullmatch(
            rest
        ):  # pieces encoded one by one; anything else is a footer added by a list
            return b"".join(_piece(piece) for piece in octets.split(b"=") if piece), "bad base64"
        return _piece(octets[:padding]), "bad base64"
    try:
        return _decode_base64(octets), None
    except binascii.Error:
        return _piece(octets), "bad base64"


def _piece(octets: bytes) -> bytes:
    letters = octets.translate(None, _NOT_BASE64)
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]  # one letter over says nothing
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _uu(octets: bytes) -> tuple[bytes, str | None]:
    """Decode the lines between `begin` and `end`."""
    lines = octets.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith(b"begin ")), -1)
    decoded: list[bytes] = []
    defect = "bad uuencode" if start < 0 else None
    for line in lines[start + 1 :]:
        if line.strip() in {b"end", b"`", b""}:
            break
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:  # some encoders pad lines beyond what their length says
            wanted = (((line[0] - 32) & 63) * 4 + 5) // 3
            defect = "bad uuencode"
            try:
                decoded.append(binascii.a2b_uu(line[:wanted]))
            except binascii.Error:
                continue
    return b"".join(decoded), defect
