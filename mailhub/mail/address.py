"""Mail addresses: how they are read from headers, and compared.

Reading is tolerant, since strangers write anything: `read_list` finds what it can in linear time and never
raises. Identity is not: `strict` gives one mailbox or none. Names are decoded after the list is split, so that
an encoded name can never become an address.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from mailhub.mail.domains import a_label, is_public_provider

__all__ = [
    "Mailbox",
    "domain_of",
    "has_group",
    "is_public_provider",
    "is_reachable",
    "is_valid",
    "never_answer",
    "normalise",
    "read_list",
    "split_tag",
    "strict",
]


_REMEMBERED = 1024  # of one mail the same few addresses are asked about again and again


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name and an address; either may be missing in what strangers write."""

    name: str | None
    address: str | None


def read_list(value: str, *, decode: Callable[[str], str] | None = None) -> tuple[Mailbox, ...]:
    """Read one raw header value as a list of mailboxes, groups flattened; give what can be found.

    `decode` turns the raw text of a display name (encoded words, raw bytes as surrogates) into words.
    """
    found = _names_joined(_split(value)) if "," in value and "<" in value else _split(value)
    read = (_mailbox(each, decode) for each in found)
    return tuple(mailbox for mailbox in read if mailbox.name or mailbox.address)


def has_group(value: str) -> bool:
    """Say whether a header value uses group syntax (`Name: a@x, b@y;`). RFC 5322 section 3.4."""
    return any(found.group for found in _split(value))


def strict(value: str, *, decode: Callable[[str], str] | None = None) -> Mailbox | None:
    """Read a header value that must name one person: exactly one mailbox, no group, nothing repaired.

    A display name never counts, whatever address it pretends to be (CVE-2023-27043, CERT VU#517845).
    """
    pieces = list(_split(value))
    if len(pieces) != 1:
        return None
    found = pieces[0]
    mailbox = _mailbox(found, decode)
    # An encoded word is no address (RFC 2047 section 5), whatever a client would make of it.
    address = mailbox.address if mailbox.address and "=?" not in mailbox.address else ""
    return mailbox if is_valid(address) and not (found.group or found.defect) else None


@lru_cache(_REMEMBERED)
def normalise(address: str) -> str:
    """Give the form two addresses share when they reach the same mailbox: for comparing, not for sending."""
    local, at, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    if not at:
        return domain.lower()
    if len(local) > 2 and local[0] == local[-1] == '"' and _DOT_ATOM.fullmatch(local[1:-1]):
        local = local[1:-1]  # "jean"@x and jean@x are one mailbox, RFC 5321 section 4.1.2
    return f"{local.lower()}@{a_label(domain)}"


def domain_of(address: str) -> str:
    """The domain of an address as it is compared, "" when there is none."""
    return normalise(address).rpartition("@")[2] if "@" in address else ""


@lru_cache(_REMEMBERED)
def is_valid(address: str) -> bool:
    """Say whether an address may stand in an envelope: syntax and lengths of RFC 5321, EAI of RFC 6531.

    Both as written and as compared, in which form it is kept and written to: a domain grows when it becomes ASCII.
    """
    return _is_path(address) and _is_path(normalise(address))


def is_reachable(address: str) -> bool:
    """Say whether mail from anywhere can reach an address: it is valid, and its domain is no bare name of one network."""
    return is_valid(address) and "." in domain_of(address)


def split_tag(local_part: str, delimiter: str = "+") -> tuple[str, str | None]:
    """Split `rep+TOKEN` into `rep` and `TOKEN`; without a tag the second is None."""
    base, found, tag = local_part.partition(delimiter) if delimiter else (local_part, "", "")
    return (base, tag) if found and base else (local_part, None)


def never_answer(address: str) -> bool:
    """Say whether an address belongs to a machine that must get no automatic answer. RFC 3834 section 2."""
    local = normalise(address).rpartition("@")[0] or address.strip("<> \t").lower()
    return not local or _MACHINE.fullmatch(local) is not None


