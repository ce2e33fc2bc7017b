"""Each noun at the command line: what it lists, shows and does, and every sentence it refuses with."""

import stat
from base64 import b64decode

import pytest
from sqlmodel import select

from mailhub import journal, keys, outbox, storage
from mailhub.centre import people, requests
from mailhub.centre.requests import Attachment, Request
from mailhub.config import load
from mailhub.database import Database
from mailhub.journal import Inbound, InboundState, Verdict
from mailhub.mail.tokens import Purpose, Token
from mailhub.outbox import Outgoing, OutgoingState
from tests.cli.program import NOW, QUESTION


@pytest.fixture
def tables(asked):
    """The tables of `asked`, to bring about what takes long to happen."""
    database = Database(load(asked, {}).database_url)
    yield database
    database.close()


def _mail(tables, **changes):
    with tables.transaction() as session:
        row = journal.get(session, 1)
        for name, value in changes.items():
            setattr(row, name, value)
        session.add(row)


def _letter(tables, state):
    with tables.transaction() as session:
        row = outbox.get(session, 1)
        row.state = state
        session.add(row)


# ── journal ──


def test_the_journal_is_listed_for_programs_with_stable_keys(run, asked):
    (row,) = run("journal", "ls", "--json", "--home", asked).lines

    assert row == {
        "number": 1,
        "state": "done",
        "verdict": "request opened",
        "rule": "question address",
        "note": "opened Q-2026-0001, due 2026-03-05",
        "author": "n.benali@kerbrec.example",
        "sender": "n.benali@kerbrec.example",
        "recipient": "question@villes-rives.example",
        "source": "cli",
        "received_at": "2026-03-03T09:00:00+00:00",
        "handled_at": "2026-03-03T09:00:00+00:00",
        "message_id": "q1@kerbrec.example",
        "attempts": 0,
        "raw_kept": True,
    }


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        (["--state", "done"], 1),
        (["--state", "parked"], 0),
        (["--verdict", "request opened"], 1),
        (["--verdict", "bounce"], 0),
        (["--about", "n.benali@kerbrec.example"], 1),
        (["--about", "<q1@kerbrec.example>"], 1),
        (["--about", "question@villes-rives.example"], 1),
        (["--about", "hugo.perrin@montelain-agglo.example"], 0),
    ],
)
def test_the_journal_is_narrowed(run, asked, words, listed):
    assert len(run("journal", "ls", "--json", "--home", asked, *words).lines) == listed


def test_an_empty_list_says_so_beside_the_result(run, home):
    for words, said in (
        (["journal", "ls"], "no such mail in the journal\n"),
        (["outbox", "ls"], "no such letter in the outbox\n"),
        (["requests", "ls"], "no such request\n"),
        (["staff", "ls"], "nobody yet: `mailhub staff add`\n"),
        (["organisations", "ls"], "none yet: `mailhub organisations add`\n"),
    ):
        empty = run(*words, "--home", home)
        assert (empty.status, empty.out, empty.said) == (0, "", said)


def test_a_mail_is_shown_and_given_back_byte_for_byte(run, asked):
    shown = run("journal", "show", 1, "--home", asked)
    told = run("journal", "show", 1, "--json", "--home", asked).document

    assert "Bonjour, pouvez-vous me donner" in shown.out
    assert told["subject"] == "Nombre d'habitants quartier des Tilleuls"
    assert "Nadia Benali" in told["text"]
    assert run("journal", "raw", 1, "--home", asked).octets == QUESTION
    wrapped = run("journal", "raw", 1, "--json", "--home", asked).document
    assert (wrapped["number"], wrapped["octets"]) == (1, len(QUESTION))
    assert b64decode(wrapped["raw"]) == QUESTION


def test_the_way_a_mail_came_is_shown(run, home):
    way = (
        b"Received: from mta.kerbrec.example by mx.villes-rives.example with ESMTPS; Tue, 3 Mar 2026 10:00:05 +0100\r\n"
        b"Received: from [10.0.0.7] by mta.kerbrec.example with ESMTP; Tue, 3 Mar 2026 10:00:00 +0100\r\n"
    )
    run("receive", "-", "--home", home, "--now", NOW, input=way + QUESTION)

    told = run("journal", "show", 1, "--json", "--home", home).document
    shown = run("journal", "show", 1, "--home", home).out

    assert told["oddities"] == []
    assert [(hop["by"], hop["with"], hop["delay_seconds"]) for hop in told["hops"]] == [
        ("mta.kerbrec.example", "ESMTP", 0),
        ("mx.villes-rives.example", "ESMTPS", 5),
    ]
    assert told["hops"][1]["at"] == "2026-03-03T09:00:05+00:00"
    assert "mta.kerbrec.example → mx.villes-rives.example (5 s)" in shown


