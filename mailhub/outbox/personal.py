"""What one reader's copy has of its own, as one short text in its row: the form it fills is shared by all."""

import json
from collections.abc import Sequence
from datetime import datetime

from mailhub.mail import newsletter
from mailhub.mail.address import Mailbox
from mailhub.mail.newsletter import Copy, Form, Personal


def written(to: Mailbox, leave: str, greeting: str = "", also: Sequence[int] = ()) -> str:
    """The text for the row; one token leaves and opens the preferences.

    `also`: subscriptions of others whom the copy names because they share its address.
    """
    return json.dumps([newsletter.to(to), leave, greeting, *also], separators=(",", ":"))


def also(personal: str) -> list[int]:
    """The subscriptions of the others a copy names."""
    return json.loads(personal)[3:] if personal else []


def copy(form: bytes | Form, personal: str, message_id: str, date: datetime) -> Copy:
    """The copy a row stands for."""
    to, leave, greeting, *_ = json.loads(personal)
    reader = Personal(to, message_id, leave, leave, greeting)
    return (form if isinstance(form, Form) else Form(form)).copy(reader, date)