# --- reading a list -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Found:
    """One mailbox as it stands in the header, before anything is decoded."""

    words: list[tuple[str, str]] = field(default_factory=list)  # ("text" | "quoted", content), in order
    angle: str | None = None  # what stood between < and >, without comments
    comments: list[str] = field(default_factory=list)
    group: bool = False
    defect: bool = False  # something had to be repaired or guessed
    comma: bool = False  # a comma ended it

    def is_blank(self) -> bool:
        """Nothing but spaces and comments so far."""
        return self.angle is None and not any(kind == "quoted" or text.strip() for kind, text in self.words)

    def is_named(self) -> bool:
        """There are words."""
        return any(kind == "quoted" or text.strip() for kind, text in self.words)

    def is_only_a_name(self) -> bool:
        """Words before a comma, and no address among them."""
        if not self.comma or self.angle is not None:
            return False
        said = "".join((*(text for _, text in self.words), *self.comments))
        return "@" not in said and self.is_named()


_ENCODED_WORD = re.compile(r"=\?[^?\s]{1,80}\?[bBqQ]\?[^?]*\?=")
# Atomic, so that a missing end costs one pass and not two to the power of n.
_QUOTED = re.compile(r'"((?>(?:[^"\\]++|\\.)*))"', re.DOTALL)
_TEXT = re.compile(r"[^\"(<>,;:\[\\=]++")
_LITERAL = re.compile(r"\[[^\[\]<>\s]*+\]")
_MAILTO = re.compile(r"\[mailto:([^\]\[<>\s]*+)\]", re.IGNORECASE)


def _tokens(value: str) -> Iterator[tuple[str, str]]:
    """Cut a value into ("text", "quoted", "comment", "special", "mailto", "broken") pieces, each character once."""
    at, end = 0, len(value)
    quotes = comments = True  # turned off at the first that never closes: a second search would fail as well
    while at < end:
        char = value[at]
        if char == '"' and quotes:
            if quoted := _QUOTED.match(value, at):
                yield "quoted", quoted[1]
                at = quoted.end()
            else:
                quotes = False
                yield "broken", ""
        elif char == "(" and comments:
            after = _comment_end(value, at)
            if after:
                yield "comment", value[at + 1 : after - 1]
                at = after
            else:
                comments = False
                yield "broken", ""
        elif char in "<>,;:":
            yield "special", char
            at += 1
        elif char == "[" and (mailto := _MAILTO.match(value, at)):
            # Outlook of old: `Jean Dupont [mailto:jean@centre.example]`
            yield "mailto", mailto[1]
            at = mailto.end()
        elif char == "[" and value[at - 1 : at] == "@" and (literal := _LITERAL.match(value, at)):
            yield "text", literal[0]
            at = literal.end()
        elif char == "=" and (word := _ENCODED_WORD.match(value, at)):
            if re.search(r'[<>,;:@"()]', word[0]):
                yield "broken", ""  # not allowed in a phrase (RFC 2047 section 5), yet written
            yield "text", word[0]
            at = word.end()
        elif text := _TEXT.match(value, at):
            yield "text", text[0]
            at = text.end()
        else:
            yield "text", char
            at += 1


def _comment_end(value: str, start: int) -> int:
    """Where the comment that opens at `start` has closed, nested ones included; 0 when it never does."""
    depth = 0
    for mark in re.finditer(r"\\.|[()]", value[start:], re.DOTALL):
        if mark[0] == "(":
            depth += 1
        elif mark[0] == ")":
            depth -= 1
            if depth == 0:
                return start + mark.end()
    return 0


