"""What must never leave with a staff reply, and how it is found however a mail program broke, quoted or listed it."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from urllib.parse import quote

from mailhub.mail import domains

_MOST_LENGTHS = 32  # of lines with one beginning
SHORTEST_TELLING_LINE = 12  # shorter lines of the copy ("Bonjour,") prove nothing
_LEADER = re.compile(r"^[\s>|•·*–—-]+", re.MULTILINE)  # what clients set before a line they quote or list
# What they add to an address, what no eye sees, and dashes, of which they make longer ones.
_NOTHING = re.compile("<mailto:[^<>\\s]*>|[\\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff\u2010-\u2015-]+")
_QUOTE = re.compile(r"^[ \t]*(?:>[ \t]?)+")

# A file for one member of staff. Links are cut out first, so that each of their letters is read once.
_LINK = re.compile(r"[^\s<>\"']+")
_TOKEN_OF_A_LINK = re.compile(r"[/=][a-z2-7]{45}(?![A-Za-z0-9])")

# What stands right before it goes too: this may be the end of somebody else's address, of which no half shall stay, or a
# word that lost its space, and the address must not leave. A link may have `<` as %3C. The same behind: `.org` makes it
# somebody else's, and what remained would be nobody's.
_BEFORE = r"(?:(?<=%[0-9A-Fa-f]{2})|(?<!%)(?<![^\W_])(?<![^\W\d_][.+_-])(?:[^\W\d_]+[.+_-])*[^\W_]*)"
_TAG = r"(?:\+[\w.+-]{1,64})?"
_BEHIND = r"(?:\.(?-i:fr|be|ch|eu|it|lu|nl|uk|com|org|net|info|asso|gouv)(?![^\W_]))*"
_BETWEEN = (  # two letters: what no eye sees, and the end of a line that was too long
    "[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*(?:\r?\n[ \t>]*)?"
)
_WAYS = {"@": "(?:@|\uff20|%40)", ".": r"(?:\.|%2E)"}  # to write a sign, in words and in links


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must never leave."""

    addresses: tuple[re.Pattern[str], ...]  # of staff, past ones too
    token_address: re.Pattern[str]  # any of our machine addresses, or what is left of one
    stand_in: str  # the service address, written in their place
    marker: str  # the line below which a copy is internal, solid
    internal: frozenset[str]  # solid lines of the copies: the first, and from the marker on
    around: frozenset[str]  # solid lines in between that the asker neither wrote nor was sent

    def mask(self, text: str) -> str:
        """The text with every private address and link replaced by the service's address.

        Each expression goes over all of it, which takes a second for a large file: most lack the sign it begins at.
        """
        lowered = text.lower()
        if "http" in lowered:
            text = _LINK.sub(self._link, text)
        if any(sign in lowered for sign in ("+", "%2b", "mh.")):
            text = self.token_address.sub(self.stand_in, text)
        if self._may_hold_an_address(lowered):
            for pattern in self.addresses:
                text = pattern.sub(self.stand_in, text)
        return text

    def names_staff(self, text: str) -> bool:
        """Say whether an address of staff stands in a text."""
        return self._may_hold_an_address(text) and any(pattern.search(text) for pattern in self.addresses)

    @staticmethod
    def _may_hold_an_address(text: str) -> bool:
        return any(sign in text for sign in ("@", "\uff20", "%40"))

    def leaving(self, reply: str) -> str | None:
        """The lines that leave; None when one of those that may not is unquoted, so that its author meant it.

        Quoted lines of a copy stay behind, and so does every quoted line below a marker: that of a copy of another
        request marks somebody else's as well.
        """
        lines = reply.splitlines()
        internal = _saying(lines, self.internal)
        if any(not _QUOTE.match(lines[number]) for number in internal if solid(lines[number])):
            return None
        quoted = [number for number, line in enumerate(lines) if _QUOTE.match(line)]
        old = [lines[number] for number in quoted]  # read on across the answers that stand between them
        marker = min(_saying(old, [self.marker]), default=len(old))
        of_the_copy = {*range(marker, len(old)), *_saying(old, self.internal | self.around)}
        hidden = internal | {quoted[place] for place in of_the_copy}
        return "\n".join(_closed_up(line for number, line in enumerate(lines) if number not in hidden))

    def _link(self, found: re.Match[str]) -> str:
        """One word of a text; if it is a link with a token, what stands in its place."""
        word = found[0]
        start = word.lower().find("http")
        ends = [token.end() for token in _TOKEN_OF_A_LINK.finditer(word, start)] if start >= 0 else []
        return f"{word[:start]}{self.stand_in}{word[ends[-1] :]}" if ends else word


