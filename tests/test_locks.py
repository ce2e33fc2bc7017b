"""One process per home, where one is all there may be."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mailhub.errors import HomeError
from mailhub.locks import HomeLock, alone

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


def test_on_sqlite_one_process_is_alone_and_on_postgresql_nobody_has_to_be(tmp_path: Path):
    lock = tmp_path / "lock"
    with alone(lock, "sqlite"), pytest.raises(HomeError), alone(lock, "sqlite"):
        pass

    with alone(lock, "postgresql"), alone(lock, "postgresql"):
        pass
