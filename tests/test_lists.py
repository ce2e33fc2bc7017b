"""Files of lists/: the two examples, every mistake at once, and the page that describes each key."""

from dataclasses import FrozenInstanceError
from datetime import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from mailhub import lists
from mailhub.centre.cadences import parse
from mailhub.errors import ListError
from mailhub.lists import Channel, Circle, Consent, Content, Publication, Schedule, Section, Shift

HOUSE = Path(__file__).parent.parent
PRESS = """
title = "Revue"
address = "press"
reason = "Vous l'avez demandée."
channels = ["email"]
consent = "opt-in"
template = "review"

[schedule]
cadence = "2e et 4e jeudi"

[[sections]]
code = "national"
title = "Presse nationale"
"""


@pytest.fixture
def folder(tmp_path):
    """A folder of lists that holds what a test writes."""
    made = tmp_path / "lists"
    made.mkdir()
    return made


@pytest.fixture
def wrong(folder):
    """What is wrong with one file, `press.toml` unless it has another name."""

    def look(text: str, name: str = "press.toml") -> list[str]:
        (folder / name).write_text(text, "utf-8")
        found, problems = lists.examine(folder, cadence=parse)
        assert (found is None) is bool(problems)
        return [str(problem) for problem in problems]

    return look


def changed(old: str, new: str) -> str:
    assert old in PRESS
    return PRESS.replace(old, new)


def test_what_readers_see_of_the_examples_has_curved_apostrophes():
    shown = [
        words
        for each in lists.load(HOUSE / "lists", cadence=parse).publications
        for words in (each.title, each.sender, each.reason, *(section.title for section in each.sections))
    ]

    assert [words for words in shown if "'" in words] == []


def test_the_letter_has_five_sections_in_the_order_of_the_programme():
    letter = lists.load(HOUSE / "lists", cadence=parse).publication("lettre")

    assert [(section.code, section.content) for section in letter.sections] == [
        ("centre", Content.ITEMS),
        ("contrats", Content.ITEMS),
        ("documents", Content.DOCUMENTS),
        ("ressources", Content.ITEMS),
        ("agenda", Content.EVENTS),
    ]
    assert letter.channels == (Channel.EMAIL, Channel.PAPER)
    assert letter.consent is Consent.OPT_OUT_FOR_PROFESSIONALS
    assert letter.double_issue_months == {7}
    assert letter.schedule == Schedule.model_construct(
        cadence="premier mardi ouvré", hour=time(9), time_zone="", on_holiday=Shift.BEFORE
    )


def test_the_review_is_by_email_for_who_asked_in_three_blocks():
    review = lists.load(HOUSE / "lists", cadence=parse).publication("revue")

    assert review.channels == (Channel.EMAIL,)
    assert review.consent is Consent.OPT_IN
    assert [section.title for section in review.sections] == [
        "Presse nationale",
        "Bretagne",
        "Pays de la Loire",
    ]
    assert review.list_label == "revue"


def test_a_home_without_lists_has_none(tmp_path):
    assert lists.load(tmp_path / "lists", cadence=parse) == lists.Lists()


def test_a_circle_has_a_name(folder):
    (folder / "chefs-de-projet.toml").write_text('kind = "circle"\ntitle = "Chefs de projet"\n', "utf-8")

    assert lists.load(folder, cadence=parse).circles == (
        Circle(kind="circle", code="chefs-de-projet", title="Chefs de projet"),
    )


def test_a_file_saved_by_a_windows_editor_is_read(folder):
    (folder / "press.toml").write_bytes(b"\xef\xbb\xbf" + PRESS.replace("\n", "\r\n").encode())

    assert lists.load(folder, cadence=parse).publication("press").title == "Revue"


