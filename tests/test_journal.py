"""Mails are kept first and taken in hand later, a bounded number and size at a time."""

from datetime import datetime

from mailhub import journal
from mailhub.database import Database
from mailhub.journal import Ending, Seen, Traits, Verdict
from mailhub.mail.envelope import Envelope


def keep(database: Database, now: datetime, *sizes: int) -> None:
    """Accept a mail of each of these sizes."""
    with database.transaction() as session:
        mails = [
            (bytes([65 + place]) * size, (Envelope("question@centre.example", received_at=now),))
            for place, size in enumerate(sizes)
        ]
        assert journal.accept(session, mails, now) == len(sizes)


def test_mails_are_read_together_as_far_as_their_sizes_allow(database: Database, now: datetime):
    keep(database, now, 300, 300, 500, 10)

    with database.reading() as session:
        together = journal.waiting(session, 10, octets=650)

    assert [len(mail.raw) for mail in together] == [300, 300]
    assert [mail.envelope.recipient for mail in together] == ["question@centre.example"] * 2


def test_one_mail_is_read_however_large_it_is(database: Database, now: datetime):
    keep(database, now, 900, 10)

    with database.reading() as session:
        together = journal.waiting(session, 10, octets=650)

    assert [len(mail.raw) for mail in together] == [900]


def test_no_more_mails_than_wanted_are_read(database: Database, now: datetime):
    keep(database, now, 10, 10, 10)

    with database.reading() as session:
        assert [mail.number for mail in journal.waiting(session, 2)] == [1, 2]
        assert journal.waiting(session, 0) == []


def test_a_flood_is_counted_no_further_than_it_matters(database: Database, now: datetime):
    keep(database, now, *range(10, 17))

    with database.transaction() as session:
        *earlier, last = journal.claim(session, range(1, 8))
        for mail in earlier:
            same = Ending(
                Verdict.TRIAGE, "a rule", "a note", f"{mail.number}@a.example", "a@b.example", "gist"
            )
            journal.settle(session, mail, same, now)
        seen = journal.seen(
            session,
            last,
            Traits("7@a.example", "a@b.example", "gist"),
            now,
            enough=4,
            opens=True,
            alone=False,
        )

    assert seen == Seen(duplicate_of=None, of_author=4, alike=4)
