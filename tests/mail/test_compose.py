"""Letters as they leave: read back by the standard library, checked octet by octet, and attacked with any text."""

import dataclasses
import email
import re
from datetime import UTC, datetime, timedelta, timezone
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailhub.errors import Refused
from mailhub.mail import address, compose, words
from mailhub.mail.address import Mailbox
from mailhub.mail.draft import Draft, Enclosure

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=timezone(timedelta(hours=1)))
DOMAIN = "centre.example"
PLAIN = Draft(
    key="answer:Q-2026-0143:7",
    kind="answer",
    sender=Mailbox("Centre de ressources", "question@centre.example"),
    recipient=Mailbox("Hélène Le Goff", "helene@mairie.example"),
    subject="Re: Les jardins partagés [Q-2026-0143]",
    text="Bonjour,\n\nVoici la réponse.\n.\nFrom nous à vous : l’été — 12 € 🌻\n-- \nLe centre\n",
)
HTML = "<p>Bonjour,</p>\n<p>Voici la réponse <img src='cid:logo'></p>\n"


def draft(**changes: Any) -> Draft:
    return dataclasses.replace(PLAIN, **changes)


def written(letter: Draft) -> bytes:
    return compose.to_bytes(letter, date=NOON, domain=DOMAIN)


def read(raw: bytes) -> EmailMessage:
    """Read a letter back, after what must hold of every letter."""
    assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()
    assert b"\0" not in raw
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    assert not [part.defects for part in message.walk() if part.defects]
    assert not [value.defects for value in message.values() if getattr(value, "defects", ())]
    return message


def letter(**changes: Any) -> EmailMessage:
    return read(written(draft(**changes)))


def said(part: EmailMessage | None) -> str:
    """The text of a part, its lines ended as the draft ends them."""
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def header_block(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[0] + b"\r\n"


def names(raw: bytes) -> list[str]:
    """Every header a lenient reader would find: whatever follows a line end of any kind, unless it is folded."""
    lines = re.split(r"\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", header_block(raw).decode())
    return [line.partition(":")[0].lower() for line in lines if line and line[0] not in " \t"]


# -- the whole letter -------------------------------------------------------------------------------------------


def test_a_plain_answer_is_these_octets():
    assert written(PLAIN) == (
        b"From: Centre de ressources <question@centre.example>\r\n"
        b"To: =?utf-8?b?SMOpbMOobmUgTGUgR29mZg==?= <helene@mairie.example>\r\n"
        b"Subject: Re: Les jardins =?utf-8?b?cGFydGFnw6lz?= [Q-2026-0143]\r\n"
        b"Date: Tue, 03 Mar 2026 12:00:00 +0100\r\n"
        b"Message-ID: <letter.4060da3fdeeb0a01df70b961c148b34e@centre.example>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b"\r\n"
        b"Bonjour,\r\n"
        b"\r\n"
        b"Voici la r=C3=A9ponse.\r\n"
        b"=2E\r\n"
        b"From nous =C3=A0 vous : l=E2=80=99=C3=A9t=C3=A9 =E2=80=94 12 =E2=82=AC =F0=\r\n"
        b"=9F=8C=BB\r\n"
        b"--=20\r\n"
        b"Le centre\r\n"
    )


def test_the_same_draft_gives_the_same_octets():
    with_all = draft(html=HTML, enclosures=(Enclosure("a.txt", "text/plain", b"a"),))

    assert written(with_all) == written(with_all)


def test_what_was_written_is_what_is_read():
    message = letter(
        reply_to="rep+abcdefgh@centre.example", in_reply_to="q1@mairie.example", references=("q0@x", "q1@x")
    )

    assert message["From"].addresses == (Address("Centre de ressources", "question", "centre.example"),)
    assert message["To"].addresses == (Address("Hélène Le Goff", "helene", "mairie.example"),)
    assert message["Subject"] == PLAIN.subject
    assert message["Date"].datetime == NOON
    assert message["Reply-To"] == "rep+abcdefgh@centre.example"
    assert message["In-Reply-To"] == "<q1@mairie.example>"
    assert message["References"] == "<q0@x> <q1@x>"
    assert message["Message-ID"] == f"<{compose.message_id(PLAIN.key, DOMAIN)}>"
    assert said(message) == PLAIN.text


def test_each_header_stands_once():
    found = names(written(draft(automatic="auto-replied", reply_to="a@centre.example", html=HTML)))

    assert sorted(found) == sorted(set(found))


# -- headers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Sans accent",
        "Été",
        "Votre demande « Économies d’énergie à l’école » du 12 février, et la suite que nous lui donnons : Été 2026",
        "🌻" * 60,
        "Юридическая помощь и энергия",
        "Un lien https://mairie.example/" + "tres-long-chemin/" * 8 + " et après",
        "Anticonstitutionnellement" * 9,
        "=?utf-8?q?d=C3=A9j=C3=A0_cod=C3=A9?=",
        "=?utf-8?q?piege=0D=0ABcc:_x@y.example?=",
        "Prix : 12 € = 3 ? 4 _ 5",
        "e\u0301 combinés et \u00a0insécable !",
    ],
)
def test_any_subject_is_read_as_it_was_written(subject: str):
    raw = written(draft(subject=subject))

    assert read(raw)["Subject"] == subject
    assert max(map(len, header_block(raw).split(b"\r\n"))) <= 78


