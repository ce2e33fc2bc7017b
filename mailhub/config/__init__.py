"""The settings of one home: `mailhub.toml`, then the environment, read once and frozen.

Every field describes itself; the reference in `docs/configuration.md` and the commented file of `mailhub init` are
written from these descriptions. Only `cli`, `play`, `home` and `app` import this room; everybody else receives values.
"""

from mailhub.config.file import commented_file, toml_value
from mailhub.config.sections import closure, pace
from mailhub.config.settings import FILE_NAME, Problem, Settings, examine, load, sections

__all__ = [
    "FILE_NAME",
    "Problem",
    "Settings",
    "closure",
    "commented_file",
    "examine",
    "load",
    "pace",
    "sections",
    "toml_value",
]
