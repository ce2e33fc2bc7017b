"""Where history begins in an HTML body, as mail clients mark it for themselves.

Block quotes need no care here, `plain` writes them with ">". These marks matter when a client carries the old message
along with nothing above it that its words would tell: in a language nobody listed, or with no line at all.
"""

import re

from mailhub.mail import limits, plain

# Values of class, id, name and data-marker. A name inside an older message bears a prefix ("x_gmail_quote") and is not one.
_MARKS = re.compile(
    r"(?<![\w-])(?:"
    r"gmail_quote|gmail_attr|"  # Gmail
    r"moz-cite-prefix|moz-forward-container|"  # Thunderbird
    r"divRplyFwdMsg|appendonsend|stopSpelling|mail-editor-reference-message-container|"  # Outlook, Hotmail
    r"ms-outlook-mobile-reference-message|OLK_SRC_BODY_SECTION|replySplit|"
    r"yahoo_quoted|yahooQuoted|ydp[0-9a-f]+yahoo_quoted|"  # Yahoo, AOL
    r"protonmail_quote|tutanota_quote|"
    r"zwchr|__DIVIDER__|__HEADERS__|__QUOTED_TEXT__|"  # Zimbra
    r"zmail_extra|"  # Zoho
    r"reply-intro|quote-pre|"  # Roundcube, Infomaniak
    r"front-blockquote|hs_reply|freshdesk_quote|mimemail-quote"
    r")(?![a-z])"
)
_LONGEST_TAG = 2000
_MOST_MARKS = 8
_SENTINEL = "\uf8e5"  # of the private use area: no client sends it


def history_offsets(html: str, text: str) -> tuple[int, ...]:
    """Offsets in `text` where the marks of its HTML stand; none when `text` was not made from this HTML."""
    html = html[: limits.HTML_CHARACTERS_READ]
    if _SENTINEL in html or not (tags := _marked_tags(html)):
        return ()
    pieces = [html[start:end] for start, end in zip([0, *tags], [*tags, len(html)], strict=True)]
    rendered = plain.from_html(_SENTINEL.join(pieces)).text
    counts: list[int] = []
    seen = 0
    for piece in rendered.split(_SENTINEL)[:-1]:
        seen += _ink(piece)
        counts.append(seen)
    if "".join(rendered.replace(_SENTINEL, "").split()) != "".join(text.split()):
        return ()
    return _offsets(text, counts)


def _marked_tags(html: str) -> list[int]:
    """Where the tags that bear a mark begin."""
    tags: list[int] = []
    for mark in _MARKS.finditer(html):
        start = html.rfind("<", max(0, mark.start() - _LONGEST_TAG), mark.start())
        in_tag = (
            start >= 0 and html.find(">", start, mark.start()) < 0 and html[start + 1 : start + 2].isalpha()
        )
        if in_tag and (not tags or start > tags[-1]):
            tags.append(start)
            if len(tags) == _MOST_MARKS:
                break
    return tags


def _ink(text: str) -> int:
    return len("".join(text.split()))


def _offsets(text: str, counts: list[int]) -> tuple[int, ...]:
    """Offsets of the characters that have so many visible ones before them."""
    found: list[int] = []
    seen = 0
    wanted = iter(counts)
    count = next(wanted, None)
    for ink in re.finditer(r"\S+", text):
        while count is not None and count < seen + len(ink[0]):
            found.append(ink.start() + max(0, count - seen))
            count = next(wanted, None)
        if count is None:
            break
        seen += len(ink[0])
    return tuple(found)
