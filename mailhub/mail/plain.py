"""HTML mail as plain text: paragraphs, lists, tables, quotes and links stay readable; what was hidden stays out.

One regular expression that never looks past the next tag cuts the text, and one pass reads it: time grows with the
length whatever the nesting, where tree builders take seconds or drop everything below 256 levels. The result is text
to read and search, not HTML made safe.
"""

import html as entities
import re
from dataclasses import dataclass, field
from functools import lru_cache

from mailhub.mail import limits

# A quoted value may hold ">" but nothing that looks like a tag; when quotes do not match they are plain characters.
# A name ends at a blank, "/" or ">", so an address in brackets, <jean@centre.example>, is text (desk.md P30).
_NO_TAG = "<(?![a-zA-Z/!])"
_QUOTED = "|".join(rf"{sign}[^{sign}<]*+(?>(?:{_NO_TAG}[^{sign}<]*+){{0,10000}}){sign}" for sign in "\"'")
_ATTRIBUTES = rf"""(?:[^<>"']*+(?>(?:(?:{_QUOTED})[^<>"']*+){{0,10000}})|[^<>]*+)"""
_TAG = re.compile(rf"<(?:(/?)([a-zA-Z][a-zA-Z0-9:_-]*+)(?=[\s/>])({_ATTRIBUTES})>|[!?][^<>]*+>)")
# Tags that change nothing in plain text, which is most of what word processors write; taken out at once, they cost a third.
_INERT = re.compile(
    rf"</?(?:span|font|b|i|u|s|em|strong|small|big|sub|sup|strike|o:p)(?=[\s/>]){_ATTRIBUTES}>", re.IGNORECASE
)
_UNREAD = re.compile(r"<!--|<(script|style|title|template|svg|noframes|iframe)(?=[\s/>])", re.IGNORECASE)
_CLOSING = {name: re.compile(rf"</{name}(?=[\s/>])[^>]*+>", re.IGNORECASE)
            for name in ("script", "style", "title", "template", "svg", "noframes", "iframe")}  # fmt: skip

# fmt: off
_LINE = {
    "address", "article", "aside", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "header", "html", "legend", "main", "nav", "section", "tr", "caption",
    "thead", "tbody", "tfoot",
}
_PARAGRAPH = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote", "pre", "hr"}
_VOID = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
}
# fmt: on
_ACTING = _LINE | _PARAGRAPH | {"br", "li", "td", "th", "a", "img"}

# Each begins with its own letters, which the expression engine finds fast.
_HIDING = (
    re.compile(r"display\s*:\s*none"),
    re.compile(r"visibility\s*:\s*hidden"),
    re.compile(r"mso-hide\s*:\s*all"),
    re.compile(r"hidden(?<=\shidden)(?=[\s=/]|$)"),
)
_ZERO_SIZE = re.compile(r"font-size\s*:\s*0(?:\.0+)?(?:px|pt|em|rem|%|\s|;|\"|'|$)")
_SIZE = re.compile(r"font-size\s*:")
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_START = re.compile(r"""\bstart\s*=\s*["']?(\d{1,6})""", re.IGNORECASE)
# Python refuses to read numbers of thousands of digits, with an exception: such a reference stays as it is.
_REFERENCE = re.compile(
    r"(&(?:#[0-9]{1,7}(?![0-9])|#[xX][0-9a-fA-F]{1,6}(?![0-9a-fA-F])|[a-zA-Z][a-zA-Z0-9]{1,31});?)"
)

_PICTURE = re.compile(r"data:[\w.+/-]{1,80};base64,[\w+/=\r\n]{64,}+", re.ASCII)
_CELL = "\x1d"  # between two cells of a row while the line grows; blanks are folded, this is not
MOST_QUOTES = 10  # deeper quotes get no more marks


@dataclass(frozen=True, slots=True)
class Plain:
    """The text, and whether some of the HTML was hidden from its reader."""

    text: str
    hidden: bool


