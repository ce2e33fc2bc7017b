"""One performance: told in the terminal and checked, or played by hand on a page of this machine."""

import asyncio
import signal
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from mailhub.errors import Refused
from mailhub.play import home as homes
from mailhub.play import lists_story, page, question_story
from mailhub.play.evening import Evening
from mailhub.play.stage import Stage
from mailhub.play.teller import Event, FalseStepError, Tell, Teller, as_text
from mailhub.web import listener

INTERRUPTED = 130  # what a shell expects of a program that Ctrl-C ended


@dataclass(frozen=True, slots=True)
class Story:
    """One of the stories that are told."""

    title: str
    tell: Callable[[Evening], Awaitable[None]]
    begins: datetime | None = None  # where its clock is put at first; None: it goes by the clock on the wall


STORIES = {
    "question": Story("A question in the life of a fictional centre.", question_story.tell),
    "lists": Story(
        "A letter of a fictional centre, and its readers.",
        lists_story.tell,
        datetime(
            2025, 3, 3, 9, 0, tzinfo=UTC
        ),  # the day before a letter leaves, and long past on any machine
    ),
}


def run(
    home: Path | None = None,
    port: int = 0,
    once: bool = False,  # noqa: FBT001, FBT002 — the shape the command line calls
    now: datetime | None = None,
    story: str | None = None,
    tell: Tell | None = None,
) -> int:
    """Play; the exit code is 1 when a step of the story was false.

    Without `home` a new temporary folder is used; it stays, because the mails are in it. `now` stops every clock.
    What happens is told to `tell`, event by event; without it, in words on the terminal.
    """
    if story and not once:
        raise Refused(f"the story of {story} is told in the terminal: add --once")
    folder = home.absolute() if home else Path(tempfile.mkdtemp(prefix="mailhub-play-"))
    if once and homes.was_played_in(folder):
        raise Refused(f"{folder} is a home already; the story begins in a new folder")
    tell = tell or _in_words
    work = _tell(folder, STORIES[story or "question"], now, tell) if once else _show(folder, port, now, tell)
    return asyncio.run(_interruptible(work, folder, tell))


def _in_words(event: Event) -> None:
    typer.echo(as_text(event))


async def _interruptible(work: Coroutine[object, object, int], folder: Path, tell: Tell) -> int:
    """Do this until Ctrl-C or SIGTERM, and say where the mails are."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        code = await task
    except asyncio.CancelledError:
        code = INTERRUPTED
    tell({"event": "left", "mails": str(folder / homes.MAILS), "home": str(folder)})
    return code


async def _tell(folder: Path, story: Story, now: datetime | None, tell: Tell) -> int:
    tell({"event": "story", "title": story.title, "home": str(folder)})
    teller = Teller(tell, folder)
    async with Stage(folder, now or story.begins) as stage:
        teller.scene("The house opens")
        teller.true(f"`mailhub serve` runs as process {stage.house.pid}", stage.house.pid is not None)
        try:
            await story.tell(Evening(stage, teller))
        except FalseStepError as step:
            tell({"event": "end", "true": False, "says": f"This was false: {step}"})
            return 1
    tell({"event": "end", "true": True, "says": "Every step was true."})
    return 0


async def _show(folder: Path, port: int, now: datetime | None, tell: Tell) -> int:
    with listener.bound(f"127.0.0.1:{port}") as here:
        tell({"event": "page", "url": f"http://127.0.0.1:{here.getsockname()[1]}/"})
        async with Stage(folder, now) as stage:
            await listener.serve(page.Page(stage).application(), here)
    return 0
