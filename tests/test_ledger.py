"""The ledger tells the truth: whatever relays answer and whenever processes die, every reader is accounted for, once."""

import asyncio
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from mailhub import outbox
from mailhub.centre import people, publications, returns, subscriptions
from mailhub.centre.publications import IssueState
from mailhub.centre.returns import Returned
from mailhub.centre.subscriptions import Act, Channel, State, consent
from mailhub.database import Database
from mailhub.deliver.wire import Answer, Outcome, Stage
from mailhub.errors import Refused
from mailhub.lists import Lists
from mailhub.outbox import OutgoingState, Standing
from mailhub.render import Renderer
from mailhub.schedule import Issues, take_slot
from tests import edition
from tests.deliver.peers import Act as Does
from tests.edition import HOUR, Edition, later
from tests.journey import CLAIRE, body, english, read
from tests.postal import Relay
from tests.readers import said

READERS = 70


@pytest.fixture
def run(database):
    """Seventy readers, and one who is told."""
    edition = Edition(database)
    edition.subscribe(READERS)
    edition.hire()
    return edition


@pytest.fixture
def alone(sqlite_url):
    """The same on SQLite."""
    database = Database(sqlite_url)
    edition = Edition(database)
    edition.subscribe(READERS)
    yield edition
    database.close()


class Choosy(Relay):
    """A relay that answers RCPT as it is told to for each recipient, once for each answer given."""

    def __init__(self, told):
        super().__init__()
        self.told = told

    async def _say(self, writer, stage, default):
        if stage == "RCPT":
            address = self.heard[-1].partition("<")[2].partition(">")[0]
            waiting = self.told.get(address) or self.told.get("*")
            if waiting:
                default = waiting.pop(0)
        return await super()._say(writer, stage, default)


@pytest.fixture
def choosy(opened):
    """Open a relay that answers RCPT by recipient."""
    return lambda answers: opened(Choosy(answers))


def leave(run, subscription_id, at=HOUR):
    with run.database.transaction() as session:
        row = subscriptions.get(session, subscription_id)
        consent.record(session, row, Act.WITHDRAWN, said(at), state=State.LEFT)


# -- crashes ----------------------------------------------------------------------------------------------------


def test_t1_a_sender_killed_at_each_of_seventy_deliveries_loses_no_reader_and_doubles_none(
    sqlite_url, tmp_path
):
    """Seventy processes, each killed at its delivery: before the letter is taken, when it is, and after 250."""
    run = Edition(Database(sqlite_url))
    run.subscribe(READERS)
    run.release()
    moments, running, died = ["granted", "taken", "answered"], [], []

    def saw(moment):
        if running and moment == moments[len(died) % 3]:
            process = running.pop()
            edition.kill(process)
            died.append(process)

    relay = Relay(saw=saw)
    with relay.open() as port:
        for _ in range(READERS + 5):
            if not run.sums().get("planned"):
                break
            process = edition.sending(sqlite_url, port, 1)
            running.append(process)
            process.join(60)
            running.clear()
            courier = edition.courier(run.database, port, run.clock)
            assert courier.recover(everything=True) <= 1
    run.issues.follow_up()

    assert len(died) >= READERS - 5, f"only {len(died)} were killed"
    assert set(run.sums()) <= {"sent", "in_doubt"}
    assert run.issue().state == "closed"
    arrived = edition.recipients(relay.letters)
    assert max(arrived.values()) == 1
    assert {line.address for line in run.lines(Standing.SENT)} <= set(arrived)
    run.database.close()


