"""What an operator sets and sees of sending: the name we bear, the records to publish, what is said of a letter sent."""

import asyncio
from datetime import timedelta

import pytest

from mailhub import app, config
from mailhub.centre import subscriptions
from mailhub.centre.subscriptions import Evidence, Source, Subscription
from mailhub.cli import opening
from mailhub.mail import address
from tests import edition
from tests.edition import Edition
from tests.journey import Clock


def sent(home, relay, at):
    """An issue of this home to three readers, handed to the relay at an instant, by the courier of its settings."""
    house = app.build(config.load(home, {}))
    run = Edition(house.database, Clock(at))
    run.subscribe(3)
    run.keep(at=at)
    run.issues.release_due()
    asyncio.run(edition.send_all(app.build(config.load(home, {}), run.clock).courier))
    house.close()


def test_d1_the_records_to_publish_are_those_of_the_domains_in_from_return_path_and_signature(
    run, home, setting, relay
):
    setting("relay", host='"127.0.0.1"', port=str(relay.port), tls='"none"')
    sent(home, relay, edition.HOUR)

    published = {record["name"]: record["value"] for record in run("dkim", "--json", "--home", home).lines}
    fields = relay.taken[0].decode().split("\r\n\r\n")[0].replace("\r\n ", " ").split("\r\n")
    (sender,) = (line.rpartition("<")[2].rstrip(">") for line in fields if line.startswith("From: "))
    (path,) = {
        address.domain_of(line.partition("<")[2].partition(">")[0])
        for line in relay.heard
        if line.startswith("MAIL")
    }
    signatures = [
        dict(tag.strip().split("=", 1) for tag in line.partition(": ")[2].split(";"))
        for line in fields
        if line.startswith("DKIM-Signature: ")
    ]
    assert path == address.domain_of(sender)
    assert published[path].startswith("v=spf1 ")
    assert {tags["d"] for tags in signatures} == {address.domain_of(sender)}
    assert {f"{tags['s']}._domainkey.{tags['d']}" for tags in signatures} < set(published)


@pytest.mark.parametrize(
    ("written", "said"), [("", "mail.villes-rives.example"), ("mx7.villes-rives.example",) * 2]
)
def test_d7_we_introduce_ourselves_by_the_name_of_the_settings(home, setting, relay, written, said):
    setting("relay", host='"127.0.0.1"', port=str(relay.port), tls='"none"')
    setting("receive", hostname=f'"{written}"')
    sent(home, relay, edition.HOUR)

    assert relay.heard[0] == f"EHLO {said}"


@pytest.mark.parametrize(("days", "said"), [(0, "handed to the relay"), (6, "sent")])
def test_d44_a_letter_is_called_sent_when_it_could_have_come_back_and_has_not(
    run, home, setting, relay, days, said
):
    setting("relay", host='"127.0.0.1"', port=str(relay.port), tls='"none"')
    sent(home, relay, opening.this_moment() - timedelta(days=days))

    header, *lines = run("ledger", "lettre-57", "--json", "--home", home).lines

    assert (header["sent"], header["roster"]) == (3, 3)
    assert {line["standing"] for line in lines} == {said}
    assert {line["state"] for line in lines} == {"sent"}


def test_d36_the_ledger_shows_how_many_complained_since_the_issue_left(run, home, setting, relay):
    setting("relay", host='"127.0.0.1"', port=str(relay.port), tls='"none"')
    sent(home, relay, edition.HOUR)
    house = app.build(config.load(home, {}))
    complained = Evidence(Source.COMPLAINT, edition.HOUR + timedelta(hours=1))
    with house.database.transaction() as session:
        row = session.get_one(Subscription, 1)
        subscriptions.complain(session, house.centre.keyring, row, "lectrice@ville.example", complained)
    house.close()

    header, *_ = run("ledger", "lettre-57", "--json", "--home", home).lines
    shown = run("ledger", "lettre-57", "--home", home).out

    assert (header["sent"], header["complaints"]) == (3, 1)
    assert "1 complained, 33.3% of what was sent: mail providers mind 0.1% and refuse 0.3%" in shown
