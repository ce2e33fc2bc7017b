"""What the page shows, as plain values for its templates; every French word is theirs."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailhub.centre.calendar import Calendar
from mailhub.journal import Inbound
from mailhub.mail.message import Message
from mailhub.outbox import Outgoing
from mailhub.play import cast, letters
from mailhub.play.books import Books
from mailhub.play.cast import Player
from mailhub.play.post import Mail, PostOffice, Way

_TOKEN = re.compile(r"(\+[a-z2-7]{4})[a-z2-7]{20,}(?=@)")


@dataclass(frozen=True, slots=True)
class Item:
    """One mail in a list."""

    number: int
    came: bool  # received; else sent
    lost: bool
    owner: str  # in whose box it is
    other: str  # who it is from, or to
    subject: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Box:
    """One postbox, latest mail first."""

    name: str
    address: str
    role: str  # "asker", "staff", "post"
    organisation: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of the journal, with the mail it is about."""

    row: Inbound
    recipient: str
    mail: int | None


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """One letter of the outbox, with the mail it arrived as."""

    row: Outgoing
    mail: int | None


@dataclass(frozen=True, slots=True)
class Opened:
    """One mail, opened."""

    mail: Mail
    item: Item
    said: Message
    owner: Player | None
    reply_to: str
    reply_subject: str
    may_return: bool


def boxes(post: PostOffice) -> list[Box]:
    """Everybody's postbox; the post office has one when it has written itself."""
    found = [
        _box(post, player.name, player.address, "staff" if player.is_staff else "asker", player.organisation)
        for player in cast.EVERYBODY
    ]
    if any(mail.address == cast.POST for mail in post.mails):
        found.append(_box(post, cast.POST, cast.POST, "post", ""))
    return found


def item(mail: Mail) -> Item:
    """One mail as a line."""
    said = mail.message
    others = said.to if mail.way is Way.FROM else said.from_
    owner = cast.player(mail.address)
    return Item(
        number=mail.number,
        came=mail.way is Way.FOR,
        lost=mail.way is Way.LOST,
        owner=owner.name if owner else mail.address,
        other=", ".join(box.name or shortened(box.address or "") for box in others),
        subject=said.subject or "",
        at=Calendar().local(said.date) if said.date else None,
    )


def items(mails: Sequence[Mail]) -> list[Item]:
    """Several mails as lines."""
    return [item(mail) for mail in mails]


def opened(mail: Mail) -> Opened:
    """One mail with what can be done about it."""
    said, came = mail.message, mail.way is Way.FOR
    return Opened(
        mail=mail,
        item=item(mail),
        said=said,
        owner=cast.player(mail.address),
        reply_to=(letters.answer_address(said).address or "") if came else "",
        reply_subject=letters.answer_subject(said),
        may_return=mail.way is not Way.FROM and bool(mail.return_path),
    )


def journal_lines(books: Books, post: PostOffice) -> list[JournalLine]:
    """The journal, latest first."""
    by_digest = {mail.digest: mail.number for mail in reversed(post.mails) if mail.way is Way.FROM}
    return [
        JournalLine(row, shortened(row.recipient), by_digest.get(row.digest))
        for row in reversed(books.journal)
    ]


def outbox_lines(books: Books, post: PostOffice) -> list[OutboxLine]:
    """The outbox, latest first."""
    by_id = {mail.message.message_id: mail.number for mail in post.mails if mail.way is not Way.FROM}
    return [OutboxLine(row, by_id.get(row.message_id)) for row in reversed(books.outbox)]


def shortened(address: str) -> str:
    """An address in a list: of a token, its beginning tells enough."""
    return _TOKEN.sub(r"\1…", address)


def _box(post: PostOffice, name: str, address: str, role: str, organisation: str) -> Box:
    return Box(name, address, role, organisation, tuple(_items_of(post, address)))


def _items_of(post: PostOffice, address: str) -> Iterator[Item]:
    for mail in reversed(post.mails):
        if mail.address == address:
            yield item(mail)
