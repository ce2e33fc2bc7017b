"""What comes with a question reaches staff whole and unopened; by real mail through a whole centre."""

import io
import zipfile
from pathlib import Path

import pytest

from mailhub.centre import people, requests
from tests.journey import CLAIRE, Journey, body, centre_of, mail

MAILS = Path(__file__).parents[1] / "mails"
BOMB_OCTETS = 64 * 1024 * 1024  # of nothing, in as many kilobytes


@pytest.fixture
def centre(database, now):
    with centre_of(database, now) as journey:
        journey.hire("Claire Morvan", CLAIRE)
        yield journey


def test_a_winmail_dat_gives_staff_its_words_and_its_files(centre: Journey):
    centre.send((MAILS / "winmail.eml").read_bytes(), "lea.kerbrat@mairie.example")
    centre.settle()

    (copy,) = centre.postbox.to(CLAIRE)
    assert "voici l'étude demandée" in body(copy)
    assert [part.get_filename() for part in copy.iter_attachments()] == [
        "winmail.dat",
        "Étude du quartier.pdf",
    ]


def test_an_archive_is_passed_on_as_it_came_and_never_unpacked(centre: Journey):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vide.txt", bytes(BOMB_OCTETS))
    bomb = packed.getvalue()
    centre.send(mail("Bonjour, voici nos chiffres.", files=[("chiffres.zip", "application/zip", bomb)]))
    centre.settle()

    (copy,) = centre.postbox.to(CLAIRE)
    (file,) = copy.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("chiffres.zip", bomb)
    assert centre.verdicts() == ["request opened"]


def test_no_file_name_leads_anywhere_or_turns_itself_round(centre: Journey):
    names = ("../../etc/passwd", "C:\\Users\\nadia\\plan.pdf", "facture\u202efdp.exe")
    centre.send(mail("Voici.", files=[(name, "application/pdf", b"%PDF-1.7") for name in names]))
    centre.settle()

    (copy,) = centre.postbox.to(CLAIRE)
    assert [part.get_filename() for part in copy.iter_attachments()] == [
        "passwd",
        "plan.pdf",
        "facturefdp.exe",
    ]


def test_whoever_comes_next_to_an_address_is_not_taken_for_who_left_it(centre):
    with centre.database.transaction() as session:
        paul = people.introduce(session, "chef.projet@ville.example", "Paul Ancien", centre.clock())
        people.change_address(session, paul, "paul@ailleurs.example", centre.clock())

    centre.send(
        mail("Combien d'habitants à Kerbrec ?", sender="chef.projet@ville.example", name="Nadia Nouvelle"),
        "chef.projet@ville.example",
    )
    centre.settle()

    with centre.database.reading() as session:
        request = requests.called(session, "Q-2026-0001")
        asker = session.get_one(people.Person, request.requester_id)
        assert asker.name == "Nadia Nouvelle"
        assert people.address_of(session, people.identity(asker)) == "chef.projet@ville.example"


@pytest.mark.parametrize(
    ("author", "verdict"),
    [
        ("zoe@[IPv6:2001:db8::1]", "request opened"),
        (
            f"{'z' * 64}@{'é.' * 30}example",
            "quarantine",
        ),  # 312 octets in ASCII, which no letter of ours can bear
    ],
)
def test_an_address_is_one_we_can_answer_or_no_author(centre: Journey, author: str, verdict: str):
    raw = f"From: Zoé <{author}>\r\nSubject: Question\r\n\r\nCombien d'habitants à Kerbrec ?\r\n"
    centre.send(raw.encode(), "zoe@ville.example")
    centre.settle()

    assert centre.verdicts() == [verdict]
