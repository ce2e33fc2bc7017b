"""The words that leave of a staff reply: no address of staff, no token of ours, no line of the internal copy.

Pure text work on what `quoting` found to be new. An interleaved answer keeps the asker's own quoted lines, which
are theirs to see again, and loses quoted lines of the copy; an unquoted internal line stops the whole mail.
"""

import re
from itertools import islice

from mailhub.mail import clean, plain
from mailhub.mail.message import Message
from mailhub.mail.secrecy import Secrets

_SEALED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"})
_SEALED_WORDS = "-----BEGIN PGP MESSAGE-----"
_TAG = re.compile(r"<[a-zA-Z/]")
_LINK = r"<[^\s<>]*[@:][^\s<>]*>|https?://\S+"
_LINKS = re.compile(_LINK, re.IGNORECASE)
_LINKS_AND_IMAGES = re.compile(rf"\[(?:image|cid|inline)[^\]\n]*\]|{_LINK}", re.IGNORECASE)
_EMPTY = ("<div></div>", "<span></span>", "<p></p>", "<blockquote></blockquote>", "<hr>")


def is_sealed(said: Message, reply: str) -> bool:
    """Say whether the new words of a mail are in a closed envelope: encrypted, or signed in a form that only S/MIME opens.

    Nothing of it can be read here, so nothing could be kept from leaving. RFC 3156 section 4, RFC 8551 section 3.
    """
    if said.tree.get_content_type() == "multipart/encrypted" or _SEALED_WORDS in reply:
        return True
    return any(
        (part.filename or "").lower() == "smime.p7m" or (part.content_type in _SEALED and not part.filename)
        for part in said.attachments
    )


def text(reply: str, kept_from: Secrets) -> str | None:
    """The words that leave; None when a line of the internal copy stands unquoted among them."""
    leaving = kept_from.leaving(reply)
    return None if leaving is None else kept_from.mask(leaving).strip("\n")


def html(written: str | None, reply: str, kept_from: Secrets) -> str | None:
    """The beginning of the HTML body that says exactly the words of `reply`, made safe; None when there is none.

    Whatever client wrote it and however it marks its quotes: what leaves as HTML is what leaves as text, no more.
    """
    leaving = kept_from.leaving(reply)
    if not written or leaving is None or len(written) > clean.MOST_CHARACTERS:
        return None
    safe = clean.html(_beginning(written, len(_ink(leaving))))
    if not safe:
        return None
    masked = kept_from.mask(_without_empty_end(safe))
    # Asked of what leaves: cleaning shows what was hidden, and Word sets tags in the midst of an address.
    shown = plain.from_html(masked).text
    says_the_same = _ink(shown, _LINKS) == _ink(kept_from.mask(leaving))
    return masked if says_the_same and kept_from.mask(shown) == shown else None


def _beginning(written: str, letters: int) -> str:
    """HTML up to the last tag before which no more is said than so many letters and digits."""
    ends = [tag.start() for tag in islice(_TAG.finditer(written), clean.MOST_TAGS)]
    if len(ends) < clean.MOST_TAGS:
        ends.append(len(written))
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if len(_ink(plain.from_html(written[: ends[middle]]).text)) <= letters:
            low = middle + 1
        else:
            high = middle
    return written[: ends[low - 1]] if low else ""


def _without_empty_end(safe: str) -> str:
    end = len(safe.rstrip())
    while empty := next((each for each in _EMPTY if safe.endswith(each, 0, end)), ""):
        end -= len(empty)
        while end and safe[end - 1].isspace():
            end -= 1
    return safe[:end]


def _ink(text: str, without: re.Pattern[str] = _LINKS_AND_IMAGES) -> str:
    """The letters and digits of a text; what clients write in place of a link, or in words of an image, does not count."""
    return "".join(filter(str.isalnum, without.sub("", text)))
