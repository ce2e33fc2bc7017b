"""One source is one address or one customer, and every door counts by the same rule."""

from datetime import UTC, datetime, timedelta

import pytest

from mailhub.mail.sources import source_of
from mailhub.receive.limits import Gate, Limits
from mailhub.web.pace import Pace


@pytest.mark.parametrize(
    ("ip", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::1", "::1"),
        ("", ""),
    ],
)
def test_one_source_is_an_address_or_an_ipv6_customer(ip: str, source: str):
    assert source_of(ip) == source


@pytest.mark.parametrize("ip", ["fe80::1%eth0", "2001:db8:1:2::1", "::ffff:192.0.2.1", "192.0.2.1", "::1"])
def test_the_pages_count_as_the_doors_do(ip: str):
    gate = Gate(Limits(visits_per_source=1, unlimited_sources=frozenset()))
    pace = Pace(1, timedelta(minutes=1), lambda: datetime(2026, 5, 4, tzinfo=UTC))
    other = f"{ip.partition('%')[0]}%eth1" if "%" in ip else ip

    at_the_door = [gate.enter(source_of(ip)), gate.enter(source_of(other))]
    on_the_pages = [pace.spend(ip), pace.spend(other)]

    assert on_the_pages == at_the_door == [True, False]
