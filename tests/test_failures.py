"""When something fails: the disk, the database, the relay, the end of the process. No mail is lost, none is doubled.

Real parts: SMTP and LMTP at the doors, SQLite and PostgreSQL below, a relay that misbehaves as it is told.
"""

import asyncio
import contextlib
import os
import resource
import signal
import smtplib
import socket
import sqlite3
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlmodel import select

from mailhub import app, config, outbox
from mailhub.centre import people, requests
from mailhub.centre.people import EmailAddress
from mailhub.centre.profile import Courtesy
from mailhub.centre.requests import RequestState
from mailhub.database import Database
from mailhub.deliver.wire import Relay, Timeouts
from mailhub.errors import StorageTrouble
from mailhub.handlers import HANDLERS
from mailhub.journal import Inbound
from mailhub.mail.address import Mailbox
from mailhub.mail.draft import Draft
from mailhub.outbox import LEASE, OutgoingState
from mailhub.receive.limits import Limits
from mailhub.receive.smtp import Door
from mailhub.route import Errand
from tests import postal
from tests.cli.program import mailhub
from tests.deliver import peers
from tests.deliver.peers import Act, Peer
from tests.journey import (
    AS_CLIENTS_WRITE,
    CLAIRE,
    DOMAIN,
    NADIA,
    Journey,
    body,
    centre_of,
    english,
    mail,
    read,
)
from tests.serving import LONGEST_SECONDS, Served, make_home, opened

TROUBLE = (451, b"4.3.0 Trouble on our side, try again later")  # and not a word more
KEPT = (250, b"2.0.0 Kept")
QUESTION_ADDRESS = f"question@{DOMAIN}"
HASTY = 0.2  # seconds, where a relay that hangs is to be waited for

SERVED = pytest.mark.xdist_group("kill")  # tests that fork processes do it in one worker
Way = type[smtplib.SMTP]
Heal = contextlib.AbstractContextManager[None]


def question(
    sender: str = NADIA, message_id: str = "<q1@kerbrec.example>", number: int = 1, *, size: int = 0
) -> bytes:
    """A question; with a file, when it shall be large."""
    files = [("plan.pdf", "application/pdf", b"%PDF" + b"x" * size)] if size else []
    words = f"Bonjour, quelle est la population de l'îlot {number} ?"
    written = mail(words, sender=sender, message_id=message_id, files=files)
    return written.as_bytes(policy=AS_CLIENTS_WRITE)


def hand_over(port: int, raw: bytes, way: Way = smtplib.SMTP, sender: str = NADIA) -> tuple[int, bytes]:
    """Bring one mail to a door; its last answer."""
    with way("127.0.0.1", port, "client.example", timeout=60) as client:
        client.ehlo_or_helo_if_needed()
        client.mail(sender)
        client.rcpt(QUESTION_ADDRESS)
        return client.data(raw)


def doors(centre: Journey) -> dict[Way, int]:
    """Both doors of a centre; LMTP is opened for the occasion."""
    (lmtp,) = centre.loop.run(centre.door.listen(lmtp=["127.0.0.1:0"]))
    return {smtplib.SMTP: centre.port, smtplib.LMTP: int(lmtp.rpartition(":")[2])}


def one_question_was_answered_for(centre: Journey) -> None:
    """One request, one acknowledgement, one copy, and every one of them arrives once."""
    centre.settle()

    assert centre.verdicts() == ["request opened"]
    assert [letter.kind for letter in centre.outbox()] == ["acknowledgement", "staff-copy"]
    assert sorted(mail.recipients[0] for mail in centre.postbox.mails) == [CLAIRE, NADIA]


# ── the database ──


@contextlib.contextmanager
def pragma(database: Database, sick: str, well: str) -> Iterator[None]:
    """Let the one connection that writes meet a limit of SQLite's own."""
    for words in (sick, well):
        writer = database.engine.raw_connection()
        writer.cursor().execute(words)
        writer.close()
        if words == sick:
            yield


@contextlib.contextmanager
def full(database: Database) -> Iterator[None]:
    """The disk is full: not one page more."""
    with pragma(database, "PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000"):
        yield


@contextlib.contextmanager
def unwritable(database: Database) -> Iterator[None]:
    """Reading goes, writing does not."""
    with pragma(database, "PRAGMA query_only = 1", "PRAGMA query_only = 0"):
        yield


