"""The outgoing form of an issue: each rule of the checklist (lists.md section 3), on the very octets that leave."""

import re
import smtplib
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html import unescape

import dkim as dkimpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailhub.centre import publications
from mailhub.mail import address, compose, dkim, newsletter, preflight, wishes
from mailhub.mail.address import Mailbox
from mailhub.mail.newsletter import Blank, Form, Personal
from mailhub.mail.tokens import Purpose, Token
from mailhub.receive.limits import Limits
from mailhub.receive.smtp import Door, Kept
from tests import edition
from tests.edition import HOUR, MANUSCRIPT, RENDERER, SIGNER
from tests.journey import Loop
from tests.readers import KEYRING, LETTER

CENTRE = edition.centre()
MASTHEAD = publications.masthead(LETTER, CENTRE)
FORM = publications.typeset(LETTER, 57, MANUSCRIPT, CENTRE, RENDERER)
LEAVE = KEYRING.seal(Token(Purpose.LEAVE, 12, 34))
LINK = f"https://villes-rives.example/quitter/{LEAVE}"
NADIA = Personal(
    newsletter.to(Mailbox("Nadia Benali-Évrard", "n.benali@kerbrec.example")),
    "mh.abc.def@villes-rives.example",
    LEAVE,
    greeting="Bonjour Nadia Benali-Évrard,",
)
PUBLISHED = dict(dkim.record(key.selector, SIGNER.domain, key.private.public_key()) for key in SIGNER.keys)


def signed(form=FORM, reader=NADIA):
    copy = Form(form).copy(reader, HOUR)
    return SIGNER.headers_with(copy.head, copy.digest, when=1_772_528_400) + copy.raw


RAW = signed()
MAIL = message_from_bytes(RAW, policy=policy.default)


def words(kind):
    return MAIL.get_body((kind,)).get_content()


def names():
    return [name.lower() for name in MAIL]


def tags(field):
    return {
        name.strip(): re.sub(r"\s", "", text)
        for name, _, text in (tag.partition("=") for tag in field.split(";"))
    }


def problems(raw=RAW, reader=NADIA, masthead=MASTHEAD):
    return [str(problem) for problem in preflight.check(raw, masthead, reader)]


def test_a_copy_passes_its_own_checklist():
    assert problems() == []


def test_a_copy_passes_it_without_public_pages_and_without_html_too():
    centre = edition.centre(leave_url="")
    masthead = publications.masthead(LETTER, centre)
    plain = publications.Manuscript("Mars", "Bonjour.\n")
    for manuscript in (MANUSCRIPT, plain):
        raw = signed(publications.typeset(LETTER, 57, manuscript, centre, RENDERER))

        assert problems(raw, masthead=masthead) == []


# -- 3.1 authentication and names -------------------------------------------------------------------------------


def test_d1_spf_and_dkim_are_aligned_with_from():
    """The return path, the signing domain and From are of one domain."""
    returns = CENTRE.address(publications.manuscript.Service.RETURNS, LEAVE)

    assert {tags(field)["d"] for field in MAIL.get_all("DKIM-Signature")} == {"villes-rives.example"}
    assert address.domain_of(MAIL["From"].addresses[0].addr_spec) == "villes-rives.example"
    assert address.domain_of(returns) == "villes-rives.example"


@pytest.mark.parametrize("which", [0, 1])
def test_d1_another_library_verifies_each_signature(which):
    def record(name, timeout=5):
        return PUBLISHED[name.decode().rstrip(".")].encode()

    assert dkimpy.DKIM(RAW).verify(which, dnsfunc=record)


def test_d2_the_records_we_ask_for_include_a_dmarc_policy():
    records = {record.name: record.value for record in dkim.dns_records("villes-rives.example", SIGNER)}

    assert records["_dmarc.villes-rives.example"].startswith("v=DMARC1; p=none")


def test_d3_rsa_sha256_signs_first_with_2048_bits_and_ed25519_second():
    first, second = (tags(field) for field in MAIL.get_all("DKIM-Signature"))

    assert (first["a"], second["a"]) == ("rsa-sha256", "ed25519-sha256")
    assert SIGNER.keys[0].private.key_size == 2048


