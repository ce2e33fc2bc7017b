"""The story of a letter: readers join, an issue leaves once to each, a copy comes back, some leave, the next one leaves.

Told with real mails over real SMTP, real HTTP to the pages of readers and the commands of the centre's staff, by a
clock that is put on. What is true is looked up in the postboxes and in the books of the centre.
"""

import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailhub import lists
from mailhub.centre import cadences, people, publications, returns, subscriptions
from mailhub.centre.calendar import Calendar
from mailhub.centre.publications import IssueState
from mailhub.centre.returns import Returned
from mailhub.centre.subscriptions import State, Subscription
from mailhub.errors import Refused
from mailhub.journal import Verdict
from mailhub.play import cast, copies, letters, sums
from mailhub.play.cast import CLAIRE, HUGO, LETTER, MALO, NADIA, ODILE, PAGES, Player
from mailhub.play.copies import Zone
from mailhub.play.evening import Evening
from mailhub.play.house import Said
from mailhub.play.post import Mail, Way
from mailhub.play.teller import FalseStepError
from mailhub.render import french_day, french_hour

LIST = "lettre"
PAPERS = Path(__file__).with_name("papers")
A_MINUTE = timedelta(minutes=1)
A_QUARTER = timedelta(days=92)  # in which every letter has a date
ONE_CLICK = "List-Unsubscribe=One-Click"
_LINK = re.compile(rf"{re.escape(PAGES)}/(confirmer|preferences)/[a-z2-7]+")
_BALANCE = re.compile(r"(\d+ \w+(?: \+ \d+ \w+)*) = (\d+) on the roster")


async def tell(evening: Evening) -> None:
    """Tell everything; raises FalseStepError at the first thing that is not so."""
    await joining_by_mail(evening)
    await joining_on_the_page(evening)
    evening.stage.post.closed.add(HUGO.address)
    first = await an_issue(evening, 57, (ODILE, HUGO, MALO))
    await a_return(evening, first[HUGO], State.ACTIVE)
    await leaving_in_plain_words(evening, first[ODILE])
    await leaving_by_one_click(evening, first[MALO])
    await a_file_of_readers(evening)
    second = await an_issue(evening, 58, (ODILE, HUGO, NADIA))
    await a_return(evening, second[HUGO], State.SUSPENDED)
    await the_ledger(evening)
    await sums.tell(evening)


async def joining_by_mail(evening: Evening) -> None:
    """One question, nothing before the yes, one welcome."""
    true, mark = evening.teller.true, evening.mark
    evening.teller.scene("Odile Le Gall asks for the letter by mail, and so does Hugo Perrin")
    question = await _asks(evening, ODILE, "join_odile")
    marked = question.message.header("Auto-Submitted")
    true("it says that a machine wrote it (Auto-Submitted)", marked == "auto-replied", marked)
    _stands(evening, ODILE, State.PENDING)
    true("nothing else left, for anybody", evening.since(mark) == [question], len(evening.since(mark)))
    yes = await _says_yes(evening, ODILE, question)
    with evening.stage.database.reading() as session:
        proof = subscriptions.history(session, _subscription(evening, ODILE).id or 0)[-1]
    true("the proof kept is that very mail", proof.message_digest == yes.digest, proof.message_digest)
    true("with the sentence the question showed", proof.shown in _unfolded(question), proof.shown)
    await _says_yes(evening, HUGO, await _asks(evening, HUGO, "join_hugo"))


async def joining_on_the_page(evening: Evening) -> None:
    """The same on pages: pressing decides, looking changes nothing."""
    true, browser, mark = evening.teller.true, evening.stage.browser, evening.mark
    evening.teller.scene("Malo Tanguy asks for the letter on the page")
    true(f"the pages are open: {PAGES}", await browser.opened())
    page = await browser.look(f"{PAGES}/abonnement")
    true("/abonnement offers the letter", page.status == 200 and f'value="{LIST}"' in page.text, page)
    asked = await browser.press(f"{PAGES}/abonnement", publication=LIST, adresse=MALO.address)
    true("he gives his address, and is told that a letter follows", asked.status == 200, asked)
    await evening.quiet()
    question = evening.teller.one("question", evening.since(mark, MALO))

    link = _link(question, "confirmer")
    shown = [await browser.look(link) for _ in range(2)]  # a gateway that follows every link, then himself
    true("its link leads to a button", all('value="oui"' in page.text for page in shown), shown)
    _stands(evening, MALO, State.PENDING)
    mark = evening.mark
    pressed = await browser.press(link, reponse="oui")
    true("he presses it", pressed.status == 200, pressed)
    await evening.quiet()
    evening.teller.one("welcome", evening.since(mark, MALO))
    _stands(evening, MALO, State.ACTIVE)