def test_a_subject_keeps_its_plain_words_readable():
    raw = written(draft(subject="Re: Les économies à l'école [Q-2026-0143]"))

    assert b"Subject: Re: Les =?" in raw
    assert b"?= [Q-2026-0143]\r\n" in raw


def test_a_line_within_a_subject_becomes_a_space():
    assert letter(subject=" Une\r\nBcc: x@y.example\u2028suite\0 ")["Subject"] == "Une Bcc: x@y.example suite"


def test_an_endless_subject_is_cut():
    subject = letter(subject="é" * 5000)["Subject"]

    assert subject == "é" * 254 + "…"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Hélène Le Goff", "Hélène Le Goff"),
        ("Le Goff, Hélène", "Le Goff, Hélène"),
        ("Dr. Le Goff", "Dr. Le Goff"),
        ("O'Neil", "O'Neil"),
        ('La "Ruche" \\ Brest', 'La "Ruche" \\ Brest'),
        ("Mairie (service énergie) ; accueil", "Mairie (service énergie) ; accueil"),
        ("=?utf-8?q?x?=", "=?utf-8?q?x?="),
        ("A" * 200, "A" * 79 + "…"),
        ("Centre d'information et de ressources sur les économies d'énergie", None),
        ("evil@x.example", ""),
        ("Paul\r\nBcc: x", "Paul Bcc: x"),
        ("  ", ""),
        (None, ""),
    ],
)
def test_a_display_name_is_shown_as_it_is_and_never_holds_an_address(name: str | None, shown: str | None):
    message = email.message_from_bytes(written(draft(recipient=Mailbox(name, "helene@mairie.example"))))

    # Not the standard library: it leaves the blank between two encoded words of a name, against RFC 2047 section 6.2
    (box,) = address.read_list(message["To"].replace("\r\n", ""), decode=words.decode)
    assert box == Mailbox((name if shown is None else shown) or None, "helene@mairie.example")


def test_a_domain_beyond_ascii_is_written_in_ascii():
    message = letter(recipient=Mailbox("Ville", "accueil@brest-métropole.example"), reply_to="a@été.example")

    assert message["To"] == "Ville <accueil@xn--brest-mtropole-hkb.example>"
    assert message["Reply-To"] == "a@xn--t-9fab.example"


def test_a_local_part_beyond_ascii_is_the_only_thing_that_is():
    raw = written(draft(recipient=Mailbox("Hélène", "hélène@brest-métropole.example")))

    assert [line for line in raw.split(b"\r\n") if not line.isascii()] == [
        "To: =?utf-8?b?SMOpbMOobmU=?= <hélène@xn--brest-mtropole-hkb.example>".encode()
    ]


