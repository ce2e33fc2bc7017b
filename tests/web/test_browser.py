"""The pages of readers in a real browser: by keyboard alone, on a narrow phone, for a screen reader, without script."""

import socket
import threading

import pytest
import uvicorn

from mailhub.centre.subscriptions import State
from mailhub.database import Database
from tests.web.reading import pages_of

pytestmark = pytest.mark.xdist_group("reader browser")


@pytest.fixture
def centre(sqlite_url, now):
    """The pages over real HTTP on this machine."""
    database = Database(sqlite_url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        reading = pages_of(database, now, base=base)
        config = uvicorn.Config(reading.application, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield reading
        server.should_exit = True
        thread.join()
    database.close()


@pytest.fixture
def phone(browser, centre):
    """A browser of 320 points without script."""
    context = browser.new_context(
        viewport={"width": 320, "height": 640}, java_script_enabled=False, base_url=base_of(centre)
    )
    yield context.new_page()
    context.close()


@pytest.fixture
def desk(browser, centre):
    """An ordinary browser; whatever it complains about is kept."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=base_of(centre))
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text))
    yield page
    context.close()


# The words of headings that stand on more than one line; a hyphen may end a line.
_CUT_WORDS = """[...document.querySelectorAll("h1, h2")].flatMap(heading => {
  const found = [], walker = document.createTreeWalker(heading, NodeFilter.SHOW_TEXT)
  for (let text = walker.nextNode(); text; text = walker.nextNode())
    for (const word of text.data.matchAll(/[\\p{L}’]+/gu)) {
      const range = document.createRange()
      range.setStart(text, word.index)
      range.setEnd(text, word.index + word[0].length)
      if (range.getClientRects().length > 1) found.push(word[0])
    }
  return found
})"""


def base_of(centre) -> str:
    """Where the pages are."""
    return centre.centre.leave_url.removesuffix("quitter/")


def press(page, name: str) -> None:
    """Press Tab until what has the focus bears this name, then Enter; as a person who uses no mouse."""
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and name in focused.first.inner_text():
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
    pytest.fail(f"Tab never comes to {name!r}")


def test_a_reader_leaves_and_comes_back_by_keyboard_alone_and_without_script(phone, centre):
    phone.goto(f"/quitter/{centre.token()}")
    press(phone, "Ne plus recevoir")

    assert "Vous ne recevrez plus" in phone.get_by_role("status").inner_text()
    assert centre.subscription().state is State.LEFT

    press(phone, "Annuler")

    assert "C’est rétabli" in phone.get_by_role("status").inner_text()
    assert centre.subscription().state is State.ACTIVE


def test_a_pause_is_asked_for_on_a_phone(phone, centre):
    phone.goto(f"/preferences/{centre.token()}")
    phone.get_by_label("Reprendre les envois le").fill("2026-04-15")
    press(phone, "Mettre en pause")

    assert "mercredi 15 avril 2026" in phone.get_by_role("main").inner_text()
    assert centre.subscription().state is State.PAUSED


def test_a_wish_to_join_is_sent_from_the_keyboard(phone, centre):
    phone.goto("/abonnement?publication=lettre")
    phone.get_by_label("à mon adresse de courriel").fill("m.le-bihan@ile-verte.example")
    with phone.expect_navigation():
        phone.keyboard.press("Enter")

    assert "Lisez vos courriels" in phone.get_by_role("status").inner_text()
    assert centre.letters() == [("subscription-confirmation", "m.le-bihan@ile-verte.example")]


def every_page(page, centre):
    """Each page in turn, before and after its button."""
    leave, prefer = f"/quitter/{centre.token()}", f"/preferences/{centre.token()}"
    for path in (leave, prefer, "/abonnement", "/quitter/rien"):
        page.goto(path)
        yield path
    for path, name in ((prefer, "Changer le mode d’envoi"), (leave, "Ne plus recevoir")):
        page.goto(path)
        with page.expect_navigation():
            page.get_by_role("button", name=name).first.click()
        yield f"{name} on {path}"
    page.goto("/abonnement")
    page.evaluate("document.querySelector('form').noValidate = true")
    with page.expect_navigation():
        page.get_by_role("button", name="Demander").click()
    yield "a form with nothing in it"


def test_nothing_is_wider_than_a_phone(desk, centre):
    desk.set_viewport_size({"width": 320, "height": 640})

    for where in every_page(desk, centre):
        assert desk.evaluate("document.documentElement.scrollWidth") <= 320, where


def test_no_word_of_a_heading_is_cut_on_a_phone_where_letters_are_twice_as_large(desk, centre):
    desk.set_viewport_size({"width": 360, "height": 640})

    for where in every_page(desk, centre):
        desk.evaluate("document.documentElement.style.fontSize = '200%'")
        assert desk.evaluate(_CUT_WORDS) == [], where
        assert desk.evaluate("document.documentElement.scrollWidth") <= 360, where


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_a_screen_reader(desk, centre, scheme):
    from axe_playwright_python.sync_playwright import Axe

    desk.emulate_media(color_scheme=scheme)
    for where in every_page(desk, centre):
        found = Axe().run(desk)

        assert found.violations_count == 0, f"{where}: {found.generate_report()}"


def test_the_browser_has_nothing_to_complain_about(desk, centre):
    """Styles load and forms go out under the policy; what is not there is a 404, a form with nothing in it a 422."""
    for where in every_page(desk, centre):
        assert desk.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") != "none", where

    assert [said for said in desk.complaints if "404" not in said and "422" not in said] == []
