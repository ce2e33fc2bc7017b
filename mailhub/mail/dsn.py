"""Delivery status notifications: who was not reached, for how long, and whose fault it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a notification says of one recipient."""

    recipient: str | None  # bare address, lower-cased domain
    action: str | None  # "failed", "delayed", "delivered"
    status: str | None  # enhanced status "x.y.z", RFC 3463
    permanent: bool | None
    reason: str  # "user-unknown", "mailbox-disabled", "mailbox-full", "host-unknown", "too-large", "rejected", "unreachable", "other"
    fault: str  # "address", "mailbox", "policy", "transport": whose it is; policy is ours