def test_d4_the_signature_covers_everything_that_says_who_and_what():
    wanted = "from to subject date message-id mime-version content-type list-id list-unsubscribe list-unsubscribe-post feedback-id"
    for field in MAIL.get_all("DKIM-Signature"):
        covered = tags(field)["h"].split(":")

        assert set(wanted.split()) <= set(covered)
        assert covered.count("from") == 2
        assert "l" not in tags(field)


def test_t17_the_signature_covers_the_headers_of_one_click():
    for field in MAIL.get_all("DKIM-Signature"):
        assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(tags(field)["h"].split(":"))


def test_d5_from_is_one_address_of_our_own():
    assert MAIL["From"] == "Villes & Rives <lettre@villes-rives.example>"


def test_d6_from_is_an_address_that_takes_mail_and_no_reply_goes_nowhere():
    assert CENTRE.is_ours(MAIL["From"].addresses[0].addr_spec)
    assert "reply-to" not in names()


@pytest.mark.parametrize("name", ["From", "List-Owner", "List-Help", "List-Unsubscribe"])
def test_d6_every_address_a_letter_names_takes_mail_at_our_own_door(name):
    addresses = re.findall(r"[\w.+-]+@villes-rives\.example", MAIL[name])
    loop = Loop()
    door = Door(_taken, CENTRE.is_ours, Limits(), "mail.villes-rives.example")
    (place,) = loop.run(door.listen(smtp=["127.0.0.1:0"]))
    with smtplib.SMTP("127.0.0.1", int(place.rpartition(":")[2]), "client.example", timeout=60) as client:
        said = client.sendmail("n.benali@kerbrec.example", addresses, b"Subject: AIDE\r\n\r\n")
    loop.run(door.close())
    loop.close()

    assert (len(addresses), said) == (1, {})


async def _taken(arrival):
    return [Kept.KEPT] * len(arrival.recipients)


def test_d9_nothing_depends_on_arc():
    assert not [name for name in names() if name.startswith("arc-")]


# -- 3.2 message form -------------------------------------------------------------------------------------------


def test_d11_what_must_stand_once_stands_once():
    for name in ("date", "from", "message-id", "to", "subject"):
        assert names().count(name) == 1
    for name in ("cc", "sender", "reply-to"):
        assert names().count(name) <= 1


def test_d11_the_message_id_is_of_the_issue_and_the_reader_and_always_the_same(sqlite_url):
    run = edition.Edition(edition.Database(sqlite_url))
    run.subscribe(2)
    run.release()
    first, second = run.letters()
    ids = {first.message_id, second.message_id}
    token = publications.manuscript.threads.token_of_id(KEYRING, first.message_id)

    assert len(ids) == 2
    assert (token.purpose, token.thread, token.person) == (Purpose.ISSUE, 1, first.subscription_id)
    assert first.message_id == publications.manuscript.threads.message_id(
        KEYRING, token, first.key, CENTRE.domain
    )
    run.database.close()


def test_d12_every_line_is_ascii_short_and_ends_as_it_should():
    assert RAW.isascii()
    assert RAW.count(b"\n") == RAW.count(b"\r") == RAW.count(b"\r\n")
    assert max(map(len, RAW.split(b"\r\n"))) <= 998
    body = RAW.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 78


def test_d13_the_text_comes_first_and_bears_the_same_links():
    kinds = [part.get_content_type() for part in MAIL.walk() if not part.is_multipart()]
    linked = {unescape(link) for link in re.findall(r'href="(https?:[^"]+)"', words("html"))}

    assert kinds == ["text/plain", "text/html"]
    assert linked == set(re.findall(r"https?://\S+", words("plain")))
    assert not re.search(r"<(?:form|script|input|iframe)|display\s*:\s*none", words("html"))


def test_d14_the_subject_is_ours_and_pretends_nothing():
    form = publications.typeset(
        LETTER,
        57,
        publications.Manuscript("Été : « 12 idées »\r\nBcc: x@y.example", "Bonjour"),
        CENTRE,
        RENDERER,
    )
    mail = message_from_bytes(signed(form), policy=policy.default)

    assert mail["Subject"] == "Été : « 12 idées » Bcc: x@y.example"
    assert mail["Bcc"] is None