@contextlib.contextmanager
def locked(database: Database) -> Iterator[None]:
    """Another process writes and does not end."""
    other = sqlite3.connect(str(database.url.database), isolation_level=None, check_same_thread=False)
    # Five seconds of patience are for a home, not for a test.
    with (
        contextlib.closing(other),
        pragma(database, "PRAGMA busy_timeout = 20", "PRAGMA busy_timeout = 5000"),
    ):
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextlib.contextmanager
def told(database: Database, sick: str, well: str) -> Iterator[None]:
    """Have the server treat this database so, from the next connection on."""
    name = database.url.database
    server = database.url.set(drivername="postgresql", database="postgres")
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as control:
        for words in (sick, well):
            control.execute(f'ALTER DATABASE "{name}" {words}'.encode())
            control.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            if words == sick:
                yield


@contextlib.contextmanager
def away(database: Database) -> Iterator[None]:
    """The server lets nobody in."""
    with told(database, "ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS true"):
        yield


@contextlib.contextmanager
def read_only(database: Database) -> Iterator[None]:
    """The server is in recovery, or a standby: it reads and does not write."""
    with told(database, "SET default_transaction_read_only = on", "RESET default_transaction_read_only"):
        yield


TROUBLES = {
    "sqlite": [full, unwritable, locked],
    "postgresql": [away],
}


@pytest.fixture(
    params=[(engine, trouble) for engine, troubles in TROUBLES.items() for trouble in troubles],
    ids=lambda param: f"{param[0]}-{param[1].__name__}",
)
def troubled(request, now) -> Iterator[tuple[Journey, Callable[[], Heal]]]:
    """A centre, and how to bring its database into trouble for a while."""
    engine, trouble = request.param
    database = Database(request.getfixturevalue(f"{engine}_url"))
    with centre_of(database, now) as centre:
        centre.hire("Claire Morvan", CLAIRE)
        yield centre, lambda: trouble(database)
    database.close()


@pytest.mark.parametrize("way", [smtplib.SMTP, smtplib.LMTP])
def test_what_cannot_be_written_stays_with_its_sender_and_is_taken_once_afterwards(troubled, way):
    centre, trouble = troubled
    port = doors(centre)[way]
    raw = question(size=20_000)

    with trouble():
        during = [hand_over(port, raw, way) for _ in range(2)]
    after = [hand_over(port, raw, way) for _ in range(2)]  # the second as if our 250 had been lost

    assert during == [TROUBLE, TROUBLE]
    assert after == [KEPT, KEPT]
    one_question_was_answered_for(centre)


def test_trouble_while_handling_leaves_the_mail_waiting_and_is_no_failure_of_it(troubled):
    centre, trouble = troubled
    centre.send(question(size=20_000))

    with trouble():
        for _ in range(4):  # once more than a handler may fail
            with pytest.raises(StorageTrouble):
                centre.handle()

    assert [(row.state, row.attempts) for row in centre.journal()] == [("waiting", 0)]
    one_question_was_answered_for(centre)


def test_a_letter_whose_end_cannot_be_written_is_not_sent_again_by_itself(troubled):
    """The relay has it, the outbox does not know: it may be called sent or doubtful, never unsent."""
    centre, trouble = troubled
    centre.send(question())
    centre.handle()
    with contextlib.ExitStack() as until_healed:
        relay = postal.Relay(saw=lambda moment: moment == "answered" and strike())

        def strike() -> None:
            relay.saw = lambda _: None
            until_healed.enter_context(trouble())

        with relaying(centre, relay):
            with contextlib.suppress(StorageTrouble):  # a full disk may have room for one more word
                centre.deliver()
            until_healed.close()

            for _ in range(3):
                centre.clock.forward(seconds=LEASE.total_seconds() + 1)
                centre.courier.recover(everything=False)
                centre.deliver()

    assert len(relay.letters) == 2
    assert set(relay.arrived.values()) == {1}
    assert {letter.state for letter in centre.outbox()} <= {OutgoingState.SENT, OutgoingState.IN_DOUBT}


