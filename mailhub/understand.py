"""Stage 3: bytes and envelope into a Reading: what it says, who speaks, how far to believe it, which thread.

`read` is pure but for the resolver it is handed, and runs outside any transaction; `place` then asks the tables
what the mail means here: is it known already, is its author staff, whose token is it, which request.
"""

import hashlib
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session

from mailhub import journal, outbox
from mailhub.centre import people, requests
from mailhub.centre.people import Colleague
from mailhub.centre.profile import Centre, Service
from mailhub.journal import Claimed, Traits
from mailhub.mail import (
    address,
    dsn,
    kinds,
    message,
    quoting,
    secrecy,
    subjects,
    threads,
    trust,
    wishes,
    wording,
    words,
)
from mailhub.mail.dsn import Delivery
from mailhub.mail.envelope import Envelope
from mailhub.mail.kinds import Sort
from mailhub.mail.message import Message
from mailhub.mail.quoting import Quoting
from mailhub.mail.tokens import Purpose, Token
from mailhub.mail.trust import Strength, Trust
from mailhub.mail.wish import Asked, Wish

LOOP_HEADER = "X-Mailhub-Loop"
READER_PURPOSES = frozenset({Purpose.LEAVE, Purpose.JOIN, Purpose.DONE, Purpose.ISSUE})
THREAD_PURPOSES = frozenset({Purpose.ASKER, Purpose.ANSWER, Purpose.NOTE})

# Where people write about what they receive; a question to another address is read as one only when it speaks of it.
ABOUT_LISTS = frozenset({Service.LETTER, Service.REVIEW, Service.CONTACT, Service.STOP, Service.CONFIRM})
_SPEAKS_OF_LISTS = re.compile(
    r"abonn|d.?s.?inscri|liste|retir|recevoir|stop|unsubscribe|subscribe", re.IGNORECASE
)
MOST_WORDS_OF_A_WISH = 90
_BLANKS = string.whitespace.encode()
# Of what a telephone may have carried along, and of our letters it is looked for in: the beginning tells.
MOST_LETTERS_COMPARED, MOST_LINES_COMPARED, MOST_COMPARED = 20, 100, 20_000

Weigh = Callable[[Message, Envelope], Trust]  # how the From address is proven: by us, or by a hop we believe


@dataclass(frozen=True, slots=True)
class Standing:
    """What the tables say of a mail; all empty for a mail read on its own."""

    duplicate_of: int | None = None  # journal number of the mail it repeats
    own: bool = False  # one of our own letters came back
    flood: bool = False  # its author sends more than the cap
    repeated: int = 0  # how often these very words came in the last half hour
    staff: Colleague | None = None  # the From address is theirs
    token_staff: Colleague | None = None  # the token was given to them
    vouched_by: Colleague | None = None  # staff who said yes to this mail while it was held
    let_in: bool = False  # an operator let it in: machine and hostile verdicts no longer apply
    request_id: int | None = None  # the thread it belongs to
    participant: bool = False  # its author is one of those whose thread it is
    letter_id: int | None = None  # for a return: the letter of ours it is about
    held_id: int | None = None  # for a confirmation: the mail that waits for it


@dataclass(frozen=True, slots=True)
class Reading:
    """One mail, understood."""

    number: int  # its journal number, 0 when it is read on its own
    envelope: Envelope
    message: Message
    quoting: Quoting
    sort: Sort
    deliveries: tuple[Delivery, ...]
    trust: Trust
    sender: str | None  # the single, strict From address; None: nobody we could answer for
    sender_name: str | None  # as they call themselves, when that is a name
    service: Service | None  # of the envelope recipient; header recipients never route
    token: Token | None  # in the envelope recipient; dead, forged and retired ones are None
    nearest: Token | None  # the nearest of our signed ids it answers
    gist: str  # digest of its words, white space, case and accents apart
    wish: Wish | None = None  # what it asks about lists in plain words; None when it was not read for that
    standing: Standing = Standing()

    @property
    def reader_token(self) -> Token | None:
        """The token that says which subscription this is about: of the address written to, else of what it answers."""
        return next(
            (token for token in (self.token, self.nearest) if token and token.purpose in READER_PURPOSES),
            None,
        )

    @property
    def strong(self) -> bool:
        """The From address is proven."""
        return self.trust.strength is Strength.STRONG


