"""What a file of `lists/` can say: a publication with its schedule and sections, or a circle."""

import re
from collections.abc import Callable, Mapping
from datetime import time
from enum import StrEnum
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from mailhub.errors import ListError

# Reads the words of a cadence, or raises ListError; `centre.cadences.parse` is the one there is.
CadenceReader = Callable[[str], object]

# As the settings want it; a local part has at most 64 octets (RFC 5321 section 4.5.3.1.1).
_LOCAL_PART = r"^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$"
# Letters, digits, dots and hyphens of the list-label of RFC 2919 section 2.
_LIST_LABEL = r"^[a-z0-9]+(?:[.-][a-z0-9]+)*$"
_TEMPLATE = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
_HOUR = re.compile(r"(\d{1,2})\s*h\s*(\d{2})?")
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_Month = Literal[
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
]  # fmt: skip


class Channel(StrEnum):
    """How an issue reaches a person."""

    EMAIL = "email"
    PAPER = "paper"


class Consent(StrEnum):
    """Who may be sent a publication."""

    OPT_IN = "opt-in"  # whoever asked for it, with proof
    OPT_OUT_FOR_PROFESSIONALS = (
        "opt-out-professional"  # professional addresses until they object; private ones as above
    )


class Shift(StrEnum):
    """Where a date goes that falls on a day nobody works."""

    BEFORE = "avant"
    AFTER = "après"
    NONE = "aucun"


class Content(StrEnum):
    """What fills a section."""

    ITEMS = "items"  # what staff and the press feed in
    DOCUMENTS = "documents"  # numbered, each can be ordered by reply
    EVENTS = "events"  # from the agenda, without those past on the day of sending


def _one_line(value: str) -> str:
    """Text that goes into a header or a footer: one line, nothing that steers."""
    if not value.strip() or not value.isprintable():
        raise ValueError("write one line of text")
    return value.strip()


def _hour(value: object) -> object:
    """« 9 h » and « 9 h 30 » as the hour they are; what else can be an hour is left to pydantic."""
    if isinstance(value, time):
        return value
    found = _HOUR.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        return time(int(found[1]), int(found[2] or 0)) if found else time.fromisoformat(str(value))
    except ValueError:
        raise ValueError('write an hour of the day, such as "9 h" or "9 h 30"') from None


_Line = Annotated[str, BeforeValidator(lambda value: _one_line(value) if isinstance(value, str) else value)]
_Hour = Annotated[time, BeforeValidator(_hour)]


class _Written(BaseModel):
    """A part of a file; a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Section(_Written):
    """One section of every issue."""

    code: str = Field(
        pattern=_TEMPLATE, description="Short name, which staff write in `#lettre`; keep it for ever."
    )
    title: _Line = Field(description="Heading a reader sees.")
    content: Content = Field(
        Content.ITEMS,
        description="items: what is fed in; documents: numbered, ordered by reply; events: filled from the agenda.",
    )


class Schedule(_Written):
    """When an issue leaves."""

    cadence: str = Field(description="The days, in words: « 2e et 4e jeudi », « premier mardi ouvré ».")
    hour: _Hour = Field(time(9), description='Hour of the day, such as "9 h" or "9 h 30".')
    time_zone: str = Field(
        "", description="Time zone of that hour, such as Europe/Paris; empty: the centre's."
    )
    on_holiday: Shift = Field(
        Shift.BEFORE,
        description="A day nobody works: avant moves the issue to the working day before, après to the one after, "
        "aucun leaves it.",
    )

    @field_validator("cadence")
    @classmethod
    def _a_cadence(cls, value: str, info: ValidationInfo) -> str:
        try:
            _context(info)["cadence"](value)
        except ListError as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("time_zone")
    @classmethod
    def _a_zone(cls, value: str) -> str:
        try:
            return value if not value else ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("write a name of the time zone database, such as Europe/Paris") from error


class Publication(_Written):
    """Something that appears again and again and is sent to subscribers."""

    kind: Literal["publication"] = Field(
        "publication", description="publication, which may be left out, or circle."
    )
    code: str = Field(description="Name of the file without .toml; not a key.")
    title: _Line = Field(description="Title a reader sees.")
    address: str = Field(
        pattern=_LOCAL_PART,
        description="Local part of the address it is sent from; one of [addresses] of the settings.",
    )
    sender: str = Field("", description="Display name of the sender; empty: the name of the centre.")
    list_label: str = Field(
        "",
        pattern=rf"{_LIST_LABEL}|^$",
        max_length=100,
        description="First part of List-Id, by which readers sort their mail; empty: the code. Never change it.",
    )
    reason: _Line = Field(description="Why somebody receives it; one line at the end of every copy.")
    channels: tuple[Channel, ...] = Field(description="email, paper, or both.")
    consent: Consent = Field(
        description="opt-in: only who asked, with proof; opt-out-professional: professional addresses until they "
        "object, private ones only if they asked."
    )
    template: str = Field(
        pattern=_TEMPLATE, description="Folder below templates/ that gives an issue its form."
    )
    double_issues: tuple[_Month, ...] = Field(
        (), description="Months whose issue may be a double one, which also stands for the next date."
    )
    expires_after_days: int = Field(
        14,
        ge=1,
        le=366,
        description="Days after which copies still unsent are dropped and reported instead of sent.",
    )
    schedule: Schedule = Field(description="When an issue leaves.")
    sections: tuple[Section, ...] = Field(description="Sections of every issue, in their order.")

    @property
    def double_issue_months(self) -> frozenset[int]:
        """The months of `double_issues` as numbers."""
        return frozenset(_MONTHS.index(name) + 1 for name in self.double_issues)

    @field_validator("sender")
    @classmethod
    def _a_name(cls, value: str) -> str:
        if "@" in value or not value.isprintable():
            raise ValueError("a display name holds no @ and no control character (it would look forged)")
        return value.strip()

    @field_validator("channels", "sections")
    @classmethod
    def _one_at_least(cls, value: tuple[object, ...]) -> tuple[object, ...]:
        # `min_length` would count only what is right, and complain twice about one wrong word.
        if not value:
            raise ValueError("name one at least")
        return value

    @field_validator("channels", "double_issues")
    @classmethod
    def _once_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("the same word twice")
        return value

    @field_validator("sections")
    @classmethod
    def _each_its_code(cls, value: tuple[Section, ...]) -> tuple[Section, ...]:
        codes = [section.code for section in value]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f'two sections have the code "{twice[0]}"')
        return value


class Circle(_Written):
    """People who meet."""

    kind: Literal["circle"] = Field(description="circle.")
    code: str = Field(description="Name of the file without .toml; not a key.")
    title: _Line = Field(description="Name of the circle a reader sees.")


def _context(info: ValidationInfo) -> Mapping[str, CadenceReader]:
    """What whoever reads a file hands to its checks."""
    return info.context or {}
