"""Who may be put on a list without a question, and by which way: what every way in asks first (R29, R31)."""

from mailhub.centre.subscriptions.subscription import Channel
from mailhub.errors import Refused
from mailhub.lists import Channel as Offered
from mailhub.lists import Consent as Rule
from mailhub.lists import Publication
from mailhub.mail.address import domain_of, is_public_provider


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
