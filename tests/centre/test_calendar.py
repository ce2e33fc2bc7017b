"""The dates of domain.md section 1.9, every row, and what closures do to them."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from mailhub.centre.calendar import Calendar

PARIS = ZoneInfo("Europe/Paris")
TABLE = [
    ("2026-03-03 10:00", "2026-03-03", "2026-03-05", "2026-03-10", "2026-03-24"),
    ("2026-04-02 10:00", "2026-04-02", "2026-04-07", "2026-04-10", "2026-04-24"),
    ("2026-04-30 10:00", "2026-04-30", "2026-05-05", "2026-05-11", "2026-05-27"),
    ("2026-04-30 17:45", "2026-05-04", "2026-05-06", "2026-05-12", "2026-05-28"),
    ("2026-05-09 12:00", "2026-05-11", "2026-05-13", "2026-05-19", "2026-06-03"),
    ("2026-05-13 10:00", "2026-05-13", "2026-05-18", "2026-05-21", "2026-06-05"),
    ("2026-05-22 10:00", "2026-05-22", "2026-05-27", "2026-06-01", "2026-06-15"),
    ("2026-07-13 10:00", "2026-07-13", "2026-07-16", "2026-07-21", "2026-08-04"),
    ("2026-12-23 10:00", "2026-12-23", "2026-12-28", "2026-12-31", "2027-01-15"),
]


@pytest.mark.parametrize(("received", "day0", "two", "five", "fifteen"), TABLE)
def test_the_due_dates_of_the_programme(received, day0, two, five, fifteen):
    calendar = Calendar()
    instant = datetime.fromisoformat(received).replace(tzinfo=PARIS)

    assert calendar.day_of_receipt(instant) == date.fromisoformat(day0)
    assert [calendar.due_on(instant, days).isoformat() for days in (2, 5, 15)] == [two, five, fifteen]


def test_a_closure_moves_the_promise_to_after_it():
    calendar = Calendar(closures=((date(2026, 8, 3), date(2026, 8, 14)),))
    instant = datetime(2026, 7, 31, 10, tzinfo=PARIS)

    assert calendar.due_on(instant, 2) == date(2026, 8, 18)


def test_the_cut_off_is_on_the_centres_own_clock():
    late_in_paris = datetime(2026, 7, 15, 15, 30, tzinfo=ZoneInfo("UTC"))

    assert Calendar().day_of_receipt(late_in_paris) == date(2026, 7, 16)
    assert Calendar(cut_off=time(18)).day_of_receipt(late_in_paris) == date(2026, 7, 15)
