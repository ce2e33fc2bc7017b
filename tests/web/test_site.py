"""What all pages stand on: the listener and whom it believes, links to files, one answer for every bad link."""

import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from urllib.parse import urljoin

import pytest
from sqlmodel import Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailhub.centre import people, requests
from mailhub.centre.calendar import Calendar
from mailhub.centre.profile import Centre
from mailhub.centre.requests import Attachment, Written
from mailhub.database import Database
from mailhub.mail import tokens
from mailhub.mail.message import Part
from mailhub.mail.tokens import Purpose, Token
from mailhub.render import Renderer
from mailhub.web import listener, subscriptions
from mailhub.web.frame import Frame
from tests.readers import KEYRING
from tests.web.reading import pages_of


@pytest.fixture
def small(sqlite_url: str, now: datetime):
    """A centre with its pages and one reader."""
    database = Database(sqlite_url)
    yield pages_of(database, now)
    database.close()


def test_a_good_link_gives_the_file_and_every_other_the_same_answer_to_the_letter(small, now):
    """Forged, expired, unknown, of another purpose, of someone who is staff no more: nobody learns which (SEC20)."""
    with small.database.transaction() as session:
        claire = people.hire(session, "Claire Morvan", ["claire.morvan@villes-rives.example"], now)
        yann = people.hire(session, "Yann Riou", ["yann.riou@villes-rives.example"], now)
        file = kept_file(session, now)
        people.disable(session, "Yann Riou")
        staff, gone = people.identity(claire), people.identity(yann)
    today = tokens.day(now)
    good = Token(Purpose.FILE, file, staff, today)
    sealed = KEYRING.seal(good)
    wrong = [
        "x",
        sealed[:-2] + ("aa" if sealed[-2:] != "aa" else "bb"),
        *map(
            KEYRING.seal,
            [
                replace(good, until=today - 1),
                replace(good, thread=9999),
                replace(good, person=gone),
                replace(good, person=9999),
                replace(good, purpose=Purpose.BOUNCE),
                Token(Purpose.DONE, small.row_id, small.person_id, today - 1),
                Token(Purpose.JOIN, 9999, small.person_id),
            ],
        ),
    ]

    with small.client() as client:
        fetched = client.get(f"/fichiers/{sealed}")
        answers = [
            client.request(method, f"/{page}/{token}")
            for page in ("fichiers", "quitter", "preferences", "annuler", "confirmer")
            for method in ("GET", "HEAD")
            for token in wrong
        ]

    assert (fetched.status_code, fetched.content) == (200, b"plan")
    assert fetched.headers["Content-Disposition"].startswith("attachment;")
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers if answer.request.method == "GET"}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1


def test_a_file_that_came_without_a_name_is_given_one(small, now):
    with small.database.transaction() as session:
        claire = people.hire(session, "Claire Morvan", ["claire.morvan@villes-rives.example"], now)
        file = kept_file(session, now)
        session.get_one(Attachment, file).filename = ""
        staff = people.identity(claire)
    sealed = KEYRING.seal(Token(Purpose.FILE, file, staff, tokens.day(now)))

    with small.client() as client:
        fetched = client.get(f"/fichiers/{sealed}")

    assert fetched.headers["Content-Disposition"] == "attachment; filename*=UTF-8''sans-nom"


@pytest.mark.parametrize(
    ("slow", "status", "said"),
    [(True, 408, "Il a mis trop de temps à venir"), (False, 413, "Il est trop long")],
)
def test_a_form_nobody_read_is_answered_with_a_page(slow, status, said):
    centre = Centre("Villes & Rives", "villes-rives.example", KEYRING)
    page = Frame(centre, Renderer()).unread("/preferences/x", slow=slow)

    assert (page.status_code, f"<p>{said}, et rien n’a été fait." in page.body.decode()) == (status, True)


def test_who_tries_many_links_to_files_waits_as_on_every_page(small):
    with small.client() as client:
        statuses = [
            client.get(f"/fichiers/{'a' * 45}").status_code
            for _ in range(subscriptions.BAD_TOKENS_AN_HOUR + 1)
        ]
        elsewhere = client.get("/quitter/x")
        good = client.get(f"/quitter/{small.token()}")

    assert statuses == [404] * subscriptions.BAD_TOKENS_AN_HOUR + [429]
    assert (elsewhere.status_code, good.status_code) == (429, 200)


