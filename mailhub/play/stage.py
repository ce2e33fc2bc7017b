"""The stage: a home, the house that serves it, and the post office around it, opened and closed together."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from mailhub.deliver.wire import Answer, Outcome
from mailhub.play import books, cast, home
from mailhub.play.books import Books
from mailhub.play.browser import Browser
from mailhub.play.house import House
from mailhub.play.letters import Letter, Moment
from mailhub.play.post import Mail, PostOffice

LOOK_SECONDS = 0.02  # how often the books are looked at while something is under way


class Stage:
    """Everything that plays; `async with` opens it and closes it in the right order."""

    def __init__(self, folder: Path, stopped_at: datetime | None = None) -> None:
        """`stopped_at` stops every clock of the play."""
        self.home = folder
        self._stopped_at = stopped_at
        self.database = home.database(folder)
        self.post: PostOffice
        self.house: House
        self.browser: Browser

    def now(self) -> datetime:
        """The clock of the play."""
        return self._stopped_at or datetime.now(UTC)

    @property
    def moment(self) -> Moment:
        """This moment, for the mail that is written now."""
        return Moment(self.now(), self.post.next_number)

    async def __aenter__(self) -> Self:
        """Furnish the home, open the post office, then the house."""
        await asyncio.to_thread(home.prepare, self.home, self.now())
        self.post = PostOffice(self.home / home.MAILS, self.now)
        port = await self.post.open()
        try:
            self.house = House(self.home, port, self._stopped_at)
            self.browser = Browser(cast.PAGES, self.house.pages_port)
            await self.house.start()
        except BaseException:
            await self.post.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the house finish, then shut the postboxes."""
        await self.house.stop()
        await self.post.close()
        self.database.close()

    async def send(self, letter: Letter, *, stamped: bool = False) -> tuple[Mail, Answer]:
        """Somebody of the play sends a mail, which may have left here `stamped` before; what the centre's server said."""
        mail = self.post.take(letter, stamped=stamped)
        return mail, await self.post.carry(mail.raw, letter.sender, letter.recipient, self.house.port)

    async def read(self) -> Books:
        """The books of the centre at this moment."""
        return await asyncio.to_thread(books.read, self.database)

    async def quiet(self, seconds: float) -> str:
        """Wait until nothing is under way, at most so long; what still is, "" when all is quiet."""
        last = asyncio.get_running_loop().time() + seconds
        while under_way := await asyncio.to_thread(books.unfinished, self.database):
            if asyncio.get_running_loop().time() > last:
                break
            await asyncio.sleep(LOOK_SECONDS)
        return under_way

    async def put_clock(self, now: datetime) -> None:
        """Let every stopped clock show another instant; what is due then is on its way when this returns."""
        self._stopped_at = now
        await self.house.put_clock(now)

    async def restart(self) -> None:
        """Start the house again after it was killed."""
        await self.house.gone()
        await self.house.start()


def accepted(answer: Answer) -> bool:
    """The centre answers for the mail now."""
    return answer.outcome is Outcome.ACCEPTED