@pytest.mark.parametrize("killed_at", [1, 2, 37, 69, 70])
def test_t1_what_a_killed_sender_leaves_is_sent_by_the_next_and_only_its_last_letters_are_in_doubt(
    alone, tmp_path, killed_at
):
    alone.release()
    url, count, running = str(alone.database.url), [0], []

    def saw(moment):
        if moment == "taken" and running:
            count[0] += 1
            if count[0] == killed_at:
                edition.kill(running.pop())

    relay = Relay(saw=saw)
    with relay.open() as port:
        process = edition.sending(url, port, 4)
        running.append(process)
        process.join(60)
        edition.courier(alone.database, port, alone.clock).recover(everything=True)
        in_doubt = alone.sums().get("in_doubt", 0)
        alone.send(port)

    assert process.exitcode == -9
    assert 1 <= in_doubt <= 4
    assert alone.sums() == {"sent": READERS - in_doubt, "in_doubt": in_doubt}
    assert max(edition.recipients(relay.letters).values()) == 1


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_t3_two_processes_started_at_once_send_each_reader_one_copy(request, engine, relay):
    url = request.getfixturevalue(f"{engine}_url")
    database = Database(url)
    run = Edition(database)
    run.subscribe(READERS)
    run.keep(at=HOUR)

    released = edition.ticking(url, 2)
    senders = [edition.sending(url, relay.port, 2) for _ in range(2)]
    for sender in senders:
        sender.join(60)

    assert released == [0, 1], "one released the issue, the other found it released"
    assert [sender.exitcode for sender in senders] == [0, 0]
    assert edition.recipients(relay.letters) == {f"lectrice{n}@kerbrec.example": 1 for n in range(READERS)}
    assert run.sums() == {"sent": READERS}
    database.close()


def test_t3_whoever_comes_second_to_an_issue_says_that_another_released_it(run):
    """The second has seen the issue due, and waits for the first, who releases it."""
    run.keep(at=HOUR)
    other = Database(run.database.url.render_as_string(hide_password=False))
    asked, seen = [], threading.Event()

    def now():
        asked.append(HOUR)
        if len(asked) == 2:  # it has looked, and is about to release
            seen.set()
        return HOUR

    second = replace(run.issues, database=other, now=now)
    with ThreadPoolExecutor() as pool, capture_logs() as logs:
        with run.database.transaction() as session:
            assert take_slot(session, "release lettre-57", HOUR)
            released = pool.submit(second.release_due)
            assert seen.wait(60)

        assert released.result(60) == 0
    assert [entry["event"] for entry in logs] == ["released by another process"]
    assert run.sums() == {}
    other.close()


def test_t4_of_twenty_ticks_at_once_one_does_the_work(postgresql_url):
    database = Database(postgresql_url)
    run = Edition(database)
    run.subscribe(3)
    run.keep(at=HOUR)

    released = edition.ticking(postgresql_url, 20)

    assert released == [0] * 19 + [1]
    assert run.sums() == {"planned": 3}
    database.close()


def test_t6_a_connection_that_ends_before_the_last_answer_leaves_a_doubt_counted_apart(run, opened):
    run.release()
    peer = opened(Relay(answers={"END": ["250 2.0.0 Taken", Does.RESET]}))

    run.send(peer.port, connections=1)
    run.issues.follow_up()

    assert run.sums() == {"sent": READERS - 1, "in_doubt": 1}
    (line,) = run.lines(Standing.IN_DOUBT)
    report = next(letter for letter in run.letters() if letter.kind == "issue-report")
    words = body(read(run.raw(report)))
    assert line.address in words
    assert f"Confiés au serveur : {READERS - 1}" in words


def test_a_doubt_ends_by_a_persons_word_and_the_copy_leaves_again_with_the_same_id(run, relay, opened):
    run.release()
    run.send(opened(Relay(answers={"END": [Does.RESET]})).port, connections=1)
    (line,) = run.lines(Standing.IN_DOUBT)

    with run.database.transaction() as session:
        session.add(outbox.settle_doubt(session, line.letter_id, arrived=False, now=run.clock()))
    run.send(relay.port)

    assert run.sums() == {"sent": READERS}
    (letter,) = relay.letters
    assert f"Message-ID: <{line.message_id}>".encode() in letter


# -- relays that refuse -----------------------------------------------------------------------------------------


def test_t2_a_relay_that_refuses_six_in_ten_for_now_ends_with_every_reader_sent(run, choosy):
    run.release()
    tempfail = "451 4.3.0 try later"
    peer = choosy({f"lectrice{n}@kerbrec.example": [tempfail] for n in range(READERS) if n % 10 < 6})

    run.send(peer.port)
    run.issues.follow_up()

    assert run.sums() == {"sent": 28, "deferred": 42}
    assert run.issue().state == "released", "an issue is never closed while a copy is deferred"

    run.clock.forward(minutes=30)
    run.send(peer.port)
    run.issues.follow_up()

    assert run.sums() == {"sent": READERS}
    assert run.issue().state == "closed"


