"""`mailhub play --once`: every step is true, a false one is named, and nobody's real home is played in."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mailhub.errors import HomeError, Refused
from mailhub.play import home as homes
from mailhub.play import run


def command(home: Path, *how: str) -> list[str]:
    return [sys.executable, "-m", "mailhub.cli", "play", "--home", str(home), *how]


def play(home: Path, *how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(home, *how),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        # Whoever runs a real centre on this machine has such variables; a play must never follow them there.
        env=os.environ
        | {"DATABASE_URL": "sqlite:////nowhere/real.db", "MAILHUB_CENTRE__NAME": "Un vrai centre"},
    )


@pytest.mark.parametrize(
    ("how", "first"),
    [
        ((), "0001-from-n.benali@kerbrec.example.eml"),
        (("--story", "lists"), "0001-from-o.legall@landreger.example.eml"),
    ],
    ids=["question", "lists"],
)
def test_every_step_of_the_story_is_true(tmp_path, how, first):
    told = play(tmp_path / "home", "--once", *how)

    assert told.returncode == 0, told.stdout + told.stderr
    assert "FALSE" not in told.stdout
    assert "Every step was true." in told.stdout
    assert told.stderr == ""
    assert f"mails/{first}" in told.stdout
    assert (tmp_path / "home" / "mails" / first).exists()


@pytest.fixture
def indiscreet(tmp_path):
    """A home whose answers give an address of staff away."""
    planted = tmp_path / "templates" / "mail" / "answer" / "body.txt"
    planted.parent.mkdir(parents=True)
    planted.write_text("{{ text }}\n{{ question|quoted }}\nclaire.morvan@villes-rives.example\n", "utf-8")
    return tmp_path


def test_a_falsehood_ends_the_story_and_is_named(indiscreet, now):
    """Here under a stopped clock."""
    told = play(indiscreet, "--once", "--now", now.isoformat())

    assert told.returncode == 1, told.stdout + told.stderr
    assert "   true   it promises a date: jeudi 5 mars 2026\n" in told.stdout
    assert "   FALSE  it holds no address of staff\n" in told.stdout
    assert "This was false: it holds no address of staff\n" in told.stdout


def test_the_story_is_told_to_a_program_event_by_event(indiscreet, now):
    told = play(indiscreet, "--once", "--json", "--now", now.isoformat())

    *_, step, end, left = map(json.loads, told.stdout.splitlines())
    assert told.returncode == 1, told.stderr
    assert (step["says"], step["true"]) == ("it holds no address of staff", False)
    assert (end["event"], end["true"]) == ("end", False)
    assert left == {"event": "left", "mails": str(indiscreet / "mails"), "home": str(indiscreet)}


def test_a_question_that_does_not_say_what_the_yes_is_to_is_a_falsehood(tmp_path, now):
    """The sentence kept as proof must have been shown; here by a clock that begins on the day the letter leaves."""
    planted = tmp_path / "templates" / "mail" / "subscription-confirmation" / "body.txt"
    planted.parent.mkdir(parents=True)
    planted.write_text("Répondez OUI.\n", "utf-8")

    told = play(tmp_path, "--once", "--story", "lists", "--now", now.isoformat())

    assert told.returncode == 1, told.stdout + told.stderr
    assert "   true   the proof kept is that very mail\n" in told.stdout
    assert "This was false: with the sentence the question showed\n" in told.stdout


def test_a_story_without_once_is_refused_with_what_to_add(tmp_path):
    refused = play(tmp_path / "home", "--story", "lists")

    assert refused.returncode == 1
    assert "add --once" in refused.stderr
    assert not (tmp_path / "home").exists()


def test_the_home_of_a_real_centre_is_not_played_in(tmp_path):
    (tmp_path / "mailhub.toml").write_text('[centre]\nname = "Un vrai centre"\n')

    with pytest.raises(HomeError, match="something else than a playground"):
        homes.prepare(tmp_path, None)

    assert [path.name for path in tmp_path.iterdir()] == ["mailhub.toml"]


def test_a_folder_of_something_else_is_not_played_in(tmp_path):
    (tmp_path / "photos").mkdir()

    with pytest.raises(HomeError, match="name a new folder"):
        homes.prepare(tmp_path, None)


def test_the_story_is_told_in_a_new_home_only(tmp_path, now):
    homes.prepare(tmp_path / "home", now)

    with pytest.raises(Refused, match="a home already"):
        run(tmp_path / "home", once=True)


def test_ctrl_c_ends_the_page_and_says_where_the_mails_are(tmp_path):
    home = tmp_path / "home"
    with subprocess.Popen(
        command(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as playing:
        first = playing.stdout.readline()
        playing.send_signal(signal.SIGINT)
        rest, errors = playing.communicate(timeout=60)

    assert first.startswith("http://127.0.0.1:")
    assert f"The mails are in {home / 'mails'}" in rest
    assert errors == ""
    assert playing.returncode in {0, 130}  # the latter before the house was open
