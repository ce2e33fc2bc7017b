"""The settings file of a new home, written from what the fields say of themselves."""

from collections.abc import Mapping
from datetime import time

from mailhub.config.settings import sections


def commented_file(values: Mapping[str, Mapping[str, object]] | None = None) -> str:
    """The `mailhub.toml` of a new home: every setting with its description, commented out where it is the default."""
    lines = [
        "# Settings of this mailhub home. A line that begins with # shows the default.",
        "# The environment goes before this file: MAILHUB_RELAY__HOST=… is [relay] host.",
    ]
    for name, about, fields in sections():
        lines += ["", f"# {about}", f"[{name}]"]
        for key, field in fields.items():
            lines.append(f"# {field.description}")
            given = (values or {}).get(name, {})
            value = given[key] if key in given else field.get_default(call_default_factory=True)
            line = f"{key} = {toml_value(value)}" if value is not None else f"{key} is not set"
            lines.append(line if key in given else f"# {line}")
    return "\n".join(lines) + "\n"


def toml_value(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
