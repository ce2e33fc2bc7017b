"""Complaints: a provider tells that its reader pressed "this is spam". RFC 5965, Signal Spam, Hotmail's own form.

The reader's address is often taken out (RFC 6590): who complains is found by our own token or Message-ID.
"""

import re
from dataclasses import dataclass

from mailhub.mail import notices
from mailhub.mail.message import Message

REPORT_TYPE = "message/feedback-report"
COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "complaint"})
# Hotmail's junk reporting sends the mail back under this subject, without any report part.
HOTMAIL = re.compile(r"complaint about message from \[?[\d.:a-f]+\]?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One report: its type, and what is left of who and which mail it is about."""

    feedback_type: str  # lower case: "abuse", "fraud", "not-spam", "auth-failure", "virus", "other"
    reporter: str  # the User-Agent field: which provider's programme this is
    recipient: str | None  # the reader's address when it was not redacted
    message_id: str | None  # of our mail, without angle brackets

    @property
    def leaves(self) -> bool:
        """Whether the reader is to be taken off that list now: they said spam, or fraud."""
        return self.feedback_type in COMPLAINTS


def read(message: Message) -> Complaint | None:
    """The complaint a mail is, None when it is none."""
    if not why(message):
        return None
    fields = notices.report_fields(message, (REPORT_TYPE,))
    notice = notices.read(message)
    identity = re.search(r"<([^<>\s]{1,995})>", notice.returned_header("Message-ID") or "")
    address = fields.get("original-rcpt-to") or fields.get("removal-recipient") or ""
    found = re.search(r"[^\s<>,;@]{1,64}@[^\s<>,;@]{1,255}", address)
    return Complaint(
        feedback_type=fields.get("feedback-type", "abuse").lower(),
        reporter=fields.get("user-agent", ""),
        recipient=found[0] if found and "redacted" not in found[0].lower() else None,
        message_id=identity[1] if identity else None,
    )


def why(message: Message) -> str:
    """What makes a mail a complaint, "" when nothing does. A report someone attached is not one."""
    tree = message.tree
    if tree.get_content_type() == "multipart/report":
        if notices.parameter(tree, "report-type").lower() == "feedback-report":
            return "multipart/report; report-type=feedback-report"
        if any(child.get_content_type() == REPORT_TYPE for child in notices.children(tree)):
            return REPORT_TYPE
    sender = next((box.address for box in message.from_ if box.address), "").lower()
    if sender.endswith("@hotmail.com") and HOTMAIL.fullmatch((message.subject or "").strip()):
        return "Hotmail complaint"
    return ""
