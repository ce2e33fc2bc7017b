"""Bytes to Message: everything a mail says, decoded once, nothing lost and nothing ever raised."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.message import Message as Tree
from functools import partial

from mailhub.mail import address, body, charset, headers, limits, mime, parameters, plain, tnef, words
from mailhub.mail.address import Mailbox

_WORDS_OF_A_REACTION = 12  # « 👍 Nadia Benali a réagi via Gmail »
_REACTION = "text/vnd.google.email-reaction+json"
_DELIMITER = "-- "  # of a signature: its blank is no flow. RFC 3676 section 4.3


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of the MIME tree that is not the body, with its own bytes."""

    filename: (
        str | None
    )  # safe to show: decoded, last path component, no control characters, at most 255 bytes
    content_type: str  # lower case, without parameters
    payload: bytes  # decoded from its transfer encoding
    sha256: str  # hexadecimal digest of `payload`
    inline: bool  # shown within the body rather than beside it
    content_id: str | None  # without angle brackets
    unpacked: bool = (
        False  # not a part of the mail itself: taken out of a winmail.dat that stands among them too
    )

    @property
    def size(self) -> int:
        """Octets of the decoded payload."""
        return len(self.payload)


@dataclass(frozen=True, slots=True)
class Message:
    """One mail, read. Missing things are None or empty, broken things are named in `defects`."""

    raw: bytes
    message_id: str | None  # ids are without angle brackets
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    date: datetime | None  # aware UTC
    from_: tuple[Mailbox, ...]  # every mailbox of every From header
    reply_to: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    subject: str | None  # decoded, one line
    text: str  # best plain body; HTML turned into text when there is no plain one
    html: str | None  # the HTML body as its author sent it, decoded, never to be shown unclean
    attachments: tuple[Part, ...]
    headers: tuple[
        tuple[str, str], ...
    ]  # all headers of the top level in order: name as written, decoded value, one line
    tree: Tree  # the compat32 tree of the standard library, for those who need a sub-part
    defects: tuple[str, ...]  # what was broken, in short words
    over_limits: bool  # too many parts, levels, headers or addresses: keep it, let a person look

    @property
    def is_reaction(self) -> bool:
        """A press on an emoji, which Gmail sends as a mail of its own, with a few words of its own at most."""
        kinds = {part.content_type for part in self.attachments}
        return (
            kinds == {_REACTION} and "?" not in self.text and len(self.text.split()) <= _WORDS_OF_A_REACTION
        )

    def header(self, name: str) -> str | None:
        """The first header of that name, in any letter case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def all_headers(self, name: str) -> tuple[str, ...]:
        """Every header of that name, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)


def read(raw: bytes) -> Message:
    """Read a mail. Any octets give a Message, in time and memory that grow with their number."""
    cutting = mime.Cutting()
    root = mime.cut(raw, cutting)
    if cutting.parts > limits.PARTS:
        cutting.stop_at("parts")
    leaves = body.sort(root)
    fallback = next((leaf.parameters.get("charset") for leaf in (*leaves.text, *leaves.html)), None)
    fields = _Fields(root, fallback, cutting)
    attachments, unpacked = _attachments(leaves.beside, fallback, cutting)
    html = _joined(leaves.html, cutting) if leaves.html else None
    return Message(
        raw=raw,
        message_id=headers.message_id(fields.first("message-id")),
        in_reply_to=headers.ids(fields.first("in-reply-to")),
        references=headers.ids(fields.first("references")),
        date=fields.date(),
        from_=fields.mailboxes("from"),
        reply_to=fields.mailboxes("reply-to"),
        to=fields.mailboxes("to"),
        cc=fields.mailboxes("cc"),
        subject=fields.subject(),
        text=_text(_joined(leaves.text, cutting), html, unpacked, cutting),
        html=html,
        attachments=attachments,
        headers=fields.decoded(),
        tree=root,
        defects=tuple(cutting.defects),
        over_limits=cutting.over_limits,
    )


def opening(beginning: bytes) -> str | None:
    """The words of a letter of ours that begins so and encloses files; None when they are not all there.

    Of ours: what is enclosed is never read with the words, so that nothing behind the first part changes them.
    """
    cutting = mime.Cutting()
    root = mime.cut(beginning, cutting)
    if root.kind != "multipart/mixed" or len(root.children) < 2 or root.children[0].kind != "text/plain":
        return None
    text = _joined(root.children[:1], cutting)
    return None if text.isspace() or not text else text


