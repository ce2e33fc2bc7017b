"""Publications and readers for tests: the two publications of the house, and people who receive them."""

from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from mailhub import lists
from mailhub.centre import cadences, people, subscriptions
from mailhub.centre.people import Function, Person, PostalAddress
from mailhub.centre.subscriptions import Act, Channel, Evidence, Source, State, Subscription
from mailhub.centre.subscriptions.subscription import pend
from mailhub.mail.tokens import Keyring

LISTS = lists.load(Path(__file__).parent.parent / "lists", cadence=cadences.parse)
LETTER, REVIEW = LISTS.publication("lettre"), LISTS.publication("revue")
KEYRING = Keyring(1, {1: bytes(range(32))})


def by_phone(at: datetime) -> Evidence:
    """A word staff noted."""
    return Evidence(Source.STAFF, at, note="par téléphone", recorded_by="Claire Morvan")


def said(at: datetime, source: Source = Source.MAIL) -> Evidence:
    """A word of the reader."""
    return Evidence(source, at, message_digest="d" * 64)


def reader(
    session: Session, at: datetime, address: str | None, name: str | None = None, *, post: bool = False
) -> Person:
    """Somebody on file, with or without a postal address."""
    person = people.introduce(session, address, name, at)
    if post:
        people.set_postal(session, person, home())
    return person


def home() -> PostalAddress:
    """A complete postal address."""
    return PostalAddress(street="12 ALLEE DES TILLEULS", postcode="35999", city="KERBREC")


def subscribed(
    session: Session,
    at: datetime,
    holder: Person | Function,
    publication: lists.Publication = LETTER,
    channel: Channel = Channel.EMAIL,
) -> Subscription:
    """An active subscription with its proof."""
    subscriptions.refuse_channel(publication, channel)
    row = pend(session, publication.code, holder, channel, at)
    subscriptions.record(session, row, Act.GIVEN, by_phone(at), state=State.ACTIVE)
    return row


__all__ = [
    "KEYRING",
    "LETTER",
    "LISTS",
    "REVIEW",
    "State",
    "by_phone",
    "home",
    "reader",
    "said",
    "subscribed",
]
