"""What people write about what they receive: leave, pause, join, move, another way; by plain words, at once.

Nothing is ever guessed: one clear wish of one known reader is carried out and told with a way back, everything else
is shown to staff with what was understood. A token says which subscription, the address says who.
"""

from collections.abc import Callable, Sequence

from mailhub import outbox
from mailhub.centre import people, subscriptions
from mailhub.centre.profile import Service
from mailhub.centre.subscriptions import LIVE, About, Channel, State, Subscription
from mailhub.handlers import consents, correspondence
from mailhub.handlers.desk import Desk, Outcome
from mailhub.handlers.visits import Concern, Visit
from mailhub.journal import Verdict
from mailhub.lists import Channel as Offered
from mailhub.mail import hints
from mailhub.mail.draft import Draft
from mailhub.mail.tokens import Purpose, Token
from mailhub.mail.wish import Kind
from mailhub.understand import Reading


def handle(reading: Reading, desk: Desk) -> Outcome:
    """Do what one mail asks about subscriptions."""
    visit = Visit(reading, desk)
    token = reading.reader_token
    addressed = reading.token
    if reading.service is Service.STOP and addressed is not None and addressed.purpose is Purpose.LEAVE:
        return _by_leave_address(visit, addressed)
    if token is not None and token.purpose is Purpose.JOIN:
        return consents.answer(visit, token) or _leave_after_all(visit)
    if token is not None and token.purpose is Purpose.LEAVE and visit.wish.kind is Kind.YES:
        return _by_leave_address(visit, token)
    if visit.wish.kind is Kind.NONE and hints.is_thanks_only(reading.quoting.reply):
        return Outcome(Verdict.COMMAND_DONE, "thanks")
    return _WISHES.get(visit.wish.kind, Visit.left_to_staff)(visit)


# -- leaving ----------------------------------------------------------------------------------------------------


def _leave(visit: Visit) -> Outcome:
    """Stop what is meant, say what goes on, and how to go further or back, in one letter (S32)."""
    today = visit.desk.centre.calendar.local(visit.desk.now).date()
    if not visit.rows or (visit.wish.since is not None and visit.wish.since > today):
        return visit.left_to_staff()
    meant = visit.meant(visit.live)
    if visit.wish.channel == "paper":
        changed = subscriptions.stop_paper(visit.desk.session, meant, visit.evidence)
    else:
        changed = subscriptions.leave(visit.desk.session, meant, visit.evidence)
    return _left(visit, changed)


def _leave_after_all(visit: Visit) -> Outcome:
    """A no to what they had said yes to; a move that is done is undone by people."""
    if visit.asked is None or visit.asked.about is not About.JOIN:
        return visit.left_to_staff()
    return _leave_everything(visit) if visit.wish.kind is Kind.LEAVE_EVERYTHING else _leave(visit)


def _leave_everything(visit: Visit) -> Outcome:
    """Stop everything and never write again."""
    if visit.person is None:
        return visit.left_to_staff()
    changed = subscriptions.leave_everything(
        visit.desk.session,
        visit.desk.centre.keyring,
        visit.rows,
        visit.reading.sender or "",
        visit.evidence,
    )
    return _left(visit, changed, everything=True)


def _left(visit: Visit, changed: Sequence[Subscription], *, everything: bool = False) -> Outcome:
    paper = visit.wish.channel == "paper"
    about = visit.titled(changed) or correspondence.publications(visit.desk, visit.codes)
    stays = visit.titled(
        [
            row
            for row in visit.live
            if _still_comes(row) and (paper or row.publication not in {each.code for each in about})
        ]
    )
    row = next(iter(changed), None) or next(iter(visit.meant(visit.rows)), None)
    drafts = visit.told(
        "subscription-left",
        row,
        about,
        stays=stays,
        everything=everything,
        paper=paper,
        changed=bool(changed),
    )
    codes = ", ".join(sorted({each.publication for each in changed})) or "nothing more"
    return Outcome(
        Verdict.COMMAND_DONE,
        f"left {codes}{' and everything' if everything else ''}",
        (*drafts, *_seats_told(visit, changed), *_no_way_told(visit, changed)),
    )


def _still_comes(row: Subscription) -> bool:
    """Email that was stopped for its returns comes no more; paper goes on."""
    return row.state is not State.SUSPENDED or row.channel.has_paper


def _no_way_told(visit: Visit, changed: Sequence[Subscription]) -> tuple[Draft, ...]:
    """They want no more paper, and their email came back: staff may want to ask for another address."""
    if all(_still_comes(row) for row in changed):
        return ()
    return visit.shown_to_staff(Concern.NO_WAY)


def _seats_told(visit: Visit, changed: Sequence[Subscription]) -> tuple[Draft, ...]:
    """A function is no longer served because its holder left: staff may want to ask whoever comes next."""
    if not any(row.function_id is not None for row in changed):
        return ()
    return visit.shown_to_staff(Concern.SEAT)


def _by_leave_address(visit: Visit, token: Token) -> Outcome:
    """`stop+TOKEN` : one list stops, whoever writes; they are told at their address on file (D24, D28)."""
    desk = visit.desk
    row = subscriptions.borne(desk.session, token)
    if row is None:
        return visit.left_to_staff()
    if visit.wish.kind is Kind.NO:
        return Outcome(Verdict.COMMAND_DONE, "stays, by their own word")
    if visit.wish.kind is Kind.LEAVE_EVERYTHING and row in visit.rows:
        return _leave_everything(visit)
    changed = subscriptions.leave(desk.session, [row], visit.evidence)
    person = subscriptions.reader_of(desk.session, row)
    assert person is not None  # or the token would have died with their tenure
    number = people.identity(person)
    to = people.current_address(desk.session, person)
    drafts: tuple[Draft, ...] = ()
    if changed and to and visit.reading.sort.may_answer:
        stays = [each for each in subscriptions.held_by(desk.session, [number]) if each.state in LIVE]
        values = {"stays": visit.titled(stays), "everything": False, "paper": False, "changed": True}
        key = f"subscription-left:{visit.reading.number}"
        answers = visit.reading if to == visit.reading.sender else None
        deed = correspondence.Deed(
            "subscription-left", key, person, to, row, visit.titled([row]), values, answers
        )
        drafts = (correspondence.done(desk, deed),)
    said = f"left {row.publication} by its leave address" if changed else "had left already"
    return Outcome(Verdict.COMMAND_DONE, said, (*drafts, *_seats_told(visit, changed)))


