"""RTF as Outlook sends it: decompressed (MS-OXRTFCP) and turned into text, for mails that bring no other words."""

import re
import struct

from mailhub.mail import charset

_HEADER = struct.Struct("<IIII")
_COMPRESSED, _PLAIN = 0x75465A4C, 0x414C454D
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_MOST_OCTETS = 4 * 1024 * 1024  # of text with its marks; a reference of two octets stands for up to seventeen

# A control word with its number, a hexadecimal octet, a control symbol, a brace, or text.
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}\r\n]+)", re.DOTALL
)
_UNREAD = {b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"header", b"footer", b"themedata",
           b"listtable", b"listoverridetable", b"rsidtbl", b"generator", b"datastore", b"xmlnstbl"}  # fmt: skip
_SIGNS = {b"par": "\n", b"line": "\n", b"tab": "\t", b"cell": "\t", b"row": "\n", b"emdash": "—", b"endash": "–",
          b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"bullet": "•"}  # fmt: skip
_SYMBOLS = {b"~": "\xa0", b"_": "-", b"-": "", b"\n": "\n", b"\r": "\n"}


def decompress(octets: bytes) -> bytes:
    """Undo the compression of a MAPI property. Raises struct.error or ValueError when it is none."""
    _, raw_size, kind, _ = _HEADER.unpack_from(octets)
    if kind == _PLAIN:
        return octets[_HEADER.size :][: min(raw_size, _MOST_OCTETS)]
    if kind != _COMPRESSED:
        raise ValueError("no compressed RTF")
    window = bytearray(_DICTIONARY.ljust(4096, b" "))
    write, out, at = len(_DICTIONARY), bytearray(), _HEADER.size
    while at < len(octets) and len(out) < _MOST_OCTETS:
        control = octets[at]
        at += 1
        for bit in range(8):
            if not control >> bit & 1:
                run, at = octets[at : at + 1], at + 1
            else:
                reference, at = int.from_bytes(octets[at : at + 2], "big"), at + 2
                read, length = reference >> 4, (reference & 15) + 2
                if read == write:  # the end is a reference to itself
                    return bytes(out)
                run = b""
                for step in range(length):  # a run may read what it has just written
                    run += window[(read + step) % 4096 : (read + step) % 4096 + 1]
                    window[(write + step) % 4096] = run[step]
            for octet in run:
                window[write] = octet
                write = (write + 1) % 4096
            out += run
            if at >= len(octets):
                break
    return bytes(out)


def to_text(octets: bytes) -> str:
    """The words of an RTF text: destinations nobody reads and all marks left out."""
    reader = _Reader()
    for token in _TOKEN.finditer(octets):
        word, number, octet, symbol, brace, text = token.groups()
        if brace:
            reader.brace(brace)
        elif word:
            reader.word(word, int(number) if number else None)
        elif octet:
            reader.octets(bytes([int(octet, 16)]))
        elif symbol:
            reader.symbol(symbol)
        else:
            reader.octets(text)
    return reader.text()


class _Reader:
    """The text as it grows, and which group of it we are in."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._pending = bytearray()  # octets of one code page, decoded together: letters may be two
        self._code_page = "cp1252"
        self._depth = 0
        self._unread_from = 0  # the depth of the group that is skipped, 0 when none is
        self._replacing = 0  # octets still to drop: the stand-in of a Unicode character for old readers
        self._stand_in = 1

    def brace(self, brace: bytes) -> None:
        self._depth += 1 if brace == b"{" else -1
        if self._depth < self._unread_from:
            self._unread_from = 0

    def word(self, word: bytes, number: int | None) -> None:
        if self._unread_from:
            return
        if word in _UNREAD:
            self._unread_from = self._depth
        elif word == b"ansicpg" and number:
            self._code_page = f"cp{number}"
        elif word == b"uc":
            self._stand_in = number or 0
        elif word == b"u" and number is not None:
            self._flush()
            self._out.append(chr(number & 0xFFFF))
            self._replacing = self._stand_in
        elif word in _SIGNS:
            self._flush()
            self._out.append(_SIGNS[word])

    def symbol(self, symbol: bytes) -> None:
        if symbol == b"*" and not self._unread_from:
            self._unread_from = self._depth  # a destination that may be ignored, and is
        elif symbol in b"\\{}":
            self.octets(symbol)
        elif not self._unread_from:
            self._flush()
            self._out.append(_SYMBOLS.get(symbol, ""))

    def octets(self, octets: bytes) -> None:
        if self._unread_from:
            return
        dropped = min(self._replacing, len(octets))
        self._replacing -= dropped
        self._pending += octets[dropped:]

    def text(self) -> str:
        self._flush()
        joined = "".join(self._out)  # characters beyond the first plane came as two halves
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "").strip()

    def _flush(self) -> None:
        if self._pending:
            self._out.append(charset.decode(bytes(self._pending), self._code_page)[0])
            self._pending.clear()