def test_t7_a_relay_that_hangs_up_over_unknown_recipients_costs_nobody_else_a_copy(run, choosy):
    """One recipient to a transaction: a 421 ends one connection, and rests one destination."""
    run.release()
    unknown = "550 5.1.1 no such user"
    peer = choosy({"*": [unknown] * 3 + ["421 4.7.0 too many unknown recipients"]})

    run.send(peer.port, connections=1)

    assert run.sums() == {"failed": 3, "deferred": 1, "planned": 66}

    run.clock.forward(minutes=31)
    run.send(peer.port, connections=1)

    assert run.sums() == {"sent": 67, "failed": 3}
    rcpts = [line for line in peer.heard if line.startswith("RCPT")]
    mails = [line for line in peer.heard if line.startswith("MAIL")]
    assert len(rcpts) == len(mails)


def test_d32_what_the_relay_refuses_at_rcpt_counts_as_a_return(run, choosy):
    run.release()
    peer = choosy({"lectrice5@kerbrec.example": ["550 5.1.1 no such user"]})

    run.send(peer.port)

    (line,) = run.lines(Standing.FAILED)
    with run.database.reading() as session:
        told = returns.told(session, line.subscription_id)
    assert [row.outcome for row in told] == [Returned.ADDRESS]


def test_d37_a_copy_that_got_through_ends_a_row_of_failures(run, choosy):
    peer = choosy({"lectrice5@kerbrec.example": ["550 5.2.1 closed for now"]})
    for number in (57, 58):
        run.release(number)
        run.send(peer.port)
        run.issues.follow_up()

    with run.database.reading() as session:
        line = next(
            line
            for line in outbox.read(session, publications.called(session, "lettre-58"))
            if line.name == "Lectrice 5"
        )
        outcomes = [row.outcome for row in returns.told(session, line.subscription_id)]
    assert outcomes == [Returned.HARD, Returned.SENT]
    assert run.sums("lettre-58") == {"sent": READERS}


def test_d37_an_issue_stopped_before_a_copy_left_is_no_success(run, choosy):
    told = {"lectrice5@kerbrec.example": ["550 5.1.1 no such user", "550 5.1.1 no such user"]}
    peer = choosy(told)
    run.release(57)
    run.send(peer.port)
    run.release(58)
    with run.database.transaction() as session:
        outbox.stop(session, publications.called(session, "lettre-58"), run.clock())
    run.issues.follow_up()
    run.clock.forward(days=30)
    run.release(59)
    run.send(peer.port)

    with run.database.reading() as session:
        (line,) = run.lines(Standing.FAILED, "lettre-59")
        assert subscriptions.get(session, line.subscription_id).state is State.SUSPENDED


def test_d37_a_copy_in_doubt_that_arrived_counts_though_its_issue_is_closed(run, opened, relay):
    run.release()
    run.send(opened(Relay({"END": [Does.CLOSE]})).port)
    run.send(relay.port)
    run.issues.follow_up()
    (line,) = run.lines(Standing.IN_DOUBT)
    assert run.issue().state == "closed"
    with run.database.transaction() as session:
        outbox.settle_doubt(session, line.letter_id, arrived=True, now=run.clock())
    run.issues.follow_up()

    with run.database.reading() as session:
        assert [row.outcome for row in returns.told(session, line.subscription_id)] == [Returned.SENT]


def test_d39_what_is_refused_for_good_is_never_tried_again(run, choosy):
    run.release()
    peer = choosy({"lectrice5@kerbrec.example": ["554 5.7.1 go away"]})

    for _ in range(4):
        run.send(peer.port)
        run.clock.forward(hours=6)

    assert sum("lectrice5@" in line for line in peer.heard if line.startswith("RCPT")) == 1