def test_a_mail_that_lost_a_race_against_another_process_is_handled_all_the_same(postgresql_url, now):
    """Both met the same person for the first time; it is no fault of the mail and counts as none."""
    database, other = Database(postgresql_url), Database(postgresql_url)

    def raced(reading, desk):
        if not met:
            with other.transaction() as session:
                met.append(people.introduce(session, NADIA, "Nadia", now).id)
            # What we saw before was that nobody has this address.
            desk.session.add(EmailAddress(address=NADIA, place=0, person_id=met[0]))
            desk.session.flush()
        return HANDLERS[Errand.QUESTION](reading, desk)

    met: list[int | None] = []
    with centre_of(database, now) as centre:
        centre.hire("Claire Morvan", CLAIRE)
        centre.pipeline = replace(centre.pipeline, handlers={**HANDLERS, Errand.QUESTION: raced})
        centre.send(question())
        assert centre.pipeline.step()

        assert [(row.verdict, row.attempts) for row in centre.journal()] == [("request opened", 0)]
        with database.reading() as session:
            assert requests.called(session, "Q-2026-0001").requester_id == met[0]
        one_question_was_answered_for(centre)
    for each in (database, other):
        each.close()


def test_mails_of_two_processes_that_lock_each_other_out_are_both_handled(postgresql_url, now):
    """PostgreSQL ends one of the two (40P01): no fault of the mail, which waits and is handled by the next step."""
    database, other = Database(postgresql_url), Database(postgresql_url)
    holds_person, holds_counter = threading.Event(), threading.Event()
    troubles: list[StorageTrouble] = []

    def locking(own: str, mine: threading.Event, theirs: threading.Event, wanted: str):
        def handler(reading, desk):
            if not mine.is_set():
                desk.session.execute(sa.text("SET LOCAL deadlock_timeout = '20ms'"))
                desk.session.execute(sa.text(own))
                mine.set()
                assert theirs.wait(LONGEST_SECONDS)
                desk.session.execute(sa.text(wanted))
            return HANDLERS[Errand.QUESTION](reading, desk)

        return {**HANDLERS, Errand.QUESTION: handler}

    def step(pipeline) -> None:
        try:
            pipeline.step()
        except StorageTrouble as trouble:
            troubles.append(trouble)

    person, counter = "SELECT id FROM person FOR UPDATE", "UPDATE counter SET last = last"
    with centre_of(database, now) as centre:
        centre.hire("Claire Morvan", CLAIRE)
        centre.send(question())
        centre.handle()
        here = replace(centre.pipeline, handlers=locking(person, holds_person, holds_counter, counter))
        there = replace(
            centre.pipeline, database=other, handlers=locking(counter, holds_counter, holds_person, person)
        )
        centre.send(question(message_id="<q2@kerbrec.example>", number=2))
        first = threading.Thread(target=step, args=[here])
        first.start()
        assert holds_person.wait(LONGEST_SECONDS)
        # Of another author: those of one take turns.
        centre.send(question("hugo@montelain-agglo.example", "<q3@kerbrec.example>", 3))
        step(there)
        first.join(LONGEST_SECONDS)

        assert [trouble.__cause__.orig.sqlstate for trouble in troubles] == ["40P01"]
        assert sorted(centre.verdicts()) == ["request opened", "request opened", "waiting"]
        centre.handle()
        assert [(row.verdict, row.attempts) for row in centre.journal()] == [("request opened", 0)] * 3
        with database.reading() as session:
            numbers = [requests.called(session, f"Q-2026-000{number}").id for number in (1, 2, 3)]
        assert len(set(numbers)) == 3
    for each in (database, other):
        each.close()


def test_tables_that_change_while_mail_is_handled_cost_no_mail_an_attempt(postgresql_url, now):
    """Every text column gets another type under statements the driver has prepared (0A000, were one refused)."""
    database = Database(postgresql_url)
    with centre_of(database, now, courtesy=Courtesy(per_hour=50, per_day=50)) as centre:
        centre.hire("Claire Morvan", CLAIRE)
        for number in range(1, 9):  # the driver prepares what it has carried out five times
            centre.send(question(message_id=f"<q{number}@kerbrec.example>", number=number))
            centre.handle()
        with psycopg.connect(postgresql_url.replace("+psycopg", ""), autocommit=True) as migrating:
            columns = migrating.execute(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND data_type = 'character varying'"
            ).fetchall()
            for table, column in columns:
                migrating.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE text')
        centre.send(question(message_id="<q9@kerbrec.example>", number=9))
        centre.handle()

        assert [(row.verdict, row.attempts) for row in centre.journal()] == [("request opened", 0)] * 9
    database.close()


def test_a_server_that_only_reads_is_451(postgresql_url, now):
    database = Database(postgresql_url)
    with centre_of(database, now) as centre:
        centre.hire("Claire Morvan", CLAIRE)
        with read_only(database):
            during = hand_over(centre.port, question())
        after = hand_over(centre.port, question())

        assert (during, after) == (TROUBLE, KEPT)
        one_question_was_answered_for(centre)
    database.close()


