"""The docs tell the truth: every setting, command, letter, target and library is there, every link and test exists."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
import typer

from docs import generate
from mailhub.cli.program import app

HOUSE = Path(__file__).parent.parent
PAGES = sorted(
    [*HOUSE.glob("*.md"), *HOUSE.glob("docs/*.md"), *(HOUSE / name / "README.md" for name in ("templates", "lists", "storage"))]
)  # fmt: skip
NAMES = [str(page.relative_to(HOUSE)) for page in PAGES]


def read(name: str) -> str:
    return (HOUSE / name).read_text("utf-8")


# -- written from the program --


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_page_that_is_written_from_the_program_is_not_behind(name):
    assert read(f"docs/{name}") == generate.PAGES[name](), "run .venv/bin/python docs/generate.py"


def test_every_command_has_its_heading():
    headings = set(re.findall(r"^##+ mailhub (.+)$", read("docs/commands.md"), re.MULTILINE))

    assert set(_commands(typer.main.get_command(app))) == headings


def _commands(group, path=()):
    for name, command in getattr(group, "commands", {}).items():
        yield " ".join((*path, name))
        yield from _commands(command, (*path, name))


@pytest.mark.parametrize("page", NAMES)
def test_a_command_that_is_named_exists(page):
    known = set(_commands(typer.main.get_command(app)))
    nouns = {command.split()[0] for command in known if " " in command}
    called = [
        match[1].split()
        for piece in _code(read(page))
        if (match := re.match(r"(?:sudo -u \w+ )?(?:\S*/bin/)?mailhub ((?:[a-z]+\b ?){1,2})", piece))
    ]
    words = {" ".join(each if each[0] in nouns else each[:1]) for each in called}

    assert words <= known


def _code(text):
    """What stands in backquotes, and indented lines."""
    return [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^ {4}(.+)$", text, re.MULTILINE)]


# -- written by hand --


def test_every_letter_has_its_line():
    listed = re.findall(r"^\| `([a-z-]+)` \|", read("templates/README.md"), re.MULTILINE)

    assert sorted(listed) == sorted(folder.name for folder in (HOUSE / "templates" / "mail").iterdir())


def test_every_file_of_words_has_its_line():
    listed = re.findall(r"^\| `([a-z-]+\.txt)` \|", read("templates/README.md"), re.MULTILINE)

    assert sorted(listed) == sorted(path.name for path in (HOUSE / "templates" / "words").iterdir())


def test_every_target_of_make_is_told_and_every_one_told_exists():
    targets = set(re.findall(r"^([a-z-]+):.*##", read("Makefile"), re.MULTILINE))
    told = {word for page in PAGES for word in re.findall(r"(?:^ {4}|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)}  # fmt: skip

    assert told == targets


def test_every_library_has_its_line():
    project = tomllib.loads(read("pyproject.toml"))
    wanted = [
        *project["project"]["dependencies"],
        *(name for extra in project["project"]["optional-dependencies"].values() for name in extra),
        *(name for group in project["dependency-groups"].values() for name in group),
        *project["build-system"]["requires"],
    ]
    names = {re.split(r"[\[<>=~;! ]", written)[0] for written in wanted}
    rows = [
        line.split("|")[1] for line in read("docs/dependencies.md").splitlines() if line.startswith("| `")
    ]

    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == names


def test_the_floor_plan_names_every_room():
    plan = read("README.md").partition("## Floor plan")[2].partition("## ")[0]
    rooms = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (HOUSE / "mailhub").iterdir()
        if not path.name.startswith("_")
    }

    assert rooms == set(re.findall(r"^  ([a-z]+(?:/|\.py))\s", plan, re.MULTILINE))


# -- requirements --


@cache
def _tests_of(name):
    tree = ast.parse(read(name))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_a_requirement_names_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", read("docs/requirements.md"))

    assert len(named) > 100
    assert [f"{file}::{test}" for file, test in named if test not in _tests_of(file)] == []


def test_every_place_a_requirement_names_exists_and_no_number_comes_twice():
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in read("docs/requirements.md").splitlines()
        if re.match(r"\| [A-Z]+\d", line)
    ]
    numbers = [row[0] for row in rows]
    places = [place for row in rows for place in re.findall(r"`([^`]+)`", row[2])]

    assert len(set(numbers)) == len(numbers)
    assert all(len(row) == 4 and "tests/" in row[3] for row in rows)
    assert [place for place in places if not (HOUSE / "mailhub" / place).exists()] == []


# -- every page --


@pytest.mark.parametrize("page", NAMES)
def test_every_link_leads_somewhere(page):
    here = (HOUSE / page).parent
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", read(page))

    assert [link for link in links if "://" not in link and not (here / link).exists()] == []


@pytest.mark.parametrize("page", [*NAMES, "docs/mailhub.service"])
def test_no_page_names_a_registry_or_a_path_of_somebodys_machine(page):
    assert re.findall(r"pypi\.org|pythonhosted|npmjs|/root/|/work/|/tmp/|/Users/", read(page)) == []


@pytest.mark.parametrize("page", NAMES)
def test_a_line_holds_one_sentence(page):
    """Diffs then show the sentence that changed; tables and lists of several short rules are left alone."""
    prose = re.sub(r"```.*?```", "", read(page), flags=re.DOTALL)
    crowded = [
        line
        for line in prose.splitlines()
        if not line.startswith(("|", "    ", "- ", "#")) and re.search(r"[a-zé`)][.?!] [A-ZÉ]", line)
    ]

    assert crowded == []


def test_the_pages_are_written_by_one_command(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "generate.py").write_text(read("docs/generate.py"), "utf-8")

    subprocess.run([sys.executable, tmp_path / "docs" / "generate.py"], cwd=HOUSE, check=True, timeout=60)

    assert sorted(path.name for path in (tmp_path / "docs").glob("*.md")) == sorted(generate.PAGES)