def test_a_mail_whose_bytes_are_gone_keeps_its_line(run, asked, tables):
    _mail(tables, raw_kept=False)

    shown = run("journal", "show", 1, "--home", asked)
    refused = run("journal", "raw", 1, "--home", asked)

    assert (shown.status, "(the retention clock has removed what it said)" in shown.out) == (0, True)
    assert refused.said == "mailhub: the bytes of mail 1 were removed by the retention clock\n"


@pytest.mark.parametrize("verb", ["show", "raw", "replay", "release", "discard"])
def test_a_mail_that_is_not_there_is_told_so(run, asked, verb):
    refused = run("journal", verb, 9, "--home", asked)

    assert refused.status == 1
    assert refused.said == "mailhub: there is no mail 9 in the journal; `mailhub journal ls` lists them\n"


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("replay", "mail 1 is done, only a parked mail can be replayed"),
        ("release", "mail 1 is request opened; only a held or set-aside mail can be let in"),
        ("discard", "mail 1 is done, only a held or parked mail can be discarded"),
    ],
)
def test_a_verb_that_makes_no_sense_on_a_mail_is_refused(run, asked, verb, said):
    refused = run("journal", verb, 1, "--home", asked)

    assert (refused.status, refused.said) == (1, f"mailhub: {said}\n")


def test_a_parked_mail_is_replayed(run, asked, tables):
    _mail(tables, state=InboundState.PARKED, verdict=None, attempts=3)

    assert run("journal", "replay", 1, "--home", asked).out.startswith("mail 1 waits")
    assert run("journal", "ls", "--json", "--state", "waiting", "--home", asked).lines[0]["attempts"] == 0


@pytest.mark.parametrize(
    ("words", "state", "verdict", "then"),
    [
        (["replay", 1], InboundState.PARKED, None, ("waiting", None)),
        (["release", 1], InboundState.DONE, Verdict.TRIAGE, ("waiting", None)),
        (["discard", 1, "--why", "publicité"], InboundState.HELD, None, ("done", "quarantine")),
    ],
)
def test_programs_are_told_the_line_of_the_journal_as_it_stands_now(
    run, asked, tables, words, state, verdict, then
):
    _mail(tables, state=state, verdict=verdict, attempts=3)

    told = run("journal", *words, "--json", "--home", asked).document

    assert (told["state"], told["verdict"]) == then
    assert [told] == run("journal", "ls", "--json", "--home", asked).lines


def test_a_mail_sent_to_triage_is_let_in_as_a_question(run, home):
    run("receive", "-", "--to", "contact@villes-rives.example", "--home", home, input=QUESTION)

    released = run("journal", "release", 1, "--home", home)
    run("tick", "--home", home, "--now", NOW)

    (row,) = run("journal", "ls", "--json", "--home", home).lines
    assert released.out.startswith("mail 1 waits to be handled as a person's")
    assert (row["verdict"], row["rule"]) == ("request opened", "let in by an operator")


def test_a_held_mail_is_discarded_with_the_reason(run, asked, tables):
    _mail(tables, state=InboundState.HELD, verdict=None)

    run("journal", "discard", 1, "--why", "publicité", "--home", asked)

    (row,) = run("journal", "ls", "--json", "--home", asked).lines
    assert (row["state"], row["verdict"], row["note"]) == ("done", "quarantine", "publicité")


# ── requests ──


def test_requests_are_listed_for_programs_with_stable_keys(run, asked):
    (row,) = run("requests", "ls", "--json", "--home", asked).lines

    assert row == {
        "reference": "Q-2026-0001",
        "subject": "Nombre d'habitants quartier des Tilleuls",
        "state": "open",
        "kind": None,
        "suggested_kind": "quick_fact",
        "requester": "n.benali@kerbrec.example",
        "requester_name": "Nadia Benali",
        "organisation": None,
        "owner": None,
        "service": "question",
        "also_came_to": [],
        "received_at": "2026-03-03T09:00:00+00:00",
        "first_contact_on": "2026-03-05",
        "due_on": "2026-03-05",
        "answered_at": None,
        "closed_at": None,
        "follows": None,
    }


