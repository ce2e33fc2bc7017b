"""The program as a whole: its help, its start, and the ways it refuses."""

import subprocess
import sys
from typing import Any

import pytest
import typer

from mailhub.cli import journal, outbox, requests
from mailhub.cli.program import app
from tests.cli.program import mailhub


def _commands(group: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found = [(path, group)]
    for name, command in getattr(group, "commands", {}).items():
        found += _commands(command, (*path, name))
    return found


COMMANDS = _commands(typer.main.get_command(app))


@pytest.mark.parametrize(
    ("path", "command"), COMMANDS, ids=[" ".join(path) or "mailhub" for path, _ in COMMANDS]
)
def test_the_help_of_every_command_names_and_describes_every_option(run, path, command):
    shown = run(*path, "--help", env={"COLUMNS": "200"})

    assert shown.status == 0
    assert command.help
    for parameter in command.params:
        for option in getattr(parameter, "opts", []):
            if option.startswith("-"):
                assert option in shown.out
        assert path == () or parameter.name == "help" or parameter.help, (
            f"{path}: {parameter.name} is not described"
        )


def test_everything_takes_a_home_but_what_needs_none():
    homeless = {
        path
        for path, command in COMMANDS
        if not hasattr(command, "commands")
        and "--home" not in {opt for p in command.params for opt in p.opts}
    }

    assert homeless == {("init",), ("inspect",)}


def test_every_command_speaks_json():
    silent = {
        path
        for path, command in COMMANDS
        if not hasattr(command, "commands")
        and "--json" not in {opt for p in command.params for opt in p.opts}
    }

    assert silent == set()


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], {"sqlalchemy", "uvicorn", "pydantic", "jinja2", "cryptography"}),
        (["journal", "ls", "--help"], {"sqlalchemy", "uvicorn"}),
        (["inspect", "--no-verdict", "-"], {"sqlalchemy", "uvicorn", "jinja2", "alembic"}),
        (["inspect", "-"], {"uvicorn", "starlette", "alembic", "jinja2", "pydantic_settings"}),
    ],
    ids=["help", "help of a noun", "inspect without verdict", "inspect"],
)
def test_a_quick_command_loads_nothing_heavy(words, heavy):
    program = (
        "import sys, mailhub.cli.program as p\n"
        "try: p.app(sys.argv[1:])\n"
        f"finally: print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        input="Subject: x\n\nBonjour",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr.strip()) == (0, "[]")


def test_words_the_help_offers_are_the_words_of_the_tables():
    from mailhub.centre.requests import RequestState
    from mailhub.journal import InboundState, Verdict
    from mailhub.outbox import OutgoingState

    assert list(journal.State.__args__) == list(InboundState)
    assert list(journal.Verdict.__args__) == list(Verdict)
    assert list(outbox.State.__args__) == list(OutgoingState)
    assert list(requests.State.__args__) == list(RequestState)


def test_a_wrong_word_is_a_usage_error(run):
    for words in (
        ["journal", "ls", "--state", "lost"],
        ["nothing"],
        ["journal", "show", "one"],
        ["staff", "add", "X"],
    ):
        assert run(*words).status == 2, words


def test_an_error_of_ours_is_one_sentence_without_traceback(run, tmp_path):
    refused = run("journal", "ls", "--home", tmp_path)

    assert refused.status == 1
    assert refused.octets == b""
    assert refused.said == (
        f"mailhub: {tmp_path}/mailhub.toml: there is no such file; `mailhub init {tmp_path}` writes one\n"
    )


def test_the_home_is_the_option_before_the_environment_before_the_folder(run, asked, tmp_path):
    (tmp_path / "nowhere").mkdir()
    elsewhere = {"MAILHUB_HOME": str(tmp_path / "nowhere")}

    assert run("requests", "ls", "--json", "--home", asked, env=elsewhere).lines
    assert run("requests", "ls", "--json", env={"MAILHUB_HOME": str(asked)}).lines
    assert run("requests", "ls", "--json", env=elsewhere).status == 1
    assert mailhub("requests", "ls", "--json", cwd=asked).lines


def test_the_version_is_told(run):
    assert run("--version").out == "mailhub 0.1.0\n"