def test_d38_what_is_refused_for_now_waits_half_an_hour_twice_then_hours_then_gives_up(run, choosy):
    run.release()
    peer = choosy({"lectrice5@kerbrec.example": ["450 4.2.0 greylisted"] * 100})
    tries, before = [], 0

    for minute in range(0, 5 * 24 * 60, 15):
        run.clock.at = later(minutes=minute)
        run.send(peer.port)
        heard = sum("lectrice5@" in line for line in peer.heard if line.startswith("RCPT"))
        if heard > before:
            tries.append(minute)
        before = heard

    assert tries[:5] == [0, 30, 60, 180, 360]
    assert {after - first for first, after in pairwise(tries[4:])} == {180}
    assert 90 * 60 < tries[-1] <= 96 * 60
    assert run.lines(Standing.FAILED)[0].why.startswith("given up: 450 4.2.0")


def test_d42_a_connection_closed_between_two_letters_is_made_again_and_no_copy_fails(run, opened):
    run.release()
    peer = opened(Relay(answers={"MAIL": (["250 2.1.0 OK"] * 20 + [Does.CLOSE]) * 3}))

    run.send(peer.port, connections=1)

    assert run.sums() == {"sent": READERS}
    assert peer.connections > 1
    assert max(edition.recipients(peer.letters).values()) == 1


def test_d45_sending_is_on_disk_before_the_wire_is_touched_and_the_end_after_it(run):
    seen = []

    class Watching(Relay):
        async def _say(self, writer, stage, default):
            if stage == "MAIL":
                seen.append(await asyncio.to_thread(_states, run))
            return await super()._say(writer, stage, default)

    run.release()
    relay = Watching()
    with relay.open() as port:
        run.send(port, connections=1)

    assert seen[0] == {"sending": 1, "waiting": READERS - 1}
    assert all(states["sending"] >= 1 for states in seen)
    assert run.sums() == {"sent": READERS}
    if run.database.dialect == "sqlite":
        with run.database.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


# -- who leaves, and when ---------------------------------------------------------------------------------------


def test_d23_whoever_leaves_one_second_before_the_hour_is_not_in_the_issue(run, relay):
    run.keep(at=later(seconds=1))
    leave(run, 7)
    run.clock.forward(seconds=1)

    assert run.issues.release_due() == 1
    run.send(relay.port)

    assert run.sums() == {"sent": READERS - 1, "excluded": 1}
    (line,) = run.lines(Standing.EXCLUDED)
    assert (line.subscription_id, line.why) == (7, "left")


def test_s32_whoever_leaves_during_the_run_and_is_still_planned_is_taken_out(run, choosy):
    run.release()
    peer = choosy({"lectrice2@kerbrec.example": ["450 4.2.0 later"]})
    leave(run, 7)
    run.send(peer.port)
    leave(run, 3)
    run.clock.forward(minutes=30)
    run.send(peer.port)

    assert run.sums() == {"sent": READERS - 2, "excluded": 2}
    assert {(line.subscription_id, line.why) for line in run.lines(Standing.EXCLUDED)} == {
        (7, "left"),
        (3, "left"),
    }
    assert not {"lectrice6@kerbrec.example", "lectrice2@kerbrec.example"} & set(
        edition.recipients(peer.letters)
    )


def test_t15_a_copy_that_is_tried_again_does_not_go_to_whoever_held_the_function_before(database, choosy):
    run = Edition(database)
    run.subscribe(1)
    with database.transaction() as session:
        town = people.organisation_called(session, "Ville de Kerbrec")
        seat = people.function_called(session, "cheffe de projet", people.identity(town))
        people.appoint(session, seat, edition.reader(session, HOUR, "avant@kerbrec.example", "Avant"), HOUR)
        edition.subscribed(session, HOUR, seat)
    run.release()
    peer = choosy({"*": ["450 4.2.0 later", "450 4.2.0 later"]})
    run.send(peer.port)
    assert run.sums() == {"deferred": 2}
    with database.transaction() as session:
        people.appoint(session, seat, edition.reader(session, HOUR, "apres@kerbrec.example", "Après"), HOUR)
    run.clock.forward(hours=1)
    run.send(peer.port)

    assert edition.recipients(peer.letters) == {"lectrice0@kerbrec.example": 1}
    (line,) = run.lines(Standing.EXCLUDED)
    assert (line.address, line.why) == ("avant@kerbrec.example", "succeeded")


