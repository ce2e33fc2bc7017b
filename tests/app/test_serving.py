"""A serving home: what makes its parts wake one another."""

import asyncio
import logging
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlencode

from mailhub import app, config
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
    with relay.open() as port, announced() as places:
        home = make_home(tmp_path / "home", port, web={"listen": "127.0.0.1:0"})
        house = app.build(config.load(home, {}))
        statuses = asyncio.run(serve_while(house, lambda: [press(places, left, each) for each in READERS]))
        house.close()

    assert statuses == [200, 200, 200]
    assert [str(read(letter)["To"]) for letter in relay.taken] == READERS


async def serve_while(house, work):
    """Serve until this work, in a thread of its own, is done; what it gives."""
    stop = asyncio.Event()
    serving = asyncio.create_task(app.serve(house, stop=stop, idle_seconds=NEVER_SECONDS))
    try:
        return await asyncio.to_thread(work)
    finally:
        stop.set()
        await serving


def press(places, left, address: str) -> int:
    """Ask for the letter on the page, and wait until the question it causes has left."""
    place = places.get(timeout=LONGEST_SECONDS)
    places.put(place)
    page = HTTPConnection(*place, timeout=LONGEST_SECONDS)
    form = urlencode({"adresse": address, "publication": "lettre"})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    page.request("POST", "/abonnement", form, headers)
    status = page.getresponse().status
    page.close()
    while left.get(timeout=LONGEST_SECONDS) != "answered":
        pass
    return status


@contextmanager
def announced() -> Iterator["queue.Queue[tuple[str, int]]"]:
    """Where pages are served, as the web server says once it listens."""
    places: queue.Queue[tuple[str, int]] = queue.Queue()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.msg.startswith("Uvicorn running on"):
                _, host, port = record.args
                places.put((host, port))

    said, ear = logging.getLogger("uvicorn.error"), Ear()
    level = said.level
    said.addHandler(ear)
    said.setLevel(logging.INFO)
    try:
        yield places
    finally:
        said.removeHandler(ear)
        said.setLevel(level)
