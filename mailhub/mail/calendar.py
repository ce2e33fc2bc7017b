"""Invitations and their answers, read from the calendar part of a mail. RFC 5546, RFC 6047.

The answer belongs to the ATTENDEE it names, not to whoever sent it: an assistant may answer for someone.
"""

import re
from dataclasses import dataclass

from mailhub.mail import notices
from mailhub.mail.message import Message

CALENDAR = "text/calendar"
MAX_LINES = 5_000  # a real answer has forty, and some six hundred of time zones


@dataclass(frozen=True, slots=True)
class Attendee:
    """One person invited, and what they answered."""

    address: str
    name: str | None
    answer: str  # PARTSTAT in lower case: "accepted", "declined", "tentative", "needs-action", "delegated"


@dataclass(frozen=True, slots=True)
class Event:
    """What a calendar part says of its first event."""

    method: str  # in upper case: "REPLY", "REQUEST", "CANCEL", "COUNTER", "PUBLISH", ""
    uid: str | None
    sequence: int
    summary: str | None
    comment: str | None
    attendees: tuple[Attendee, ...]


def read(message: Message) -> Event | None:
    """The event in a mail's own calendar part; None without one. An attached file is not the mail's own."""
    for part in notices.parts(message.tree):
        if part.get_content_type() == CALENDAR and part.get_content_disposition() != "attachment":
            return _event(notices.decoded(part), notices.parameter(part, "method"))
    return None


def method(message: Message) -> str:
    """What the calendar part asks or answers, "" when there is none."""
    event = read(message)
    return event.method if event else ""


def _event(text: str, declared: str) -> Event:
    """The lines of the first event, and the method of the whole. The text goes before the MIME parameter."""
    found: dict[str, str] = {}
    attendees: list[Attendee] = []
    inside = 0
    for name, params, value in _lines(text):
        if name == "BEGIN" and value.upper() in {"VEVENT", "VTODO"}:
            inside += 1
        elif name == "METHOD":
            found.setdefault(name, value.strip().upper())
        elif inside == 1 and name == "ATTENDEE" and len(attendees) < 500:
            attendees.append(_attendee(params, value))
        elif inside == 1:
            found.setdefault(name, value)
    return Event(
        method=found.get("METHOD", declared.upper()),
        uid=found.get("UID"),
        sequence=int(found["SEQUENCE"]) if re.fullmatch(r"\d{1,9}", found.get("SEQUENCE", "")) else 0,
        summary=_plain(found.get("SUMMARY")),
        comment=_plain(found.get("COMMENT")),
        attendees=tuple(attendees),
    )


def _lines(text: str) -> list[tuple[str, str, str]]:
    """Content lines unfolded into name, parameters and value. RFC 5545 section 3.1."""
    lines: list[str] = []
    for line in text.splitlines()[:MAX_LINES]:
        if line[:1] in {" ", "\t"} and lines and len(lines[-1]) < 20_000:
            lines[-1] += line[1:]
        else:
            lines.append(line)
    split = [re.match(r"([A-Za-z0-9-]{1,60})((?:;(?:\"[^\"]*\"|[^\":])*)?):(.*)", line) for line in lines]
    return [(found[1].upper(), found[2], found[3]) for found in split if found]


def _attendee(params: str, value: str) -> Attendee:
    answer = re.search(r";PARTSTAT=\"?([A-Za-z-]{1,20})", params, re.IGNORECASE)
    name = re.search(r";CN=(?:\"([^\"]*)\"|([^;]*))", params, re.IGNORECASE)
    address = re.sub(r"^\s*mailto:\s*", "", value, flags=re.IGNORECASE).strip()
    return Attendee(
        address=address,
        name=(name[1] or name[2]) if name else None,
        answer=(answer[1] if answer else "needs-action").lower(),
    )


def _plain(value: str | None) -> str | None:
    """A text value without its escapes. RFC 5545 section 3.3.11."""
    return (
        re.sub(r"\\([\\;,nN])", lambda hit: "\n" if hit[1] in "nN" else hit[1], value)
        if value is not None
        else None
    )