def test_a_journal_that_takes_too_long_is_451_and_the_mail_is_kept_once(postgresql_url, now):
    """The commit ends after the peer was told to come again; it comes, and its mail is there already."""
    database = Database(postgresql_url)
    with centre_of(database, now) as centre:
        centre.hire("Claire Morvan", CLAIRE)
        limits = Limits(keep_seconds=HASTY)
        hasty = Door(centre.intake.keep, centre.centre.is_ours, limits, "mail.villes-rives.example")
        port = int(centre.loop.run(hasty.listen(smtp=["127.0.0.1:0"]))[0].rpartition(":")[2])
        with database.engine.connect() as other, other.begin():
            other.execute(sa.text("LOCK TABLE inbound IN EXCLUSIVE MODE"))
            during = hand_over(port, question())
        after = hand_over(centre.port, question())
        centre.loop.run(hasty.close())

        assert (during, after) == (TROUBLE, KEPT)
        one_question_was_answered_for(centre)
    database.close()


# ── the file ──


@contextlib.contextmanager
def garbage(path: Path) -> Iterator[None]:
    """Something else stands in the file."""
    whole = path.read_bytes()
    path.write_bytes(b"Ce n'est pas une base.\n" * 4000)
    yield
    path.write_bytes(whole)


@contextlib.contextmanager
def a_page_lost(path: Path) -> Iterator[None]:
    """The disk gave back nonsense for the page where the journal begins."""
    whole = path.read_bytes()
    with contextlib.closing(sqlite3.connect(path)) as file:
        (page,) = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'inbound'").fetchone()
        (size,) = file.execute("PRAGMA page_size").fetchone()
    damaged = bytearray(whole)
    damaged[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(damaged)
    yield
    path.write_bytes(whole)


@contextlib.contextmanager
def not_to_be_written(path: Path) -> Iterator[None]:
    """Somebody took the right to write away; root, who needs none, meets a file that cannot be changed."""
    root = os.getuid() == 0
    take, give = (["chattr", "+i"], ["chattr", "-i"]) if root else (["chmod", "400"], ["chmod", "600"])
    if subprocess.run([*take, path], capture_output=True, check=False).returncode:
        pytest.skip("this file system has no immutable files")
    try:
        yield
    finally:
        subprocess.run([*give, path], check=True)


@pytest.mark.parametrize("way", [smtplib.SMTP, smtplib.LMTP])
@pytest.mark.parametrize("damage", [garbage, a_page_lost, not_to_be_written])
def test_over_a_damaged_file_the_doors_answer_451_until_it_is_mended(sqlite_url, now, damage, way):
    database = Database(sqlite_url)
    with centre_of(database, now) as centre:
        centre.hire("Claire Morvan", CLAIRE)
    database.close()
    path = Path(str(database.url.database))

    with damage(path):
        with centre_of(Database(sqlite_url), now) as centre:
            during = hand_over(doors(centre)[way], question(), way)
            centre.database.close()
        for left in (f"{path}-wal", f"{path}-shm"):
            Path(left).unlink(missing_ok=True)
    with centre_of(Database(sqlite_url), now) as centre:
        after = hand_over(doors(centre)[way], question(), way)

        assert (during, after) == (TROUBLE, KEPT)
        one_question_was_answered_for(centre)
        centre.database.close()


@SERVED
def test_a_home_on_a_full_disk_goes_on_when_there_is_room_again(tmp_path):
    """A real file system of three megabytes, a real process."""
    disk = tmp_path / "disk"
    disk.mkdir()
    as_root = [] if os.getuid() == 0 else ["sudo", "-n"]
    options = f"size=3m,uid={os.getuid()},mode=755"
    try:
        subprocess.run([*as_root, "mount", "-t", "tmpfs", "-o", options, "mailhub", disk], check=True)
    except (OSError, subprocess.CalledProcessError) as reason:
        pytest.skip(f"no file system can be mounted here: {reason}")
    relay = postal.Relay()
    try:
        with relay.open() as port, Served(make_home(disk / "home", port)) as served:
            assert served.port
            with contextlib.suppress(OSError), (disk / "ballast").open("wb") as ballast:
                while True:
                    ballast.write(bytes(4096))
            during = hand_over(served.port, question(size=100_000))
            (disk / "ballast").unlink()
            after = hand_over(served.port, question(size=100_000))

            assert (during, after) == (TROUBLE, KEPT)
            both_letters_arrive(relay, served, disk / "home")
    finally:
        subprocess.run([*as_root, "umount", "--lazy", disk], check=True)


@SERVED
def test_a_process_whose_files_may_not_grow_goes_on_when_they_may_again(tmp_path):
    """As on a full disk, and needs no rights: a limit set on a process that serves."""
    relay = postal.Relay()
    home = tmp_path / "home"
    with relay.open() as port, Served(make_home(home, port)) as served:
        assert served.port
        _, most = resource.prlimit(served.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(served.pid, resource.RLIMIT_FSIZE, (4096, most))
        during = [hand_over(served.port, question(), sender=NADIA) for _ in range(2)]
        resource.prlimit(served.pid, resource.RLIMIT_FSIZE, (most, most))
        after = hand_over(served.port, question())

        assert (during, after) == ([TROUBLE, TROUBLE], KEPT)
        both_letters_arrive(relay, served, home)


def both_letters_arrive(relay: postal.Relay, served: Served, home: Path) -> None:
    """The acknowledgement and the copy, once each; then the process ends in good order."""
    served.see("delivered", 2)
    assert served.stop() == 0
    assert sorted(relay.arrived.values()) == [1, 1]
    with opened(home) as database, database.reading() as session:
        assert [letter.state for letter in outbox.listed(session)] == [OutgoingState.SENT] * 2
        assert outbox.figures(session) == {OutgoingState.SENT: 2}
        assert len(session.exec(select(Inbound)).all()) == 1


# ── the relay ──


@pytest.fixture
def centre(database, now) -> Iterator[Journey]:
    with centre_of(database, now) as journey:
        journey.hire("Claire Morvan", CLAIRE)
        yield journey


@contextlib.contextmanager
def relaying(centre: Journey, peer: Peer, **wanted: object) -> Iterator[Peer]:
    """Let the letters of a centre leave by this relay."""
    door, before = peer.listening(), centre.courier
    port = centre.loop.run(door.__aenter__())
    there = Relay(**{"host": "127.0.0.1", "port": port, "tls": "none"} | wanted)  # type: ignore[arg-type]
    centre.courier = replace(before, relay=there)
    try:
        yield peer
    finally:
        centre.loop.run(centre.courier.close())
        centre.loop.run(door.__aexit__(None, None, None))
        centre.courier = before


def answered(centre: Journey) -> None:
    """A question has come and gone its way, and Claire's answer waits to leave."""
    centre.send(question())
    centre.settle()
    centre.write_back(
        centre.postbox.to(CLAIRE)[-1],
        "2 340 habitants.",
        sender=CLAIRE,
        name="Claire Morvan",
        message_id="<c1@villes-rives.example>",
    )
    centre.handle()
    (letter,) = centre.outbox("answer")
    assert letter.state is OutgoingState.WAITING


def the_answer(centre: Journey) -> outbox.Outgoing:
    (letter,) = centre.outbox("answer")
    return letter


def the_request(centre: Journey) -> RequestState:
    with centre.database.reading() as session:
        return requests.called(session, "Q-2026-0001").state


def letters_to_claire(relay: postal.Relay) -> list[str]:
    """What her letters say."""
    return [body(letter) for letter in map(read, relay.taken) if CLAIRE in letter["To"]]


def test_letters_wait_for_a_relay_that_is_down_and_leave_once_it_is_back(centre):
    for number in range(10):
        sender = f"p{number}@kerbrec.example"
        centre.proven.add(sender)
        centre.send(question(sender, f"<{number}@kerbrec.example>", number), sender)
    centre.handle()
    relay, place = postal.Relay(), socket.socket()
    place.bind(("127.0.0.1", 0))  # bound and nobody listens: refused
    centre.courier = replace(centre.courier, relay=Relay("127.0.0.1", place.getsockname()[1]))
    for _ in range(5):
        centre.deliver()
        centre.clock.forward(minutes=5)
    down = Counter((letter.state, letter.attempts) for letter in centre.outbox())
    server = centre.loop.run(asyncio.start_server(relay._visit, sock=place, limit=2**20))
    centre.deliver()

    assert down == {(OutgoingState.WAITING, 0): 20}
    assert {letter.state for letter in centre.outbox()} == {OutgoingState.SENT}
    assert relay.arrived == Counter(letter.message_id for letter in centre.outbox())
    centre.loop.run(centre.courier.close())
    server.close()


@pytest.fixture
def small_centre(sqlite_url, now) -> Iterator[Journey]:
    """The same on SQLite alone, for what does not depend on the database."""
    database = Database(sqlite_url)
    with centre_of(database, now) as journey:
        journey.hire("Claire Morvan", CLAIRE)
        yield journey
    database.close()


ACTS = pytest.mark.parametrize("act", [Act.CLOSE, Act.RESET, Act.HANG])


@ACTS
@pytest.mark.parametrize(
    ("stage", "limit"),
    [
        ("GREETING", "greeting"),
        ("EHLO", "command"),
        ("MAIL", "command"),
        ("RCPT", "command"),
        ("DATA", "data"),
    ],
)
def test_whatever_happens_before_the_final_dot_the_letter_leaves_once_later(small_centre, stage, limit, act):
    centre, relay = small_centre, postal.Relay({stage: [act]})
    answered(centre)
    with relaying(centre, relay, timeouts=Timeouts(**{limit: HASTY}) if act is Act.HANG else Timeouts()):
        centre.deliver()
    first = the_answer(centre).state
    with relaying(centre, relay):
        centre.clock.forward(minutes=31)
        centre.deliver()

    assert first in {OutgoingState.WAITING, OutgoingState.DEFERRED}
    assert the_answer(centre).state is OutgoingState.SENT
    assert relay.arrived[the_answer(centre).message_id] == 1


@ACTS
def test_a_letter_cut_in_the_middle_leaves_once_later(small_centre, act):
    centre, cut, relay = small_centre, Peer({"READING": act}, reads=1000), postal.Relay()
    large = Draft(
        key="large:1",
        kind="note-kept",
        sender=Mailbox("Villes & Rives", QUESTION_ADDRESS),
        recipient=Mailbox("Claire Morvan", CLAIRE),
        subject="Long",
        text=("x" * 70 + "\n") * 120_000,  # more than any socket buffer holds
        message_id="large.1@villes-rives.example",
    )
    with centre.database.transaction() as session:
        outbox.put(session, [large], domain=DOMAIN, now=centre.clock())
    with relaying(centre, cut, timeouts=Timeouts(block=HASTY) if act is Act.HANG else Timeouts()):
        centre.deliver()
    with relaying(centre, relay):
        centre.clock.forward(minutes=31)
        centre.deliver()

    assert cut.letters == []
    assert relay.arrived == {large.message_id: 1}
    assert [letter.state for letter in centre.outbox()] == [OutgoingState.SENT]


@ACTS
def test_after_the_final_dot_an_answer_is_in_doubt_its_author_told_and_nothing_is_sent_again(centre, act):
    relay = postal.Relay({"END": [act]})
    answered(centre)
    with relaying(centre, relay, timeouts=Timeouts(end=HASTY) if act is Act.HANG else Timeouts()):
        centre.loop.run(centre.courier.step())
    with relaying(centre, relay):
        for _ in range(8):
            centre.deliver()
            centre.clock.forward(hours=15)
            centre.courier.recover(everything=False)
        letter = the_answer(centre)

        assert letter.state is OutgoingState.IN_DOUBT
        assert relay.arrived[letter.message_id] == 1
        (told,) = letters_to_claire(relay)
        assert f"outbox settle {letter.id}" in told

        with centre.database.transaction() as session:
            outbox.settle_doubt(session, letter.id or 0, arrived=False, now=centre.clock())
        centre.deliver()

        assert the_answer(centre).state is OutgoingState.SENT
        assert relay.arrived[letter.message_id] == 2  # the same Message-ID: a client shows it once


STAGES = pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "END"])


