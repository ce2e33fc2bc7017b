"""The story of a question, told with real mails over real SMTP; every sentence of it is checked as it is told.

A question is asked, promised, answered and asked further, a mail comes twice, a colleague is away, an answer comes
back, and the machine dies in the middle. What is true is looked up in the postboxes and in the books of the centre.
"""

import re

from mailhub.centre.requests import RequestState
from mailhub.handlers.letters import INTERNAL_MARKER
from mailhub.journal import Verdict
from mailhub.outbox import OutgoingState
from mailhub.play import cast, letters, power_cut, sums
from mailhub.play.cast import CLAIRE, DOMAIN, HUGO, NADIA, QUESTIONS, STAFF
from mailhub.play.evening import Evening, everything, own_id
from mailhub.play.post import Mail, Way
from mailhub.render import french_day

_TOKEN_ADDRESS = re.compile(rf"\b(?:rep|note)\+([a-z2-7]+)@{re.escape(DOMAIN)}", re.IGNORECASE)
_SHORTEST_TELLING_LINE = 12  # shorter lines of a staff copy ("Bonjour,") prove nothing


async def tell(evening: Evening) -> None:
    """Tell everything; raises FalseStepError at the first thing that is not so."""
    asked, copy = await a_question(evening)
    await the_same_mail_again(evening, asked)
    await an_absence(evening, copy)
    answer = await an_answer(evening, asked, copy)
    await a_follow_up(evening, answer)
    await a_return(evening)
    await power_cut.tell(evening)
    await sums.tell(evening)


async def a_question(evening: Evening) -> tuple[Mail, Mail]:
    """One question: one request, one acknowledgement, one staff copy. Returns the question and the copy."""
    true, said, mark = evening.teller.true, cast.line("ask"), evening.mark
    evening.teller.scene("Nadia Benali asks a question")
    asked = await evening.send(letters.written(NADIA, QUESTIONS, said.subject, said.text, evening.when))
    books = await evening.quiet()
    evening.verdict(books, Verdict.REQUEST_OPENED)
    true("exactly one request is open", len(books.requests) == 1, len(books.requests))
    (request,) = books.requests

    acknowledgement = evening.teller.one("acknowledgement", evening.since(mark, NADIA))
    ack = acknowledgement.message
    marked = ack.header("Auto-Submitted")
    true("it says that a machine wrote it (Auto-Submitted)", marked == "auto-replied", marked)
    true("it has the null sender: nothing can answer it in a loop", not acknowledgement.return_path)
    true(
        f"it bears the reference {request.reference}",
        f"[{request.reference}]" in (ack.subject or ""),
        ack.subject,
    )
    promised = french_day(request.first_contact_on)
    true(f"it promises a date: {promised}", promised in ack.text)
    true("it stands in Nadia's own thread", ack.in_reply_to == own_id(asked), ack.in_reply_to)
    true(
        "her subject comes back to her: who she is was proven",
        said.subject in (ack.subject or ""),
        ack.subject,
    )

    copy = evening.teller.one("staff copy", evening.since(mark, *STAFF))
    address = letters.answer_address(copy.message).address or ""
    true(
        "a reply to it goes to an address with a token",
        _TOKEN_ADDRESS.fullmatch(address) is not None,
        address,
    )
    return asked, copy


async def the_same_mail_again(evening: Evening, asked: Mail) -> None:
    """A mail that comes twice is one mail, whichever way it comes."""
    true, mark = evening.teller.true, evening.mark
    evening.teller.scene("The same mail comes again")
    before = await evening.quiet()
    evening.taken(await evening.bring(asked.raw, NADIA.address, QUESTIONS))
    books = await evening.quiet()
    true("the same bytes leave no second line in the journal", len(books.journal) == len(before.journal))
    detour = f"Received: from elsewhere.example by {cast.POST} with ESMTP\r\n".encode()
    evening.taken(await evening.bring(detour + asked.raw, NADIA.address, QUESTIONS))
    books = await evening.quiet()
    evening.verdict(books, Verdict.DUPLICATE)
    true("there is still one request", len(books.requests) == 1, len(books.requests))
    true("nobody is written to again", not evening.since(mark), len(evening.since(mark)))


async def an_absence(evening: Evening, copy: Mail) -> None:
    """An out-of-office of staff is no answer."""
    mark = evening.mark
    evening.teller.scene("Claire Morvan's mail program says that she is away")
    await evening.send(letters.absence(CLAIRE, copy.message, evening.when))
    evening.verdict(await evening.quiet(), Verdict.AUTOMATIC)
    evening.teller.true("Nadia hears nothing of it, nor does anybody", not evening.since(mark))


