"""The words of a cadence one after the other: what comes next, which numbers there are, and how to refuse."""

import difflib
import re
import unicodedata
from dataclasses import dataclass

from mailhub.centre.cadences.days import LAST
from mailhub.errors import ListError
from mailhub.mail import french

_TOKEN = re.compile(r"[0-9]{1,4}(?:ere?|re|eme|e|nde?)?(?![a-z0-9])|[a-z]+(?:-[a-z]+)*'?|\S")
_DIGITS = re.compile(r"([0-9]+)([a-z]*)")
_JOINTS = {",", "et", "le", "les", "de", "d'", "en"}
# Below this a suggestion is a guess: « ou » is not nearly « tous ».
_NEARLY = 0.7


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written: « 2 », « 2e », or « premier », which is both."""

    value: int
    is_rank: bool
    is_day: bool


class Tokens:
    """The folded words of a cadence, and how far they are read."""

    def __init__(self, words: str, vocabulary: dict[str, str]) -> None:
        self._words = " ".join(words.split())
        self._vocabulary = vocabulary  # folded word → as it is written
        # Superior letters, as in « 1ᵉʳ », are letters; colons and semicolons part clauses; a stop at the end is nothing.
        folded = french.fold(unicodedata.normalize("NFKC", self._words)).rstrip(" .")
        self._tokens: list[str] = _TOKEN.findall(re.sub("[:;]", ",", folded))
        self._at = 0

    def peek(self, ahead: int = 0) -> str:
        """The word that comes so many words later; nothing after the end."""
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def take(self, count: int = 1) -> str:
        """Read so many words; the last of them."""
        self._at += count
        return self._tokens[self._at - 1]

    def skip(self, *words: str) -> None:
        """Read over these words, however many come."""
        while self.peek() in words:
            self._at += 1

    def number(self, ahead: int = 0) -> Number | None:
        """The number so many words later, if it is one."""
        token = self.peek(ahead)
        if token.removesuffix("s") in {"dernier", "derniere"}:
            return Number(LAST, is_rank=True, is_day=False)
        if written := _DIGITS.fullmatch(token):
            value, ending = int(written[1]), written[2]
            return Number(value, is_rank=bool(ending), is_day=not ending or value == 1)
        if rank := french.ORDINALS.get(token.removesuffix("s")):
            return Number(rank, is_rank=True, is_day=rank == 1)
        in_words = french.number(token)
        return None if in_words is None else Number(in_words, is_rank=False, is_day=True)

    def joint(self) -> int:
        """How many words join what comes to what was: a comma or « et », with articles; none when nothing does."""
        length = 0
        while self.peek() in {",", "et"} and self.peek(length) in _JOINTS:
            length += 1
        return length

    def another_number(self) -> bool:
        """Say whether another day or rank is joined; « deux fois » begins something else."""
        ahead = self.joint()
        return ahead > 0 and self.number(ahead) is not None and self.peek(ahead + 1) != "fois"

    def refusal(self, says: str) -> ListError:
        """The words and what is wrong with them."""
        return ListError(f"« {self._words} »: {says}")

    def not_understood(self) -> ListError:
        """A refusal of the word that comes next."""
        token = self.peek()
        if not token:
            return self.refusal("something is missing at the end")
        near = difflib.get_close_matches(token, self._vocabulary, 1, _NEARLY)
        if near and near[0] != token:
            return self.refusal(f'"{token}" is not understood (did you mean "{self._vocabulary[near[0]]}"?)')
        return self.refusal(f'"{token}" is not understood there; write for instance « 2e et 4e jeudi »')