@STAGES
def test_refused_for_now_an_answer_is_tried_again_half_an_hour_later(centre, stage):
    answered(centre)
    with relaying(centre, postal.Relay({stage: ["451 4.3.0 Not now"]})):
        centre.deliver()
        letter = the_answer(centre)
        centre.clock.forward(minutes=29)
        centre.deliver()
        early = the_answer(centre)
        centre.clock.forward(minutes=1)
        centre.deliver()

        assert (letter.state, letter.answer) == (OutgoingState.DEFERRED, "451 4.3.0 Not now")
        assert early == letter
        assert the_answer(centre).state is OutgoingState.SENT


def test_refused_for_four_days_an_answer_fails_its_author_is_told_and_the_request_is_open_again(centre):
    """D38: twice in the first hour, then every two to three hours, for four days."""
    answered(centre)
    asked_at, tries = centre.clock(), []
    with relaying(centre, postal.Relay({"RCPT": "450 4.2.1 Busy"})):
        centre.deliver()
        while (letter := the_answer(centre)).state is OutgoingState.DEFERRED:
            tries.append((centre.clock() - asked_at) // timedelta(minutes=1))
            centre.clock.at = letter.next_at
            centre.deliver()

    assert tries == [0, 30, 60, *range(180, 4 * 24 * 60, 180)]
    assert letter.answer == "given up: 450 4.2.1 Busy"
    (told,) = centre.outbox("answer-failed")
    said = "remise : tous les essais ont échoué. Le serveur a dit :\n\n> 450 4.2.1 Busy\n\nLa demande"
    assert (told.recipient, said in body(read(centre.bytes_of(told)))) == (CLAIRE, True)
    assert the_request(centre) is RequestState.OPEN


def test_the_four_days_begin_with_the_first_try_however_long_a_letter_waited_for_it(centre):
    answered(centre)
    with relaying(centre, postal.Relay({"RCPT": ["450 4.7.1 Greylisted"]})):
        centre.clock.forward(days=30)
        centre.deliver()
        deferred = the_answer(centre).state
        centre.clock.forward(minutes=30)
        centre.deliver()

    assert deferred is OutgoingState.DEFERRED
    assert the_answer(centre).state is OutgoingState.SENT


def test_an_answer_that_a_person_tries_again_has_its_four_days_anew_and_its_author_is_told_again(centre):
    answered(centre)
    with relaying(centre, postal.Relay({"RCPT": ["550 5.1.1 No such user"]})):
        centre.deliver()
    centre.clock.forward(days=30)
    with centre.database.transaction() as session:
        outbox.retry(session, the_answer(centre).id, centre.clock())
    with relaying(centre, postal.Relay({"RCPT": ["450 4.2.1 Busy", "550 5.1.1 No such user"]})):
        centre.deliver()
        deferred = the_answer(centre).state
        centre.clock.at = the_answer(centre).next_at
        centre.deliver()

    assert deferred is OutgoingState.DEFERRED
    assert the_answer(centre).state is OutgoingState.FAILED
    assert [told.recipient for told in centre.outbox("answer-failed")] == [CLAIRE, CLAIRE]


@STAGES
def test_refused_for_good_an_answer_fails_and_its_author_knows_within_the_same_minute(centre, stage):
    """P19 allows five minutes."""
    answered(centre)
    with relaying(centre, postal.Relay({stage: ["550 5.1.1 No such user here"]})) as relay:
        centre.deliver()  # the clock stands still

        assert (the_answer(centre).state, the_answer(centre).attempts) == (OutgoingState.FAILED, 1)
        (told,) = letters_to_claire(relay)
        assert (
            "n’a PAS pu être remise. Le serveur a dit :\n\n> 550 5.1.1 No such user here\n\nLa demande"
            in told
        )
        assert the_request(centre) is RequestState.OPEN

        centre.clock.forward(days=2)
        centre.deliver()
        assert the_answer(centre).state is OutgoingState.FAILED  # D39: a 5yz is never tried again


def test_an_answer_too_large_for_the_relay_fails_and_its_author_is_told_so_in_french(centre):
    answered(centre)
    with relaying(centre, postal.Relay(offers=("SIZE 300",))):
        centre.deliver()

    assert str(the_answer(centre).answer).startswith("too large: the letter has ")
    (told,) = centre.outbox("answer-failed")
    said = body(read(centre.bytes_of(told)))
    assert "n’a PAS pu être remise : la lettre est trop lourde pour le serveur d’envoi.\n\nLa demande" in said
    assert english(said) == []


def test_where_tls_is_required_and_not_offered_nothing_is_said_in_clear(centre, tmp_path):
    """S24: neither the letter, nor its addresses, nor the password."""
    answered(centre)
    wanted = {
        "tls": "starttls",
        "ca_file": peers.authority(tmp_path).ca_file,
        "username": "mailhub",
        "password": "fictional",
    }
    with relaying(centre, postal.Relay(), **wanted) as relay:
        for _ in range(3):
            centre.deliver()
            centre.clock.forward(minutes=5)

        assert set(relay.heard) == {"EHLO localhost"}
        assert "does not offer STARTTLS" in str(the_answer(centre).answer)
        assert the_answer(centre).state is OutgoingState.WAITING


# ── the process ──


@SERVED
def test_a_second_process_is_told_who_serves_the_home_and_ends(tmp_path):
    home = make_home(tmp_path / "home", 9)
    with Served(home) as served:
        assert served.port
        second = mailhub("serve", "--home", home)

    assert second.status == 1
    assert second.said.endswith(
        f"mailhub: process {served.pid} serves this home already ({home}/storage/lock)\n"
    )


@SERVED
def test_a_mail_being_kept_at_sigterm_is_kept_and_its_sender_told_so(tmp_path):
    """SIGTERM comes between the final dot and the commit, which waits for another writer."""
    home = make_home(tmp_path / "home", 9)
    with Served(home) as served, opened(home) as database:
        idle, sender = Visit(served.port, begins=False), Visit(served.port)
        with writing(database):
            sender.say(question(), b".\r\n")
            served.send(signal.SIGTERM)
            said_to_idle = idle.rest()  # the doors are closing
        said = sender.rest()

        assert served.wait() == 0
        assert said_to_idle == b"421 4.3.2 Closing down, come back later\r\n"
        assert said == b"250 2.0.0 Kept\r\n421 4.3.2 Closing down, come back later\r\n"
        assert len(_mails(database)) == 1


@SERVED
def test_a_mail_half_said_at_sigterm_is_heard_to_its_end_and_kept_once(tmp_path):
    relay = postal.Relay()
    raw = question()
    with relay.open() as port:
        home = make_home(tmp_path / "home", port)
        with Served(home) as served:
            idle, sender = Visit(served.port, begins=False), Visit(served.port)
            sender.say(raw[: len(raw) // 2])
            served.send(signal.SIGTERM)
            said_to_idle = idle.rest()  # the doors are closing
            sender.say(raw[len(raw) // 2 :], b".\r\n")
            said = sender.rest()
            assert served.wait() == 0
        with Served(home) as served:
            after = hand_over(served.port, raw)  # as if our 250 had been lost

            assert said_to_idle == b"421 4.3.2 Closing down, come back later\r\n"
            assert said == b"250 2.0.0 Kept\r\n421 4.3.2 Closing down, come back later\r\n"
            assert after == KEPT
            both_letters_arrive(relay, served, home)


@SERVED
def test_a_relay_that_hangs_is_not_waited_for_for_ever_at_the_end(tmp_path):
    """What was on the wire is called in doubt at the next start, and not sent again."""
    relay = postal.Relay({"END": Act.HANG})
    with relay.open() as port:
        home = make_home(tmp_path / "home", port)
        house = app.build(config.load(home, {}))
        asyncio.run(serve_until(house, relay, "taken"))
        house.close()
        with Served(home) as served:
            assert served.stop() == 0

        with opened(home) as database, database.reading() as session:
            assert outbox.figures(session) == {OutgoingState.IN_DOUBT: 2}
        assert set(relay.arrived.values()) == {1}


async def serve_until(house: app.House, relay: postal.Relay, moment: str) -> None:
    """Serve, with a question at the door, until the relay sees that moment."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def saw(what: str) -> None:
        if what == moment:
            loop.call_soon_threadsafe(stop.set)

    def ask(doors: list[str], _pages: str) -> None:
        port = int(doors[0].rpartition(":")[2])
        threading.Thread(target=hand_over, args=(port, question()), daemon=True).start()

    relay.saw = saw
    await app.serve(house, ready_to_go=ask, stop=stop, patience_seconds=HASTY)


@contextlib.contextmanager
def writing(database: Database) -> Iterator[None]:
    """Another process has begun to write, and ends with the block."""
    with contextlib.closing(sqlite3.connect(str(database.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("COMMIT")


class Visit:
    """A peer that has greeted, named one recipient and, if it begins, been told to go ahead with its mail."""

    def __init__(self, port: int, *, begins: bool = True) -> None:
        self._client = smtplib.SMTP("127.0.0.1", port, "client.example", timeout=LONGEST_SECONDS)
        self._client.ehlo()
        self._client.mail(NADIA)
        self._client.rcpt(QUESTION_ADDRESS)
        assert not begins or self._client.docmd("DATA")[0] == 354

    def say(self, *octets: bytes) -> None:
        """Send a part of the mail."""
        self._client.send(b"".join(octets))

    def rest(self) -> bytes:
        """All that is still said, until the other side hangs up."""
        assert self._client.sock is not None
        with self._client.sock, self._client.sock.makefile("rb") as said:
            return said.read()


def _mails(database: Database) -> list[Inbound]:
    with database.reading() as session:
        return list(session.exec(select(Inbound)).all())
