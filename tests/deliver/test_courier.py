"""A courier in trouble: what the relay said is never forgotten, and one bad letter keeps no other from leaving."""

import asyncio
import contextlib
import threading
from dataclasses import fields

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mailhub import outbox
from mailhub.database import Database
from mailhub.deliver.books import PART_IN_HAND, Books
from mailhub.errors import StorageTrouble
from mailhub.mail.dkim import Signer
from mailhub.outbox import LEASE, OutgoingState, Standing
from mailhub.render import Renderer
from tests import edition
from tests.deliver.peers import Act, until
from tests.edition import Edition
from tests.postal import Relay

READERS = 10

# What makes a commit of ends fail. PostgreSQL: chosen as the victim of a deadlock.
SICK = {
    "sqlite": [
        "CREATE TRIGGER sick BEFORE UPDATE ON outgoing WHEN NEW.state = 'sent' BEGIN SELECT RAISE(ABORT, 'sick'); END"
    ],
    "postgresql": [
        """CREATE FUNCTION sick() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$""",
        "CREATE TRIGGER sick BEFORE UPDATE ON outgoing FOR EACH ROW WHEN (NEW.state = 'sent') EXECUTE FUNCTION sick()",
    ],
}
WELL = {"sqlite": "DROP TRIGGER sick", "postgresql": "DROP TRIGGER sick ON outgoing"}


@pytest.fixture
def run(database):
    """An issue to a few readers, all of one provider, ready to leave."""
    edition = Edition(database)
    edition.subscribe(READERS)
    edition.release()
    return edition


def do(database, *statements):
    with database.transaction() as session:
        for statement in statements:
            session.connection().execute(text(statement))


# -- books that cannot be kept ----------------------------------------------------------------------------------


def test_what_the_relay_said_is_written_once_the_database_can_again_and_counts_once(run, relay):
    """Ten in a minute may leave, and ten readers are there: whoever was counted twice, or never let go, would wait."""
    courier = edition.courier(run.database, relay.port, run.clock, per_destination_per_minute=READERS)
    kind = run.database.dialect

    async def go():
        do(run.database, *SICK[kind])
        for _ in range(3):
            with pytest.raises(StorageTrouble if kind == "postgresql" else DBAPIError):
                await courier.step()
        arrived = len(relay.letters)
        do(run.database, WELL[kind])
        await edition.send_all(courier)
        return arrived

    assert 0 < asyncio.run(go()) < READERS, "nothing more leaves while ends cannot be written"
    assert run.sums() == {"sent": READERS}
    assert set(edition.recipients(relay.letters).values()) == {1}


def test_what_the_relay_said_resolves_a_doubt_that_was_noted_meanwhile(run, relay):
    courier = edition.courier(run.database, relay.port, run.clock)
    kind = run.database.dialect

    async def go():
        do(run.database, *SICK[kind])
        with contextlib.suppress(StorageTrouble, DBAPIError):
            await courier.step()
        run.clock.forward(hours=2)
        noted = courier.recover(everything=False)
        do(run.database, WELL[kind])
        await edition.send_all(courier)
        return noted

    assert asyncio.run(go()) > 0
    assert run.sums() == {"sent": READERS}


def test_letters_claimed_by_a_commit_that_failed_leave_with_the_next(run, relay):
    """Of a provider that takes one at a time, a letter that was never claimed must not stand in the way."""
    courier = edition.courier(run.database, relay.port, run.clock, per_destination_per_minute=READERS)
    taken = "NEW.state = 'sending'"
    kind = run.database.dialect
    do(run.database, *(words.replace("NEW.state = 'sent'", taken) for words in SICK[kind]))

    async def go():
        for _ in range(READERS):
            with contextlib.suppress(StorageTrouble, DBAPIError):
                await courier.step()
        do(run.database, WELL[kind])
        await edition.send_all(courier)

    asyncio.run(go())

    assert run.sums() == {"sent": READERS}


def test_whoever_stops_a_courier_in_the_middle_of_a_commit_leaves_nothing_on_the_wire(sqlite_url, relay):
    """A thread cannot be called back: what it claimed is put back, and what it wrote is known."""
    database = Database(sqlite_url)
    run = Edition(database)
    run.subscribe(READERS)
    run.release()
    committed, go_on = threading.Event(), threading.Event()

    class Slow(Books):
        def write(self, results, in_hand, *, claiming):
            letters = super().write(results, in_hand, claiming=claiming)
            if results:
                committed.set()
                assert go_on.wait(60)
            return letters

    slow = edition.courier(database, relay.port, run.clock, connections=1)
    slow.books = Slow(*(getattr(slow.books, each.name) for each in fields(Books) if each.init))

    async def go():
        step = asyncio.create_task(slow.step())
        await asyncio.to_thread(committed.wait)
        for _ in range(2):  # the second is for whoever cannot wait, and waits all the same
            step.cancel()
            await asyncio.sleep(0)
        go_on.set()
        with contextlib.suppress(asyncio.CancelledError):
            await step
        await slow.close()

    asyncio.run(go())

    assert run.sums() == {"sent": len(relay.letters), "planned": READERS - len(relay.letters)}
    database.close()


