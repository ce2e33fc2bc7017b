"""The page of the play with everything behind it, for tests that press its buttons."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from mailhub.play.page import Page
from mailhub.play.stage import Stage

HERE = "http://127.0.0.1:8000"


@contextlib.contextmanager
def scene(home: Path, now: datetime) -> Iterator[TestClient]:
    """A browser without a screen, on a stage that is open."""
    stage = Stage(home, now)

    @contextlib.asynccontextmanager
    async def opened(_: Starlette) -> AsyncIterator[None]:
        async with stage:
            yield

    page = Starlette(routes=[Mount("/", app=Page(stage).application())], lifespan=opened)
    with TestClient(page, base_url=HERE, headers={"Origin": HERE, "Sec-Fetch-Site": "same-origin"}) as client:
        yield client
