"""A cadence as a value: which days of which months, its dates under a calendar, and its canonical French."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from babel.dates import get_month_names

from mailhub.centre.cadences.days import (
    LAST,
    LAST_DAY,
    Day,
    MonthDay,
    Occasion,
    Weekday,
    WorkingDay,
    rank_name,
)
from mailhub.centre.calendar import Calendar
from mailhub.lists import Shift
from mailhub.mail import french

FROM = "à partir de"  # the language of lists/*.toml, which staff write themselves
MONTHS: dict[int, str] = dict(get_month_names("wide", locale="fr"))
# Months of « chaque trimestre » and « chaque semestre »: the first ones, or the last ones for « dernier ».
PERIODS = {"trimestre": 3, "semestre": 6}
# Nothing is moved farther than this; a centre closed for longer sees the date where its words put it.
_FARTHEST = timedelta(days=92)
_NUMBERS = {value: word for word, value in reversed(french.CARDINALS.items())}


@dataclass(frozen=True, slots=True)
class Cadence:
    """Some days of some months, for ever or between two months."""

    days: tuple[Day, ...]
    months: tuple[int, ...] = ()  # 1 to 12 in order; none: every month
    every: int = 1  # months from one to the next, counted from `first`
    first: tuple[int, int] | None = None  # year and month it begins with
    last: tuple[int, int] | None = None  # year and month it ends with

    def dates(
        self, span: int | tuple[date, date], calendar: Calendar, shift: Shift = Shift.BEFORE
    ) -> Iterator[date]:
        """The days of the occasions of a span, in order."""
        return (occasion.day for occasion in self.occasions(span, calendar, shift))

    def occasions(
        self, span: int | tuple[date, date], calendar: Calendar, shift: Shift = Shift.BEFORE
    ) -> Iterator[Occasion]:
        """The occasions planned within a year, or from one day to another, both included.

        What is planned in January belongs to January, even when it is moved to December.
        """
        start, end = (date(span, 1, 1), date(span, 12, 31)) if isinstance(span, int) else span
        for year, month in _months(start, end):
            if not self._meets(year, month):
                continue
            found = (day.in_month(year, month, calendar) for day in self.days)
            for occasion in sorted(Occasion(_moved(at.day, calendar, shift), at.planned) for at in found):
                if start <= occasion.planned <= end:
                    yield occasion

    def slots(
        self, start: datetime, end: datetime, hour: time, calendar: Calendar, shift: Shift = Shift.BEFORE
    ) -> Iterator[datetime]:
        """The instants, in UTC, at which that hour comes on each of its days: from `start`, before `end`."""
        margin = _FARTHEST + timedelta(
            days=33
        )  # a shift, a rank moved within its month, and the width of the time zones
        zone = ZoneInfo(calendar.time_zone)
        for day in self.dates((start.date() - margin, end.date() + margin), calendar, shift):
            at = instant(day, hour, zone)
            if start <= at < end:
                yield at

    def __str__(self) -> str:
        """The same cadence in the words `parse` reads, always the same ones."""
        said = f"tous les {_NUMBERS[self.every]} mois, " if self.every > 1 else ""
        said += _listed([_group(list(group)) for _, group in groupby(self.days, key=_kind)])
        said += self._which_months()
        if self.first:
            said += f", {_of(FROM, MONTHS[self.first[1]])} {self.first[0]}"
        if self.last:
            said += f", jusqu'en {MONTHS[self.last[1]]} {self.last[0]}"
        return said

    def _meets(self, year: int, month: int) -> bool:
        at = (year, month)
        if (self.first and at < self.first) or (self.last and at > self.last):
            return False
        if self.months and month not in self.months:
            return False
        return not self.first or ((year - self.first[0]) * 12 + month - self.first[1]) % self.every == 0

    def _which_months(self) -> str:
        numbered = isinstance(self.days[-1], MonthDay)
        if not self.months:
            return " du mois" if numbered else ""
        for name in PERIODS:
            if not numbered and self.months == months_of(name, self.days):
                return f" de chaque {name}"
        names = [MONTHS[month] for month in self.months]
        return f" du mois, en {_listed(names)}" if numbered else f" {_of('de', _listed(names))}"


def instant(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """The instant of an hour of a day on the clocks of a zone.

    An hour that a change of time leaves out comes as much later as the clock jumps; one that comes twice is the first.
    """
    return datetime.combine(day, hour, zone).astimezone(UTC)


def months_of(period: str, days: Sequence[Day]) -> tuple[int, ...] | None:
    """The months in which these days of each period lie; none when some lie in its first, some in its last month."""
    length, ends = PERIODS[period], {_is_last(day) for day in days}
    if len(ends) > 1:
        return None
    return tuple(range(length if ends == {True} else 1, 13, length))


def in_order(days: Sequence[Day]) -> tuple[Day, ...]:
    """Each day once, in the order of the canonical words."""
    return tuple(sorted(dict.fromkeys(days), key=lambda day: (*_kind(day), _rank(day) % 100)))


def _months(start: date, end: date) -> Iterator[tuple[int, int]]:
    for count in range(start.year * 12 + start.month - 1, end.year * 12 + end.month):
        yield divmod(count, 12)[0], count % 12 + 1


def _moved(day: date, calendar: Calendar, shift: Shift) -> date:
    """The day itself when it is worked, else the nearest worked one on the side of the shift."""
    if shift is Shift.NONE:
        return day
    step, moved = timedelta(days=1 if shift is Shift.AFTER else -1), day
    while not calendar.is_working(moved):
        moved += step
        if abs(moved - day) > _FARTHEST:
            return day
    return moved


def _kind(day: Day) -> tuple[int, int, bool]:
    """What days have in common that are named together: « 2e et 4e jeudi »; numbered days come last."""
    match day:
        case WorkingDay():
            return 0, 0, True
        case Weekday(weekday=weekday, worked=worked):
            return 1, weekday, worked
        case MonthDay():
            return 2, 0, False


def _rank(day: Day) -> int:
    return day.day if isinstance(day, MonthDay) else day.rank


def _is_last(day: Day) -> bool:
    return _rank(day) == (LAST_DAY if isinstance(day, MonthDay) else LAST)


def _group(days: Sequence[Day]) -> str:
    if isinstance(days[0], MonthDay):
        return _listed([str(day) for day in days])
    ranks = [_rank(day) for day in days]
    if ranks == [1]:
        return f"premier {days[0]}"
    return f"{_listed([rank_name(rank) for rank in ranks])} {days[0]}"


def _listed(words: Sequence[str]) -> str:
    return " et ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _of(before: str, name: str) -> str:
    """« de mai », « d'avril »."""
    return f"{before.removesuffix('e')}'{name}" if name[0] in "ao" else f"{before} {name}"
