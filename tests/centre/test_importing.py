"""Files of readers: whatever a spreadsheet wrote is read, nobody is brought back, every line is accounted for."""

import codecs
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlmodel import Session, col, func, select

from mailhub.centre import people, subscriptions
from mailhub.centre.people import Person
from mailhub.centre.subscriptions import EVERYTHING, Act, Source, State, Subscription, importing, sheet
from mailhub.centre.subscriptions.importing import Fate, Step
from mailhub.database import Database
from mailhub.errors import Refused
from mailhub.lists import Publication
from tests.readers import KEYRING, LETTER, REVIEW, reader, said, subscribed

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
VARIANTS = (
    "anne.legoff@kerbrec.example",
    "ANNE.LEGOFF@KERBREC.EXAMPLE",
    " anne.legoff@kerbrec.example ",
    "<anne.legoff@kerbrec.example>",
    "Anne Le Goff <anne.legoff@kerbrec.example>",
    "mailto:anne.legoff@kerbrec.example",
    "Anne.LeGoff@Kerbrec.Example",
    '"anne.legoff"@kerbrec.example',
    "anne.legoff@kerbrec.example\u00a0",
    "Le Goff, Anne <anne.legoff@kerbrec.example>".replace(",", ""),
)


@pytest.fixture
def session(sqlite_url: str) -> Iterator[Session]:
    """An open transaction on a database of one's own."""
    database = Database(sqlite_url)
    with database.transaction() as opened:
        yield opened
    database.close()


def bring(session: Session, text: str | bytes, publication: Publication = LETTER) -> list[Step]:
    """Carry out a file."""
    raw = text.encode() if isinstance(text, str) else text
    return importing.carry_out(session, KEYRING, publication, sheet.read(raw).lines, is_ours=is_ours, at=NOW)


def is_ours(address: str) -> bool:
    return address == "question@centre.example"


def count(session: Session, table: type) -> int:
    """How many rows."""
    return int(session.exec(select(func.count()).select_from(table)).one())


