"""A whole centre for tests: a real door on port 0, the real pipeline and courier, a real postbox at the far end.

Nothing runs by itself: a test sends by SMTP, says `handle()` and `deliver()`, and reads what the postbox holds.
"""

import asyncio
import contextlib
import re
import smtplib
import threading
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, TypeVar

from sqlmodel import select

from mailhub import journal, outbox
from mailhub.centre import people
from mailhub.centre.profile import Centre, Service
from mailhub.database import Database
from mailhub.deliver.courier import Courier
from mailhub.deliver.wire import Relay
from mailhub.journal import Inbound
from mailhub.mail.envelope import Envelope
from mailhub.mail.message import Message
from mailhub.mail.tokens import Keyring
from mailhub.mail.trust import Strength, Trust
from mailhub.outbox import Outgoing
from mailhub.pipeline import Pipeline
from mailhub.receive.intake import Intake
from mailhub.receive.limits import Limits
from mailhub.receive.smtp import Arrival, Door, Kept
from mailhub.render import Renderer

DOMAIN = "villes-rives.example"
CLAIRE = "claire.morvan@villes-rives.example"
YANN = "yann.riou@villes-rives.example"
NADIA = "n.benali@kerbrec.example"
HUGO = "hugo.perrin@montelain-agglo.example"

# Python folds a long Message-ID by encoding it (cpython 80222); other clients leave it whole.
AS_CLIENTS_WRITE = policy.SMTP.clone(max_line_length=900)

T = TypeVar("T")


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="test loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one piece of work to its end."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def close(self) -> None:
        """Stop the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Postbox:
    """The world outside: a real SMTP server that keeps what it is given."""

    def __init__(self, loop: Loop) -> None:
        self.mails: list[Arrival] = []
        self._loop = loop
        self._door = Door(self._keep, lambda _: True, Limits(), "postbox.example")
        self.port = int(loop.run(self._door.listen(smtp=["127.0.0.1:0"]))[0].rpartition(":")[2])

    def to(self, address: str) -> list[EmailMessage]:
        """Every mail that came for this address, parsed by the standard library's strict policy."""
        return [read(mail.raw) for mail in self.mails if address in mail.recipients]

    def close(self) -> None:
        """Shut the box."""
        self._loop.run(self._door.close())

    async def _keep(self, arrival: Arrival) -> Sequence[Kept]:
        self.mails.append(arrival)
        return [Kept.KEPT] * len(arrival.recipients)


@dataclass
class Clock:
    """A clock that moves when it is told to."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        """Let time pass."""
        self.at += timedelta(**span)


@dataclass
class Journey:
    """One centre and the world around it."""

    database: Database
    clock: Clock
    loop: Loop
    postbox: Postbox
    centre: Centre
    proven: set[str] = field(default_factory=lambda: {NADIA, HUGO, CLAIRE, YANN})

    def __post_init__(self) -> None:
        self.renderer = Renderer()
        self.pipeline = Pipeline(self.database, self.centre, self.renderer, self.clock, self._weigh)
        self.courier = Courier(
            self.database,
            Relay(host="127.0.0.1", port=self.postbox.port, tls="none", helo="mail.villes-rives.example"),
            self.centre,
            self.renderer,
            self.clock,
            connections=1,  # so that letters arrive in the order they were written in
            per_destination_per_minute=0,
        )
        self.intake = Intake(self.database, self.clock, lambda: None)
        self.door = Door(
            self.intake.keep, self.centre.is_ours, Limits(), "mail.villes-rives.example", now=self.clock
        )
        self.intake.start(self.door.coming)
        self.port = int(self.loop.run(self.door.listen(smtp=["127.0.0.1:0"]))[0].rpartition(":")[2])

    def close(self) -> None:
        """Close every door."""
        self.loop.run(self.courier.close())
        self.loop.run(self.door.close())
        self.intake.stop()

    def hire(self, name: str, *addresses: str, told_of_new: bool = True) -> None:
        """Add a member of staff."""
        with self.database.transaction() as session:
            people.hire(session, name, list(addresses), self.clock(), told_of_new=told_of_new)

    def send(
        self,
        raw: bytes | EmailMessage,
        sender: str = NADIA,
        to: str | Sequence[str] = "question@villes-rives.example",
    ) -> None:
        """Hand a mail to the door by SMTP, as any client does."""
        data = raw if isinstance(raw, bytes) else raw.as_bytes(policy=AS_CLIENTS_WRITE)
        with smtplib.SMTP("127.0.0.1", self.port, "client.example") as client:
            client.sendmail(sender, [to] if isinstance(to, str) else list(to), data)

    def write_back(self, to: EmailMessage, text: str, *, sender: str, **client: Any) -> None:
        """Reply to a letter as `reply` says, and hand that to the door."""
        written, address = reply(to, text, sender=sender, **client)
        self.send(written, sender, address)

    def handle(self) -> None:
        """Let the pipeline work until nothing waits."""
        while self.pipeline.step():
            pass

    def deliver(self) -> None:
        """Let the courier work until nothing is due."""
        while self.loop.run(self.courier.step()):
            pass

    def settle(self) -> None:
        """Handle and deliver until all is quiet."""
        self.handle()
        self.deliver()

    def journal(self) -> list[Inbound]:
        """Every line of the journal, oldest first."""
        with self.database.reading() as session:
            return [row.model_copy() for row in session.exec(select(Inbound).order_by(Inbound.id)).all()]

    def outbox(self, kind: str | None = None) -> list[Outgoing]:
        """Every letter, oldest first."""
        with self.database.reading() as session:
            rows = session.exec(select(Outgoing).order_by(Outgoing.id)).all()
            return [row.model_copy() for row in rows if kind in {None, row.kind}]

    def bytes_of(self, letter: Outgoing) -> bytes:
        """What left, or will leave."""
        with self.database.reading() as session:
            return outbox.raw(session, letter)

    def verdicts(self) -> list[str]:
        """What became of each mail."""
        return [str(row.verdict or row.state) for row in self.journal()]

    def address(self, service: Service) -> str:
        """An address of the centre."""
        return self.centre.address(service)

    def _weigh(self, message: Message, _: Envelope) -> Trust:
        """Believe the world this test declares: those in `proven` are who they say they are."""
        sender = message.from_[0].address if message.from_ else None
        strong = sender in self.proven
        return Trust(Strength.STRONG if strong else Strength.WEAK, why="declared by the test")


@contextlib.contextmanager
def centre_of(database: Database, now: datetime, **changes: object) -> Iterator[Journey]:
    """A running journey; `changes` are fields of the Centre."""
    loop = Loop()
    postbox = Postbox(loop)
    keyring = Keyring(1, {1: bytes(range(32))})
    centre = replace(Centre("Villes & Rives", DOMAIN, keyring, phone="02 99 00 00 01"), **changes)  # type: ignore[arg-type]
    journey = Journey(database, Clock(now), loop, postbox, centre)
    try:
        yield journey
    finally:
        journey.close()
        postbox.close()
        loop.close()


def read(raw: bytes) -> EmailMessage:
    """A mail as the standard library reads it."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def mail(
    text: str,
    *,
    sender: str = NADIA,
    name: str = "Nadia Benali",
    to: str = "question@villes-rives.example",
    subject: str | None = "Nombre d’habitants quartier des Tilleuls",
    message_id: str | None = "<q1@kerbrec.example>",
    html: str | None = None,
    headers: dict[str, str] | None = None,
    files: Sequence[tuple[str, str, bytes]] = (),
) -> EmailMessage:
    """A mail as an ordinary client writes it."""
    message = EmailMessage(policy=AS_CLIENTS_WRITE)
    message["From"] = f"{name} <{sender}>"
    message["To"] = to
    if subject is not None:
        message["Subject"] = subject
    if message_id:
        message["Message-ID"] = message_id
    message["Date"] = "Tue, 03 Mar 2026 10:00:00 +0100"
    for key, value in (headers or {}).items():
        message[key] = value
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    for filename, kind, content in files:
        maintype, subtype = kind.split("/")
        message.add_attachment(content, maintype=maintype, subtype=subtype, filename=filename)
    return message


