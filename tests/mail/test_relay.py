"""What leaves of a staff reply, and what never does."""

import hashlib
import time
from dataclasses import replace
from email.message import EmailMessage

import pytest

from mailhub.mail import clean, enclosures, message, relay, secrecy
from mailhub.mail.message import Part

MARKER = "--- Ce qui suit est interne : ne jamais transmettre. ---"
PLACES = {
    "machine_locals": ["rep", "note", "retours"],
    "domain": "villes-rives.example",
    "stand_in": "question@villes-rives.example",
    "marker": MARKER,
    "copies": [],
    "shown": [],
}
KEPT_FROM = secrecy.secrets(
    addresses=["claire.morvan@villes-rives.example"],
    machine_locals=["rep", "note", "retours"],
    domain="villes-rives.example",
    stand_in="question@villes-rives.example",
    marker=MARKER,
    copies=[
        f"""Un tiers, Hugo Perrin, a écrit dans ce fil.

Je voudrais ces chiffres aussi.
> Quelle est la population ?

{MARKER}
Organisme     : Ville de Kerbrec (adhérent)
Échéance      : jeudi 5 mars 2026
Bonjour,
"""
    ],
    shown=["Quelle est la population ?"],
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
        (f"Voir (https://centre.example/f?x={TOKEN[4:49]}#a).", "Voir (question@villes-rives.example#a)."),
        (f"Voir {TOKEN[:49]} tout court", "Voir question@villes-rives.example tout court"),
        (f"Voir {TOKEN[:49]}\n> {TOKEN[49:]}", "Voir question@villes-rives.example"),
        ("Écrivez à claire.morvan@villes-\n> rives.example", "Écrivez à question@villes-rives.example"),
        # words of a third party and ours about them, quoted by an answer between them, stay; the asker's own leave
        ("> Un tiers, Hugo Perrin, a écrit dans ce fil.\nNon.", "Non."),
        (
            "> Je voudrais ces chiffres\n> aussi.\nNon.\n>> Quelle est la population ?",
            "Non.\n>> Quelle est la population ?",
        ),
        (
            "> Un tiers, Hugo Perrin, a écrit dans ce fil.\n>\n> \n> Quelle est la population ?\n2 340.",
            "> Quelle est la population ?\n2 340.",
        ),
        ("Hugo écrit : je voudrais ces chiffres aussi.", "Hugo écrit : je voudrais ces chiffres aussi."),
        # the copy of another request: of its internal part nothing is known here but where it begins
        (
            f"> Combien ?\n2 340.\n> {MARKER}\n> Suivi par : Yann\nEt puis ?\n> Téléphone : 02 99",
            "> Combien ?\n2 340.\nEt puis ?",
        ),
        (f"2 340.\n{MARKER}", None),
    ],
)
def test_words_that_leave(reply, leaves):
    assert relay.text(reply, KEPT_FROM) == leaves


def test_an_asker_who_writes_the_marker_hides_nothing_and_closes_nothing():
    """Above our own marker all that the asker wrote is theirs to see again, and what stands below it stays."""
    question = f"Bonjour,\n{MARKER}\nCombien d’habitants à Kerbrec ?"
    kept_from = secrecy.secrets(
        addresses=[],
        machine_locals=["rep"],
        domain="villes-rives.example",
        stand_in="question@villes-rives.example",
        marker=MARKER,
        copies=[f"Nouvelle question de Nadia.\n\n{question}\n\n{MARKER}\nSuivi par : Yann Riou\n"],
        shown=[question],
    )

    assert relay.text("2 340.\nCombien d’habitants à Kerbrec ?", kept_from) is not None
    assert relay.text("2 340.\nSuivi par : Yann Riou", kept_from) is None


def test_files_leave_as_they_are_but_for_cards_signatures_and_copies():
    pdf = part("application/pdf", b"%PDF-1.7 ...", "carte.pdf")
    copy = part("message/rfc822", f"To: {TOKEN}\r\n\r\n".encode())

    assert [e.filename for e in enclosures.leaving([pdf, part("text/vcard", b"BEGIN:VCARD")], KEPT_FROM)] == [
        "carte.pdf"
    ]
    assert enclosures.leaving([pdf, copy], KEPT_FROM) is None
    assert enclosures.leaving([part("message/rfc822", f"\r\n\r\n{MARKER}".encode())], KEPT_FROM) is None


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
        part("application/vnd.ms-outlook", bytes(99) + MARKER.encode("utf-16-le") + bytes(9), "copie.msg"),
        part("text/html", f"<p>{MARKER}</p>".encode("utf-16-be"), "copie.htm"),
        part("application/octet-stream", f"<p>{MARKER.replace(' ', '&#160;')}</p>".encode(), "copie.html"),
        part("text/plain", b"> --- Ce qui suit est interne :\n> ne jamais\n> transmettre. ---", "copie.txt"),
        part("application/octet-stream", COPY.as_bytes(), "copie.txt"),
        part("application/octet-stream", b"From - Tue Mar  3 10:00:00 2026\r\n" + COPY.as_bytes(), "copie"),
        part("application/octet-stream", b"\xef\xbb\xbf" + COPY.as_bytes(), "copie"),
    ],
)
def test_no_internal_copy_leaves_as_a_file_however_it_was_saved(copy):
    assert enclosures.leaving([copy], KEPT_FROM) is None


