"""One evening at the play: a stage, somebody who tells it, and the tally of what the centre took charge of."""

from hashlib import sha256

from mailhub.deliver.wire import Answer
from mailhub.journal import Inbound, Verdict
from mailhub.mail.message import Message
from mailhub.play.books import Books
from mailhub.play.cast import Player
from mailhub.play.letters import Letter, Moment
from mailhub.play.post import Mail, Way
from mailhub.play.stage import Stage, accepted
from mailhub.play.teller import Teller

QUIET_SECONDS = 30.0  # a story that takes longer over one mail is stuck


class Evening:
    """What every scene works with."""

    def __init__(self, stage: Stage, teller: Teller) -> None:
        self.stage, self.teller = stage, teller
        self.answered_for: set[tuple[str, str]] = set()  # digest and recipient of each mail that got its 250

    @property
    def when(self) -> Moment:
        """This moment, for the mail that is written now."""
        return self.stage.moment

    @property
    def mark(self) -> int:
        """Where we are now; see `since`."""
        return len(self.stage.post.mails)

    def since(self, mark: int, *players: Player) -> list[Mail]:
        """What came for these people after that mark, for everybody when none is named."""
        wanted = {player.address for player in players}
        later = self.stage.post.mails[mark:]
        return [mail for mail in later if mail.way is Way.FOR and (not wanted or mail.address in wanted)]

    async def send(self, letter: Letter) -> Mail:
        """Somebody sends a mail and the centre takes it."""
        mail = self.stage.post.take(letter)
        self.teller.mail(mail)
        self.taken(await self.bring(mail.raw, letter.sender, letter.recipient))
        return mail

    async def bring(self, raw: bytes, sender: str, recipient: str) -> Answer:
        """The post office brings these bytes to the centre's door; what the centre takes, it answers for."""
        answer = await self.stage.post.carry(raw, sender, recipient, self.stage.house.port)
        if accepted(answer):
            self.answered_for.add((sha256(raw).hexdigest(), recipient))
        return answer

    def taken(self, answer: Answer) -> None:
        """The centre took a mail, or the story ends here."""
        self.teller.true(f"the centre's door says {answer.line}", accepted(answer))

    async def quiet(self) -> Books:
        """The books of the centre, once nothing is under way any more."""
        under_way = await self.stage.quiet(QUIET_SECONDS)
        if under_way:
            self.teller.true(f"all is quiet within {QUIET_SECONDS:g} seconds", False, under_way)  # noqa: FBT003
        return await self.stage.read()

    def verdict(self, books: Books, expected: Verdict) -> Inbound:
        """The last mail of the journal ended so."""
        row = books.journal[-1]
        said = f"journal {row.id}: {row.verdict} (rule: {row.rule}) {row.note}"
        self.teller.true(said, row.verdict is expected, f"expected {expected}")
        return row


def own_id(mail: Mail) -> tuple[str, ...]:
    """The Message-ID of a mail, as In-Reply-To of its answers will hold it."""
    return (mail.message.message_id,) if mail.message.message_id else ()


def everything(said: Message) -> str:
    """Every word a reader of this mail could find, headers included."""
    headers = (f"{name}: {value}" for name, value in said.headers)
    names = (part.filename or "" for part in said.attachments)
    return "\n".join((*headers, *names, said.text, said.html or "", said.raw.decode("utf-8", "replace")))