@pytest.mark.parametrize(
    "no_address",
    [
        None,
        "",
        "nobody",
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example, c@d.example",
        "<a@b.example>",
        "a b@c.example",
    ],
)
@pytest.mark.parametrize("place", ["sender", "recipient", "reply_to"])
def test_what_is_no_address_is_refused(place: str, no_address: str | None):
    if place == "reply_to" and not no_address:
        return

    with pytest.raises(Refused, match="address"):
        written(draft(**{place: no_address if place == "reply_to" else Mailbox("X", no_address)}))


def test_automatic_letters_say_so_and_set_no_precedence():
    message = letter(automatic="auto-replied")

    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert "Precedence" not in message


def test_a_persons_words_are_not_marked_automatic():
    assert not {"Auto-Submitted", "X-Auto-Response-Suppress"} & set(letter().keys())


def test_ids_that_could_break_a_header_are_left_out():
    message = letter(
        in_reply_to="a@b\r\nBcc: c@d",
        references=("ok@x", "a b@c", "<d@e>", "é@f", "g" * 300 + "@h", "ok@x", "last@x"),
    )

    assert "In-Reply-To" not in message
    assert message["References"] == "<ok@x> <last@x>"


def test_a_long_thread_keeps_the_first_and_the_latest_ids():
    chain = tuple(f"{number}.abcdefghijklmnopqrstuvwxyz@mairie.example" for number in range(120))
    raw = written(draft(references=chain, in_reply_to=chain[-1]))
    kept = read(raw)["References"].split()

    assert kept == [f"<{chain[0]}>", *(f"<{one}>" for one in chain[-len(kept) + 1 :])]
    assert len(re.search(rb"References:.*?\r\n(?! )", raw, re.DOTALL)[0]) in range(1400, 1501)
    assert len(header_block(raw)) <= compose.HEADER_OCTETS


def test_no_header_block_grows_beyond_what_relays_take():
    longest = "é" * 10_000
    raw = written(
        draft(
            sender=Mailbox(longest, "a" * 64 + "@" + "b" * 60 + ".example"),
            recipient=Mailbox(longest, "c" * 64 + "@" + "d" * 60 + ".example"),
            subject="🌻" * 10_000,
            reply_to="e" * 64 + "@" + "f" * 60 + ".example",
            in_reply_to="g" * 240 + "@x",
            references=tuple(f"{number}{'h' * 240}@x" for number in range(120)),
            automatic="auto-generated",
            headers=(
                ("Thread-Topic", longest),
                ("Thread-Index", "A" * 4000),
                ("List-Id", "x" * 400),
                ("X-A", "x" * 400),
            ),
        )
    )

    assert len(header_block(raw)) < 4096
    assert len(read(raw)["References"].split()) == 2


def test_list_headers_are_written_as_they_are():
    uris = "<https://centre.example/stop/" + "t" * 60 + "?=?>, <mailto:stop+" + "t" * 40 + "@centre.example>"
    raw = written(draft(headers=(("List-Unsubscribe", uris), ("Thread-Topic", "L'été"), ("X-Empty", " "))))
    message = read(raw)

    assert message["List-Unsubscribe"] == uris
    assert message["Thread-Topic"] == "L'été"
    assert "X-Empty" not in message


def test_a_header_too_long_to_be_ours_is_left_out():
    assert "Thread-Index" not in letter(headers=(("Thread-Index", "A" * 600),))


@pytest.mark.parametrize(
    "name",
    [
        "Bcc",
        "cc",
        "TO",
        "From",
        "Sender",
        "Content-Type",
        "Resent-To",
        "Received",
        "X: y\r\nBcc",
        "",
        "X Y",
        "é",
        "ARC-Seal",
    ],
)
def test_a_draft_cannot_add_recipients_or_change_what_is_ours(name: str):
    with pytest.raises(Refused, match="header"):
        written(draft(headers=((name, "x@y.example"),)))


# -- Message-ID -------------------------------------------------------------------------------------------------


def test_a_message_id_is_the_same_every_time_and_another_for_every_key():
    ids = {compose.message_id(f"issue:revue:2026-05:{person}", DOMAIN) for person in range(1000)}

    assert len(ids) == 1000
    assert compose.message_id("issue:revue:2026-05:7", DOMAIN) in ids
    assert compose.message_id("clé", "été.example").endswith("@xn--t-9fab.example")


