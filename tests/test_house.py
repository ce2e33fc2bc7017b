"""The house keeps its own rules: floors, one commit, no attic, importing does nothing."""

import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).parent.parent
PACKAGE = HOUSE / "mailhub"


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the import contracts of a copy of the house."""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as lint; lint()",
            "--no-cache",
        ],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def _copy(to: Path) -> Path:
    for source in PACKAGE.rglob("*.py"):
        target = to / source.relative_to(HOUSE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    (to / "pyproject.toml").write_bytes((HOUSE / "pyproject.toml").read_bytes())
    return to


def test_the_floors_hold():
    checked = _lint(HOUSE)

    assert checked.returncode == 0, checked.stdout


def test_a_stray_utils_module_is_refused(tmp_path):
    house = _copy(tmp_path)
    (house / "mailhub" / "utils.py").write_text('"""Everything else."""\n')

    checked = _lint(house)

    assert checked.returncode != 0
    assert "utils" in checked.stdout


def test_an_import_from_above_is_refused(tmp_path):
    house = _copy(tmp_path)
    journal = house / "mailhub" / "journal" / "handling.py"
    journal.write_text("import mailhub.pipeline\n" + journal.read_text())

    assert _lint(house).returncode != 0


def test_there_is_one_commit_in_the_house():
    found = [
        (path.name, line.strip())
        for path in PACKAGE.rglob("*.py")
        for line in path.read_text().splitlines()
        if ".commit()" in line
    ]

    assert found == [("database.py", "connection.commit()")]


def test_importing_the_application_does_nothing():
    """No settings, no engine, no clock and no socket is made by an import."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import mailhub.app"],
        env={"PATH": ""},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_word_a_reader_sees_is_written_in_python():
    """French letters live in templates; a French sentence in a handler is a letter that escaped."""
    accents = set("éèàùçâêîôûœ")
    escaped = [
        f"{path.name}: {line.strip()}"
        for room in ("handlers", "centre", "deliver", "receive")
        for path in (PACKAGE / room).rglob("*.py")
        for line in path.read_text().splitlines()
        if accents & set(line.lower()) and '"""' not in line and "#" not in line and '"' in line
    ]

    assert escaped == []
