"""Readers leave, pause, come back and join on pages: nothing by looking, everything by one press, once."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import cycle

import pytest
from prometheus_client import CollectorRegistry
from sqlmodel import select

from mailhub import outbox
from mailhub.centre import people, subscriptions
from mailhub.centre.profile import Centre
from mailhub.centre.subscriptions import Act, Channel, Confirmation, Evidence, Source, State, consent
from mailhub.cli.checkup import samples
from mailhub.database import Database
from mailhub.handlers import enrolment
from mailhub.handlers.desk import Desk
from mailhub.mail.tokens import Purpose, Token
from mailhub.outbox import Outgoing
from mailhub.render import PACKAGED, Renderer
from mailhub.web import site
from mailhub.web import subscriptions as pages
from tests.journey import read
from tests.readers import KEYRING, by_phone, subscribed
from tests.web.reading import PAGES, PIERRE, Reading, pages_of

NEW = "m.le-bihan@ile-verte.example"
OWN = {"Origin": PAGES, "Sec-Fetch-Site": "same-origin"}
ELSEWHERE = {"Origin": "https://ailleurs.example", "Sec-Fetch-Site": "cross-site"}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
# RFC 8058 section 3.2: what a mail program may send as well
MULTIPART = (
    b'--limite\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--limite--\r\n'
)


@pytest.fixture
def centre(database: Database, now: datetime) -> Reading:
    """On either kind of database."""
    return pages_of(database, now)


@pytest.fixture
def small(sqlite_url: str, now: datetime):
    """Where the kind of database does not matter."""
    database = Database(sqlite_url)
    yield pages_of(database, now)
    database.close()


def asked(centre: Reading, **form: str) -> str:
    """A token of the question that waits after a wish on the page."""
    with centre.client() as client:
        client.post("/abonnement", data={"adresse": NEW, "publication": "lettre", **form}, headers=OWN)
    with centre.database.reading() as session:
        question = session.exec(select(Confirmation)).one()
        return KEYRING.seal(Token(Purpose.JOIN, question.id or 0, question.person_id))


class Recorder(Renderer):
    """Remembers what each page was given."""

    def page(self, name: str, **values: object) -> str:
        """As every renderer."""
        self.given = {**getattr(self, "given", {}), name: {"centre"} | set(values)}
        return super().page(name, **values)


def acts(centre: Reading) -> list[tuple[str, str]]:
    """What was decided about Pierre's letter, and where."""
    with centre.database.reading() as session:
        return [(str(kept.act), str(kept.source)) for kept in subscriptions.history(session, centre.row_id)][
            1:
        ]