def test_d15_the_display_name_is_the_centres():
    assert MAIL["From"].addresses[0].display_name == "Villes & Rives"


def test_d16_the_whole_and_the_html_are_small_enough():
    assert len(RAW) < preflight.MOST_OCTETS
    assert len(words("html").encode()) < preflight.MOST_HTML_OCTETS


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_d17_both_parts_say_how_to_leave_in_french_with_a_link_and_by_reply(kind):
    assert "répondez DÉSABONNER" in words(kind)
    assert LINK in words(kind)


def test_d17_what_the_reader_is_told_to_reply_is_understood():
    wish = wishes.read("DÉSABONNER", "Re: Les rencontres de mars", now=HOUR.date())

    assert wish.kind is wishes.Kind.LEAVE


# -- 3.3 lists --------------------------------------------------------------------------------------------------


def test_d18_list_id_is_the_same_for_every_issue():
    assert MAIL["List-Id"] == "Lettre mensuelle <lettre.villes-rives.example>"


def test_d18_a_title_with_any_signs_makes_a_sound_list_id():
    label = newsletter.headers(edition.centre() and MASTHEAD, 57)[0][1]
    odd = newsletter.Masthead(
        "x", 'L’info, "rapide" <vite>', "x", "a.example", MASTHEAD.sender, "c@a.example", "stop"
    )

    assert label.endswith("<lettre.villes-rives.example>")
    assert dict(newsletter.headers(odd, 1))["List-Id"] == "L’info rapide vite <x.a.example>"


def test_d19_the_headers_of_a_list_stand_once_each():
    expected = {
        "List-Help": "<mailto:lettre@villes-rives.example?subject=AIDE>",
        "List-Subscribe": "<mailto:lettre@villes-rives.example?subject=ABONNEMENT>",
        "List-Owner": "<mailto:contact@villes-rives.example>",
        "List-Post": "NO",
    }

    assert {name: MAIL[name] for name in expected} == expected
    assert all(names().count(name.lower()) == 1 for name in expected)


def test_d19_what_the_list_headers_write_is_understood():
    for subject, kind in (("AIDE", wishes.Kind.HELP), ("ABONNEMENT", wishes.Kind.JOIN)):
        assert wishes.read("", subject, now=HOUR.date()).kind is kind


def test_d20_one_click_is_one_https_address_and_exactly_those_words():
    ways = re.findall(r"<([^>]+)>", MAIL["List-Unsubscribe"])

    assert ways == [LINK, f"mailto:stop+{LEAVE}@villes-rives.example"]
    assert MAIL.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]


def test_t20_https_stands_first_and_mailto_alone_without_public_pages():
    centre = edition.centre(leave_url="")
    raw = signed(publications.typeset(LETTER, 57, MANUSCRIPT, centre, RENDERER))
    mail = message_from_bytes(raw, policy=policy.default)

    assert MAIL["List-Unsubscribe"].startswith("<https://")
    assert mail["List-Unsubscribe"] == f"<mailto:stop+{LEAVE}@villes-rives.example>"
    assert mail["List-Unsubscribe-Post"] is None
    text = mail.get_body(("plain",)).get_content()
    assert f"stop+{LEAVE}@villes-rives.example\r\n\r\nPour changer d’adresse" in text, "each way stands apart"


def test_d21_the_token_is_opaque_names_list_and_person_never_ends_and_does_nothing_else(sqlite_url):
    run = edition.Edition(edition.Database(sqlite_url))
    (subscription,) = run.subscribe(1)
    run.release()
    raw = run.raw(run.letters()[0])
    (text,) = set(re.findall(rb"stop\+([a-z2-7]{45})@", raw))

    assert KEYRING.open(text.decode()) == Token(Purpose.LEAVE, subscription, 1, 0)
    run.database.close()


def test_d22_a_link_tells_nothing_that_a_get_could_do():
    """One path, one token, no verb and no parameter: what the page does on GET is the page's own test."""
    assert re.fullmatch(r"https://villes-rives\.example/quitter/[a-z2-7]{45}", LINK)


def test_d24_the_mailto_needs_no_subject_and_no_body():
    assert f"<mailto:stop+{LEAVE}@villes-rives.example>" in MAIL["List-Unsubscribe"]


