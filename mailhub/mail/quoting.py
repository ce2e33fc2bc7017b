"""What the person newly wrote, and what they carried along: quotes, signatures, footers.

Nothing is ever deleted: the answer is the full text with ranges to fold.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fold:
    """A range of characters of the full text to show folded."""

    start: int
    end: int
    kind: str  # "quote", "signature", "footer"


@dataclass(frozen=True, slots=True)
class Quoting:
    """A body seen as new words and folded ranges."""

    text: str  # the full text
    reply: str  # what the person newly wrote; never empty when `text` is not
    folds: tuple[Fold, ...]
    interleaved: bool  # answers stand between quoted lines: nothing was cut
    forwarded: str | None  # the text of a forwarded message, from its header block on