def test_a_copy_does_not_go_to_the_holder_of_a_function_who_died(database, relay):
    run = Edition(database)
    with database.transaction() as session:
        town = people.organisation_called(session, "Ville de Kerbrec")
        seat = people.function_called(session, "cheffe de projet", people.identity(town))
        holder = edition.reader(session, HOUR, "avant@kerbrec.example", "Avant")
        people.appoint(session, seat, holder, HOUR)
        edition.subscribed(session, HOUR, seat)
    run.release()
    with database.transaction() as session:
        holder = people.recognise(session, "avant@kerbrec.example")
        holder.deceased = True
        session.add(holder)
    run.send(relay.port)

    assert relay.letters == []
    assert [line.why for line in run.lines(Standing.EXCLUDED)] == ["deceased"]


def test_t23_one_copy_goes_to_two_who_share_an_address_and_stays_when_one_of_them_leaves(database, relay):
    run = Edition(database)
    with database.transaction() as session:
        for name in ("Nadia Benali", "Paul Benali"):
            person = edition.reader(session, HOUR, "famille@kerbrec.example", name)
            edition.subscribed(session, HOUR, person)
    run.release()
    leave(run, 1)
    run.send(relay.port)

    assert run.sums() == {"sent": 1, "excluded": 1}
    assert len(relay.letters) == 1
    assert b"Nadia Benali, Paul Benali" in relay.letters[0]


def test_d43_after_the_deadline_nothing_leaves_and_what_did_not_is_reported(run, choosy):
    run.release()
    peer = choosy({f"lectrice{n}@kerbrec.example": ["450 4.2.0 later"] * 200 for n in range(10)})
    run.send(peer.port)
    run.clock.at = run.issue().expires_at
    heard = len(peer.heard)

    run.send(peer.port)
    assert len(peer.heard) == heard, "nothing leaves from the deadline on"
    run.issues.tick()

    assert run.sums() == {"sent": 60, "failed": 10}
    assert {line.why for line in run.lines(Standing.FAILED)} == {"expired: its deadline has passed"}
    assert run.issue().state == "closed"
    (report,) = [letter for letter in run.letters() if letter.kind != "issue"]
    words = body(read(run.raw(report)))
    assert report.kind == "issue-report"
    assert "- Lectrice 0 <lectrice0@kerbrec.example> : le délai d’envoi est passé\n" in words
    assert english(words) == []


def test_a_report_tells_why_copies_failed_in_french_and_leaves_the_words_of_a_server_alone(run, choosy):
    run.release()
    peer = choosy(
        {
            "lectrice1@kerbrec.example": ["550 5.1.1 no such user"],
            "lectrice2@kerbrec.example": ["450 4.2.0 later"] * 200,
        }
    )
    run.send(peer.port)
    while line := next(iter(run.lines(Standing.DEFERRED)), None):
        with run.database.reading() as session:
            run.clock.at = outbox.get(session, line.letter_id).next_at
        run.send(peer.port)
    run.issues.tick()

    report = next(letter for letter in run.letters() if letter.kind == "issue-report")
    words = body(read(run.raw(report)))
    assert "lectrice1@kerbrec.example> : 550 5.1.1 no such user\n" in words
    assert (
        "lectrice2@kerbrec.example> : tous les essais ont échoué ; le serveur a dit : 450 4.2.0 later\n"
        in words
    )


def test_a_paused_issue_waits_and_goes_on_where_it_was(run, relay):
    run.release()
    with run.database.transaction() as session:
        publications.hold(session, publications.called(session, "lettre-57"))
    run.send(relay.port)

    assert run.sums() == {"planned": READERS}
    assert relay.letters == []

    with run.database.transaction() as session:
        publications.release(session, publications.called(session, "lettre-57"), HOUR)
    run.send(relay.port)

    assert run.sums() == {"sent": READERS}


