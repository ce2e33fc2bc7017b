"""Read receipts: what became of a mail on its reader's screen. RFC 8098."""

import re
from dataclasses import dataclass

from mailhub.mail import notices
from mailhub.mail.message import Message
from mailhub.mail.wording import fold

REPORT_TYPES = ("message/disposition-notification", "message/global-disposition-notification")
# Sieve's "reject" (RFC 5429) answers with a receipt that is in truth a refusal.
REJECTED = re.compile(r"\b(rejected|refused|rejete|refuse|abgelehnt|rechazado)\b")


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt: read or thrown away unread, and of which mail."""

    displayed: bool
    message_id: str | None  # of our mail, without angle brackets
    recipient: str | None
    by_hand: bool  # the reader agreed to send it


def read(message: Message) -> Receipt | None:
    """The receipt a mail is, None when it is none."""
    if not why(message):
        return None
    fields = _fields(message)
    disposition = fields.get("disposition", "").lower()
    identity = re.search(r"<([^<>\s]{1,995})>", fields.get("original-message-id", ""))
    address = re.search(r"[^\s<>,;@]{1,64}@[^\s<>,;@]{1,255}", fields.get("final-recipient", ""))
    return Receipt(
        displayed="deleted" not in disposition
        and not fold(message.subject or "").startswith(("non lu", "not read")),
        message_id=identity[1] if identity else None,
        recipient=address[0] if address else None,
        by_hand=disposition.startswith("manual-action/mdn-sent-manually"),
    )


def why(message: Message) -> str:
    """What makes a mail a receipt, "" when nothing does. A receipt someone attached is not one."""
    tree = message.tree
    if tree.get_content_type() in REPORT_TYPES:
        return tree.get_content_type()
    if tree.get_content_type() != "multipart/report":
        return ""
    if notices.parameter(tree, "report-type").lower() == "disposition-notification":
        return "multipart/report; report-type=disposition-notification"
    kinds = [child.get_content_type() for child in notices.children(tree)]
    return next((kind for kind in kinds if kind in REPORT_TYPES), "")


def is_refusal(message: Message) -> bool:
    """Whether a receipt says that the mail was refused by a filter rule of its reader: a bounce in disguise."""
    said = fold(f"{message.subject or ''}\n{message.text[:600]}")
    return bool(REJECTED.search(said)) and "deleted" in _fields(message).get("disposition", "").lower()


def _fields(message: Message) -> dict[str, str]:
    for part in notices.parts(message.tree):
        if part.get_content_type() in REPORT_TYPES:
            return {
                name.lower(): value
                for name, value in reversed(notices.header_block(notices.report_text(part)))
            }
    return {}
