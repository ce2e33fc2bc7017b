"""The centre itself: its name, its addresses, its calendar and its courtesies, as values handed to whoever works.

Everything comes from the settings, once, at start; nothing here reads a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from mailhub.centre.calendar import Calendar
from mailhub.centre.requests import Promise
from mailhub.lists import Lists, Publication
from mailhub.mail import french, wishes
from mailhub.mail.address import Mailbox, domain_of, normalise, split_tag
from mailhub.mail.tokens import Keyring


class Service(StrEnum):
    """One purpose of one dedicated address; the first ten are for people, the others for machines."""

    QUESTION = "question"
    ARTICLES = "articles"  # press articles, for members
    DOCUMENTS = "documents"  # documents on request, for anyone
    LETTER = "lettre"
    REVIEW = "revue"
    WATCH = "veille"  # staff feed items in
    AGENDA = "agenda"
    CONTACT = "contact"  # everything else
    POSTMASTER = "postmaster"  # RFC 5321 section 4.5.1
    ABUSE = "abuse"  # RFC 2142
    REPLY = "rep"  # rep+TOKEN: one thread, staff or asker
    NOTE = "note"  # note+TOKEN: internal
    RETURNS = "retours"  # retours+TOKEN: bounces (VERP)
    STOP = "stop"  # stop+TOKEN: leave
    CONFIRM = "oui"  # oui+TOKEN: confirm


MACHINE_SERVICES = frozenset({Service.REPLY, Service.NOTE, Service.RETURNS, Service.STOP, Service.CONFIRM})
# Without a signed tag an address for machines leads nowhere; these two say who may come without one.
TAGLESS = frozenset(Service) - MACHINE_SERVICES


@dataclass(frozen=True, slots=True)
class Courtesy:
    """How often we answer by machine (RFC 3834; lists.md D28-D29; desk.md P4, P6, S9)."""

    per_hour: int = 5  # acknowledgements to one known or proven sender
    per_day: int = 20
    unproven_per_day: int = 1  # to one sender nobody vouches for
    unproven_per_hour_overall: int = 30  # to all of those together
    mails_per_hour: int = 60  # from one author, staff apart; more is a flood and goes to quarantine
    alike_in_half_an_hour: int = 5  # the same words again and again are not acknowledged any more


@dataclass(frozen=True)
class Centre:
    """What every stage may know about the house it works for."""

    name: str
    domain: str
    keyring: Keyring
    phone: str = ""
    website: str = ""
    local_parts: Mapping[Service, str] = field(
        default_factory=lambda: {service: service.value for service in Service}
    )
    calendar: Calendar = field(default_factory=Calendar)
    promise: Promise = field(default_factory=Promise)
    courtesy: Courtesy = field(default_factory=Courtesy)
    needs_strong_staff: bool = True  # False: `staff_trust = "token+address"` was written out
    copy_limit: int = 5 * 1024 * 1024  # octets of files sent along to staff; above, they are fetched
    files_url: str = ""  # where a signed link to a file leads, "" without public pages
    files_days: int = 30  # how long such a link is good for
    leave_url: str = ""  # the page that leaves a list, before the token; "" without public pages
    preferences_url: str = ""  # the page of a reader's preferences, idem
    confirm_url: str = ""  # the page that asks for a yes, idem
    join_url: str = ""  # the page where one joins, whole; "" without public pages
    lists: Lists = field(default_factory=Lists)  # what is published, and for which circles

    @cached_property
    def loop_mark(self) -> str:
        """What our letters bear, so that one that comes back is known for ours."""
        return self.keyring.fingerprint(f"loop {self.domain}")

    def address(self, service: Service, token: str | None = None) -> str:
        """The address of a service, with a token in its tag where it has one."""
        local = self.local_parts[service]
        return f"{local}+{token}@{self.domain}" if token else f"{local}@{self.domain}"

    def mailbox(self, service: Service) -> Mailbox:
        """The address of a service under the centre's name."""
        return Mailbox(self.name, self.address(service))

    def service_of(self, publication: Publication) -> Service:
        """The service a publication is sent from; mail to it is about that publication."""
        found = (service for service, part in self.local_parts.items() if part == publication.address)
        return next(found, Service.CONTACT)

    def names_of_publications(self) -> dict[str, tuple[str, ...]]:
        """Code of each publication and the words that name it in a plain mail."""
        return {
            each.code: (*wishes.PUBLICATIONS.get(each.code, ()), each.code, french.fold(each.title))
            for each in self.lists.publications
        }

    def publication_of(self, service: Service | None) -> Publication | None:
        """The publication that is sent from a service, when there is one."""
        part = self.local_parts.get(service) if service else None
        return next((each for each in self.lists.publications if each.address == part), None)

    def service_at(self, recipient: str) -> tuple[Service | None, str | None]:
        """The service an envelope recipient names, and the tag after the plus; (None, None) when it is not ours."""
        local, _, _ = normalise(recipient).rpartition("@")
        if domain_of(recipient) not in {self.domain, ""}:
            return None, None
        base, tag = split_tag(local or recipient.lower())
        service = next((service for service, part in self.local_parts.items() if part == base), None)
        return service, tag if service else None

    def is_ours(self, recipient: str) -> bool:
        """Say whether mail for this address may come in: a service, or a machine address with something after the plus."""
        service, tag = self.service_at(recipient)
        return service in TAGLESS or (service is not None and bool(tag))