def _maybe_leave(visit: Visit) -> Outcome:
    """Reasons to leave without the wish: one word is asked for, nothing is done."""
    meant = visit.meant(visit.live)
    reading = visit.reading
    if visit.person is None or not meant:
        return visit.left_to_staff()
    if not correspondence.may_answer(visit.desk, reading, "subscription-maybe"):
        return Outcome(Verdict.COMMAND_DONE, "may want to leave; asked often enough")
    letter = correspondence.maybe(visit.desk, visit.person, reading.sender or "", meant[0], reading)
    return Outcome(Verdict.COMMAND_DONE, "may want to leave: one word asked", (letter,))


# -- staying, otherwise -----------------------------------------------------------------------------------------


def _pause(visit: Visit) -> Outcome:
    """Send nothing until a day; it ends by itself."""
    meant = visit.meant(visit.live)
    until = visit.wish.until
    calendar = visit.desk.centre.calendar
    today = calendar.local(visit.desk.now).date()
    if not meant or until is None or until <= today:
        return visit.left_to_staff()
    changed = subscriptions.pause(
        visit.desk.session,
        meant,
        visit.evidence,
        until=calendar.morning(until),
        since=calendar.morning(visit.wish.since) if visit.wish.since else None,
    )
    if not changed:
        return visit.left_to_staff()
    about = visit.titled(changed)
    drafts = visit.told("subscription-paused", changed[0], about, until=until, since=visit.wish.since)
    return Outcome(Verdict.COMMAND_DONE, f"paused until {until}", drafts)


def _by_email(visit: Visit) -> Outcome:
    """Email instead of paper."""
    return _another_way(visit, Channel.EMAIL)


def _on_paper(visit: Visit) -> Outcome:
    """Paper instead of email, where there is an address to post it to; else staff ask for one."""
    return _another_way(visit, Channel.PAPER)


def _another_way(visit: Visit, channel: Channel) -> Outcome:
    meant = [row for row in visit.meant(visit.live) if _offers(visit, row, channel)]
    reachable = channel is Channel.EMAIL or all(
        subscriptions.postal_of(visit.desk.session, row) for row in meant
    )
    if not meant or not reachable or visit.wish.label_code:
        return visit.left_to_staff()
    changed = subscriptions.change_channel(visit.desk.session, meant, channel, visit.evidence)
    drafts = visit.told("subscription-channel", meant[0], visit.titled(meant), channel=str(channel))
    return Outcome(Verdict.COMMAND_DONE, f"{channel} for {len(changed)} subscriptions", drafts)


def _offers(visit: Visit, row: Subscription, channel: Channel) -> bool:
    offered = Offered.PAPER if channel is Channel.PAPER else Offered.EMAIL
    return any(offered in each.channels for each in visit.titled([row]))


def _undo(visit: Visit) -> Outcome:
    """« ANNULER » : the decision our letter is about is taken back by whoever bears it; else the last, if proven."""
    token = visit.reading.reader_token
    vouched = token is not None and token.purpose is Purpose.DONE and visit.answered in visit.rows
    if not visit.rows or not (vouched or visit.reading.strong):
        return visit.left_to_staff()
    restored = subscriptions.undo(
        visit.desk.session,
        visit.desk.centre.keyring,
        visit.rows,
        visit.reading.sender or "",
        visit.evidence,
        about=visit.answered if vouched else None,
    )
    row = next(iter(restored), None) or visit.answered
    receives = visit.titled([each for each in visit.rows if each.state_at(visit.desk.now) is State.ACTIVE])
    drafts = visit.told(
        "subscription-restored", row, visit.titled(restored), restored=bool(restored), receives=receives
    )
    return Outcome(Verdict.COMMAND_DONE, f"undone for {len(restored)} subscriptions", drafts)


# -- by people --------------------------------------------------------------------------------------------------


def _help(visit: Visit) -> Outcome:
    """The page of instructions, at most once an hour; who asks in a sentence is shown to staff as well."""
    reading, desk = visit.reading, visit.desk
    within_the_hour, _ = outbox.written_to(desk.session, reading.sender or "", "subscription-help", desk.now)
    may = correspondence.may_answer(desk, reading, "subscription-help") and not within_the_hour
    drafts = (correspondence.instructions(desk, reading),) if may else ()
    shown = visit.shown_to_staff() if len(reading.quoting.reply.split()) > 2 else ()
    return Outcome(Verdict.COMMAND_DONE, "instructions asked for", (*drafts, *shown))


_WISHES: dict[Kind, Callable[[Visit], Outcome]] = {
    Kind.LEAVE: _leave,
    Kind.LEAVE_EVERYTHING: _leave_everything,
    Kind.MAYBE_LEAVE: _maybe_leave,
    Kind.PAUSE: _pause,
    Kind.JOIN: consents.join,
    Kind.CHANGE_ADDRESS: consents.change_address,
    Kind.PAPER: _on_paper,
    Kind.EMAIL: _by_email,
    Kind.UNDO: _undo,
    Kind.HELP: _help,
}
