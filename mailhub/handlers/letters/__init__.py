"""The letters handlers write about requests: who they come from, how they thread, what machines are told about them.

Each is a template and a Draft. To an asker: from the service address, with a token of theirs to reply to. To staff:
from the service address too, with a token for this request and this person. Automatic ones say so (RFC 3834).
"""

from mailhub.handlers.letters.askers import acknowledgement, answer
from mailhub.handlers.letters.copies import INTERNAL_MARKER, staff_copies
from mailhub.handlers.letters.heads import is_answerable, message_id, service_of, untitled
from mailhub.handlers.letters.staff import about_answer, in_moderation, to_staff, to_team, undelivered, why

__all__ = [
    "INTERNAL_MARKER",
    "about_answer",
    "acknowledgement",
    "answer",
    "in_moderation",
    "is_answerable",
    "message_id",
    "service_of",
    "staff_copies",
    "to_staff",
    "to_team",
    "undelivered",
    "untitled",
    "why",
]