def test_a_request_is_given_to_somebody_and_found_under_their_name(run, asked):
    given = run("requests", "assign", "q-2026-0001", "claire", "--home", asked)

    assert given.out == "Q-2026-0001 is Claire Morvan's\n"
    assert (
        run("requests", "ls", "--json", "--owner", "Claire", "--home", asked).lines[0]["owner"]
        == "Claire Morvan"
    )


def test_a_request_is_closed_and_then_given_to_nobody(run, asked):
    assert run("requests", "close", "Q-2026-0001", "--home", asked).out == "Q-2026-0001 is closed\n"
    assert run("requests", "ls", "--json", "--state", "open", "--home", asked).lines == []
    assert (
        run("requests", "assign", "Q-2026-0001", "Claire", "--home", asked).said
        == "mailhub: Q-2026-0001 is closed\n"
    )


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (["assign", "Q-2026-0001", "Claire"], {"owner": "Claire Morvan"}),
        (["close", "Q-2026-0001"], {"state": "closed"}),
    ],
)
def test_programs_are_told_the_request_as_it_stands_now(run, asked, words, changed):
    told = run("requests", *words, "--json", "--home", asked).document

    assert told == told | changed
    assert [told] == run("requests", "ls", "--json", "--home", asked).lines


def test_requests_refuse_what_is_not_there(run, asked):
    run("staff", "add", "Yann Riou", "yann.riou@villes-rives.example", "--home", asked)
    run("staff", "disable", "Yann", "--home", asked)

    for words, said in (
        (["show", "Q-2026-0099"], "there is no request Q-2026-0099; `mailhub requests ls` lists them"),
        (["close", "Q-2026-0099"], "there is no request Q-2026-0099; `mailhub requests ls` lists them"),
        (
            ["assign", "Q-2026-0001", "Zoé"],
            "no single member of staff is called 'Zoé' (staff: Claire Morvan, Yann Riou)",
        ),
        (["assign", "Q-2026-0001", "Yann"], "Yann Riou is no longer staff"),
    ):
        refused = run("requests", *words, "--home", asked)
        assert (refused.status, refused.said) == (1, f"mailhub: {said}\n")


def test_a_request_is_shown_with_its_thread(run, asked):
    shown = run("requests", "show", "Q-2026-0001", "--home", asked)
    (exchange,) = run("requests", "show", "Q-2026-0001", "--json", "--home", asked).document["exchanges"]

    assert "── question · n.benali@kerbrec.example · 2026-03-03 09:00:00Z" in shown.out
    assert "[plan.pdf, application/pdf, 9 octets]" in shown.out
    assert (exchange["kind"], exchange["mail"], exchange["attachments"][0]["filename"]) == (
        "question",
        1,
        "plan.pdf",
    )


def test_the_files_of_a_request_are_written_beside_what_is_there(run, asked, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "plan.pdf").write_text("ours")

    run("requests", "show", "Q-2026-0001", "--files", tmp_path / "files", "--home", asked)

    assert {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()} == {
        "plan.pdf": b"ours",
        "plan (2).pdf": b"%PDF-1.4\n",
    }
    assert stat.S_IMODE((tmp_path / "files" / "plan (2).pdf").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("wished", "given"),
    [
        ("../../evil.sh", "evil.sh"),
        ("/etc/passwd", "passwd"),
        ("C:\\Windows\\évil.exe", "évil.exe"),
        (".bashrc", "bashrc"),
        ("..", "sans-nom"),
        ("", "sans-nom"),
        ("-rf", "rf"),
        ("a\x1b[2Jb\u202egpj.exe", "a_[2Jb_gpj.exe"),
        ("x" * 400 + ".pdf", "x" * 196 + ".pdf"),
        ("é" * 400, "é" * 100),
    ],
)
def test_a_stranger_s_file_name_is_a_wish_never_a_path(run, asked, tables, tmp_path, wished, given):
    with tables.transaction() as session:
        row = session.exec(select(Attachment)).one()
        row.filename = wished
        session.add(row)

    run("requests", "show", "Q-2026-0001", "--files", tmp_path / "to" / "files", "--home", asked)

    assert [path.name for path in (tmp_path / "to" / "files").iterdir()] == [given]
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["files"]


