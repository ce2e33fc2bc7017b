"""What the outside said about one mail before we read a byte of it: who hands it over, from whom, to whom.

The envelope routes; headers never do. RFC 5321 section 2.3.1.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail for one envelope recipient, as it came through one door."""

    recipient: str  # the RCPT TO address this row is about
    sender: str = ""  # the MAIL FROM address, "" for the null sender of bounces
    source: str = "smtp"  # the door: "smtp", "lmtp", "imap:<mailbox>", "cli"
    received_at: datetime | None = None  # aware UTC, when the door took it
    client_ip: str = ""  # address of the peer, "" when it is not a network peer
    helo: str = ""  # what the peer called itself
