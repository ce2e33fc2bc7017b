"""Joining takes a yes of the address itself, leaving takes a word, and every step is proof that nothing can change."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from mailhub.centre import people, subscriptions
from mailhub.centre.subscriptions import (
    EVERYTHING,
    About,
    Act,
    Answer,
    Asked,
    Channel,
    Consent,
    Evidence,
    Reply,
    Settled,
    Source,
    State,
    Subscription,
)
from mailhub.database import Database
from mailhub.errors import Refused
from mailhub.lists import Publication
from mailhub.mail.tokens import Purpose, Token
from tests.readers import KEYRING, LETTER, REVIEW, by_phone, reader, said, subscribed

HUGO = "hugo.perrin@montelain-agglo.example"
DAY = timedelta(days=1)


@pytest.fixture
def tables(sqlite_url: str) -> Iterator[Database]:
    """A database of one's own; what differs between engines is tried on `database`."""
    database = Database(sqlite_url)
    yield database
    database.close()


def ask(session: Session, at: datetime, address: str = HUGO, *codes: str, proven: bool = False) -> Asked:
    """Ask to join, as a page would."""
    evidence = Evidence(Source.PAGE, at, shown="Je demande à recevoir la revue.")
    return subscriptions.ask(
        session, KEYRING, address, "Hugo Perrin", codes or ("revue",), evidence, proven=proven
    )


def confirm(session: Session, asked: Asked, at: datetime, address: str | None = HUGO) -> Answer:
    """Say yes."""
    assert asked.confirmation is not None
    assert asked.confirmation.id is not None
    return subscriptions.answer(session, asked.confirmation.id, address, said(at), yes=True)


def states(session: Session) -> dict[tuple[str, int | None], State]:
    """Where every subscription stands."""
    return {(row.publication, row.person_id): row.state for row in session.exec(select(Subscription)).all()}


def acts(session: Session, row: Subscription) -> list[Act]:
    """What was decided, in order."""
    return [kept.act for kept in subscriptions.history(session, row.id or 0)]


# ── joining ──


def test_nothing_is_sent_before_the_address_itself_says_yes(tables: Database, now: datetime):
    with tables.transaction() as session:
        asked = ask(session, now)
        pending = dict(states(session))
        answer = confirm(session, asked, now + DAY)

        (kept,) = session.exec(select(Consent)).all()

    assert set(pending.values()) == {State.PENDING}
    assert answer.settled is Settled.DONE
    assert [row.state for row in answer.changed] == [State.ACTIVE]
    assert (kept.act, kept.shown, kept.message_digest) == (
        Act.GIVEN,
        "Je demande à recevoir la revue.",
        "d" * 64,
    )


def test_s35_a_yes_from_another_address_is_no_yes(tables: Database, now: datetime):
    with tables.transaction() as session:
        asked = ask(session, now)

        answer = confirm(session, asked, now, "someone.else@montelain-agglo.example")

        assert answer.settled is Settled.ELSEWHERE
        assert set(states(session).values()) == {State.PENDING}


def test_t27_one_question_a_day_and_three_a_month_whoever_asks(tables: Database, now: datetime):
    def letters(hours: int, code: str) -> bool:
        with tables.transaction() as session:
            return ask(session, now + timedelta(hours=hours), HUGO, code).confirmation is not None

    sent = [letters(hours, code) for hours in range(0, 24 * 30, 6) for code in ("lettre", "revue")]

    assert sum(sent) == 3
    assert letters(24 * 31, "revue")


def test_t27_the_second_question_comes_a_whole_day_after_the_first(tables: Database, now: datetime):
    def letter(after: timedelta, code: str) -> bool:
        with tables.transaction() as session:
            return ask(session, now + after, HUGO, code).confirmation is not None

    assert letter(timedelta(0), "lettre")
    assert not letter(DAY - timedelta(minutes=1), "revue")
    assert letter(DAY, "revue")


