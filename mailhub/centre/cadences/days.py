"""The days a cadence can name within a month: « 2e jeudi », « premier jour ouvré », « le 10 ».

Each kind finds its day in any month, whatever is closed, so that no month of a cadence goes without its date.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mailhub.centre.calendar import Calendar

LAST = -1  # the rank « dernier »
LAST_DAY = 31  # the day of the month that becomes 30, 29 or 28 where it must
WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
WORKED = "ouvré"  # the language of lists/*.toml, which staff write themselves


@dataclass(frozen=True, slots=True, order=True)
class Occasion:
    """One date of a cadence: the day it falls on, and the day its words name when nothing is closed."""

    day: date
    planned: date


@dataclass(frozen=True, slots=True)
class Weekday:
    """« 2e jeudi »; « premier mardi ouvré » is the first Tuesday that is worked."""

    rank: int  # 1 to 4, or LAST
    weekday: int  # 0 is Monday
    worked: bool = False  # only with the first and the last rank: others would meet in a month with a holiday

    def in_month(self, year: int, month: int, calendar: Calendar) -> Occasion:
        """Its day in a month; when none is worked, the one it would be without closures."""
        days = [day for day in _days_of(year, month) if day.weekday() == self.weekday]
        planned = _ranked(days, self.rank)
        if not self.worked:
            return Occasion(planned, planned)
        worked = [day for day in days if calendar.is_working(day)]
        return Occasion(_ranked(worked, self.rank) if worked else planned, planned)

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]} {WORKED}" if self.worked else WEEKDAYS[self.weekday]


@dataclass(frozen=True, slots=True)
class WorkingDay:
    """« premier jour ouvré », « 10e jour ouvré »."""

    rank: int  # 1 to 15, or LAST

    def in_month(self, year: int, month: int, calendar: Calendar) -> Occasion:
        """Its day in a month; as far as the month has worked days, else as if nothing were closed."""
        days = list(_days_of(year, month))
        worked = [day for day in days if calendar.is_working(day)]
        day = _ranked(worked or [day for day in days if day.weekday() < 5], self.rank)
        return Occasion(day, day)

    def __str__(self) -> str:
        return f"jour {WORKED}"


@dataclass(frozen=True, slots=True)
class MonthDay:
    """« le 10 »; « le 31 » is the last day of a shorter month."""

    day: int  # 1 to 31

    def in_month(self, year: int, month: int, calendar: Calendar) -> Occasion:  # noqa: ARG002 — as the others
        """Its day in a month."""
        day = _ranked(list(_days_of(year, month)), self.day)
        return Occasion(day, day)

    def __str__(self) -> str:
        if self.day == LAST_DAY:
            return "le dernier jour"
        return "le 1er" if self.day == 1 else f"le {self.day}"


Day = Weekday | WorkingDay | MonthDay


def rank_name(rank: int) -> str:
    """« 1er », « 2e », « dernier »."""
    if rank == LAST:
        return "dernier"
    return "1er" if rank == 1 else f"{rank}e"


def _days_of(year: int, month: int) -> Iterator[date]:
    day = date(year, month, 1)
    while day.month == month:
        yield day
        day += timedelta(days=1)


def _ranked(days: Sequence[date], rank: int) -> date:
    """The day of that rank, or the last when there are fewer."""
    return days[-1] if rank == LAST else days[min(rank, len(days)) - 1]
