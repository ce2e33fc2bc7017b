"""How fast each provider is served: its own limits, a rest when it asks for one, and connections added one by one."""

from datetime import timedelta

import pytest

from mailhub import config
from mailhub.config.sections import RelaySection
from mailhub.deliver.pacing import Pace, Pacing
from mailhub.deliver.wire import Answer, Outcome, Stage
from tests.edition import HOUR

TAKEN = Answer(Outcome.ACCEPTED, Stage.END, 250)
MINUTE = timedelta(minutes=1)
TOO_FAST = [
    Answer(Outcome.DEFERRED, Stage.RCPT, 421, "4.7.28", "our system has detected an unusual rate"),
    Answer(Outcome.DEFERRED, Stage.END, 450, "4.7.28", "rate limited"),
    Answer(Outcome.DEFERRED, Stage.RCPT, 451, None, "Too many connections, slow down. OFR004_104"),
]


def taken(pacing, domains, now):
    """Those of these domains, in order, to which a letter may leave now."""
    return [domain for domain in domains if pacing.take(domain, now)]


def test_d41_a_provider_gets_no_more_letters_at_once_than_it_bears():
    pacing = Pacing([Pace(("orange.fr", "wanadoo.fr"), 2)], per_minute=0)

    assert taken(pacing, ["orange.fr", "wanadoo.fr", "orange.fr", "ville.example"], HOUR) == [
        "orange.fr",
        "wanadoo.fr",
        "ville.example",
    ]
    assert sorted(pacing.shut(HOUR)) == ["orange.fr", "wanadoo.fr"]

    pacing.done("wanadoo.fr", TAKEN, HOUR)

    assert pacing.shut(HOUR) == []
    assert taken(pacing, ["orange.fr", "orange.fr"], HOUR) == ["orange.fr"]


def test_d41_the_settings_as_they_come_know_the_french_providers():
    relay = RelaySection()
    paces = dict(domain_and_pace for written in relay.destinations for domain_and_pace in spread(written))

    assert {paces[name] for name in ("orange.fr", "wanadoo.fr", "laposte.net", "sfr.fr", "free.fr")} == {2}
    assert relay.letters_per_connection == 100


def spread(written):
    domains, at_once = config.pace(written)
    return [(domain, at_once) for domain in domains]


def test_within_a_minute_no_more_leave_than_was_set():
    pacing = Pacing(per_minute=3)
    for _ in range(3):
        assert pacing.take("ville.example", HOUR)
        pacing.done("ville.example", TAKEN, HOUR)

    assert not pacing.take("ville.example", HOUR + MINUTE / 2)
    assert pacing.take("ville.example", HOUR + MINUTE)


@pytest.mark.parametrize("answer", TOO_FAST, ids=lambda answer: f"{answer.code} {answer.enhanced}")
def test_d40_a_provider_that_finds_us_too_fast_rests_ten_minutes_then_takes_one_and_one_more_each_time(
    answer,
):
    pacing = Pacing(per_minute=0)
    assert pacing.take("gmail.com", HOUR)
    pacing.done("gmail.com", answer, HOUR)

    assert not pacing.take("gmail.com", HOUR + 10 * MINUTE - MINUTE / 60)
    assert pacing.take("ville.example", HOUR), "nobody else rests"

    now = HOUR + 10 * MINUTE
    at_once = []
    for _ in range(4):
        some = taken(pacing, ["gmail.com"] * 10, now)
        at_once.append(len(some))
        pacing.done("gmail.com", TAKEN, now)
        for domain in some[1:]:
            pacing.give_back(domain)

    assert at_once == [1, 2, 3, 4]


def test_d40_a_421_before_a_recipient_is_named_is_the_relays_own_and_rests_no_provider():
    pacing = Pacing(per_minute=0)
    for stage in (Stage.CONNECT, Stage.MAIL):
        assert pacing.take("gmail.com", HOUR)
        pacing.done("gmail.com", Answer(Outcome.DEFERRED, stage, 421), HOUR)

    assert pacing.take("gmail.com", HOUR)


def test_a_letter_given_back_leaves_no_trace():
    pacing = Pacing(per_minute=1)
    for _ in range(3):
        assert pacing.take("ville.example", HOUR)
        pacing.give_back("ville.example")

    assert pacing.take("ville.example", HOUR)


def test_of_providers_without_number_only_those_at_work_are_remembered():
    pacing = Pacing(per_minute=5)
    for number in range(12_000):
        assert pacing.take(f"ville{number}.example", HOUR + number * MINUTE)
        pacing.done(f"ville{number}.example", TAKEN, HOUR + number * MINUTE)

    assert len(pacing._others) <= 5001
