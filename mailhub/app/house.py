"""The parts of one home, put together; nothing listens and nothing is sent yet."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mailhub.app import parts
from mailhub.centre.profile import Centre
from mailhub.config import Settings
from mailhub.database import Database
from mailhub.deliver.courier import Courier
from mailhub.pipeline import Pipeline
from mailhub.render import Renderer
from mailhub.schedule import Issues


def system_clock() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class House:
    """The parts of one home, built and not yet running."""

    settings: Settings
    database: Database
    centre: Centre
    renderer: Renderer
    pipeline: Pipeline
    courier: Courier
    issues: Issues
    now: Callable[[], datetime]

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def build(settings: Settings, now: Callable[[], datetime] = system_clock) -> House:
    """Put a home together from its settings."""
    database = Database(settings.database_url)
    centre = parts.centre(settings)
    renderer = Renderer([settings.home / "templates"])
    return House(
        settings=settings,
        database=database,
        centre=centre,
        renderer=renderer,
        pipeline=Pipeline(
            database, centre, renderer, now, parts.weigh(settings), readers=parts.readers(settings)
        ),
        courier=parts.courier(settings, database, centre, renderer, now),
        issues=Issues(
            database, centre, renderer, now, timedelta(hours=settings.publications.late_after_hours)
        ),
        now=now,
    )
