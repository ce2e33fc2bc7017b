"""Tells a story step by step, as lines to read or as JSON, and stops at the first thing that is not so."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mailhub.mail import words
from mailhub.play import cast
from mailhub.play.post import Mail, Way

Event = Mapping[str, object]  # one thing that is told; its `event` says which of those below
Tell = Callable[[Event], None]

_DOES = {
    Way.FROM: "{who} sends",
    Way.FOR: "{who} receives",
    Way.LOST: "nobody receives, for {who},",
}


class FalseStepError(Exception):
    """A step of the story was not true."""


class Teller:
    """Tells what happens, one event each."""

    def __init__(self, tell: Tell, home: Path) -> None:
        self._tell, self._home = tell, home
        self._scenes = 0

    def scene(self, title: str) -> None:
        """A new part begins."""
        self._scenes += 1
        self._tell({"event": "scene", "number": self._scenes, "title": title})

    def mail(self, mail: Mail) -> None:
        """A mail that went somewhere, and the file it can be opened in."""
        player = cast.player(mail.address)
        self._tell(
            {
                "event": "mail",
                "does": _DOES[mail.way].format(who=player.name if player else mail.address),
                "subject": words.one_line(mail.message.subject or ""),
                "file": str(mail.path.relative_to(self._home)),
            }
        )

    def note(self, says: str) -> None:
        """Something worth knowing."""
        self._tell({"event": "note", "says": says})

    def true(self, says: str, holds: bool, found: object = "") -> None:  # noqa: FBT001 — it reads as a sentence
        """State something; when it does not hold, say what was found instead, and stop."""
        self._tell({"event": "step", "says": says, "true": holds, "found": "" if holds else str(found)})
        if not holds:
            raise FalseStepError(says)

    def one(self, says: str, found: list[Mail]) -> Mail:
        """There is exactly one such mail; it is told and returned."""
        if len(found) == 1:
            self.mail(found[0])
        self.true(f"exactly one {says}", len(found) == 1, f"{len(found)} of them")
        return found[0]


def as_text(event: Event) -> str:
    """An event as a person reads it in the terminal."""
    match event["event"]:
        case "story":
            return f"{event['title']} Every mail is a file below {event['home']}"
        case "page":
            return f"{event['url']}  (Ctrl-C ends the play)"
        case "scene":
            return f"\n{event['number']}. {event['title']}"
        case "mail":
            return f"   {event['does']} « {event['subject']} »  {event['file']}"
        case "step" if event["true"]:
            return f"   true   {event['says']}"
        case "step":
            found = f"\n          found: {event['found']}" if event["found"] else ""
            return f"   FALSE  {event['says']}{found}"
        case "end":
            return f"\n{event['says']}"
        case "left":
            return f"\nThe mails are in {event['mails']}; the home is {event['home']}"
        case _:
            return f"   {event['says']}"
