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


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "storage").mkdir()
    return tmp_path


def test_a_second_process_is_told_who_serves_the_home(home: Path):
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"

        with pytest.raises(HomeError, match=f"process {child.pid} serves this home"):
            HomeLock(home).acquire()
        child.send_signal(signal.SIGKILL)

    with HomeLock(home) as lock:
        assert lock.path.read_text() == f"{os.getpid()}\n"


def test_a_home_that_was_left_can_be_served_again(home: Path):
    with HomeLock(home):
        pass

    with HomeLock(home), pytest.raises(HomeError):
        HomeLock(home).acquire()


def test_a_home_that_is_not_there_cannot_be_held(tmp_path: Path):
    with pytest.raises(HomeError, match="No such file"):
        HomeLock(tmp_path / "nowhere").acquire()


def test_on_sqlite_one_process_is_alone_and_on_postgresql_nobody_has_to_be(home: Path):
    with alone(home, "sqlite"), pytest.raises(HomeError), alone(home, "sqlite"):
        pass

    with alone(home, "postgresql"), alone(home, "postgresql"):
        pass
