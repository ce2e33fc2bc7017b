"""Read receipts, and the refusals that come in their form. RFC 8098."""

import re

from mailhub.mail import notices
from mailhub.mail.message import Message
from mailhub.mail.wording import fold

REPORT_TYPES = ("message/disposition-notification", "message/global-disposition-notification")
# Sieve's "reject" (RFC 5429) answers with a receipt that is in truth a refusal.
REJECTED = re.compile(r"\b(rejected|refused|rejete|refuse|abgelehnt|rechazado)\b")


def why(message: Message) -> str:
    """What makes a mail a receipt, "" when nothing does. A receipt someone attached is not one."""
    tree = message.tree
    if tree.get_content_type() == "multipart/mixed":
        # A gateway that adds a foot wraps the whole receipt, and leaves it first.
        tree = next(iter(notices.children(tree)), tree)
        if tree.get_content_type() != "multipart/report":
            return ""
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
    disposition = notices.report_fields(message, REPORT_TYPES).get("disposition", "")
    return bool(REJECTED.search(said)) and "deleted" in disposition.lower()
