"""Running a home by hand: one mail, one turn, a rehearsal; and the logs, which hold nobody's words."""

import io
import json
import sys

import pytest
import structlog

from mailhub.cli import logs
from mailhub.errors import Refused
from mailhub.journal import Verdict
from tests.cli.program import NOW, QUESTION, write_setting
from tests.journey import Loop, Postbox


@pytest.fixture
def question(tmp_path):
    path = tmp_path / "question.eml"
    path.write_bytes(QUESTION)
    return path


# ── receive ──


def test_a_mail_is_received_and_what_became_of_it_is_said(run, home, question):
    done = run("receive", question, "--home", home, "--now", NOW)

    assert done.out == (
        "mail 1 for question@villes-rives.example: request opened (question address)\n"
        "    opened Q-2026-0001, due 2026-03-05\n"
    )
    assert done.said == ""


def test_a_mail_is_received_from_standard_input_for_several_addresses(run, home):
    to = ("--to", "question@villes-rives.example", "--to", "contact@villes-rives.example")

    rows = run("receive", "-", *to, "--from", "x@y.example", "--json", "--home", home, input=QUESTION).lines

    assert [(row["recipient"], row["verdict"], row["sender"]) for row in rows] == [
        ("question@villes-rives.example", "request opened", "x@y.example"),
        ("contact@villes-rives.example", "duplicate", "x@y.example"),
    ]


def test_the_same_mail_again_is_told_and_not_handled(run, asked, question):
    again = run("receive", question, "--home", asked, "--now", NOW)

    assert "mail 1 for question@villes-rives.example: request opened" in again.out
    assert again.said == "this very mail was in the journal already, and was not handled again\n"
    assert len(run("requests", "ls", "--json", "--home", asked).lines) == 1


def test_receiving_refuses_what_it_cannot_place(run, home, question, tmp_path):
    (tmp_path / "empty.eml").touch()
    (tmp_path / "elsewhere.eml").write_bytes(b"From: a@b.example\r\nTo: c@d.example\r\n\r\nBonjour\r\n")

    for words, said in (
        ([tmp_path / "empty.eml"], f"{tmp_path}/empty.eml is empty"),
        (
            [tmp_path / "elsewhere.eml"],
            "neither To nor Cc names an address of this centre; say who it is for with --to",
        ),
        (
            [question, "--to", "x@y.example", "--to", "rep@villes-rives.example"],
            "x@y.example, rep@villes-rives.example: this centre (villes-rives.example) has no such address",
        ),
    ):
        refused = run("receive", *words, "--home", home)
        assert (refused.status, refused.said) == (1, f"mailhub: {said}\n")
    missing = run("receive", tmp_path / "none.eml", "--home", home)
    assert (missing.status, missing.said) == (1, f"mailhub: {tmp_path}/none.eml: No such file or directory\n")
    assert run("journal", "ls", "--json", "--home", home).lines == []


# ── the rehearsal clock ──


@pytest.mark.parametrize("words", [["receive", "-"], ["tick"]])
def test_a_rehearsal_is_refused_where_letters_would_leave_for_the_world(run, home, setting, words):
    setting("relay", host='"relay.example"')

    refused = run(*words, "--home", home, "--now", NOW, input=QUESTION)

    assert refused.status == 1
    assert refused.said == (
        "mailhub: --now rehearses, and the relay relay.example is no rehearsal: letters would leave with a false date\n"
    )
    assert run("journal", "ls", "--json", "--home", home).lines == []


@pytest.mark.parametrize("time", ["demain", "2026-03-03T10:00:00", "2026-03-03"])
def test_a_time_without_offset_is_no_time(run, home, time):
    assert run("tick", "--home", home, "--now", time).status == 2


# ── tick ──


def test_a_tick_sends_what_is_due(run, asked):
    loop = Loop()
    postbox = Postbox(loop)
    write_setting(asked, "relay", port=str(postbox.port), tls='"none"')

    done = run("tick", "--json", "--home", asked, "--now", NOW).document
    again = run("tick", "--home", asked, "--now", NOW).out

    recipients = sorted(mail.recipients[0] for mail in postbox.mails)
    postbox.close()
    loop.close()
    assert done == {
        "mails_handled": 0,
        "letters_sent": 2,
        "letters_deferred": 0,
        "letters_failed": 0,
        "letters_in_doubt": 0,
        "raw_mails_forgotten": 0,
    }
    assert recipients == ["claire.morvan@villes-rives.example", "n.benali@kerbrec.example"]
    assert again.split("\n")[1].split() == ["letters", "sent", "0"]


# ── logs ──


@pytest.fixture
def lines():
    """The lines of the log after one event, in a form."""

    def write(form, level="info", event="handled", **values):
        kept, sys.stderr = sys.stderr, io.StringIO()
        try:
            logs.configure("info", form)
            getattr(structlog.get_logger(), level)(event, **values)
            return sys.stderr.getvalue().splitlines()
        finally:
            sys.stderr = kept

    yield write
    structlog.reset_defaults()


@pytest.fixture
def written(lines):
    """What the log holds after one event, as JSON."""
    return lambda **said: [json.loads(line) for line in lines("json", **said)]


def test_a_line_of_the_log_is_one_json_object(written):
    (line,) = written(mail=3, verdict="request opened")

    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "info", "event": "handled", "mail": 3, "verdict": "request opened"}


@pytest.mark.parametrize("form", ["json", "text"])
def test_words_and_instants_are_written_as_they_are_said(lines, form, now):
    (line,) = lines(form, verdict=Verdict.REQUEST_OPENED, again_at=now)

    assert "request opened" in line
    assert "2026-03-03T09:00:00+00:00" in line
    assert "datetime" not in line
    assert "Verdict" not in line


def test_a_level_that_is_not_wanted_is_not_written(written):
    assert written(level="debug") == []


def test_no_address_stands_in_a_log(written):
    (line,) = written(answer="550 <n.benali@kerbrec.example> unknown")

    assert line["answer"] == "550 <…@kerbrec.example> unknown"


def test_an_exception_is_told_without_the_words_it_quotes(written):
    try:
        raise ValueError("Bonjour, je m'appelle Nadia")  # noqa: TRY301 — what a database error looks like
    except ValueError:
        (line,) = written(level="exception")

    assert line["error"] == "ValueError"
    assert line["where"][0].endswith("test_an_exception_is_told_without_the_words_it_quotes")
    assert "Nadia" not in str(line)


def test_an_error_of_ours_keeps_its_sentence(written):
    try:
        raise Refused("Q-2026-0001 is closed")  # noqa: TRY301
    except Refused:
        (line,) = written(level="exception")

    assert line["error"] == "Refused: Q-2026-0001 is closed"
