"""Words become dates: the programme's own, every holiday and change of time, and what could mean two things."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailhub.centre import cadences
from mailhub.centre.cadences import Cadence, Occasion, parse, why_closed
from mailhub.centre.cadences.cadence import in_order, months_of
from mailhub.centre.cadences.days import LAST, MonthDay, Weekday, WorkingDay
from mailhub.centre.calendar import Calendar
from mailhub.errors import ListError
from mailhub.lists import Lists, Shift, load

HOUSE = Path(__file__).parent.parent.parent
FRANCE = Calendar()
AUGUST = ((date(2026, 8, 3), date(2026, 8, 28)),)
THE_REVIEW_OF_2026 = """
01-08 01-22 02-12 02-26 03-12 03-26 04-09 04-23 05-13 05-28 06-11 06-25
07-09 07-23 08-13 08-27 09-10 09-24 10-08 10-22 11-12 11-26 12-10 12-24
"""


def dates(words: str, year: int = 2026, calendar: Calendar = FRANCE, shift: Shift = Shift.BEFORE) -> str:
    """The dates of a year, short."""
    return " ".join(day.strftime("%m-%d") for day in parse(words).dates(year, calendar, shift))


def examples() -> Lists:
    return load(HOUSE / "lists", cadence=parse)


# --- the programme --------------------------------------------------------------------------------------------


def test_the_review_has_exactly_its_24_dates_of_2026():
    moved = [at for at in parse("2e et 4e jeudi").occasions(2026, FRANCE) if at.day != at.planned]

    assert dates("2e et 4e jeudi") == " ".join(THE_REVIEW_OF_2026.split())
    assert moved == [Occasion(date(2026, 5, 13), date(2026, 5, 14))]


@pytest.mark.parametrize(
    ("shift", "day"), [(Shift.BEFORE, "05-13"), (Shift.AFTER, "05-15"), (Shift.NONE, "05-14")]
)
def test_a_holiday_moves_a_date_as_the_list_wishes(shift, day):
    assert dates("2e jeudi de mai", shift=shift) == day


@pytest.mark.parametrize("year", range(2026, 2031))
def test_the_letter_has_twelve_slots_a_year_even_with_a_month_closed(year):
    closed = Calendar(closures=((date(year, 8, 1), date(year, 8, 31)),))
    found = list(parse("premier mardi ouvré").occasions(year, closed))

    assert [at.planned.month for at in found] == list(range(1, 13))
    assert all(closed.is_working(at.day) for at in found)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("premier mardi ouvré", "01-06 02-03 03-03 04-07 05-05 06-02 07-07 08-04 09-01 10-06 11-03 12-01"),
        ("premier jour ouvré", "01-02 02-02 03-02 04-01 05-04 06-01 07-01 08-03 09-01 10-01 11-02 12-01"),
        ("premier vendredi ouvré de mai", "05-15"),  # the 1st and the 8th are holidays
        ("dernier jour ouvré de mai", "05-29"),
        ("3e jour ouvré de mai", "05-06"),
        ("le 10 du mois, en janvier et mai", "01-09 05-07"),  # a Saturday; a Sunday after 8 May
        ("le 31 du mois, en février et avril", "02-27 04-30"),
        ("le 1er et le 15 mai", "04-30 05-15"),
        ("une fois par trimestre", "01-02 04-01 07-01 10-01"),
        ("une fois par trimestre, le dernier vendredi", "03-27 06-26 09-25 12-24"),  # Christmas
        ("une fois par semestre, le 2e mardi", "01-13 07-13"),  # the national day
        ("tous les deux mois à partir de mai 2026", "05-04 07-01 09-01 11-02"),
        ("tous les deux mois, le 2e mardi, à partir de novembre 2025, jusqu'en avril 2026", "01-13 03-10"),
        ("le dernier vendredi ouvré de mai, septembre et novembre", "05-29 09-25 11-27"),
        ("premier samedi de juin", "06-05"),
    ],
)
def test_words_and_their_dates_of_2026(words, expected):
    assert dates(words) == expected


def test_an_atelier_that_ended_in_april_2003_meets_no_more():
    cadence = parse("tous les deux mois à partir de décembre 2002 jusqu'en avril 2003")

    assert list(cadence.dates((date(2002, 1, 1), date(2004, 12, 31)), FRANCE)) == [
        date(2002, 12, 2), date(2003, 2, 3), date(2003, 4, 1),
    ]  # fmt: skip


def test_two_dates_in_one_closure_both_stay_and_are_shown_to_be_moved():
    closed = Calendar(closures=AUGUST)

    assert dates("2e et 4e jeudi d'août", calendar=closed) == "07-31 07-31"
    assert dates("2e et 4e jeudi d'août", calendar=closed, shift=Shift.AFTER) == "08-31 08-31"


def test_a_centre_closed_for_ever_keeps_its_dates_where_they_are():
    closed = Calendar(closures=((date(2000, 1, 1), date(2100, 1, 1)),))

    assert dates("2e jeudi de mai") == "05-13"
    assert dates("2e jeudi de mai", calendar=closed) == "05-14"


# --- words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "canonical"),
    [
        ("2e et 4e jeudi", "2e et 4e jeudi"),
        ("Les 2ᵉ et 4ᵉ jeudis du mois.", "2e et 4e jeudi"),
        ("4e jeudi et deuxième jeudi", "2e et 4e jeudi"),
        ("deux fois par mois : les 2ème et 4ème JEUDIS", "2e et 4e jeudi"),
        ("le premier mardi ouvre", "premier mardi ouvré"),
        ("1er mardi ouvré de chaque mois", "premier mardi ouvré"),
        ("1er et 3e lundi, dernier vendredi", "1er et 3e lundi et dernier vendredi"),
        ("deux fois par mois, le 10 et le 25", "le 10 et le 25 du mois"),
        ("le quinze", "le 15 du mois"),
        ("le 15 et le dernier jour", "le 15 et le dernier jour du mois"),
        ("une fois par mois", "premier jour ouvré"),
        ("une fois par trimestre", "premier jour ouvré de chaque trimestre"),
        ("le dernier jeudi de mars, juin, septembre et décembre", "dernier jeudi de chaque trimestre"),
        ("une fois par an, le 10 mars", "le 10 du mois, en mars"),
        ("2e mardi d'avril et d'octobre", "2e mardi d'avril et octobre"),
        ("tous les deux mois à partir de mai 2026", "tous les deux mois, premier jour ouvré, à partir de mai 2026"),
        ("2e jeudi à partir d'août 2026", "2e jeudi, à partir d'août 2026"),
        ("trois fois par an, le dernier vendredi ouvré de mai, septembre et novembre", "dernier vendredi ouvré de mai, septembre et novembre"),
    ],
)  # fmt: skip
def test_many_ways_to_write_are_one_way_to_read(words, canonical):
    assert str(parse(words)) == canonical
    assert parse(canonical) == parse(words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "no cadence is written"),
        ("2e mrdi", '"mrdi" is not understood (did you mean "mardi"?)'),
        ("premier jeudi ouvrable", '"ouvrable" is not understood (did you mean "ouvré"?)'),
        ("mensuel", '"mensuel" is not understood there'),
        ("jeudi", "which jeudi?"),
        ("2e", "2e what?"),
        ("2 jeudi", "write « 2e jeudi », or « le 2 du mois »"),
        ("5e jeudi", "not every month has a 5e jeudi; write « dernier jeudi »"),
        ("7e jeudi", "no month has a 7e jeudi"),
        ("le 32", "no month has a day 32"),
        ("0 fois par mois", "no month has a day 0"),
        ("20e jour ouvré", "write a rank from 1 to 15"),
        ("2e jeudi ouvré", "write « 2e jeudi », and on_holiday says where it moves"),
        ("premier dimanche ouvré", "nobody works on a dimanche"),
        ("deux fois par mois", "on which days?"),
        ("deux fois par mois, 2e jeudi", "it says 2 and names 1"),
        ("quatre fois par an, le 10 en mars, juin et octobre", "it says 4 and names 3"),
        ("trois fois par an", "on which days?"),
        ("une fois par an", "in which months?"),
        ("premier et dernier mardi de chaque trimestre", "in which months?"),
        ("tous les deux mois", "from which month on?"),
        ("tous les deux mois, en mai, à partir de mai 2026", "write one of them"),
        ("tous les 40 mois à partir de mai 2026", "N from 1 to 12"),
        ("tous les deux ans à partir de mai 2026", "count in months"),
        ("2e jeudi à partir de mai", "write the year too: « mai 2026 »"),
        ("2e jeudi à partir du 8 janvier 2026", "a month is wanted, not a day"),
        ("2e jeudi de janvier 2026", "a cadence is for every year"),
        ("2e jeudi à partir de mai 2026 jusqu'en avril 2026", "it ends before it begins"),
        ("2e jeudi à partir de mai 2026 à partir de juin 2026", "it begins or ends twice"),
        ("2e jeudi de", "something is missing at the end"),
        ("tous les lundis", "write for instance « 1er et 3e lundi »"),
        ("toutes les deux semaines", "a week is no measure here"),
        ("chaque mois, chaque mois", "it says twice how often"),
        ("le " + "9" * 5000, "no month has a day"),
    ],
)
def test_what_is_not_understood_is_refused_with_a_way_out(words, says):
    with pytest.raises(ListError) as refused:
        parse(words)

    assert str(refused.value).startswith(f"« {words} »: ")
    assert says in str(refused.value)


VOCABULARY = [
    "le", "1er", "2e", "dernier", "10", "jeudi", "jour", "ouvré", "et", ",", "de", "mai", "en", "du", "mois", "trimestre",
    "tous", "les", "deux", "fois", "par", "chaque", "à", "partir", "2026", "jusqu'en",
]  # fmt: skip


@given(st.lists(st.sampled_from(VOCABULARY)))
def test_no_words_do_anything_but_mean_a_cadence_or_be_refused(words):
    try:
        read = parse(" ".join(words))
    except ListError:
        return
    assert parse(str(read)) == read


# --- properties -----------------------------------------------------------------------------------------------

WORKED = st.builds(Weekday, st.sampled_from([1, LAST]), st.integers(0, 4), st.just(value=True))
DAYS = st.one_of(
    WORKED,
    st.builds(Weekday, st.sampled_from([1, 2, 3, 4, LAST]), st.integers(0, 6)),
    st.builds(WorkingDay, st.sampled_from([*range(1, 16), LAST])),
    st.builds(MonthDay, st.integers(1, 31)),
)
MONTHS = st.lists(st.integers(1, 12), max_size=11, unique=True).map(lambda months: tuple(sorted(months)))
MONTH = st.tuples(st.integers(2025, 2026), st.integers(1, 12))
CLOSURES = st.lists(
    st.builds(
        lambda first, days: (first, first + timedelta(days=days)),
        st.dates(date(2025, 12, 1), date(2028, 1, 31)),
        st.integers(0, 40),
    ),
    max_size=4,
).map(tuple)


@st.composite
def any_cadence(draw):
    days = in_order(draw(st.lists(DAYS, min_size=1, max_size=4)))
    every = draw(st.integers(1, 12))
    first = draw(MONTH if every > 1 else st.none() | MONTH)
    last = draw(st.none() | st.tuples(st.just(2027), st.integers(1, 12)))
    return Cadence(days, () if every > 1 else draw(MONTHS), every, first, last)


@given(any_cadence())
def test_every_cadence_is_read_back_from_its_own_words(cadence):
    assert parse(str(cadence)) == cadence


@settings(deadline=None)
@given(any_cadence(), CLOSURES, st.sampled_from(Shift))
def test_dates_are_in_order_each_planned_in_its_month_and_worked_where_asked(cadence, closures, shift):
    calendar = Calendar(closures=closures)
    found = list(cadence.occasions((date(2026, 1, 1), date(2027, 12, 31)), calendar, shift))

    assert all(one.day <= other.day for one, other in pairwise(found))
    assert all(not cadence.months or at.planned.month in cadence.months for at in found)
    if shift is not Shift.NONE:
        assert all(calendar.is_working(at.day) for at in found)
    if shift is Shift.NONE:
        assert all((at.day.year, at.day.month) == (at.planned.year, at.planned.month) for at in found)


@settings(deadline=None)
@given(any_cadence(), CLOSURES, st.sampled_from(Shift), st.integers(0, 500 * 24))
def test_instants_cut_in_two_are_the_same_instants(cadence, closures, shift, hours):
    """A scheduler that asks from where it stopped misses nothing and meets nothing twice."""
    calendar, hour = Calendar(closures=closures), time(9)
    start, end = datetime(2025, 11, 1, tzinfo=UTC), datetime(2027, 9, 1, tzinfo=UTC)
    cut = start + timedelta(hours=hours)
    whole = list(cadence.slots(start, end, hour, calendar, shift))

    parts = [
        *cadence.slots(start, cut, hour, calendar, shift),
        *cadence.slots(cut, end, hour, calendar, shift),
    ]

    assert parts == whole


@given(st.lists(DAYS, min_size=1, max_size=3), st.sampled_from(["trimestre", "semestre"]))
def test_a_period_has_as_many_months_as_it_comes_in_a_year(days, period):
    months = months_of(period, days)

    assert months is None or len(months) == {"trimestre": 4, "semestre": 2}[period]


# --- hours ----------------------------------------------------------------------------------------------------

PROGRAM = """
from datetime import UTC, datetime, time
from mailhub.centre.cadences import parse
from mailhub.centre.calendar import Calendar
start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
for at in parse("premier jour ouvré").slots(start, end, time(9), Calendar()):
    print(at.isoformat())
