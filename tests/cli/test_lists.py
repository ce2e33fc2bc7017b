"""What `mailhub lists` says of a new home: two publications, nothing wrong, and their dates."""

from datetime import time

import pytest

from mailhub import app, config


def test_a_new_home_has_the_letter_and_the_review(run, home):
    listed = run("lists", "ls", "--json", "--home", home)

    assert [(row["code"], row["cadence"], row["channels"]) for row in listed.lines] == [
        ("lettre", "premier mardi ouvré", ["email", "paper"]),
        ("revue", "2e et 4e jeudi", ["email"]),
    ]
    assert run("lists", "ls", "--home", home).out.startswith(
        "lettre\tpublication\tLettre mensuelle\tlettre\t"
    )


def test_the_dates_of_a_year_with_what_moved_them(run, home):
    shown = run("lists", "calendar", "revue", "--year", "2026", "--home", home)

    assert len(shown.out.splitlines()) == 24
    assert "revue\t2026-05-13\tmercredi\t09:00\t2026-05-14\tAscension\tno\n" in shown.out


def test_closures_of_the_settings_move_dates(run, home):
    settings = home / "mailhub.toml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("# closures = []", 'closures = ["2026-08-03/2026-08-07"]'), "utf-8")
    rows = run("lists", "calendar", "--year", "2026", "--json", "--home", home).lines

    assert len(rows) == 36
    assert [row for row in rows if row["because"] == "2026-08-03/2026-08-07"] == [
        {
            "code": "lettre",
            "day": "2026-08-11",
            "weekday": "mardi",
            "at": "2026-08-11T07:00:00+00:00",
            "planned": "2026-08-04",
            "because": "2026-08-03/2026-08-07",
            "hour": "09:00",
            "may_be_double": False,
        }
    ]
    assert [row["planned"] for row in rows if row["may_be_double"]] == ["2026-07-07"]


def test_the_days_printed_are_the_days_served(home):
    """One calendar for both, cut-off included."""
    settings = home / "mailhub.toml"
    text = settings.read_text("utf-8")
    settings.write_text(
        text.replace('# cut_off = "17:00:00"', "cut_off = 12:00:00").replace(
            "# cut_off = 17:00:00", "cut_off = 12:00:00"
        ),
        "utf-8",
    )
    read = config.load(home, {})
    built = app.build(read)
    built.close()

    assert built.centre.calendar == app.calendar(read)
    assert app.calendar(read).cut_off == time(12)


def test_from_today_a_year_of_dates(run, home):
    assert len(run("lists", "calendar", "revue", "--json", "--home", home).lines) == 24


def test_everything_wrong_is_said_and_fails(run, home):
    (home / "lists" / "lettre.toml").write_text('titre = "Lettre"\nkind = "circle"\n', "utf-8")
    said = 'lists/lettre.toml: unknown key "titre" (did you mean "title"?)'

    checked = run("lists", "check", "--home", home)

    assert (checked.status, checked.out, checked.said) == (1, f"{said}\n", "1 wrong\n")
    assert run("lists", "check", "--json", "--home", home).document["ok"] is False
    assert run("lists", "ls", "--home", home).said == f"mailhub: {said}\n"


def test_nothing_is_wrong_with_a_new_home_nor_with_one_without_lists(run, home):
    assert run("lists", "check", "--home", home).said == "nothing is wrong\n"
    for path in (home / "lists").iterdir():
        path.unlink()
    (home / "lists").rmdir()
    assert run("lists", "check", "--home", home).said == "nothing is wrong\n"
    assert run("lists", "calendar", "--home", home).said == "no date: there is no publication in lists/\n"
    said = 'mailhub: there is no publication "revue"; `mailhub lists ls` lists them\n'
    assert run("lists", "calendar", "revue", "--home", home).said == said


@pytest.mark.parametrize("command", ["ls", "check", "calendar"])
def test_a_folder_that_is_no_home_has_no_lists(run, tmp_path, command):
    said = f"mailhub: {tmp_path}/mailhub.toml: there is no such file; `mailhub init {tmp_path}` writes one\n"
    refused = run("lists", command, "--home", tmp_path)
    assert (refused.status, refused.said) == (1, said)