class _Fields:
    """The fields of the top level, by name."""

    def __init__(self, root: mime.Entity, fallback: str | None, cutting: mime.Cutting) -> None:
        self._all = list(root.raw_items())
        self._cutting = cutting
        self._decode = partial(words.decode, fallback=fallback)
        self._values: dict[str, list[str]] = {}
        for name, value in self._all:
            self._values.setdefault(name.lower(), []).append(value)

    def first(self, name: str) -> str:
        """The raw text of the first field of that name, "" when there is none."""
        return self._values[name][0] if name in self._values else ""

    def decoded(self) -> tuple[tuple[str, str], ...]:
        """Every field in order, readable."""
        return tuple((name, self._decode(value)) for name, value in self._all)

    def subject(self) -> str | None:
        """The subject on one line."""
        return self._decode(self.first("subject")) if "subject" in self._values else None

    def date(self) -> datetime | None:
        """When the sender says it was written."""
        date = headers.date(self.first("date"))
        if date is None:
            self._cutting.note("unreadable Date" if self.first("date") else "no Date")
        return date

    def mailboxes(self, name: str) -> tuple[Mailbox, ...]:
        """Every mailbox of every field of that name; of an endless list as many as are worth reading."""
        found: list[Mailbox] = []
        left = limits.ADDRESS_CHARACTERS_READ
        for value in self._values.get(name, ()):
            kept = value if len(value) <= left else value[: value.rfind(",", 0, left) + 1]
            found += address.read_list(kept, decode=self._decode)
            left -= len(kept)
            if len(kept) < len(value) or len(found) > limits.ADDRESSES_READ:
                break
        if len(found) > limits.ADDRESSES:
            self._cutting.stop_at("addresses")
        return tuple(found)


def _attachments(
    leaves: Iterable[mime.Entity], fallback: str | None, cutting: mime.Cutting
) -> tuple[tuple[Part, ...], tnef.Unpacked]:
    """Every leaf beside the words with its own octets, then what a winmail.dat among them holds."""
    parts: list[Part] = []
    unpacked: list[tnef.Unpacked] = []
    for leaf in leaves:
        payload, defect = leaf.content()
        cutting.note(defect)
        name = parameters.filename(leaf.disposition_parameters, leaf.parameters, fallback)
        identifier = headers.message_id(leaf.fields.get("content-id", ""))
        parts.append(_part(payload, leaf.kind, name, inline=leaf.shown_inline, content_id=identifier))
        if tnef.is_tnef(leaf.kind, name):
            unpacked.append(tnef.unpack(payload))
            cutting.note(unpacked[-1].defect)
    parts += [
        _part(file.content, file.content_type, file.name, content_id=file.content_id, unpacked=True)
        for outlook in unpacked
        for file in outlook.files
    ]
    return tuple(parts), next(
        (outlook for outlook in unpacked if outlook.text or outlook.html), tnef.Unpacked()
    )


def _part(
    payload: bytes,
    content_type: str,
    filename: str | None,
    *,
    inline: bool = False,
    content_id: str | None = None,
    unpacked: bool = False,
) -> Part:
    digest = hashlib.sha256(payload).hexdigest()
    return Part(filename, content_type, payload, digest, inline, content_id, unpacked)


def _joined(leaves: Iterable[mime.Entity], cutting: mime.Cutting) -> str:
    """The words of these leaves one below the other, with plain line ends."""
    texts: list[str] = []
    for leaf in leaves:
        octets, defect = leaf.content()
        cutting.note(defect)
        text, defect = charset.decode(octets, leaf.parameters.get("charset"))
        cutting.note(defect)
        # Lone CRs are the line ends of old Macs when there are no others; beside others they are noise.
        text = text.replace("\r", "") if "\n" in text else text.replace("\r", "\n")
        texts.append(_unflowed(text) if leaf.parameters.get("delsp", "").lower() == "yes" else text)
    return "\n".join(texts)


def _unflowed(text: str) -> str:
    """Text as it was written, where DelSp says that lines were broken within words too. RFC 3676 section 4.2."""
    lines: list[str] = []
    paragraph: list[str] = []
    depth, flows = 0, False
    for line in text.split("\n"):
        bare = line.lstrip(">")
        marks, said = line[: len(line) - len(bare)], bare.removeprefix(" ")
        goes_on = flows and len(marks) == depth and said != _DELIMITER
        if not goes_on:
            lines.append("".join(paragraph))
            paragraph = [f"{marks} " if marks and said else marks]
        depth, flows = len(marks), said.endswith(" ") and said != _DELIMITER
        paragraph.append(said[:-1] if flows else said)
    return "\n".join([*lines, "".join(paragraph)][1:])


def _text(text: str, html: str | None, unpacked: tnef.Unpacked, cutting: mime.Cutting) -> str:
    """The words to read: the plain text, else the HTML as text, else what a winmail.dat says."""
    if text and not text.isspace():
        return text
    if html is None and unpacked.text.strip():
        return unpacked.text
    html = html or unpacked.html
    if not html:
        return text
    if len(plain.without_pictures(html)) > limits.HTML_CHARACTERS_READ:
        cutting.stop_at("characters of HTML")
    page = plain.from_html(html)
    if page.hidden:
        cutting.note("hidden text")
    return page.text
