"""What no rule knows goes to people: nothing accepted is ever lost (O1)."""

from mailhub.handlers import incoming
from mailhub.handlers.desk import Desk, Outcome
from mailhub.understand import Reading


def handle(reading: Reading, desk: Desk) -> Outcome:
    """Show the mail to staff, in words that lead to no one but them."""
    return incoming.to_people(reading, desk)
