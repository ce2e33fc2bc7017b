"""Who does the work of a running house."""

import queue

import pytest

from mailhub.app.workers import Bell, Worker
from tests.serving import LONGEST_SECONDS


@pytest.fixture
def begun():
    """Starts workers, by default such that others never leave the processor to; they end with the test."""
    workers = []

    def begin(step, *, after=lambda: None, rest=lambda: None, is_pressed=lambda: True, bell=None) -> None:
        workers.append(Worker("patient", step, bell or Bell(), is_pressed, after, rest))
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


def test_what_can_wait_is_done_when_there_is_nothing_else(begun):
    done: queue.Queue[str] = queue.Queue()
    work = [False, True, True]

    def step() -> bool:
        done.put("step")
        return work.pop() if work else False

    begun(step, rest=lambda: done.put("rest"), is_pressed=lambda: False)

    assert [done.get(timeout=LONGEST_SECONDS) for _ in range(4)] == ["step", "step", "step", "rest"]


def test_what_can_wait_waits_while_others_need_the_processor(begun):
    done: queue.Queue[str] = queue.Queue()
    bell, steps = Bell(), []

    def step() -> bool:
        done.put("step")
        steps.append(True)
        bell.ring()
        return False

    begun(step, rest=lambda: done.put("rest"), is_pressed=lambda: len(steps) < 3, bell=bell)

    assert [done.get(timeout=LONGEST_SECONDS) for _ in range(4)] == ["step", "step", "step", "rest"]