def test_what_is_read_cannot_be_changed(folder):
    (folder / "press.toml").write_text(PRESS, "utf-8")
    read = lists.load(folder, cadence=parse)

    with pytest.raises(ValidationError):
        read.publication("press").title = "Autre"
    with pytest.raises(FrozenInstanceError):
        read.publications = ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[schedule]", "[shedule]", 'unknown key "shedule" (did you mean "schedule"?)'),
        ("cadence =", "cadense =", 'schedule: unknown key "cadense" (did you mean "cadence"?)'),
        ('title = "Presse', 'titel = "Presse', 'sections no. 1: unknown key "titel" (did you mean "title"?)'),
        ('code = "national"', "", 'sections no. 1: "code" is missing'),
        ('template = "review"', "", '"template" is missing'),
        ('title = "Revue"', 'title = "Revue"\nzzz = 1', 'unknown key "zzz"'),
        ('title = "Revue"', 'title = "Revue"\ncode = "x"', 'unknown key "code" (the name of the file is the code)'),
        ('title = "Revue"', 'kind = "publicaton"', 'kind: "publicaton" is none of publication, circle (did you mean "publication"?)'),
        ('title = "Revue"', "kind = []", 'kind: "[]" is none of publication, circle'),
        ('title = "Revue"', 'title = ""', "title: write one line of text"),
        ('title = "Revue"', 'title = "Revue\\nBcc: x"', "title: write one line of text"),
        ('title = "Revue"', "title = 3", "title: write text between quotation marks"),
        ('"press"', '"Press Revue"', 'address: "Press Revue" is not made of a-z, 0-9 and inner hyphens alone, or is too long'),
        ('"email"', '"e-mail"', 'channels no. 1: "e-mail" is none of email, paper (did you mean "email"?)'),
        ('"email"', '"email", "email"', "channels: the same word twice"),
        ('["email"]', "[]", "channels: name one at least"),
        ('"opt-in"', '"optin"', 'consent: "optin" is none of opt-in, opt-out-professional (did you mean "opt-in"?)'),
        ('title = "Revue"', 'title = "Revue"\nsender = "a@b.example"', "sender: a display name holds no @ and no control character (it would look forged)"),
        ('title = "Revue"', 'title = "Revue"\ndouble_issues = ["aout"]', 'double_issues no. 1: "aout" is none of janvier, février, mars, avril, mai, juin, juillet, août, septembre, octobre, novembre, décembre (did you mean "août"?)'),
        ('title = "Revue"', 'title = "Revue"\nexpires_after_days = 0', "expires_after_days: write 1 or more"),
        ('title = "Revue"', 'title = "Revue"\nlist_label = "une liste"', 'list_label: "une liste" is not made of a-z, 0-9 and inner hyphens alone, or is too long'),
        ('["email"]', '"email"', 'channels: write a list between brackets, such as ["one", "two"]'),
        ("[schedule]", '[schedule]\nhour = "25 h"', 'schedule: hour: write an hour of the day, such as "9 h" or "9 h 30"'),
        ("[schedule]", '[schedule]\ntime_zone = "Europe/Pariss"', "schedule: time_zone: write a name of the time zone database, such as Europe/Paris"),
        ("[schedule]", '[schedule]\non_holiday = "apres"', 'schedule: on_holiday: "apres" is none of avant, après, aucun (did you mean "après"?)'),
        ("2e et 4e jeudi", "2e et 4e jeudy", 'schedule: cadence: « 2e et 4e jeudy »: "jeudy" is not understood (did you mean "jeudi"?)'),
        ("[[sections]]", '[[sections]]\ncode = "national"\ntitle = "Une"\n[[sections]]', 'sections: two sections have the code "national"'),
        ("[schedule]", "[schedule", "is not TOML: Expected ']' at the end of a table declaration (at line 9, column 10)"),
    ],
)  # fmt: skip
def test_each_mistake_is_one_sentence_with_its_place(wrong, old, new, says):
    assert wrong(changed(old, new)) == [f"lists/press.toml: {says}"]


def test_every_mistake_of_every_file_is_said_at_once(folder, wrong):
    (folder / "latin.toml").write_bytes('title = "é"'.encode("latin-1"))
    (folder / "Mauvais Nom.toml").write_text(PRESS, "utf-8")
    text = PRESS.replace("[schedule]", "[shedule]").replace('"email"', '"mail"')

    problems = wrong(text)

    assert problems == [
        "lists/Mauvais Nom.toml: name the file with a-z, 0-9 and inner hyphens only",
        "lists/latin.toml: is not written in UTF-8; save it again as UTF-8",
        'lists/press.toml: channels no. 1: "mail" is none of email, paper (did you mean "email"?)',
        'lists/press.toml: unknown key "shedule" (did you mean "schedule"?)',
    ]
    with pytest.raises(ListError) as refused:
        lists.load(folder, cadence=parse)
    assert str(refused.value) == "\n".join(problems)
    assert not refused.value.temporary


def test_two_publications_cannot_share_an_address_or_a_label(wrong):
    assert wrong(PRESS) == []
    assert wrong(changed('"review"', '"review"\nlist_label = "press"'), "presse.toml") == [
        'lists/presse.toml: address: "press" is already that of press.toml',
        'lists/presse.toml: list_label: "press" is already that of press.toml',
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [('"9 h"', time(9)), ('"9h30"', time(9, 30)), ('"14 h 05"', time(14, 5)), ('"08:15"', time(8, 15)), ("08:15:00", time(8, 15))],
)  # fmt: skip
def test_an_hour_is_written_as_people_do(folder, written, read):
    (folder / "press.toml").write_text(changed("[schedule]", f"[schedule]\nhour = {written}"), "utf-8")

    assert lists.load(folder, cadence=parse).publication("press").schedule.hour == read


def test_a_publication_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(
        ListError, match=r'^there is no publication "letre" \(did you mean "lettre"\?\); `mailhub lists ls`'
    ):
        lists.load(HOUSE / "lists", cadence=parse).publication("letre")


@pytest.mark.parametrize("model", [Publication, Schedule, Section, Circle])
def test_every_key_is_described_in_the_docs_and_beside_its_value(model):
    page = (HOUSE / "docs" / "lists.md").read_text("utf-8")

    for key, field in model.model_fields.items():
        assert field.description, key
        assert f"`{key}`" in page or f"[{key}]" in page, f"docs/lists.md does not describe {key}"


def test_every_cadence_of_the_docs_is_understood():
    page = (HOUSE / "docs" / "lists.md").read_text("utf-8").partition("## A cadence")[2].partition("Weeks")[0]
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    words = [part for row in rows for part in row.split("`")[1::2]]

    assert len(words) > 10
    assert all(parse(said if said != "par semestre" else f"une fois {said}") for said in words)
