"""Who does the work of a running house."""

import queue

import pytest

from mailhub.app.workers import Bell, Worker
from tests.serving import LONGEST_SECONDS


@pytest.fixture
def begun():
    """Starts workers that others never leave the processor to; they end with the test."""
    workers = []

    def begin(step, after=lambda: None) -> None:
        workers.append(Worker("patient", step, Bell(), lambda: True, after))
        workers[-1].start()

    yield begin
    for worker in workers:
        worker.stop()


def test_a_rush_that_never_ends_keeps_nobody_from_working(begun):
    done: queue.Queue[str] = queue.Queue()

    def step() -> bool:
        done.put("step")
        return True

    begun(step, after=lambda: done.put("told"))
    seen = [done.get(timeout=LONGEST_SECONDS) for _ in range(4)]

    assert seen == ["step", "told", "step", "told"]
