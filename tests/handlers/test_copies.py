"""What a staff answer costs: the thread is asked for once, and of the copies only the words are read."""

import pytest
from sqlalchemy import Engine, event, select

from mailhub import outbox
from mailhub.mail import message
from mailhub.outbox import Outgoing
from tests.journey import CLAIRE, Journey, centre_of, mail

SCAN = bytes(range(256)) * 1024


@pytest.fixture
def centre(database, now):
    with centre_of(database, now) as journey:
        journey.hire("Claire Morvan", CLAIRE)
        yield journey


@pytest.fixture
def statements():
    """Every statement that is carried out, by whomever, with its values."""
    seen: list[tuple[str, str]] = []

    def note(_line: object, _cursor: object, statement: str, values: object, *_more: object) -> None:
        seen.append((statement, repr(values)))

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def asked(centre: Journey, files=()):
    centre.send(mail("Bonjour, quelle est la population du quartier ?\nNadia Benali", files=files))
    centre.settle()
    return centre.postbox.to(CLAIRE)[-1]


def test_an_answer_asks_for_its_thread_once_and_reads_no_file_of_a_copy(centre, statements):
    copy = asked(centre, [("plan.pdf", "application/pdf", SCAN)])
    with centre.database.reading() as session:
        (digest,) = session.scalars(select(Outgoing.digest).where(Outgoing.kind == "staff-copy")).all()
    centre.write_back(
        copy, "2 340 habitants.", sender=CLAIRE, name="Claire Morvan", message_id="<c1@v.example>"
    )
    statements.clear()
    centre.handle()

    assert len(centre.outbox("answer")) == 1
    thread = [said for said, _ in statements if "FROM exchange" in said and "ORDER BY exchange.id" in said]
    assert len(thread) == 1
    whole = [said for said, values in statements if "blob" in said and digest in values]
    assert len(whole) == 1
    assert "substr" in whole[0]


@pytest.mark.parametrize("words", ["Bonjour", "Une très longue histoire. " * 8000, "\n \n"])
@pytest.mark.parametrize(
    "files", [(), [("plan.pdf", "application/pdf", SCAN), ("a.txt", "text/plain", b"x")]]
)
def test_what_a_letter_says_is_what_it_is_read_as(centre, words, files):
    centre.send(mail(words, files=files))
    centre.settle()

    with centre.database.reading() as session:
        letters = outbox.listed(session, kind="staff-copy", limit=None)
        found = outbox.said(session, letters)
        whole = [message.read(outbox.raw(session, letter)).text for letter in letters]

    assert found == whole
    assert len(found) == 1
