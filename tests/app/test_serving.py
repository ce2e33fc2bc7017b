"""A serving home: what makes its parts wake one another."""

import asyncio
import queue
import socket
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

from mailhub import app, config
from mailhub.errors import SettingsError
from tests import postal
from tests.journey import read
from tests.serving import LONGEST_SECONDS, make_home

NEVER_SECONDS = 3600.0  # the courier looks by itself only after the test has failed
READERS = [
    f"lectrice{number}@vrine.example" for number in range(3)
]  # one may come while the courier looks anyway


def test_a_letter_caused_by_a_page_does_not_wait_for_the_courier_to_look_by_itself(tmp_path):
    left: queue.Queue[str] = queue.Queue()
    relay = postal.Relay(saw=left.put)
    with relay.open() as port:
        home = make_home(tmp_path / "home", port, web={"listen": "127.0.0.1:0"})
        house = app.build(config.load(home, {}))
        statuses = asyncio.run(
            serve_while(house, lambda pages: [press(pages, left, each) for each in READERS])
        )
        house.close()

    assert statuses == [200, 200, 200]
    assert [str(read(letter)["To"]) for letter in relay.taken] == READERS


def test_when_the_place_of_the_pages_is_taken_nothing_is_served_and_one_sentence_says_so(tmp_path):
    ready: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        house = app.build(config.load(make_home(tmp_path / "home", 1, web={"listen": listen}), {}))
        with pytest.raises(SettingsError, match=f"cannot listen on '{listen}': .*Address already in use"):
            asyncio.run(app.serve(house, ready_to_go=lambda doors, _: ready.extend(doors)))
        house.close()

    assert ready == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_where_the_pages_are_is_told_as_a_browser_wants_it(tmp_path, host: str):
    house = app.build(config.load(make_home(tmp_path / "home", 1, web={"listen": f"{host}:0"}), {}))

    told = asyncio.run(serve_while(house, lambda pages: urlsplit(f"http://{pages}/")))
    house.close()

    assert told.hostname == host.strip("[]")
    assert told.port


def test_a_reader_who_says_no_more_does_not_keep_the_house_from_closing(tmp_path):
    house = app.build(config.load(make_home(tmp_path / "home", 1, web={"listen": "127.0.0.1:0"}), {}))

    def hold_on(pages):
        host, port = pages.split(":")
        silent = socket.create_connection((host, int(port)))
        silent.sendall(b"POST /abonnement HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        return silent

    asyncio.run(serve_while(house, hold_on)).close()
    house.close()


async def serve_while(house, work):
    """Serve until this work, in a thread of its own and told where the pages are, is done; what it gives."""
    stop, place = asyncio.Event(), asyncio.get_running_loop().create_future()

    def told(_doors: list[str], pages: str) -> None:
        place.set_result(pages)

    serving = asyncio.create_task(app.serve(house, ready_to_go=told, stop=stop, idle_seconds=NEVER_SECONDS))
    try:
        return await asyncio.to_thread(work, await place)
    finally:
        stop.set()
        await serving


def press(pages, left, address: str) -> int:
    """Ask for the letter on the page, and wait until the question it causes has left."""
    page = HTTPConnection(pages, timeout=LONGEST_SECONDS)
    form = urlencode({"adresse": address, "publication": "lettre"})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    page.request("POST", "/abonnement", form, headers)
    status = page.getresponse().status
    page.close()
    while left.get(timeout=LONGEST_SECONDS) != "answered":
        pass
    return status
