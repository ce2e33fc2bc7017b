"""What leaves of a staff reply, and what never does."""

import hashlib
from dataclasses import replace
from email.message import EmailMessage

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
        ("2 340.\n- Échéance : jeudi 5 mars 2026", None),
        ("2 340.\n| Échéance : jeudi 5 mars 2026", None),
        ("2 340.\nOrganisme : Ville de\nKerbrec (adhérent) Échéance :\njeudi 5 mars 2026", None),
        ("> Combien ? Organisme : Ville de\n> Kerbrec (adhérent)\n2 340.", "2 340."),
        ("L’organisme est la Ville de Kerbrec.", "L’organisme est la Ville de Kerbrec."),
        (f"Voir mailto:{TOKEN.replace('+', '%2B')}", "Voir mailto:question@villes-rives.example"),
        ("Claire.Morvan%40villes-rives.example", "question@villes-rives.example"),
        (f"> https://centre.example/fichiers/{TOKEN[4:49]}\nOui.", "> question@villes-rives.example\nOui."),
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


MARKER = "--- Ce qui suit est interne : ne jamais transmettre. ---"
COPY = EmailMessage()
COPY["From"] = "question@villes-rives.example"
COPY.set_content(f"Une question.\n\n{MARKER}\nOrganisme : inconnu\n", cte="base64")
FORWARD = EmailMessage()
FORWARD.set_content("Voir ci-joint.")
FORWARD.add_attachment(COPY)


@pytest.mark.parametrize(
    "copy",
    [
        part("message/rfc822", COPY.as_bytes()),
        part("message/rfc822", FORWARD.as_bytes()),
        part("application/octet-stream", COPY.as_bytes(), "copie.EML"),
        part("application/octet-stream", MARKER.encode(), "copie.txt"),
        part("text/plain", f"Question\n{MARKER}".encode("utf-16"), "copie.txt"),
        part("text/plain", MARKER.replace(" : ", " :\n").encode(), "copie.txt"),
        part("text/html", f"<p>{MARKER.replace(' ', '&nbsp;')}</p>".encode(), "copie.html"),
        part("text/html", f'<a href="mailto:{TOKEN.replace("+", "%2B")}">x</a>'.encode(), "copie.html"),
    ],
)
def test_no_internal_copy_leaves_as_a_file_however_it_was_saved(copy):
    assert relay.enclosures([copy], KEPT_FROM, MARKER) is None


def test_an_invitation_leaves_without_the_addresses_of_staff():
    lines = [
        "BEGIN:VCALENDAR",
        "ORGANIZER;CN=Claire:mailto:claire.mor\r\n van@villes-rives.example",
        "ATTENDEE:mailto:n.benali@kerbrec.example",
        f"SUMMARY:{'Réunion ' * 20}",
        "END:VCALENDAR",
    ]
    invitation = "\r\n".join(lines).encode()
    (left,) = relay.enclosures([part("text/calendar", invitation, "rdv.ics")], KEPT_FROM, MARKER)
    (other,) = relay.enclosures([part("text/calendar", b"BEGIN:VCALENDAR\r\n")], KEPT_FROM, MARKER)

    whole = left.content.replace(b"\r\n ", b"").decode()
    assert "ORGANIZER;CN=Claire:mailto:question@villes-rives.example\r\n" in whole
    assert whole.split("\r\n")[2:] == lines[2:]
    assert max(map(len, left.content.split(b"\r\n"))) <= 75
    assert other.content == b"BEGIN:VCALENDAR\r\n"


def test_an_image_keeps_the_name_its_page_shows_it_by_without_the_address_of_staff():
    image = replace(part("image/png", b"x"), content_id="1.claire.morvan@villes-rives.example")
    (left,) = relay.enclosures([image], KEPT_FROM, MARKER)
    page = relay.html(f'<p>Ici <img src="cid:{image.content_id}"></p>', "Ici", KEPT_FROM)

    assert left.content_id == "1.question@villes-rives.example"
    assert page is not None
    assert f'src="cid:{left.content_id}"' in page


def test_a_visiting_card_stays_whatever_it_is_called():
    card = part("application/octet-stream", b"BEGIN:VCARD", "Claire Morvan.VCF")

    assert relay.enclosures([card], KEPT_FROM, MARKER) == ()


def test_no_address_of_staff_leaves_as_the_name_of_a_file():
    (left,) = relay.enclosures(
        [part("application/pdf", b"%PDF", "de claire.morvan@villes-rives.example.pdf")], KEPT_FROM, MARKER
    )

    assert left.filename == "de question@villes-rives.example.pdf"


@pytest.mark.parametrize(
    ("written", "reply"),
    [
        (
            "<p><span>Claire.Morvan</span>@villes-rives.example</p>",
            "Claire.Morvan@villes-rives.example",
        ),
        (
            "<blockquote>Organisme : Ville de Kerbrec (adhérent)</blockquote><p>2 340.</p>",
            "> Organisme : Ville de Kerbrec (adhérent)\n2 340.",
        ),
    ],
)
def test_html_never_says_what_its_words_may_not(written, reply):
    assert relay.html(written, reply, KEPT_FROM) is None


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


@pytest.mark.parametrize(
    "written",
    [
        "claire.morvan@villes-rives.example",
        "Claire.Morvan@VILLES-RIVES.example.",
        "<claire.morvan@villes-rives.example>",
        "_claire.morvan@villes-rives.example_",
        "écrivez-moi:claire.morvan@villes-rives.example,merci",
        "Merci.claire.morvan@villes-rives.example.Bien à vous",
        "https://x.example/?a=%3Cclaire.morvan%40villes-rives.example%3E",
        "x%20claire.morvan@villes-rives.example",
        "claire%2Emorvan%40villes-rives%2Eexample",
        "cl\u00adaire.morvan\u200b@villes-rives.example",
        "claire.morvan\uff20villes-rives.example",
        "E-mailclaire.morvan@villes-rives.exampleTél. 02 99",
    ],
)
def test_an_address_of_staff_is_masked_whatever_stands_beside_it(written):
    masked = relay.text(written, KEPT_FROM)

    assert masked is not None
    assert "morvan" not in masked.lower()
    assert "question@villes-rives.example" in masked


def test_no_half_of_an_address_that_ends_like_one_of_staff_stays():
    said = "Écrivez à marieclaire.morvan@villes-rives.example, ou à jean@villes-rives.example."

    assert relay.text(said, KEPT_FROM) == (
        "Écrivez à question@villes-rives.example, ou à jean@villes-rives.example."
    )


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
