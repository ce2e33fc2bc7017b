"""Tells a story in the terminal, step by step, and stops at the first thing that is not so."""

from collections.abc import Callable
from pathlib import Path

from mailhub.mail import words
from mailhub.play import cast
from mailhub.play.post import Mail, Way


class FalseStepError(Exception):
    """A step of the story was not true."""


class Teller:
    """Writes what happens, one line each."""

    def __init__(self, say: Callable[[str], None], home: Path) -> None:
        self._say, self._home = say, home
        self._scenes = 0

    def scene(self, title: str) -> None:
        """A new part begins."""
        self._scenes += 1
        self._say(f"\n{self._scenes}. {title}")

    def mail(self, mail: Mail) -> None:
        """A mail that went somewhere, and the file it can be opened in."""
        player = cast.player(mail.address)
        who = player.name if player else mail.address
        does = {
            Way.FROM: f"{who} sends",
            Way.FOR: f"{who} receives",
            Way.LOST: f"nobody receives, for {who},",
        }
        subject = words.one_line(mail.message.subject or "")
        self._say(f"   {does[mail.way]} « {subject} »  {mail.path.relative_to(self._home)}")

    def note(self, says: str) -> None:
        """Something worth knowing."""
        self._say(f"   {says}")

    def true(self, says: str, holds: bool, found: object = "") -> None:  # noqa: FBT001 — it reads as a sentence
        """State something; when it does not hold, say what was found instead, and stop."""
        if not holds:
            self._say(f"   FALSE  {says}" + (f"\n          found: {found}" if found != "" else ""))
            raise FalseStepError(says)
        self._say(f"   true   {says}")

    def one(self, says: str, found: list[Mail]) -> Mail:
        """There is exactly one such mail; it is told and returned."""
        if len(found) == 1:
            self.mail(found[0])
        self.true(f"exactly one {says}", len(found) == 1, f"{len(found)} of them")
        return found[0]