def test_a_link_laid_in_the_way_is_not_followed(run, asked, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "plan.pdf").symlink_to(tmp_path / "precious")

    run("requests", "show", "Q-2026-0001", "--files", tmp_path / "files", "--home", asked)

    assert not (tmp_path / "precious").exists()
    assert (tmp_path / "files" / "plan (2).pdf").is_file()


def test_what_strangers_wrote_cannot_steer_a_terminal(run, asked, tables):
    with tables.transaction() as session:
        row = session.exec(select(Request)).one()
        row.subject = "\x1b]0;pwned\x07 Tilleuls \u202egpj"
        session.add(row)

    for words in (["requests", "ls"], ["requests", "show", "Q-2026-0001"]):
        shown = run(*words, "--home", asked).out
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "Tilleuls" in shown


# ── outbox ──


def test_letters_are_listed_for_programs_with_stable_keys(run, asked):
    copy, acknowledgement = run("outbox", "ls", "--json", "--home", asked).lines

    assert copy["kind"] == "staff-copy"
    assert {
        key: acknowledgement[key] for key in acknowledgement if key not in {"message_id", "envelope_from"}
    } == {
        "number": 1,
        "key": "ack:Q-2026-0001",
        "kind": "acknowledgement",
        "state": "waiting",
        "answer": None,
        "recipient": "n.benali@kerbrec.example",
        "subject": "Votre question [Q-2026-0001]",
        "attempts": 0,
        "created_at": "2026-03-03T09:00:00+00:00",
        "next_at": "2026-03-03T09:00:00+00:00",
        "settled_at": None,
    }


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (["--state", "waiting"], ["staff-copy", "acknowledgement"]),
        (["--state", "in_doubt"], []),
        (["--kind", "staff-copy"], ["staff-copy"]),
        (["--about", "n.benali@kerbrec.example"], ["acknowledgement"]),
        (["--limit", "1"], ["staff-copy"]),
    ],
)
def test_the_outbox_is_narrowed(run, asked, words, kinds):
    assert [row["kind"] for row in run("outbox", "ls", "--json", "--home", asked, *words).lines] == kinds


def test_a_letter_is_shown_exactly_as_it_leaves(run, asked, tables):
    with tables.reading() as session:
        raw = storage.fetch(session, outbox.get(session, 1).digest)

    shown = run("outbox", "show", 1, "--home", asked)
    told = run("outbox", "show", 1, "--json", "--home", asked).document

    assert run("outbox", "show", 1, "--raw", "--home", asked).octets == raw
    assert "From: Villes & Rives <question@villes-rives.example>" in shown.out
    assert "jeudi 5 mars 2026" in shown.out
    assert told["headers"]["Subject"] == "Votre question [Q-2026-0001]"
    assert "jeudi 5 mars 2026" in told["text"]


@pytest.mark.parametrize("state", [OutgoingState.FAILED, OutgoingState.DEFERRED])
def test_a_letter_that_failed_is_sent_again_when_a_person_says_so(run, asked, tables, state):
    _letter(tables, state)

    assert run("outbox", "retry", 1, "--home", asked).out.startswith("letter 1 leaves with the next delivery")
    assert run("outbox", "show", 1, "--json", "--home", asked).document["state"] == "waiting"


@pytest.mark.parametrize(("option", "state"), [("--arrived", "sent"), ("--send-again", "waiting")])
def test_a_doubt_is_settled_either_way(run, asked, tables, option, state):
    _letter(tables, OutgoingState.IN_DOUBT)
    before = run("outbox", "show", 1, "--json", "--home", asked).document

    run("outbox", "settle", 1, option, "--home", asked)

    after = run("outbox", "show", 1, "--json", "--home", asked).document
    assert (after["state"], after["message_id"]) == (state, before["message_id"])


@pytest.mark.parametrize(
    ("words", "state", "then"),
    [
        (["retry", 1], OutgoingState.FAILED, "waiting"),
        (["settle", 1, "--arrived"], OutgoingState.IN_DOUBT, "sent"),
    ],
)
def test_programs_are_told_the_letter_as_it_stands_now(run, asked, tables, words, state, then):
    _letter(tables, state)

    told = run("outbox", *words, "--json", "--home", asked).document

    assert told["state"] == then
    assert told == run("outbox", "ls", "--json", "--home", asked).lines[-1]