for words in ("dernier lundi de mars", "dernier samedi de mars", "dernier lundi d'octobre", "dernier samedi d'octobre"):
    for at in parse(words).slots(start, end, time(9), Calendar(country="FR")):
        print(at.isoformat())
"""


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Anchorage"])
def test_nine_oclock_in_paris_is_nine_oclock_in_paris_whatever_the_host_thinks(zone):
    """T30: every month of 2026 to 2030, and the weeks in which the time changes."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env={"TZ": zone, "PATH": os.environ["PATH"], "PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        check=False,
    )
    instants = [datetime.fromisoformat(line) for line in done.stdout.split()]
    monthly, changes = instants[:60], instants[60:]

    assert done.stderr == ""
    assert [(at.year, at.month) for at in monthly] == [
        (y, m) for y in range(2026, 2031) for m in range(1, 13)
    ]
    assert all(at.utcoffset() == timedelta(0) for at in instants)
    assert [at.hour for at in monthly] == [7 if 4 <= at.month <= 10 else 8 for at in monthly]
    assert {at.astimezone(ZoneInfo("Europe/Paris")).time() for at in instants} == {time(9)}
    assert len(changes) == 20


def test_both_weeks_of_the_change_of_time_have_their_own_instant():
    def first(words: str) -> str:
        span = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
        return next(parse(words).slots(*span, time(9), FRANCE, Shift.NONE)).isoformat()

    # The clocks change on Sunday 29 March and Sunday 25 October 2026.
    assert first("dernier vendredi de mars") == "2026-03-27T08:00:00+00:00"
    assert first("dernier dimanche de mars") == "2026-03-29T07:00:00+00:00"
    assert first("4e samedi d'octobre") == "2026-10-24T07:00:00+00:00"
    assert first("dernier dimanche d'octobre") == "2026-10-25T08:00:00+00:00"


