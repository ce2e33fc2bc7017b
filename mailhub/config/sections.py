"""What may be written, section by section; every field describes itself and refuses what cannot be meant."""

import re
from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_DOMAIN = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_LOCAL_PART = re.compile(r"(?=.{1,64}$)[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")  # RFC 5321 section 4.5.3.1.1
_MACHINES = frozenset({"rep", "note", "retours", "stop", "oui"})
_LONGEST_BEFORE_TOKEN = 64 - len("+") - 45

Minutes = Annotated[int, Field(ge=1)]
Days = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A section of the file; a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CentreSection(Section):
    """Who the centre is."""

    name: str = Field(
        "Centre de ressources", min_length=1, description="Name shown as sender and under letters."
    )
    domain: str = Field("localhost", description="Mail domain of the centre's addresses.")
    phone: str = Field("", description="Telephone shown in acknowledgements; empty to show none.")
    website: str = Field("", description="Address of the centre's own site; empty to show none.")
    time_zone: str = Field("Europe/Paris", description="Time zone of promises, closures and letters.")

    @field_validator("domain")
    @classmethod
    def _a_domain(cls, value: str) -> str:
        if not _DOMAIN.fullmatch(value.lower()):
            raise ValueError("write a domain such as centre.example, without @")
        return value.lower()

    @field_validator("name")
    @classmethod
    def _a_name(cls, value: str) -> str:
        if "@" in value or not value.isprintable():
            raise ValueError("a display name holds no @ and no control character (it would look forged)")
        return value

    @field_validator("time_zone")
    @classmethod
    def _a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("write a name of the time zone database, such as Europe/Paris") from error
        return value


class AddressesSection(Section):
    """Local parts of the centre's addresses. The last five are for machines and take `+TOKEN`."""

    question: str = Field("question", description="Questions.")
    articles: str = Field("articles", description="Orders of press articles, for members.")
    documents: str = Field("documents", description="Documents on request, for anyone.")
    lettre: str = Field("lettre", description="The monthly letter.")
    revue: str = Field("revue", description="The press review.")
    veille: str = Field("veille", description="Items staff feed in.")
    agenda: str = Field("agenda", description="Meetings.")
    contact: str = Field("contact", description="Everything else.")
    postmaster: str = Field("postmaster", description="Must exist (RFC 5321 section 4.5.1); goes to staff.")
    abuse: str = Field("abuse", description="Complaints about us (RFC 2142); goes to staff.")
    rep: str = Field("rep", description="Replies in one thread: rep+TOKEN@.")
    note: str = Field("note", description="Internal notes of staff: note+TOKEN@.")
    retours: str = Field("retours", description="Bounces: retours+TOKEN@.")
    stop: str = Field("stop", description="Leaving a list: stop+TOKEN@.")
    oui: str = Field("oui", description="Confirmations: oui+TOKEN@.")

    @model_validator(mode="after")
    def _all_different(self) -> "AddressesSection":
        seen: dict[str, str] = {}
        for purpose, local in self:
            longest = _LONGEST_BEFORE_TOKEN if purpose in _MACHINES else 64
            if not _LOCAL_PART.fullmatch(local) or len(local) > longest:
                raise ValueError(
                    f"{purpose} = {local!r}: at most {longest} of a-z 0-9 . _ -"
                    + (" (a token of 45 follows the plus)" if purpose in _MACHINES else "")
                )
            if local in seen:
                raise ValueError(
                    f"{purpose} and {seen[local]} are both {local!r}; each purpose needs its own address"
                )
            seen[local] = purpose
        return self


class ReceiveSection(Section):
    """How mail comes in."""

    smtp: tuple[str, ...] = Field(
        ("127.0.0.1:8025",), description="SMTP listeners, host:port; empty for none."
    )
    lmtp: tuple[str, ...] = Field(
        (), description="LMTP listeners, host:port or unix:/path; how Postfix hands mail over."
    )
    hostname: str = Field("", description="Name in the greeting; empty: mail.DOMAIN.")
    certificate: Path | None = Field(None, description="PEM certificate chain; with it STARTTLS is offered.")
    private_key: Path | None = Field(None, description="PEM key of the certificate.")
    message_mib: int = Field(
        25, ge=1, le=500, description="Largest mail accepted, in MiB (announced as SIZE)."
    )
    connections: int = Field(200, ge=1, description="Connections at one time.")
    connections_per_source: int = Field(20, ge=1, description="Connections at one time from one address.")
    messages_per_minute: int = Field(60, ge=0, description="Mails per minute from one address; 0: no limit.")
    unlimited_sources: tuple[str, ...] = Field(
        ("127.0.0.1", "::1", ""),
        description="Peers the two limits per source do not apply to: our own Postfix. "
        "An IPv6 address stands for its /64, an empty text for the UNIX socket.",
    )


