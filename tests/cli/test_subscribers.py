"""Staff note what readers told them; every note is proof, and nobody joins without their own yes."""

import json

import pytest

NOTE = ("--note", "par téléphone le 3 mars", "--by", "Claire")
FILE = "nom;courriel\nAnne Le Goff;anne@kerbrec.example\nAnne Le Goff;ANNE@kerbrec.example\nx;rien\n"


@pytest.fixture
def filled(run, home):
    """A home with one reader of the letter."""
    file = home / "lecteurs.csv"
    file.write_text(FILE)
    assert run("subscribers", "import", file, "--to", "lettre", "--home", home).status == 0
    return home


def test_a_file_is_shown_first_and_then_brought_in(run, home):
    file = home / "lecteurs.csv"
    file.write_text(FILE)
    shown = run("subscribers", "import", file, "--to", "lettre", "--dry-run", "--json", "--home", home)
    nobody = run("subscribers", "ls", "--home", home)
    done = run("subscribers", "import", file, "--to", "lettre", "--json", "--home", home)

    assert [line["fate"] for line in shown.lines] == ["added", "merged", "refused"]
    assert shown.lines == done.lines
    assert "nobody" in nobody.said
    assert [row["address"] for row in run("subscribers", "ls", "--json", "--home", home).lines] == [
        "anne@kerbrec.example"
    ]


def test_r31_whoever_asked_by_phone_is_asked_by_mail(run, home):
    asked = run("subscribers", "add", "hugo@kerbrec.example", "--to", "revue", *NOTE, "--home", home)
    again = run("subscribers", "add", "hugo@kerbrec.example", "--to", "revue", *NOTE, "--home", home)
    (row,) = run("subscribers", "ls", "--json", "--home", home).lines
    letters = run("outbox", "ls", "--json", "--home", home).lines

    assert (asked.status, again.status, row["state"]) == (0, 1, "pending")
    assert [letter["kind"] for letter in letters] == ["subscription-confirmation"]


def test_an_address_without_a_whole_domain_is_neither_added_nor_imported(run, home):
    file = home / "lecteurs.csv"
    file.write_text("nom;courriel\nJeanne Morel;jeanne@mairie\n")
    added = run("subscribers", "add", "jeanne@mairie", "--to", "revue", *NOTE, "--home", home)
    brought = run("subscribers", "import", file, "--to", "lettre", "--json", "--home", home)

    assert (added.status, "jeanne@mairie" in added.said) == (1, True)
    assert [line["fate"] for line in brought.lines] == ["refused"]
    assert "nobody" in run("subscribers", "ls", "--home", home).said


def test_r31_without_a_note_nothing_is_done(run, home):
    refused = run(
        "subscribers", "add", "hugo@kerbrec.example", "--to", "revue", "--note", " ", "--home", home
    )

    assert (refused.status, "note" in refused.said) == (1, True)


def test_leave_pause_resume_and_channel_are_kept_as_proof(run, filled):
    for words in (
        ("pause", "1", "--until", "2099-01-01"),
        ("resume", "anne@kerbrec.example"),
        ("channel", "1", "both"),
        ("leave", "anne@kerbrec.example", "--of", "lettre"),
    ):
        assert run("subscribers", *words, *NOTE, "--home", filled).status == 0
    (one,) = json.loads(run("subscribers", "show", "1", "--json", "--home", filled).out)

    assert [kept["act"] for kept in one["history"]] == [
        "informed",
        "paused",
        "resumed",
        "channel",
        "withdrawn",
    ]
    assert {kept["recorded_by"] for kept in one["history"][1:]} == {"Claire"}
    assert run("subscribers", "leave", "1", *NOTE, "--home", filled).status == 1