def test_a_paused_issue_gives_the_courier_nothing_to_write(run, monkeypatch):
    run.release()
    books = edition.courier(run.database, 1, run.clock).books
    with run.database.reading() as session:
        assert outbox.is_due(session, run.clock())
        assert not outbox.is_due(session, run.clock(), ["kerbrec.example"])
    with run.database.transaction() as session:
        publications.hold(session, publications.called(session, "lettre-57"))

    def nothing_to_write():
        raise AssertionError("a transaction was opened")

    monkeypatch.setattr(run.database, "transaction", nothing_to_write)

    assert books.write([], 0, claiming=True) == []


def test_a_stopped_issue_takes_back_what_has_not_left(run, choosy):
    run.release()
    peer = choosy({"lectrice2@kerbrec.example": ["450 4.2.0 later"]})
    run.send(peer.port)
    with run.database.transaction() as session:
        taken_back = outbox.stop(session, publications.called(session, "lettre-57"), run.clock())
    run.clock.forward(hours=1)
    run.send(peer.port)

    assert taken_back == 1
    assert run.sums() == {"sent": READERS - 1, "excluded": 1}
    assert run.lines(Standing.EXCLUDED)[0].why == "stopped"


def test_an_issue_that_cannot_be_put_together_keeps_no_other_and_leaves_once_it_can(run):
    run.keep(at=HOUR)
    run.keep(58, at=HOUR)
    whole, broken = run.issues, []

    def roster(session, publication, at):
        if publications.called(session, "lettre-57").state is IssueState.SCHEDULED and not broken:
            broken.append(publication)
            raise ValueError("a template that does not hold")
        return subscriptions.roster(session, publication, at)

    run.issues = replace(whole, roster=roster)
    first, second = run.issues.release_due(), run.issues.release_due()

    assert (first, second) == (1, 1)
    assert {run.issue("lettre-57").state, run.issue("lettre-58").state} == {IssueState.RELEASED}
    (told,) = [letter for letter in run.letters() if letter.kind != "issue"]
    assert (told.kind, told.recipient) == ("issue-trouble", CLAIRE)
    assert english(body(read(run.raw(told)))) == []


def test_an_issue_whose_list_has_no_file_is_told_of_once_and_leaves_when_it_is_there(run):
    whole = run.issues
    run.issues = replace(whole, centre=replace(run.here, lists=Lists()))
    run.keep(at=HOUR)
    without = [run.issues.release_due() for _ in range(3)]
    told = [letter.kind for letter in run.letters()]
    run.issues = whole

    assert (without, told, run.issues.release_due()) == ([0, 0, 0], ["issue-trouble"], 1)


def test_an_account_that_cannot_be_written_keeps_no_other(run, relay, monkeypatch):
    for number in (57, 58):
        run.release(number)
    run.send(relay.port)
    account = Issues._account

    def broken(issues, session, issue):
        if issue.number == 57:
            raise ValueError("a template that does not hold")
        return account(issues, session, issue)

    monkeypatch.setattr(Issues, "_account", broken)
    run.issues.follow_up()

    assert (run.issue("lettre-57").state, run.issue("lettre-58").state) == ("released", "closed")


@pytest.mark.parametrize("verb", [publications.hold, publications.stop])
def test_what_is_held_or_stopped_after_its_hour_was_seen_to_have_come_does_not_leave(run, verb):
    run.keep(at=HOUR)
    run.keep(58, at=HOUR)

    def roster(session, publication, at):
        lines = subscriptions.roster(session, publication, at)
        if publications.called(session, "lettre-58").state is IssueState.SCHEDULED:
            verb(session, publications.called(session, "lettre-58"))
        return lines

    run.issues = replace(run.issues, roster=roster)

    assert run.issues.release_due() == 1
    assert run.issue("lettre-58").released_at is None


def test_a_copy_in_doubt_of_a_stopped_issue_never_leaves_again(run, opened):
    run.release()
    run.send(opened(Relay(answers={"END": [Does.RESET]})).port, connections=1)
    with run.database.transaction() as session:
        outbox.stop(session, publications.called(session, "lettre-57"), run.clock())
    run.issues.follow_up()
    (line,) = run.lines(Standing.IN_DOUBT)

    assert run.issue().state is IssueState.CLOSED
    with run.database.transaction() as session, pytest.raises(Refused, match="stopped"):
        outbox.settle_doubt(session, line.letter_id, arrived=False, now=run.clock())


