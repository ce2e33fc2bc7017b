"""Issues at the command line: kept when they are fit to leave, let go, held, stopped; each refusal is a sentence."""

from pathlib import Path

import pytest

from tests.cli.program import NOW


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ready-made issue, with one file."""
    folder = tmp_path / "lettre-57"
    (folder / "attachments").mkdir(parents=True)
    (folder / "subject.txt").write_text("Les rencontres de mars\n", "utf-8")
    (folder / "body.txt").write_text("{{ salutation }}\n\nRencontre le 12 mars à Kerbrec.\n", "utf-8")
    (folder / "body.html").write_text(
        "<p>{{ salutation }}</p><p>Rencontre le 12 mars à Kerbrec.</p>", "utf-8"
    )
    (folder / "attachments" / "plan.pdf").write_bytes(b"%PDF-1.4\n")
    return folder


@pytest.fixture
def kept(run, home, folder):
    """A home that keeps that issue."""
    assert run("issue", "add", "lettre", folder, "--number", 57, "--home", home).status == 0
    return home


def test_an_issue_is_kept_for_its_hour_on_the_clock_of_the_publication(run, home, folder):
    words = ("issue", "add", "lettre", folder, "--release", "2099-12-10 09:00", "--home", home)

    added = run(*words, "--number", 57, "--json").document
    followed = run(*words)

    assert (added["issue"], added["state"], added["subject"]) == (
        "lettre-57",
        "scheduled",
        "Les rencontres de mars",
    )
    assert added["release_at"] == "2099-12-10T08:00:00+00:00"
    assert followed.out.startswith("lettre-58 is kept: ")
    assert "it leaves at 2099-12-10 08:00:00Z" in followed.out
    assert run("issue", "ls", "lettre", "--json", "--home", home).lines[1] == added


def test_what_a_reader_gets_is_shown(run, kept):
    shown = run("issue", "show", "lettre-57", "--home", kept).out
    raw = run("issue", "show", "lettre-57", "--raw", "--home", kept).octets
    told = run("issue", "show", "lettre-57", "--json", "--home", kept).document

    assert "Rencontre le 12 mars à Kerbrec." in shown
    assert b"\r\nList-Unsubscribe: " in raw
    assert b"plan.pdf" in raw
    assert told["headers"]["List-Id"]
    assert sum(told["copies"].values()) == 0


@pytest.mark.parametrize(
    ("words", "state", "said"),
    [
        (["release", "--at", "2099-12-10 09:00"], "scheduled", "lettre-57 leaves at 2099-12-10 08:00:00Z"),
        (["release"], "scheduled", "lettre-57 leaves with the next delivery"),
        (["stop"], "stopped", "lettre-57 is stopped; 0 copies were taken back"),
    ],
)
def test_an_issue_is_let_go_or_stopped(run, kept, words, state, said):
    verb, *more = words
    done = run("issue", verb, "lettre-57", *more, "--home", kept)

    (row,) = run("issue", "ls", "--json", "--home", kept).lines
    assert done.out.startswith(said)
    assert row["state"] == state


def test_an_hour_that_has_passed_and_a_list_that_is_none_are_refused(run, kept):
    late = run("issue", "release", "lettre-57", "--at", "2020-02-20 09:00", "--home", kept)
    nowhere = run("issue", "ls", "letre", "--home", kept)

    assert (late.status, late.said) == (
        1,
        "mailhub: 2020-02-20 08:00:00Z has passed; without --at it leaves now\n",
    )
    assert nowhere.status == 1
    assert "lettre" in nowhere.said


@pytest.mark.parametrize(("how", "state"), [([], "late"), (["--as-it-was"], "scheduled")])
def test_t5_an_issue_that_may_have_left_since_the_backup_waits_for_a_person(run, kept, tmp_path, how, state):
    run("issue", "release", "lettre-57", "--home", kept)
    run("backup", tmp_path / "saved.tar", "--home", kept)
    restored = run("restore", tmp_path / "saved.tar", *how, "--home", tmp_path / "new")

    (row,) = run("issue", "ls", "--json", "--home", tmp_path / "new").lines
    assert row["state"] == state
    assert ("lettre-57 may have left since" in restored.out) is (state == "late")


def test_programs_are_told_the_issue_as_it_stands_now(run, kept):
    for words in (["release", "--at", "2099-12-10 09:00"], ["hold"], ["stop"]):
        verb, *more = words
        told = run("issue", verb, "lettre-57", *more, "--json", "--home", kept).document
        (row,) = run("issue", "ls", "--json", "--home", kept).lines
        assert told == row | ({"taken_back": 0} if verb == "stop" else {})


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("subject.txt", "Une ligne\nDeux lignes\n", "lettre-57: subject.txt has more than one line"),
        ("subject.txt", None, "lettre-57: subject.txt: No such file or directory"),
        ("body.txt", None, "lettre-57: body.txt: No such file or directory"),
        ("body.txt", "Été".encode("latin-1"), "lettre-57: body.txt is not written in UTF-8; save it again as UTF-8"),
    ],
)  # fmt: skip
def test_an_issue_that_is_not_fit_to_leave_is_not_kept(run, home, folder, file, content, said):
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())

    refused = run("issue", "add", "lettre", folder, "--home", home)

    assert refused.status == 1
    assert f"mailhub: {said}\n" in refused.said
    assert run("issue", "ls", "--json", "--home", home).lines == []


def test_everything_that_is_wrong_is_said_at_once(run, home, folder):
    (folder / "subject.txt").unlink()
    (folder / "body.txt").unlink()

    refused = run("issue", "add", "lettre", folder, "--home", home)

    assert {"subject.txt", "body.txt"} <= {
        word.strip(":") for line in refused.said.splitlines() for word in line.split()
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "letre"], "lettre"),
        (["add", "lettre", "--number", "57"], "there is an issue lettre-57 already; the next number is free"),
        (["add", "lettre", "--release", "demain"], "'demain' is not a time such as \"2026-12-10 09:00\""),
        (["add", "lettre", "--release", "2099-03-29 02:30"], "clocks in Europe/Paris are put forward then"),
        (["hold", "lettre-57"], "there is nothing to hold"),
        (["release", "lettre-99"], "there is no issue 'lettre-99'; `mailhub issue ls` lists them"),
    ],
)
def test_an_issue_is_refused_in_one_sentence(run, kept, folder, words, said):
    verb, what, *more = words
    refused = run("issue", verb, what, *([folder] if verb == "add" else []), *more, "--home", kept)

    assert refused.status == 1
    assert said in refused.said
    assert len(refused.said.splitlines()) == 1


def test_an_issue_leaves_once(run, kept):
    assert run("issue", "release", "lettre-57", "--home", kept).status == 0
    assert run("tick", "--home", kept, "--now", NOW).status == 0

    assert run("issue", "stop", "lettre-57", "--home", kept).status == 0
    again = run("issue", "release", "lettre-57", "--home", kept)

    assert again.said == "mailhub: lettre-57 is stopped: an issue is released once\n"
