"""A publication's own dates: its cadence at its hour, in its zone, moved as it wishes; and why a date was moved."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from mailhub.centre.cadences.cadence import instant
from mailhub.centre.cadences.days import WEEKDAYS
from mailhub.centre.cadences.words import parse
from mailhub.centre.calendar import Calendar
from mailhub.lists import Publication


@dataclass(frozen=True, slots=True)
class Row:
    """One date of a publication, for a person to check."""

    day: date
    weekday: str
    at: datetime  # the instant an issue leaves, in UTC
    planned: date  # the day its words name when nothing is closed
    because: str  # what is on the planned day: a holiday's name, a closure as the settings write it, a weekday; or ""


def slots(publication: Publication, start: datetime, end: datetime, calendar: Calendar) -> Iterator[datetime]:
    """The instants, in UTC, at which issues are due: from `start`, before `end`."""
    schedule, here = publication.schedule, _own(publication, calendar)
    return parse(schedule.cadence).slots(start, end, schedule.hour, here, schedule.on_holiday)


def preview(publication: Publication, start: date, calendar: Calendar) -> list[Row]:
    """Every date planned in the twelve months from a day on."""
    schedule, here = publication.schedule, _own(publication, calendar)
    end = _a_year_later(start)
    zone = ZoneInfo(here.time_zone)
    return [
        Row(
            day=occasion.day,
            weekday=WEEKDAYS[occasion.day.weekday()],
            at=instant(occasion.day, schedule.hour, zone),
            planned=occasion.planned,
            because=why_closed(occasion.planned, here),
        )
        for occasion in parse(schedule.cadence).occasions((start, end), here, schedule.on_holiday)
        if occasion.planned < end
    ]


def why_closed(day: date, calendar: Calendar) -> str:
    """What keeps people away that day: « Ascension », "2026-08-03/2026-08-14", « samedi »; nothing, if they work."""
    if calendar.is_working(day):
        return ""
    if name := _holidays(calendar.country, calendar.subdivision).get(day):
        return str(name)
    for first, last in calendar.closures:
        if first <= day <= last:
            return f"{first}/{last}" if first < last else str(first)
    return WEEKDAYS[day.weekday()]


def _own(publication: Publication, calendar: Calendar) -> Calendar:
    """The centre's calendar on the publication's clock."""
    zone = publication.schedule.time_zone
    return replace(calendar, time_zone=zone) if zone and zone != calendar.time_zone else calendar


@cache
def _holidays(country: str, subdivision: str | None) -> holidays.HolidayBase:
    """Holidays in French where the country has them in French, whatever language this machine speaks."""
    known = holidays.country_holidays(country, subdiv=subdivision)
    spoken = "fr" if "fr" in (known.supported_languages or ()) else known.default_language
    return holidays.country_holidays(country, subdiv=subdivision, language=spoken)


def _a_year_later(day: date) -> date:
    year = day.year + 1
    return date(year, day.month, min(day.day, monthrange(year, day.month)[1]))