def test_the_outbox_refuses_what_makes_no_sense(run, asked, tables):
    _letter(tables, OutgoingState.IN_DOUBT)

    for words, status, said in (
        (["show", 9], 1, "mailhub: there is no letter 9 in the outbox; `mailhub outbox ls` lists them\n"),
        (["retry", 9], 1, "mailhub: there is no letter 9 in the outbox; `mailhub outbox ls` lists them\n"),
        (["settle", 2, "--arrived"], 1, "mailhub: letter 2 is waiting, there is no doubt to settle\n"),
        (
            ["retry", 1],
            1,
            "can be retried; `mailhub outbox settle` decides a doubt\n",
        ),
        (["settle", 1], 2, "say --arrived or --send-again"),
        (["settle", 1, "--arrived", "--send-again"], 2, "say --arrived or --send-again"),
    ):
        refused = run("outbox", *words, "--home", asked)
        assert refused.status == status
        assert said in refused.said


# ── staff and organisations ──


def test_the_team_is_listed_those_who_left_included(run, home):
    run(
        "staff",
        "add",
        "Claire Morvan",
        "claire.morvan@villes-rives.example",
        "claire@kerbrec.example",
        "--home",
        home,
    )
    run("staff", "add", "Yann Riou", "Yann.Riou@Villes-Rives.example", "--quiet", "--home", home)
    run("staff", "disable", "claire@kerbrec.example", "--home", home)

    rows = run("staff", "ls", "--json", "--home", home).lines

    assert [{key: row[key] for key in row if key != "created_at"} for row in rows] == [
        {
            "name": "Claire Morvan",
            "addresses": ["claire.morvan@villes-rives.example", "claire@kerbrec.example"],
            "told_of_new": True,
            "active": False,
        },
        {
            "name": "Yann Riou",
            "addresses": ["yann.riou@villes-rives.example"],
            "told_of_new": False,
            "active": True,
        },
    ]


def test_staff_who_were_disabled_can_come_back(run, asked):
    assert run("staff", "disable", "Claire Morvan", "--home", asked).status == 0
    again = run("staff", "add", "Claire Morvan", "c2@villes-rives.example", "--home", asked)
    back = run("staff", "enable", "Claire", "--json", "--home", asked)

    assert "`mailhub staff enable 'Claire Morvan'` takes them back" in again.said
    assert back.document["active"] is True


def test_staff_change_address_and_copies_follow(run, asked):
    moved = run("staff", "address", "Claire", "claire@equipe.example", "--json", "--home", asked)
    theirs = moved.document["addresses"]
    only = run("staff", "address", "Claire", "c.morvan@equipe.example", "--only", "--json", "--home", asked)
    run("staff", "add", "Yann Riou", "yann.riou@villes-rives.example", "--quiet", "--home", asked)
    taken = run("staff", "address", "Yann", "c.morvan@equipe.example", "--home", asked)

    assert theirs == ["claire@equipe.example", "claire.morvan@villes-rives.example"]
    assert only.document["addresses"] == ["c.morvan@equipe.example"]
    assert (taken.status, "already belongs to a member of staff" in taken.said) == (1, True)
    with Database(f"sqlite:///{asked}/storage/mailhub.db").reading() as session:
        assert people.colleague_at(session, "claire.morvan@villes-rives.example") is None
        (told,) = people.told_of_new(session)
    assert told.address == "c.morvan@equipe.example"


def test_a_number_no_database_has_is_a_wrong_number(run, asked):
    for words in (["journal", "show"], ["outbox", "show"]):
        assert run(*words, "9" * 20, "--home", asked).status == 2
    assert run("subscribers", "show", "9" * 20, "--home", asked).status == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["add", "Claire Morvan", "c2@villes-rives.example"],
            "there is already a member of staff called Claire Morvan",
        ),
        (
            ["add", "Soizic Bihan", "claire.morvan@villes-rives.example"],
            "claire.morvan@villes-rives.example already belongs to a member of staff",
        ),
        (["add", " ", "soizic@villes-rives.example"], "a member of staff needs a name"),
        (["add", "Soizic Bihan", "soizic"], "'soizic' is not an e-mail address"),
        (
            ["add", "Soizic Bihan", "a@b.example, c@d.example"],
            "'a@b.example, c@d.example' is not an e-mail address",
        ),
        (
            ["add", "Soizic Bihan", "Contact+moi@villes-rives.example"],
            "Contact+moi@villes-rives.example is an address of the centre itself: copies sent there would come back in",
        ),
        (["disable", "Zoé"], "no single member of staff is called 'Zoé' (staff: Claire Morvan)"),
    ],
)
def test_staff_refuses_what_would_not_work(run, asked, words, said):
    refused = run("staff", *words, "--home", asked)

    assert (refused.status, refused.said) == (1, f"mailhub: {said}\n")
    assert len(run("staff", "ls", "--json", "--home", asked).lines) == 1