async def an_issue(evening: Evening, number: int, readers: tuple[Player, ...]) -> Mapping[Player, Mail]:
    """A folder is kept as an issue, leaves at its hour and not before, once to each reader. Returns the copies."""
    true, stage, mark = evening.teller.true, evening.stage, evening.mark
    hour = _next_hour(evening)
    local = Calendar().local(hour)
    if hour > datetime.now(UTC):  # DKIM: whoever verifies goes by the clock on the wall
        raise Refused(
            f"no signature of {french_day(local)} verifies before that day; choose an earlier --now"
        )
    evening.teller.scene(f"Issue {number} leaves on {french_day(local)} at {french_hour(local)}")
    words = ("issue", "add", LIST, str(PAPERS / f"{LIST}-{number}"), "--number", str(number))
    kept = await _command(evening, *words, "--release", f"{local:%Y-%m-%d %H:%M}")
    true("nothing on the checklist is wrong with it", kept.status == 0, kept.aside)
    await stage.put_clock(hour - A_MINUTE)
    await evening.quiet()
    true("a minute before its hour nothing has left", evening.mark == mark, evening.mark - mark)
    await stage.put_clock(hour)
    await evening.quiet()

    came = [
        mail
        for mail in stage.post.mails[mark:]
        if mail.way is not Way.FROM and mail.message.header("List-Id")
    ]
    found = {reader: evening.teller.one("copy", _of(came, reader)) for reader in readers}
    true("nobody else has one", len(came) == len(readers), [mail.address for mail in came])
    copies.are_personal(evening.teller, found.values())
    copies.look_at(evening.teller, found[ODILE], ODILE, Zone(evening.stage.home))

    await stage.put_clock(hour + A_MINUTE)
    await evening.quiet()
    evening.teller.one("account of it for Claire", evening.since(mark, CLAIRE))
    with stage.database.reading() as session:
        state = publications.called(session, f"{LIST}-{number}").state
    true("the issue is closed", state is IssueState.CLOSED, state)
    return found


async def a_return(evening: Evening, copy: Mail, then: State) -> None:
    """A notification is charged to the reader its return path names; two issues in a row stop the email."""
    true, mark = evening.teller.true, evening.mark
    evening.teller.scene("Hugo Perrin's copy comes back: his organisation has closed the address")
    await evening.send(letters.undeliverable(copy.message, HUGO.address, copy.return_path, evening.when))
    evening.verdict(await evening.quiet(), Verdict.BOUNCE)
    with evening.stage.database.reading() as session:
        told = returns.told(session, _subscription(evening, HUGO).id or 0)
    outcomes = [each.outcome for each in told]
    true(f"it is charged to his copy: {', '.join(outcomes)}", set(outcomes) == {Returned.ADDRESS}, outcomes)
    _stands(evening, HUGO, then)
    if then is State.SUSPENDED:
        staff = evening.teller.one("letter tells staff", evening.since(mark))
        true("to Claire", staff.address == CLAIRE.address, staff.address)
    else:
        true("one return is no reason to stop, nor to tell anybody", not evening.since(mark))


async def leaving_in_plain_words(evening: Evening, copy: Mail) -> None:
    """A reply in plain French leaves; ANNULER takes it back."""
    evening.teller.scene("Odile Le Gall leaves by a reply, and comes back by another")
    goodbye = await _replies(evening, ODILE, copy, "leave", "goodbye")
    evening.teller.true("it says how to take it back", "répondez ANNULER" in goodbye.message.text)
    _stands(evening, ODILE, State.LEFT)
    await _replies(evening, ODILE, goodbye, "undo", "answer")
    _stands(evening, ODILE, State.ACTIVE)


async def leaving_by_one_click(evening: Evening, copy: Mail) -> None:
    """RFC 8058: what a mail program presses; a look decides nothing, a second press changes nothing."""
    true, browser, mark = evening.teller.true, evening.stage.browser, evening.mark
    evening.teller.scene("Malo Tanguy leaves by one click in his mail program")
    link = copies.leave_link(copy)
    looked = await browser.look(link)
    true("a look at the link shows a button", 'name="quitter"' in looked.text, looked)
    _stands(evening, MALO, State.ACTIVE)
    pressed = await browser.one_click(link, ONE_CLICK)
    true("POST List-Unsubscribe=One-Click is answered with 200", pressed.status == 200, pressed)
    _stands(evening, MALO, State.LEFT)
    again = await browser.one_click(link, ONE_CLICK)
    true("a second POST is answered with the same", again == pressed, again)
    await evening.quiet()
    evening.teller.one("goodbye", evening.since(mark, MALO))


