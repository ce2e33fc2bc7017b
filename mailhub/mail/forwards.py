"""Who wrote the message somebody passes on: read from the attached message, else from its block of header lines.

Never from an address that merely stands in the text: fonts, signatures and spammers have addresses too (P23). The
answer is a proposal for a person; nothing is ever sent to it by itself.
"""

import re

from mailhub.mail import address, message
from mailhub.mail.address import Mailbox
from mailhub.mail.message import Message
from mailhub.mail.quoting import Quoting
from mailhub.mail.wording import fold

_FROM = re.compile(r"^[\s>*_|]*(?:de|from|von|expediteur|absender|da|van)\s*[*_]*\s*:[*_\s]*(?P<who>.+)$")
_HEADER_LINES = 12  # the block stands at the beginning of the forwarded text


def author(carrier: Message, quoting: Quoting) -> Mailbox | None:
    """The one author of what was forwarded; None when there is none, or more than one to choose from."""
    attached = [part for part in carrier.attachments if part.content_type == "message/rfc822"]
    if len(attached) == 1:
        inside = message.read(attached[0].payload)
        return _only([box for box in inside.from_ if box.address])
    if attached or not quoting.forwarded:
        return None
    named = [_from_line(line) for line in quoting.forwarded.splitlines()[:_HEADER_LINES]]
    return _only([box for boxes in named for box in boxes])


def _from_line(line: str) -> list[Mailbox]:
    if len(line) > 500 or not _FROM.match(fold(line)):
        return []
    written = line.partition(":")[2].replace("[mailto:", "<").replace("]", ">").strip(" *_")
    return [box for box in address.read_list(written) if box.address and address.is_valid(box.address)]


def _only(found: list[Mailbox]) -> Mailbox | None:
    different = {address.normalise(box.address): box for box in found if box.address}
    return next(iter(different.values())) if len(different) == 1 else None