def test_an_hour_that_the_change_of_time_leaves_out_or_repeats_comes_once():
    def at(words: str) -> list[datetime]:
        span = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
        return list(parse(words).slots(*span, time(2, 30), FRANCE, Shift.NONE))

    assert at("dernier dimanche de mars") == [datetime(2026, 3, 29, 1, 30, tzinfo=UTC)]
    assert at("dernier dimanche d'octobre") == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_the_start_of_a_span_belongs_to_it_and_its_end_to_the_next():
    nine = datetime(2026, 5, 13, 7, tzinfo=UTC)
    review = parse("2e et 4e jeudi")

    assert list(review.slots(nine, nine + timedelta(seconds=1), time(9), FRANCE)) == [nine]
    assert list(review.slots(nine - timedelta(days=1), nine, time(9), FRANCE)) == []


def test_a_date_moved_into_the_year_before_leaves_in_the_year_before():
    cadence, hour = parse("le 1er du mois, en janvier"), time(9)
    december = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    assert list(cadence.dates(2027, FRANCE)) == [date(2026, 12, 31)]
    assert list(cadence.slots(*december, hour, FRANCE)) == [datetime(2026, 12, 31, 8, tzinfo=UTC)]


# --- publications ---------------------------------------------------------------------------------------------


def test_twelve_months_are_shown_with_what_moved_a_date():
    rows = cadences.preview(examples().publication("revue"), date(2026, 1, 1), FRANCE)

    assert len(rows) == 24
    assert [row for row in rows if row.because] == [
        cadences.Row(
            day=date(2026, 5, 13),
            weekday="mercredi",
            at=datetime(2026, 5, 13, 7, tzinfo=UTC),
            planned=date(2026, 5, 14),
            because="Ascension",
        )
    ]