@pytest.mark.parametrize(
    "looks_like_spam",
    [
        r"<[a-z\d][a-z\d\$-]{10,29}[a-z\d]\@[a-z\d][a-z\d.]{3,12}[a-z\d]>",  # random letters at a short domain
        r"<[a-z]{5,}\@",  # letters only
        r"<[A-Z]+\@",  # capitals only
        r"<.{0,4}\@",  # nearly nothing
        r"<[^>]*\@[^>]*\@",  # two at signs
        r"<[^>]*\@[^>.]*>",  # no domain
        r"<[0-9A-Fa-f]{8,}\.[0-9A-Fa-f]{4,}",  # what spam programs took for Outlook
        r"\$",
    ],
)
def test_a_message_id_does_not_look_like_one_of_a_spam_program(looks_like_spam: str):
    for number in range(200):
        assert not re.search(looks_like_spam, f"<{compose.message_id(f'ack:{number}', 'a.example')}>")


def test_a_message_id_given_by_the_thread_is_used():
    assert letter(message_id="mh.token.abc@centre.example")["Message-ID"] == "<mh.token.abc@centre.example>"


# -- bodies -----------------------------------------------------------------------------------------------------


def test_text_comes_before_html():
    message = letter(html=HTML)

    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert said(message.get_body(("plain",))) == PLAIN.text
    assert said(message.get_body(("html",))) == HTML


def test_an_image_is_within_the_page_and_a_file_beside_the_letter():
    logo = Enclosure("logo.png", "image/png", b"\x89PNG\r\n\x1a\n", content_id="logo")
    form = Enclosure("formulaire.pdf", "application/pdf", bytes(range(256)) * 40)
    message = letter(html=HTML, enclosures=(form, logo))

    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        *("multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"),
        "application/pdf",
    ]
    *_, image, file = message.walk()
    assert (image["Content-ID"], image.get_content_disposition(), image.get_content()) == (
        "<logo>",
        "inline",
        logo.content,
    )
    assert (file.get_filename(), file.get_content_disposition()) == ("formulaire.pdf", "attachment")
    assert file.get_content() == form.content


def test_an_image_of_a_letter_without_a_page_is_a_file():
    message = letter(enclosures=(Enclosure("logo.png", "image/png", b"png", content_id="logo"),))

    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "text/plain",
        "image/png",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 5000,
        "é" * 5000,
        "une ligne\r\nune autre\rune troisième\n",
        "fin avec blancs \t\n \n",
        "...\n.\n..\n",
        "--=_alternative_x\n",
        "=3D =\n",
        "\x00\x0b\x0c\x1f\u2028\u2029\x85",
        "🌻" * 300,
    ],
)
def test_any_text_survives(text: str):
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    message = letter(text=text, html=text + ".")

    assert said(message.get_body(("plain",))) == lines
    assert max(map(len, written(draft(text=text)).split(b"\r\n"))) <= 78


def test_text_that_no_charset_explains_is_written_with_question_marks():
    message = letter(text="caf\udce9", subject="caf\udce9")

    assert (message["Subject"], said(message)) == ("caf?", "caf?\n")


