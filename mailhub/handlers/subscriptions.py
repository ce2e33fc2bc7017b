"""What people write about what they receive: leave, pause, join, move, another way; by plain words, at once.

Nothing is ever guessed: one clear wish of one known reader is carried out and told with a way back, everything else
is shown to staff with what was understood. A token says which subscription, the address says who.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time

from mailhub import outbox
from mailhub.centre import people, subscriptions
from mailhub.centre.profile import Service
from mailhub.centre.subscriptions import LIVE, Channel, Settled, Source, State, Subscription
from mailhub.handlers import correspondence, enrolment
from mailhub.handlers.desk import Desk, Outcome
from mailhub.handlers.visits import Visit
from mailhub.journal import Verdict
from mailhub.lists import Channel as Offered
from mailhub.mail import hints, wishes
from mailhub.mail.draft import Draft
from mailhub.mail.tokens import Purpose, Token
from mailhub.mail.wish import Asked, Kind
from mailhub.understand import Reading

_POSTCODE = re.compile(r"\b\d{5}\b")


def handle(reading: Reading, desk: Desk) -> Outcome:
    """Do what one mail asks about subscriptions."""
    visit = Visit(reading, desk)
    token = reading.reader_token
    addressed = reading.token
    if reading.service is Service.STOP and addressed is not None and addressed.purpose is Purpose.LEAVE:
        return _by_leave_address(visit, addressed)
    if token is not None and token.purpose is Purpose.JOIN:
        return _answer(visit, token)
    if token is not None and token.purpose is Purpose.LEAVE and visit.wish.kind is Kind.YES:
        return _by_leave_address(visit, token)
    if visit.wish.kind is Kind.NONE and hints.is_thanks_only(reading.quoting.reply):
        return Outcome(Verdict.COMMAND_DONE, "thanks")
    return _WISHES.get(visit.wish.kind, _to_staff)(visit)


# -- leaving ----------------------------------------------------------------------------------------------------


def _leave(visit: Visit) -> Outcome:
    """Stop what is meant, say what goes on, and how to go further or back, in one letter (S32)."""
    today = visit.desk.centre.calendar.local(visit.desk.now).date()
    if not visit.rows or (visit.wish.since is not None and visit.wish.since > today):
        return _to_staff(visit)
    meant = visit.meant(visit.live)
    if visit.wish.channel == "paper":
        changed = subscriptions.stop_paper(visit.desk.session, visit.meant(visit.live), visit.evidence)
    else:
        changed = subscriptions.leave(visit.desk.session, meant, visit.evidence)
    return _left(visit, changed)


def _leave_everything(visit: Visit) -> Outcome:
    """Stop everything and never write again."""
    if visit.person is None:
        return _to_staff(visit)
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
        [row for row in visit.live if paper or row.publication not in {each.code for each in about}]
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
        (*drafts, *_seats_told(visit, changed)),
    )


def _seats_told(visit: Visit, changed: Sequence[Subscription]) -> tuple[Draft, ...]:
    """A function is no longer served because its holder left: staff may want to ask whoever comes next."""
    if not any(row.function_id is not None for row in changed):
        return ()
    return visit.shown_to_staff("a function is no longer served")


def _by_leave_address(visit: Visit, token: Token) -> Outcome:
    """`stop+TOKEN` : one list stops, whoever writes; they are told at their address on file (D24, D28)."""
    desk = visit.desk
    row = subscriptions.borne(desk.session, token)
    if row is None:
        return _to_staff(visit)
    if visit.wish.kind is Kind.NO:
        return Outcome(Verdict.COMMAND_DONE, "stays, by their own word")
    if visit.wish.kind is Kind.LEAVE_EVERYTHING and row in visit.rows:
        return _leave_everything(visit)
    changed = subscriptions.leave(desk.session, [row], visit.evidence)
    person = subscriptions.reader_of(desk.session, row)
    assert person is not None  # or the token would have died with their tenure
    number = people.identity(person)
    to = people.addresses(desk.session, [number]).get(number)
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
        return _to_staff(visit)
    if not correspondence.may_answer(visit.desk, reading, "subscription-maybe"):
        return Outcome(Verdict.COMMAND_DONE, "may want to leave; asked often enough")
    letter = correspondence.maybe(visit.desk, visit.person, reading.sender or "", meant[0], reading)
    return Outcome(Verdict.COMMAND_DONE, "may want to leave: one word asked", (letter,))


# -- staying, otherwise -----------------------------------------------------------------------------------------


def _pause(visit: Visit) -> Outcome:
    """Send nothing until a day; it ends by itself."""
    meant = visit.meant(visit.live)
    until = visit.wish.until
    today = visit.desk.centre.calendar.local(visit.desk.now).date()
    if not meant or until is None or until <= today:
        return _to_staff(visit)
    changed = subscriptions.pause(
        visit.desk.session,
        meant,
        visit.evidence,
        until=_morning(visit, until),
        since=_morning(visit, visit.wish.since) if visit.wish.since else None,
    )
    if not changed:
        return _to_staff(visit)
    about = visit.titled(changed)
    drafts = visit.told("subscription-paused", changed[0], about, until=until, since=visit.wish.since)
    return Outcome(Verdict.COMMAND_DONE, f"paused until {until}", drafts)


def _morning(visit: Visit, day: date) -> datetime:
    """The first instant of a day where the centre is."""
    zone = visit.desk.centre.calendar.local(visit.desk.now).tzinfo
    return datetime.combine(day, time.min, zone)


def _by_email(visit: Visit) -> Outcome:
    """Email instead of paper."""
    return _another_way(visit, Channel.EMAIL)


def _on_paper(visit: Visit) -> Outcome:
    """Paper instead of email, where there is an address to post it to; else staff ask for one."""
    return _another_way(visit, Channel.PAPER)


def _another_way(visit: Visit, channel: Channel) -> Outcome:
    meant = [row for row in visit.meant(visit.live) if _offers(visit, row, channel)]
    reachable = channel is Channel.EMAIL or all(_has_postal(visit, row) for row in meant)
    if not meant or not reachable or visit.wish.label_code:
        return _to_staff(visit)
    changed = subscriptions.change_channel(visit.desk.session, meant, channel, visit.evidence)
    drafts = visit.told("subscription-channel", meant[0], visit.titled(meant), channel=str(channel))
    return Outcome(Verdict.COMMAND_DONE, f"{channel} for {len(changed)} subscriptions", drafts)


def _offers(visit: Visit, row: Subscription, channel: Channel) -> bool:
    offered = Offered.PAPER if channel is Channel.PAPER else Offered.EMAIL
    return any(offered in each.channels for each in visit.titled([row]))


def _has_postal(visit: Visit, row: Subscription) -> bool:
    session = visit.desk.session
    owner = (
        people.function(session, row.function_id)
        if row.function_id
        else subscriptions.reader_of(session, row)
    )
    postal = people.postal_of(session, owner) if owner else None
    return postal is not None and postal.is_complete


def _undo(visit: Visit) -> Outcome:
    """« ANNULER » : the last decision is taken back, by whoever bears our letter about it or is proven."""
    token = visit.reading.reader_token
    vouched = token is not None and token.purpose is Purpose.DONE and visit.answered in visit.rows
    if not visit.rows or not (vouched or visit.reading.strong):
        return _to_staff(visit)
    restored = subscriptions.undo(
        visit.desk.session,
        visit.desk.centre.keyring,
        visit.rows,
        visit.reading.sender or "",
        visit.evidence,
    )
    row = next(iter(restored), None) or visit.answered
    receives = visit.titled([each for each in visit.rows if each.state_at(visit.desk.now) is State.ACTIVE])
    drafts = visit.told(
        "subscription-restored", row, visit.titled(restored), restored=bool(restored), receives=receives
    )
    return Outcome(Verdict.COMMAND_DONE, f"undone for {len(restored)} subscriptions", drafts)


# -- joining and moving -----------------------------------------------------------------------------------------


def _join(visit: Visit) -> Outcome:
    """One question to the address that writes; whoever receives it already is told so."""
    desk, reading = visit.desk, visit.reading
    wanted = correspondence.publications(desk, visit.codes)
    paused = [row for row in visit.meant(visit.rows) if row.state in {State.PAUSED, State.SUSPENDED}]
    if not wanted or reading.sender is None:
        return _to_staff(visit)
    if not correspondence.may_answer(desk, reading, "subscription-confirmation"):
        return Outcome(Verdict.COMMAND_DONE, "asked to join; no answer may go there")
    if paused and visit.codes:
        resumed = subscriptions.resume(desk.session, paused, visit.evidence)
        drafts = visit.told(
            "subscription-restored",
            resumed[0],
            visit.titled(resumed),
            restored=True,
            receives=visit.titled(resumed),
        )
        return Outcome(Verdict.COMMAND_DONE, f"resumed {len(resumed)} subscriptions", drafts)
    asked, drafts = enrolment.ask(
        desk,
        reading.sender,
        reading.sender_name,
        wanted,
        visit.evidence,
        proven=reading.strong,
        answers=reading,
    )
    if asked.already and asked.confirmation is None and not asked.silent:
        _, today = outbox.written_to(desk.session, reading.sender, "subscription-already", desk.now)
        about = correspondence.publications(desk, asked.already)
        told = visit.told("subscription-already", None, about) if not today else ()
        return Outcome(Verdict.COMMAND_DONE, "receives it already", told)
    codes = ", ".join(each.code for each in wanted)
    return Outcome(
        Verdict.COMMAND_DONE, f"asked to join {codes}: {asked.silent or 'a yes is waited for'}", drafts
    )


def _answer(visit: Visit, token: Token) -> Outcome:
    """Yes or no to a question of ours, from the address that was asked (S35)."""
    reading, desk = visit.reading, visit.desk
    kind = _yes_or_no(visit)
    if kind not in {Kind.YES, Kind.NO}:
        return _to_staff(visit)
    answer, drafts = enrolment.settle(
        desk,
        token.thread,
        reading.sender,
        Source.MAIL,
        yes=kind is Kind.YES,
        message_digest=visit.evidence.message_digest,
        answers=reading,
    )
    if answer.settled is Settled.ELSEWHERE:
        return _to_staff(visit, "a yes or no from another address than the one asked")
    return Outcome(Verdict.COMMAND_DONE, f"question {token.thread}: {answer.settled}", drafts)


def _yes_or_no(visit: Visit) -> Kind:
    """What the mail says, else what its first line says: people greet and explain below their yes."""
    kind = visit.wish.kind
    if kind in {Kind.LEAVE, Kind.LEAVE_EVERYTHING, Kind.UNDO}:
        return Kind.NO
    said = visit.reading.quoting
    if kind is not Kind.NONE or said.only_quotes:
        return kind
    first = next((line for line in said.reply.splitlines() if line.strip()), "")
    today = visit.desk.centre.calendar.local(visit.desk.now).date()
    return wishes.read(first, now=today, asked=Asked.CONFIRMATION).kind


def _change_address(visit: Visit) -> Outcome:
    """Ask both addresses; a postal address in the same mail is for staff to type (S34)."""
    desk, reading = visit.desk, visit.reading
    named, sender = visit.wish.address, reading.sender or ""
    postal = visit.shown_to_staff(visit.wish.why) if _POSTCODE.search(reading.quoting.reply) else ()
    if named is None:
        return _to_staff(visit)
    person, old, new, proven = visit.person, sender, named, reading.strong
    if person is None:  # the new address writes, and names the old one
        person, old, new, proven = (
            people.recognise(desk.session, named, reading.sender_name),
            named,
            sender,
            False,
        )
    if person is None:
        return _to_staff(visit)
    asked = subscriptions.ask_to_move(
        desk.session, desk.centre.keyring, person, old, new, visit.evidence, proven=proven
    )
    if not asked:
        return _to_staff(visit, "a new address that may not be asked now")
    drafts = tuple(correspondence.about_move(desk, question) for question in asked)
    return Outcome(Verdict.COMMAND_DONE, "a new address: both are asked", (*drafts, *postal))


# -- by people --------------------------------------------------------------------------------------------------


def _help(visit: Visit) -> Outcome:
    """The page of instructions, at most once an hour; who asks in a sentence is shown to staff as well."""
    reading, desk = visit.reading, visit.desk
    within_the_hour, _ = outbox.written_to(desk.session, reading.sender or "", "subscription-help", desk.now)
    may = correspondence.may_answer(desk, reading, "subscription-help") and not within_the_hour
    drafts = (correspondence.instructions(desk, reading),) if may else ()
    shown = visit.shown_to_staff(visit.wish.why) if len(reading.quoting.reply.split()) > 2 else ()
    return Outcome(Verdict.COMMAND_DONE, "instructions asked for", (*drafts, *shown))


def _to_staff(visit: Visit, why: str = "") -> Outcome:
    """Not clear, not theirs, or not ours to do: staff see it with all that is known, nothing is done."""
    drafts = visit.shown_to_staff(why or visit.wish.why, nothing_done=True)
    return Outcome(Verdict.TRIAGE, f"{visit.wish.kind} of a reader, shown to {len(drafts)} of staff", drafts)


_WISHES: dict[Kind, Callable[[Visit], Outcome]] = {
    Kind.LEAVE: _leave,
    Kind.LEAVE_EVERYTHING: _leave_everything,
    Kind.MAYBE_LEAVE: _maybe_leave,
    Kind.PAUSE: _pause,
    Kind.JOIN: _join,
    Kind.CHANGE_ADDRESS: _change_address,
    Kind.PAPER: _on_paper,
    Kind.EMAIL: _by_email,
    Kind.UNDO: _undo,
    Kind.HELP: _help,
}
