"""winmail.dat: what Outlook wraps in TNEF — the text, as RTF more often than not, and the files (MS-OXTNEF).

Our own reader of the few things we need. The library there is copies the rest of the data for every object, follows
a count of recipients wherever it leads, and leaves compressed RTF compressed. Never raises; reads each octet once.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from mailhub.mail import charset, limits, parameters, rtf

_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_SIGNATURE = 0x223E9F78
_OBJECT = struct.Struct("<BII")  # level, attribute, length; then the data and a checksum of two octets
_BODY, _MAPI, _CODE_PAGE = 0x0002800C, 0x00069003, 0x00069007
_FILE_START, _FILE_TITLE, _FILE_DATA, _FILE_MAPI = 0x00069002, 0x00018010, 0x0006800F, 0x00069005

# MAPI properties, [MS-OXPROPS]
_P_BODY, _P_RTF, _P_HTML, _P_CODE_PAGE = 0x1000, 0x1009, 0x1013, 0x3FDE
_P_DATA, _P_SHORT_NAME, _P_LONG_NAME, _P_TYPE, _P_CONTENT_ID = 0x3701, 0x3704, 0x3707, 0x370E, 0x3712

_WIDTHS = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_STRING, _UNICODE, _BINARY, _OBJECT_TYPE = 0x1E, 0x1F, 0x102, 0x0D
_NAMED = 0x8000  # ids from here on bring their name along
_MULTIPLE = 0x1000


@dataclass(frozen=True, slots=True)
class File:
    """A file found inside."""

    name: str | None
    content_type: str
    content: bytes
    content_id: str | None


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What a winmail.dat held, and what was broken in it, if anything was."""

    text: str = ""
    html: str = ""
    files: tuple[File, ...] = ()
    defect: str | None = None


def is_tnef(content_type: str, filename: str | None) -> bool:
    """Say whether a part is one, by its type or by the name every Outlook gives it."""
    return content_type in _TYPES or (filename or "").lower() == "winmail.dat"


def unpack(octets: bytes) -> Unpacked:
    """Take out the text and the files, as far as the data makes sense."""
    reading = _Reading()
    defect = None
    try:
        for level, attribute, data in _objects(octets[: limits.TNEF_OCTETS_READ]):
            reading.take(level, attribute, data)
    except (struct.error, ValueError, IndexError, UnicodeError):
        defect = "bad winmail.dat"
    return reading.result(defect)


class _Reading:
    """The state of one reading."""

    def __init__(self) -> None:
        self.code_page = "cp1252"
        self.plain, self.html, self.rtf = "", "", b""
        self.files: list[dict[int, bytes | str]] = []

    def take(self, level: int, attribute: int, data: memoryview) -> None:
        """Take what one attribute says."""
        if attribute == _CODE_PAGE and len(data) >= 4:
            self.code_page = f"cp{int.from_bytes(data[:4], 'little')}"
        elif attribute == _BODY:
            self.plain = self.plain or self._string(bytes(data))
        elif attribute == _MAPI:
            self._take_body(dict(_properties(data)))
        elif attribute == _FILE_START:
            self.files.append({})
        elif level == 2 and self.files and len(self.files) <= limits.PARTS:
            if attribute == _FILE_TITLE:
                self.files[-1].setdefault(_P_SHORT_NAME, self._string(bytes(data)))
            elif attribute == _FILE_DATA:
                self.files[-1][_P_DATA] = bytes(data)
            elif attribute == _FILE_MAPI:
                for name, (kind, value) in _properties(data):
                    self.files[-1][name] = self._value(kind, value)

    def result(self, defect: str | None) -> Unpacked:
        """All that was found; RTF becomes text when nothing better says the same."""
        text = self.plain
        if not text.strip() and not self.html and self.rtf:
            try:
                text = rtf.to_text(rtf.decompress(self.rtf))
            except (struct.error, ValueError, IndexError):
                defect = "bad winmail.dat"
        files = tuple(_file(found) for found in self.files if isinstance(found.get(_P_DATA), bytes))
        return Unpacked(text.replace("\r\n", "\n"), self.html, files, defect)

    def _take_body(self, found: dict[int, tuple[int, bytes]]) -> None:
        if _P_CODE_PAGE in found:
            self.code_page = f"cp{int.from_bytes(found[_P_CODE_PAGE][1], 'little')}"
        if _P_BODY in found:
            value = self._value(*found[_P_BODY])
            self.plain = value if isinstance(value, str) else self._string(value)
        if _P_HTML in found:
            kind, value = found[_P_HTML]
            self.html = self._string(value, wide=kind == _UNICODE)
        if _P_RTF in found:
            self.rtf = found[_P_RTF][1]

    def _value(self, kind: int, value: bytes) -> bytes | str:
        return self._string(value, wide=kind == _UNICODE) if kind in {_STRING, _UNICODE} else value

    def _string(self, value: bytes, *, wide: bool = False) -> str:
        label = (
            "utf-16-le"
            if wide
            else {"cp65001": "utf-8", "cp20127": "us-ascii"}.get(self.code_page, self.code_page)
        )
        return charset.decode(value, label)[0].rstrip("\0")