def test_programs_are_told_who_is_staff_and_who_is_on_file(run, home):
    added = run(
        "staff", "add", "Claire Morvan", "claire@villes-rives.example", "--json", "--home", home
    ).document
    gone = run("staff", "disable", "Claire", "--json", "--home", home).document
    body = run(
        "organisations", "add", "Kerbrec", "--domain", "kerbrec.example", "--json", "--home", home
    ).document

    assert (added["active"], gone) == (True, added | {"active": False})
    assert [gone] == run("staff", "ls", "--json", "--home", home).lines
    assert [body] == run("organisations", "ls", "--json", "--home", home).lines


def test_an_organisation_is_added_then_completed(run, home):
    run("organisations", "add", "Ville de Kerbrec", "--domain", "kerbrec.example", "--home", home)
    run(
        *("organisations", "add", "Ville de Kerbrec", "--domain", "mairie-kerbrec.example"),
        *("--member-from", "2026-01-01", "--member-until", "2026-12-31", "--home", home),
    )

    (row,) = run("organisations", "ls", "--json", "--home", home).lines

    assert {key: row[key] for key in row if key != "member_today"} == {
        "name": "Ville de Kerbrec",
        "domains": ["kerbrec.example", "mairie-kerbrec.example"],
        "member_from": "2026-01-01",
        "member_until": "2026-12-31",
    }


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (
            ["--domain", "gmail.com"],
            1,
            "mailhub: gmail.com is a public mail provider: it cannot stand for X\n",
        ),
        (
            ["--domain", "kerbrec.example"],
            1,
            "mailhub: kerbrec.example already belongs to another organisation\n",
        ),
        (
            ["--domain", "x@y"],
            1,
            "mailhub: 'x@y' is not a mail domain; write it without @, such as kerbrec.example\n",
        ),
        (
            ["--member-from", "2026-02-01", "--member-until", "2026-01-01"],
            1,
            "mailhub: the membership would end on 2026-01-01, before it begins on 2026-02-01\n",
        ),
        (["--member-from", "demain"], 2, "demain"),
    ],
)
def test_organisations_refuse_what_would_not_work(run, home, words, status, said):
    run("organisations", "add", "Ville de Kerbrec", "--domain", "kerbrec.example", "--home", home)

    refused = run("organisations", "add", "X", *words, "--home", home)

    assert refused.status == status
    assert said in refused.said


# ── keys ──


def test_keys_are_listed_without_their_secrets_and_rotated(run, home):
    rotated = run("keys", "rotate", "--home", home)
    listed = run("keys", "ls", "--json", "--home", home)

    assert rotated.out.startswith("key 2 signs tokens")
    assert [(row["name"], row["use"]) for row in listed.lines] == [
        ("tokens 1", "verifies"),
        ("tokens 2", "signs"),
        ("mailhub-rsa", "signs"),
        ("mailhub-ed25519", "signs"),
    ]
    for line in (home / "storage" / "keys" / "tokens").read_text().splitlines():
        assert line.split()[1] not in listed.out


def test_programs_are_told_which_key_signs_now(run, home):
    told = run("keys", "rotate", "--json", "--home", home).document

    assert told == {"name": "tokens 2", "signs": "tokens", "use": "signs"}
    assert told in run("keys", "ls", "--json", "--home", home).lines


def test_a_leaked_first_key_goes_on_making_digests_and_nothing_else(run, home):
    """Addresses that must not be written to stay known; every token it made is dead."""
    folder = home / "storage" / "keys"
    before = keys.keyring(folder)
    run("keys", "rotate", "--home", home)
    leaked, new = (folder / "tokens").read_text().splitlines()
    (folder / "tokens").write_text(f"{leaked} digests\n{new}\n")
    run("keys", "rotate", "--home", home)
    after = keys.keyring(folder)

    assert (after.current, sorted(after.secrets)) == (3, [2, 3])
    assert after.fingerprint("address n@kerbrec.example") == before.fingerprint("address n@kerbrec.example")
    assert after.open(before.seal(Token(Purpose.ANSWER, 1, 1))) is None


