"""Past answers, found again by their words: the three nearest are shown beside a new question (R9).

Words are folded and cut to their first letters, which joins plurals and accents well enough in French. The rarest
words of a question decide, and only a bounded number of them, so that the search stays as quick in ten years.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, repeat

from sqlalchemy import BindParameter, String, bindparam, func, update
from sqlmodel import Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from mailhub import rows
from mailhub.centre.requests import Exchange, ExchangeKind, Request
from mailhub.mail.french import fold, vocabulary

_MOST_READ = 3000  # characters of a text; the rest tells little more
_STEM = 6  # letters kept of a word
_MOST_ASKED = 100  # words of a question that are looked up
_MOST_WORDS = 8  # the rarest of them, which decide
_MOST_ANSWERS = 3  # shown to staff
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


class WordUse(SQLModel, table=True):
    """In how many answered requests a word stands."""

    stem: str = Field(primary_key=True)
    answers: int


@dataclass(frozen=True, slots=True)
class Past:
    """An answered request that looks like the one at hand."""

    reference: str
    subject: str
    answer: str


def stems(text: str) -> frozenset[str]:
    """The words that carry meaning, folded and shortened."""
    words = frozenset(_WORD.findall(vocabulary(fold(text[:_MOST_READ]))))
    return frozenset(word[:_STEM] for word in words - _COMMON)


def remember(session: Session, request_id: int, texts: Iterable[str]) -> None:
    """Index an answered request by the words of its question and its answer."""
    known = set(session.exec(select(AnswerWord.stem).where(AnswerWord.request_id == request_id)).all())
    new = sorted(stems(" ".join(texts)) - known)
    rows.insert_missing(session, WordUse, [{"stem": stem, "answers": 0} for stem in new])
    rows.insert_missing(session, AnswerWord, [{"stem": stem, "request_id": request_id} for stem in new])
    session.execute(update(WordUse).where(col(WordUse.stem).in_(new)).values(answers=WordUse.answers + 1))


# A question has as many places for words as a usual text fills, or a long one, so that few of them are ever built.
_PLACES = (20, 50, _MOST_ASKED)


@cache
def _rarest(places: int) -> SelectOfScalar[str]:
    return (
        select(WordUse.stem)
        .where(col(WordUse.stem).in_(_binds(places)), col(WordUse.answers) <= _TOO_COMMON)
        .order_by(col(WordUse.answers), col(WordUse.stem))
        .limit(_MOST_WORDS)
    )


def _binds(places: int) -> list[BindParameter[str]]:
    return [bindparam(f"stem{number}", type_=String) for number in range(places)]


def _filled(places: int, words: Sequence[str]) -> dict[str, str | None]:
    filled = zip(range(places), chain(words, repeat(None)), strict=False)
    return {f"stem{number}": word for number, word in filled}


_SHARED = func.count().label("shared")
_NEAREST = (
    select(AnswerWord.request_id)
    .where(
        col(AnswerWord.stem).in_(_binds(_MOST_WORDS)),
        col(AnswerWord.request_id) != bindparam("besides"),
    )
    .group_by(col(AnswerWord.request_id))
    .having(_SHARED >= 2)
    .order_by(_SHARED.desc(), col(AnswerWord.request_id).desc())
    .limit(_MOST_ANSWERS)
)


def nearest(session: Session, text: str, *, besides: int) -> list[Past]:
    """The answered requests that share most of the rarest words of this text; at least two, so that chance is out."""
    words = sorted(stems(text))[:_MOST_ASKED]
    places = next(places for places in _PLACES if len(words) <= places)
    rarest = [stem for (stem,) in rows.ask(session, _rarest(places), **_filled(places, words))]
    if len(rarest) < 2:
        return []
    found = rows.ask(session, _NEAREST, **_filled(_MOST_WORDS, rarest), besides=besides)
    return [_past(session, request_id) for (request_id,) in found]


def _past(session: Session, request_id: int) -> Past:
    request = session.get_one(Request, request_id)
    query = (
        select(Exchange.text)
        .where(Exchange.request_id == request_id, Exchange.kind == ExchangeKind.ANSWER)
        .order_by(col(Exchange.id).desc())
    )
    return Past(request.reference, request.subject, session.exec(query).first() or "")