async def an_answer(evening: Evening, asked: Mail, copy: Mail) -> Mail:
    """A plain reply to the staff copy becomes one clean answer in the asker's thread. Returns it."""
    true, mark = evening.teller.true, evening.mark
    evening.teller.scene("Claire Morvan answers from her mail program")
    await evening.send(letters.reply(CLAIRE, copy.message, cast.line("answer").text, evening.when))
    books = await evening.quiet()
    evening.verdict(books, Verdict.MESSAGE_ADDED)

    mail = evening.teller.one("answer", evening.since(mark, NADIA))
    answer = mail.message
    true(f"it comes from {QUESTIONS}", [box.address for box in answer.from_] == [QUESTIONS], answer.from_)
    true("it says what Claire wrote", "2 340 habitants" in answer.text)
    true("Nadia's own question is quoted below", "\n> Pouvez-vous me donner" in answer.text)
    true("In-Reply-To names Nadia's mail", answer.in_reply_to == own_id(asked), answer.in_reply_to)
    true("References holds it too", set(own_id(asked)) <= set(answer.references), answer.references)
    _holds_nothing_private(evening, mail, copy)

    receipt = evening.teller.one("receipt (« Parti ») for Claire", evening.since(mark, CLAIRE))
    true(
        "it shows exactly what left",
        "> Le quartier des Tilleuls compte 2 340 habitants" in receipt.message.text,
    )
    (request,) = books.requests
    true("the request is answered", request.state is RequestState.ANSWERED, request.state)
    return mail


async def a_follow_up(evening: Evening, answer: Mail) -> None:
    """The asker replies to the answer: the same request, and its owner is told."""
    true, mark = evening.teller.true, evening.mark
    evening.teller.scene("Nadia Benali asks further, by replying")
    await evening.send(letters.reply(NADIA, answer.message, cast.line("follow_up").text, evening.when))
    books = await evening.quiet()
    evening.verdict(books, Verdict.MESSAGE_ADDED)
    true("it joins the request: there is still one", len(books.requests) == 1, len(books.requests))
    true(
        "which waits for the centre again",
        books.requests[0].state is RequestState.OPEN,
        books.requests[0].state,
    )
    copy = evening.teller.one("letter", evening.since(mark))
    true("it is for Claire, who owns the request", copy.address == CLAIRE.address, copy.address)
    true("it says what Nadia asks now", "Et en 2017, combien" in copy.message.text)


async def a_return(evening: Evening) -> None:
    """An answer that could not be delivered is noted, and its author is told."""
    true, post, said, mark = evening.teller.true, evening.stage.post, cast.line("ask_hugo"), evening.mark
    evening.teller.scene("An answer to Hugo Perrin comes back")
    await evening.send(letters.written(HUGO, QUESTIONS, said.subject, said.text, evening.when))
    await evening.quiet()
    copy = evening.teller.one("staff copy", evening.since(mark, *STAFF))

    post.closed.add(HUGO.address)
    await evening.send(letters.reply(CLAIRE, copy.message, cast.line("answer_hugo").text, evening.when))
    await evening.quiet()
    lost = evening.teller.one(
        "answer finds no postbox", [mail for mail in post.mails if mail.way is Way.LOST]
    )
    post.closed.clear()

    mark = evening.mark
    await evening.send(letters.undeliverable(lost.message, HUGO.address, lost.return_path, evening.when))
    books = await evening.quiet()
    evening.verdict(books, Verdict.BOUNCE)
    letter = next(row for row in books.outbox if row.message_id == lost.message.message_id)
    true("the letter is marked as failed", letter.state is OutgoingState.FAILED, letter.state)
    told = evening.teller.one("letter tells it", evening.since(mark))
    true("to Claire, who wrote it", told.address == CLAIRE.address, told.address)
    true("in the words of the other server", "5.1.1" in told.message.text)
    state = books.requests[-1].state
    true("the request waits for the centre again", state is RequestState.OPEN, state)


def _holds_nothing_private(evening: Evening, answer: Mail, copy: Mail) -> None:
    """O5: no address of staff, no token of theirs, no line of the internal part of their copy."""
    true, said = evening.teller.true, everything(answer.message)
    found = [one.address for one in STAFF if one.address in said.casefold()]
    true("it holds no address of staff", not found, found)
    theirs = set(_TOKEN_ADDRESS.findall(everything(copy.message)))
    true(
        "it holds no token of staff",
        bool(theirs) and not [token for token in theirs if token in said],
        theirs,
    )
    internal = copy.message.text.partition(INTERNAL_MARKER)[2].splitlines()
    telling = [line.strip() for line in internal if len(line.strip()) >= _SHORTEST_TELLING_LINE]
    found = [line for line in (*telling, INTERNAL_MARKER) if line in said]
    true("it holds no line of what is internal", bool(telling) and not found, found)