def test_what_was_refused_and_left_again_by_a_persons_word_counts_as_it_ended(run, relay, choosy):
    run.release()
    peer = choosy({"lectrice2@kerbrec.example": ["550 5.1.1 no such user"]})
    run.send(peer.port)
    (line,) = run.lines(Standing.FAILED)
    with run.database.transaction() as session:
        outbox.retry(session, line.letter_id, run.clock())
    run.send(relay.port)
    run.issues.follow_up()

    with run.database.reading() as session:
        letter = outbox.get(session, line.letter_id)
        (told,) = returns.told(session, letter.subscription_id)
    assert told.outcome is returns.Returned.SENT


def test_copies_in_hand_when_their_issue_is_stopped_do_not_keep_it_open(run):
    run.release()
    books = edition.courier(run.database, 1, run.clock).books
    first, second = books.write([], 0, claiming=True)
    with run.database.transaction() as session:
        outbox.stop(session, publications.called(session, "lettre-57"), run.clock())
    later_on, never_begun = (
        Answer(outcome, Stage.RCPT, 450) for outcome in (Outcome.DEFERRED, Outcome.NOT_SENT)
    )
    books.write([(first.claim, later_on), (second.claim, never_begun)], 0, claiming=False)
    run.issues.follow_up()

    assert run.sums() == {"excluded": READERS}
    assert run.issue().state is IssueState.CLOSED


def test_what_a_notice_settled_meanwhile_is_not_undone_by_the_relays_word(run):
    run.release()
    books = edition.courier(run.database, 1, run.clock).books
    first, _ = books.write([], 0, claiming=True)
    with run.database.transaction() as session:
        outbox.failed(outbox.get(session, first.claim.id), "returned", run.clock())
    books.write([(first.claim, Answer(Outcome.DEFERRED, Stage.RCPT, 450))], 0, claiming=False)

    with run.database.reading() as session:
        assert outbox.get(session, first.claim.id).state is OutgoingState.FAILED


def test_letters_to_one_leave_before_an_issue_does(run, relay):
    run.release()
    run.clock.forward(minutes=1)
    run.keep(58, at=later(hours=-7))
    run.issues.ask_about_late()
    run.send(relay.port, connections=1)

    assert b"issue-late" not in relay.letters[0]
    assert edition.recipients(relay.letters[:1]) == {"claire.morvan@villes-rives.example": 1}


# -- the account ------------------------------------------------------------------------------------------------


def test_the_sums_are_the_roster_name_by_name_by_email_on_paper_and_not_at_all(database, relay):
    run = Edition(database)
    run.subscribe(3)
    run.subscribe(2, "vrine.example", channel=Channel.PAPER)
    run.subscribe(2, "rivage.example", channel=Channel.BOTH)
    leave(run, 1)
    run.release()
    run.send(relay.port)

    assert run.sums() == {"sent": 4, "paper": 4, "excluded": 1}
    assert sorted((line.name, line.standing.value) for line in run.lines()) == sorted(
        [
            *[("Lectrice 0", "excluded"), ("Lectrice 1", "sent"), ("Lectrice 2", "sent")],
            *[("Lectrice 0", "paper"), ("Lectrice 1", "paper")],
            *[
                ("Lectrice 0", "sent"),
                ("Lectrice 1", "sent"),
                ("Lectrice 0", "paper"),
                ("Lectrice 1", "paper"),
            ],
        ]
    )


def test_a_roster_is_frozen_whatever_comes_after(run, relay):
    run.release()
    run.subscribe(3, "vrine.example")
    run.send(relay.port)

    assert run.sums() == {"sent": READERS}


def test_no_state_of_a_copy_is_written_twice(run):
    """The line of the roster says who and how; what became of it is the letter's row, and no other."""
    run.release()
    with run.database.transaction() as session:
        letter = outbox.get(session, run.lines()[0].letter_id)
        letter.state = OutgoingState.IN_DOUBT

    assert run.sums() == {"planned": READERS - 1, "in_doubt": 1}


_ANSWERS = st.sampled_from(
    ["250 2.1.5 OK"] * 4 + ["450 4.2.0 later", "550 5.1.1 unknown", "421 4.3.2 closing"]
)
_ENDS = st.sampled_from(["250 2.0.0 Taken"] * 4 + ["451 4.3.0 later", "554 5.6.0 no", Does.RESET, Does.CLOSE])


