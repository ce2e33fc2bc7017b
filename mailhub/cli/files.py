"""Strangers' files on our disk: their name is a wish, never a path, and nothing that is there is touched."""

import itertools
import os
from pathlib import Path, PurePosixPath, PureWindowsPath

_MOST_OCTETS = 200  # a file name holds 255 on most systems; room is left for a number


def write_new(folder: Path, wished: str, content: bytes, *, unnamed: str) -> Path:
    """Write a file under a name of its own in that folder, readable by us alone; say where it went.

    `unnamed` is its name when nothing is left of the one that was wished.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem, suffix = _safe(wished, unnamed)
    for number in itertools.count(1):
        path = folder / (f"{stem}{suffix}" if number == 1 else f"{stem} ({number}){suffix}")
        try:
            # O_EXCL also refuses a link that somebody laid there.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        return path
    raise AssertionError  # itertools.count does not end


def _safe(wished: str, unnamed: str) -> tuple[str, str]:
    """The last component, without leading dots or anything a shell or a terminal would act upon."""
    name = PurePosixPath(PureWindowsPath(wished).name).name
    name = "".join(letter if letter.isprintable() and letter not in '\\/:*?"<>|' else "_" for letter in name)
    name = name.lstrip(".-~ ").rstrip(". ")
    path = PurePosixPath(name or unnamed)
    suffix = path.suffix if len(path.suffix.encode()) <= 20 else ""
    stem = path.name.removesuffix(suffix)
    return stem.encode()[: _MOST_OCTETS - len(suffix.encode())].decode("utf-8", "ignore"), suffix