def from_html(html: str) -> Plain:
    """Turn HTML into text; when everything is hidden, or hiding never ends, nothing is left out."""
    html = _without_unread(without_pictures(html)[: limits.HTML_CHARACTERS_READ])
    lowered = html.lower()
    hiding = _is_hiding(lowered) or bool(_ZERO_SIZE.search(lowered))
    page = _Page(hiding=hiding)
    page.read(html if hiding else _INERT.sub("", html))
    if page.hidden and (page.skipping or not page.text()):
        page = _Page(hiding=False, hidden=True)
        page.read(html)
    return Plain(page.text(), page.hidden)


def without_pictures(html: str) -> str:
    """HTML without the octets of pictures that were pasted into it: nobody reads them, and they fill any limit."""
    return _PICTURE.sub("data:", html) if ";base64," in html else html


def _is_hiding(lowered: str) -> bool:
    # most styles hold none of these letters, and looking for them is much cheaper than the expressions
    return ("none" in lowered or "hid" in lowered) and any(
        expression.search(lowered) for expression in _HIDING
    )


def _without_unread(html: str) -> str:
    """HTML without comments, scripts and style sheets; one that never closes loses only its opening."""
    pieces: list[str] = []
    at = 0
    unclosed: set[str] = set()
    while opening := _UNREAD.search(html, at):
        pieces.append(html[at : opening.start()])
        name = (opening[1] or "").lower()
        at = opening.end()
        if name in unclosed:
            pieces.append(opening[0])
            continue
        end = _end_of_comment(html, at) if not name else _end_of_element(html, name, at)
        if end < 0:
            unclosed.add(name)
            pieces.append(opening[0] if name else "")
        else:
            at = end
    pieces.append(html[at:])
    return "".join(pieces)


def _end_of_comment(html: str, at: int) -> int:
    if html.startswith((">", "->"), at):  # closed at once, HTML section 13.2.5.43
        return html.index(">", at) + 1
    return html.find("-->", at) + 3 if html.find("-->", at) >= 0 else -1


def _end_of_element(html: str, name: str, at: int) -> int:
    closing = _CLOSING[name].search(html, at)
    return closing.end() if closing else -1


