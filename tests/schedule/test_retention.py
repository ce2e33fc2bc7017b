"""The retention clocks take the raw bytes of a mail when its days are over, and nothing that is still needed."""

import pytest
from sqlmodel import select

from mailhub import journal, storage
from mailhub.centre.requests import Attachment
from mailhub.errors import Refused, UnknownRow
from mailhub.journal import Verdict
from mailhub.mail.envelope import Envelope
from mailhub.schedule import Retention
from mailhub.schedule.retention import AT_ONCE
from tests.journey import CLAIRE, DOMAIN, NADIA, centre_of, mail

DAYS = dict.fromkeys(Verdict, 10) | {Verdict.REQUEST_OPENED: 30}


@pytest.fixture
def centre(database, now):
    with centre_of(database, now) as centre:
        centre.hire("Claire Morvan", CLAIRE)
        yield centre


def retention(centre) -> Retention:
    return Retention(centre.database, centre.clock, DAYS)


def kept(centre) -> list[bool]:
    """Of each mail of the journal, whether its bytes can still be read."""
    with centre.database.reading() as session:
        return [is_there(session, row) for row in reversed(journal.listed(session))]


def is_there(session, row) -> bool:
    try:
        return bool(journal.raw(session, row))
    except Refused:
        return False


def test_each_mail_keeps_its_bytes_as_long_as_what_became_of_it_says(centre):
    centre.send(mail("Des chiffres ?", message_id="<1@k.example>"))
    centre.send(mail("Bonjour.", to=f"contact@{DOMAIN}", message_id="<2@k.example>"), to=f"contact@{DOMAIN}")
    centre.settle()

    after = []
    for days in (10, 1, 20):
        centre.clock.forward(days=days)
        after.append((retention(centre).tick(), kept(centre)))

    assert after == [(0, [True, True]), (1, [True, False]), (1, [False, False])]
    assert centre.verdicts() == ["request opened", "triage"]


def test_the_clocks_run_once_a_day_whoever_comes_first(centre):
    centre.send(mail("Des chiffres ?"))
    centre.settle()
    centre.clock.forward(days=30)
    retention(centre).tick()
    centre.clock.forward(hours=1)

    same_day = retention(centre).tick()
    centre.clock.forward(days=1)

    assert (same_day, retention(centre).tick()) == (0, 1)


def test_a_forgotten_mail_that_comes_again_brings_nothing_back(centre):
    again = mail("Bonjour.", to=f"contact@{DOMAIN}")
    centre.send(again, to=f"contact@{DOMAIN}")
    centre.settle()
    centre.clock.forward(days=30)
    retention(centre).tick()

    centre.send(again, to=f"contact@{DOMAIN}")

    assert kept(centre) == [False]
    with centre.database.reading() as session, pytest.raises(UnknownRow):
        storage.fetch(session, journal.get(session, 1).digest)


def test_bytes_that_stand_in_two_lines_go_with_the_last(centre):
    both = mail("Des chiffres ?", to=f"question@{DOMAIN}, contact@{DOMAIN}")
    centre.send(both)
    centre.send(both, to=f"contact@{DOMAIN}")
    centre.settle()
    centre.clock.forward(days=11)
    retention(centre).tick()
    early = kept(centre)
    centre.clock.forward(days=20)
    retention(centre).tick()

    assert (early, kept(centre)) == ([True, False], [False, False])


def test_a_mail_that_was_passed_on_as_a_file_leaves_the_file(centre):
    """The file of a request holds the very bytes of a mail whose days are over."""
    first = mail("Bonjour.", to=f"contact@{DOMAIN}", message_id="<first@k.example>")
    centre.send(first, to=f"contact@{DOMAIN}")
    centre.settle()
    with centre.database.reading() as session:
        digest = journal.get(session, 1).digest
    passed_on = mail("Voyez.", message_id="<second@k.example>", sender=NADIA)
    passed_on.add_attachment(bytes(first), maintype="application", subtype="octet-stream", filename="x.eml")
    centre.send(passed_on)
    centre.send(mail("Bonsoir.", to=f"contact@{DOMAIN}", message_id="<3@k.example>"), to=f"contact@{DOMAIN}")
    centre.settle()
    centre.clock.forward(days=11)

    gone = retention(centre).tick()

    with centre.database.reading() as session:
        assert [row.digest for row in session.exec(select(Attachment)).all()] == [digest]
        assert storage.fetch(session, digest)
    assert (gone, kept(centre)) == (2, [False, True, False])


def test_however_many_are_over_all_go(centre):
    with centre.database.transaction() as session:
        mails = [
            (b"n. %d\r\n" % number, (Envelope(f"contact@{DOMAIN}", received_at=centre.clock()),))
            for number in range(2 * AT_ONCE + 1)
        ]
        journal.accept(session, mails, centre.clock())
    centre.handle()
    centre.clock.forward(days=40)

    assert retention(centre).tick() == 2 * AT_ONCE + 1
    assert not any(kept(centre))
