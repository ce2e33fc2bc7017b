"""The mails of the people of the play, as ordinary mail clients write them. Pure: bytes in, bytes out.

Texts, replies with their quote, an out-of-office, and what a post office says when a letter cannot be delivered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import NamedTuple

from mailhub.mail import compose
from mailhub.mail.address import Mailbox
from mailhub.mail.draft import Draft, Enclosure
from mailhub.mail.message import Message
from mailhub.play import cast
from mailhub.play.cast import Player
from mailhub.render import french_day, french_hour, quoted


class Moment(NamedTuple):
    """What tells one mail of the play from every other."""

    now: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to be handed in at the post office."""

    sender: str  # MAIL FROM, "" for the null sender
    recipient: str  # RCPT TO
    raw: bytes


def written(
    author: Player,
    to: str,
    subject: str,
    text: str,
    moment: Moment,
    files: Sequence[Enclosure] = (),
) -> Letter:
    """A new mail."""
    return _letter(author, Mailbox(None, to), subject, text, moment, files=files)


def reply(author: Player, to: Message, text: str, moment: Moment, files: Sequence[Enclosure] = ()) -> Letter:
    """A reply: to Reply-To when there is one, in the thread, the old text quoted below."""
    local = moment.now.astimezone()
    above = cast.attribution(french_day(local), french_hour(local), to.header("From") or "")
    words = f"{text.rstrip()}\n\n{above}\n{quoted(to.text)}\n"
    return _letter(author, answer_address(to), answer_subject(to), words, moment, answers=to, files=files)


def absence(author: Player, to: Message, moment: Moment) -> Letter:
    """An out-of-office; to Reply-To, as the least careful programs do."""
    said = cast.line("away", subject=to.subject or "")
    return _letter(
        author, answer_address(to), said.subject, said.text, moment, answers=to, automatic="auto-replied"
    )


def answer_address(to: Message) -> Mailbox:
    """Where a client sends the reply to this mail."""
    return (to.reply_to or to.from_ or (Mailbox(None, None),))[0]


def answer_subject(to: Message) -> str:
    """The subject a client gives the reply to this mail."""
    subject = to.subject or ""
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"


def undeliverable(letter: Message, recipient: str, return_path: str, moment: Moment) -> Letter:
    """The notification a post office sends to the return path of a letter it could not deliver. RFC 3464"""
    boundary = f"=_report_{moment.number}"
    raw = (
        f"From: Mail Delivery System <MAILER-DAEMON@{cast.POST}>\r\nTo: {return_path}\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nDate: {format_datetime(moment.now)}\r\n"
        f"Message-ID: <{compose.message_id(_key(moment), cast.POST)}>\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\nContent-Type: text/plain\r\n\r\n"
        f"<{recipient}>: host mx.{cast.POST} said: 550 5.1.1 User unknown\r\n\r\n"
        f"--{boundary}\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; {cast.POST}\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n"
        f"--{boundary}\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: <{letter.message_id}>\r\nTo: {recipient}\r\n\r\n--{boundary}--\r\n"
    )
    return Letter("", return_path, raw.encode())


def _letter(
    author: Player,
    to: Mailbox,
    subject: str,
    text: str,
    moment: Moment,
    *,
    answers: Message | None = None,
    automatic: str | None = None,
    files: Sequence[Enclosure] = (),
) -> Letter:
    chain = (*answers.references, answers.message_id) if answers else ()
    draft = Draft(
        key=_key(moment),
        kind="play",
        sender=author.mailbox,
        recipient=to,
        subject=subject,
        text=text,
        in_reply_to=answers.message_id if answers else None,
        references=tuple(identifier for identifier in chain if identifier),
        automatic=automatic,
        enclosures=tuple(files),
    )
    raw = compose.to_bytes(draft, date=moment.now, domain=author.domain)
    return Letter(author.address, to.address or "", raw)


def _key(moment: Moment) -> str:
    return f"play {moment.number} {moment.now.isoformat()}"
