"""From the words of a list file to a cadence. Case, accents, articles and plurals do not matter; order hardly does.

    cadence   = clause {[« , »] clause}
    clause    = days | rhythm | months | « à partir de » month year | « jusqu'en » month year
    days      = day {« , » | « et » day}
    day       = rank {« , » | « et » rank} (weekday [« ouvré »] | « jour » [« ouvré »]) | number
    rank      = « premier » | « 2e » | … | « dernier »
    rhythm    = N « fois par » period | « tous les » N « mois » | [« de »] « chaque » period
    period    = « mois » | « trimestre » | « semestre » | « an »
    months    = « de » | « en » month {« , » | « et » month} | « du mois »

What could mean two things is refused with a sentence that shows how to write either.
"""

import re
from dataclasses import dataclass

from mailhub.centre.cadences.cadence import FROM, MONTHS, PERIODS, Cadence, in_order, months_of
from mailhub.centre.cadences.days import (
    LAST,
    LAST_DAY,
    WEEKDAYS,
    WORKED,
    Day,
    MonthDay,
    Weekday,
    WorkingDay,
    rank_name,
)
from mailhub.centre.cadences.tokens import Number, Tokens
from mailhub.errors import ListError
from mailhub.mail import french

_MONTH_NUMBERS = {french.fold(name): number for number, name in MONTHS.items()}
_LENGTHS = {"mois": 1, **PERIODS, "an": 12, "annee": 12, "ans": 12}
# What a word that is not understood may have been meant to be; numbers in words need no help.
_KNOWN = {
    french.fold(word): word
    for word in (
        *WEEKDAYS, *MONTHS.values(), *_LENGTHS, WORKED, "jour", "premier", "dernier", "fois", "par", "tous", "chaque", "partir", "jusqu'en",
    )
}  # fmt: skip
_YEAR = r"[12][0-9]{3}"
_FIFTHS = 5  # some months have a fifth Thursday, most have not
_WORKED = (french.fold(WORKED), french.fold(WORKED) + "s")
_WEEKS = {"semaine", "semaines", "quinzaine", "jours"}


@dataclass(frozen=True, slots=True)
class _Rhythm:
    """How often, as it is said beside the days: « deux fois par mois », « tous les trois mois »."""

    period: int = 1  # months
    times: int | None = None
    every: int = 1


def parse(words: str) -> Cadence:
    """Read the words of a cadence; what is not understood, or could mean two things, is a ListError with a way out."""
    return _Reading(words).cadence()