def test_an_invitation_leaves_without_the_addresses_of_staff():
    lines = [
        "BEGIN:VCALENDAR",
        "ORGANIZER;CN=Claire:mailto:claire.mor\r\n van@villes-rives.example",
        "ATTENDEE:mailto:n.benali@kerbrec.example",
        f"SUMMARY:{'Réunion ' * 20}",
        "END:VCALENDAR",
    ]
    invitation = "\r\n".join(lines).encode()
    (left,) = enclosures.leaving([part("text/calendar", invitation, "rdv.ics")], KEPT_FROM)
    (other,) = enclosures.leaving([part("text/calendar", b"BEGIN:VCALENDAR\r\n")], KEPT_FROM)

    whole = left.content.replace(b"\r\n ", b"").decode()
    assert "ORGANIZER;CN=Claire:mailto:question@villes-rives.example\r\n" in whole
    assert whole.split("\r\n")[2:] == lines[2:]
    assert max(map(len, left.content.split(b"\r\n"))) <= 75
    assert other.content == b"BEGIN:VCALENDAR\r\n"


def test_an_image_keeps_the_name_its_page_shows_it_by_without_the_address_of_staff():
    image = replace(part("image/png", b"x"), content_id="1.claire.morvan@villes-rives.example")
    (left,) = enclosures.leaving([image], KEPT_FROM)
    page = relay.html(f'<p>Ici <img src="cid:{image.content_id}"></p>', "Ici", KEPT_FROM)

    assert left.content_id == "1.question@villes-rives.example"
    assert page is not None
    assert f'src="cid:{left.content_id}"' in page


@pytest.mark.parametrize(
    ("content_type", "name"),
    [
        ("application/octet-stream", "Claire Morvan.VCF"),
        ("application/vcard", "carte"),
        ("application/pgp-keys", "OpenPGP_0xABCDEF.asc"),
        ("application/octet-stream", "smime.p7s"),
        ("application/octet-stream", "winmail.dat"),
        ("application/vnd.ms-tnef", "reponse.dat"),
        ("text/x-amp-html", ""),
    ],
)
def test_what_mail_programs_enclose_unasked_stays_whatever_it_is_called(content_type, name):
    assert (
        enclosures.leaving([part(content_type, b"claire.morvan@villes-rives.example", name)], KEPT_FROM) == ()
    )


@pytest.mark.parametrize(
    ("content_type", "name"),
    [("text/plain", "liste.txt"), ("message/rfc822", ""), ("application/octet-stream", "liste.csv")],
)
def test_no_address_of_staff_leaves_in_a_file_one_can_read(content_type, name):
    written = b"Cc: claire.morvan@villes-rives.example\r\n\r\nb\xe9\r\n"
    (left,) = enclosures.leaving([part(content_type, written, name)], KEPT_FROM)

    assert left.content == b"Cc: question@villes-rives.example\r\n\r\nb\xe9\r\n"


def test_a_text_file_of_two_octets_a_letter_leaves_without_the_addresses_of_staff():
    written = "Contact : claire.morvan@villes-rives.example\r\n".encode("utf-16")
    (left,) = enclosures.leaving([part("text/plain", written, "contacts.txt")], KEPT_FROM)

    assert left.content.decode("utf-16") == "Contact : question@villes-rives.example\r\n"


def test_a_text_file_cut_short_leaves_with_its_last_octet():
    written = "Contact : claire.morvan@villes-rives.example".encode("utf-16") + b"\n"
    (left,) = enclosures.leaving([part("text/plain", written, "contacts.txt")], KEPT_FROM)

    assert left.content == "Contact : question@villes-rives.example".encode("utf-16") + b"\n"


PASSED_ON = EmailMessage()
PASSED_ON.set_content("Voyez avec claire.morvan@villes-rives.example.", cte="base64")


@pytest.mark.parametrize(
    "file",
    [
        part("message/rfc822", PASSED_ON.as_bytes()),
        part("text/html", b"<p>claire.morvan&#64;villes-rives.example</p>", "page.html"),
    ],
)
def test_a_file_whose_reader_finds_an_address_of_staff_that_its_octets_hide_stays(file):
    assert enclosures.leaving([file], KEPT_FROM) is None


def test_a_document_leaves_octet_by_octet():
    written = b"%PDF-1.7\r\n/Author (claire.morvan@villes-rives.example)\0"
    (left,) = enclosures.leaving([part("application/pdf", written, "carte.pdf")], KEPT_FROM)

    assert left.content == written


