"""`kill -9` at any moment: nothing that had its 250 is lost, nothing is done twice, and doubt is called doubt.

Real processes, real SMTP on both sides. Kills come at every kind of moment of a mail's way, drawn by lot;
MAILHUB_TEST_SEED draws another lot.
"""

import os
from collections import Counter
from datetime import UTC, datetime

import pytest

from mailhub import outbox
from mailhub.outbox import LEASE, OutgoingState
from tests.cli.program import mailhub
from tests.ordeal import Moment, Ordeal
from tests.postal import Relay
from tests.reckoning import Books, faults
from tests.serving import make_home, opened

SEED = int(os.environ.get("MAILHUB_TEST_SEED", "2026"))
# Two processors are little for a home, its world and other tests: this file keeps to one worker.
pytestmark = pytest.mark.xdist_group("kill")


def test_thirty_six_kills_lose_nothing_and_double_nothing(tmp_path):
    relay = Relay()
    with relay.open() as port:
        home = make_home(tmp_path / "home", port)
        with Ordeal(home, relay, SEED, questions=500, replies=200, people=500) as ordeal:
            ordeal.run(kills=36)
            ordeal.until_quiet()
            assert ordeal.stop() == [0]

            with opened(home) as database:
                assert faults(database, ordeal) == []
                assert ordeal.kills == dict.fromkeys(Moment, 4)
                settle_every_doubt(home, database, ordeal)


def test_of_two_processes_on_postgresql_each_may_die_and_none_does_a_thing_twice(tmp_path, postgresql_url):
    relay = Relay()
    with relay.open() as port:
        home = make_home(tmp_path / "home", port, database_url=postgresql_url)
        with Ordeal(home, relay, SEED, questions=100, replies=40, people=20, processes=2) as ordeal:
            ordeal.run(kills=9)
            ordeal.until_quiet()
            assert ordeal.stop() == [0, 0]
            # What a dead process held is anybody's once its lease is over.
            later = datetime.now(UTC) + 2 * LEASE
            assert mailhub("tick", "--home", home, "--now", later.isoformat()).status == 0

            with opened(home) as database:
                assert faults(database, ordeal) == []
                assert ordeal.kills == dict.fromkeys(Moment, 1)


def settle_every_doubt(home, database, ordeal):
    """A person looks at each doubt; one letter that had arrived is sent again all the same."""
    before = Books.of(database, ordeal)
    lost = [letter for letter in before.doubts() if not before.arrived[letter.message_id]]
    there = [letter for letter in before.doubts() if before.arrived[letter.message_id]]
    first, again, arrived = lost[0], there[0], there[1]
    for letter, what in ((first, "--send-again"), (again, "--send-again"), (arrived, "--arrived")):
        assert mailhub("outbox", "settle", letter.id, what, "--home", home).status == 0
    with database.transaction() as session:
        for letter in (*lost[1:], *there[2:]):
            session.add(
                outbox.settle_doubt(session, letter.id, arrived=letter in there, now=datetime.now(UTC))
            )

    ordeal.serve()
    ordeal.until_quiet()
    assert ordeal.stop() == [0]

    after = Books.of(database, ordeal)
    assert {letter.state for letter in after.letters} == {OutgoingState.SENT}
    # The same Message-ID, so that the reader's client shows it once.
    assert after.arrived == Counter(letter.message_id for letter in after.letters) + Counter(
        {again.message_id: 1}
    )