class _Reading(Tokens):
    """One pass over the words, clause by clause."""

    def __init__(self, words: str) -> None:
        super().__init__(words, _KNOWN)
        self._days: list[Day] = []
        self._months: set[int] = set()
        self._rhythm: _Rhythm | None = None
        self._first: tuple[int, int] | None = None
        self._last: tuple[int, int] | None = None

    def cadence(self) -> Cadence:
        """The cadence of the words."""
        if not self.peek():
            raise self.refusal(
                f"no cadence is written; for instance « 2e et 4e jeudi » or « premier mardi {WORKED} »"
            )
        while self.peek():
            self._clause()
            self.skip(",")
        if self._first and self._last and self._last < self._first:
            raise self.refusal("it ends before it begins")
        rhythm = self._rhythm or _Rhythm()
        days = in_order(self._days) or self._usual_day(rhythm)
        months = tuple(sorted(self._months)) or self._months_of(rhythm, days)
        self._agree(rhythm, days, months)
        every_month = len(months) == 12
        return Cadence(days, () if every_month else months, rhythm.every, self._first, self._last)

    # --- clauses ----------------------------------------------------------------------------------------------

    def _clause(self) -> None:
        word, after = self.peek(), self.peek(1)
        if (word, after) == ("a", "partir"):
            self.take(2)
            self._first = self._month_and_year(once=self._first)
        elif word == "jusqu'":
            self.take()
            self.skip("en", "a")
            self._last = self._month_and_year(once=self._last)
        elif word in {"tous", "toutes", "chaque"} or (word, after) == ("de", "chaque"):
            self._every()
        elif french.number(word) and after == "fois":
            self._so_often()
        elif word in {"du", "de", "d'", "en"} or word in _MONTH_NUMBERS:
            self._named_months()
        elif self.number() or word in {"le", "les"}:
            self._named_days()
        elif word.removesuffix("s") in WEEKDAYS:
            raise self.refusal(f"which {word}? Write for instance « 2e et 4e {word.removesuffix('s')} »")
        else:
            raise self.not_understood()

    def _so_often(self) -> None:
        times = french.number(self.take())
        self.take()  # "fois"
        if self.peek() == "tous":
            self._every(times)
            return
        if self.peek() not in {"par", "dans"}:
            raise self.not_understood()
        self.take()
        self.skip("l'")
        self._set_rhythm(_Rhythm(self._period(), times))

    def _every(self, times: int | None = None) -> None:
        self.skip("de")
        if self.take() == "chaque":
            self._set_rhythm(_Rhythm(self._period()))
            return
        self.skip("les")
        if (weekday := self.peek().removesuffix("s")) in WEEKDAYS:
            raise self.refusal(f"a week is no measure here; write for instance « 1er et 3e {weekday} »")
        every = french.number(self.peek())
        if every is None:
            self._set_rhythm(_Rhythm(self._period(), times))
            return
        self.take()
        if self._period() != 1:
            raise self.refusal("count in months: « tous les deux mois »")
        if not 1 <= every <= 12:
            raise self.refusal("write « tous les N mois » with N from 1 to 12")
        self._set_rhythm(_Rhythm(every=every, times=times))

    def _period(self) -> int:
        token = self.peek()
        if token in _WEEKS:
            raise self.refusal("a week is no measure here; write for instance « 1er et 3e jeudi »")
        length = _LENGTHS.get(token) or _LENGTHS.get(token.removesuffix("s"))
        if length is None:
            raise self.not_understood()
        self.take()
        return length

    def _set_rhythm(self, rhythm: _Rhythm) -> None:
        if self._rhythm:
            raise self.refusal("it says twice how often")
        self._rhythm = rhythm

    def _named_months(self) -> None:
        self.skip("du", "de", "d'", "en")
        if self.peek() == "mois":
            self.take()
            self.skip("de", "d'")
            if self.peek() not in _MONTH_NUMBERS:
                return  # « du mois » says nothing more
        self._months.add(self._month())
        while self.peek(self.joint()) in _MONTH_NUMBERS:
            self.take(self.joint())
            self._months.add(self._month())
        if re.fullmatch(_YEAR, self.peek()):
            raise self.refusal(f"a cadence is for every year; to begin it, write « {FROM} janvier 2026 »")

    def _named_days(self) -> None:
        numbers: list[Number] = []
        while True:
            self.skip("le", "les")
            number = self.number()
            if number is None:
                raise self.not_understood()
            self.take()
            numbers.append(number)
            if not self.another_number():
                break
            self.skip(",", "et")
        self._days += self._days_of(numbers)
        if self.another_number():
            self.skip(",", "et")

    def _days_of(self, numbers: list[Number]) -> list[Day]:
        """What these numbers count: weekdays, days of work, or days of the month."""
        counted = self.peek().removesuffix("s")
        ranks = [number.value for number in numbers]
        if counted != "jour" and counted not in WEEKDAYS:
            for number in numbers:
                if not number.is_day:
                    raise self._of_what(rank_name(number.value))
            return [self._month_day(rank) for rank in ranks]
        self.take()
        worked = self.peek() in _WORKED
        self.skip(*_WORKED)
        if counted == "jour" and not worked:
            return [self._month_day(rank) for rank in ranks]
        name = f"{counted} {WORKED}" if worked else counted
        for number in numbers:
            if not number.is_rank:
                raise self.refusal(
                    f"write « {rank_name(number.value)} {name} », or « le {number.value} du mois »"
                )
        if counted == "jour":
            return [self._day_of_work(rank) for rank in ranks]
        return [self._weekday(rank, WEEKDAYS.index(counted), worked=worked) for rank in ranks]

    def _of_what(self, rank: str) -> ListError:
        """A rank without what it counts: a word nearly right, or none."""
        if self.peek() in {"", ",", "et", "du", "de", "d'", "en", "a"}:
            return self.refusal(f"{rank} what? Write for instance « {rank} jeudi »")
        return self.not_understood()

    def _weekday(self, rank: int, weekday: int, *, worked: bool) -> Weekday:
        name = WEEKDAYS[weekday]
        if rank == _FIFTHS:
            raise self.refusal(f"not every month has a {rank}e {name}; write « dernier {name} »")
        if rank != LAST and not 1 <= rank < _FIFTHS:
            raise self.refusal(f"no month has a {rank_name(rank)} {name}")
        if worked and weekday >= 5:
            raise self.refusal(f"nobody works on a {name}; write « premier {name} », or another day")
        if worked and rank not in {1, LAST}:
            raise self.refusal(
                f"« {rank_name(rank)} {name} {WORKED} » could be either of two days in a month with a holiday; "
                f"write « {rank_name(rank)} {name} », and on_holiday says where it moves"
            )
        return Weekday(rank, weekday, worked)

    def _day_of_work(self, rank: int) -> WorkingDay:
        if rank != LAST and not 1 <= rank <= 15:
            raise self.refusal(f"write a rank from 1 to 15, or « dernier jour {WORKED} »")
        return WorkingDay(rank)

    def _month_day(self, day: int) -> MonthDay:
        if day == LAST:
            return MonthDay(LAST_DAY)
        if not 1 <= day <= LAST_DAY:
            raise self.refusal(f"no month has a day {day}")
        return MonthDay(day)

    def _month_and_year(self, once: tuple[int, int] | None) -> tuple[int, int]:
        if once:
            raise self.refusal("it begins or ends twice")
        self.skip("de", "d'", "du", "le")
        month, written = self._month(), self.peek()
        if not re.fullmatch(_YEAR, written):
            raise self.refusal(f"write the year too: « {MONTHS[month]} 2026 »")
        self.take()
        return int(written), month

    def _month(self) -> int:
        if self.peek() not in _MONTH_NUMBERS:
            if self.number():
                raise self.refusal(f"a month is wanted, not a day: « {FROM} mai 2026 »")
            raise self.not_understood()
        return _MONTH_NUMBERS[self.take()]

    # --- what the clauses say together ------------------------------------------------------------------------

    def _usual_day(self, rhythm: _Rhythm) -> tuple[Day, ...]:
        """The day of « une fois par trimestre », when no day is written."""
        if rhythm.times not in {None, 1}:
            raise self.refusal("on which days? Write for instance « deux fois par mois, 2e et 4e jeudi »")
        if self._rhythm is None:
            raise self.refusal(f"on which day? Write for instance « premier mardi {WORKED} » or « le 10 »")
        return (WorkingDay(1),)

    def _months_of(self, rhythm: _Rhythm, days: tuple[Day, ...]) -> tuple[int, ...]:
        """The months a rhythm means when none is written."""
        if rhythm.period == 1:
            return ()
        for name, length in PERIODS.items():
            months = months_of(name, days)
            if length == rhythm.period and months and rhythm.times in {None, len(days)}:
                return months
        raise self.refusal(
            f"in which months? Write for instance « premier mardi {WORKED} de mars, juin et octobre »"
        )

    def _agree(self, rhythm: _Rhythm, days: tuple[Day, ...], months: tuple[int, ...]) -> None:
        """How often it says must be how often it is."""
        if rhythm.every > 1:
            if months:
                raise self.refusal("« tous les N mois » and names of months together; write one of them")
            if self._first is None:
                raise self.refusal(f"from which month on? Add « {FROM} janvier 2026 »")
        if rhythm.times is None:
            return
        named = months or range(1, 13)
        for begin in range(1, 13, rhythm.period):
            count = len(days) * sum(begin <= month < begin + rhythm.period for month in named)
            if count != rhythm.times:
                raise self.refusal(f"it says {rhythm.times} and names {count}; make them agree")