def _split(value: str) -> Iterator[_Found]:  # noqa: C901, PLR0912 — the grammar of a list, read in one go
    """Cut a header value into mailboxes, noting what had to be repaired."""
    found = _Found()
    inside: list[str] | None = None  # the pieces between < and >, while we are there
    grouped = False
    for kind, text in _tokens(value):
        if kind == "broken":
            found.defect = True
        elif kind == "comment":
            found.comments.append(text)
        elif kind == "mailto":
            found.angle, found.defect = text, True
        elif inside is not None and not (kind == "special" and text in "<>,;"):
            inside.append(f'"{text}"' if kind == "quoted" else text)
        elif inside is not None and text == "," and "".join(inside).lstrip().startswith("@"):
            inside.append(text)  # an obsolete route, <@hub,@relay:jean@x>
        elif kind != "special":
            if found.angle is not None and (kind == "quoted" or text.strip()):
                found.defect = True  # words after the bracket
            found.words.append((kind, text))
        elif text == "<":
            if inside is not None:  # `<Paul <paul@x>`: what we took for an address was a name
                found.words.append(("text", "".join(inside)))
                found.defect = True
            elif found.angle is not None:  # a comma is missing between two
                yield found
                found = _Found(group=grouped, defect=True)
            inside = []
        elif text == ">":
            if inside is None:
                found.defect = True
            else:
                found.angle, inside = "".join(inside), None
        elif text == ":":
            grouped, found = True, _Found(group=True)
        else:  # "," or ";"
            if inside is not None:  # `Paul <paul@x, Anne <anne@x>`
                found.angle, found.defect, inside = "".join(inside), True, None
            if not found.is_blank() or found.group:
                found.comma = text == ","
                yield found
            grouped = grouped and text == ","
            found = _Found(group=grouped)
    if inside is not None:
        found.angle, found.defect = "".join(inside), True
    if not found.is_blank() or found.group:
        yield found


def _names_joined(pieces: Iterator[_Found]) -> Iterator[_Found]:
    """The pieces of a list; a name that holds a comma and no quotation marks is one name: `Durand, Marc <marc@x>`.

    For showing only: whoever must be one person writes it as RFC 5322 section 3.4 says.
    """
    waiting: list[_Found] = []  # pieces that may be the beginning of the name to come
    for found in pieces:
        if found.is_only_a_name():
            waiting.append(found)
            continue
        if not waiting:
            yield found
            continue
        if found.is_named() and "@" in (found.angle or "") and found.group == waiting[0].group:
            found.words[:0] = [word for name in waiting for word in (*name.words, ("text", ", "))]
            found.comments[:0] = [comment for name in waiting for comment in name.comments]
        else:
            yield from waiting
        waiting = []
        yield found
    yield from waiting


def _mailbox(found: _Found, decode: Callable[[str], str] | None) -> Mailbox:
    """Decide what is a name and what is an address in one piece of a list; a guess is noted as a defect."""
    phrase = "".join(_unescape(text) if kind == "quoted" else text for kind, text in found.words).strip()
    comment = " ".join(found.comments)
    if found.angle is None:
        phrase, address = _bare(found, phrase)
    else:
        address = _clean(found.angle)
        found.defect |= _is_route(found.angle)
        if "@" not in address and "@" in phrase and " " not in phrase:
            phrase, address = found.angle, _clean(phrase)  # written the wrong way round
            found.defect = True
        elif normalise(phrase.strip("'")) != normalise(address):
            # `staff@centre.example]<evil@x>`: which of them is meant? An address said twice is only a habit.
            found.defect |= any(kind == "text" and "@" in text for kind, text in found.words)
    return Mailbox(_name(phrase or comment, decode), _scrub(address) or None)


def _bare(found: _Found, phrase: str) -> tuple[str, str]:
    """Name and address of a mailbox without brackets: `jean@x`, `"jean d"@x`, `Jean Dupont jean@x`, `root`."""
    for index, (kind, text) in enumerate(found.words):
        if kind == "text" and text.startswith("@") and index and found.words[index - 1][0] == "quoted":
            return "", _clean(f'"{found.words[index - 1][1]}"{text}')
    if "@" not in phrase:
        one_word = bool(phrase) and not any(char.isspace() for char in phrase) and found.words[0][0] == "text"
        return ("", phrase) if one_word and "=?" not in phrase else (phrase, "")
    if "quoted" not in {kind for kind, _ in found.words} and " " not in (together := _clean(phrase)):
        return "", together
    words = phrase.replace(" @", "@").replace("@ ", "@").split()
    address = next(word for word in reversed(words) if "@" in word)
    found.defect = True  # brackets are missing
    return " ".join(word for word in words if word != address), _clean(address)