def reply(
    to: EmailMessage,
    text: str,
    *,
    sender: str,
    name: str,
    message_id: str,
    subject: str | None = None,
    quote: bool = True,
    **more: Any,
) -> tuple[EmailMessage, str]:
    """A reply as a mail client writes it: to Reply-To, threaded, the old text quoted below; and where it goes."""
    address = str(to["Reply-To"] or to["From"])
    quoted = "\n".join(f"> {line}" for line in to.get_body(("plain",)).get_content().splitlines())  # type: ignore[union-attr]
    body = f"{text}\n\nLe mar. 3 mars 2026 à 10:05, {to['From']} a écrit :\n{quoted}\n" if quote else text
    headers = {
        "In-Reply-To": str(to["Message-ID"]),
        "References": f"{to['References'] or ''} {to['Message-ID']}".strip(),
    }
    answer = mail(
        body,
        sender=sender,
        name=name,
        to=address,
        subject=subject or f"Re: {to['Subject']}",
        message_id=message_id,
        headers=headers,
        **more,
    )
    return answer, address


def body(letter: EmailMessage) -> str:
    """The plain words of a letter, as they are typed: with plain spaces around French punctuation."""
    part = letter.get_body(("plain",))
    assert part is not None
    return re.sub("\u00a0(?=[:;!?»])|(?<=«)\u00a0", " ", str(part.get_content())).replace("\r\n", "\n")


# What we note in English for operators, and a letter in French has no use for.
_ENGLISH = re.compile(
    r"\b(?:address|and|another|answer|asks|bulk|but|complaint|deadline|email|everything|expired|for|from|given|has|"
    r"have|human|inbox|is|join|leave|mailbox|not|of|other|paper|passed|person|rejected|reply|returned|several|somebody|"
    r"the|too|unknown|unreachable|untaken|up|user|way|wish|with|without|yes)\b",
    re.IGNORECASE,
)
_OF_OTHERS = re.compile(
    r"^>.*$|^Le serveur a dit :.*$|; le serveur a dit :.*$|mailhub .*$|<[^<>]*>|\S+@\S+", re.MULTILINE
)


def english(words: str) -> list[str]:
    """English words of ours in a letter; what others said, commands and addresses are nobody's to translate."""
    return _ENGLISH.findall(_OF_OTHERS.sub("", words))


__all__ = [
    "CLAIRE",
    "DOMAIN",
    "HUGO",
    "NADIA",
    "YANN",
    "Clock",
    "Journey",
    "Postbox",
    "body",
    "centre_of",
    "english",
    "journal",
    "mail",
    "outbox",
    "read",
    "reply",
]
