"""The page of the play in a real browser: by keyboard alone, on a narrow phone, for a screen reader, without script."""

import signal
import subprocess
import sys

import httpx2
import pytest

pytestmark = pytest.mark.xdist_group("play browser")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where the page is, as `mailhub play` prints it first; Hugo has asked something already."""
    home = tmp_path_factory.mktemp("play") / "home"
    command = [sys.executable, "-m", "mailhub.cli", "play", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as playing:
        page = playing.stdout.readline().split()[0]
        asked = {"qui": "hugo.perrin@montelain-agglo.example", "objet": "Halles", "texte": "Où sont-elles ?"}
        own = {"Origin": page.rstrip("/")}
        httpx2.post(
            f"{page}ecrire", data=asked, headers=own, timeout=60, follow_redirects=True
        ).raise_for_status()
        yield page
        playing.send_signal(signal.SIGINT)
        playing.communicate(timeout=60)


@pytest.fixture
def phone(browser, address):
    """A browser of 320 points without script, on the page."""
    context = browser.new_context(viewport={"width": 320, "height": 640}, java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


@pytest.fixture
def desk(browser, address):
    """An ordinary browser on the page; whatever it complains about is kept."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text))
    page.goto(address)
    yield page
    context.close()


@pytest.fixture
def paths(desk):
    """What there is to look at: the page, what was sent first, its copy among staff, and nothing."""
    copy = desk.get_by_role("link", name="] Halles").first.get_attribute("href")
    return ["", "?envoye=1", copy.lstrip("/"), "courrier/9999"]


def go_to(page, name: str) -> None:
    """Press Tab until what has the focus bears this name; as a person who uses no mouse."""
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and name in (
            focused.first.inner_text() or focused.first.get_attribute("name") or ""
        ):
            return
    pytest.fail(f"Tab never comes to {name!r}")


def press(page, name: str, key: str = "Enter") -> None:
    """Go to a link or a button and press it."""
    go_to(page, name)
    with page.expect_navigation():
        page.keyboard.press(key)


def test_a_question_is_asked_and_answered_by_keyboard_alone_and_without_script(phone):
    """On a phone of 320 points: a question is written and sent, its copy opened and answered."""
    go_to(phone, "objet")
    phone.keyboard.type("Tilleuls")
    go_to(phone, "texte")
    phone.keyboard.type("Combien d’habitants ?")
    press(phone, "Envoyer la question")
    press(phone, "] Tilleuls")
    go_to(phone, "texte")
    phone.keyboard.type("2 340 habitants.")
    press(phone, "Envoyer la réponse")

    news = phone.get_by_role("status").inner_text()
    assert "dans la boîte de Nadia Benali" in news
    assert "Parti : [Q-2026-0002] Tilleuls" in news


def test_the_first_tab_leads_past_the_menu(desk):
    desk.keyboard.press("Tab")

    assert desk.locator(":focus").inner_text() == "Aller au contenu"
    assert desk.locator(":focus").bounding_box()["x"] >= 0


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_wider_than_the_screen(desk, address, paths, width):
    desk.set_viewport_size({"width": width, "height": 640})
    for path in paths:
        desk.goto(address + path)

        assert desk.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_a_screen_reader(desk, address, paths, scheme):
    from axe_playwright_python.sync_playwright import Axe

    desk.emulate_media(color_scheme=scheme)
    for path in paths:
        desk.goto(address + path)

        found = Axe().run(desk)

        assert found.violations_count == 0, found.generate_report()


def test_the_browser_has_nothing_to_complain_about(desk, address, paths):
    for path in paths[:-1]:
        desk.goto(address + path)

    assert desk.complaints == []


def test_on_paper_there_are_letters_and_no_buttons(desk, address, paths):
    desk.goto(address + paths[2])
    desk.emulate_media(media="print")

    assert desk.get_by_role("button").count() == 0
    assert desk.get_by_text("Ce qui suit est interne").is_visible()
