"""A staff reply becomes one answer to the asker, when three things agree: token, address, proof.

A valid token of theirs, a From among their addresses, and a strong From (or the written-out `staff_trust =
"token+address"`). Two of three: the mail is held and its owner is asked at the address on file; nothing is ever
explained to whoever sent it (S1, S3, S26, S46). Their yes, or an operator's release, makes it go. What leaves holds
no address of staff, no token, nothing internal; the same words to the same letter leave once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mailhub import journal, outbox
from mailhub.centre import people, recall, requests
from mailhub.centre.people import Colleague
from mailhub.centre.profile import MACHINE_SERVICES, Service
from mailhub.centre.requests import Exchange, ExchangeKind, Request
from mailhub.handlers import incoming, letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import ECHO_SPAN, Verdict
from mailhub.mail import commands, enclosures, hints, message, relay, secrecy, subjects
from mailhub.mail.commands import Command, Commands
from mailhub.mail.draft import Draft
from mailhub.mail.message import Message
from mailhub.mail.secrecy import Secrets
from mailhub.mail.tokens import Purpose
from mailhub.outbox import Outgoing, OutgoingState
from mailhub.understand import Reading

_NOT_SAID = frozenset({OutgoingState.FAILED, OutgoingState.WITHDRAWN})
KNOWN_COMMANDS = tuple(f"#{command}" for command in Command)


@dataclass(frozen=True, slots=True)
class _Reply:
    """One staff reply at work."""

    reading: Reading
    desk: Desk
    request: Request
    colleague: Colleague
    thread: Sequence[Exchange]  # as it stood when the reply came

    @property
    def number(self) -> int:
        return self.reading.number

    def tell(self, template: str, **values: object) -> Draft:
        """A short letter to its author, in the thread of their own reply."""
        return letters.to_staff(
            self.desk,
            template,
            self.colleague,
            f"{template}:{self.number}",
            values,
            request=self.request,
            answers=self.reading.message.message_id,
        )


def handle(reading: Reading, desk: Desk) -> Outcome:
    """Relay a staff reply, or file it, obey it, hold it, according to what it proves and what it says."""
    standing = reading.standing
    colleague = standing.vouched_by or standing.token_staff or standing.staff
    request = requests.get(desk.session, standing.request_id or 0)
    if colleague is None or request is None:
        return incoming.to_people(reading, desk, "staff reply about a request that is not there")
    # Whoever may type at the shell of a home may also write its rows: their release is proof enough.
    doubt = None if standing.vouched_by or standing.let_in else _doubt(reading, desk)
    if doubt is not None:
        return _hold(reading, desk, request, doubt)
    thread = requests.exchanges(desk.session, request)
    return _act(_Reply(reading, desk, request, colleague, thread))


def _doubt(reading: Reading, desk: Desk) -> str | None:
    """What is missing of the three factors; None when all agree."""
    author, owner = reading.standing.staff, reading.standing.token_staff
    token = reading.token
    if token is None or token.purpose is not Purpose.ANSWER or owner is None:
        return "no-token"
    if author is None:
        return "other-address"
    if author.id != owner.id:
        return "other-colleague"
    if desk.centre.needs_strong_staff and not reading.strong:
        return "unproven"
    # After a backup was brought back, numbers are given out again: a token may name another request than its copy did.
    if token.thread != reading.standing.request_id or not incoming.answers_known_letter(reading, desk):
        return "unknown-copy"
    return None


def _hold(reading: Reading, desk: Desk, request: Request, doubt: str) -> Outcome:
    """Keep the mail aside and ask the member of staff in whose name it would leave."""
    author, owner = reading.standing.staff, reading.standing.token_staff
    asked = owner if author is None else author
    assert asked is not None
    reason = desk.renderer.template("mail/held/reason.txt").render(why=doubt, sender=reading.sender)
    ask = partial(
        letters.to_staff,
        desk,
        "held",
        asked,
        f"held:{reading.number}",
        {"colleague": asked.name, "reason": " ".join(reason.split()), "text": reading.quoting.reply},
        request=request,
        confirm=reading.number,
    )
    # Whoever writes our staff's address into From must not fill their mailbox by it.
    drafts = (ask(),) if reading.strong else letters.in_moderation(desk, "held", asked, ask)
    told = f"{asked.name} was asked" if drafts else "waits in the journal: they were asked enough this hour"
    return Outcome(None, f"held ({doubt}), {told}", drafts)


def _act(reply: _Reply) -> Outcome:
    if subjects.is_forward(reply.reading.message.subject or ""):
        return _keep_inside(reply, "forward")
    quoting = reply.reading.quoting
    said, signed = commands.read(quoting.reply), commands.read(quoting.signed)
    is_note = Command.NOTE in (*said.given, *signed.given) or _is_hushed(reply) or _went_to_note(reply)
    if is_note or reply.reading.service is Service.NOTE:
        return _keep_inside(reply, "note")
    if relay.is_sealed(reply.reading.message, quoting.reply):
        return _keep_inside(reply, "sealed")
    if reply.reading.message.is_reaction:
        return _keep_inside(reply, "empty")
    if hints.is_recall(quoting.reply):
        return _keep_inside(reply, "recall")
    if said.unknown and relay.text(quoting.reply, _secrets(reply)) is None:
        return _keep_inside(reply, "internal")  # the copy itself names commands
    if said.unknown:
        told = _file_note(reply)
        letter = reply.tell("command-unknown", unknown=said.unknown, known=KNOWN_COMMANDS)
        return Outcome(
            Verdict.MESSAGE_ADDED,
            f"unknown command, nothing sent for {reply.request.reference}",
            (letter, *told),
        )
    if not said.text.strip() and not reply.reading.message.attachments:
        return _obey_only(reply, said) if said.given else _keep_inside(reply, "empty")
    return _answer(reply, said)


def _went_to_note(reply: _Reply) -> bool:
    """Say whether the same words were also sent to a note address: then they are one (desk.md S26)."""
    boxes = (*reply.reading.message.to, *reply.reading.message.cc)
    services = (reply.desk.centre.service_at(box.address)[0] for box in boxes if box.address)
    return Service.NOTE in services


def _is_hushed(reply: _Reply) -> bool:
    """Say whether `#note` stands among what a mail program set apart, and was not carried along from this thread."""
    if not commands.asks_for_silence(reply.reading.quoting.text):
        return False
    return not any(commands.asks_for_silence(each.text) for each in reply.thread)


def _answer(reply: _Reply, said: Commands) -> Outcome:
    """Send the words to the asker; the first answer assigns, `#clore` closes."""
    desk, request = reply.desk, reply.request
    kept_from = _secrets(reply)
    words = relay.text(said.text, kept_from)
    files = enclosures.leaving(reply.reading.message.attachments, kept_from)
    if words is None or files is None:
        return _keep_inside(reply, "internal")
    if (twin := _twin(reply, words)) is not None:
        return _keep_inside(
            reply,
            "again",
            sent_at=desk.centre.calendar.local(twin.created_at),
            in_doubt=twin.state is OutgoingState.IN_DOUBT,
        )
    key = f"answer:{reply.number}"
    draft = letters.answer(
        desk,
        request,
        reply.colleague,
        key,
        text=words,
        html=relay.html(reply.reading.message.html, said.text, kept_from),
        enclosures=files,
        thread=reply.thread,
    )
    written = incoming.written(reply.reading)
    answer = requests.add(
        desk.session,
        request,
        ExchangeKind.ANSWER,
        incoming.as_left(written, words, draft),
        staff_id=reply.colleague.id,
        outgoing_key=key,
    )
    requests.answer(desk.session, request, reply.colleague.id, desk.now)
    texts = [*_shown(reply.thread), answer.text]
    recall.remember(desk.session, people.identity(request), [request.subject, *texts])
    _obey(reply, said)
    return Outcome(
        Verdict.MESSAGE_ADDED, f"answer by {reply.colleague.name} in {request.reference}", (draft,)
    )


def _twin(reply: _Reply, words: str) -> Outgoing | None:
    """The answer that bore these very words and files in reply to the same letter, a moment ago.

    A client sends again what it lost track of, and a person who saw nothing leave presses twice, each time under a
    new Message-ID. A short « Oui » to another letter, or later, is meant; what could not be delivered was not said.
    What is in doubt may have been: its author settles it, as they were asked to.
    """
    session, request, came_at = reply.desk.session, reply.request, reply.reading.envelope.received_at
    assert came_at is not None
    session.refresh(request, with_for_update=True)  # another process may have its twin in hand
    left = {
        letter.key: letter
        for letter in outbox.listed(session, request_id=request.id, kind="answer")
        if letter.created_at >= came_at - ECHO_SPAN and letter.state not in _NOT_SAID
    }
    # Asked again, and only here: what the other one wrote while we waited for the row.
    for each in requests.exchanges(session, request) if left else ():
        letter = left.get(each.outgoing_key or "")
        if letter is None or each.staff_id != reply.colleague.id or each.text.split() != words.split():
            continue
        mail = journal.get(session, each.inbound_id or 0)
        if mail.raw_kept and _addressed(message.read(journal.raw(session, mail))) == _addressed(
            reply.reading.message
        ):
            return letter
    return None


def _addressed(said: Message) -> tuple[tuple[str, ...], list[str]]:
    """What a mail answers, and what it encloses."""
    return said.in_reply_to, [part.sha256 for part in said.attachments]


def _obey_only(reply: _Reply, said: Commands) -> Outcome:
    _obey(reply, said)
    done = ", ".join(f"#{command}" for command in said.given)
    letter = reply.tell("command-done", commands=[command.value for command in said.given])
    return Outcome(
        Verdict.COMMAND_DONE, f"{done} by {reply.colleague.name} in {reply.request.reference}", (letter,)
    )


def _obey(reply: _Reply, said: Commands) -> None:
    if Command.TAKE in said.given:
        requests.assign(reply.desk.session, reply.request, reply.colleague.id)
    if Command.CLOSE in said.given:
        requests.close(reply.desk.session, reply.request, reply.desk.now)


def _keep_inside(reply: _Reply, why: str, **values: object) -> Outcome:
    """The whole mail stays among staff; its author is told why nothing left, and which commands were not obeyed."""
    told, written = _file_note(reply), reply.reading.quoting.reply
    ignored = [f"#{command}" for command in commands.read(written).given if command is not Command.NOTE]
    letter = reply.tell("note-kept", why=why, text=written, ignored=ignored, **values)
    return Outcome(
        Verdict.MESSAGE_ADDED, f"kept inside ({why}) in {reply.request.reference}", (letter, *told)
    )


def _file_note(reply: _Reply) -> tuple[Draft, ...]:
    return incoming.note(reply.reading, reply.desk, reply.request, reply.colleague)


def _secrets(reply: _Reply) -> Secrets:
    desk, request = reply.desk, reply.request
    copies = outbox.listed(desk.session, request_id=request.id, kind="staff-copy", limit=None)
    return secrecy.secrets(
        addresses=people.staff_addresses(desk.session),
        machine_locals=[desk.centre.local_parts[service] for service in MACHINE_SERVICES],
        domain=desk.centre.domain,
        stand_in=desk.centre.address(letters.service_of(request)),
        marker=letters.INTERNAL_MARKER,
        copies=outbox.said(desk.session, copies),
        shown=_shown(reply.thread),
    )


def _shown(thread: Sequence[Exchange]) -> list[str]:
    """What the asker wrote and was sent."""
    return [each.text for each in thread if each.kind not in requests.BETWEEN_STAFF]