def test_a_key_that_only_makes_digests_is_listed_as_such(run, home):
    run("keys", "rotate", "--home", home)
    path = home / "storage" / "keys" / "tokens"
    leaked, new = path.read_text().splitlines()
    path.write_text(f"{leaked} digests\n{new}\n")

    listed = run("keys", "ls", "--json", "--home", home)

    assert [(row["name"], row["signs"]) for row in listed.lines][:2] == [
        ("tokens 2", "tokens"),
        ("digests", "nothing"),
    ]
    assert "knows addresses not to be written to" in run("keys", "ls", "--home", home).out


def test_a_key_others_can_read_is_not_used(run, home):
    (home / "storage" / "keys" / "tokens").chmod(0o644)

    refused = run("keys", "ls", "--home", home)

    path = home / "storage" / "keys" / "tokens"
    assert (refused.status, refused.said) == (
        1,
        f"mailhub: {path}: others can read this key; run `chmod 600 {path}`\n",
    )


def test_the_records_to_publish_are_printed_as_a_zone_wants_them(run, home, setting):
    setting("relay", host='"relay.example"')

    zone = run("dkim", "--home", home).out.splitlines()
    records = run("dkim", "--json", "--home", home).lines

    assert [line.split(" IN TXT ")[0] for line in zone] == [
        "mailhub-rsa._domainkey.villes-rives.example.",
        "mailhub-ed25519._domainkey.villes-rives.example.",
        "villes-rives.example.",
        "_dmarc.villes-rives.example.",
    ]
    assert all(len(piece) <= 255 for line in zone for piece in line.split('"')[1::2])
    assert records[2]["value"] == "v=spf1 mx a:relay.example ~all"


# ── where ──


@pytest.mark.parametrize(
    "about",
    [
        "Q-2026-0001",
        "q-2026-0001",
        "n.benali@kerbrec.example",
        "N.Benali@Kerbrec.example",
        "<q1@kerbrec.example>",
    ],
)
def test_the_whole_story_is_found_by_any_of_its_names(run, asked, about):
    told = run("where", about, "--json", "--home", asked).document
    lines = run("where", about, "--home", asked).out.splitlines()

    assert [event["event"] for event in told["events"]] == ["mail", "request", "exchange", "letter", "letter"]
    assert lines[0] == (
        "2026-03-03 09:00:00Z  mail 1 from n.benali@kerbrec.example to question@villes-rives.example: "
        "request opened (question address; opened Q-2026-0001, due 2026-03-05)"
    )
    assert lines[1].endswith("request Q-2026-0001: open, due 2026-03-05, nobody yet")
    assert lines[2].endswith("Q-2026-0001: question by n.benali@kerbrec.example")


def test_a_letter_of_ours_leads_to_its_story_and_what_came_back_for_it(run, asked, tables):
    with tables.transaction() as session:
        letter = session.exec(select(Outgoing).where(Outgoing.kind == "staff-copy")).one()
        message_id = letter.message_id
        session.add(
            Inbound(
                digest="0" * 64,
                recipient=letter.envelope_from,
                sender="",
                source="smtp",
                received_at=letter.created_at,
                state=InboundState.DONE,
                verdict=Verdict.BOUNCE,
                raw_kept=False,
            )
        )

    events = run("where", message_id, "--json", "--home", asked).document["events"]

    assert [event["event"] for event in events] == ["mail", "mail", "request", "exchange", "letter", "letter"]
    assert {event.get("verdict") for event in events} >= {"bounce", "request opened"}


def test_nothing_is_known_about_a_stranger(run, asked):
    refused = run("where", "hugo.perrin@montelain-agglo.example", "--home", asked)

    assert refused.said == "mailhub: nothing is known about hugo.perrin@montelain-agglo.example\n"


def test_staff_and_organisations_are_named_in_what_is_shown(run, asked, tables):
    run("organisations", "add", "Ville de Kerbrec", "--domain", "kerbrec.example", "--home", asked)
    with tables.transaction() as session:
        person = people.recognise(session, "n.benali@kerbrec.example")
        person.organisation_id = people.organisation_of(session, "n.benali@kerbrec.example")
        session.add(person)
        requests.assign(session, requests.called(session, "Q-2026-0001"), 1)

    (row,) = run("requests", "ls", "--json", "--home", asked).lines

    assert (row["organisation"], row["owner"]) == ("Ville de Kerbrec", "Claire Morvan")
