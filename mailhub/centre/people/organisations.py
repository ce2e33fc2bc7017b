"""Organisations: bodies people write from, whose mail domain is whose, and who is a member today."""

from datetime import date

from sqlalchemy import bindparam
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub import rows
from mailhub.centre.people.identity import identity
from mailhub.errors import Refused
from mailhub.mail.address import domain_of, is_public_provider, normalise


class Organisation(SQLModel, table=True):
    """A body people write from: a town, a council, an association."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    member_from: date | None = None  # first day of the current membership
    member_until: date | None = None  # last day of it


class OrganisationDomain(SQLModel, table=True):
    """A mail domain that belongs to one organisation; a public provider's never does."""

    domain: str = Field(primary_key=True)  # A-labels, lower case
    organisation_id: int = Field(foreign_key="organisation.id", index=True)


_OWNER = select(OrganisationDomain.organisation_id).where(
    col(OrganisationDomain.domain) == bindparam("domain")
)


def organisation_of(session: Session, address: str) -> int | None:
    """The organisation whose exact domain this is; subdomains and look-alikes are nobody's (M8)."""
    domain = domain_of(normalise(address))
    if not domain or is_public_provider(domain):
        return None
    owner: int | None = rows.value(session, _OWNER, domain=domain)
    return owner


def is_member(organisation: Organisation | None, day: date) -> bool:
    """Say whether the organisation's membership covers that day; shown to staff, it never gates a question (R17)."""
    return (
        organisation is not None
        and organisation.member_from is not None
        and organisation.member_from <= day
        and (organisation.member_until is None or day <= organisation.member_until)
    )


def register_organisation(
    session: Session, name: str, domains: list[str], member_from: date | None, member_until: date | None
) -> Organisation:
    """Add an organisation or complete the one of that name; a domain moves to nobody silently."""
    if not name.strip():
        raise Refused("an organisation needs a name")
    organisation = organisation_called(session, name)
    organisation.member_from = member_from or organisation.member_from
    organisation.member_until = member_until or organisation.member_until
    session.flush()
    for written in domains:
        domain = domain_of(normalise(f"x@{written}"))
        if is_public_provider(domain):
            raise Refused(f"{domain} is a public mail provider: it cannot stand for {name}")
        row = session.get(OrganisationDomain, domain)
        if row is None:
            session.add(OrganisationDomain(domain=domain, organisation_id=identity(organisation)))
        elif row.organisation_id != organisation.id:
            raise Refused(f"{domain} already belongs to another organisation")
    return organisation


def organisation_called(session: Session, name: str) -> Organisation:
    """The organisation of that name, created when it is new."""
    organisation = session.exec(select(Organisation).where(Organisation.name == name)).first()
    if organisation is None:
        organisation = Organisation(name=name)
        session.add(organisation)
        session.flush()
    return organisation


def organisations(session: Session) -> list[tuple[Organisation, list[str]]]:
    """Every organisation by name, with its mail domains."""
    domains: dict[int, list[str]] = {}
    for row in session.exec(select(OrganisationDomain).order_by(OrganisationDomain.domain)).all():
        domains.setdefault(row.organisation_id, []).append(row.domain)
    everyone = session.exec(select(Organisation).order_by(Organisation.name)).all()
    return [(organisation, domains.get(identity(organisation), [])) for organisation in everyone]