def test_d25_a_mailto_stands_besides_for_readers_without_a_browser():
    assert "mailto:" in MAIL["List-Unsubscribe"]


def test_d26_feedback_id_names_issue_kind_list_and_sender_and_no_reader():
    issue, kind, name, sender = MAIL["Feedback-ID"].split(":")

    assert (issue, kind, name) == ("lettre-57", "issue", "lettre")
    assert re.fullmatch(r"[a-z0-9]{5,15}", sender)
    assert sender == publications.masthead(LETTER, edition.centre(leave_url="")).sender_id


def test_t28_a_letter_is_bulk_and_no_automatic_answer():
    assert MAIL["Precedence"] == "bulk"
    assert MAIL["Auto-Submitted"] is None


def test_d47_two_copies_differ_in_salutation_token_message_id_and_address_alone():
    other = Personal(
        newsletter.to(Mailbox("Hugo Perrin", "hugo@montelain.example")),
        "mh.zzz.zzz@villes-rives.example",
        "b" * 45,
        greeting="Bonjour Hugo Perrin,",
    )
    one, two = (Form(FORM).copy(reader, HOUR).raw.decode() for reader in (NADIA, other))
    for mine, theirs in (
        (NADIA.to, other.to),
        (NADIA.message_id, other.message_id),
        (NADIA.leave, other.leave),
        ("Bonjour Nadia Benali-=C3=89vrard,", "Bonjour Hugo Perrin,"),
    ):
        one = one.replace(mine, theirs)

    assert one == two
    assert "<img" not in one


# -- the form ---------------------------------------------------------------------------------------------------


@given(
    greeting=st.text(max_size=120),
    text=st.text(alphabet="abc é.\n=" + "x", max_size=200),
    place=st.integers(0, 200),
)
def test_whatever_stands_around_a_blank_it_is_filled_in_whole_and_hashed_right(greeting, text, place):
    written = text[:place] + MASTHEAD.leave_link + text[place:] + Blank.GREETING
    form = newsletter.write(MASTHEAD, 1, subject="x", text=written)
    reader = Personal(NADIA.to, "a@b", LEAVE, greeting=greeting)

    copy = Form(form).copy(reader, HOUR)
    said = message_from_bytes(copy.raw, policy=policy.default).get_content()

    assert dkim.body_hash(copy.body) == copy.digest
    assert max(map(len, copy.body.split(b"\r\n"))) <= 78
    assert LINK in said.replace("\r\n", "\n")
    assert not re.search(rb"(?m)^\.", copy.body.replace(text.encode(), b"")) or "." in text
    shown = newsletter.fields.one_line(greeting).encode("utf-8", "replace").decode()
    assert said.rstrip("\r\n").endswith(shown)


def test_the_same_words_make_the_same_form_and_its_hash_stands_for_them():
    assert publications.typeset(LETTER, 57, MANUSCRIPT, CENTRE, RENDERER) == FORM


def test_a_form_bears_no_reader_no_date_and_no_message_id():
    head = FORM.partition(b"\r\n\r\n")[0].lower()

    assert not re.search(rb"^(?:to|date|message-id):", head, re.MULTILINE)


def test_no_token_ever_looks_like_a_blank():
    """Base32 has no zero."""
    assert all("0" in blank and len(blank) == newsletter.TOKEN_LENGTH for blank in Blank)
    assert len(LEAVE) == newsletter.TOKEN_LENGTH


def test_what_fills_a_blank_is_a_token_or_nothing():
    with pytest.raises(newsletter.Refused):
        Form(FORM).copy(Personal(NADIA.to, "a@b", "x\r\nBcc: all@x.example"), HOUR)


def test_an_image_of_the_issue_travels_with_it():
    logo = compose.Enclosure("logo.png", "image/png", b"\x89PNG")
    manuscript = publications.Manuscript(
        "Mars", "Bonjour", '<p><img src="logo.png" alt="Le logo"></p>', (logo,)
    )

    raw = signed(publications.typeset(LETTER, 57, manuscript, CENTRE, RENDERER))

    assert problems(raw) == []
    assert b"multipart/related" in raw


def test_dates_are_those_of_the_release():
    assert MAIL["Date"].datetime == datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
