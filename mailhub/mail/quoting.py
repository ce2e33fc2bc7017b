"""What the person newly wrote, and what they carried along: quotes, signatures, footers.

Nothing is ever deleted: the answer is the full text with ranges to fold. In doubt words stay: a quotation somebody
chose, answers between quoted lines, a forwarded message are content. `blocks` lays a body out, with the help of
`attributions` (« a écrit : »), `headings` (« De : … Objet : … »), `signoffs` and `containers`; here is decided what
the layout means.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mailhub.mail import attributions, blocks, containers, lines
from mailhub.mail.blocks import Block, Kind, Layout
from mailhub.mail.lines import Lines


@dataclass(frozen=True, slots=True)
class Fold:
    """A range of characters of the full text to show folded."""

    start: int
    end: int
    kind: str  # "quote", "signature", "footer"
    guessed: bool = False  # a quote by where it stands alone: it may be the person's own words


@dataclass(frozen=True, slots=True)
class Quoting:
    """A body seen as new words and folded ranges."""

    text: str  # the full text
    reply: str  # what the person newly wrote; never empty when `text` is not
    folds: tuple[Fold, ...]
    interleaved: bool  # answers stand between quoted lines: no quote above the last answer was cut
    forwarded: str | None  # the text of a forwarded message, from its header block on

    @property
    def only_quotes(self) -> bool:
        """Nothing stands outside the folds: `reply` is then what was carried along, for want of own words."""
        return bool(self.folds) and not any(part.strip() for part in _unfolded(self.text, self.folds))

    @property
    def guessed(self) -> str:
        """What was folded as carried along with nothing to tell it."""
        return "\n".join(self.text[fold.start : fold.end] for fold in self.folds if fold.guessed).strip()

    def with_guessed(self) -> "Quoting":
        """The same, what was guessed taken for the person's words."""
        folds = tuple(fold for fold in self.folds if not fold.guessed)
        return replace(self, reply=_reply(self.text, folds), folds=folds)

    @property
    def signed(self) -> str:
        """What stands under the words and is no quote: signatures and what mail programs add."""
        return _signed(self.text, self.folds)


def read(text: str, html: str | None = None, *, is_reply: bool = True, is_forward: bool = False) -> Quoting:
    """Tell new words from old ones.

    `html` is the HTML part of the same mail, asked when the words alone tell nothing. `is_reply` says that the mail
    answers another one; else only history beyond doubt is folded. `is_forward` says that its subject calls it
    forwarded: what would be history is content then, for Outlook marks a forwarded message by nothing else.
    """
    page = lines.read(text, attributions.glued(text))
    layout = blocks.read(page, frozenset(), is_reply=is_reply, is_forward=is_forward)
    if html and is_reply and not is_forward and not layout.quotes:
        marks = frozenset(page.holding(containers.history_offsets(html, text)))
        layout = blocks.read(page, marks, is_reply=is_reply, is_forward=is_forward) if marks else layout
    interleaved = _is_interleaved(layout)
    folds = _folds(page, _to_fold(layout, interleaved=interleaved))
    return Quoting(
        text=text,
        reply=_reply(text, folds),
        folds=folds,
        interleaved=interleaved,
        forwarded=text[page.starts[layout.forward] :].strip() or None if layout.forward is not None else None,
    )


def _is_interleaved(layout: Layout) -> bool:
    """Say whether at least two answers have a quote above them: without the quotes they would lose their sense."""
    answers = (index for index, block in enumerate(layout.blocks) if block.kind is Kind.OWN)
    return sum(any(above.kind is Kind.QUOTE for above in layout.above(index)) for index in answers) > 1


def _to_fold(layout: Layout, *, interleaved: bool) -> Iterator[Block]:
    """The blocks to fold: all that are nobody's words, but for quotes amid the words that depend on them."""
    own = [index for index, block in enumerate(layout.blocks) if block.kind is Kind.OWN] or [0]
    for index, block in enumerate(layout.blocks):
        if block.kind is Kind.OWN:
            continue
        chosen = not block.introduced and own[0] < index < own[-1]
        if block.kind is not Kind.QUOTE or not (chosen or (interleaved and index < own[-1])):
            yield block


def _folds(page: Lines, folded: Iterable[Block]) -> tuple[Fold, ...]:
    """Ranges of characters; neighbours of one kind are one."""
    folds: list[Fold] = []
    for block in folded:
        start, end = page.starts[block.start], page.starts[block.end]
        last = folds[-1] if folds else None
        if (
            last
            and (last.kind, last.guessed) == (block.kind, block.guessed)
            and not page.text[last.end : start].strip()
        ):
            start = folds.pop().start
        folds.append(Fold(start, end, str(block.kind), block.guessed))
    return tuple(folds)


def _reply(text: str, folds: tuple[Fold, ...]) -> str:
    """The words outside the folds; when there are none a signature, when there is none everything."""
    parts = (part.strip("\r\n").rstrip() for part in _unfolded(text, folds))
    if reply := "\n\n".join(part for part in parts if part):
        return reply
    return _signed(text, folds) or text.strip()


def _signed(text: str, folds: Iterable[Fold]) -> str:
    signed = (text[fold.start : fold.end].strip() for fold in folds if fold.kind != "quote")
    return "\n\n".join(part for part in signed if part)


def _unfolded(text: str, folds: Iterable[Fold]) -> Iterator[str]:
    """The parts of a text outside its folds."""
    at = 0
    for fold in folds:
        yield text[at : fold.start]
        at = fold.end
    yield text[at:]