# -- leaving ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_one_click_from_anywhere_leaves_at_once_and_for_good(centre, kind):
    """No cookie, no login, no redirect (D21); the second press answers the same."""
    with centre.client() as client:
        url, headers = f"/quitter/{centre.token()}", dict(ELSEWHERE)
        body = {"data": ONE_CLICK}
        if kind == "multipart":
            body = {"content": MULTIPART}
            headers["Content-Type"] = "multipart/form-data; boundary=limite"
        first, second = (client.post(url, headers=headers, **body) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.text == second.text
    assert "set-cookie" not in first.headers
    assert centre.subscription().state is State.LEFT
    assert acts(centre) == [("withdrawn", "one-click")]
    assert centre.letters() == [("subscription-left", PIERRE)]


def test_one_click_on_a_letter_three_years_old_still_leaves(small):
    token = small.token()
    small.clock.forward(days=3 * 365)

    with small.client() as client:
        assert client.post(f"/quitter/{token}", data=ONE_CLICK).status_code == 200

    assert small.subscription().state is State.LEFT


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"List-Unsubscribe=One-Click", {}),
        (b"List-Unsubscribe=One-Click", {"Content-Type": "text/plain"}),
        (b"List-Unsubscribe=One-Click\r\n", {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
def test_one_click_is_one_click_whatever_it_calls_itself(small, body, headers):
    with small.client() as client:
        answer = client.post(f"/quitter/{small.token()}", content=body, headers=headers)

    assert (answer.status_code, small.subscription().state) == (200, State.LEFT)


def test_a_slash_too_many_leads_nowhere(small):
    with small.client() as client:
        assert client.post(f"/quitter/{small.token()}/", data=ONE_CLICK).status_code == 404


def test_of_ten_presses_at_once_one_leaves(centre):
    with centre.client() as client, ThreadPoolExecutor(10) as mouse:
        answers = list(
            mouse.map(lambda _: client.post(f"/quitter/{centre.token()}", data=ONE_CLICK), range(10))
        )

    assert {answer.status_code for answer in answers} == {200}
    assert acts(centre) == [("withdrawn", "one-click")]
    assert len(centre.letters()) == 1


def test_whoever_holds_a_function_leaves_for_it_and_whoever_held_it_does_not(small, now):
    with small.database.transaction() as session:
        town = people.organisation_called(session, "Ville de Kerbrec")
        seat = people.function_called(session, "chef de projet", people.identity(town))
        first = people.introduce(session, "premier@kerbrec.example", None, now)
        second = people.introduce(session, "seconde@kerbrec.example", None, now)
        people.appoint(session, seat, first, now)
        row = subscribed(session, now, seat)
        old, new = (
            KEYRING.seal(Token(Purpose.LEAVE, people.identity(row), people.identity(each)))
            for each in (first, second)
        )
        people.appoint(session, seat, second, now + timedelta(days=1))
    small.row_id = people.identity(row)

    with small.client() as client:
        assert client.post(f"/quitter/{old}", data=ONE_CLICK).status_code == 404
        assert small.subscription().state is State.ACTIVE
        assert client.post(f"/quitter/{new}", data=ONE_CLICK).status_code == 200

    assert small.subscription().state is State.LEFT
    assert small.letters() == [("subscription-left", "seconde@kerbrec.example")]


def test_looking_changes_nothing(centre):
    """GET and HEAD on every address, of every kind of token, before and after (T18, D22)."""
    tokens = [asked(centre), centre.token(), centre.token(Purpose.DONE, 65_000), "x" * 45]
    paths = [
        f"/{page}/{token}" for page in ("quitter", "preferences", "annuler", "confirmer") for token in tokens
    ]
    before = centre.everything()

    with centre.client() as client:
        for path in [*paths, "/abonnement", "/abonnement?publication=revue", "/style.css", "/healthz"]:
            for method in ("GET", "HEAD"):
                assert client.request(method, path).status_code in {200, 404}

    assert centre.everything() == before


def test_every_page_named_in_a_letter_opens_and_changes_nothing_by_looking(small):
    """The question leads to its button; the welcome and the goodbye are looked at as well (T18)."""
    asked(small)
    (question,) = printed(small)

    looked(small, question)
    with small.client() as client:
        client.post(question, data={"reponse": "oui"}, headers=OWN)
        client.post(f"/quitter/{small.token()}", data=ONE_CLICK)
    pages = printed(small)

    assert [page.removeprefix(PAGES).split("/")[1] for page in pages] == [
        "confirmer",
        "preferences",
        "abonnement?publication=lettre",
        "abonnement?publication=lettre",
    ]
    looked(small, *pages)


def test_who_asked_never_to_be_written_to_is_not_led_to_a_page_that_could_not_ask_them(small):
    """Nor is anybody, without public pages: they are told the word to answer."""
    pages = {
        (everything, url): goodbye(replace(small.centre, join_url=url), everything=everything)
        for everything in (True, False)
        for url in (small.centre.join_url, "")
    }

    assert {case for case, text in pages.items() if "abonnement" in text} == {(False, small.centre.join_url)}
    assert all("répondez ANNULER" in text for text in pages.values())


def goodbye(centre: Centre, *, everything: bool) -> str:
    """The goodbye this centre would write."""
    values = {"stays": [], "everything": everything, "paper": False, "changed": True}
    about = centre.lists.publications[:1]
    return Renderer().letter("subscription-left", centre=centre, publications=about, **values).text


def printed(centre: Reading) -> list[str]:
    """Every address of a page in every letter owed, in order."""
    with centre.database.reading() as session:
        letters = session.exec(select(Outgoing).order_by(Outgoing.id)).all()
        texts = [read(outbox.raw(session, letter)).get_body(("plain",)).get_content() for letter in letters]
    return re.findall(r"https://\S+", "\n".join(texts))


def looked(centre: Reading, *urls: str) -> None:
    """GET and HEAD on each: it opens, and every table stays as it was."""
    before = centre.everything()
    with centre.client() as client:
        assert {client.request(how, url).status_code for url in urls for how in ("GET", "HEAD")} == {200}
    assert centre.everything() == before


def test_a_post_that_is_neither_one_click_nor_our_button_changes_nothing(small):
    before = small.everything()

    with small.client() as client:
        url = f"/quitter/{small.token()}"
        answers = [
            client.post(url, data={"List-Unsubscribe": "Two-Clicks"}),
            client.post(url, data={"quitter": "oui"}, headers=ELSEWHERE),
            client.post(url),
            client.post(url, content=b"\xff", headers={"Content-Type": "multipart/form-data; boundary=x"}),
        ]

    assert {answer.status_code for answer in answers} == {422}
    assert all("<button" in answer.text for answer in answers)
    assert small.everything() == before


def test_the_button_leaves_and_one_more_press_comes_back(centre):
    with centre.client() as client:
        done = client.post(f"/quitter/{centre.token()}", data={"quitter": "oui"}, headers=OWN)
        (back,) = re.findall(r'action="\.\./(annuler/\w+)"', done.text)
        restored = client.post(f"/{back}", headers=OWN)
        again = client.post(f"/{back}", headers=OWN)

    assert "Vous ne recevrez plus" in done.text
    assert "C’est rétabli" in restored.text
    assert again.text == restored.text
    assert centre.subscription().state is State.ACTIVE
    assert acts(centre) == [("withdrawn", "page"), ("restored", "page")]


def test_the_link_of_a_way_back_that_was_taken_says_what_comes(small):
    with small.client() as client:
        done = client.post(f"/quitter/{small.token()}", data={"quitter": "oui"}, headers=OWN)
        (back,) = re.findall(r'action="\.\./(annuler/\w+)"', done.text)
        client.post(f"/{back}", headers=OWN)
        opened_again = client.get(f"/{back}").text

    assert "Il n’y a rien à annuler" in opened_again
    assert "vous parvient par courriel" in opened_again
    assert "S’abonner de nouveau" not in opened_again


def test_a_way_back_that_is_gone_sends_nobody_to_join_whose_email_is_only_stopped(small):
    back = small.token(Purpose.DONE, until=60_000)
    with small.database.transaction() as session:
        row = subscriptions.get(session, small.row_id)
        stopped = Evidence(Source.RETURNS, small.clock())
        consent.record(session, row, Act.STOPPED, stopped, state=State.SUSPENDED)
    with small.client() as client:
        shown = client.get(f"/annuler/{back}").text

    assert "Écrivez-nous pour le rétablir" in shown
    assert "S’abonner de nouveau" not in shown


def test_what_was_decided_elsewhere_or_long_ago_is_not_taken_back_by_a_page(small):
    with small.client() as client:
        done = client.post(f"/quitter/{small.token()}", data={"quitter": "oui"}, headers=OWN)
        (back,) = re.findall(r'action="\.\./(annuler/\w+)"', done.text)
        small.clock.forward(days=31)

        assert client.post(f"/{back}", headers=OWN).status_code == 404
        assert "annuler/" not in client.get(f"/quitter/{small.token()}").text

    assert small.subscription().state is State.LEFT


def test_a_way_back_from_a_letter_is_of_no_use_on_a_page(small):
    with small.database.transaction() as session:
        row = subscriptions.get(session, small.row_id)
        subscriptions.leave(session, [row], by_phone(small.clock()))

    with small.client() as client:
        answers = [
            client.post(f"/annuler/{small.token(Purpose.DONE, until)}", headers=OWN) for until in (0, 65_000)
        ]

    assert [answer.status_code for answer in answers] == [404, 200]
    assert "rien à annuler" in answers[1].text
    assert small.subscription().state is State.LEFT


def test_a_page_names_nobody(small):
    """The letter may have been forwarded: whoever bears its token learns neither name nor address."""
    with small.client() as client:
        texts = [client.get(f"/{page}/{small.token()}").text for page in ("quitter", "preferences")]
        texts.append(client.post(f"/quitter/{small.token()}", data=ONE_CLICK).text)

    assert not [text for text in texts if "Guillou" in text or "vrine" in text or "TILLEULS" in text]


# -- choosing ---------------------------------------------------------------------------------------------------


def test_a_pause_ends_on_its_day_and_is_told(centre):
    with centre.client() as client:
        url, form = f"/preferences/{centre.token()}", {"choix": "pause", "jusqu_au": "2026-04-15"}
        said = client.post(url, data=form, headers=OWN)
        client.post(url, data=form, headers=OWN)

    assert "mercredi 15 avril 2026" in said.text
    assert centre.subscription().paused_until == datetime(2026, 4, 14, 22, 0, tzinfo=UTC)  # midnight in Paris
    assert acts(centre) == [("paused", "page")]
    assert centre.letters() == [("subscription-paused", PIERRE)]


@pytest.mark.parametrize(
    "typed",
    [
        *("15/04/2026", "15/4/26", "15.04.2026", "2026-04-15", "15 avril 2026", "15\u00a0avril"),
        *("mercredi 15 avril", "le 15 AVRIL"),
    ],
)
def test_a_day_typed_where_the_browser_knows_no_days_is_understood(small, typed):
    with small.client() as client:
        form = {"choix": "pause", "jusqu_au": typed}
        client.post(f"/preferences/{small.token()}", data=form, headers=OWN)

    assert small.subscription().paused_until == datetime(2026, 4, 14, 22, 0, tzinfo=UTC)


def test_a_day_that_cannot_be_is_shown_again_beside_an_example(small):
    with small.client() as client:
        form = {"choix": "pause", "jusqu_au": "le 31 février"}
        said = client.post(f"/preferences/{small.token()}", data=form, headers=OWN).text

    (field,) = re.findall(r'<input type="date"[^>]*>', said)
    assert 'value="le 31 février"' in field
    assert 'aria-describedby="jusqu_au-exemple jusqu_au-manque"' in field
    assert "par exemple 04/03/2027" in said


@pytest.mark.parametrize(
    "day", ["", "un jour", "2026-03-03", "2028-01-01", "0000-00-00", "15 avril ou 16 avril"]
)
def test_a_pause_to_no_day_is_no_pause(small, day):
    before = small.everything()

    with small.client() as client:
        said = client.post(
            f"/preferences/{small.token()}", data={"choix": "pause", "jusqu_au": day}, headers=OWN
        )

    assert said.status_code == 422
    assert "Donnez un jour entre demain et le jeudi 4 mars 2027" in said.text
    assert small.everything() == before


def test_a_pause_is_ended_early(small):
    with small.client() as client:
        url = f"/preferences/{small.token()}"
        client.post(url, data={"choix": "pause", "jusqu_au": "2026-04-15"}, headers=OWN)
        client.post(url, data={"choix": "reprendre"}, headers=OWN)

    assert small.subscription().state is State.ACTIVE


def test_paper_instead_of_email_is_chosen_and_undone(centre):
    with centre.client() as client:
        said = client.post(
            f"/preferences/{centre.token()}", data={"choix": "canal", "canal": "paper"}, headers=OWN
        )
        assert centre.subscription().channel is Channel.PAPER
        (back,) = re.findall(r'action="\.\./(annuler/\w+)"', said.text)
        client.post(f"/{back}", headers=OWN)

    assert centre.subscription().channel is Channel.EMAIL
    assert centre.letters() == [("subscription-channel", PIERRE)]


def test_paper_is_not_offered_without_a_postal_address(sqlite_url, now):
    database = Database(sqlite_url)
    centre = pages_of(database, now, post=False)

    with centre.client() as client:
        url = f"/preferences/{centre.token()}"
        shown = client.get(url)
        client.post(url, data={"choix": "canal", "canal": "paper"}, headers=OWN)

    assert "sur papier" not in shown.text
    assert centre.subscription().channel is Channel.EMAIL
    database.close()


# -- joining ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [NEW, PIERRE, "contact@villes-rives.example", "mailer-daemon@vrine.example", "parti@vrine.example"],
)
def test_the_answer_to_a_wish_is_the_same_whoever_is_on_file(small, now, address):
    with small.database.transaction() as session:
        gone = people.introduce(session, "parti@vrine.example", None, now)
        subscriptions.leave_everything(
            session, KEYRING, [], "parti@vrine.example", Evidence(Source.MAIL, now)
        )
        assert gone.id

    with small.client() as client:
        form = {"adresse": address, "publication": "lettre"}
        said = client.post("/abonnement", data=form, headers=OWN)
        other = client.post("/abonnement", data=form | {"adresse": "autre@ile-verte.example"}, headers=OWN)

    assert (said.status_code, said.text) == (200, other.text)
    written = [to for kind, to in small.letters() if kind == "subscription-confirmation"]
    assert (address in written) is (address == NEW)


def test_an_address_is_asked_once_a_day_whoever_fills_in_the_form(centre):
    for number in range(3):
        with centre.client(f"192.0.2.{number}") as client:
            client.post("/abonnement", data={"adresse": NEW, "publication": "lettre"}, headers=OWN)

    assert centre.letters() == [("subscription-confirmation", NEW)]


def test_the_button_of_the_question_joins_once(centre):
    token = asked(centre)

    with centre.client() as client, ThreadPoolExecutor(5) as mouse:
        shown = client.get(f"/confirmer/{token}")
        answers = list(
            mouse.map(
                lambda _: client.post(f"/confirmer/{token}", data={"reponse": "oui"}, headers=OWN), range(5)
            )
        )

    assert all("C’est confirmé" in answer.text for answer in answers)
    assert [kind for kind, _ in centre.letters()] == ["subscription-confirmation", "subscription-welcome"]
    with centre.database.reading() as session:
        person = people.recognise(session, NEW)
        row = subscriptions.find(session, "lettre", people.identity(person))
        (kept,) = subscriptions.history(session, people.identity(row))
    assert (row.state, kept.source) == (State.ACTIVE, Source.PAGE)
    assert kept.shown.startswith(
        "Je demande à recevoir « Lettre mensuelle » de Villes & Rives, à cette adresse."
    )
    assert f"<p>{escape(kept.shown)}</p>" in shown.text


def test_a_no_to_the_question_sends_nothing(small):
    token = asked(small)

    with small.client() as client:
        said = client.post(f"/confirmer/{token}", data={"reponse": "non"}, headers=OWN)
        client.post(f"/confirmer/{token}", data={"reponse": "oui"}, headers=OWN)

    assert "Rien ne vous sera envoyé" in said.text
    assert [kind for kind, _ in small.letters()] == ["subscription-confirmation"]
    assert NEW not in repr(small.everything())


def test_a_yes_said_again_after_leaving_promises_nothing(small):
    token = asked(small)
    with small.client() as client:
        client.post(f"/confirmer/{token}", data={"reponse": "oui"}, headers=OWN)
        with small.database.transaction() as session:
            question = session.exec(select(Confirmation)).one()
            rows = subscriptions.held_by(session, [question.person_id])
            subscriptions.leave(session, rows, by_phone(small.clock()))
        again = [
            client.post(f"/confirmer/{token}", data={"reponse": said}, headers=OWN).text
            for said in ("oui", "non")
        ]

    assert all("rien ne vous est envoyé" in text for text in again)


def test_a_question_nobody_answered_in_two_weeks_is_gone(small):
    token = asked(small)
    small.clock.forward(days=15)
    with small.database.transaction() as session:
        enrolment.tend(Desk(session, small.clock(), small.centre, Renderer()))

    with small.client() as client:
        answers = [
            client.get(f"/confirmer/{token}"),
            client.post(f"/confirmer/{token}", data={"reponse": "oui"}, headers=OWN),
        ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert NEW not in repr(small.everything())


@pytest.mark.parametrize(
    "form",
    [{"adresse": "sans arobase"}, {"adresse": "jeanne@mairie"}, {"publication": "inconnue"}, {"adresse": ""}],
)
def test_a_form_with_something_missing_comes_back_as_it_was(small, form):
    with small.client() as client:
        said = client.post("/abonnement", data={"adresse": NEW, "publication": "lettre", **form}, headers=OWN)

    assert said.status_code == 422
    assert small.letters() == []


def test_what_is_wrong_in_a_form_is_tied_to_its_field(small):
    with small.client() as client:
        said = client.post("/abonnement", data={"adresse": "jeanne@mairie"}, headers=OWN).text

    assert '<fieldset role="radiogroup" aria-invalid="true" aria-describedby="publication-manque">' in said
    described = re.findall(r'aria-describedby="([^"]+)"', said)
    assert described == ["publication-manque", "adresse-manque"]
    assert all(f'id="{name}"' in said for name in described)
    assert said.count(" autofocus") == 1
    assert "<title>À compléter : s’abonner –" in said


@pytest.mark.parametrize(
    "path", ["/abonnement", "/preferences/{token}", "/quitter/{token}", "/annuler/{back}"]
)
def test_the_title_of_a_page_begins_with_a_capital(small, path):
    with small.client() as client:
        page = client.get(path.format(token=small.token(), back=small.token(Purpose.DONE, until=60_000))).text

    (title,) = re.findall("<title>(.*)</title>", page)
    assert title[0].isupper()


@pytest.mark.parametrize("path", ["issue/body.txt", "issue/body.html", "subscription-welcome/body.txt"])
def test_letters_lead_to_the_page_for_what_it_does_and_ask_for_a_reply_to_change_an_address(small, path):
    sample = next(each for each in samples.of(f"mail/{path}", small.centre) if each["preferences_link"])
    said = Renderer().template(f"mail/{path}").render(sample)

    before, after = said.split(str(sample["preferences_link"]))
    promise = f"{before.splitlines()[-1]}{after.splitlines()[0]}"
    assert "pause" in promise
    assert "adresse" not in promise
    assert re.search(r"changer d’adresse\b.* répond", said)


# -- nothing guessable ------------------------------------------------------------------------------------------


def test_a_bad_token_says_nothing_about_why(small):
    """Guessed, of another purpose, another person's, about a row that never was: one answer, on every page."""
    wrong = [
        "x",
        "a" * 45,
        small.token()[:-1] + "a",
        small.token(Purpose.FILE),
        KEYRING.seal(Token(Purpose.LEAVE, small.row_id, small.person_id + 1)),
        KEYRING.seal(Token(Purpose.LEAVE, 9999, small.person_id)),
        KEYRING.seal(Token(Purpose.JOIN, 9999, small.person_id)),
    ]
    before = small.everything()

    with small.client() as client:
        answers = [
            client.request(method, f"/{page}/{token}", headers=OWN, **body)
            for page in ("quitter", "preferences", "annuler", "confirmer")
            for token in wrong[3:]
            for method, body in (
                ("GET", {}),
                ("POST", {"data": ONE_CLICK | {"choix": "reprendre", "reponse": "oui"}}),
            )
        ] + [client.get(f"/quitter/{token}") for token in wrong]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert small.everything() == before


def test_who_tries_many_tokens_waits_and_whoever_has_a_good_one_does_not(small):
    with small.client() as client:
        statuses = [
            client.get(f"/quitter/{'a' * 45}").status_code for _ in range(pages.BAD_TOKENS_AN_HOUR + 1)
        ]
        late = client.get(f"/quitter/{'a' * 45}")
        good = client.post(f"/quitter/{small.token()}", data=ONE_CLICK)
        small.clock.forward(hours=1)
        later = client.get(f"/quitter/{'a' * 45}")

    assert statuses == [404] * pages.BAD_TOKENS_AN_HOUR + [429]
    assert "Réessayez dans une heure" in late.text
    assert (good.status_code, later.status_code) == (200, 404)


def test_a_reader_may_change_their_mind_but_not_without_end(small):
    """Proof is never removed, so a token may not pile it up; leaving by one click is never refused."""
    with small.client() as client:
        ways = [{"choix": "canal", "canal": way} for way in ("paper", "email")] * pages.CHOICES_AN_HOUR
        statuses = [
            client.post(f"/preferences/{token}", data=way, headers=OWN).status_code
            for way, token in zip(ways, cycle((small.token(), small.token().upper())), strict=False)
        ]
        left = client.post(f"/quitter/{small.token()}", data=ONE_CLICK)

    assert statuses.count(200) == pages.CHOICES_AN_HOUR
    assert set(statuses[pages.CHOICES_AN_HOUR :]) == {429}
    assert left.status_code == 200
    assert small.subscription().state is State.LEFT


def test_a_form_is_no_weapon(small):
    with small.client("2001:db8:1:2::1") as one, small.client("2001:db8:1:2::ffff") as neighbour:
        statuses = [
            (one if number % 2 else neighbour)
            .post(
                "/abonnement",
                data={"adresse": f"n{number}@ile-verte.example", "publication": "lettre"},
                headers=OWN,
            )
            .status_code
            for number in range(pages.WISHES_AN_HOUR + 2)
        ]

    assert statuses == [200] * pages.WISHES_AN_HOUR + [429, 429]
    assert len(small.letters()) == pages.WISHES_AN_HOUR


@pytest.mark.parametrize("headers", [{}, ELSEWHERE, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}])
def test_another_site_presses_no_button(small, headers):
    token = asked(small)
    before = small.everything()

    with small.client() as client:
        answers = [
            client.post(
                f"/preferences/{small.token()}",
                data={"choix": "pause", "jusqu_au": "2026-04-15"},
                headers=headers,
            ),
            client.post(f"/annuler/{small.token(Purpose.DONE, 65_000)}", headers=headers),
            client.post(f"/confirmer/{token}", data={"reponse": "oui"}, headers=headers),
            client.post("/abonnement", data={"adresse": PIERRE, "publication": "lettre"}, headers=headers),
        ]

    assert {answer.status_code for answer in answers} == {403}
    assert small.everything() == before


def test_a_form_as_long_as_a_book_is_not_read(small):
    with small.client() as client:
        said = client.post(f"/quitter/{small.token()}", content=b"x" * 20_000)

    assert said.status_code == 413
    assert "<p>Il est trop long, et rien n’a été fait." in said.text
    assert 'href="../style.css"' in said.text


def test_every_page_runs_nothing_and_is_kept_nowhere(small):
    with small.client() as client:
        for path in (f"/quitter/{small.token()}", "/abonnement", "/quitter/x", "/rien/du/tout"):
            said = client.get(path)

            assert said.headers["Content-Security-Policy"].startswith(
                "default-src 'none'; style-src 'self'; form-action 'self'"
            )
            assert said.headers["Cache-Control"] == "no-store"
            assert "<script" not in said.text
            assert "style=" not in said.text


def test_a_database_that_does_not_answer_is_not_the_readers_fault(small, tmp_path):
    away = Database(f"sqlite:///{tmp_path / 'nowhere' / 'mailhub.db'}")

    with small.over(away).client() as client:
        said = client.get(f"/quitter/{small.token()}")

    assert said.status_code == 503
    assert "rien n’a été fait" in said.text
    assert "sqlite" not in said.text.lower()


# -- pages of a home's own ----------------------------------------------------------------------------------------


def test_the_check_of_a_home_tries_each_page_with_all_it_is_given_and_no_more(small):
    question, recorder = asked(small), Recorder()
    here = site.Site(small.database, small.centre, recorder, small.clock, CollectorRegistry())
    back = small.token(Purpose.DONE, until=60_000)
    with replace(small, application=here.application()).client() as client:
        for path in ("quitter/rien", f"quitter/{small.token()}", f"preferences/{small.token()}"):
            client.get(f"/{path}")
        client.get(f"/annuler/{back}")
        client.get(f"/confirmer/{question}")
        client.post(f"/confirmer/{question}", data={"reponse": "oui"}, headers=OWN)
        client.post(f"/confirmer/{question}", data={"reponse": "oui"}, headers=ELSEWHERE)
        client.get("/abonnement")
        client.post("/abonnement", data={"adresse": PIERRE, "publication": "lettre"}, headers=OWN)
        for _ in range(pages.CHOICES_AN_HOUR + 1):
            client.post(f"/annuler/{back}", headers=OWN)

    of_a_form = {"unread", "trouble"}  # what is wrong there comes from below the pages
    every = {path.stem for path in (PACKAGED / "web").glob("*.html")} - of_a_form - {"frame", "words"}
    tried = {name: set(samples.of(f"web/{name}.html", small.centre)[0]) for name in every}
    assert recorder.given == tried
