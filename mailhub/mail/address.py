"""Mail addresses: how they are read from headers, compared, and when two look alike."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name and an address; either may be missing in what strangers write."""

    name: str | None
    address: str | None
