"""The pages of readers: leave, be asked for a yes, choose, come back, join. No script, no cookie, no account.

A token in the address is all the proof there is; whoever has none, or a bad one, learns nothing. GET shows and never
changes anything (mail gateways follow every link); POST acts, and the same POST again changes nothing more.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailhub import outbox
from mailhub.centre.profile import Centre
from mailhub.centre.subscriptions import About, Channel, Evidence, Settled, Source
from mailhub.database import Database
from mailhub.errors import ChangedMeanwhile
from mailhub.handlers import enrolment
from mailhub.handlers.desk import Desk
from mailhub.lists import Channel as Offered
from mailhub.lists import Publication
from mailhub.mail import address, french
from mailhub.mail.draft import Draft
from mailhub.mail.tokens import Purpose
from mailhub.web import choices, frame, guard
from mailhub.web.choices import Held
from mailhub.web.frame import Frame
from mailhub.web.pace import Pace

LONGEST_PAUSE = timedelta(days=366)
BAD_TOKENS_AN_HOUR = 30
WISHES_AN_HOUR = 10
ANSWER_SECONDS = 0.1  # to a wish to join: as long for whoever is on file as for a stranger
CHOICES_AN_HOUR = 20  # by one token: proof is kept for ever, so nobody may pile it up
_ONE_CLICK = ("List-Unsubscribe", "One-Click")  # RFC 8058 section 3.1

Form = Mapping[str, str]
Done = TypeVar("Done")


class Subscriptions:
    """What these pages need, and the pages."""

    def __init__(
        self,
        database: Database,
        centre: Centre,
        pages: Frame,
        now: Callable[[], datetime],
        ring: Callable[[], object],
    ) -> None:
        """`ring` tells whoever sends letters that some may be owed."""
        self._database, self._centre, self._frame = database, centre, pages
        self._now, self._ring = now, ring
        self._bad_tokens = Pace(BAD_TOKENS_AN_HOUR, timedelta(hours=1), now)
        self._choices = Pace(CHOICES_AN_HOUR, timedelta(hours=1), now)
        self._wishes = Pace(WISHES_AN_HOUR, timedelta(hours=1), now)

    def routes(self) -> list[Route]:
        """The routes, top-down."""
        both = ["GET", "POST"]
        return [
            Route("/quitter/{token}", self.guarded(self.leave), methods=both),
            Route("/preferences/{token}", self.guarded(self.preferences), methods=both),
            Route("/annuler/{token}", self.guarded(self.undo), methods=both),
            Route("/confirmer/{token}", self.guarded(self.confirm), methods=both),
            Route("/abonnement", self.join, methods=both),
        ]

    def guarded(
        self, page: Callable[[Request, str, Form | None], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """A page behind a token: whoever tries many bad ones waits, a good one is never kept waiting by others."""

        async def guarded(request: Request) -> Response:
            # One spelling of each, whatever a mail program made of it: tries and choices are counted by it.
            token, client = request.path_params["token"].lower(), frame.client(request)
            if self._centre.keyring.open(token) is None:
                return (
                    self._frame.nothing() if self._bad_tokens.spend(client) else self._frame.too_often("../")
                )
            return await page(
                request, token, None if request.method in guard.SAFE else await frame.words(request)
            )

        return guarded

    # -- pages ---------------------------------------------------------------------------------------------------

    async def leave(self, request: Request, token: str, form: Form | None) -> Response:
        """One list stops, by one click of a mail program or by the button of this page."""
        if form is None:
            return await self._shown(token, "leave")
        if form.get(_ONE_CLICK[0], "").strip() == _ONE_CLICK[1]:
            source = Source.ONE_CLICK
        elif "quitter" in form and self._frame.is_ours(request.headers):
            source = Source.PAGE
        else:  # neither a mail program nor our button: shown, not done, and not called done
            return await self._shown(token, "leave", status=422)
        if source is Source.PAGE and not self._choices.spend(token):
            return self._frame.too_often("../")
        return await self._chosen(token, "leave", lambda desk, of: choices.leave(desk, of, source))

    async def preferences(self, _: Request, token: str, form: Form | None) -> Response:
        """How one publication comes, a pause, or no more of it."""
        if form is None:
            return await self._shown(token, "preferences")
        if not self._choices.spend(token):
            return self._frame.too_often("../")
        choice = form.get("choix")
        if choice == "canal" and form.get("canal") in list(Channel):
            channel = Channel(form["canal"])
            return await self._chosen(
                token, "preferences", lambda desk, of: choices.change_channel(desk, of, channel)
            )
        if choice == "pause":
            written = form.get("jusqu_au", "")
            until = self._day(written)
            if until is None:
                return await self._shown(token, "preferences", status=422, problem="jusqu_au", typed=written)
            return await self._chosen(token, "preferences", lambda desk, of: choices.pause(desk, of, until))
        if choice == "reprendre":
            return await self._chosen(token, "preferences", _resume)
        return await self._shown(token, "preferences", status=422)

    async def undo(self, _: Request, token: str, form: Form | None) -> Response:
        """The last choice made on a page is taken back."""
        if form is None:
            return await self._shown(token, "undo", Purpose.DONE)
        if not self._choices.spend(token):
            return self._frame.too_often("../")
        return await self._chosen(token, "undo", _undo, Purpose.DONE)

    async def confirm(self, _: Request, token: str, form: Form | None) -> Response:
        """The yes or no of whoever received a question of ours."""
        answer = (form or {}).get("reponse")
        if answer in {"oui", "non"}:
            return await run_in_threadpool(self._settle, token, yes=answer == "oui")
        return await run_in_threadpool(self._question, token, 200 if form is None else 422)

    async def join(self, request: Request) -> Response:
        """Ask for a publication. The answer is the same whatever the address is, or is to us."""
        if request.method in guard.SAFE:
            return self._joining(request.query_params.get("publication", ""))
        form = await frame.words(request)
        where, code = form.get("adresse", "").strip(), form.get("publication", "")
        wanted = next((each for each in self._offered() if each.code == code), None)
        problems = {"adresse"} if not address.is_reachable(where) else set()
        if wanted is None:
            problems.add("publication")
        if wanted is None or problems:
            return self._joining(code, where, problems)
        if not self._wishes.spend(frame.client(request)):
            return self._frame.too_often("")
        until = time.monotonic() + ANSWER_SECONDS
        await run_in_threadpool(self._ask, where, wanted)
        await asyncio.sleep(max(0, until - time.monotonic()))
        return self._frame.page("join-asked", publication=wanted)

    # -- showing -------------------------------------------------------------------------------------------------

    async def _shown(
        self,
        token: str,
        page: str,
        purpose: Purpose = Purpose.LEAVE,
        *,
        status: int = 200,
        problem: str = "",
        typed: str = "",
    ) -> Response:
        def look() -> Response:
            with self._database.reading() as session:
                desk = self._desk(session)
                of = choices.held(desk, token, purpose)
                if of is None:
                    return self._frame.nothing()
                return self._about(desk, of, page, token, status, problem=problem, typed=typed)

        return await run_in_threadpool(look)

    def _about(
        self,
        desk: Desk,
        of: Held,
        page: str,
        token: str,
        status: int = 200,
        *,
        problem: str = "",
        typed: str = "",
        done: bool = False,
    ) -> Response:
        today = self._centre.calendar.local(desk.now).date()
        until = of.row.paused_until
        return self._frame.page(
            page,
            status,
            "../",
            title=of.title,
            token=token,
            state=of.row.state_at(desk.now),
            channel=of.row.channel,
            channels=choices.channels(desk.session, of),
            until=self._centre.calendar.local(until) if until else None,
            first_day=today + timedelta(days=1),
            last_day=today + LONGEST_PAUSE,
            way_back=choices.way_back(desk, of),
            problem=problem,
            typed=typed[:40],
            done=done,
        )

    def _question(self, token: str, status: int) -> Response:
        with self._database.reading() as session:
            question = choices.asked(self._desk(session), token)
            if question is None:
                return self._frame.nothing()
            shown = question.shown if question.about is About.JOIN else ""
            return self._frame.page("confirm", status, "../", shown=shown, replied=question.reply)

    def _joining(self, code: str, where: str = "", problems: Collection[str] = ()) -> Response:
        offered = self._offered()
        chosen = code or (offered[0].code if len(offered) == 1 else "")
        return self._frame.page(
            "join",
            422 if problems else 200,
            offered=offered,
            chosen=chosen,
            where=where[:254],
            problems=problems,
        )

    # -- doing ---------------------------------------------------------------------------------------------------

    async def _chosen(
        self,
        token: str,
        page: str,
        choice: Callable[[Desk, Held], tuple[Draft, ...]],
        purpose: Purpose = Purpose.LEAVE,
    ) -> Response:
        def act(desk: Desk) -> Response:
            of = choices.held(desk, token, purpose, claim=True)
            if of is None:
                return self._frame.nothing()
            self._owe(desk, choice(desk, of))
            desk.session.flush()
            return self._about(desk, of, page, token, done=True)

        return await run_in_threadpool(self._act, act)

    def _settle(self, token: str, *, yes: bool) -> Response:
        def act(desk: Desk) -> Response:
            question = choices.asked(desk, token)
            if question is None or question.id is None:
                return self._frame.nothing()
            answer, drafts = enrolment.settle(desk, question.id, None, Source.PAGE, yes=yes)
            self._owe(desk, drafts)
            if answer.settled is Settled.GONE:
                return self._frame.nothing()
            return self._frame.page(
                "confirmed",
                200,
                "../",
                settled=str(answer.settled),
                said_no=not yes,
                joins=question.about is About.JOIN,
                receives=choices.receives(desk, question),
            )

        return self._act(act)

    def _ask(self, where: str, wanted: Publication) -> None:
        """The same question as a mail would cause, within the same caps; machines and ourselves are not asked."""
        if address.never_answer(where) or self._centre.is_ours(where):
            return

        def act(desk: Desk) -> None:
            _, drafts = enrolment.ask(desk, where, None, [wanted], Evidence(Source.PAGE, desk.now))
            self._owe(desk, drafts)

        self._act(act)

    def _act(self, act: Callable[[Desk], Done]) -> Done:
        """One choice in one transaction; once that is kept, the letters it caused need not wait to be found.

        Of two presses at once the later does it again, and sees what the first did.
        """
        try:
            done = self._once(act)
        except (IntegrityError, ChangedMeanwhile):
            done = self._once(act)
        self._ring()
        return done

    def _once(self, act: Callable[[Desk], Done]) -> Done:
        with self._database.transaction() as session:
            return act(self._desk(session))

    def _owe(self, desk: Desk, drafts: tuple[Draft, ...]) -> None:
        outbox.put(desk.session, drafts, domain=self._centre.domain, now=desk.now)

    # -- what is known -------------------------------------------------------------------------------------------

    def _desk(self, session: Session) -> Desk:
        return Desk(session, self._now(), self._centre, self._frame.renderer)

    def _offered(self) -> list[Publication]:
        return [each for each in self._centre.lists.publications if Offered.EMAIL in each.channels]

    def _day(self, written: str) -> date | None:
        """The one day a form gives, when a pause can end on it; browsers that know no days send what was typed."""
        today = self._centre.calendar.local(self._now()).date()
        named = {found.day for found in french.dates(french.fold(written[:100]), now=today)}
        fitting = [day for day in named if today < day <= today + LONGEST_PAUSE]
        return fitting[0] if len(named) == len(fitting) == 1 else None


def _resume(desk: Desk, of: Held) -> tuple[Draft, ...]:
    choices.resume(desk, of)
    return ()


def _undo(desk: Desk, of: Held) -> tuple[Draft, ...]:
    choices.undo(desk, of)
    return ()
