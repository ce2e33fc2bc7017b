"""The page of the play: write as an asker, read everybody's postbox, answer as staff, watch the centre's books.

GET shows and never changes anything; every POST sends a real mail (or pulls the plug), waits until the centre is
quiet, and leads back to what came of it. No script, no cookie, this machine only.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from mailhub.mail.draft import Enclosure
from mailhub.play import cast, letters, views
from mailhub.play.guard import MOST_OCTETS, refusal
from mailhub.play.letters import Letter
from mailhub.play.post import Mail, Way
from mailhub.play.stage import Stage
from mailhub.render import PACKAGED, Renderer
from mailhub.web.guard import Guard

QUIET_SECONDS = 8.0  # then the page is shown as things are
SUBJECT_LENGTH = 200
TEXT_LENGTH = 20_000


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as somebody filled it in, and what is missing in it."""

    who: str = cast.NADIA.address
    subject: str = ""
    text: str = ""
    missing: tuple[str, ...] = ()
    files: tuple[Enclosure, ...] = field(default=(), repr=False)


class Page:
    """The page of one evening."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._renderer = Renderer()
        self._style = (PACKAGED / "web" / "play" / "style.css").read_text("utf-8")
        self._answers: dict[int, str] = {}  # what the centre's door said to each mail
        self._busy = asyncio.Lock()  # one thing at a time: what a button did is shown as its own doing

    def application(self) -> Starlette:
        """The routes, top-down."""
        return Starlette(
            routes=[
                Route("/", self.overview),
                Route("/style.css", self.style),
                Route("/courrier/{number:int}", self.mail),
                Route("/courrier/{number:int}/source", self.source),
                Route("/courrier/{number:int}/piece/{place:int}", self.file),
                Route("/ecrire", self.write, methods=["POST"]),
                Route("/courrier/{number:int}/repondre", self.reply, methods=["POST"]),
                Route("/courrier/{number:int}/absence", self.be_away, methods=["POST"]),
                Route("/courrier/{number:int}/retour", self.return_it, methods=["POST"]),
                Route("/courrier/{number:int}/encore", self.send_again, methods=["POST"]),
                Route("/coupure", self.cut_the_power, methods=["POST"]),
            ],
            middleware=[Middleware(Guard, refusal)],
            exception_handlers={HTTPException: self._not_found},
        )

    # -- looking -------------------------------------------------------------------------------------------------

    async def overview(self, request: Request) -> Response:
        """Forms, postboxes, journal, outbox."""
        return await self._overview(
            self._first_words(), sent=_number(request, "envoye"), cut=_number(request, "coupure")
        )

    async def style(self, _: Request) -> Response:
        """The one stylesheet."""
        return Response(self._style, media_type="text/css")

    async def mail(self, request: Request) -> Response:
        """One mail as text, with what can be done about it."""
        return self._mail(self._asked_for(request), Filled())

    async def source(self, request: Request) -> Response:
        """One mail as it went over the wire."""
        return PlainTextResponse(self._asked_for(request).raw.decode("utf-8", "replace"))

    async def file(self, request: Request) -> Response:
        """A file that came with a mail, always as a download."""
        parts, place = self._asked_for(request).message.attachments, request.path_params["place"]
        if not 1 <= place <= len(parts):
            raise HTTPException(404)
        part = parts[place - 1]
        return Response(
            part.payload,
            media_type="application/octet-stream",
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(part.filename or 'piece', safe='')}",
                "Content-Security-Policy": "sandbox; default-src 'none'",
            },
        )

    # -- doing ---------------------------------------------------------------------------------------------------

    async def write(self, request: Request) -> Response:
        """An asker writes to the centre."""
        filled = await _filled(request, wants_subject=True)
        author = cast.player(filled.who)
        if author is None or author.is_staff:
            raise HTTPException(404)
        if filled.missing:
            return await self._overview(filled)
        return await self._send(
            lambda: letters.written(
                author, cast.QUESTIONS, filled.subject, filled.text, self._stage.moment, filled.files
            )
        )

    async def reply(self, request: Request) -> Response:
        """Whoever received a mail replies to it."""
        mail, filled = self._asked_for(request), await _filled(request, wants_subject=False)
        author = cast.player(mail.address)
        if author is None or mail.way is not Way.FOR:
            raise HTTPException(404)
        if filled.missing:
            return self._mail(mail, filled)
        return await self._send(
            lambda: letters.reply(author, mail.message, filled.text, self._stage.moment, filled.files)
        )

    async def be_away(self, request: Request) -> Response:
        """The program of whoever received a mail says that they are away."""
        mail = self._asked_for(request)
        author = cast.player(mail.address)
        if author is None or mail.way is not Way.FOR:
            raise HTTPException(404)
        return await self._send(lambda: letters.absence(author, mail.message, self._stage.moment))

    async def return_it(self, request: Request) -> Response:
        """The post office finds that a mail cannot be delivered after all."""
        mail = self._asked_for(request)
        if not views.opened(mail).may_return:
            raise HTTPException(404)
        return await self._send(
            lambda: letters.undeliverable(mail.message, mail.address, mail.return_path, self._stage.moment)
        )

    async def send_again(self, request: Request) -> Response:
        """The same mail once more, as after a lost 250."""
        mail = self._asked_for(request)
        recipient = next((box.address for box in mail.message.to if box.address), None)
        if mail.way is not Way.FROM or recipient is None:
            raise HTTPException(404)
        sender = mail.address if cast.player(mail.address) else ""
        return await self._send(lambda: Letter(sender, recipient, mail.raw), stamped=True)

    async def cut_the_power(self, _: Request) -> Response:
        """`kill -9`, and start again."""
        async with self._busy:
            self._stage.house.kill()
            await self._stage.restart()
            await self._stage.quiet(QUIET_SECONDS)
        return RedirectResponse(f"/?coupure={self._stage.house.pid}", 303)

    async def _send(self, letter: Callable[[], Letter], *, stamped: bool = False) -> Response:
        async with self._busy:
            mail, answer = await self._stage.send(letter(), stamped=stamped)
            self._answers[mail.number] = answer.line
            await self._stage.quiet(QUIET_SECONDS)
        return RedirectResponse(f"/?envoye={mail.number}", 303)

    # -- showing -------------------------------------------------------------------------------------------------

    async def _overview(self, filled: Filled, *, sent: int | None = None, cut: int | None = None) -> Response:
        post, books = self._stage.post, await self._stage.read()
        mail = post.numbered(sent) if sent else None
        page = self._renderer.page(
            "play/overview",
            centre=cast.CENTRE,
            question_address=cast.QUESTIONS,
            askers=cast.ASKERS,
            filled=filled,
            sent=views.item(mail) if mail else None,
            answer=self._answers.get(mail.number, "") if mail else "",
            since=views.items([one for one in post.mails if mail and one.number > mail.number]),
            cut=cut,
            pid=self._stage.house.pid,
            boxes=views.boxes(post),
            journal=views.journal_lines(books, post),
            outbox=views.outbox_lines(books, post),
            verdicts=sorted(books.verdicts.items()),
            total=sum(books.states.values()),
            doubtful=len(books.doubtful),
            mails_folder=post.folder,
            subject_length=SUBJECT_LENGTH,
            text_length=TEXT_LENGTH,
            most_octets=MOST_OCTETS,
        )
        return HTMLResponse(page, 422 if filled.missing else 200)

    def _mail(self, mail: Mail, filled: Filled) -> Response:
        page = self._renderer.page(
            "play/mail",
            centre=cast.CENTRE,
            opened=views.opened(mail),
            filled=filled,
            answer=self._answers.get(mail.number, ""),
            text_length=TEXT_LENGTH,
            most_octets=MOST_OCTETS,
        )
        return HTMLResponse(page, 422 if filled.missing else 200)

    def _first_words(self) -> Filled:
        """Before anybody wrote, a question stands ready to be sent."""
        if self._stage.post.mails:
            return Filled()
        said = cast.line("ask")
        return Filled(subject=said.subject, text=said.text)

    def _asked_for(self, request: Request) -> Mail:
        mail = self._stage.post.numbered(request.path_params["number"])
        if mail is None:
            raise HTTPException(404)
        return mail

    async def _not_found(self, _: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return HTMLResponse(self._renderer.page("play/nothing", centre=cast.CENTRE), status)


async def _filled(request: Request, *, wants_subject: bool) -> Filled:
    """Read a form; what is missing is said, and nothing typed is lost."""
    async with request.form(max_files=1, max_fields=10, max_part_size=MOST_OCTETS) as form:
        subject = " ".join(_text(form, "objet").split())[:SUBJECT_LENGTH]
        text = _text(form, "texte").replace("\r\n", "\n")[:TEXT_LENGTH]
        missing = [name for name, value in (("objet", subject), ("texte", text.strip())) if not value]
        if not wants_subject:
            missing = [name for name in missing if name != "objet"]
        files = []
        upload = form.get("piece")
        if isinstance(upload, UploadFile) and upload.filename:
            kind = upload.content_type or "application/octet-stream"
            files.append(Enclosure(upload.filename, kind, await upload.read()))
        who = _text(form, "qui")
    return Filled(who, subject, text, tuple(missing), tuple(files))


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _number(request: Request, name: str) -> int | None:
    value = request.query_params.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else None
