"""What all pages of readers share: their words, their one stylesheet, their refusals, how a form is read."""

from urllib.parse import parse_qsl, urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mailhub.centre.profile import Centre
from mailhub.render import PACKAGED, Renderer
from mailhub.web import guard

FROM_ANYWHERE = "/quitter/"  # RFC 8058: a mail program presses for the reader, and the token is the proof
log = structlog.get_logger()


class Frame:
    """Renders the pages of one centre."""

    def __init__(self, centre: Centre, renderer: Renderer) -> None:
        self._centre, self.renderer = centre, renderer
        self._style = (PACKAGED / "web" / "style.css").read_text("utf-8")

    def page(self, name: str, status: int = 200, root: str = "", **values: object) -> Response:
        """One page. `root` is the way to the top: relative, as the outside may reach us below a path of its own."""
        return HTMLResponse(self.renderer.page(name, centre=self._centre, root=root, **values), status)

    async def style(self, _: Request) -> Response:
        """The one stylesheet."""
        return Response(self._style, media_type="text/css", headers={"Cache-Control": "max-age=86400"})

    def nothing(self) -> Response:
        """What every bad token gets, to the letter."""
        return self.page("nothing", 404, "../")

    def too_often(self, root: str) -> Response:
        """Come back in an hour."""
        return self.page("too-often", 429, root)

    def nowhere(self, request: Request, _: Exception) -> Response:
        """No page of ours has this address."""
        return self.page("nothing", 404, _root(request.url.path))

    def trouble(self, request: Request, error: Exception) -> Response:
        """Storage does not answer: said without its name, and logged."""
        log.warning("a page could not be served", why=str(error))
        return self.page("trouble", 503, _root(request.url.path))

    def unread(self, path: str, *, slow: bool) -> Response:
        """A form that came too slowly, else one that is too long."""
        return self.page("unread", 408 if slow else 413, _root(path), slow=slow)

    def refusal(self, method: str, path: str, headers: Headers) -> Response | None:
        """Other sites press no buttons here, but for one click."""
        if method in guard.SAFE or path.startswith(FROM_ANYWHERE) or self.is_ours(headers):
            return None
        return self.page("elsewhere", 403, _root(path))

    def is_ours(self, headers: Headers) -> bool:
        """Say whether a page of ours sent this form, under the name the outside or this machine knows us by."""
        public, host = urlsplit(self._centre.leave_url), headers.get("host", "")
        origins = {f"{public.scheme}://{public.netloc}", f"http://{host}", f"https://{host}"}
        return guard.is_ours(headers, origins)


def client(request: Request) -> str:
    """The address that asks; behind a proxy on this machine, the one the proxy names (X-Forwarded-For)."""
    return request.client.host if request.client else ""


async def words(request: Request) -> dict[str, str]:
    """The words of a form, urlencoded or multipart, whatever it calls itself; files are not words, nonsense is no form."""
    try:
        if request.headers.get("content-type", "").startswith("multipart/"):
            async with request.form(max_files=0, max_fields=20) as form:
                return {name: value for name, value in form.multi_items() if isinstance(value, str)}
        written = (await request.body()).decode("utf-8", "replace")
        return dict(parse_qsl(written, keep_blank_values=True, max_num_fields=20))
    except (HTTPException, ValueError):
        return {}


def _root(path: str) -> str:
    return "../" * (path.count("/") - 1)
