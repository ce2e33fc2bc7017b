"""Everything that can be wrong with a home, looked at in one go; nothing is changed and nothing is sent."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from mailhub import config
from mailhub.cli.checkup import agreements, folder, words
from mailhub.cli.checkup.finding import Finding, Level
from mailhub.config import Settings

__all__ = ["Finding", "Level", "examine"]

# What can be looked at when the settings cannot be read, and what cannot.
_WITHOUT_SETTINGS: tuple[Callable[[Path], Iterable[Finding]], ...] = (
    folder.storage,
    folder.token_keys,
    folder.publications,
    words.templates,
)
_WITH_SETTINGS: tuple[Callable[[Settings], Iterable[Finding]], ...] = (
    folder.dkim_keys,
    folder.database,
    agreements.who,
    agreements.relay,
    agreements.trust,
    agreements.doors,
    agreements.certificate,
    agreements.paths,
    agreements.passwords,
)


def examine(home: Path, environment: Mapping[str, str]) -> list[Finding]:
    """Every problem of a home at once, the worst first."""
    settings, problems = config.examine(home, environment)
    found = [_of_settings(problem) for problem in problems]
    for look in _WITHOUT_SETTINGS:
        found += look(home)
    if settings is not None:
        for see in _WITH_SETTINGS:
            found += see(settings)
    return sorted(found, key=lambda finding: list(Level).index(finding.level))


def _of_settings(problem: config.Problem) -> Finding:
    says, _, hint = problem.says.partition("; ")
    way_out = hint or "correct it; docs/configuration.md describes every setting"
    return Finding(Level.ERROR, problem.file, problem.key, says, way_out)
