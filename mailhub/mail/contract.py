"""A reading as JSON: what `mailhub inspect` prints, one object for each mail.

Built from the values of the other rooms only, so that the console, the tests and the corpus see the same thing.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from mailhub.mail.address import Mailbox
from mailhub.mail.dsn import LEFT, Delivery
from mailhub.mail.kinds import Kind, Sort
from mailhub.mail.message import Message, Part
from mailhub.mail.quoting import Quoting


def describe(
    file: str,
    message: Message,
    quoting: Quoting,
    sort: Sort,
    deliveries: Iterable[Delivery] = (),
    *,
    verdict: str | None = None,
    why: str | None = None,
) -> dict[str, object]:
    """Describe one mail; `verdict` and `why` are added when the mail was also routed."""
    described: dict[str, object] = {
        "file": file,
        "message_id": message.message_id,
        "in_reply_to": message.in_reply_to[0] if message.in_reply_to else None,
        "references": list(message.references),
        "date": _moment(message.date),
        "from": _mailbox(message.from_[0]) if message.from_ else None,
        "reply_to": [_mailbox(mailbox) for mailbox in message.reply_to],
        "to": [_mailbox(mailbox) for mailbox in message.to],
        "cc": [_mailbox(mailbox) for mailbox in message.cc],
        "subject": message.subject,
        "text": message.text,
        "reply": quoting.reply,
        "html_present": message.html is not None,
        # What was taken out of a winmail.dat is shown to people but is no part of the mail.
        "attachments": [_part(part) for part in message.attachments if not part.unpacked],
        "auto": None if sort.kind is Kind.HUMAN else str(sort.kind),
        "bounce": [_delivery(delivery) for delivery in deliveries] or None,
        "defects": [*message.defects, *(["over limits"] if message.over_limits else [])],
    }
    if verdict is not None:
        described["verdict"] = verdict
    if why is not None:
        described["why"] = why
    return described


def _moment(moment: datetime | None) -> str | None:
    # `strftime("%Y")` writes years before 1000 with fewer digits on some systems
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z" if moment else None


def _mailbox(mailbox: Mailbox) -> dict[str, object]:
    return {"name": mailbox.name, "address": mailbox.address}


def _part(part: Part) -> dict[str, object]:
    return {
        "filename": part.filename,
        "content_type": part.content_type,
        "size": part.size,
        "sha256": part.sha256,
        "inline": part.inline,
    }


def _delivery(delivery: Delivery) -> dict[str, object]:
    return {
        "recipient": delivery.recipient,
        "action": "delivered" if delivery.action in LEFT else delivery.action,
        "status": delivery.status,
        "permanent": delivery.permanent,
        "reason": delivery.reason,
    }
