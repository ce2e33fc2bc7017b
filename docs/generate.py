"""Write the two pages that the program itself knows best: `python docs/generate.py`.

`configuration.md` comes from the descriptions in `mailhub/config/sections.py`, `commands.md` from the help of each command.
A test compares them with what this would write, so that they are never behind.
"""

import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from mailhub import config
from mailhub.cli.program import app

DOCS = Path(__file__).parent


def configuration() -> str:
    """The reference of every setting."""
    lines = [
        "# Settings",
        "",
        "The settings of a home stand in its `mailhub.toml`; `mailhub init` writes one with every setting, commented.",
        "The environment goes before the file: `MAILHUB_RELAY__HOST` is `host` of `[relay]`, `DATABASE_URL` is `url` of `[database]`.",
        "A key nobody knows is an error, and `mailhub check` says everything that is wrong or unwise.",
        "They are read once, at start.",
        "",
        "This page is written by `docs/generate.py` from `mailhub/config/sections.py`.",
    ]
    for name, about, fields in config.sections():
        lines += [
            "",
            f"## [{name}]",
            "",
            *_sentences(about),
            "",
            "| Key | Default | What it says |",
            "|---|---|---|",
        ]
        for key, field in fields.items():
            value = field.get_default(call_default_factory=True)
            shown = "not set" if value is None else f"`{config.toml_value(value)}`"
            lines.append(f"| `{key}` | {_cell(shown)} | {_cell(field.description or '')} |")
    return "\n".join(lines) + "\n"


def commands() -> str:
    """The reference of every command."""
    lines = [
        "# Commands",
        "",
        "Every command describes itself: `mailhub --help`, `mailhub journal ls --help`.",
        "It works on the home in the current folder, in `MAILHUB_HOME`, or in `--home DIR`; this option is left out below.",
        "`--json` prints what programs can read, with keys that stay.",
        "It ends with 0 when it did what was asked, 1 when it could not and said why, 2 when the command line is wrong.",
        "",
        "This page is written by `docs/generate.py` from the program.",
    ]
    for path, command in _all(typer.main.get_command(app)):
        if not path:
            continue
        level = "##" if len(path) == 1 else "###"
        lines += ["", f"{level} mailhub {' '.join(path)}", "", *_sentences(command.help or "")]
        if not hasattr(command, "commands"):
            rows = list(_parameters(command))
            lines += ["", "| | |", "|---|---|", *rows] if rows else []
    return "\n".join(lines) + "\n"


PAGES = {"configuration.md": configuration, "commands.md": commands}


def _all(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 — as in cli
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from _all(child, (*path, name))


def _parameters(command: Any) -> Iterator[str]:  # noqa: ANN401
    for parameter in command.params:
        if parameter.name == "help" or parameter.envvar == "MAILHUB_HOME":
            continue  # said once, above
        if parameter.param_type_name == "argument":
            word = (parameter.metavar or parameter.name.upper()).strip("{}")
        else:
            word = ", ".join([*parameter.opts, *parameter.secondary_opts])
            word += "" if parameter.is_flag else f" {_value(parameter)}"
        yield f"| `{_cell(word)}` | {_cell(parameter.help or '')} |"


def _value(option: Any) -> str:  # noqa: ANN401
    """What follows an option: its words when there are few to choose from, else their name."""
    annotation = option.type_descriptor.annotation
    if typing.get_origin(annotation) is typing.Literal:
        return " | ".join(str(choice) for choice in typing.get_args(annotation))
    return option.metavar or {int: "NUMBER", Path: "PATH"}.get(annotation, "TEXT")


def _sentences(text: str) -> list[str]:
    """Paragraphs as they are, each sentence on a line of its own."""
    return text.replace(". ", ".\n").splitlines()


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    for name, write in PAGES.items():
        (DOCS / name).write_text(write(), "utf-8")
    sys.stdout.write(f"written: {', '.join(PAGES)}\n")
