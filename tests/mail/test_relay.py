"""What leaves of a staff reply, and what never does."""

import hashlib

import pytest

from mailhub.mail import clean, relay
from mailhub.mail.message import Part

KEPT_FROM = relay.secrets(
    addresses=["claire.morvan@villes-rives.example"],
    machine_locals=["rep", "note", "retours"],
    domain="villes-rives.example",
    stand_in="question@villes-rives.example",
    internal_texts=[
        "Organisme     : Ville de Kerbrec (adhérent)\nÉchéance      : jeudi 5 mars 2026\nBonjour,\n"
    ],
)
TOKEN = "rep+abcdefghijklmnopqrstuvwxyz234567abcdefghijklm@villes-rives.example"


def part(content_type: str, payload: bytes, name: str = "x") -> Part:
    return Part(name, content_type, payload, hashlib.sha256(payload).hexdigest(), False, None)


@pytest.mark.parametrize(
    ("reply", "leaves"),
    [
        ("Bonjour,\n2 340 habitants.", "Bonjour,\n2 340 habitants."),
        ("Écrivez à Claire.Morvan@villes-rives.example", "Écrivez à question@villes-rives.example"),
        (f"> répondez à {TOKEN}\nOui.", "> répondez à question@villes-rives.example\nOui."),
        ("> Combien ?\n2 340.\n> Organisme : Ville de Kerbrec (adhérent)", "> Combien ?\n2 340."),
        ("Voici.\nOrganisme     :  Ville de Kerbrec (adhérent)", None),
        ("2 340.\nÉchéance : jeudi 5 mars 2026", None),
    ],
)
def test_words_that_leave(reply, leaves):
    assert relay.text(reply, KEPT_FROM) == leaves


def test_files_leave_as_they_are_but_for_cards_signatures_and_copies():
    pdf = part("application/pdf", b"%PDF-1.7 ...", "carte.pdf")
    copy = part("message/rfc822", f"To: {TOKEN}\r\n\r\n".encode())

    assert [
        e.filename
        for e in relay.enclosures([pdf, part("text/vcard", b"BEGIN:VCARD")], KEPT_FROM, "--- interne")
    ] == ["carte.pdf"]
    assert relay.enclosures([pdf, copy], KEPT_FROM, "--- interne") is None
    assert (
        relay.enclosures([part("message/rfc822", b"\r\n\r\n--- interne")], KEPT_FROM, "--- interne") is None
    )


@pytest.mark.parametrize(
    "history",
    [
        '<div class="gmail_quote"><div>Le mar. 3 mars, Villes &amp; Rives a écrit :</div><blockquote>la copie</blockquote></div>',
        '<hr><div id="divRplyFwdMsg"><b>De :</b> Villes &amp; Rives<br><b>Objet :</b> [Q-2026-0001]</div><div>la copie</div>',
        "<blockquote type=cite>la copie</blockquote>",
        "",
    ],
)
def test_html_leaves_up_to_where_the_words_end(history):
    written = f'<html><body><p>Bonjour <b>Madame</b>,</p><p>la carte : <img src="cid:carte@x"></p>{history}</body></html>'

    left = relay.html(written, "Bonjour Madame,\n\nla carte : [image: carte.png]", KEPT_FROM)

    assert left == '<p>Bonjour <b>Madame</b>,</p><p>la carte : <img src="cid:carte@x"></p>'


def test_html_that_says_something_else_does_not_leave():
    assert relay.html("<p>Bonjour, note interne : non.</p>", "Bonjour", KEPT_FROM) is None


def test_no_address_of_staff_leaves_in_html():
    left = relay.html(
        '<p>Écrivez <a href="mailto:claire.morvan@villes-rives.example">ici</a></p>', "Écrivez ici", KEPT_FROM
    )

    assert left == '<p>Écrivez <a href="mailto:question@villes-rives.example">ici</a></p>'


def test_nothing_is_fetched_from_afar_and_nothing_runs():
    hostile = (
        '<p style="background:url(https://pister.example/x)" onclick="x()">Bonjour'
        '<img src="https://pister.example/p.gif"><img src="cid:a"><script>x()</script>'
        '<a href="javascript:x()">lien</a><svg onload=x()></svg></p>'
    )

    assert clean.html(hostile) == '<p>Bonjour<img><img src="cid:a"><a>lien</a></p>'
    assert clean.html("<div>" * 100_000) is None