class TrustSection(Section):
    """How the From address of a mail is proven."""

    verdicts: Literal["check", "header", "none"] = Field(
        "check",
        description="check: SPF, DKIM and DMARC evaluated here (the SMTP door must see the sender's own server); "
        "header: read from the Authentication-Results of `authserv_id`; none: nobody is ever proven.",
    )
    authserv_id: str = Field(
        "", description="With verdicts = header: the name your own server signs Authentication-Results with."
    )
    staff_trust: Literal["token+address+proof", "token+address"] = Field(
        "token+address+proof",
        description="What a staff reply must show. Write token+address only when your provider gives no verdict for "
        "its own domain: whoever can forge a staff address and has seen their token could then answer.",
    )

    @model_validator(mode="after")
    def _named(self) -> "TrustSection":
        if self.verdicts == "header" and not self.authserv_id:
            raise ValueError("verdicts = 'header' needs authserv_id, the name your own server writes")
        return self


class PromiseSection(Section):
    """What askers are promised, in working days, and which days are worked."""

    first_contact: int = Field(
        2, ge=0, description="Working days until a person of the centre gets in touch."
    )
    quick_fact: int = Field(2, ge=0, description="Working days for a simple fact.")
    document_search: int = Field(
        5, ge=0, description="Working days for a search; also for what is not classified."
    )
    topic_dossier: int = Field(15, ge=0, description="Working days for a file on a topic, after scoping.")
    cut_off: time = Field(
        time(17), description="Hour after which a mail counts as received the next working day."
    )
    country: str = Field("FR", description="Country whose public holidays apply.")
    subdivision: str | None = Field(
        None, description="Part of the country with holidays of its own, such as 57."
    )
    closures: tuple[str, ...] = Field(
        (), description='Days the centre is closed: "2026-08-03/2026-08-14", or one date.'
    )

    @field_validator("closures")
    @classmethod
    def _days(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for written in value:
            first, last = closure(written)
            if last < first:
                raise ValueError(f"{written!r} ends before it begins")
        return value

    @model_validator(mode="after")
    def _known(self) -> "PromiseSection":
        try:
            holidays.country_holidays(self.country, subdiv=self.subdivision)
        except NotImplementedError as error:
            raise ValueError(
                f"no holidays are known for {self.country} {self.subdivision or ''}".strip()
            ) from error
        return self


class CourtesySection(Section):
    """How often machines may be answered, and floods."""

    per_hour: int = Field(5, ge=0, description="Acknowledgements per hour to one known or proven sender.")
    per_day: int = Field(20, ge=0, description="The same per day.")
    unproven_per_day: int = Field(
        1, ge=0, description="Acknowledgements per day to one sender nobody vouches for."
    )
    unproven_per_hour_overall: int = Field(
        30, ge=0, description="The same per hour, to all of those together."
    )
    mails_per_hour: int = Field(60, ge=1, description="Mails per hour from one author before it is a flood.")
    alike_in_half_an_hour: int = Field(5, ge=1, description="Equal mails in half an hour before silence.")


class RelaySection(Section):
    """The server our letters leave by."""

    host: str = Field("127.0.0.1", description="Relay (smarthost).")
    port: int = Field(25, ge=1, le=65535, description="25, 587 (STARTTLS) or 465 (tls = implicit).")
    tls: Literal["starttls", "implicit", "none"] = Field(
        "starttls",
        description="starttls is required before anything is said; none only on loopback or written out.",
    )
    ca_file: Path | None = Field(None, description="PEM certificates to trust besides the system's.")
    username: str = Field("", description="Login, if the relay wants one.")
    password_file: Path | None = Field(
        None, description="File that holds the password, readable by mailhub alone."
    )
    connections: int = Field(4, ge=1, le=20, description="Connections kept open.")
    retry_minutes: tuple[Minutes, ...] = Field(
        (30, 30, 120, 180),
        min_length=1,
        description="Waits before each new try after a 4xx; the last one repeats.",
    )
    give_up_days: int = Field(4, ge=1, description="Days after its first try when a deferred letter fails.")
    per_destination_per_minute: int = Field(
        60, ge=0, description="Letters per minute to one provider; 0: no limit."
    )
    letters_per_connection: int = Field(
        100, ge=0, description="Letters over one connection before it is made anew; 0: no limit."
    )
    destinations: tuple[str, ...] = Field(
        (
            "orange.fr wanadoo.fr: 2",
            "laposte.net: 2",
            "sfr.fr neuf.fr cegetel.net club-internet.fr numericable.fr: 2",
            "free.fr libertysurf.fr online.fr: 2",
            "bbox.fr: 2",
            "gmail.com googlemail.com: 4",
            "outlook.com outlook.fr hotmail.com hotmail.fr live.com live.fr msn.com: 4",
            "yahoo.com yahoo.fr ymail.com: 4",
        ),
        description='Providers: their domains and how many letters may be on their way there at once, "a.fr b.fr: 2".',
    )

    @field_validator("destinations")
    @classmethod
    def _paces(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        seen: set[str] = set()
        for written in value:
            for domain in pace(written)[0]:
                if domain in seen:
                    raise ValueError(f"{domain} is named twice")
                seen.add(domain)
        return value


class PublicationsSection(Section):
    """How issues of the publications in lists/ leave."""

    late_after_hours: int = Field(
        6,
        ge=1,
        description="An issue whose hour is further past is not sent by itself: staff are asked.",
    )


class DkimSection(Section):
    """Signatures of our letters; keys live in storage/keys."""

    selector: str = Field(
        "mailhub", pattern=r"^[a-z0-9-]{1,40}$", description="Selector; -rsa and -ed25519 follow it."
    )
    sign: bool = Field(
        default=True, description="Sign every letter; publish the records `mailhub dkim` prints first."
    )


class RetentionSection(Section):
    """Days the raw bytes of a mail are kept, by what became of it; its line in the journal stays."""

    request_opened: Days = Field(730, description="Questions.")
    message_added: Days = Field(730, description="Answers, follow-ups, notes.")
    command_done: Days = Field(365, description="Commands of staff and confirmations.")
    order_taken: Days = Field(730, description="Orders.")
    rsvp: Days = Field(365, description="Answers to invitations.")
    bounce: Days = Field(400, description="Returns.")
    automatic: Days = Field(90, description="Out-of-office and other machines.")
    duplicate: Days = Field(30, description="Mails that came twice.")
    quarantine: Days = Field(30, description="Hostile or flooding mail.")
    triage: Days = Field(730, description="Mail a person had to look at.")


class DatabaseSection(Section):
    """Where everything is kept."""

    url: str = Field(
        "",
        description="postgresql://user@host/name, or empty: SQLite in storage/mailhub.db. DATABASE_URL wins.",
    )


class WebSection(Section):
    """Pages on a loopback listener, and how the outside reaches those of readers through a web server with TLS."""

    listen: str = Field(
        "127.0.0.1:8080",
        description="host:port of the pages of readers, signed files, /healthz and /metrics; empty for none.",
    )
    public_url: str = Field(
        "",
        description="How the outside reaches the pages of readers (leave, preferences, join) and signed files: "
        "https://…, as one-click leaving needs (RFC 8058). Empty: letters offer replies alone, and staff fetch "
        "large files by command.",
    )


class LogSection(Section):
    """What is written while working; never the text of a mail."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much.")
    format: Literal["auto", "json", "text"] = Field(
        "auto", description="auto: text on a terminal, else JSON lines."
    )


def closure(written: str) -> tuple[date, date]:
    """The first and last day of a closure as it is written."""
    first, _, last = written.partition("/")
    try:
        return date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
    except ValueError as error:
        raise ValueError(
            f"{written!r} is neither a date nor FIRST/LAST, such as 2026-08-03/2026-08-14"
        ) from error


def pace(written: str) -> tuple[tuple[str, ...], int]:
    """The domains of a provider and how many letters may be on their way there at once."""
    domains, colon, most = written.rpartition(":")
    named = tuple(domains.lower().split())
    if not colon or not named or not most.strip().isdecimal() or int(most) < 1:
        raise ValueError(f'{written!r} is not of the form "orange.fr wanadoo.fr: 2"')
    if wrong := next((domain for domain in named if not _DOMAIN.fullmatch(domain)), None):
        raise ValueError(f"{wrong!r} is no domain")
    return named, int(most)