@dataclass(slots=True)
class _Page:
    """The text as it grows, line by line."""

    hiding: bool
    hidden: bool = False  # something was
    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    quotes: int = 0
    lists: list[int] = field(default_factory=list)  # 0 for bullets, else the next number
    bullet: str = ""
    preformatted: int = 0
    link: str = ""
    link_start: int = 0  # where its words begin within the line
    skipping: str = ""  # the element that hides everything up to its end
    nesting: int = 0
    softly: bool = False  # hidden by its size only, until something inside has one

    def read(self, html: str) -> None:
        """Read all of it: the text before each tag, then the tag."""
        tokens = _TAG.split(html)
        columns = tokens[::4], tokens[1::4], tokens[2::4], tokens[3::4]
        for text, slash, written, attributes in zip(
            *columns, strict=False
        ):  # the last text has no tag after it
            if text:
                self.words(text)
            if written is None:  # a declaration
                continue
            name = written.lower()
            if self.hiding and self._hides(slash, name, attributes):
                continue
            if name in _ACTING:
                self.tag(name, attributes, closing=bool(slash))
        self.words(tokens[-1])
        self.end_line()

    def words(self, text: str) -> None:
        """Add text to the line unless it is hidden; within <pre> its line ends count."""
        if self.skipping:
            self.hidden = self.hidden or not text.isspace()
        elif self.preformatted and "\n" in text:
            first, *others = text.split("\n")
            self.line.append(first)
            for other in others:
                self.end_line()
                self.line.append(other)
        else:
            self.line.append(text)

    def tag(self, name: str, attributes: str, *, closing: bool) -> None:
        """Do what an element does to the text around it."""
        if name == "br":
            self.end_line(always=True)
        elif name == "a":
            self._end_link()
            if not closing and (href := _HREF.search(attributes)):
                self.link = (href[1] or href[2] or href[3] or "").strip()
                self.link_start = len(self.line)
        elif name == "img":
            if alt := _ALT.search(attributes):
                self.line.append(f" {alt[1] or alt[2] or alt[3] or ''} ")
        elif name in {"td", "th"}:
            self.line.append(_CELL)
        elif name == "li":
            self.end_line()
            if not closing:
                self._open_item()
        elif name in _LINE:
            self.end_line()
        else:
            self.end_line()
            if closing:
                self._unnest(name)
            self.blank_line()
            if not closing:
                self._nest(name, attributes)

    def end_line(self, *, always: bool = False) -> None:
        """Close the line that grows; an empty one counts only when it was asked for."""
        self._end_link()
        raw, self.line = "".join(self.line), []
        if "&" in raw:
            raw = _unescape(raw)
        if self.preformatted:
            text = raw.replace("\xa0", " ").replace(_CELL, "\t").rstrip()
        elif _CELL in raw:
            text = "\t".join(cell for cell in (" ".join(cell.split()) for cell in raw.split(_CELL)) if cell)
        else:
            text = " ".join(raw.split())
        if not text and not always:
            return
        indent = "  " * (min(len(self.lists), MOST_QUOTES) - 1) if self.lists else ""
        self.lines.append(f"{'> ' * min(self.quotes, MOST_QUOTES)}{indent}{self.bullet}{text}".rstrip())
        self.bullet = ""

    def blank_line(self) -> None:
        """Leave one empty line before what follows."""
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append("> " * min(self.quotes, MOST_QUOTES))

    def text(self) -> str:
        """Everything read so far."""
        return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in self.lines)).strip("\n")

    def _nest(self, name: str, attributes: str) -> None:
        if name == "blockquote":
            self.quotes += 1
        elif name == "pre":
            self.preformatted += 1
        elif name == "ul":
            self.lists.append(0)
        elif name == "ol":
            start = _START.search(attributes)
            self.lists.append(int(start[1]) if start else 1)
        elif name == "hr":
            self.lines.append("-" * 20)

    def _unnest(self, name: str) -> None:
        if name == "blockquote":
            while self.lines and self.lines[-1] and not self.lines[-1].strip("> "):
                self.lines.pop()  # an empty line at the end of a quote is not part of it
            self.quotes = max(0, self.quotes - 1)
        elif name == "pre":
            self.preformatted = max(0, self.preformatted - 1)
        elif name in {"ul", "ol"} and self.lists:
            self.lists.pop()

    def _open_item(self) -> None:
        number = self.lists[-1] if self.lists else 0
        self.bullet = f"{number}. " if number else "- "
        if number:
            self.lists[-1] += 1

    def _end_link(self) -> None:
        """Write the target after the words of a link, unless the words say it already."""
        link, self.link = self.link, ""
        if not link.lower().startswith(("http:", "https:", "mailto:", "ftp:", "tel:")):
            return
        said = "".join(self.line[self.link_start :])
        target = link.removeprefix("mailto:").removeprefix("tel:")
        if _bare(target) not in _bare(said):
            self.line.append(f" <{target}>")

    def _hides(self, slash: str, name: str, attributes: str) -> bool:
        """Say whether this tag is, or lies in, something hidden; keep track of where that ends."""
        if self.skipping:
            return self._still_hides(slash, name, attributes)
        if slash or not attributes or name in _VOID or name in {"html", "body"}:
            return False
        lowered = attributes.lower()
        firmly = _is_hiding(lowered)
        if firmly or _ZERO_SIZE.search(lowered):
            self.skipping, self.nesting, self.softly = name, 1, not firmly
        return self.skipping != ""

    def _still_hides(self, slash: str, name: str, attributes: str) -> bool:
        if self.softly and not slash:
            lowered = attributes.lower()
            if _SIZE.search(lowered) and not _ZERO_SIZE.search(lowered):
                self.skipping = ""  # a size of its own: shown, as in letters laid out with tables
                return False
        if name == self.skipping:
            self.nesting += -1 if slash else 1
            if self.nesting == 0:
                self.skipping = ""
        return True


_character = lru_cache(maxsize=4096)(entities.unescape)  # French HTML is full of the same few


def _unescape(text: str) -> str:
    pieces = _REFERENCE.split(text)
    pieces[1::2] = map(_character, pieces[1::2])
    return "".join(pieces)


def _bare(address: str) -> str:
    """What two ways of writing one link share."""
    return (
        _unescape(address[:2000]).strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    )