def _is_route(angle: str) -> bool:
    """Say whether hops stand before the address: `@hub,@relay:jean@x`. RFC 5322 section 4.4."""
    return angle.lstrip().startswith("@") and ":" in angle


def _clean(address: str) -> str:
    """An addr-spec without its obsolete spaces and route, and without the apostrophes Outlook adds."""
    bare = " ".join(address.split())
    if '"' not in bare:
        for mark in (".", "@"):  # RFC 5322 section 4.4 allows spaces around both
            bare = bare.replace(f" {mark}", mark).replace(f"{mark} ", mark)
    if _is_route(bare):
        bare = bare.rpartition(":")[2]
    bare = bare.removeprefix("mailto:").strip()
    return bare[1:-1] if len(bare) > 2 and bare[0] == bare[-1] == "'" else bare


def _scrub(address: str) -> str:
    """An address as text: raw bytes read as UTF-8 (RFC 6532) and no control characters."""
    text = (
        address.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if not address.isascii()
        else address
    )
    if not text.isprintable():
        text = "".join(char for char in text if unicodedata.category(char) != "Cc")
    return unicodedata.normalize("NFC", text)


def _name(raw: str, decode: Callable[[str], str] | None) -> str | None:
    """A display name on one line, decoded, without control characters and wrapping apostrophes."""
    text = decode(raw) if decode else raw
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    # `str.split` also splits at U+2028 and its like, which could end a header line elsewhere.
    text = " ".join(text.split())
    if len(text) > 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip()
    return text or None


def _unescape(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)


# --- the parts of an address --------------------------------------------------------------------------------

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]"
_DOT_ATOM = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_QUOTED_LOCAL = re.compile(r'"(?>(?:[ !#-\[\]-~]|\\[ -~])*)"')
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

_MACHINE = re.compile(
    r"""(?x) owner-.* | .*-(?:request|owner|bounces?|subscribe|unsubscribe|confirm|errors?)(?:[+=].*)?
    | bounces?(?:[+=._-].*)? | mailer[-_.]?daemon | postmaster | mdaemon | daemon | nobody | root | www-data
    | listserv | majordomo | mailman | sympa | listmaster | autoresponder | autoreply
    | (?:.*[._-])?(?:no|donot|do-not|not)[-_.]?repl(?:y|ies)(?:[+._-].*)?
    | (?:.*[._-])?(?:ne[-_.]?pas[-_.]?repondre|sans[-_.]?reponse|pas[-_.]?de[-_.]?reponse)(?:[+._-].*)?"""
)


def _is_path(address: str) -> bool:
    local, at, domain = address.rpartition("@")
    try:
        too_long = len(local.encode()) > 64 or len(address.encode()) > 254  # RFC 5321 section 4.5.3.1
    except UnicodeEncodeError:  # raw bytes that no charset explained
        return False
    return bool(at and local) and not too_long and _valid_local(local) and _valid_domain(domain)


def _valid_local(local: str) -> bool:
    if local.startswith('"'):
        return _QUOTED_LOCAL.fullmatch(local) is not None
    if local.isascii():
        return _DOT_ATOM.fullmatch(local) is not None
    # RFC 6531: anything beyond ASCII counts as a letter; invisible and unassigned characters do not.
    if any(ord(char) > 127 and unicodedata.category(char)[0] in "CZ" for char in local):
        return False
    return _DOT_ATOM.fullmatch(re.sub(r"[^\x00-\x7f]", "a", local)) is not None


@lru_cache(_REMEMBERED)
def _valid_domain(domain: str) -> bool:
    if domain.startswith("[") and domain.endswith("]"):
        try:
            ipaddress.ip_address(re.sub(r"^ipv6:", "", domain[1:-1], flags=re.IGNORECASE))
        except ValueError:
            return False
        return True
    labels = a_label(domain).split(".") if not domain.endswith(".") else [""]
    sound = all(_LABEL.fullmatch(label) for label in labels) and len(".".join(labels)) <= 253
    return sound and not labels[-1].isdigit()
