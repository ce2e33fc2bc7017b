"""Counting visits, mails and bytes, with a clock that is only a number."""

from mailhub.mail.sources import source_of
from mailhub.receive.limits import MOST_SOURCES_REMEMBERED, Gate, Limits


def test_a_source_may_spend_its_minute_at_once_and_then_earns_it_back():
    gate = Gate(Limits(messages_per_minute=6))

    first = [gate.take_message("192.0.2.1", 0.0) for _ in range(7)]
    later = [gate.take_message("192.0.2.1", now) for now in (9.9, 10.1, 10.2, 3600.0)]

    assert first == [True] * 6 + [False]
    assert later == [False, True, False, True]
    assert gate.take_message("192.0.2.2", 0.0)


def test_our_own_front_door_and_no_limit_are_not_counted():
    assert all(Gate(Limits(messages_per_minute=1)).take_message("127.0.0.1", 0.0) for _ in range(9))
    assert all(Gate(Limits(messages_per_minute=0)).take_message("192.0.2.1", 0.0) for _ in range(9))


def test_visits_are_counted_in_all_and_by_source_and_given_back():
    gate = Gate(Limits(visits=3, visits_per_source=2))

    entered = [
        gate.enter(source) for source in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3")
    ]
    gate.leave("192.0.2.1")

    assert entered == [True, True, False, True, False]
    assert gate.enter("192.0.2.3")


def test_bytes_are_lent_and_given_back():
    gate = Gate(Limits(bodies_bytes=100))

    assert [gate.hold_bytes(60), gate.hold_bytes(60), gate.hold_bytes(40)] == [True, False, True]
    gate.release_bytes(100)
    assert gate.hold_bytes(100)


def test_a_flood_of_sources_does_not_fill_the_memory():
    gate = Gate(Limits())

    for number in range(3 * MOST_SOURCES_REMEMBERED):
        gate.take_message(f"source {number}", number / 1000)

    assert len(gate._purses) <= MOST_SOURCES_REMEMBERED


def test_a_source_without_limits_may_be_named_by_any_of_its_addresses():
    gate = Gate(
        Limits(visits_per_source=1, messages_per_minute=1, unlimited_sources=frozenset({"2001:db8::25"}))
    )
    source = source_of("2001:db8::77")

    assert [gate.enter(source) for _ in range(3)] == [True] * 3
    assert [gate.take_message(source, 0) for _ in range(3)] == [True] * 3
