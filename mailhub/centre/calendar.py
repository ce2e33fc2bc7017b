"""Working days of the centre: weekends, French holidays, closures and the hour after which a day is over.

A promise is a date, never a number of hours. A mail that comes after the cut-off, or on a day off, counts as
received on the next working day (domain.md section 1.9, R16).
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import holidays


@dataclass(frozen=True)
class Calendar:
    """The days a centre works, in its own time zone."""

    time_zone: str = "Europe/Paris"
    cut_off: time = time(17)
    country: str = "FR"
    subdivision: str | None = None  # "57" keeps the holidays of Moselle, "BRE" has none of its own
    closures: tuple[tuple[date, date], ...] = field(default=())  # first and last day of each closure

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def _holidays(self) -> holidays.HolidayBase:
        return holidays.country_holidays(self.country, subdiv=self.subdivision)

    @cached_property  # the same few days are asked for with each mail, and the library takes its time
    def _known(self) -> dict[date, bool]:
        return {}

    def local(self, instant: datetime) -> datetime:
        """The same instant on the centre's clock."""
        return instant.astimezone(self._zone)

    def morning(self, day: date) -> datetime:
        """The first instant of a day on the centre's clock."""
        return datetime.combine(day, time.min, self._zone)

    def is_working(self, day: date) -> bool:
        """Say whether somebody is there that day."""
        known = self._known.get(day)
        if known is None:
            known = self._known[day] = (
                day.weekday() < 5
                and day not in self._holidays
                and not any(first <= day <= last for first, last in self.closures)
            )
        return known

    def next_working(self, day: date) -> date:
        """That day when it is worked, else the first worked one after it."""
        while not self.is_working(day):
            day += timedelta(days=1)
        return day

    def day_of_receipt(self, received_at: datetime) -> date:
        """Day 0 of a promise: today before the cut-off of a working day, else the next working day."""
        here = self.local(received_at)
        day = here.date() if here.time() < self.cut_off else here.date() + timedelta(days=1)
        return self.next_working(day)

    def due_on(self, received_at: datetime, working_days: int) -> date:
        """The date promised for something received at that instant."""
        return self.plus(self.day_of_receipt(received_at), working_days)

    def plus(self, day: date, working_days: int) -> date:
        """The day that many working days later."""
        for _ in range(working_days):
            day = self.next_working(day + timedelta(days=1))
        return day