def believe_nobody(message: Message, envelope: Envelope) -> Trust:  # noqa: ARG001 — the shape of Weigh
    """The weakest policy: no From address is ever proven."""
    return Trust(Strength.WEAK, why="no verdict was asked for")


def read(
    raw: bytes,
    envelope: Envelope,
    centre: Centre | None = None,
    *,
    number: int = 0,
    weigh: Weigh = believe_nobody,
) -> Reading:
    """Read one mail as far as its bytes and its envelope go; never raises for what a stranger sent."""
    said = message.read(raw)
    sender = trust.author(said)
    service, tag = centre.service_at(envelope.recipient) if centre else (None, None)
    nearest = next(threads.signed_tokens(centre.keyring, said), None) if centre else None
    reading = Reading(
        number=number,
        envelope=envelope,
        message=said,
        quoting=quoting.read(
            said.text,
            said.html,
            is_reply=bool(said.in_reply_to or said.references) or subjects.is_reply(said.subject or ""),
            is_forward=subjects.is_forward(said.subject or ""),
        ),
        sort=(sort := kinds.sort(said, null_sender=envelope.sender == "" and envelope.source != "cli")),
        deliveries=dsn.read(said) if sort.kind is kinds.Kind.BOUNCE else (),
        trust=weigh(said, envelope),
        sender=address.normalise(sender.address) if sender and sender.address else None,
        sender_name=words.credible(next((box.name for box in said.from_ if box.name), None)),
        service=service,
        token=centre.keyring.open(tag) if centre and tag else None,
        nearest=nearest,
        gist=_gist(said.text),
    )
    return replace(reading, wish=_wish(reading, centre)) if centre and _may_wish(reading, centre) else reading


def _may_wish(reading: Reading, centre: Centre) -> bool:
    """Say whether a mail is read for what it asks about lists: never a machine's, never all of a long question."""
    if not centre.lists.publications or reading.sort.kind is not kinds.Kind.HUMAN:
        return False
    if reading.service in ABOUT_LISTS or reading.reader_token is not None:
        return True
    if reading.service is not Service.QUESTION or reading.nearest is not None:
        return False
    said = f"{reading.message.subject or ''} {reading.quoting.reply}"
    words_of_it = said.split(maxsplit=MOST_WORDS_OF_A_WISH)  # and all the rest as one more
    return len(words_of_it) <= MOST_WORDS_OF_A_WISH and _SPEAKS_OF_LISTS.search(said) is not None


def _wish(reading: Reading, centre: Centre) -> Wish | None:
    """What its own words ask; a mail that only quotes asks for nothing."""
    received_at, token = reading.envelope.received_at, reading.reader_token
    if received_at is None:
        return None
    asked = Asked.NOTHING
    if token is not None and token.purpose is Purpose.DONE:
        asked = Asked.OTHER_PUBLICATION
    elif token is not None and (token.purpose is Purpose.JOIN or reading.service is Service.CONFIRM):
        asked = Asked.CONFIRMATION
    return wishes.read(
        "" if reading.quoting.only_quotes else reading.quoting.reply,
        reading.message.subject,
        now=centre.calendar.local(received_at).date(),
        asked=asked,
        sender=reading.sender,
        publications=centre.names_of_publications(),
    )