@pytest.mark.parametrize("encode", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_t22_ten_variants_of_an_address_are_one_person_in_whatever_form_the_file_came(
    session: Session, encode: str, delimiter: str, ending: str
):
    heading = delimiter.join(("Prénom", "Nom", "Courriel", "Téléphone"))
    cells = ['"' + variant.replace('"', '""') + '"' for variant in VARIANTS]
    rows = [delimiter.join(("Anne", "Le Goff", cell, "02")) for cell in cells]
    steps = bring(session, ending.join([heading, *rows, ""]).encode(encode))

    (anne,) = session.exec(select(Person)).all()
    assert anne.name == "Anne Le Goff"
    assert [(step.number, step.fate) for step in steps] == [
        (2, Fate.ADDED),
        *((number, Fate.MERGED) for number in range(3, 12)),
    ]
    assert {step.why for step in steps[1:]} == {"the same person as line 2"}


def test_t22_a_file_of_excel_with_accents_in_windows_1252_keeps_them(session: Session):
    bring(session, "nom;courriel\r\nHélène Œuvrard;helene@kerbrec.example\r\n".encode("cp1252"))

    assert session.exec(select(Person.name)).all() == ["Hélène Œuvrard"]


def test_t21_no_file_brings_anybody_back(session: Session):
    closed = {}
    for number, how in enumerate(("left", "complained", "suppressed", "deceased", "paused")):
        person = reader(session, NOW, f"{how}@kerbrec.example", f"Personne {number}")
        row = closed[how] = subscribed(session, NOW, person)
        match how:
            case "left":
                subscriptions.leave(session, [row], said(NOW))
            case "complained":
                subscriptions.complain(session, KEYRING, row, "complained@kerbrec.example", said(NOW))
            case "suppressed":
                subscriptions.leave_everything(
                    session, KEYRING, [row], "suppressed@kerbrec.example", said(NOW)
                )
            case "deceased":
                person.deceased = True
            case _:
                subscriptions.pause(session, [row], said(NOW), until=datetime(2027, 1, 1, tzinfo=UTC))
    subscriptions.suppress(
        session, subscriptions.digest_of(KEYRING, "erased@kerbrec.example"), EVERYTHING, Source.MAIL, NOW
    )
    before = {row.id: row.state for row in session.exec(select(Subscription)).all()}
    lines = "".join(f"{how}@kerbrec.example;oui, le 3 mars\n" for how in (*closed, "erased"))

    steps = bring(session, "courriel;consentement\n" + lines)

    assert {row.id: row.state for row in session.exec(select(Subscription)).all()} == before
    assert [(step.who.partition("@")[0], step.fate, step.why.partition(":")[0]) for step in steps] == [
        ("left", Fate.REFUSED, "left"),
        ("complained", Fate.REFUSED, "this address asked never to be written to"),
        ("suppressed", Fate.REFUSED, "this address asked never to be written to"),
        ("deceased", Fate.REFUSED, "deceased"),
        ("paused", Fate.UNCHANGED, ""),
        ("erased", Fate.REFUSED, "this address asked never to be written to"),
    ]


def test_r3_a_file_brought_twice_changes_nothing_the_second_time(session: Session):
    mails = "".join(f"Lecteur {n};lecteur{n}@kerbrec.example;;;;\n" for n in range(20))
    posts = "".join(f"Lectrice {n};;papier;{n} rue du Port;35999;Kerbrec\n" for n in range(20, 40))
    file = "nom;courriel;canal;rue;cp;ville\n" + mails + posts

    first, second = bring(session, file), bring(session, file)

    assert Counter(step.fate for step in first) == {Fate.ADDED: 40}
    assert Counter(step.fate for step in second) == {Fate.UNCHANGED: 40}
    assert (count(session, Person), count(session, Subscription)) == (40, 40)


def test_a_dry_run_says_the_same_and_does_nothing(session: Session):
    file = sheet.read(
        b"nom;courriel\nAnne;anne@kerbrec.example\nAnne;Anne@kerbrec.example\nx;pas une adresse\n"
    ).lines

    planned = importing.plan(session, KEYRING, LETTER, file, is_ours=is_ours)

    assert count(session, Person) == 0
    assert planned == importing.carry_out(session, KEYRING, LETTER, file, is_ours=is_ours, at=NOW)
    assert [step.fate for step in planned] == [Fate.ADDED, Fate.MERGED, Fate.REFUSED]


def test_an_export_brings_back_who_is_active_alone_and_to_their_own_list(session: Session):
    lines = [
        {"publication": "lettre", "state": state, "email": f"{state}@kerbrec.example"} for state in State
    ]
    lines.append({"publication": "revue", "state": "active", "email": "revue@kerbrec.example"})
    lines.append({"publication": "lettre", "state": "active", "email": "question@centre.example"})

    steps = bring(session, sheet.write(lines, ["publication", "state", "email"]))

    (row,) = session.exec(select(Subscription)).all()
    assert [step.who for step in steps if step.fate is Fate.ADDED] == ["active@kerbrec.example"]
    assert (row.state, row.publication) == (State.ACTIVE, "lettre")
    assert [step.why for step in steps][-2:] == ['a line of "revue"', "an address of the centre itself"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("anne@kerbrec.example;Mme Anne Martin;;;;;", "left: only their own yes"),
        ("anne@kerbrec.example;Martin Annie;;;;;", "somebody at this address left"),
        ("anne@kerbrec.example;Anne Martin;Kerbrec;cheffe de projet;;;", "somebody at this address left"),
        (";PAPIER Paul;;;1, rue A;35000;Rennes", "left"),
        (";Paul Papier;;;3 rue B;35000;Rennes", "somebody of this name and postcode left"),
        (";Léa Non;;;3 rue B;35000;Rennes", "somebody of this name asked never to be written to"),
        ("jean@kerbrec.example;Jean Marttin;;;;;", "may be Jean Martin, who is on file"),
        (";Vive Voix;;;9 rue C;35000;Rennes", "may be Vive Voix, who is on file"),
    ],
)
def test_r3_t21_who_left_is_known_again_however_they_are_written(session: Session, line: str, why: str):
    head = "courriel;nom;organisme;fonction;rue;cp;ville\n"
    bring(
        session,
        head
        + "anne@kerbrec.example;Martin Anne;;;;;\nlea@kerbrec.example;Léa Non;;;;;\n"
        + "jean@kerbrec.example;Jean Martin;;;;;\n;Paul Papier;;;1 rue A;35000;Rennes\n"
        + ";Vive Voix;;;1 rue A;35000;Rennes\n",
    )
    anne, lea, _, paul, _ = session.exec(select(Subscription).order_by(col(Subscription.id))).all()
    subscriptions.leave(session, [anne, paul], said(NOW))
    subscriptions.leave_everything(session, KEYRING, [lea], "lea@kerbrec.example", said(NOW))

    (step,) = bring(session, head + line)

    assert (step.fate, step.why.startswith(why)) == (Fate.REFUSED, True), step.why


