"""Whose message is passed on: the header block or the attachment says so, an address in the text never does (P23)."""

from email.message import EmailMessage

import pytest

from mailhub.mail import forwards, message, quoting
from mailhub.mail.address import Mailbox

SYLVIE = Mailbox("Sylvie Carpentier", "s.carpentier@saint-aubin.example")
OUTLOOK = (
    "Je vous transfère, vous saurez mieux que moi.\n\nDe : Sylvie Carpentier <s.carpentier@saint-aubin.example>\n"
    "Envoyé : mardi 3 mars 2026 10:00\nÀ : Yann Riou <yann.riou@villes-rives.example>\nObjet : quartier\n\n"
    "Bonjour, combien d'habitants ? Écrivez aussi à hugo@montelain.example\nfont: \\@DengXian; spam@evil.example\n"
)
GMAIL = (
    "Voir ci-dessous.\n\n---------- Message transféré ----------\n"
    "De : Sylvie Carpentier <s.carpentier@saint-aubin.example>\nDate: mar. 3 mars 2026 à 10:00\n"
    "Subject: quartier\nTo: Yann <yann.riou@villes-rives.example>\n\nBonjour, combien d'habitants ?\n"
)


def author(text: str) -> Mailbox | None:
    mail = EmailMessage()
    mail["From"] = "Yann Riou <yann.riou@villes-rives.example>"
    mail["Subject"] = "TR: question reçue chez moi"
    mail.set_content(text)
    said = message.read(mail.as_bytes())
    return forwards.author(said, quoting.read(said.text, is_forward=True))


@pytest.mark.parametrize("text", [OUTLOOK, GMAIL])
def test_a_forward_with_three_addresses_names_the_one_of_its_header_block(text):
    assert author(text) == SYLVIE


@pytest.mark.parametrize(
    "text",
    [
        "Écrivez à hugo@montelain.example, merci.",
        "De : la mairie\nVoir spam@evil.example",
        "---------- Message transféré ----------\nfont: \\@DengXian\n\nhugo@montelain.example\n",
    ],
)
def test_an_address_in_the_text_is_nobody(text):
    assert author(text) is None


def test_two_authors_are_a_persons_to_choose():
    two = OUTLOOK.replace("saint-aubin.example>", "saint-aubin.example>; Hugo <hugo@montelain.example>", 1)

    assert author(two) is None


def test_an_attached_message_says_itself_who_wrote_it():
    inner = EmailMessage()
    inner["From"] = "Sylvie Carpentier <s.carpentier@saint-aubin.example>"
    inner.set_content("Bonjour, combien d'habitants ?")
    outer = EmailMessage()
    outer["From"] = "Yann Riou <yann.riou@villes-rives.example>"
    outer.set_content("Voir la pièce jointe, hugo@montelain.example")
    outer.add_attachment(inner)
    said = message.read(outer.as_bytes())

    assert forwards.author(said, quoting.read(said.text)) == SYLVIE
