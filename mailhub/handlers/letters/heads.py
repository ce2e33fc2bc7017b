"""What every letter of a thread bears: the address it comes from, its subject, its return path, the marks of the thread."""

from functools import lru_cache

from mailhub.centre.profile import Service
from mailhub.centre.requests import Request
from mailhub.handlers.desk import Desk
from mailhub.mail import address, subjects, threads
from mailhub.mail.tokens import Purpose, Token
from mailhub.outbox import return_id
from mailhub.render import Renderer
from mailhub.understand import LOOP_HEADER, Reading


def service_of(request: Request) -> Service:
    """The address a request lives at."""
    return Service(request.service)


def is_answerable(desk: Desk, reading: Reading) -> bool:
    """Say whether a machine may write back to the author of a mail (RFC 3834 section 2).

    From us may be a form on the centre's own site, or a forger: we would write to ourselves.
    """
    sender = reading.sender
    return (
        sender is not None
        and reading.sort.may_answer
        and not address.never_answer(sender)
        and not desk.centre.is_ours(sender)
    )


def untitled(desk: Desk) -> str:
    """What is said in place of a subject, or before one that we make from a text."""
    return _untitled(desk.renderer)


def shown_subject(desk: Desk, request: Request) -> str:
    """The subject of a thread, free of prefixes and of our own reference."""
    bare = subjects.base(request.subject).replace(f"[{request.reference}]", "")
    return " ".join(bare.split()) or untitled(desk)


def message_id(desk: Desk, token: Token, key: str) -> str:
    """The Message-ID of a letter that bears this token; the instant is in it, for numbers are not unique for ever.

    After a backup was brought back, they are given out again, in keys and in tokens: a reply must never be taken for
    one to the later letter.
    """
    return threads.message_id(desk.centre.keyring, token, f"{key} {desk.now.isoformat()}", desk.centre.domain)


def return_path(desk: Desk, key: str) -> str:
    """VERP: the return address names the letter by a token, never the person by their address (T14)."""
    token = Token(Purpose.BOUNCE, return_id(key), 0)
    return desk.centre.address(Service.RETURNS, desk.centre.keyring.seal(token))


def stable_id(desk: Desk, request: Request) -> str:
    return threads.stable_id(desk.centre.keyring, request.reference, desk.centre.domain)


def loop_mark(desk: Desk) -> tuple[tuple[str, str], ...]:
    return ((LOOP_HEADER, desk.centre.loop_mark),)


@lru_cache(8)  # the same for every question of a home
def _untitled(renderer: Renderer) -> str:
    return renderer.words("untitled")
