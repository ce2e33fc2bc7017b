"""What every test may ask for: a clock that stands still and a migrated database of its own, of either kind."""

import contextlib
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from mailhub.database import Database
from tests import postgres
from tests.postal import Relay

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")

# ── time ──


@pytest.fixture(scope="session")
def now() -> datetime:
    """Ten o'clock in Paris, a Tuesday."""
    return datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


# ── databases ──


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty, migrated database; the test runs once on each kind."""
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    yield database
    database.close()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """An empty, migrated SQLite file."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'mailhub.db')}"


@pytest.fixture
def postgresql_url(postgres_server: postgres.Postgres, postgres_template: str) -> Iterator[str]:
    """An empty, migrated PostgreSQL database."""
    name = postgres_server.create(postgres_template)
    yield postgres_server.url_of(name)
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the tests copy."""
    path = tmp_path_factory.mktemp("template") / "mailhub.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: postgres.Postgres) -> Iterator[str]:
    """The database that the tests clone."""
    name = postgres_server.create()
    _migrate(postgres_server.url_of(name))
    yield name
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> postgres.Postgres:
    """The PostgreSQL of this run, or a reason to skip."""
    try:
        return postgres.server(postgres.shared_directory(tmp_path_factory))
    except postgres.MissingError as reason:
        pytest.skip(str(reason))


def _migrate(url: str) -> None:
    database = Database(url)
    database.upgrade()
    database.close()


# ── the world outside ──


@pytest.fixture
def opened() -> Iterator[Callable[[Relay], Relay]]:
    """Open a relay, in a thread of its own; `port` is its door."""
    with contextlib.ExitStack() as doors:

        def open_(peer: Relay) -> Relay:
            peer.port = doors.enter_context(peer.open())
            return peer

        yield open_


@pytest.fixture
def relay(opened: Callable[[Relay], Relay]) -> Relay:
    """A relay that takes everything."""
    return opened(Relay())


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A real Chromium, or a reason to skip."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM} (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=str(CHROMIUM), args=[*quiet, "--no-first-run"])
        yield opened
        opened.close()


# ── nothing is skipped where everything is installed ──


_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)
Reporting = Generator[None, _Report, _Report]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Reporting[pytest.TestReport]:
    """Turn a skip into a failure where MAILHUB_TEST_FORBID_SKIPS says that everything can run."""
    report = yield
    _forbid(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Reporting[pytest.CollectReport]:
    """The same for a module that skips itself."""
    report = yield
    _forbid(report)
    return report


def _forbid(report: pytest.TestReport | pytest.CollectReport) -> None:
    expected_to_fail = hasattr(report, "wasxfail")
    if report.skipped and not expected_to_fail and os.environ.get("MAILHUB_TEST_FORBID_SKIPS") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped, where skips are forbidden: {report.longrepr}"
