"""Who may use the page: a browser on this machine, from the page itself.

Another site must neither press our buttons nor read us under a name of its own that it points at this machine (Host,
against DNS rebinding). The headers every response has are those of the centre's own pages.
"""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from mailhub.web import guard

MOST_OCTETS = 10 * 1024 * 1024  # of one form, its file included
_HOSTS = frozenset({"127.0.0.1", "localhost"})


def refusal(method: str, _: str, headers: Headers) -> PlainTextResponse | None:
    """Why a request goes no further; None for one that does."""
    host = headers.get("host", "")
    if host.rpartition(":")[0] not in _HOSTS and host not in _HOSTS:
        return PlainTextResponse("not here\n", 421)
    if method in guard.SAFE:
        return None
    if not guard.is_ours(headers, {f"http://{host}"}):
        return PlainTextResponse("from the page itself only\n", 403)
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return PlainTextResponse("say how long it is\n", 411)
    if int(length) > MOST_OCTETS:
        return PlainTextResponse("too big\n", 413)
    return None