@pytest.mark.parametrize(
    ("head", "sealed"),
    [
        ('application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"', True),
        ("application/x-pkcs7-mime; smime-type=signed-data", True),
        ("multipart/encrypted; boundary=x\r\n\r\n--x\r\nContent-Type: application/pgp-encrypted", True),
        (
            "multipart/encrypted; boundary=x\r\n\r\n--x\r\nContent-Type: application/octet-stream; name=version.asc",
            True,
        ),
        ("text/plain\r\n\r\n-----BEGIN PGP MESSAGE-----", True),
        ('application/pkcs7-mime; name="contrat.pdf.p7m"', False),
        (
            "multipart/signed; boundary=x\r\n\r\n--x\r\n\r\nBonjour\r\n--x\r\nContent-Type: application/pkcs7-signature",
            False,
        ),
    ],
)
def test_words_in_a_closed_envelope_are_known(head, sealed):
    said = message.read(f"MIME-Version: 1.0\r\nContent-Type: {head}\r\n\r\nMIAGCSqGSIb3\r\n".encode())

    assert relay.is_sealed(said, said.text) is sealed


def test_an_answer_to_a_sealed_question_is_open():
    said = message.read(b"Subject: Re: x\r\n\r\nBonjour.\r\n\r\n> -----BEGIN PGP MESSAGE-----\r\n")

    assert not relay.is_sealed(said, "Bonjour.")


def test_no_address_of_staff_leaves_as_the_name_of_a_file():
    (left,) = enclosures.leaving(
        [part("application/pdf", b"%PDF", "de claire.morvan@villes-rives.example.pdf")], KEPT_FROM
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


@pytest.mark.parametrize(
    "written",
    [
        "<p>Bonjour, note interne : non.</p>",
        '<div style="display:none">note interne</div><p>Bonjour</p>',
        '<span style="mso-hide:all">note interne</span><p>Bonjour</p>',
        '<p style="font-size:0">note interne</p><p>Bonjour</p>',
        "<p hidden>note interne</p><p>Bonjour</p>",
        "<p>[image: note interne]</p><p>Bonjour</p>",
        '<p><img alt="note interne" src="cid:a">Bonjour</p>',
    ],
)
def test_html_that_says_something_else_does_not_leave(written):
    """Asked of what leaves: cleaned, it would show what its author's own screen did not."""
    assert relay.html(written, "Bonjour", KEPT_FROM) is None


@pytest.mark.parametrize(
    ("written", "reply"),
    [
        ("<p>Bonjour</p>", "http://a" * 100_000),
        (f"<p>Bonjour</p>{'<hr>' * 4_000}<p>Bonjour</p>", "BonjourBonjour"),
        (f"<p>Bonjour</p>{'<ul><li>' * 100_000}", "Bonjour"),
        (f"{'<b><i>' * 2_400}Bonjour", "Bonjour"),
        (f"<p>Bonjour</p>{'<ul><li>' * 4_900}", "Bonjour"),
        ("<p>Bonjour</p>" + "<br>\n" * 100_000, "Bonjour"),
    ],
)
def test_no_answer_keeps_the_others_waiting(written, reply):
    """S16. Ten times what is needed: no verdict hangs on a busy machine."""
    started = time.process_time()

    relay.text(reply, KEPT_FROM)
    relay.html(written, reply, KEPT_FROM)

    assert time.process_time() - started < 5


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


@pytest.mark.parametrize(
    "address",
    [
        "marieclaire.morvan@villes-rives.example",
        "marie-claire.morvan@villes-rives.example",
        "anne.claire.morvan@villes-rives.example",
        "claire.morvan@villes-rives.example.org",
        "claire.morvan+listes@villes-rives.example",
    ],
)
def test_no_half_of_an_address_that_looks_like_one_of_staff_stays(address):
    said = f"Écrivez à {address}, ou à jean@villes-rives.example."

    assert relay.text(said, KEPT_FROM) == (
        "Écrivez à question@villes-rives.example, ou à jean@villes-rives.example."
    )


@pytest.mark.parametrize("written", ["anne@médiathèque.example", "anne%40m%C3%A9diath%C3%A8que.example"])
def test_an_address_of_staff_in_a_domain_with_accents_is_masked_in_either_form(written):
    kept_from = secrecy.secrets(addresses=["anne@xn--mdiathque-53af.example"], **PLACES)

    assert kept_from.mask(f"Voir {written} !") == "Voir question@villes-rives.example !"


@pytest.mark.parametrize(
    "lines",
    [
        [f"ligne numéro {number} du tiers" for number in range(18_000)],
        ["a" * length for length in range(12, 600)],
        ["a" * length for length in range(12, 40)] * 300,
    ],
    ids=["many", "of-many-lengths", "again-and-again"],
)
def test_a_copy_of_many_lines_is_looked_through_in_a_moment(lines: list[str]):
    kept_from = secrecy.secrets(addresses=[], **PLACES | {"copies": ["\n".join(lines)]})
    started = time.process_time()
    left = kept_from.leaving("\n".join([*(f"> {line}" for line in lines), "Oui."]))

    assert left == "Oui."
    assert time.process_time() - started < 5


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
