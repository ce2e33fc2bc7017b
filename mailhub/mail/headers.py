"""Header fields with a grammar of their own: message ids and dates, read from raw text on one line. Never raises."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

from mailhub.mail import limits, words

_ID = re.compile(r"<([^<>]*)>")
_YEAR_OF_NO_ONE = re.compile(r"\b00\d\d\b(?!:)(?<![+-]\d{4})")  # four digits are no two-digit year
_COMMENT = re.compile(r"\([^()]*\)")
# Hours of Europe, which RFC 5322 section 4.3 does not name, and programs write.
_ZONES = {"WET": "+0000", "WEST": "+0100", "CET": "+0100", "CEST": "+0200", "MET": "+0100", "MEST": "+0200",
          "MEZ": "+0100", "MESZ": "+0200", "EET": "+0200", "EEST": "+0300"}  # fmt: skip
_ZONE_NAMED = re.compile(rf"\b(?:{'|'.join(_ZONES)})\s*$", re.IGNORECASE)


def ids(raw: str) -> tuple[str, ...]:
    """The ids of References or In-Reply-To, in order, without brackets; of a very long list the first and the last."""
    raw = _plain(raw)
    written = _ID.findall(raw) or [word for word in raw.split() if "@" in word]  # brackets forgotten
    found = [identifier for identifier in map(_clean, written) if identifier]
    if len(found) > limits.IDS_READ:
        found = [found[0], *found[1 - limits.IDS_READ :]]
    return tuple(found)


def message_id(raw: str) -> str | None:
    """The id of a mail, without brackets; one written without them, or without a domain, is taken as it is."""
    raw = _plain(raw)
    bracketed = _ID.search(raw)
    return _clean(bracketed[1] if bracketed else raw) or None


def date(raw: str) -> datetime | None:
    """A date in UTC, None when no sense can be made of it. RFC 5322 section 3.3, obsolete forms included."""
    raw = _COMMENT.sub(" ", raw[:200])
    if _YEAR_OF_NO_ONE.search(raw):
        return None
    raw = _ZONE_NAMED.sub(lambda zone: _ZONES[zone[0].strip().upper()], raw)
    try:
        fields = parsedate_tz(raw)
        if fields is None:
            return None
        year, month, day, hour, minute, second, *_, offset = fields
        year += 1900 if 100 <= year < 1000 else 0  # programs that count from 1900. RFC 5322 section 4.3
        local = datetime(
            year, month, day, hour, minute, min(second, 59), tzinfo=UTC
        )  # a leap second is no time of ours
        return local - timedelta(seconds=offset or 0)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _plain(raw: str) -> str:
    """The field as it was meant: an encoded word may not stand in an id (RFC 2047 section 5), and yet does.

    Python's email package folds so what is longer than a line (cpython 80222), ids and the blanks between them.
    """
    return words.decode(raw) if "=?" in raw else raw


def _clean(identifier: str) -> str:
    """An id without what is no part of it; "" for one that no line of a mail could hold.

    Outlook wraps ids inside References; neither spaces nor controls belong to them. RFC 5322 section 3.6.4
    """
    bare = words.one_line(words.octets_as_text(identifier.strip("<> \t"))) if identifier else ""
    bare = "".join(bare.split())
    return bare if len(bare.encode("utf-8", "replace")) <= limits.ID_OCTETS else ""
