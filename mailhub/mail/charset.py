"""From octets to text: the charset a mail declares, then UTF-8, then windows-1252. Never raises.

A label is data from a stranger: it is looked up in our own table and never handed to `codecs.lookup`, which would
import modules named by it, remember every miss for ever, and decode `base64` or `zip` as if they were alphabets.
"""

import codecs
import re
from encodings.aliases import aliases
from functools import lru_cache

# Not alphabets, or not the same everywhere, although Python files them among its encodings.
_NOT_TEXT = {"base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec",
             "idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem", "charmap",
             "tactis"}  # fmt: skip

# Writers say the narrow name and use the wide one: WHATWG Encoding section 4.2 and what Asian mail does.
_WIDER = {"latin_1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932",
          "big5": "cp950", "iso8859_9": "cp1254", "iso8859_11": "cp874", "tis_620": "cp874",
          "iso2022_jp": "iso2022_jp_ext", "utf_8_sig": "utf_8"}  # fmt: skip

_ODD_LABELS = {"utf8mb4": "utf_8", "utf_8_mb4": "utf_8", "unicode_1_1_utf_8": "utf_8", "unicode_1_1_utf_7": "utf_7",
               "x_utf_8": "utf_8", "x_unicode_2_0_utf_7": "utf_7", "ansi_x3_4_1968": "ascii", "ansi": "cp1252",
               "x_ansi": "cp1252", "x_cp1252": "cp1252", "x_sjis": "cp932", "windows_31j": "cp932", "x_gbk": "gb18030",
               "x_euc_jp": "euc_jp", "x_big5": "cp950", "windows_874": "cp874", "windows_949": "cp949",
               "iso_8859_8_i": "iso8859_8", "iso_8859_8_e": "iso8859_8", "x_mac_roman": "mac_roman",
               "x_macroman": "mac_roman"}  # fmt: skip

# Seven-bit in the mail and yet not ASCII: their octets must be decoded even when all are below 128.
_SHIFTING = {"utf_7", "hz", "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be",
             "iso2022_jp_ext", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_3", "iso2022_kr",
             "cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140"}  # fmt: skip

_MULTIBYTE = {"gb18030", "cp949", "cp932", "cp950", "euc_jp", "johab", "big5hkscs", "utf_8", *_SHIFTING}


def _codec_names() -> dict[str, str]:
    names = {module: module for module in aliases.values()} | aliases | _ODD_LABELS
    return {name: _WIDER.get(codec, codec) for name, codec in names.items() if codec not in _NOT_TEXT}


_CODECS = _codec_names()
_SEPARATORS = re.compile(r"[^a-z0-9]+")

# windows-1252 leaves five octets undefined; browsers read them as C1 controls, so nothing is ever undecodable.
_CP1252 = "".join(bytes([octet]).decode("cp1252", "ignore") or chr(octet) for octet in range(256))


# UTF-8 labelled with the narrow name all programs know. In a Latin charset these octets would be « Ã©», «Â°», « â€™»,
# letters before signs as no word has them; others than these may be right, « CITÉ…» for one.
_LATIN = {"cp1252", "iso8859_15"}
_MOJIBAKE = re.compile(rb"[\xc2\xc3\xc5][\x80-\xbf]|[\xe2\xef][\x80-\xbf]{2}|\xf0\x9f[\x80-\xbf]{2}")


@lru_cache(maxsize=256)
def codec_of(label: str) -> str | None:
    """The codec for a charset label as strangers write it (`"ISO-8859-1"`, `cp-850`), None when it is unknown."""
    name = _SEPARATORS.sub("_", label[:80].lower()).strip("_")
    return _CODECS.get(name) or _CODECS.get(name.replace("_", "")) or _CODECS.get(name.removeprefix("cs"))


def decode(octets: bytes, label: str | None = None) -> tuple[str, str | None]:
    """Read octets as text; the second value says what was wrong with the label, if anything was."""
    codec = codec_of(label) if label else None
    defect = f"unknown charset {_shown(label)}" if label and codec is None else None
    if codec not in _SHIFTING and octets.isascii():
        return octets.decode("ascii").replace("\0", ""), defect
    if octets[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        codec = "utf_16"
    text = None if codec in _LATIN and _is_mojibake(octets) else _strictly(octets, codec)
    if text is None:
        if codec is not None:
            defect = f"not in the declared charset {_shown(label)}"
        elif label is None:
            defect = "charset not declared"
        text = _strictly(octets, "utf_8")
    if text is None:
        text = _damaged(octets, codec)
    if text is None:
        text = codecs.charmap_decode(octets, "strict", _CP1252)[0]
    return text.removeprefix("\ufeff").replace("\0", ""), defect


def _is_mojibake(octets: bytes) -> bool:
    """Say whether octets that are said to be Latin are UTF-8: the first accent of a Latin text tells that it is not."""
    return _strictly(octets, "utf_8") is not None and _MOJIBAKE.search(octets) is not None


def _strictly(octets: bytes, codec: str | None) -> str | None:
    """The text when every octet is right in this charset."""
    if codec is None:
        return None
    if codec == "cp1252":
        return codecs.charmap_decode(octets, "strict", _CP1252)[0]
    try:
        text = octets.decode(codec)
        if codec in _SHIFTING:
            text.encode()  # UTF-7 can spell half a surrogate pair, which is no text
    except (UnicodeError, ValueError):
        return None
    return text


def _damaged(octets: bytes, codec: str | None) -> str | None:
    """The text in a multi-octet charset with a few octets lost (cut in the middle of a letter, say)."""
    for candidate in dict.fromkeys((codec, "utf_8")):
        if candidate in _MULTIBYTE:
            text = octets.decode(candidate, "replace")
            lost = text.count("\ufffd")
            letters = len(text) - lost - len(text.encode("ascii", "ignore"))
            # In UTF-8 a letter is hardly ever right by chance; in the Asian charsets most pairs of octets are.
            if letters > (lost if candidate == "utf_8" else 3 * lost):
                return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return None


def _shown(label: str | None) -> str:
    return re.sub(r"[^ -~]", "?", label or "")[:40]
