"""A home made once and copied, and the program run in this process."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from mailhub.cli.program import app
from tests.cli.program import NOW, QUESTION, Answer, Run, write_setting


@pytest.fixture
def run() -> Iterator[Run]:
    """Run the program here, without a process of its own."""

    def run(*words: object, input: bytes = b"", env: dict[str, str] | None = None) -> Answer:  # noqa: A002 — as CliRunner says it
        done = CliRunner().invoke(app, [str(word) for word in words], input=input, env=env)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Answer(done.exit_code, done.stdout_bytes, done.stderr)

    yield run
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def bare_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as `init` makes it."""
    home = tmp_path_factory.mktemp("bare") / "home"
    words = ["init", home, "--name", "Villes & Rives", "--domain", "villes-rives.example"]
    assert CliRunner().invoke(app, [str(word) for word in words]).exit_code == 0
    return home


@pytest.fixture(scope="session")
def asked_home(bare_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with Claire on its staff and one question in it."""
    home = _copy(bare_home, tmp_path_factory.mktemp("asked"))
    question = home.parent / "question.eml"
    question.write_bytes(QUESTION)
    for words in (
        ["staff", "add", "Claire Morvan", "claire.morvan@villes-rives.example", "--home", home],
        ["receive", question, "--home", home, "--now", NOW],
    ):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 0, done.output
    structlog.reset_defaults()
    return home


@pytest.fixture
def home(bare_home: Path, tmp_path: Path) -> Path:
    """A home of one's own, as `init` makes it."""
    return _copy(bare_home, tmp_path)


@pytest.fixture
def asked(asked_home: Path, tmp_path: Path) -> Path:
    """A home of one's own with Claire on its staff and one question in it."""
    return _copy(asked_home, tmp_path)


@pytest.fixture
def setting(home: Path) -> Callable[..., None]:
    """Write a setting into the file of `home`, in place of its default."""

    def write(section: str, **values: str) -> None:
        write_setting(home, section, **values)

    return write


def _copy(home: Path, to: Path) -> Path:
    return Path(shutil.copytree(home, to / "home"))