def test_a_closure_is_named_as_the_settings_write_it():
    closed = Calendar(closures=AUGUST)
    rows = cadences.preview(examples().publication("lettre"), date(2026, 1, 31), closed)

    assert [(row.planned, row.because) for row in rows if row.because] == [
        (date(2026, 8, 4), "2026-08-03/2026-08-28")
    ]
    assert [row.planned.month for row in rows] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1]


def test_a_publication_may_keep_a_clock_of_its_own():
    revue = examples().publication("revue")
    abroad = revue.model_copy(
        update={"schedule": revue.schedule.model_copy(update={"time_zone": "Indian/Reunion"})}
    )
    span = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)

    assert [at.hour for at in cadences.slots(revue, *span, FRANCE)] == [8, 8]
    assert [at.hour for at in cadences.slots(abroad, *span, FRANCE)] == [5, 5]


@pytest.mark.parametrize(
    ("day", "because"),
    [
        (date(2026, 5, 14), "Ascension"),
        (date(2026, 8, 5), "2026-08-03/2026-08-28"),
        (date(2026, 8, 15), "Assomption"),
        (date(2026, 6, 6), "samedi"),
        (date(2026, 6, 5), "2026-06-05"),
        (date(2026, 6, 4), ""),
    ],
)
def test_why_nobody_is_there(day, because):
    assert why_closed(day, Calendar(closures=(*AUGUST, (date(2026, 6, 5), date(2026, 6, 5))))) == because
