"""All settings of one home: read from its file and the environment, or everything that is wrong with them."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from mailhub import corrections
from mailhub.config.sections import (
    AddressesSection,
    CentreSection,
    CourtesySection,
    DatabaseSection,
    DkimSection,
    LogSection,
    PromiseSection,
    PublicationsSection,
    ReceiveSection,
    RelaySection,
    RetentionSection,
    Section,
    TrustSection,
    WebSection,
)
from mailhub.errors import SettingsError

FILE_NAME = "mailhub.toml"


class Settings(BaseSettings):
    """All settings of one home."""

    model_config = SettingsConfigDict(
        env_prefix="MAILHUB_", env_nested_delimiter="__", extra="forbid", frozen=True, toml_file=None
    )

    home: Path
    centre: CentreSection = CentreSection()
    addresses: AddressesSection = AddressesSection()
    receive: ReceiveSection = ReceiveSection()
    trust: TrustSection = TrustSection()
    promise: PromiseSection = PromiseSection()
    courtesy: CourtesySection = CourtesySection()
    relay: RelaySection = RelaySection()
    publications: PublicationsSection = PublicationsSection()
    dkim: DkimSection = DkimSection()
    retention: RetentionSection = RetentionSection()
    database: DatabaseSection = DatabaseSection()
    web: WebSection = WebSection()
    log: LogSection = LogSection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 — the shape pydantic-settings calls
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was asked for goes before the environment, which goes before the file."""
        assert isinstance(init_settings, InitSettingsSource)
        assert isinstance(env_settings, EnvSettingsSource)
        given = init_settings.init_kwargs
        env_settings.env_vars = {name.lower(): value for name, value in given["environment"].items()}
        return (
            InitSettingsSource(settings_cls, given["asked"]),
            env_settings,
            InitSettingsSource(settings_cls, given["written"]),
        )

    @property
    def storage(self) -> Path:
        """Where the data of this home lives."""
        return self.home / "storage"

    @property
    def database_url(self) -> str:
        """The database in use."""
        return self.database.url or f"sqlite:///{(self.storage / 'mailhub.db').absolute()}"


class Problem(BaseModel):
    """One thing wrong in a settings file, with a way out."""

    file: str
    key: str  # a setting, or "-"
    says: str

    def __str__(self) -> str:
        return f"{self.file}: {self.says}" if self.key == "-" else f"{self.file}: {self.key}: {self.says}"


def load(home: Path, environment: Mapping[str, str]) -> Settings:
    """Read the settings of a home; every problem at once, in one SettingsError.

    `environment` is where DATABASE_URL is looked for, before anything else, and MAILHUB_….
    """
    settings, problems = examine(home, environment)
    if settings is None:
        raise SettingsError("\n".join(map(str, problems)))
    return settings


def examine(home: Path, environment: Mapping[str, str]) -> tuple[Settings | None, list[Problem]]:
    """The settings of a home, or everything that is wrong with them."""
    path = home / FILE_NAME
    try:
        written = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        says = f"there is no such file; `mailhub init {home}` writes one"
        return None, [Problem(file=str(path), key="-", says=says)]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return None, [Problem(file=str(path), key="-", says=f"not readable as TOML: {error}")]
    problems = []
    if written.pop("home", None) is not None:
        says = "which home it is, --home or MAILHUB_HOME says; remove the line"
        problems.append(Problem(file=str(path), key="home", says=says))
    asked: dict[str, object] = {"home": home}
    if url := environment.get("DATABASE_URL"):
        asked["database"] = {"url": url}
    try:
        settings = Settings(asked=asked, environment=environment, written=written)  # type: ignore[call-arg]  # sorted out by the sources above
    except ValidationError as error:
        return None, [*problems, *(_problem(str(path), details) for details in error.errors())]
    return (None if problems else settings), problems


def sections() -> Iterator[tuple[str, str, dict[str, FieldInfo]]]:
    """Every section with its own description and its fields, in the order of the file."""
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield name, (kind.__doc__ or "").strip(), kind.model_fields


def _problem(path: str, details: Mapping[str, Any]) -> Problem:
    place = [str(step) for step in details["loc"]]
    says = corrections.sentence(details)
    if details["type"] == "extra_forbidden":
        known = list(Settings.model_fields)
        if len(place) > 1:
            known = next((list(fields) for name, _, fields in sections() if name == place[0]), [])
        near = difflib.get_close_matches(place[-1], known, 1)
        says = f"unknown key{f' (did you mean {near[0]!r}?)' if near else ''}"
    return Problem(file=path, key=".".join(place) or "-", says=says)
