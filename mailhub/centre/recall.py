"""Past answers, found again by their words: the three nearest are shown beside a new question (R9).

Words are folded and cut to their first letters, which joins plurals and accents well enough in French. The rarest
words of a question decide, and only a bounded number of them, so that the search stays as quick in ten years.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub.centre.requests import Exchange, ExchangeKind, Request
from mailhub.mail.french import fold

_STEM = 6  # letters kept of a word
_MOST_WORDS = 8  # the rarest of a question
_TOO_COMMON = 2000  # a word in more answers than this tells nothing
# fmt: off
_COMMON = frozenset({
    "alors", "apres", "aussi", "autre", "avant", "avec", "avez", "avoir", "avons", "bonjour", "cela",
    "celle", "celles", "celui", "cette", "ceux", "chez", "comme", "comment", "cordialement", "dans",
    "depuis", "donc", "elle", "elles", "entre", "etes", "etre", "faire", "fait", "font", "leur", "leurs",
    "mais", "meme", "merci", "moins", "notre", "nous", "pour", "pouvez", "pouvoir", "quel", "quelle",
    "quelles", "quels", "quelque", "questions", "question", "sans", "sera", "serait", "sommes", "sont",
    "souhaite", "sous", "tout", "toute", "toutes", "tous", "tres", "votre", "vous",
})
# fmt: on
_WORD = re.compile(r"[a-z0-9]{4,}")


class AnswerWord(SQLModel, table=True):
    """One word of one answered request."""

    stem: str = Field(primary_key=True)
    request_id: int = Field(foreign_key="request.id", primary_key=True)


@dataclass(frozen=True, slots=True)
class Past:
    """An answered request that looks like the one at hand."""

    reference: str
    subject: str
    answer: str


def stems(text: str) -> frozenset[str]:
    """The words that carry meaning, folded and shortened."""
    return frozenset(word[:_STEM] for word in _WORD.findall(fold(text)) if word not in _COMMON)


def remember(session: Session, request_id: int, texts: Iterable[str]) -> None:
    """Index an answered request by the words of its question and its answer."""
    known = set(session.exec(select(AnswerWord.stem).where(AnswerWord.request_id == request_id)).all())
    for stem in sorted(stems(" ".join(texts)) - known):
        session.add(AnswerWord(stem=stem, request_id=request_id))


def nearest(session: Session, text: str, *, besides: int, limit: int = 3) -> list[Past]:
    """The answered requests that share most of the rarest words of this text; at least two, so that chance is out."""
    rarest = _rarest(session, stems(text))
    if not rarest:
        return []
    shared = func.count().label("shared")
    query = (
        select(AnswerWord.request_id)
        .where(col(AnswerWord.stem).in_(rarest), AnswerWord.request_id != besides)
        .group_by(col(AnswerWord.request_id))
        .having(shared >= 2)
        .order_by(shared.desc(), col(AnswerWord.request_id).desc())
        .limit(limit)
    )
    return [_past(session, request_id) for request_id in session.exec(query).all()]


def _rarest(session: Session, words: frozenset[str]) -> list[str]:
    if not words:
        return []
    seen = func.count().label("seen")
    query = (
        select(AnswerWord.stem)
        .where(col(AnswerWord.stem).in_(sorted(words)[:100]))
        .group_by(col(AnswerWord.stem))
        .having(seen <= _TOO_COMMON)
        .order_by(seen, col(AnswerWord.stem))
        .limit(_MOST_WORDS)
    )
    return list(session.exec(query).all())


def _past(session: Session, request_id: int) -> Past:
    request = session.get_one(Request, request_id)
    query = (
        select(Exchange.text)
        .where(Exchange.request_id == request_id, Exchange.kind == ExchangeKind.ANSWER)
        .order_by(col(Exchange.id).desc())
    )
    return Past(request.reference, request.subject, session.exec(query).first() or "")