def test_t23_the_couple_of_somebody_on_file_is_no_slip_of_the_keyboard(session: Session):
    bring(session, "nom;courriel\nAnne Le Goff;legoff@kerbrec.example\n")
    (step,) = bring(session, "nom;courriel\nPaul Le Goff;legoff@kerbrec.example\n")

    assert step.fate is Fate.ADDED


@pytest.mark.parametrize("cell", ["non", "refus", "oui", "x", "n'a pas répondu", "pas encore"])
def test_d46_a_cell_that_proves_nothing_is_no_consent(session: Session, cell: str):
    (step,) = bring(session, f"courriel;consentement\nanne@gmail.com;{cell}\n", REVIEW)

    assert (step.fate, "is no proof" in step.why) == (Fate.REFUSED, True)


def test_two_holders_of_one_function_are_one_too_many(session: Session):
    file = (
        "courriel;nom;organisme;fonction\n"
        "un@kerbrec.example;Un;Kerbrec;agent\ndeux@kerbrec.example;Deux;Kerbrec;agent\n"
    )
    planned = importing.plan(session, KEYRING, LETTER, sheet.read(file.encode()).lines, is_ours=is_ours)
    steps = bring(session, file)

    assert planned == steps
    assert [step.fate for step in steps] == [Fate.ADDED, Fate.REFUSED]
    assert steps[1].why == "line 2 names who holds this function already"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'courriel;nom\na@kerbrec.example;"Dupont\nb@kerbrec.example;B\n', "unexpected end of data"),
        (b"nom;courriel\nDupont; Jean;a@kerbrec.example\n", "line 2 has more cells"),
        (
            "nom;courriel\nFrançois;a@kerbrec.example\n".encode() + b"Ren\xe9;b@kerbrec.example\n",
            "line 3 is not",
        ),
    ],
)
def test_a_file_that_shifts_or_garbles_names_is_refused(raw: bytes, said: str):
    with pytest.raises(Refused, match=said):
        sheet.read(raw)


def test_a_heading_nobody_understands_is_named():
    found = sheet.read(b"number;courriel;canall;changed_at\n7;anne@kerbrec.example;papier;2026-03-03\n")

    assert found.unknown == ["canall"]


def test_t23_two_names_at_one_address_are_two_people(session: Session):
    bring(session, "nom;courriel\nAnne Le Goff;legoff@kerbrec.example\nPaul Le Goff;legoff@kerbrec.example\n")

    (line, other) = subscriptions.roster(session, "lettre", NOW)
    assert (line.names, other.excluded) == (("Anne Le Goff", "Paul Le Goff"), "shares-copy")


