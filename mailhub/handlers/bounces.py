"""Returns: a notification is charged to the letter its signed return path names, never to an address in its text.

A copy of an issue is counted for its reader, in issues; any other letter is settled, and its author told, also when
only its Message-ID tells which it is. What else bears no token of ours is only probable: shown to staff, charged to
nobody (T13, T16).
"""

from collections.abc import Sequence

from mailhub import outbox
from mailhub.centre import people, publications, returns, subscriptions
from mailhub.centre.returns import Event
from mailhub.handlers import correspondence, incoming, letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.mail import dsn, threads
from mailhub.mail.draft import Draft
from mailhub.mail.dsn import Delivery
from mailhub.mail.tokens import Purpose, Token
from mailhub.outbox import Ending, OutgoingState
from mailhub.understand import Reading

# A relay beside us may send a notice before its own word about the letter is written down.
_UNSETTLED_BY_NOTICE = frozenset(
    {OutgoingState.SENDING, OutgoingState.SENT, OutgoingState.IN_DOUBT, OutgoingState.DEFERRED}
)


def handle(reading: Reading, desk: Desk) -> Outcome:
    """Note what became of a letter; the author of an answer is told when it was not delivered (P5, P19)."""
    token = reading.token
    if token is not None and token.purpose is Purpose.ISSUE_RETURN:
        return _of_issue(reading, desk, token)
    letter_id = reading.standing.letter_id
    if letter_id is None:
        return _probable(reading, desk)
    letter = outbox.get(desk.session, letter_id, claim=True)
    author = (
        people.colleague(desk.session, letter.staff_id)
        if letter.kind == "answer" and letter.staff_id
        else None
    )
    if author is not None and not reading.deliveries:
        return _unreadable(f"letter {letter_id}", incoming.shown_to(reading, desk, author))
    failure = next((delivery for delivery in reading.deliveries if delivery.action == "failed"), None)
    arrival = next((delivery for delivery in reading.deliveries if delivery.action in dsn.LEFT), None)
    if failure is not None and letter.state in _UNSETTLED_BY_NOTICE:
        answer = f"{Ending.RETURNED}: {_noted(failure)}"
        outbox.failed(letter, answer, desk.now)
        drafts = letters.undelivered(desk, letter, why=_why(desk, failure))
        return Outcome(Verdict.BOUNCE, f"letter {letter.id} {answer}", drafts)
    if arrival is not None and letter.state is OutgoingState.IN_DOUBT:
        outbox.sent(letter, f"settled by a notification: {arrival.action}", desk.now)
    return Outcome(Verdict.BOUNCE, f"notice about letter {letter.id}")


def told(
    desk: Desk, events: Sequence[Event], *, why: str, said: str = "", mail: int | None = None
) -> tuple[Draft, ...]:
    """What staff are told of returns, wherever these were learnt: from a notification or from the relay itself.

    `why` are our words, `said` those of the relay.
    """
    drafts: list[Draft] = []
    for event in events:
        row = subscriptions.get(desk.session, event.subscription_id)
        issue = desk.session.get(publications.Issue, event.issue_id)
        (title,) = [each.title for each in correspondence.publications(desk, [row.publication])] or [
            row.publication
        ]
        values = {
            "news": str(event.news),
            "title": title,
            "issue": issue.number if issue else event.issue_id,
            "number": row.id,
            "reader": correspondence.card(desk, subscriptions.reader_of(desk.session, row), [row]),
            "why": why,
            "said": said,
            "mail": mail,
        }
        drafts += letters.to_team(desk, "subscription-returns", f"returns:{event.key}", values)
    return tuple(drafts)


def _of_issue(reading: Reading, desk: Desk, token: Token) -> Outcome:
    """One copy of one issue: its reader is who the return path names, whatever the text says (T13)."""
    issue_id, subscription_id = token.thread, token.person
    if not reading.deliveries:
        return _unreadable(f"issue {issue_id}", _shown(desk, reading, "unreadable", None))
    delivery = _worst(reading.deliveries)
    outcome = returns.of_notice(delivery)
    which = f"issue {issue_id} to subscription {subscription_id}"
    if outcome is None:
        return Outcome(Verdict.BOUNCE, f"{which}: {delivery.action or 'nothing said'}, not counted")
    events = returns.record(desk.session, subscription_id, issue_id, outcome, desk.now)
    drafts = told(desk, events, why=_why(desk, delivery), mail=reading.number)
    return Outcome(Verdict.BOUNCE, f"{which}: {outcome}, {_noted(delivery)}", drafts)


def _unreadable(about: str, drafts: tuple[Draft, ...]) -> Outcome:
    """Something came back, and only a person can say what: nothing is charged to anybody."""
    return Outcome(Verdict.QUARANTINE, f"a notice about {about} that nobody can read", drafts)


def _worst(deliveries: Sequence[Delivery]) -> Delivery:
    """A copy went to one person: of several recipients, where it was forwarded to, a failure tells most."""
    return next((each for each in deliveries if each.action == "failed"), deliveries[0])


def _probable(reading: Reading, desk: Desk) -> Outcome:
    """No return path of ours: whoever it may be about is shown to staff, and nothing is counted (T16)."""
    for delivery in reading.deliveries:
        if delivery.action != "failed":
            continue
        person = _reader_of_returned(reading, desk) or (
            people.recognise(desk.session, delivery.recipient) if delivery.recipient else None
        )
        if person is None:
            continue
        if subscriptions.held_by(desk.session, [people.identity(person)]):
            drafts = _shown(desk, reading, "probable", person, _why(desk, delivery))
            return Outcome(
                Verdict.BOUNCE, "probable: about a reader, without our token; charged to nobody", drafts
            )
    return Outcome(Verdict.BOUNCE, "about no letter of ours that we can prove")


def _reader_of_returned(reading: Reading, desk: Desk) -> people.Person | None:
    """The reader whose copy came back, by the Message-ID found in the text: a hint, never a proof."""
    original = dsn.original_message_id(reading.message)
    token = threads.token_of_id(desk.centre.keyring, original) if original else None
    if token is None or token.purpose is not Purpose.ISSUE:
        return None
    row = subscriptions.borne(desk.session, token)
    return subscriptions.reader_of(desk.session, row) if row else None


def _shown(
    desk: Desk, reading: Reading, news: str, person: people.Person | None, why: str = ""
) -> tuple[Draft, ...]:
    rows = subscriptions.held_by(desk.session, [people.identity(person)]) if person else []
    values = {
        "news": news,
        "title": "",
        "issue": None,
        "number": None,
        "reader": correspondence.card(desk, person, rows),
        "why": why,
        "said": "",
        "mail": reading.number,
    }
    return letters.to_team(desk, "subscription-returns", f"returns:{news}:{reading.number}", values)


def _why(desk: Desk, delivery: Delivery) -> str:
    """What a notification means, for staff."""
    return desk.renderer.words("notices", reason=delivery.reason, status=delivery.status)


def _noted(delivery: Delivery) -> str:
    """The same for the journal."""
    return f"{delivery.status or 'no status'} {delivery.reason} ({delivery.fault})"
