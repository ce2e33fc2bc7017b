"""The pages of a serving home: `/healthz`, `/metrics`, files behind a signed, expiring link, and those of readers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import quote

from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mailhub import journal, storage
from mailhub.centre import people
from mailhub.centre.profile import Centre
from mailhub.centre.requests import Attachment
from mailhub.database import Database
from mailhub.errors import MailhubError, UnknownRow
from mailhub.mail import tokens
from mailhub.mail.tokens import Purpose
from mailhub.render import Renderer
from mailhub.web.frame import Frame
from mailhub.web.guard import Guard, SmallForms
from mailhub.web.subscriptions import Form, Subscriptions

TOO_LONG_WAITING = timedelta(minutes=15)  # a mail not handled after that is a sign of trouble
_QUIET = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Site:
    """What the pages need, and the pages."""

    def __init__(
        self,
        database: Database,
        centre: Centre,
        renderer: Renderer,
        now: Callable[[], datetime],
        registry: CollectorRegistry,
        ring: Callable[[], object] = lambda: None,
    ) -> None:
        """`ring` is called whenever a page may have caused letters."""
        self._database, self._centre, self._now, self._registry = database, centre, now, registry
        self._frame = Frame(centre, renderer)
        self._readers = Subscriptions(database, centre, self._frame, now, ring)

    def application(self) -> Starlette:
        """The routes, top-down."""
        pages = Starlette(
            routes=[
                Route("/healthz", self.health),
                Route("/metrics", self.metrics),
                Route("/fichiers/{token}", self._readers.guarded(self.file)),
                Route("/style.css", self._frame.style),
                *self._readers.routes(),
            ],
            middleware=[Middleware(Guard, self._frame.refusal), Middleware(SmallForms, self._frame.unread)],
            exception_handlers={404: self._frame.nowhere, MailhubError: self._frame.trouble},
        )
        pages.router.redirect_slashes = (
            False  # D21; and it would repeat a token under whatever name was asked for
        )
        return pages

    async def health(self, _: Request) -> Response:
        """200 while the database answers and nothing waits too long, else 503 with what is wrong."""
        wrong = await run_in_threadpool(self._trouble)
        return JSONResponse(
            {"ok": wrong is None, "wrong": wrong}, status_code=503 if wrong else 200, headers=_QUIET
        )

    async def metrics(self, _: Request) -> Response:
        """Prometheus text format."""
        text = await run_in_threadpool(generate_latest, self._registry)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    async def file(self, _: Request, token: str, _form: Form | None) -> Response:
        """A file that came with a request, always as a download; without a good token, what every page says (SEC20)."""
        found = await run_in_threadpool(self._file, token)
        if found is None:
            return self._frame.nothing()
        name, content = found
        return Response(
            content,
            media_type="application/octet-stream",
            headers=_QUIET
            | {
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
                "Content-Security-Policy": "sandbox; default-src 'none'",
            },
        )

    def _trouble(self) -> str | None:
        try:
            with self._database.reading() as session:
                oldest = journal.oldest_waiting(session)
        except MailhubError as error:
            return str(error)
        if oldest is not None and self._now() - oldest > TOO_LONG_WAITING:
            return f"a mail has waited since {oldest.isoformat()}"
        return None

    def _file(self, text: str) -> tuple[str, bytes] | None:
        token = self._centre.keyring.open(text)
        if token is None or token.purpose is not Purpose.FILE or token.until < tokens.day(self._now()):
            return None
        with self._database.reading() as session:
            row = session.get(Attachment, token.thread)
            if row is None or people.colleague(session, token.person) is None:
                return None
            try:
                name = row.filename or self._frame.renderer.words("unnamed")
                return name, storage.fetch(session, row.digest)
            except UnknownRow:
                return None
