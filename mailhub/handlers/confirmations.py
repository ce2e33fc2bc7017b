"""Yes or no to what was held: the answer of the person whose name it bears, from their address on file."""

from mailhub import journal, outbox
from mailhub.centre import requests
from mailhub.handlers import incoming, letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Inbound, InboundState, Verdict
from mailhub.mail import wishes
from mailhub.mail.wishes import Asked, Kind
from mailhub.understand import Reading


def handle(reading: Reading, desk: Desk) -> Outcome:
    """Release a held mail on a plain yes, drop it on a plain no; anything else leaves it held."""
    standing = reading.standing
    assert standing.held_id is not None
    held = desk.session.get(Inbound, standing.held_id, with_for_update=True, populate_existing=True)
    if held is None or not incoming.answers_known_letter(reading, desk):
        return incoming.to_people(reading, desk, "confirmation of a mail that is not there")
    colleague = standing.token_staff
    if colleague is None or standing.staff is None or standing.staff.id != colleague.id:
        note = f"confirmation of mail {held.id} from another address than the one asked"
        return incoming.to_people(reading, desk, note)
    if held.state is not InboundState.HELD:
        return Outcome(Verdict.COMMAND_DONE, f"mail {held.id} was settled already")
    today = desk.centre.calendar.local(desk.now).date()
    wish = wishes.read(reading.quoting.reply, now=today, asked=Asked.CONFIRMATION).kind
    if wish not in {Kind.YES, Kind.NO, Kind.UNDO}:
        return incoming.to_people(reading, desk, f"neither yes nor no to mail {held.id}, which stays held")
    released = wish is Kind.YES
    if released:
        journal.release(desk.session, standing.held_id, vouched_by=colleague.id)
    else:
        journal.discard(desk.session, standing.held_id, f"dropped by {colleague.name}", desk.now)
    asked = outbox.keyed(desk.session, f"held:{held.id}")
    request = requests.get(desk.session, asked.request_id) if asked and asked.request_id else None
    letter = letters.to_staff(
        desk,
        "held-settled",
        colleague,
        f"held-settled:{reading.number}",
        {"released": released},
        request=request,
        answers=reading.message.message_id,
    )
    return Outcome(
        Verdict.COMMAND_DONE,
        f"mail {held.id} {'released' if released else 'dropped'} by {colleague.name}",
        (letter,),
    )
