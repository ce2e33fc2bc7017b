"""What stands before every page: who may press its buttons, how much a form may hold, what each response says.

Another site must not press our buttons: a form comes from our own page (Sec-Fetch-Site, else Origin) or is refused.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE = frozenset({"GET", "HEAD"})
SAID = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers call the Origin of our own forms null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FORM_OCTETS = 16 * 1024
FORM_SECONDS = 20

# Method, path and headers of a request → the refusal, or None to let it through.
Refusal = Callable[[str, str, Headers], Response | None]


class Unread(Protocol):
    """What is said of a form nobody read: it came too slowly, else it is too long."""

    def __call__(self, path: str, *, slow: bool) -> Response: ...


class Guard:
    """Refuses, or lets through; either way every response bears the headers above."""

    def __init__(self, page: ASGIApp, refusal: Refusal) -> None:
        self._page, self._refusal = page, refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or not."""
        if scope["type"] != "http":
            await self._page(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAID.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        await (refused or self._page)(scope, receive, send_on)


class SmallForms:
    """Reads a form whole before anybody looks at it; too long or too slow, it is refused."""

    def __init__(self, page: ASGIApp, unread: Unread) -> None:
        self._page, self._unread = page, unread

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on one request with what it holds."""
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self._page(scope, receive, send)
            return
        try:
            async with asyncio.timeout(FORM_SECONDS):
                body = await _whole(receive)
        except TimeoutError:
            await self._unread(scope["path"], slow=True)(scope, receive, send)
            return
        if body is None:
            await self._unread(scope["path"], slow=False)(scope, receive, send)
            return
        parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return parts.pop() if parts else await receive()

        await self._page(scope, again, send)


def is_ours(headers: Headers, origins: Collection[str]) -> bool:
    """Say whether a page of these origins sent this form; what tells neither way is refused."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return False
    return site in {None, "same-origin"} and origin in {None, *origins}


async def _whole(receive: Receive) -> bytes | None:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > FORM_OCTETS:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return body