async def a_file_of_readers(evening: Evening) -> None:
    """An old spreadsheet brings in whoever is new, and nobody who left."""
    true, mark = evening.teller.true, evening.mark
    evening.teller.scene("Staff bring in an old file of readers; Malo Tanguy, who left, is in it")
    brought = await _command(evening, "subscribers", "import", str(PAPERS / "lecteurs.csv"), "--to", LIST)
    true("the file is read", brought.status == 0, brought.aside)
    said = next((line for line in brought.lines if MALO.address in line), "")
    true("the report says why he stays away", "only their own yes brings them back" in said, said)
    for reader, state in {MALO: State.LEFT, ODILE: State.ACTIVE, NADIA: State.ACTIVE}.items():
        _stands(evening, reader, state)
    true("nobody was written to", not evening.since(mark), len(evening.since(mark)))


async def the_ledger(evening: Evening) -> None:
    """Every reader of the last issue by name; the parts make the whole."""
    true = evening.teller.true
    evening.teller.scene("Who received issue 58, name by name")
    ledger = await _command(evening, "ledger", f"{LIST}-58", rehearsed=False)
    balance = _BALANCE.search(ledger.out)
    parts = [int(part.split()[0]) for part in balance[1].split(" + ")] if balance else []
    whole = int(balance[2]) if balance else -1
    true(f"the parts make {whole}, as many as ever subscribed", sum(parts) == whole == 4, ledger)
    for reader, said in {ODILE: "sent", NADIA: "sent", HUGO: "came back", MALO: "excluded"}.items():
        line = next((line for line in ledger.lines if reader.address in line), "")
        true(f"{reader.name}: {said}", said in line, line)


# -- what several scenes do -----------------------------------------------------------------------------------------


async def _asks(evening: Evening, reader: Player, words: str) -> Mail:
    """Somebody asks for the letter in their own words. Returns the question they are sent."""
    said, mark = cast.line(words), evening.mark
    await evening.send(letters.written(reader, LETTER, said.subject, said.text, evening.when))
    evening.verdict(await evening.quiet(), Verdict.COMMAND_DONE)
    return evening.teller.one("question", evening.since(mark, reader))


async def _says_yes(evening: Evening, reader: Player, question: Mail) -> Mail:
    """They answer OUI and are welcomed. Returns their mail."""
    mark = evening.mark
    yes = await evening.send(letters.reply(reader, question.message, cast.line("yes").text, evening.when))
    evening.verdict(await evening.quiet(), Verdict.COMMAND_DONE)
    welcome = evening.teller.one("welcome", evening.since(mark))
    evening.teller.true("with the way to one's preferences", bool(_link(welcome, "preferences")))
    _stands(evening, reader, State.ACTIVE)
    return yes


async def _replies(evening: Evening, reader: Player, to: Mail, words: str, answer: str) -> Mail:
    """Somebody replies to one of our letters. Returns what they are told."""
    mark = evening.mark
    await evening.send(letters.reply(reader, to.message, cast.line(words).text, evening.when))
    evening.verdict(await evening.quiet(), Verdict.COMMAND_DONE)
    return evening.teller.one(answer, evening.since(mark))


async def _command(evening: Evening, *words: str, rehearsed: bool = True) -> Said:
    """Staff type a command; what it prints is told."""
    evening.teller.note(f"$ {shlex.join(['mailhub', *words])}")
    said = await evening.stage.house.command(*words, rehearsed=rehearsed)
    for line in said.lines:
        evening.teller.note(f"| {line.expandtabs(4)}")
    return said


def _stands(evening: Evening, reader: Player, state: State) -> None:
    """What the centre has on file for a reader."""
    found = _subscription(evening, reader).state
    evening.teller.true(f"on file, {reader.name}'s subscription is {state}", found is state, found)


def _subscription(evening: Evening, reader: Player) -> Subscription:
    with evening.stage.database.reading() as session:
        for person in people.all_at(session, reader.address):
            if row := subscriptions.find(session, LIST, people.identity(person)):
                return row.model_copy()
    raise FalseStepError(f"{reader.name} is on file")


def _next_hour(evening: Evening) -> datetime:
    """The next date of the letter, as `lists/lettre.toml` says in words."""
    letter = lists.load(evening.stage.home / "lists", cadence=cadences.parse).publication(LIST)
    start = evening.stage.now() + A_MINUTE
    return next(cadences.slots(letter, start, start + A_QUARTER, Calendar()))


def _of(mails: list[Mail], reader: Player) -> list[Mail]:
    return [mail for mail in mails if mail.address == reader.address]


def _link(letter: Mail, page: str) -> str:
    """Where a letter leads, "" when it does not lead to this page."""
    return next((found[0] for found in _LINK.finditer(letter.message.text) if found[1] == page), "")


def _unfolded(letter: Mail) -> str:
    return " ".join(letter.message.text.replace(">", "").split())
