"""The sums with which every story ends: nothing that came in or was written is unaccounted for."""

from mailhub.outbox import OutgoingState
from mailhub.play.evening import Evening
from mailhub.play.post import Way


async def tell(evening: Evening) -> None:
    """What was accepted is what was handled; what was written is what left."""
    true = evening.teller.true
    evening.teller.scene("The sums")
    books = await evening.quiet()
    accepted, lines, ended = (
        len(evening.answered_for),
        sum(books.states.values()),
        sum(books.verdicts.values()),
    )
    parts = " + ".join(f"{count} {verdict}" for verdict, count in sorted(books.verdicts.items()))
    true(
        f"{accepted} mails accepted = {lines} lines in the journal", accepted == lines, f"{accepted}, {lines}"
    )
    true(f"= {ended} verdicts: {parts}", lines == ended, f"{lines}, {ended}")
    held = {(row.digest, row.recipient) for row in books.journal}
    true("every mail the centre answered for is one of them", evening.answered_for <= held)
    came = [mail for mail in evening.stage.post.mails if mail.way is not Way.FROM]
    true(
        f"{len(books.outbox)} letters written = {len(came)} that arrived",
        len(books.outbox) == len(came),
        len(came),
    )
    ends = {row.state for row in books.outbox}
    true(
        "each was sent, or is known to have failed", ends <= {OutgoingState.SENT, OutgoingState.FAILED}, ends
    )
