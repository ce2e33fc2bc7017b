"""What is written while working: one line per event, never the text of a mail, never a whole address.

An exception is told by its type and the lines it went through. Its message is left out, because a database quotes the
values it was given and those are people's words; errors of ours are sentences written for this and stay.
"""

# ruff: noqa: PLC0415 — structlog is imported where it is used, so that the program starts at once

import re
import sys
import traceback
from collections.abc import MutableMapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from mailhub.errors import MailhubError

_ADDRESS = re.compile(r"[^\s@<>\"'(),;:]+@(?=[\w.-])")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
Event = MutableMapping[str, Any]


def configure(level: str, form: str, *, once: bool = False) -> None:
    """Write to standard error from this level on; `form` is "json", "text", or "auto": text on a terminal.

    `once` says that this is the last word of the process, which makes every later line cheaper.
    """
    import structlog

    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_words,
            _without_addresses,
            _as_said,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
            if as_text
            else structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=once,
    )


def _without_words(_: object, __: str, event: Event) -> Event:
    """Put in place of an exception where it came from."""
    told = event.pop("exc_info", None)
    if not told:
        return event
    error = told if isinstance(told, BaseException) else sys.exc_info()[1]
    if error is not None:
        event["error"] = (
            f"{type(error).__name__}: {error}" if isinstance(error, MailhubError) else type(error).__name__
        )
        event["where"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
    return event


def _without_addresses(_: object, __: str, event: Event) -> Event:
    """Keep the domain of an address, which helps to find trouble, and not the person."""
    for key, value in event.items():
        if isinstance(value, str) and "@" in value:
            event[key] = _ADDRESS.sub("…@", value)
    return event


def _as_said(_: object, __: str, event: Event) -> Event:
    """Write instants and words of ours as they are said, and not as Python would write them."""
    for key, value in event.items():
        if isinstance(value, datetime):
            event[key] = value.isoformat(timespec="seconds")
        elif isinstance(value, StrEnum):
            event[key] = str(value)
    return event
