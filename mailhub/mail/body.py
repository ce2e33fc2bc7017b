"""Which leaves of a mail are its words and which lie beside them: the algorithm of RFC 8621 section 4.1.4."""

from dataclasses import dataclass, field

from mailhub.mail.mime import Entity

_MEDIA = ("image/", "audio/", "video/")


@dataclass(slots=True)
class Body:
    """The leaves of a mail: words as text, words as HTML, and every other one in order."""

    text: list[Entity] = field(default_factory=list)
    html: list[Entity] = field(default_factory=list)
    beside: list[Entity] = field(default_factory=list)


def sort(root: Entity) -> Body:
    """Say of every leaf whether it is text to read, HTML to show, or lies beside. Attached messages are one leaf."""
    body = Body()
    _sort([root], "mixed", body, in_alternative=False)
    return body


def is_inline(leaf: Entity, parent: str) -> bool:
    """Say whether a leaf beside the words is shown within them: pictures of the HTML, or what says so itself."""
    if leaf.disposition == "attachment":
        return False
    return leaf.disposition == "inline" or parent == "related" or "content-id" in leaf.fields


def _sort(parts: list[Entity], parent: str, body: Body, *, in_alternative: bool) -> None:
    for index, part in enumerate(parts):
        if part.kind.startswith("multipart/") and part.is_multipart():
            inner = part.kind.removeprefix("multipart/")
            _sort(part.children, inner, body, in_alternative=in_alternative or inner == "alternative")
        elif part.kind in {"text/plain", "text/html"} and _is_words(part, index, parent):
            (body.text if part.kind == "text/plain" else body.html).append(part)
        else:
            part.shown_inline = is_inline(part, parent)
            body.beside.append(part)


def _is_words(part: Entity, index: int, parent: str) -> bool:
    """Say whether a text is read with the mail: not set aside, and not a named file further down."""
    if part.disposition == "attachment":
        return False
    named = bool(part.disposition_parameters.get("filename") or part.parameters.get("name"))
    return index == 0 or (parent != "related" and not named)
