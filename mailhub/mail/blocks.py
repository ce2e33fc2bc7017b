"""A body as blocks: own words, what was quoted below or above them, signatures, notices.

One walk down the lines. A heading or an attribution begins a quote that ends with its quoted lines; without quote
marks nobody can say where it ends, so it goes on to the end of the mail.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailhub.mail import attributions, french, headings, lines, signoffs
from mailhub.mail.headings import Carries, Heading
from mailhub.mail.lines import Lines

# Above a telephone's signature a greeting, or a word or two, is not yet an answer: the answer may follow below.
_WORDS_OF_AN_ANSWER = 3
_LINES_COUNTED = 50  # of one block, in search of so many words

# Most lines of a mail: nothing that a heading is made of, and of an attribution at most a verb at its end.
_PROSE = re.compile(r"[a-z][a-z ',;.!?()/\"-]*[a-z',;.!?()/\"]")


class Kind(StrEnum):
    """Whose a block is, and what it is worth."""

    OWN = "own"
    QUOTE = "quote"
    SIGNATURE = "signature"
    FOOTER = "footer"


@dataclass(frozen=True, slots=True)
class Block:
    """Lines from `start` up to `end` that belong together."""

    kind: Kind
    start: int
    end: int
    introduced: bool = True  # a client says whose words a quote holds; else a person may have chosen it
    guessed: bool = (
        False  # nothing tells that it is a quote, but that it stands below a telephone's signature
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """The blocks in order, and where a forwarded message begins."""

    blocks: tuple[Block, ...]
    forward: int | None = None

    @property
    def quotes(self) -> bool:
        """There is a quote among them."""
        return any(block.kind is Kind.QUOTE for block in self.blocks)

    def above(self, index: int) -> Iterator[Block]:
        """The blocks between this one and the own words above it, nearest first."""
        for at in range(index - 1, -1, -1):
            if self.blocks[at].kind is Kind.OWN:
                return
            yield self.blocks[at]


def read(page: Lines, marks: frozenset[int], *, is_reply: bool, is_forward: bool) -> Layout:
    """Lay out a body; `marks` are lines where its HTML says that history begins."""
    return _Walk(page, marks, is_reply=is_reply, is_forward=is_forward).layout()


class _Walk:
    """One way down a body."""

    def __init__(self, page: Lines, marks: frozenset[int], *, is_reply: bool, is_forward: bool) -> None:
        self._page = page
        self._marks = marks
        self._is_reply = is_reply
        self._is_forward = is_forward
        self._blocks: list[Block] = []

    def layout(self) -> Layout:
        page, index, own = self._page, 0, 0
        while index < len(page):
            if page.quoted[index] and not headings.is_groupwise(page.plain[index]):
                end = page.quote_end(index)
                within = self._heading_within(index) if self._is_reply or self._is_forward else None
                if within and self._is_content(within):
                    return self._passed_on(own, index, within)
                if self._is_reply and not self._is_forward:
                    self._add_own(own, index)
                    self._blocks.append(Block(Kind.QUOTE, index, end, introduced=within is not None))
                    own = end
                index = end
                continue
            heading = self._heading(index) if page.plain[index] else None
            if heading is None:
                index += 1
                continue
            start = self._above_rules(own, index)
            end = self._end_of_carried(heading)
            if self._is_content(heading):
                return self._passed_on(own, index, heading)
            self._add_own(own, start)
            if end == len(page) and not self._own_words() and not self._quotes_below(heading.end):
                # Nobody can tell below a heading at the top where the old message ends and an answer begins.
                self._blocks.append(Block(Kind.OWN, start, end))
                return Layout(tuple(self._blocks))
            self._blocks.append(Block(Kind.QUOTE, start, end))
            own = index = end
        self._add_own(own, len(page), last=True)
        return Layout(tuple(self._blocks))

    def _passed_on(self, own: int, index: int, heading: Heading) -> Layout:
        """A message somebody passes on is content, with all that stands below it."""
        self._add_own(own, index)
        self._blocks.append(Block(Kind.OWN, index, len(self._page)))
        return Layout(tuple(self._blocks), forward=self._first_header(index, heading))

    def _heading(self, index: int) -> Heading | None:
        """The heading, or the attribution, that begins at this line."""
        if self._is_ordinary(index):
            return None
        if heading := headings.at(self._page, index) or self._marked(index):
            return heading
        end = attributions.end(self._page, index, is_reply=self._is_reply)
        return Heading(Carries.MAIL, end) if end is not None else None

    def _is_ordinary(self, index: int) -> bool:
        """Say at little cost that nothing begins here, as on most lines of a mail."""
        plain = self._page.plain[index]
        if index in self._marks or not _PROSE.fullmatch(plain) or attributions.may_end(plain):
            return False
        below = self._page.plain[index + 1] if index + 1 < len(self._page) else ""
        return not below or not (below[0].isdigit() or attributions.may_end(below))

    def _marked(self, index: int) -> Heading | None:
        """What the HTML says about this line: its paragraph is a heading."""
        if index not in self._marks:
            return None
        end = index
        while end < len(self._page) and self._page.plain[end] and not self._page.quoted[end]:
            end += 1
        return Heading(Carries.HISTORY, end)

    def _is_content(self, heading: Heading) -> bool:
        passed_on = self._is_forward and heading.carries is not Carries.ALL_BELOW
        return passed_on or heading.carries is Carries.FORWARD

    def _first_header(self, index: int, heading: Heading) -> int:
        """The line on which a forwarded message begins: behind the separator, if there is one."""
        return index if heading.carries is Carries.MAIL else self._page.next_filled(index + 1)

    def _above_rules(self, own: int, index: int) -> int:
        """The first of the drawn lines above a heading, which belong to it."""
        start = at = index
        while at > own:
            at -= 1
            if headings.is_rule(self._page.plain[at]):
                start = at
            elif self._page.plain[at]:
                break
        return start

    def _quotes_below(self, behind: int) -> bool:
        below = self._page.next_filled(behind)
        return below - behind <= 3 and self._page.quotes(below)

    def _end_of_carried(self, heading: Heading) -> int:
        """The line behind what a heading carries: behind its quoted lines, else the end of the mail."""
        page, behind = self._page, heading.end
        if heading.carries is Carries.ALL_BELOW:
            return len(page)
        below = page.next_filled(behind)
        if below < len(page) and not page.quotes(below):
            # « -----Message d'origine----- », then « Le 3 mars 2026 à 10:00, Nadia Benali a écrit : »
            behind = attributions.end(page, below, is_reply=True) or behind
        return page.quote_end(page.next_filled(behind)) if self._quotes_below(behind) else len(page)

    def _heading_within(self, index: int) -> Heading | None:
        """What quoted lines begin with: whose words they are, as telephones write it, or that they are passed on."""
        head = [self._page.raw(at).lstrip("> \t") for at in range(index, min(index + 6, len(self._page)))]
        within = lines.read("\n".join(head))
        first = within.next_filled(0)
        if first == len(within):
            return None
        if heading := headings.at(within, first):
            return heading
        end = attributions.end(within, first, is_reply=True)
        return Heading(Carries.MAIL, end) if end is not None else None

    def _add_own(self, start: int, end: int, *, last: bool = False) -> None:
        """Add own lines, with what stands below the words of their author set apart."""
        delimiter = signoffs.signature(self._page, start, end)
        stop = end if delimiter is None else delimiter
        mobile = signoffs.mobile(self._page, start, stop)
        if mobile is None:
            self._add_words(start, stop)
        else:
            self._add_words(start, mobile[0])
            self._add(Kind.SIGNATURE, *mobile)
            if last and self._may_be_carried(mobile[1]):
                self._add(Kind.QUOTE, mobile[1], stop, guessed=True)
            else:
                self._add_words(mobile[1], stop)
        self._add(Kind.SIGNATURE, stop, end)

    def _may_be_carried(self, start: int) -> bool:
        """Some telephones carry the old message along below their signature, with nothing to tell it."""
        if not self._is_reply or (words := self._own_words()) < _WORDS_OF_AN_ANSWER:
            return False
        page = self._page
        below = page.next_filled(start)
        if below < len(page) and signoffs.is_postscript(page.plain[below]):
            return False
        first = page.plain[page.next_filled(0)]
        greeting = len(first.split()) if french.is_greeting(first) else 0
        return words - greeting >= _WORDS_OF_AN_ANSWER

    def _own_words(self) -> int:
        """How many words of their author stand in the blocks so far."""
        return sum(
            len(line.split())
            for block in self._blocks
            if block.kind is Kind.OWN
            for line in self._page.plain[block.start : min(block.end, block.start + _LINES_COUNTED)]
        )

    def _add_words(self, start: int, end: int) -> None:
        notice = signoffs.footer(self._page, start, end)
        self._add(Kind.OWN, start, notice)
        self._add(Kind.FOOTER, notice, end)

    def _add(self, kind: Kind, start: int, end: int, *, guessed: bool = False) -> None:
        if self._page.next_filled(start) < end:
            self._blocks.append(Block(kind, start, end, guessed=guessed))
