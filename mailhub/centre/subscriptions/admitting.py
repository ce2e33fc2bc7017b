"""Put on a list without a question: a professional told of it, paper, or a file that bears their proof.

Nobody who closed the door comes in this way, and nobody who would have to say yes first (R31, T21).
"""

from sqlmodel import Session

from mailhub.centre.people import Function, Person
from mailhub.centre.subscriptions import consent
from mailhub.centre.subscriptions.consent import Act, Evidence
from mailhub.centre.subscriptions.subscription import (
    CLOSED,
    LIVE,
    Channel,
    State,
    Subscription,
    pend,
    subscription_of,
)
from mailhub.errors import Refused
from mailhub.lists import Channel as Offered
from mailhub.lists import Consent as Rule
from mailhub.lists import Publication
from mailhub.mail.address import domain_of, is_public_provider
from mailhub.mail.tokens import Keyring


def needs_yes(publication: Publication, address: str | None) -> bool:
    """Say whether only a yes of the person admits this address (CPCE L34-5; paper needs none, D46)."""
    if address is None:
        return False
    professional = not is_public_provider(domain_of(address))
    return not (publication.consent is Rule.OPT_OUT_FOR_PROFESSIONALS and professional)


def refuse_channel(publication: Publication, channel: Channel) -> None:
    """Refuse a way the publication does not go (R29: no press review on paper)."""
    for wanted, offered in ((channel.has_email, Offered.EMAIL), (channel.has_paper, Offered.PAPER)):
        if wanted and offered not in publication.channels:
            raise Refused(f'"{publication.title}" does not come by {offered}')


def admit(
    session: Session,
    keyring: Keyring,
    publication: Publication,
    holder: Person | Function,
    address: str | None,
    channel: Channel,
    evidence: Evidence,
    act: Act = Act.INFORMED,
) -> Subscription:
    """Put somebody on a list now; refused where their own yes is missing or a door was closed."""
    refuse_channel(publication, channel)
    if not evidence.note and not evidence.shown:
        raise Refused("say in a note how they asked or were told: nobody is on a list without a record (R31)")
    by_mail = address if channel.has_email else None
    if by_mail and consent.is_suppressed(session, consent.digest_of(keyring, by_mail), publication.code):
        raise Refused(f"{by_mail} asked never to be written to")
    if isinstance(holder, Person) and holder.deceased:
        raise Refused("this person is deceased")
    if act is not Act.GIVEN and needs_yes(publication, by_mail):
        raise Refused(f"{by_mail} has to say yes first")
    row = subscription_of(session, publication.code, holder)
    if row is not None and row.state in CLOSED:
        raise Refused(f"they are {row.state}: only their own yes brings them back")
    if row is not None and row.state in LIVE:
        return row
    row = row or pend(session, publication.code, holder, channel, evidence.at)
    consent.record(session, row, act, evidence, state=State.ACTIVE, channel=channel)
    return row
