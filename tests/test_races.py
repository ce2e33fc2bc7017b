"""Two processes on one PostgreSQL: what one looked at is not what the other changed meanwhile, and nothing is done twice."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailhub import journal, outbox, storage
from mailhub.centre import returns, subscriptions
from mailhub.centre.returns import Returned
from mailhub.centre.subscriptions import State
from mailhub.database import Database, take_turns
from mailhub.errors import ChangedMeanwhile, Refused
from mailhub.handlers import HANDLERS
from mailhub.journal import Inbound, InboundState, Verdict
from mailhub.mail.address import Mailbox
from mailhub.mail.draft import Draft
from mailhub.mail.envelope import Envelope
from mailhub.outbox import OutgoingState
from mailhub.route import Errand
from mailhub.schedule import take_slot
from tests.journey import AS_CLIENTS_WRITE, CLAIRE, DOMAIN, NADIA, centre_of, mail
from tests.readers import by_phone, reader, said, subscribed
from tests.serving import LONGEST_SECONDS

RAW = b"From: a@b.example\r\n\r\nBonjour\r\n"


@pytest.fixture
def pair(postgresql_url: str) -> Iterator[tuple[Database, Database]]:
    """One database as two processes have it."""
    here, there = Database(postgresql_url), Database(postgresql_url)
    yield here, there
    here.close()
    there.close()


def beside(here: Database, work: Callable[[], object]) -> threading.Thread:
    """Begin something in another thread that will have to wait for a lock of ours; it waits when this returns."""
    thread = threading.Thread(target=work)
    thread.start()
    waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with here.engine.connect() as connection:
        while thread.is_alive() and not connection.execute(waits).scalar():
            connection.execute(sa.text("SELECT pg_sleep(0.005)"))
    return thread


def test_a_reader_who_leaves_beside_a_pause_has_left(pair: tuple[Database, Database], now: datetime):
    here, there = pair
    with here.transaction() as session:
        number = subscribed(session, now, reader(session, now, "anne@kerbrec.example")).id or 0

    with here.transaction() as session:
        row = subscriptions.get(session, number)
        with there.transaction() as other:
            subscriptions.leave(other, [subscriptions.get(other, number)], said(now))
        with pytest.raises(ChangedMeanwhile):
            subscriptions.pause(session, [row], by_phone(now), until=now + timedelta(days=9))

    with here.reading() as session:
        trail = [(kept.state_before, kept.state_after) for kept in subscriptions.history(session, number)]
        assert subscriptions.get(session, number).state is State.LEFT
        assert trail == [(State.PENDING, State.ACTIVE), (State.ACTIVE, State.LEFT)]


def test_of_two_decisions_about_one_mail_the_later_sees_the_first(
    pair: tuple[Database, Database], now: datetime
):
    here, there = pair
    with here.transaction() as session:
        journal.accept(session, [(RAW, (Envelope("question@v.example", received_at=now),))], now)
        journal.get(session, 1).state = InboundState.HELD
    refused: list[Refused] = []

    def discards() -> None:
        try:
            with there.transaction() as other:
                journal.get(other, 1)
                journal.discard(other, 1, "publicité", now)
        except Refused as refusal:
            refused.append(refusal)

    with here.transaction() as session:
        journal.release(session, 1)
        session.flush()
        thread = beside(here, discards)
    thread.join(LONGEST_SECONDS)

    assert [str(each) for each in refused] == [
        "mail 1 is waiting, only a held or parked mail can be discarded"
    ]


def test_t4_whoever_comes_second_to_a_slot_waits_for_the_first_and_does_not_get_it(
    pair: tuple[Database, Database], now: datetime
):
    here, there = pair
    second: list[bool] = []

    def comes_second() -> None:
        with there.transaction() as other:
            second.append(take_slot(other, "release lettre-57", now))

    with here.transaction() as session:
        first = take_slot(session, "release lettre-57", now)
        thread = beside(here, comes_second)
        assert second == []
    thread.join(LONGEST_SECONDS)

    assert (first, second) == (True, [False])


def test_two_issues_that_come_back_at_once_stop_the_email(pair: tuple[Database, Database], now: datetime):
    here, there = pair
    with here.transaction() as session:
        number = subscribed(session, now, reader(session, now, "anne@kerbrec.example")).id or 0

    def second() -> None:
        with there.transaction() as other:
            returns.record(other, number, 2, Returned.HARD, now + timedelta(days=60))

    with here.transaction() as session:
        returns.record(session, number, 1, Returned.HARD, now + timedelta(days=30))
        thread = beside(here, second)
    thread.join(LONGEST_SECONDS)

    with here.reading() as session:
        assert subscriptions.get(session, number).state is State.SUSPENDED


def test_bytes_that_come_again_while_they_are_forgotten_are_kept(
    pair: tuple[Database, Database], now: datetime
):
    here, there = pair
    again = Envelope("question@centre.example", "a@b.example", "lmtp", now)
    with here.transaction() as session:
        journal.accept(session, [(RAW, [replace(again, source="smtp")])], now)
        session.execute(sa.update(Inbound).values(state="done", verdict=Verdict.TRIAGE))

    def forget() -> None:
        with there.transaction() as other:
            journal.forget(other, [1])

    with here.transaction() as session:
        journal.accept(session, [(RAW, [again])], now)
        thread = beside(here, forget)
    thread.join(LONGEST_SECONDS)

    with here.reading() as session:
        (waiting,) = journal.waiting(session, 10)
        assert (waiting.envelope.source, waiting.raw) == ("lmtp", RAW)


def test_bytes_that_are_forgotten_while_they_come_again_are_kept(
    pair: tuple[Database, Database], now: datetime
):
    here, there = pair
    with here.transaction() as session:
        digest = storage.keep(session, RAW, now)

    def keep() -> None:
        with there.transaction() as other:
            storage.keep(other, RAW, now)

    with here.transaction() as session:
        storage.claim(session, digest)
        thread = beside(here, keep)
        storage.forget(session, digest)
    thread.join(LONGEST_SECONDS)

    with here.reading() as session:
        assert storage.fetch(session, digest) == RAW


def test_one_mail_by_two_doors_opens_one_request(pair: tuple[Database, Database], now: datetime):
    here, there = pair
    raw = mail("Quelle est la population de l'îlot ?", message_id="<q1@kerbrec.example>").as_bytes(
        policy=AS_CLIENTS_WRITE
    )
    known = mail("Merci d'avance ?", message_id="<q0@kerbrec.example>").as_bytes(policy=AS_CLIENTS_WRITE)
    began, go_on = threading.Event(), threading.Event()

    def slowly(reading, desk):
        began.set()
        assert go_on.wait(LONGEST_SECONDS)
        return HANDLERS[Errand.QUESTION](reading, desk)

    with centre_of(here, now) as centre:
        centre.hire("Claire Morvan", CLAIRE)
        centre.send(known)
        centre.handle()
        first = replace(centre.pipeline, handlers={**HANDLERS, Errand.QUESTION: slowly})
        second = replace(centre.pipeline, database=there)
        for number, (door, pipeline) in enumerate((("smtp", first), ("lmtp", second))):
            envelope = Envelope(f"question@{DOMAIN}", NADIA, door, now)
            with here.transaction() as session:
                journal.accept(session, [(raw, [envelope])], now)
            if number == 0:
                slow = threading.Thread(target=pipeline.step)
                slow.start()
                assert began.wait(LONGEST_SECONDS)
            else:
                thread = beside(here, pipeline.step)
        go_on.set()
        for each in (slow, thread):
            each.join(LONGEST_SECONDS)

        assert sorted(centre.verdicts()) == ["duplicate", "request opened", "request opened"]


def test_a_letter_a_courier_has_in_hand_is_not_tried_again_beside(
    pair: tuple[Database, Database], now: datetime
):
    here, there = pair
    with here.transaction() as session:
        draft = Draft("answer", "k", Mailbox(None, "a@centre.example"), Mailbox(None, NADIA), "s", "t")
        outbox.put(session, [draft], domain=DOMAIN, now=now)
        session.execute(sa.update(outbox.Outgoing).values(state=OutgoingState.DEFERRED))
    seen: list[str] = []

    def retry() -> None:
        try:
            with there.transaction() as other:
                outbox.retry(other, 1, now)
        except Exception as refused:  # noqa: BLE001 — whatever it is, it is what is asked about
            seen.append(type(refused).__name__)

    with here.transaction() as session:
        outbox.take(session, outbox.waiting(session, now, 10), now)
        thread = beside(here, retry)
    thread.join(LONGEST_SECONDS)

    with here.reading() as session:
        assert session.exec(select(col(outbox.Outgoing.state))).one() is OutgoingState.SENDING
    assert seen == ["Refused"]


def test_those_who_take_turns_wait_for_each_other(pair: tuple[Database, Database]):
    here, there = pair
    order: list[str] = []

    def later() -> None:
        with there.transaction() as other:
            take_turns(other, ["b", "a"])
            order.append("there")

    with here.transaction() as session:
        take_turns(session, ["a"])
        thread = beside(here, later)
        order.append("here")
    thread.join(LONGEST_SECONDS)

    assert order == ["here", "there"]


@pytest.mark.parametrize("name", ["Message-ID", "In-Reply-To", "References"])
def test_an_id_no_column_can_hold_keeps_no_mail_waiting(database: Database, now: datetime, name: str):
    """PostgreSQL has no NUL in a text, and no key of some thousand octets."""
    odd = [
        f"From: {NADIA}\r\n{name}: <{identifier}@k.example>\r\n\r\nQuelle est la population ?\r\n".encode()
        for identifier in ("a\0b", "x" * 9000)
    ]
    with centre_of(database, now) as centre:
        centre.hire("Claire Morvan", CLAIRE)
        for raw in (*odd, mail("Combien d'îlots ?").as_bytes(policy=AS_CLIENTS_WRITE)):
            centre.send(raw)
        while centre.pipeline.step():
            pass

        assert [row.attempts for row in centre.journal()] == [0, 0, 0]
        assert "waiting" not in centre.verdicts()


def test_a_value_the_driver_refuses_is_no_trouble_of_the_storage(postgresql_url: str):
    database = Database(postgresql_url)
    with pytest.raises(sa.exc.DataError), database.transaction() as session:
        _write(session, "a\0b")
    database.close()


def _write(session: Session, words: str) -> None:
    session.execute(sa.text("SELECT CAST(:words AS text)"), {"words": words})
