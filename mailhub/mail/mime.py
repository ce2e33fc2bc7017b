"""The MIME tree of a mail: octets cut into entities, without copying them, in time that grows with their number.

The tree is made of the standard library's messages (compat32), so all its readers work on it; but the cutting is our
own. The library's parser asks every line whether it is a boundary of every open level, which costs four times the
rest of our reading on a mail with an attachment, and gives up with an exception on deep nesting. RFC 2046 section 5.1.
"""

import re
from email.message import Message as Tree

from mailhub.mail import limits, parameters, transfer

_NAME = re.compile(r"([!-9;-~]+)[ \t]*:")
_COMMON_FIELD = re.compile(
    rb"^(?:from|to|cc|subject|date|received|mime-version|message-id|content-(?:type|transfer-encoding))[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_GUESSED_BOUNDARY = re.compile(rb"^--([^\s][^\r\n]{0,69}?)[ \t]*\r?\n[Cc]ontent-", re.MULTILINE)
_BEFORE_THE_HEADER = re.compile(
    rb"(?:\xef\xbb\xbf)?[\r\n]*"
)  # the mark of an editor, blank lines of a script


_BLANK_LINES = re.compile(rb"[\r\n]*")
_LONGEST_REPAIR = 8192  # a field that lost the blanks it was folded with grows no further
_WRAPPING = {"base64", "quoted-printable"}


class Entity(Tree):
    """One node of the tree: a compat32 message that knows its own octets, its type and its parameters."""

    def __init__(self, source: bytes, start: int, end: int) -> None:
        """Hold the place of the body within `source`."""
        super().__init__()
        self.source, self.start, self.end = source, start, end
        self.fields: dict[str, str] = {}  # the first of each name, in lower case: raw text on one line
        self.kind = "text/plain"
        self.parameters: dict[str, str] = {}
        self.disposition = ""
        self.disposition_parameters: dict[str, str] = {}
        self.children: list[Entity] = []  # of a multipart; an attached message keeps its content to itself
        self.shown_inline = False  # a leaf beside the words that is shown within them

    @property
    def octets(self) -> bytes:
        """The body as it came, in its transfer encoding."""
        return self.source[self.start : self.end]

    @property
    def encoding(self) -> str:
        """The transfer encoding in lower case, "" when none is given."""
        return self.fields.get("content-transfer-encoding", "").partition(";")[0].strip().strip('"').lower()

    def content(self) -> tuple[bytes, str | None]:
        """The body decoded from its transfer encoding, and what was broken in it, if anything was."""
        return transfer.decode(self.octets, self.encoding)


class Cutting:
    """One mail being cut: what was found broken, and how much was met, so that nothing grows beyond the limits."""

    def __init__(self) -> None:
        """Nothing was met yet."""
        self.defects: dict[str, None] = {}  # in order of discovery, each once
        self.over_limits = False
        self.parts = 0
        self.boundaries = 0
        self.unwrapped = 0  # octets of containers that were themselves encoded
        self.enclosed = 0  # levels of attached messages we are in

    def note(self, defect: str | None) -> None:
        """Remember a defect of the mail itself; what is wrong in a message attached to it is not its own."""
        if defect and not self.enclosed:
            self.defects[defect] = None

    def stop_at(self, limit: str) -> None:
        """Remember that a limit was passed, so that a person looks at the mail."""
        self.over_limits = True
        self.defects[f"too many {limit}"] = None


def cut(raw: bytes, cutting: Cutting) -> Entity:
    """Cut a whole mail into its tree."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")  # line ends of a system long gone
    before = _BEFORE_THE_HEADER.match(raw)
    return _entity(raw, before.end() if before else 0, len(raw), 0, cutting, "text/plain")


def _entity(source: bytes, start: int, end: int, depth: int, cutting: Cutting, default: str) -> Entity:
    """One entity with its header and, below it, its parts."""
    fields, body = _header(source, start, end, cutting)
    entity = Entity(source, body, end)
    for name, value in fields:
        entity.set_raw(name, value)
        entity.fields.setdefault(name.lower(), value)
    if typed := entity.fields.get("content-type", ""):
        value, entity.parameters = parameters.read(typed)
        entity.kind = parameters.content_type(value)
        if entity.kind != value:
            cutting.note("bad Content-Type")
    else:
        entity.kind = default
    if disposed := entity.fields.get("content-disposition", ""):
        entity.disposition, entity.disposition_parameters = parameters.read(disposed)
    if entity.kind.startswith(("multipart/", "message/")) and depth >= limits.DEPTH:
        cutting.stop_at("levels")
    elif entity.kind.startswith("multipart/"):
        _open_multipart(entity, depth, cutting)
    elif entity.kind.startswith("message/"):
        _open_message(entity, depth, cutting)
    if not entity.is_multipart():
        entity.set_payload(entity.octets.decode("ascii", "surrogateescape"))
    return entity


# --- header -------------------------------------------------------------------------------------------------


def _header(source: bytes, start: int, end: int, cutting: Cutting) -> tuple[list[tuple[str, str]], int]:
    """The fields of the header that starts here, unfolded, as raw text; and where the body starts."""
    stop, body = _blank_line(source, start, end)
    if stop - start > limits.HEADER_OCTETS:
        cutting.stop_at("header octets")
        stop = min(stop, start + limits.HEADER_OCTETS_READ)
    fields, strays = _fields(source[start:stop])
    if strays:
        cutting.note("header line without a name")
        early = _body_without_blank_line(source, start, stop)
        if early is not None:
            cutting.note("no blank line between header and body")
            fields, body = _fields(source[start:early])[0], early
    if len(fields) > limits.HEADER_FIELDS:
        cutting.stop_at("header fields")
    return fields, body


def _fields(header: bytes) -> tuple[list[tuple[str, str]], bool]:
    """The fields, and whether there are lines that are none."""
    fields: list[tuple[str, str]] = []
    strays = False
    text = header.decode("ascii", "surrogateescape").replace("\r\n", "\n")
    for line in (
        text.replace("\n ", " ").replace("\n\t", "\t").split("\n")
    ):  # unfolded, RFC 5322 section 2.2.3
        if field := _NAME.match(line):
            fields.append((field[1], line[field.end() :].strip(" \t\r")))
            if len(fields) >= limits.FIELDS_READ:
                break
        elif line.strip() and not line.startswith(("From ", ">From ")):  # those open a mail in an mbox file
            strays = True
            if fields and len(fields[-1][1]) < _LONGEST_REPAIR:
                name, value = fields[-1]
                fields[-1] = name, f"{value} {line.strip()}"
    return fields, strays


def _blank_line(source: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the header ends and where the body starts: the first empty line lies between them."""
    if source.startswith(b"\r\n", start):
        return start, min(start + 2, end)
    if source.startswith(b"\n", start):
        return start, min(start + 1, end)
    # The line end of this part is looked for first, and bounds the search for the other one: a mail is read once.
    first = source.find(b"\n", start, end)
    if first > start and source[first - 1] == 13:
        crlf = source.find(b"\n\r\n", first, end)
        lf = source.find(b"\n\n", first, end if crlf < 0 else crlf)
    else:
        lf = source.find(b"\n\n", start, end)
        crlf = source.find(b"\n\r\n", start, end if lf < 0 else lf)
    if crlf >= 0 and (lf < 0 or crlf < lf):
        return crlf + 1, crlf + 3
    return (lf + 1, lf + 2) if lf >= 0 else (end, end)


def _body_without_blank_line(source: bytes, start: int, stop: int) -> int | None:
    """Where the body starts when it does before the blank line; None when stray lines merely stand in the header.

    When common fields follow a stray line, it is a field that lost the blank it was folded with.
    """
    at = start
    while at < stop:
        line_end = source.find(b"\n", at, stop) + 1 or stop
        line = source[at:line_end]
        if not (line.startswith((b" ", b"\t")) and at > start) and not _NAME.match(line.decode("latin-1")):
            mbox = line.startswith((b"From ", b">From "))
            if not mbox:
                return None if at > start and _COMMON_FIELD.search(source, at, stop) else at
        at = line_end
    return None


# --- body ---------------------------------------------------------------------------------------------------


def _open_multipart(entity: Entity, depth: int, cutting: Cutting) -> None:
    """Cut the body at its boundary; without a usable one the entity becomes plain text."""
    # No boundary ends in a blank (RFC 2046 section 5.1.1); one declared so loses it on the way, or not.
    boundary = entity.parameters.get("boundary", "").rstrip().encode("utf-8", "surrogateescape")
    source, start, end = entity.source, entity.start, entity.end
    if entity.encoding in _WRAPPING and source.find(b"--" + boundary, start, end) < 0:
        source, start, end = _unwrap(entity, cutting)
    if not boundary:
        cutting.note("no boundary")
        guess = _GUESSED_BOUNDARY.search(source, start, end)
        boundary = guess[1] if guess else b""
    pieces = _pieces(source, start, end, boundary, cutting) if boundary else None
    if pieces is None:
        cutting.note("boundary not found")
        entity.kind = "text/plain"
        return
    default = "message/rfc822" if entity.kind == "multipart/digest" else "text/plain"
    entity.set_payload([])
    for piece_start, piece_end in pieces:
        cutting.parts += 1
        if cutting.parts > limits.PARTS_READ:
            cutting.stop_at("parts")
            return
        child = _entity(source, piece_start, piece_end, depth + 1, cutting, default)
        entity.children.append(child)
        entity.attach(child)


def _pieces(
    source: bytes, start: int, end: int, boundary: bytes, cutting: Cutting
) -> list[tuple[int, int]] | None:
    """Where each part lies, without the line ends that belong to the boundaries; None when there is no boundary."""
    delimiter = b"--" + boundary
    pieces: list[tuple[int, int]] = []
    opened = None  # where the part being read starts
    found = start if source.startswith(delimiter, start) else _next(source, delimiter, start, end)
    while found >= 0:
        cutting.boundaries += 1
        if cutting.boundaries > limits.BOUNDARIES_READ:
            cutting.stop_at("boundaries")
            break
        after = found + len(delimiter)
        line_end = source.find(b"\n", after, end)
        line_end = end if line_end < 0 else line_end
        rest = source[after : min(line_end, after + 80)].strip()
        if rest in {b"", b"--"}:  # else another boundary that begins like ours
            if opened is not None and (last := _before_line_end(source, found)) >= opened:
                pieces.append((opened, last))
            if rest:
                return pieces
            opened = min(line_end + 1, end)
        found = _next(source, delimiter, line_end, end)
    if opened is None:
        return None
    cutting.note("no closing boundary")
    if opened < end:
        pieces.append((opened, end))
    return pieces


def _next(source: bytes, delimiter: bytes, at: int, end: int) -> int:
    """The next line that begins with the delimiter, -1 when there is none."""
    return source.find(b"\n" + delimiter, at, end) + 1 or -1


def _before_line_end(source: bytes, at: int) -> int:
    """The end of a part whose boundary starts here: the line end before it belongs to the boundary."""
    if at >= 1 and source[at - 1] == 10:
        at -= 1
        if at >= 1 and source[at - 1] == 13:
            at -= 1
    return at


def _open_message(entity: Entity, depth: int, cutting: Cutting) -> None:
    """Open a message within the mail for those who read reports; the blocks of a delivery status one by one."""
    source, start, end = entity.source, entity.start, entity.end
    if entity.encoding in _WRAPPING:
        source, start, end = _unwrap(entity, cutting)
    entity.set_payload([])
    cutting.enclosed += 1
    if entity.kind != "message/delivery-status":
        entity.attach(_entity(source, start, end, depth + 1, cutting, "text/plain"))
        start = end
    blocks = 0
    while start < end and blocks < limits.PARTS_READ:  # RFC 3464 section 2.1
        if blank := _BLANK_LINES.match(source, start, end):
            start = blank.end()
        _, after = _blank_line(source, start, end)
        if after > start:
            entity.attach(_entity(source, start, after, depth + 1, cutting, "text/plain"))
        start, blocks = after, blocks + 1
    cutting.enclosed -= 1


def _unwrap(entity: Entity, cutting: Cutting) -> tuple[bytes, int, int]:
    """The body of a container that is itself encoded: forbidden by RFC 2045 section 6.4, and seen."""
    cutting.unwrapped += entity.end - entity.start
    if cutting.unwrapped > limits.UNWRAPPED_OCTETS:
        cutting.stop_at("encoded containers")
        return entity.source, entity.start, entity.end
    source, _ = entity.content()
    return source, 0, len(source)