@pytest.mark.parametrize("silent", ["GREETING", "EHLO", "MAIL"])
def test_a_courier_that_is_stopped_while_the_relay_is_silent_has_touched_nothing(run, opened, relay, silent):
    mute = opened(Relay(answers={silent: Act.HANG}))
    courier = edition.courier(run.database, mute.port, run.clock)

    async def go():
        step = asyncio.create_task(courier.step())
        await until(lambda: bool(mute.connections) if silent == "GREETING" else silent in "".join(mute.heard))
        step.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await step
        await courier.close()

    asyncio.run(go())

    assert courier.recover(everything=True) == 0
    assert run.sums() == {"planned": READERS}
    assert {letter.answer for letter in run.letters()} == {None, "we were stopped"}

    run.send(relay.port)
    assert run.sums() == {"sent": READERS}


# -- letters that cannot leave ----------------------------------------------------------------------------------


class Stumbling(Signer):
    """Signs every letter but one."""

    def headers_with(self, head, digest, *, when=None):
        if b"lectrice3@" in head:
            raise ValueError("no such number")
        return super().headers_with(head, digest, when=when)


@pytest.mark.parametrize("connections", [1, 4])
def test_a_letter_that_cannot_be_signed_waits_and_all_others_leave(run, relay, connections):
    stumbling = Stumbling(edition.DOMAIN, edition.SIGNER.keys)
    run.send(relay.port, connections=connections, signer=stumbling)

    assert run.sums() == {"sent": READERS - 1, "deferred": 1}
    (line,) = run.lines(Standing.DEFERRED)
    assert (line.address, line.why) == ("lectrice3@kerbrec.example", "cannot be signed: no such number")

    run.clock.forward(minutes=30)
    run.send(relay.port, signer=edition.SIGNER)

    assert run.sums() == {"sent": READERS}
    assert set(edition.recipients(relay.letters).values()) == {1}


def test_a_letter_that_cannot_be_put_together_waits_and_all_others_leave(run, relay):
    do(run.database, "UPDATE outgoing SET personal = 'spoiled' WHERE recipient = 'lectrice3@kerbrec.example'")
    run.send(relay.port)

    assert run.sums() == {"sent": READERS - 1, "deferred": 1}
    assert run.lines(Standing.DEFERRED)[0].why == "cannot be put together"


def test_a_mistake_of_ours_on_the_wire_puts_one_letter_in_doubt_and_all_others_leave(run, relay):
    """Nobody knows when it came: the relay may have the letter."""
    courier = edition.courier(run.database, relay.port, run.clock)
    for wire in courier.wires():
        wire.deliver = stumbling(wire.deliver)
    asyncio.run(edition.send_all(courier))

    assert run.sums() == {"sent": READERS - 1, "in_doubt": 1}
    assert set(edition.recipients(relay.letters).values()) == {1}


def test_a_letter_that_waited_too_long_behind_another_leaves_only_when_it_is_taken_in_hand_again(
    database, opened
):
    """Whoever finds its lease over calls it in doubt, and a person may have it sent again: it never left."""
    run = Edition(database)
    run.subscribe(2 * PART_IN_HAND)  # so many that two are in hand of one connection
    run.release()
    courier = edition.courier(run.database, 0, run.clock, connections=1)
    held = []

    def saw(moment):
        if moment == "granted" and not held:
            run.clock.forward(seconds=LEASE.total_seconds() + 1)
            courier.recover(everything=False)
            on_the_wire = "lectrice0@kerbrec.example"
            with run.database.transaction() as session:
                doubts = [
                    row
                    for row in outbox.listed(session, state=OutgoingState.IN_DOUBT)
                    if row.recipient != on_the_wire
                ]
                held.extend(row.id for row in doubts)
                for row in doubts:
                    outbox.settle_doubt(session, row.id, arrived=False, now=run.clock())

    relay = opened(Relay(saw=saw))
    run.send(relay.port, connections=1)

    assert len(held) == 1
    assert run.sums() == {"sent": 2 * PART_IN_HAND}
    assert set(edition.recipients(relay.letters).values()) == {1}


def test_a_letter_to_staff_that_cannot_be_written_keeps_no_end_from_being_written(run, opened, tmp_path):
    """A centre may have its own templates, and make mistakes in them."""
    broken = tmp_path / "mail" / "subscription-returns" / "body.txt"
    broken.parent.mkdir(parents=True)
    broken.write_text("{{ nobody.knows.this }}")
    run.hire()
    peer = opened(Relay(answers={"RCPT": ["550 5.7.1 blocked as spam"]}))

    run.send(peer.port, renderer=Renderer([tmp_path]))

    assert run.sums() == {"sent": READERS - 1, "failed": 1}
    assert run.letters()[-1].kind == "issue", "nobody could be told"


def stumbling(deliver):
    """Send, and make a mistake with one letter after it was taken."""

    async def sent(mail_from, rcpt_to, data, **more):
        answer = await deliver(mail_from, rcpt_to, data, **more)
        if rcpt_to.startswith("lectrice3@"):
            raise ZeroDivisionError
        return answer

    return sent
