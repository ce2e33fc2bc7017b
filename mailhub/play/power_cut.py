"""The worst moment: the serving process is killed while it takes questions in and sends letters out.

The post office pulls the plug before it says 250 to a letter it has kept, so at least one letter is truly in doubt.
Then an operator does what `mailhub outbox settle` does, with what is in the postboxes to go by.
"""

from mailhub import outbox
from mailhub.deliver.wire import Answer
from mailhub.play import cast, letters
from mailhub.play.books import Books
from mailhub.play.cast import HUGO, QUESTIONS
from mailhub.play.evening import Evening
from mailhub.play.post import Mail
from mailhub.play.stage import accepted

QUESTIONS_ASKED = 12
CUT_AT = 3  # the letter that arrives and whose 250 nobody hears
CONNECTIONS = 4  # of the courier: so many letters may be on the wire at one time


async def tell(evening: Evening) -> None:
    """Many questions, one kill -9, nothing lost and nothing doubled."""
    true, stage, mark = evening.teller.true, evening.stage, evening.mark
    evening.teller.scene("kill -9 in the middle of the work")
    before = await evening.quiet()
    mails = _questions(evening)
    evening.teller.note(
        f"{HUGO.name} sends {len(mails)} questions at once: {mails[0].path.name} and following"
    )

    killed = stage.house.pid
    answers = await _offer_until_the_cut(evening, mails, mark)
    took = sum(map(accepted, answers))
    true(f"process {killed} is dead; it had answered for {took} questions", stage.house.pid is None)
    await stage.restart()
    true(f"`mailhub serve` runs again, as process {stage.house.pid}", stage.house.pid not in {None, killed})
    others = [mail for mail, answer in zip(mails, answers, strict=True) if not accepted(answer)]
    # Any post office tries again. One of these may be in the journal already, its 250 lost in the cut.
    again = [await evening.bring(mail.raw, HUGO.address, QUESTIONS) for mail in others]
    true(f"it takes the {len(others)} others when they are offered again", all(map(accepted, again)))

    books = await evening.quiet()
    doubtful = len(books.doubtful)
    said = f"what was on the wire is shown as in doubt, and was not sent again: {doubtful} letters"
    true(said, 1 <= doubtful <= CONNECTIONS, doubtful)
    _settle_doubts(evening, books)
    books = await evening.quiet()

    opened = sorted(request.subject for request in books.requests[len(before.requests) :])
    asked = sorted(mail.message.subject or "" for mail in mails)
    true(f"each of the {len(mails)} questions has exactly one request", opened == asked, len(opened))
    letters_owed = [row.message_id for row in books.outbox[len(before.outbox) :]]
    true(
        "with one acknowledgement and one staff copy each",
        len(letters_owed) == 2 * len(mails),
        len(letters_owed),
    )
    came = [mail.message.message_id or "" for mail in evening.since(mark)]
    found = f"{len(came)} arrived, {len(set(came))} of them different"
    true("every one of these letters arrived, and none twice", sorted(letters_owed) == sorted(came), found)


def _questions(evening: Evening) -> list[Mail]:
    mails = []
    for number in range(1, QUESTIONS_ASKED + 1):
        said = cast.line("many", number=number)
        letter = letters.written(HUGO, QUESTIONS, said.subject, said.text, evening.when)
        mails.append(evening.stage.post.take(letter))
    return mails


async def _offer_until_the_cut(evening: Evening, mails: list[Mail], mark: int) -> list[Answer]:
    """Bring the questions to the door while letters about the first of them come out, and pull the plug."""
    stage = evening.stage

    def pull_the_plug(_: Mail) -> None:
        if len(evening.since(mark)) == CUT_AT:
            stage.house.kill()

    stage.post.on_arrival = pull_the_plug
    answers = [await evening.bring(mail.raw, HUGO.address, QUESTIONS) for mail in mails]
    await stage.house.gone()
    stage.post.on_arrival = None
    return answers


def _settle_doubts(evening: Evening, books: Books) -> None:
    """Say of each letter in doubt whether it arrived; one that did not leaves once more, with its Message-ID."""
    came = {mail.message.message_id for mail in evening.stage.post.mails}
    with evening.stage.database.transaction() as session:
        for row in books.doubtful:
            arrived = row.message_id in came
            session.add(outbox.settle_doubt(session, row.id or 0, arrived=arrived, now=evening.stage.now()))
            does = "is in a postbox: settled" if arrived else "is in no postbox: sent again"
            evening.teller.note(f"letter {row.id} {does}")