def secrets(
    *,
    addresses: Iterable[str],
    machine_locals: Collection[str],
    domain: str,
    stand_in: str,
    marker: str,
    copies: Iterable[str],
    shown: Iterable[str],
) -> Secrets:
    """Gather what must never leave.

    `copies` are the words of the copies staff received, each with a line that is the `marker`; `shown` is what the
    asker wrote and was sent, which is no secret to them wherever a copy says it.
    """
    names = "|".join(sorted(map(re.escape, machine_locals)))
    seen = {solid(line) for text in shown for line in text.splitlines()}
    internal: set[str] = {solid(marker)}
    around: set[str] = set()
    for copy in copies:
        lines = [solid(line) for line in copy.splitlines()]
        # The last such line is ours: above it the asker may have written one, below it nobody has a line of their own.
        own = max((number for number, line in enumerate(lines) if line == solid(marker)), default=len(lines))
        above = [line for line in lines[:own] if line]
        around.update(line for line in above if line not in seen)
        internal.update(above[:1], lines[own:])  # it begins with a sentence of ours about who wrote
    return Secrets(
        addresses=tuple(map(_however_written, sorted(addresses, key=len, reverse=True))),
        token_address=re.compile(
            rf"\b(?:(?:{names})(?:\+|%2B)(?:[a-z2-7]{{20,}}|[a-z2-7]+(?=@|%40))|mh\.[a-z2-7]{{45}}(?:\.[a-z2-7]+)?)"
            rf"(?:{_BETWEEN}(?:@|%40){_BETWEEN}{re.escape(domain)})?",
            re.IGNORECASE,
        ),
        stand_in=stand_in,
        marker=solid(marker),
        internal=frozenset(line for line in internal if len(line) >= SHORTEST_TELLING_LINE),
        around=frozenset(line for line in around if len(line) >= SHORTEST_TELLING_LINE),
    )


def solid(text: str) -> str:
    """Text without white space, dashes, case, and what is set before its lines: how it was broken or quoted does not count."""
    return _NOTHING.sub("", _LEADER.sub("", text)).casefold()


def _closed_up(lines: Iterable[str]) -> Iterator[str]:
    """Lines without the empty quoted ones that stood around what was taken out."""
    after_nothing = True
    for line in lines:
        is_empty_quote = _QUOTE.match(line) is not None and not solid(line)
        if not (is_empty_quote and after_nothing):
            yield line
        after_nothing = is_empty_quote


def _however_written(address: str) -> re.Pattern[str]:
    local, _, domain = address.rpartition("@")
    forms = {domain, domains.u_label(domain)}
    hosts = "|".join(sorted(map(_spaced, forms), key=len, reverse=True))
    between = f"{_BETWEEN}{_WAYS['@']}{_BETWEEN}"
    return re.compile(f"{_BEFORE}{_spaced(local)}{_TAG}{between}(?:{hosts}){_BEHIND}", re.IGNORECASE)


def _spaced(name: str) -> str:
    """A name as a client may break it, and as a link may write its letters."""
    return _BETWEEN.join(_WAYS.get(letter) or _in_links(letter) for letter in name)


def _in_links(letter: str) -> str:
    plain = re.escape(letter)
    return plain if letter.isascii() else f"(?:{plain}|{quote(letter)})"


def _saying(lines: Sequence[str], said: Iterable[str]) -> set[int]:
    """The lines, by their place, that say one of these solid lines, however a client broke or listed it.

    In one walk, whatever their number: at each letter only what begins as it goes on there is looked for.
    """
    pieces = [solid(line) for line in lines]
    starts = list(accumulate(map(len, pieces), initial=0))
    whole = "".join(pieces)
    found: set[int] = set()
    for start, end in _places(whole, said):
        found.update(range(bisect_right(starts, start) - 1, bisect_left(starts, end)))
    return found


def _places(whole: str, said: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where one of these lines stands: of those that begin at one letter the longest, and nothing that lies within."""
    by_beginning: dict[str, dict[int, set[str]]] = {}
    for line in said:
        by_beginning.setdefault(line[:SHORTEST_TELLING_LINE], {}).setdefault(len(line), set()).add(line)
    walked, alike = {}, []
    for beginning, by_length in by_beginning.items():
        if len(by_length) <= _MOST_LENGTHS:
            walked[beginning] = sorted(by_length.items(), reverse=True)
        else:  # nobody writes such lines but to keep us busy: each is looked for by itself
            alike += [line for lines in by_length.values() for line in lines]
    for line in alike:
        at = whole.find(line)
        while at >= 0:
            yield at, at + len(line)
            at = whole.find(line, at + len(line))
    covered = 0
    for at in range(len(whole)):
        for length, wanted in walked.get(whole[at : at + SHORTEST_TELLING_LINE], ()):
            if whole[at : at + length] in wanted:
                if at + length > covered:
                    yield max(at, covered), at + length
                    covered = at + length
                break