@pytest.fixture(scope="module")
def planned(sqlite_template, tmp_path_factory):
    """An issue to ten readers, ready to leave: each example begins with a copy of it."""
    path = tmp_path_factory.mktemp("planned") / "mailhub.db"
    shutil.copy(sqlite_template, path)
    run = Edition(Database(edition.url_of(path)))
    run.subscribe(10)
    run.release()
    run.database.close()
    return path


@settings(max_examples=30, deadline=None)
@given(rcpts=st.lists(_ANSWERS, max_size=20), ends=st.lists(_ENDS, max_size=20))
def test_whatever_a_relay_answers_the_ledger_balances_and_nobody_is_sent_two(
    planned, tmp_path_factory, rcpts, ends
):
    copy = shutil.copy(planned, tmp_path_factory.mktemp("example") / "mailhub.db")
    run = Edition(Database(edition.url_of(copy)))
    peer = Relay(answers={"RCPT": list(rcpts), "END": list(ends)})

    with peer.open() as port:
        for _ in range(3):
            run.send(port)
            run.clock.forward(hours=2)

    sums = run.sums()
    assert sum(sums.values()) == 10
    assert "sending" not in sums
    arrived = edition.recipients(peer.letters)
    sent = {line.address for line in run.lines(Standing.SENT)}
    refused_or_unknown = {line.address for line in run.lines() if line.standing is not Standing.SENT}
    assert sent <= set(arrived)
    assert {address for address, count in arrived.items() if count > 1} <= sent | refused_or_unknown
    run.database.close()


def test_an_issue_released_twice_at_the_same_hour_is_released_once(run):
    run.keep(at=HOUR)

    assert run.issues.release_due() + run.issues.release_due() == 1
    assert run.sums() == {"planned": READERS}


def test_t5_an_issue_whose_hour_is_long_past_waits_for_a_person_and_staff_are_told_once(run):
    run.keep(at=later(hours=-6, minutes=-1))

    for _ in range(3):
        assert run.issues.tick() == 0

    assert run.issue().state == "late"
    assert run.sums() == {}
    (told,) = run.letters()
    assert (told.kind, told.recipient) == ("issue-late", "claire.morvan@villes-rives.example")
    assert "mailhub issue release lettre-57" in run.raw(told).decode().replace("=\r\n", "")


def test_t5_a_late_issue_of_which_nobody_can_be_told_keeps_no_other(run, tmp_path):
    broken = tmp_path / "mail" / "issue-late"
    broken.mkdir(parents=True)
    (broken / "body.txt").write_text("{{ nobody_knows_this }}")
    run.issues = replace(run.issues, renderer=Renderer([tmp_path]))
    run.keep(at=HOUR)
    run.clock.forward(hours=12)
    run.keep(58, at=run.clock())

    assert run.issues.tick() == 1
    assert (run.issue("lettre-57").state, run.issue("lettre-58").state) == ("late", "released")


def test_t5_a_late_issue_that_could_not_be_put_off_does_not_leave(run, monkeypatch):
    def trouble(*_):
        raise ValueError("for now")

    run.keep(at=HOUR)
    run.clock.forward(hours=12)
    monkeypatch.setattr(Issues, "_ask_about", trouble)

    assert run.issues.tick() == 0
    assert run.issue().state == "scheduled"


def test_t5_a_person_decides_and_the_late_issue_leaves(run, relay):
    run.keep(at=later(hours=-7))
    run.issues.tick()
    with run.database.transaction() as session:
        publications.release(session, publications.called(session, "lettre-57"), run.clock())

    assert run.issues.tick() == 1
    run.send(relay.port)
    assert run.sums() == {"sent": READERS}


def test_an_hour_past_by_less_is_no_reason_to_wait(run):
    run.keep(at=later(hours=-5))

    assert run.issues.tick() == 1


# -- within -----------------------------------------------------------------------------------------------------


def _states(run):
    with run.database.reading() as session:
        return {str(state): count for state, count in outbox.figures(session).items()}
