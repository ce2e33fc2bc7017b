"""The post office of the play: everybody's postbox, and the server their mails leave by. Real SMTP both ways.

It knows its own people, so it vouches for them on every mail they hand in, as a provider's server does
(`Authentication-Results`, RFC 8601). Each mail is also a file in `mails/`, as it was sent or as it came.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from mailhub.deliver.wire import Answer, Relay, Wire
from mailhub.mail import address, message
from mailhub.mail.message import Message
from mailhub.play import cast
from mailhub.play.letters import Letter
from mailhub.receive.limits import Limits
from mailhub.receive.smtp import Arrival, Door, Kept

_NAME = re.compile(r"(\d{4,})-(from|for|lost)-(.+)\.eml")


class Way(StrEnum):
    """Which way a mail went."""

    FROM = "from"  # somebody of the play sent it
    FOR = "for"  # it came to a postbox
    LOST = "lost"  # it came for a postbox that is not there any more: it will be returned


@dataclass(frozen=True)
class Mail:
    """One mail that went through the post office."""

    number: int
    way: Way
    address: str  # whose it is: who sent it, or whose postbox it is in
    path: Path
    raw: bytes

    @cached_property
    def message(self) -> Message:
        """What it says."""
        return message.read(self.raw)

    @cached_property
    def digest(self) -> str:
        """How the journal names these bytes."""
        return sha256(self.raw).hexdigest()

    @property
    def return_path(self) -> str:
        """The envelope sender, as noted on arrival (RFC 5321 section 4.4)."""
        return (self.message.header("Return-Path") or "").strip("<> ")


class PostOffice:
    """Postboxes that fill by SMTP, and a counter where mails are handed in."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """What `folder` holds of an earlier evening is in the postboxes again."""
        self.folder = folder
        self.mails: list[Mail] = []
        self.closed: set[str] = set()  # addresses whose postbox is not there any more
        self.on_arrival: Callable[[Mail], None] | None = None  # told before the sender hears 250
        self._now = now
        self._door = Door(self._keep, lambda _: True, Limits(), cast.POST, now=now)
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.iterdir()):
            if found := _NAME.fullmatch(path.name):
                self.mails.append(Mail(int(found[1]), Way(found[2]), found[3], path, path.read_bytes()))
        self.mails.sort(key=lambda mail: mail.number)

    async def open(self) -> int:
        """Open the postboxes; the port they are at."""
        (where,) = await self._door.listen(smtp=["127.0.0.1:0"])
        return int(where.rpartition(":")[2])

    async def close(self) -> None:
        """Close the postboxes; the files stay."""
        await self._door.close()

    @property
    def next_number(self) -> int:
        """The number the next mail will have."""
        return self.mails[-1].number + 1 if self.mails else 1

    def numbered(self, number: int) -> Mail | None:
        """The mail with this number."""
        return next((mail for mail in self.mails if mail.number == number), None)

    def box(self, *addresses: str) -> list[Mail]:
        """What came for these addresses, oldest first."""
        return [mail for mail in self.mails if mail.way is Way.FOR and mail.address in addresses]

    def stamped(self, letter: Letter) -> bytes:
        """A mail as it leaves here: above it, in our name, whether its From is one of our people who handed it in."""
        said = message.read(letter.raw)
        author = said.from_[0].address if len(said.from_) == 1 and said.from_[0].address else ""
        vouched = cast.player(author) is not None and address.normalise(letter.sender) == address.normalise(
            author
        )
        verdict = "pass" if vouched else "none"
        domain = address.domain_of(author) or "unknown"
        stamp = f"Authentication-Results: {cast.POST}; dmarc={verdict} header.from={domain}\r\n"
        return stamp.encode() + letter.raw

    def take(self, letter: Letter, *, stamped: bool = False) -> Mail:
        """Take a mail at the counter, stamp it if it never left before, keep it as a file; `carry` brings it away."""
        return self._file(
            Way.FROM, letter.sender or cast.POST, letter.raw if stamped else self.stamped(letter)
        )

    async def carry(self, raw: bytes, sender: str, recipient: str, port: int) -> Answer:
        """Bring a mail to the centre's door, once; what its server said."""
        wire = Wire(Relay("127.0.0.1", port, "none", helo=cast.POST))
        try:
            return await wire.deliver(sender, recipient, raw)
        finally:
            await wire.quit()

    async def _keep(self, arrival: Arrival) -> Sequence[Kept]:
        # The last server writes down the envelope sender, which nobody sees otherwise. RFC 5321 section 4.4
        raw = f"Return-Path: <{arrival.sender}>\r\n".encode() + arrival.raw
        for recipient in arrival.recipients:
            whose = address.normalise(recipient)
            mail = self._file(Way.LOST if whose in self.closed else Way.FOR, whose, raw)
            if self.on_arrival:
                self.on_arrival(mail)
        return [Kept.KEPT] * len(arrival.recipients)

    def _file(self, way: Way, whose: str, raw: bytes) -> Mail:
        number = self.next_number
        path = self.folder / f"{number:04d}-{way}-{re.sub(r'[^A-Za-z0-9@._+-]', '_', whose)}.eml"
        path.write_bytes(raw)
        mail = Mail(number, way, whose, path, raw)
        self.mails.append(mail)
        return mail
