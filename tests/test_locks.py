"""One process per home, one leader among several."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailhub.database import Database
from mailhub.errors import HomeError
from mailhub.locks import HomeLock, Leadership

CHILD = """
import sys
from pathlib import Path
from mailhub.locks import HomeLock

with HomeLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_who_serves_the_home(tmp_path: Path):
    lock = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"

        with pytest.raises(HomeError, match=f"process {child.pid} serves this home"):
            HomeLock(lock).acquire()
        child.send_signal(signal.SIGKILL)

    with HomeLock(lock):
        assert lock.read_text() == f"{os.getpid()}\n"


def test_a_home_that_was_left_can_be_served_again(tmp_path: Path):
    with HomeLock(tmp_path / "lock"):
        pass

    with HomeLock(tmp_path / "lock") as again, pytest.raises(HomeError):
        HomeLock(again.path).acquire()


def test_a_home_that_is_not_there_cannot_be_held(tmp_path: Path):
    with pytest.raises(HomeError, match="No such file"):
        HomeLock(tmp_path / "nowhere" / "lock").acquire()


def test_one_process_leads_until_it_lays_it_down(postgresql_url: str):
    first, second = Database(postgresql_url), Database(postgresql_url)
    here, there = Leadership(first.engine, "scheduler"), Leadership(second.engine, "scheduler")

    assert (here.held(), there.held(), here.held()) == (True, False, True)
    here.lay_down()
    assert (there.held(), here.held()) == (True, False)

    there.lay_down()
    for database in (first, second):
        database.close()


def test_a_leader_that_lost_its_line_leads_no_more(postgresql_url: str):
    database = Database(postgresql_url)
    lost, next_one = Leadership(database.engine, "scheduler"), Leadership(database.engine, "scheduler")
    assert lost.held()
    with database.engine.connect() as connection:
        # Of this database alone: the server is shared by every test. In milliseconds, how long to wait for the end.
        ended = connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        ).all()
        assert [whole for (whole,) in ended] == [True]

    assert (lost.held(), next_one.held(), lost.held()) == (False, True, False)

    next_one.lay_down()
    database.close()


def test_different_names_are_different_offices(postgresql_url: str):
    database = Database(postgresql_url)
    offices = [Leadership(database.engine, name) for name in ("scheduler", "retention")]

    assert [office.held() for office in offices] == [True, True]

    for office in offices:
        office.lay_down()
    database.close()


def test_the_only_process_of_a_home_leads(sqlite_url: str):
    assert Leadership(Database(sqlite_url).engine, "scheduler").held()
