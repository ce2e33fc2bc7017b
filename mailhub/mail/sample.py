"""One copy of a letter to many, read as a provider would: its head, its parts, its page, and what is one reader's alone.

Nothing is trusted to have been made by us; the very bytes are looked at.
"""

from base64 import b64decode
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as Tree
from html.parser import HTMLParser
from quopri import decodestring

from mailhub.mail import message
from mailhub.mail.newsletter import Blank, Masthead, Personal


@dataclass
class Sample:
    """A copy, and whom it is for; `signed` says whether it must be."""

    raw: bytes
    masthead: Masthead
    reader: Personal
    signed: bool
    said: message.Message = field(init=False)
    html: str | None = field(init=False)
    text: str | None = field(init=False)
    page: "Page" = field(init=False)
    leaves: list[Tree] = field(init=False)

    def __post_init__(self) -> None:
        self.said = message.read(self.raw)
        tree = message_from_bytes(self.raw)
        self.leaves = [part for part in tree.walk() if not part.is_multipart()]
        self.text, self.html = self._first("text/plain"), self._first("text/html")
        self.page = Page()
        self.page.feed(self.html or "")
        self.page.close()

    @property
    def leave_link(self) -> str:
        """The page that leaves, as this reader's copy must name it."""
        return self.masthead.leave_link.replace(Blank.LEAVE, self.reader.leave)

    @property
    def preferences_link(self) -> str:
        """The page of this reader's preferences."""
        return self.masthead.preferences_link.replace(Blank.PREFERENCES, self.reader.preferences)

    @property
    def leave_address(self) -> str:
        """The address that leaves for this reader, whoever writes to it."""
        return self.masthead.leave_address.replace(Blank.LEAVE, self.reader.leave)

    @property
    def traces(self) -> set[str]:
        """What is this reader's alone."""
        addresses = [box.address or "" for box in self.said.to]
        own = {self.reader.leave, self.reader.preferences, *addresses}
        return (own | {address.replace("@", "%40") for address in addresses}) - {""}

    def without_secrets(self, link: str) -> str:
        """A link as it may be shown."""
        for secret in (self.reader.leave, self.reader.preferences):
            link = link.replace(secret, "…") if secret else link
        return link

    def _first(self, kind: str) -> str | None:
        for part in self.leaves:
            if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
                return _decoded(part).decode("utf-8", "replace")
        return None


class Page(HTMLParser):
    """What matters of an HTML part."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.handlers: set[str] = set()
        self.styles: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []
        self.images_without_words = 0
        self.language: str | None = None
        self._words: list[str] = []

    @property
    def text(self) -> str:
        """The words, without what is never shown."""
        return " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.attributes |= set(values)
        self.handlers |= {name for name in values if name.startswith("on")}
        self.styles += [values["style"]] if "style" in values else []
        if tag in {"a", "area"} and "href" in values:
            self.links.append(values["href"].strip())
            if self.links[-1].lower().startswith("javascript:"):
                self.handlers.add("javascript:")
        if tag == "img":
            self.images.append(values.get("src", ""))
            self.images_without_words += "alt" not in values
        if tag == "html":
            self.language = values.get("lang")

    def handle_data(self, data: str) -> None:
        if self.lasttag not in {"style", "script", "title"}:
            self._words.append(data)
        elif self.lasttag == "style":
            self.styles.append(data)


def _decoded(part: Tree) -> bytes:
    octets = str(part.get_payload()).encode("ascii", "replace")
    match str(part.get("Content-Transfer-Encoding", "")).lower():
        case "quoted-printable":
            return decodestring(octets)
        case "base64":
            return b64decode(octets)
        case _:
            return octets