@pytest.mark.parametrize(
    ("filename", "read_as"),
    [
        ("compte rendu.pdf", None),
        ("Étude énergie – été 2026.pdf", None),
        ("Délibération du conseil communautaire relative à la transition énergétique.odt", None),
        ('dit "le grand".txt', None),
        ("100% d'économies; vraiment.txt", None),
        ("🌻" * 20 + ".png", None),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("C:\\temp\\a.doc", "C:_temp_a.doc"),
        ("a\r\nContent-Type: text/html\0.txt", "a Content-Type: text_html .txt"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        (None, None),
    ],
)
def test_file_names_are_read_as_they_were_written(filename: str | None, read_as: str | None):
    raw = written(draft(enclosures=(Enclosure(filename, "application/pdf", b"%PDF"),)))
    *_, file = read(raw).walk()

    assert file.get_filename() == (read_as or filename)
    assert max(map(len, raw.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    ("written_type", "sent_type"),
    [
        ("application/pdf", "application/pdf"),
        ("text/calendar; method=REQUEST; charset=utf-8", 'text/calendar; method="REQUEST"; charset="utf-8"'),
        ('text/plain; name="a;b"', 'text/plain; name="a;b"'),
        ("message/rfc822", "application/octet-stream"),
        ("multipart/mixed; boundary=x", "application/octet-stream"),
        ("text/html\r\nX-Added: yes", "application/octet-stream"),
        ("image", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("texte/é", "application/octet-stream"),
    ],
)
def test_a_file_has_the_type_it_came_with_if_that_is_sound(written_type: str, sent_type: str):
    *_, file = letter(enclosures=(Enclosure("x", written_type, b"\0"),)).walk()

    assert file["Content-Type"].replace('"', "") == sent_type.replace('"', "")
    assert file.get_payload(decode=True) == b"\0"


def test_one_body_serves_every_reader():
    body = compose.encode(PLAIN.text, HTML, key="issue:lettre:2026-05")
    letters = [
        compose.to_bytes(
            draft(key=f"issue:lettre:2026-05:{number}", recipient=Mailbox(None, f"l{number}@x.example")),
            date=NOON,
            domain=DOMAIN,
            body=body,
        )
        for number in range(3)
    ]

    assert len({raw.partition(b"\r\n\r\n")[2] for raw in letters}) == 1
    assert [read(raw)["To"] for raw in letters] == ["l0@x.example", "l1@x.example", "l2@x.example"]
    assert {said(read(raw).get_body(("html",))) for raw in letters} == {HTML}


# -- injection (desk.md S12) ------------------------------------------------------------------------------------

_EVIL = st.lists(
    st.sampled_from(
        [
            "\r\n",
            "\n",
            "\r",
            "\0",
            "\u2028",
            "\x85",
            "\x0b",
            "\x0c",
            "\r\n\r\n",
            "Bcc: evil@x.example",
            " ",
            "\t",
        ]
    )
    | st.sampled_from(
        [
            "=?utf-8?q?=0D=0ABcc:_e@x.example?=",
            '"',
            "\\",
            "<e@x.example>",
            ",",
            ";",
            ":",
            "é",
            "🌻",
            "=?",
            "?=",
        ]
    )
    | st.text(max_size=20),
    max_size=8,
).map("".join)


@given(
    *(_EVIL for _ in range(10)),
    st.binary(max_size=200),
)
def test_no_text_adds_a_header_or_a_recipient(  # noqa: PLR0917
    subject: str,
    name: str,
    identifier: str,
    value: str,
    filename: str,
    content_type: str,
    content_id: str,
    text: str,
    key: str,
    automatic: str,
    content: bytes,
):
    raw = written(
        draft(
            key=key,
            sender=Mailbox(name, "question@centre.example"),
            recipient=Mailbox(name, "helene@mairie.example"),
            subject=subject,
            text=text,
            html=f"<p>{text}</p>",
            in_reply_to=identifier,
            references=(identifier, "a@b", identifier),
            message_id=identifier,
            automatic=automatic,
            headers=(("Thread-Topic", value),),
            enclosures=(
                Enclosure(filename, content_type, content, content_id=content_id),
                Enclosure(filename, content_type, content),
            ),
        )
    )

    allowed = {
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "in-reply-to",
        "references",
        "thread-topic",
        "auto-submitted",
    }
    allowed |= {"x-auto-response-suppress", "mime-version", "content-type"}
    found = names(raw)
    assert set(found) <= allowed
    assert len(found) == len(set(found))
    message = email.message_from_bytes(raw, policy=default)
    assert [address.addr_spec for address in message["To"].addresses] == ["helene@mairie.example"]
    assert [address.addr_spec for address in message["From"].addresses] == ["question@centre.example"]
    assert len(header_block(raw)) < 4096
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
    assert [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()][2:] == [
        content,
        content,
    ]


def test_a_date_in_utc_says_so():
    raw = compose.to_bytes(PLAIN, date=datetime(2026, 3, 3, 9, 0, tzinfo=UTC), domain=DOMAIN)

    assert b"\r\nDate: Tue, 03 Mar 2026 09:00:00 +0000\r\n" in raw