def kept_file(session: Session, now: datetime) -> int:
    """A file that came with a question."""
    asker = people.introduce(session, "n.benali@kerbrec.example", None, now)
    plan = Part("plan.pdf", "application/pdf", b"plan", sha256="", inline=False, content_id=None)
    _, exchange = requests.open_(
        session,
        requester_id=people.identity(asker),
        service="question",
        suggested=None,
        written=Written("Voici.", None, None, (), None, now, (plan,)),
        calendar=Calendar(),
        promise=requests.Promise(),
    )
    (file,) = requests.attachments(session, people.identity(exchange))
    return people.identity(file)


@pytest.mark.parametrize("path", ["/quitter/x", "/rien", "/rien/du/tout"])
def test_a_page_that_is_not_there_leads_to_the_one_where_readers_join(small, path):
    with small.client() as client:
        lost = client.get(path)
        link = re.findall(r'href="([./]*abonnement)"', lost.text)

        assert (lost.status_code, len(link)) == (404, 1)
        assert "<form" in client.get(urljoin(path, link[0])).text


def test_the_goodbye_of_a_page_leads_to_the_one_where_readers_join(small):
    url = f"/quitter/{small.token()}"
    with small.client() as client:
        before, done = client.get(url), client.post(url, data={"List-Unsubscribe": "One-Click"})

    assert "abonnement" not in before.text
    assert 'href="../abonnement"' in done.text


@pytest.mark.parametrize("proxy", ["127.0.0.1", "::1"])
def test_behind_a_web_server_on_this_machine_each_visitor_is_counted_apart(small, proxy):
    """What the visitor writes into X-Forwarded-For stands before what the web server adds, and is not believed."""
    with small.served(proxy) as client:
        first = [
            client.get(
                "/quitter/x", headers={"X-Forwarded-For": f"203.0.113.{number}, 192.0.2.7"}
            ).status_code
            for number in range(subscriptions.BAD_TOKENS_AN_HOUR + 1)
        ]
        other = client.get("/quitter/x", headers={"X-Forwarded-For": "192.0.2.8"})

    assert first == [404] * subscriptions.BAD_TOKENS_AN_HOUR + [429]
    assert other.status_code == 404


def test_whoever_comes_directly_is_counted_as_themselves_whatever_they_write(small):
    with small.served("192.0.2.7") as client:
        statuses = [
            client.get("/quitter/x", headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code
            for number in range(subscriptions.BAD_TOKENS_AN_HOUR + 1)
        ]

    assert statuses == [404] * subscriptions.BAD_TOKENS_AN_HOUR + [429]


def test_a_connection_that_asks_nothing_is_neither_kept_nor_let_in_without_end(small, monkeypatch):
    monkeypatch.setattr(listener, "HEAD_SECONDS", 0.05)
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 1)

    async def visit() -> tuple[bytes, bytes, bytes]:
        with listener.bound("127.0.0.1:0") as place:
            serving = asyncio.create_task(listener.serve(small.application, place))
            address = place.getsockname()[:2]
            first, writing = await asyncio.open_connection(*address)
            writing.write(b"GET /abonnement HTTP/1.1\r\nHost: a\r\n")
            second, _ = await asyncio.open_connection(*address)
            gone = [await _rest(each) for each in (second, first)]
            third, asking = await asyncio.open_connection(*address)
            asking.write(b"GET /abonnement HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            said = await third.read()
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving
            return gone[0], gone[1], said

    second, first, third = asyncio.run(visit())

    assert (second, first) == (b"", b"")
    assert third.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("last", ["keep-alive", "close"])
def test_who_reads_slowly_gets_all_and_who_does_not_read_is_not_kept(monkeypatch, last):
    monkeypatch.setattr(listener, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 1)
    asking = f"GET / HTTP/1.1\r\nHost: a\r\nConnection: {last}\r\n\r\n".encode()

    async def large(_: Request) -> Response:
        return Response(b"x" * 20_000_000)

    async def visit() -> int:
        with listener.bound("127.0.0.1:0") as place:
            application = Starlette(routes=[Route("/", large)])
            serving = asyncio.create_task(listener.serve(application, place))
            address = place.getsockname()[:2]
            _, idle = await asyncio.open_connection(*address, limit=1000)
            idle.write(asking)
            await asyncio.sleep(1)
            slow, reading = await asyncio.open_connection(*address)
            reading.write(asking)
            octets = 0
            with suppress(asyncio.IncompleteReadError, ConnectionResetError):
                for _ in range(10):
                    octets += len(await slow.readexactly(2_000_000))
                    await asyncio.sleep(0.1)
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving
            return octets

    assert asyncio.run(visit()) == 20_000_000


async def _rest(visitor: asyncio.StreamReader) -> bytes:
    try:
        return await visitor.read()
    except ConnectionResetError:
        return b""