def _file(found: dict[int, bytes | str]) -> File:
    content = found[_P_DATA]
    name, kind, identifier = (found.get(key) for key in (_P_LONG_NAME, _P_TYPE, _P_CONTENT_ID))
    name = name or found.get(_P_SHORT_NAME)
    return File(
        parameters.safe_filename(name) if isinstance(name, str) else None,
        parameters.content_type(kind.lower())
        if isinstance(kind, str) and kind
        else "application/octet-stream",
        content if isinstance(content, bytes) else b"",
        identifier.strip("<> ") or None if isinstance(identifier, str) else None,
    )


def _objects(octets: bytes) -> Iterator[tuple[int, int, memoryview]]:
    """Each attribute with its level and data. MS-OXTNEF section 2.1.3."""
    view = memoryview(octets)
    if int.from_bytes(view[:4], "little") != _SIGNATURE:
        raise ValueError("no TNEF signature")
    at = 6
    while at + _OBJECT.size <= len(view):
        level, attribute, length = _OBJECT.unpack_from(view, at)
        at += _OBJECT.size
        yield level, attribute, view[at : at + length]
        at += length + 2


def _properties(data: memoryview) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Each MAPI property with its type and first value. MS-OXTNEF section 2.1.3.4."""
    cursor = _Cursor(data)
    for _ in range(cursor.number()):
        kind, name = cursor.number(2), cursor.number(2)
        if name >= _NAMED:
            cursor.skip(16)
            cursor.skip(4 if cursor.number() == 0 else _padded(cursor.number()))
        base = kind & ~_MULTIPLE
        count = (
            cursor.number() if kind & _MULTIPLE or base in {_STRING, _UNICODE, _BINARY, _OBJECT_TYPE} else 1
        )
        value = b""
        for number in range(count):
            width = _WIDTHS.get(base)
            length = cursor.number() if width is None else width
            octets = cursor.octets(length, keep=number == 0)
            value = octets if number == 0 else value
        if base == _OBJECT_TYPE:
            value = value[16:]  # the identifier of the interface comes first
        yield name, (base, value)


class _Cursor:
    """A place in the data; reading beyond the end is an error, so every loop ends."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._at = data, 0

    def number(self, width: int = 4) -> int:
        return int.from_bytes(self.octets(width, padded=False), "little")

    def skip(self, length: int) -> None:
        self.octets(length, padded=False, keep=False)

    def octets(self, length: int, *, padded: bool = True, keep: bool = True) -> bytes:
        if self._at + length > len(self._data):
            raise ValueError("property cut short")
        octets = bytes(self._data[self._at : self._at + length]) if keep else b""
        self._at += _padded(length) if padded else length
        return octets


def _padded(length: int) -> int:
    return (length + 3) // 4 * 4