def place(session: Session, reading: Reading, centre: Centre, mail: Claimed) -> Reading:
    """Ask the tables what this mail means here."""
    now = reading.envelope.received_at
    assert now is not None
    sender = reading.sender
    staff = people.colleague_at(session, sender) if sender else None
    authors = people.all_at(session, sender) if sender else []
    request, participant = _thread(session, reading, [people.identity(person) for person in authors])
    token = reading.token
    seen = journal.seen(
        session,
        mail,
        Traits(reading.message.message_id, sender, reading.gist),
        now,
        enough=max(centre.courtesy.mails_per_hour, centre.courtesy.alike_in_half_an_hour),
        opens=reading.service not in _SHOWN_ONLY,
        alone=reading.service is Service.NOTE,
    )
    standing = Standing(
        duplicate_of=seen.duplicate_of,
        own=_is_own(reading, centre),
        flood=bool(sender and staff is None and seen.of_author >= centre.courtesy.mails_per_hour),
        repeated=seen.alike,
        staff=staff,
        token_staff=_token_staff(session, token),
        vouched_by=people.colleague(session, mail.vouched_by) if mail.vouched_by else None,
        let_in=mail.let_in,
        request_id=request.id if request else None,
        participant=participant,
        letter_id=_letter_returned(session, reading),
        held_id=token.thread if token and token.purpose is Purpose.CONFIRM else None,
    )
    quoting = reading.quoting
    if quoting.guessed and not _is_carried_along(session, quoting.guessed, request):
        quoting = quoting.with_guessed()
    return replace(reading, standing=standing, quoting=quoting)


_SHOWN_ONLY = frozenset({Service.CONTACT, Service.POSTMASTER, Service.ABUSE})


def _is_carried_along(session: Session, text: str, request: requests.Request | None) -> bool:
    """Say whether words that look carried along stand in our letters of that thread; else they are the author's."""
    if request is None:
        return False
    letters = outbox.listed(session, request_id=request.id, limit=MOST_LETTERS_COMPARED)
    texts = (message.read(outbox.raw(session, letter)).text for letter in letters)
    sent = "\n".join(secrecy.solid(each[:MOST_COMPARED]) for each in texts)
    lines = map(secrecy.solid, text[:MOST_COMPARED].splitlines())
    telling = [line for line in lines if len(line) >= secrecy.SHORTEST_TELLING_LINE][:MOST_LINES_COMPARED]
    return sum(line in sent for line in telling) * 2 > len(telling)


def _gist(text: str) -> str:
    """A digest of the words, however they are cut into lines."""
    folded = wording.fold(text).encode("utf-8", "surrogatepass")
    return hashlib.sha256(folded.translate(None, _BLANKS)).hexdigest()[:32]


def _token_staff(session: Session, token: Token | None) -> Colleague | None:
    if token is None or token.purpose not in {Purpose.ANSWER, Purpose.NOTE, Purpose.CONFIRM}:
        return None
    return people.colleague(session, token.person)


def _is_own(reading: Reading, centre: Centre) -> bool:
    own_id = reading.message.message_id
    return (own_id is not None and threads.token_of_id(centre.keyring, own_id) is not None) or (
        reading.message.header(LOOP_HEADER) == centre.loop_mark
    )


def _thread(
    session: Session, reading: Reading, authors: Sequence[int]
) -> tuple[requests.Request | None, bool]:
    """The request a mail belongs to, and whether one of those who have its author's address takes part in it.

    A signed token says which thread, whoever bears it. An id it merely shares counts only for a participant (P14),
    so that nobody enters a thread by naming an id they have seen or guessed (P10, P11).
    """
    for token in (reading.token, reading.nearest):
        if token is not None and token.purpose in THREAD_PURPOSES:
            request = requests.get(session, token.thread)
            if request is not None:
                return request, not requests.participants(session, request).isdisjoint(authors)
    if authors:
        for request in requests.sharing_an_id(session, threads.ids_of(reading.message)):
            if not requests.participants(session, request).isdisjoint(authors):
                return request, True
    return None, False


def _letter_returned(session: Session, reading: Reading) -> int | None:
    """The letter of ours a notification is about: by the signed return path, else by its Message-ID.

    The ID of a letter to one is known to whoever had it in hand, and to nobody else. Copies of an issue are charged
    to their readers, and for that only the return path will do (T13).
    """
    if reading.token is not None and reading.token.purpose is Purpose.BOUNCE:
        row = outbox.returned(session, reading.token.thread)
        return row.id if row else None
    if reading.sort.kind is not kinds.Kind.BOUNCE:
        return None
    original = dsn.original_message_id(reading.message)
    row = outbox.with_message_id(session, [original]) if original else None
    return row.id if row and row.issue_id is None else None
