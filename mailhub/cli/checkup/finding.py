"""One thing wrong with a home: how bad, where, and a way out; and the ways to find it about a file or a setting."""

import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from mailhub import config
from mailhub.config import Settings
from mailhub.errors import MailhubError


class Level(StrEnum):
    """How bad it is."""

    ERROR = "error"  # will not work
    DANGER = "danger"  # works, and harms
    WARNING = "warning"  # unwise


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, with a way out."""

    level: Level
    file: str
    key: str  # a setting, or "-"
    says: str
    way_out: str

    @property
    def place(self) -> str:
        """Where to look."""
        return self.file if self.key == "-" else f"{self.file}: {self.key}"

    def as_row(self) -> dict[str, object]:
        """For programs."""
        return asdict(self)


def on_setting(settings: Settings, level: Level, key: str, says: str, way_out: str) -> Finding:
    """A finding about one key of the settings file."""
    return Finding(level, str(settings.home / config.FILE_NAME), key, says, way_out)


def on_error(error: MailhubError | str | None, file: Path | str, way_out: str) -> Finding:
    """An error of ours as a finding; it names its file itself, and often its way out."""
    says = str(error).removeprefix(f"{file}: ")
    head, semicolon, hint = says.partition("; ")
    return Finding(Level.ERROR, str(file), "-", head if semicolon else says, hint or way_out)


def readable(settings: Settings, key: str, path: Path) -> Iterator[Finding]:
    """Say so when a file that a setting names cannot be read."""
    try:
        path.read_bytes()
    except OSError as error:
        yield on_setting(
            settings,
            Level.ERROR,
            key,
            f"{path}: {error.strerror}",
            "correct the path, or let the user mailhub runs as read it",
        )


def secret(settings: Settings, key: str, path: Path, *, others_only: bool) -> Iterator[Finding]:
    """A file that must be readable by us and by nobody else; a TLS key may belong to a group of servers."""
    unreadable = [*readable(settings, key, path)]
    yield from unreadable
    if unreadable:
        return
    if not path.read_bytes().strip():
        yield on_setting(settings, Level.ERROR, key, f"{path} is empty", "write the secret into it")
    if path.stat().st_mode & (stat.S_IRWXO if others_only else stat.S_IRWXG | stat.S_IRWXO):
        yield on_setting(
            settings,
            Level.ERROR,
            key,
            f"others can read {path}",
            f"chmod {640 if others_only else 600} {path}",
        )


def shared(folder: Path, says: str, way_out: str) -> Iterator[Finding]:
    """Say so when others can enter a folder."""
    if folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Finding(Level.DANGER, str(folder), "-", says, way_out)
