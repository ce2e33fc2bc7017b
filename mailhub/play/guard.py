"""Who may use the page: a browser on this machine, from the page itself; and what every response tells it.

Another site must neither press our buttons (Sec-Fetch-Site, Origin) nor read us under a name of its own that it
points at this machine (Host, against DNS rebinding).
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_OCTETS = 10 * 1024 * 1024  # of one form, its file included
_HOSTS = frozenset({"127.0.0.1", "localhost"})
_SAFE = frozenset({"GET", "HEAD"})
_SAID = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers call the Origin of our own forms null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Stands before the page."""

    def __init__(self, page: ASGIApp) -> None:
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let through; either way with the headers every response has."""
        if scope["type"] != "http":
            await self._page(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SAID.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = _refusal(scope["method"], Headers(scope=scope))
        await (refusal or self._page)(scope, receive, send_on)


def _refusal(method: str, headers: Headers) -> PlainTextResponse | None:
    host = headers.get("host", "")
    if host.rpartition(":")[0] not in _HOSTS and host not in _HOSTS:
        return PlainTextResponse("not here\n", 421)
    if method in _SAFE:
        return None
    if not _is_ours(headers, host):
        return PlainTextResponse("from the page itself only\n", 403)
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return PlainTextResponse("say how long it is\n", 411)
    if int(length) > MOST_OCTETS:
        return PlainTextResponse("too big\n", 413)
    return None


def _is_ours(headers: Headers, host: str) -> bool:
    """Say whether our own page sent this form; what tells neither way is refused."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return False
    return site in {None, "same-origin"} and origin in {None, f"http://{host}"}