def test_a_file_brings_nobody_back_who_died(run, filled, tmp_path):
    told = run("subscribers", "deceased", "anne@kerbrec.example", *NOTE, "--home", filled)
    file = tmp_path / "again.csv"
    file.write_text("courriel\nanne@kerbrec.example\n")
    again = run("subscribers", "import", file, "--to", "lettre", "--json", "--home", filled)

    assert told.out == "nothing more goes to anne@kerbrec.example\n"
    assert [(row["fate"], row["why"]) for row in again.lines] == [("refused", "deceased")]


def test_programs_are_told_each_subscription_as_it_stands_now(run, filled):
    for words, state, channel in (
        (("pause", "1", "--until", "2099-01-01"), "paused", "email"),
        (("resume", "anne@kerbrec.example"), "active", "email"),
        (("channel", "1", "both"), "active", "both"),
        (("leave", "1"), "left", "both"),
    ):
        told = run("subscribers", *words, *NOTE, "--json", "--home", filled).lines
        assert [(row["state"], row["channel"]) for row in told] == [(state, channel)]
        assert told == run("subscribers", "ls", "--json", "--home", filled).lines


def test_programs_are_told_who_is_asked_and_who_is_never_written_to_again(run, filled):
    added = run(
        "subscribers", "add", "hugo@kerbrec.example", "--to", "revue", *NOTE, "--json", "--home", filled
    )
    stopped = run("subscribers", "suppress", "anne@kerbrec.example", *NOTE, "--json", "--home", filled)

    assert added.document.items() <= run("subscribers", "ls", "--json", "--home", filled).lines[1].items()
    assert added.document["state"] == "pending"
    assert stopped.document == {"address": "anne@kerbrec.example", "left": [1]}


def test_a_suppressed_address_cannot_be_added_or_imported(run, filled):
    run("subscribers", "suppress", "anne@kerbrec.example", *NOTE, "--home", filled)
    added = run("subscribers", "add", "anne@kerbrec.example", "--to", "revue", *NOTE, "--home", filled)
    brought = run(
        "subscribers", "import", filled / "lecteurs.csv", "--to", "lettre", "--json", "--home", filled
    )

    assert (added.status, brought.lines[0]["fate"]) == (1, "refused")
    assert run("subscribers", "ls", "--json", "--home", filled).lines[0]["state"] == "suppressed"


def test_what_is_exported_can_be_imported(run, filled):
    file = filled / "export.csv"
    run("subscribers", "export", "--of", "lettre", "--to-file", file, "--home", filled)
    steps = run("subscribers", "import", file, "--to", "lettre", "--dry-run", "--json", "--home", filled)

    assert [line["fate"] for line in steps.lines] == ["unchanged"]


def test_an_unknown_publication_or_reader_is_named(run, filled):
    wrong = run("subscribers", "ls", "--of", "letre", "--home", filled)
    nobody = run("subscribers", "show", "personne@kerbrec.example", "--home", filled)
    paper = run("subscribers", "channel", "1", "paper", "--note", "x", "--home", filled)

    assert "did you mean" in wrong.said
    assert "has no subscription" in nobody.said
    assert paper.status == 0


def test_what_is_shown_on_a_screen(run, filled):
    shown = run("subscribers", "show", "anne@kerbrec.example", "--home", filled)
    listed = run("subscribers", "ls", "--of", "lettre", "--state", "active", "--home", filled)
    sheet = run("subscribers", "export", "--home", filled)

    assert "Anne Le Goff" in shown.out
    assert "informed" in shown.out
    assert "anne@kerbrec.example" in listed.out
    assert "Anne Le Goff;anne@kerbrec.example" in sheet.out


def test_a_rehearsed_import_is_proof_of_the_rehearsed_day(run, home):
    file = home / "lecteurs.csv"
    file.write_text(FILE)
    run("subscribers", "import", file, "--to", "lettre", "--home", home, "--now", "2026-03-03T10:00:00+01:00")

    (row,) = run("subscribers", "ls", "--json", "--home", home).lines
    assert row["changed_at"].startswith("2026-03-03T09:00")
