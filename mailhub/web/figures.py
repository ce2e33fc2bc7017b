"""The figures a monitor reads, counted from the tables at the moment they are asked for."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mailhub import journal, outbox
from mailhub.centre import requests
from mailhub.database import Database


class Figures(Collector):
    """Accepted, handled by verdict, waiting, parked, held; letters by state; requests by state; ages."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    def describe(self) -> list[Metric]:
        """Nothing is counted when the registry is built."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Count everything once."""
        with self._database.reading() as session:
            states, verdicts = journal.figures(session)
            letters = outbox.figures(session)
            asked = requests.count_by_state(session)
            oldest_mail, oldest_letter = journal.oldest_waiting(session), outbox.oldest_due(session)
        yield _one("mailhub_mails_accepted", "Mails accepted, one per recipient", sum(states.values()))
        yield _by("mailhub_mails_handled", "Mails by what became of them", "verdict", verdicts)
        yield _by("mailhub_mails", "Mails by where they stand", "state", states)
        yield _by("mailhub_letters", "Letters by where they stand", "state", letters)
        yield _by("mailhub_requests", "Requests by where they stand", "state", asked)
        yield _age(
            "mailhub_oldest_mail_seconds",
            "How long the oldest waiting mail has waited",
            oldest_mail,
            self._now(),
        )
        yield _age(
            "mailhub_oldest_letter_seconds",
            "How long the oldest unsent letter is owed",
            oldest_letter,
            self._now(),
        )


def registry(database: Database, now: Callable[[], datetime]) -> CollectorRegistry:
    """A registry of one home's figures, apart from those of any other in this process."""
    mine = CollectorRegistry()
    mine.register(Figures(database, now))
    return mine


def _one(name: str, about: str, value: float) -> Metric:
    family = CounterMetricFamily(name, about)
    family.add_metric([], value)
    return family


def _by(name: str, about: str, label: str, values: Mapping[Any, int]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=[label])
    for key, value in values.items():
        family.add_metric([str(key)], value)
    return family


def _age(name: str, about: str, since: datetime | None, now: datetime) -> Metric:
    family = GaugeMetricFamily(name, about)
    family.add_metric([], (now - since).total_seconds() if since else 0)
    return family
