"""A reader's browser, and the proxy that stands before a centre's pages: real HTTP on this machine.

Letters lead to https pages of the centre's domain. A proxy ends TLS and brings each request, under its public name, to
the listener of the house (`web.listen`); here that is one and the same program.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

OPEN_SECONDS = 15.0
LOOK_SECONDS = 0.05
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page answered."""

    status: int
    text: str


class Browser:
    """Opens the pages of one centre and presses their buttons."""

    def __init__(self, pages: str, port: int) -> None:
        """`pages`: the public address the letters give; the house listens at `port` of this machine."""
        self.pages, self._port = pages, port

    async def opened(self) -> bool:
        """Wait until the pages answer, for so long; say whether they do."""
        last = asyncio.get_running_loop().time() + OPEN_SECONDS
        while asyncio.get_running_loop().time() < last:
            try:
                return (await self.look(f"{self.pages}/healthz")).status == 200
            except ConnectionRefusedError:  # the doors for mail open first
                await asyncio.sleep(LOOK_SECONDS)
        return False

    async def look(self, url: str) -> Shown:
        """Follow a link."""
        return await self._ask("GET", url, {}, {})

    async def press(self, url: str, **form: str) -> Shown:
        """Press a button of the page at this address."""
        return await self._ask("POST", url, form, {"Origin": self.pages, "Sec-Fetch-Site": "same-origin"})

    async def one_click(self, url: str, said: str) -> Shown:
        """What a mail program does when its reader presses « se désabonner »: no page, no cookie. RFC 8058 section 3.1"""
        name, _, value = said.partition("=")
        return await self._ask("POST", url, {name: value}, {})

    async def _ask(self, method: str, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Shown:
        return await asyncio.to_thread(self._asked, method, url, form, headers)

    def _asked(self, method: str, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Shown:
        where = urlsplit(url)
        body = urlencode(form) if method == "POST" else None
        said = {"Host": where.netloc, "X-Forwarded-Proto": where.scheme, **headers}
        house = HTTPConnection("127.0.0.1", self._port, timeout=OPEN_SECONDS)
        try:
            house.request(method, where.path, body, said | ({"Content-Type": _FORM} if body else {}))
            answer = house.getresponse()
            return Shown(answer.status, answer.read().decode())
        finally:
            house.close()
