"""A body as lines: where each begins, how it reads when folded, and which ones quote.

Only as much of a body is looked at as makes sense to a reader: what lies beyond the last line counted is one more
line, and of a long line its beginning stands for the whole. So everything built on this grows with the length.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from mailhub.mail.wording import fold_each

MOST_LINES = 20_000  # a mail of more lines is a listing, its last line here is all the rest
LOOKED_AT = 400  # characters of a line; no attribution and no header line is longer
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"

# Usenet clients put initials before the mark: "JD> ". A mailbox file writes ">From " for a line that begins with "From ".
_QUOTED = re.compile(r"[ \t\xa0]*(?:>(?!From )|[A-Z][A-Za-z]{0,2}>(?:[\s>]|$))")
_CLOSED = re.compile(r"[.?!:;…][\"'»)\]]*$")
# What remains of a link when HTML was turned into quoted text and wrapped again.
_LOOSE_LINK = re.compile(r"[ \t]*[(<\[]https?://[^\s()<>\[\]]*[)>\]][ \t]*>?[ \t]*$")


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a body; every list has one entry for each."""

    text: str
    starts: list[int]  # offsets in `text`, and the length of the text as one more
    plain: list[str]  # folded, stripped, the first characters only; "" for a blank line
    quoted: list[bool]  # begins with a quote mark

    def __len__(self) -> int:
        return len(self.plain)

    def raw(self, index: int) -> str:
        """The beginning of a line as it was written, without its end."""
        return self.text[
            self.starts[index] : min(self.starts[index] + LOOKED_AT, self.starts[index + 1])
        ].rstrip("\r\n")

    def holding(self, offsets: Iterable[int]) -> Iterator[int]:
        """The lines that hold these offsets, which ascend."""
        index = 0
        for offset in offsets:
            while index + 1 < len(self) and self.starts[index + 1] <= offset:
                index += 1
            yield index

    def next_filled(self, index: int) -> int:
        """The first line from `index` on that is not blank; the number of lines when there is none."""
        while index < len(self.plain) and not self.plain[index]:
            index += 1
        return index

    def quotes(self, index: int) -> bool:
        """Say whether a line quotes, also with the bar some clients put instead of ">"."""
        return index < len(self.plain) and (self.quoted[index] or self.plain[index].startswith("|"))

    def quote_end(self, index: int) -> int:
        """Behind the last line of the quote that begins at `index`; blank lines and wrapped remains belong to it."""
        barred = not self.quoted[index]
        end = index + 1
        at = end
        while at < len(self.plain):
            quotes = self.plain[at].startswith("|") if barred else self.quoted[at]
            if quotes or self._is_remainder(at):
                end = at + 1
            elif self.plain[at]:
                break
            at += 1
        return end

    def _is_remainder(self, index: int) -> bool:
        """Say whether this unmarked line between two quoted ones is the end of the one above, wrapped on its way.

        An answer may stand there too: it does not go on, in small letters, with a long line that did not end.
        """
        if not (
            index + 1 < len(self.plain)
            and self.plain[index]
            and self.quoted[index - 1]
            and self.quoted[index + 1]
        ):
            return False
        above, line = self.raw(index - 1).rstrip(), self.raw(index).strip()
        if _LOOSE_LINK.match(line):
            return True
        if " " not in line and line.endswith((")", ">")) and (above.rfind("(http") > above.rfind(")")):
            return True
        return len(above) >= 66 and line[0].islower() and not _CLOSED.search(above)


def read(text: str, breaks: Iterable[int] = ()) -> Lines:
    """Cut a body into lines, and also at these offsets, which ascend."""
    pieces = text.split("\n", MOST_LINES)
    starts = [0]
    for piece in pieces:
        starts.append(starts[-1] + len(piece) + 1)
    starts[-1] = len(text)
    if added := [offset for offset in breaks if offset < starts[-2]]:
        starts = sorted({*starts, *added})
        pieces = [text[start:end] for start, end in pairwise(starts)]
    begun = [piece[:LOOKED_AT].partition("\n")[0] for piece in pieces]
    return Lines(
        text=text,
        starts=starts,
        plain=[line.strip() for line in fold_each(begun, _INVISIBLE)],
        quoted=[_QUOTED.match(piece) is not None for piece in begun],
    )