def test_t27_a_question_that_is_dropped_leaves_nobody_behind(tables: Database, now: datetime):
    with tables.transaction() as session:
        ask(session, now)
        dropped = ask(session, now, HUGO, "lettre")

        assert (dropped.confirmation, bool(dropped.silent)) == (None, True)
        assert {code for code, _ in states(session)} == {"revue"}


def test_t24_ten_confirmations_at_once_make_one_subscription_and_one_welcome(
    database: Database, now: datetime
):
    with database.transaction() as session:
        asked = ask(session, now)
    answers: list[Answer] = []

    def say_yes() -> None:
        with database.transaction() as session:
            answers.append(confirm(session, asked, now))

    threads = [threading.Thread(target=say_yes) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.reading() as session:
        assert list(states(session).values()) == [State.ACTIVE]
        assert len(session.exec(select(Consent)).all()) == 1
    assert sorted(answer.settled for answer in answers) == sorted([Settled.DONE, *[Settled.ALREADY] * 9])


def test_a_question_is_asked_again_after_a_week_and_forgotten_after_two(tables: Database, now: datetime):
    with tables.transaction() as session:
        asked = ask(session, now)

        early = subscriptions.to_remind(session, now + 6 * DAY)
        reminded = subscriptions.to_remind(session, now + 7 * DAY)
        twice = subscriptions.to_remind(session, now + 8 * DAY)
        subscriptions.lapse(session, now + 13 * DAY)
        waiting = dict(states(session))
        lapsed = subscriptions.lapse(session, now + 14 * DAY)
        late = confirm(session, asked, now + 15 * DAY)

        assert (early, [question.id for question in reminded], twice) == ([], [asked.confirmation.id], [])  # type: ignore[union-attr]
        assert (len(waiting), len(lapsed), late.settled) == (1, 1, Settled.GONE)
        assert (states(session), people.recognise(session, HUGO)) == ({}, None)


def test_whoever_we_know_otherwise_is_kept_when_a_question_lapses(tables: Database, now: datetime):
    with tables.transaction() as session:
        hugo = reader(session, now, HUGO, "Hugo Perrin")
        subscribed(session, now, hugo, LETTER)
        ask(session, now)

        subscriptions.lapse(session, now + 14 * DAY)

        assert people.recognise(session, HUGO) == hugo
        assert list(states(session)) == [("lettre", hugo.id)]


def test_a_no_forgets_the_question_at_once(tables: Database, now: datetime):
    with tables.transaction() as session:
        asked = ask(session, now)
        assert asked.confirmation is not None

        answer = subscriptions.answer(session, asked.confirmation.id or 0, HUGO, said(now), yes=False)

        assert answer.settled is Settled.REFUSED
        assert (states(session), asked.confirmation.address) == ({}, None)


def test_one_yes_covers_every_publication_it_was_asked_about(tables: Database, now: datetime):
    with tables.transaction() as session:
        confirm(session, ask(session, now, HUGO, "lettre", "revue"), now)

        assert {code: state for (code, _), state in states(session).items()} == {
            "lettre": State.ACTIVE,
            "revue": State.ACTIVE,
        }


# ── by staff ──


@pytest.mark.parametrize("channel", [Channel.PAPER, Channel.BOTH])
def test_r29_the_review_does_not_come_on_paper(channel: Channel):
    with pytest.raises(Refused, match="does not come by paper"):
        subscriptions.refuse_channel(REVIEW, channel)

    subscriptions.refuse_channel(LETTER, channel)
    subscriptions.refuse_channel(REVIEW, Channel.EMAIL)


@pytest.mark.parametrize(
    ("publication", "address", "channel", "asks"),
    [
        (LETTER, HUGO, Channel.EMAIL, False),  # a professional address is told, and may object
        (LETTER, "hugo@gmail.com", Channel.EMAIL, True),  # a private one says yes first (CPCE L34-5)
        (LETTER, "hugo@gmail.com", Channel.PAPER, False),
        (REVIEW, HUGO, Channel.EMAIL, True),
    ],
)
def test_d46_who_has_to_say_yes_first(publication: Publication, address: str, channel: Channel, asks: bool):
    by_mail = address if channel.has_email else None

    assert subscriptions.needs_yes(publication, by_mail) is asks


# ── leaving ──


def test_nothing_goes_to_who_died_and_their_function_waits_for_the_next(tables: Database, now: datetime):
    with tables.transaction() as session:
        person = reader(session, now, HUGO, "Hugo Martin")
        own = subscribed(session, now, person, REVIEW)
        seat = people.function_called(
            session, "chef de projet", people.identity(people.organisation_called(session, "Kerbrec"))
        )
        people.appoint(session, seat, person, now)
        held = subscribed(session, now, seat)

        changed = subscriptions.died(session, person, by_phone(now))
        session.flush()

        assert changed == (own,)
        assert held.state is State.ACTIVE
        (line,) = subscriptions.roster(session, LETTER.code, now)
        assert line.excluded is subscriptions.Excluded.DECEASED
        people.appoint(session, seat, reader(session, now, "suivante@kerbrec.example"), now)
        (line,) = subscriptions.roster(session, LETTER.code, now)
        assert line.excluded is None


def test_t23_two_people_at_one_address_leave_each_for_themselves(tables: Database, now: datetime):
    couple = "famille.legoff@kerbrec.example"
    with tables.transaction() as session:
        anne, paul = (
            reader(session, now, couple, "Anne Le Goff"),
            reader(session, now, couple, "Paul Le Goff"),
        )
        hers, his = subscribed(session, now, anne), subscribed(session, now, paul)
        before = subscriptions.roster(session, "lettre", now)
        subscriptions.leave(session, [hers], said(now))
        after = subscriptions.roster(session, "lettre", now)

    sent = [line for line in before if line.excluded is None]
    assert [(line.address, line.names, line.also) for line in sent] == [
        (couple, ("Anne Le Goff", "Paul Le Goff"), (his.id,))
    ]
    assert [(line.names, line.excluded) for line in after] == [
        (("Anne Le Goff",), "left"),
        (("Paul Le Goff",), None),
    ]


def test_leaving_twice_is_leaving_once(tables: Database, now: datetime):
    with tables.transaction() as session:
        row = subscribed(session, now, reader(session, now, HUGO))

        first, second = (subscriptions.leave(session, [row], said(now)) for _ in range(2))

        assert (first, second) == ((row,), ())
        assert acts(session, row) == [Act.GIVEN, Act.WITHDRAWN]


def test_no_more_messages_ever_stops_everything_and_outlives_erasure(tables: Database, now: datetime):
    digest = subscriptions.digest_of(KEYRING, HUGO)
    with tables.transaction() as session:
        person = reader(session, now, HUGO, "Hugo Perrin")
        rows = [subscribed(session, now, person, each) for each in (LETTER, REVIEW)]
        subscriptions.leave_everything(session, KEYRING, rows, HUGO, said(now))
        kept = states(session)
        for row in [*rows, *session.exec(select(people.EmailAddress)).all()]:
            session.delete(row)
        session.flush()
        session.delete(person)

    with tables.transaction() as session:
        by_page = ask(session, now, HUGO, "lettre")
        readable = [
            str(value)
            for table in ("consent", "suppression", "confirmation")
            for line in session.execute(text(f"SELECT * FROM {table}")).all()
            for value in line
        ]

    assert set(kept.values()) == {State.SUPPRESSED}
    assert subscriptions.EVERYTHING == EVERYTHING
    assert (by_page.confirmation, bool(by_page.silent)) == (None, True)
    assert not [value for value in readable if "perrin" in value.lower()]
    assert digest


def test_whoever_objected_comes_back_by_their_own_proven_word_alone(tables: Database, now: datetime):
    with tables.transaction() as session:
        row = subscribed(session, now, reader(session, now, HUGO, "Hugo Perrin"), REVIEW)
        subscriptions.leave_everything(session, KEYRING, [row], HUGO, said(now))
        unproven = ask(session, now, HUGO, "revue")
        asked = ask(session, now, HUGO, "revue", proven=True)

        confirm(session, asked, now)

        assert (unproven.confirmation, row.state) == (None, State.ACTIVE)
        assert subscriptions.suppressed(session, subscriptions.digest_of(KEYRING, HUGO)) == frozenset()


def test_annuler_takes_back_all_that_one_word_did_and_only_that(tables: Database, now: datetime):
    with tables.transaction() as session:
        person = reader(session, now, HUGO)
        letter, review = subscribed(session, now, person), subscribed(session, now, person, REVIEW)
        subscriptions.pause(session, [letter], said(now), until=now + 30 * DAY)
        subscriptions.leave_everything(session, KEYRING, [letter, review], HUGO, said(now + DAY))

        undone = subscriptions.undo(session, KEYRING, [letter, review], HUGO, said(now + 2 * DAY))
        again = subscriptions.undo(session, KEYRING, [letter, review], HUGO, said(now + 2 * DAY))

        assert (undone, again) == ((letter, review), ())
        assert (letter.state, review.state) == (State.PAUSED, State.ACTIVE)
        assert subscriptions.suppressed(session, subscriptions.digest_of(KEYRING, HUGO)) == frozenset()


def test_a_pause_that_was_ended_by_mistake_goes_on_to_its_own_day(tables: Database, now: datetime):
    with tables.transaction() as session:
        row = subscribed(session, now, reader(session, now, HUGO))
        subscriptions.pause(session, [row], said(now), until=now + 30 * DAY)
        subscriptions.resume(session, [row], said(now + DAY))
        resumed = row.state_at(now + 2 * DAY)
        subscriptions.undo(session, KEYRING, [row], HUGO, said(now + 2 * DAY))

        assert (resumed, row.state_at(now + 2 * DAY)) == (State.ACTIVE, State.PAUSED)
        assert row.state_at(now + 30 * DAY) is State.ACTIVE


def test_a_longer_pause_taken_back_leaves_the_one_before(tables: Database, now: datetime):
    with tables.transaction() as session:
        row = subscribed(session, now, reader(session, now, HUGO), LETTER, Channel.EMAIL)
        subscriptions.pause(session, [row], said(now), since=now + DAY, until=now + 10 * DAY)
        subscriptions.pause(session, [row], said(now + DAY), until=now + 60 * DAY)

        subscriptions.undo(session, KEYRING, [row], HUGO, said(now + 2 * DAY))

        assert (row.paused_from, row.paused_until) == (now + DAY, now + 10 * DAY)
        assert [row.state_at(now + days * DAY) for days in (0, 5, 10)] == ["active", "paused", "active"]


def test_a_pause_ends_by_itself(tables: Database, now: datetime):
    with tables.transaction() as session:
        row = subscribed(session, now, reader(session, now, HUGO))
        subscriptions.pause(session, [row], said(now), since=now + DAY, until=now + 10 * DAY)

        told = [
            subscriptions.roster(session, "lettre", now + days * DAY)[0].excluded
            for days in (0, 1, 9, 10, 99)
        ]

    assert told == [None, "paused", "paused", None, None]


def test_d48_no_more_paper_leaves_the_email_or_ends_the_subscription(tables: Database, now: datetime):
    with tables.transaction() as session:
        both = subscribed(session, now, reader(session, now, HUGO, post=True), LETTER, Channel.BOTH)
        paper = subscribed(
            session, now, reader(session, now, None, "M. Sans", post=True), LETTER, Channel.PAPER
        )

        subscriptions.stop_paper(session, [both, paper], said(now))

        assert (both.state, both.channel, paper.state) == (State.ACTIVE, Channel.EMAIL, State.LEFT)


def test_a_leave_token_is_dead_once_the_function_has_another_holder(tables: Database, now: datetime):
    with tables.transaction() as session:
        town = people.organisation_called(session, "Ville de Kerbrec")
        seat = people.function_called(session, "chef de projet", people.identity(town))
        nadia, hugo = reader(session, now, "nadia@kerbrec.example"), reader(session, now, HUGO)
        people.appoint(session, seat, nadia, now)
        row = subscribed(session, now, seat, LETTER, Channel.EMAIL)
        token = Token(Purpose.LEAVE, row.id or 0, people.identity(nadia))

        good = subscriptions.borne(session, token)
        people.appoint(session, seat, hugo, now + DAY)
        dead = subscriptions.borne(session, token)
        (line,) = subscriptions.roster(session, "lettre", now + DAY)

    assert (good, dead) == (row, None)
    assert (line.person_id, line.address) == (hugo.id, HUGO)


# ── proof ──


@pytest.mark.parametrize("verb", ["UPDATE consent SET note = 'autre'", "DELETE FROM consent"])
def test_the_database_itself_refuses_to_change_or_remove_a_proof(
    database: Database, now: datetime, verb: str
):
    with database.transaction() as session:
        subscribed(session, now, reader(session, now, HUGO))

    with pytest.raises(DBAPIError, match="never changed or removed"), database.transaction() as session:
        session.execute(text(verb))

    with database.reading() as session:
        assert len(session.exec(select(Consent)).all()) == 1


# ── moving ──


def move(session: Session, at: datetime, *, proven: bool) -> tuple[people.Person, Subscription, list[int]]:
    """Odile asks to move; her subscription has been suspended."""
    odile = reader(session, at, "o.legall@kerbrec.example", "Odile Le Gall")
    row = subscribed(session, at, odile)
    subscriptions.record(session, row, Act.STOPPED, said(at, Source.RETURNS), state=State.SUSPENDED)
    asked = subscriptions.ask_to_move(
        session, KEYRING, odile, "o.legall@kerbrec.example", "odile@kerbrec.example", said(at), proven=proven
    )
    assert [question.about for question in asked] == [About.MOVE_FROM, About.MOVE_TO]
    return odile, row, [question.id or 0 for question in asked]


def test_an_unproven_move_takes_a_yes_from_both_addresses(tables: Database, now: datetime):
    later = now + DAY
    with tables.transaction() as session:
        odile, row, (old, new) = move(session, now, proven=False)

        first = subscriptions.answer(session, new, "odile@kerbrec.example", said(later), yes=True)
        written_to = people.address_of(session, people.identity(odile))
        second = subscriptions.answer(session, old, "o.legall@kerbrec.example", said(later), yes=True)

        assert (first.settled, written_to) == (Settled.WAITING, "o.legall@kerbrec.example")
        assert (second.settled, row.state, row.returns_since) == (Settled.DONE, State.ACTIVE, later)
        assert people.address_of(session, people.identity(odile)) == "odile@kerbrec.example"


def test_the_old_address_can_stop_a_move_it_was_said_to_ask_for(tables: Database, now: datetime):
    with tables.transaction() as session:
        odile, _, (old, new) = move(session, now, proven=True)

        stopped = subscriptions.answer(session, old, "o.legall@kerbrec.example", said(now), yes=False)
        too_late = subscriptions.answer(session, new, "odile@kerbrec.example", said(now), yes=True)

        assert (stopped.settled, too_late.settled) == (Settled.REFUSED, Settled.REFUSED)
        assert people.address_of(session, people.identity(odile)) == "o.legall@kerbrec.example"


def test_nobody_moves_to_an_address_that_objected(tables: Database, now: datetime):
    with tables.transaction() as session:
        odile = reader(session, now, "o.legall@kerbrec.example")
        subscriptions.suppress(session, subscriptions.digest_of(KEYRING, HUGO), EVERYTHING, Source.MAIL, now)

        asked = subscriptions.ask_to_move(
            session, KEYRING, odile, "o.legall@kerbrec.example", HUGO, said(now), proven=True
        )

    assert asked == ()


def test_what_was_answered_long_ago_is_forgotten(tables: Database, now: datetime):
    with tables.transaction() as session:
        asked = ask(session, now)
        confirm(session, asked, now)

        assert asked.confirmation is not None
        assert asked.confirmation.reply is Reply.YES
        assert subscriptions.forget_questions(session, now + 29 * DAY) == 0
        assert subscriptions.forget_questions(session, now + 31 * DAY) == 1
