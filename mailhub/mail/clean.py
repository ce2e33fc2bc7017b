"""HTML written by others, made safe to send on: no script, no form, nothing fetched from afar (S18, S19).

Only images that travel with the mail (`cid:`) stay; a remote image would tell its owner who reads, and when.
"""

import nh3

MOST_CHARACTERS = 1_000_000  # what is larger goes as text
MOST_TAGS = 10_000  # nh3 takes 18 s for 60,000 tags one within the other

_DROPPED_WITH_CONTENT = {
    "script",
    "style",
    "title",
    "head",
    "object",
    "embed",
    "iframe",
    "form",
    "svg",
    "math",
}
_TAGS = nh3.ALLOWED_TAGS - _DROPPED_WITH_CONTENT | {"font"}
_ATTRIBUTES = {
    tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items() if tag not in _DROPPED_WITH_CONTENT
} | {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "font": {"color", "face", "size"},
}
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}


def html(written: str) -> str | None:
    """The same body made safe; None when it is too large to be worth it."""
    if len(written) > MOST_CHARACTERS or written.count("<") > MOST_TAGS:
        return None
    return nh3.clean(
        written,
        tags=_TAGS,
        clean_content_tags=_DROPPED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=_no_remote_image,
        url_schemes=_SCHEMES,
        link_rel=None,
    ).strip()


def _no_remote_image(tag: str, attribute: str, value: str) -> str | None:
    if tag == "img" and attribute == "src" and not value.lower().startswith("cid:"):
        return None
    if tag == "a" and attribute == "href" and value.lower().startswith("cid:"):
        return None
    return value