@pytest.mark.parametrize(
    ("publication", "row", "fate"),
    [
        (LETTER, "anne@kerbrec.example;", Fate.ADDED),  # professional: informed
        (LETTER, "anne@gmail.com;", Fate.REFUSED),  # private: their yes is missing
        (LETTER, "anne@gmail.com;bulletin signé le 3 mars", Fate.ADDED),
        (REVIEW, "anne@kerbrec.example;", Fate.REFUSED),
        (REVIEW, "anne@kerbrec.example;bulletin signé le 3 mars", Fate.ADDED),
    ],
)
def test_d46_a_file_needs_the_proof_the_publication_asks_for(
    session: Session, publication: Publication, row: str, fate: Fate
):
    (step,) = bring(session, f"courriel;consentement\n{row}\n", publication)

    assert step.fate is fate


def test_succession_one_line_replaces_the_holder_of_a_function(session: Session):
    heading = "fonction;organisme;nom;courriel\n"
    bring(session, f"{heading}maire;Kerbrec;Jeanne Avant;avant@kerbrec.example\n")
    (step,) = bring(session, f"{heading}maire;Kerbrec;Luc Après;apres@kerbrec.example\n")

    (line,) = subscriptions.roster(session, "lettre", NOW)
    assert (step.fate, line.names) == (Fate.REPLACED, ("Luc Après",))
    assert count(session, Subscription) == 1
    assert people.recognise(session, "avant@kerbrec.example") is not None


def test_t15_what_failed_at_the_address_of_the_one_before_stays_behind(session: Session):
    heading = "fonction;organisme;nom;courriel\n"
    bring(session, f"{heading}maire;Kerbrec;Jeanne Avant;avant@kerbrec.example\n")
    (row,) = session.exec(select(Subscription)).all()
    subscriptions.record(session, row, Act.STOPPED, said(NOW, Source.RETURNS), state=State.SUSPENDED)
    bring(session, f"{heading}maire;Kerbrec;Luc Après;apres@kerbrec.example\n")

    (line,) = subscriptions.roster(session, "lettre", NOW)
    assert (line.names, line.excluded, row.returns_since) == (("Luc Après",), None, NOW)


def test_what_was_exported_can_be_imported_and_runs_nothing_in_a_spreadsheet(session: Session):
    row = {"name": '=HYPERLINK("x")', "email": "anne@kerbrec.example", "city": "Kerbrec"}
    raw = sheet.write([row], ["name", "email", "city"])
    (line,) = sheet.read(raw).lines

    assert raw.startswith(codecs.BOM_UTF8)
    assert b"'=HYPERLINK" in raw
    assert (line.number, line.name, line.email) == (2, '=HYPERLINK("x")', "anne@kerbrec.example")


@pytest.mark.parametrize("raw", [b"", b"a;b\n1;2\n", b"nom;courriel\n\x00\n", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_table_of_readers_is_refused(raw: bytes):
    with pytest.raises(Refused):
        sheet.read(raw)


def test_empty_lines_and_a_quoted_line_break_keep_the_numbers_of_the_editor():
    lines = sheet.read(
        b'nom;courriel\n\n"Anne\nLe Goff";anne@kerbrec.example\n;\nPaul;paul@kerbrec.example\n'
    ).lines

    assert [(line.number, line.name) for line in lines] == [(3, "Anne Le Goff"), (6, "Paul")]


def test_an_imported_reader_is_active_with_a_record(session: Session):
    bring(session, "courriel\nanne@kerbrec.example\n")

    (row,) = session.exec(select(Subscription)).all()
    (kept,) = subscriptions.history(session, row.id or 0)
    assert (row.state, kept.act, kept.source, kept.note) == (
        State.ACTIVE,
        subscriptions.Act.INFORMED,
        Source.IMPORT,
        "fichier, ligne 2",
    )
