"""Signing what leaves: whatever we sign, another library verifies, and nobody can add to it."""

import base64
import hashlib

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from dkim.canonicalization import Relaxed
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailhub.errors import SettingsError
from mailhub.mail import dkim

RSA = dkim.SigningKey.load("r2026", dkim.generate("rsa"))
ED25519 = dkim.SigningKey.load("e2026", dkim.generate("ed25519"))
SIGNER = dkim.Signer("centre.example", [ED25519, RSA])
PUBLISHED = dict(
    dkim.record(key.selector, "centre.example", key.private.public_key()) for key in (RSA, ED25519)
)
WHEN = 1_700_000_000

LETTER = (
    b"From: =?utf-8?q?Centre_de_ressources?= <question@centre.example>\r\n"
    b"To: Anne Le Goff <anne@kerbrec.example>\r\n"
    b"Subject: =?utf-8?q?R=C3=A9ponse_=C3=A0_votre_question?=\r\n"
    b"Date: Thu, 05 Nov 2026 10:00:00 +0100\r\n"
    b"Message-ID: <q-2026-0143.1@centre.example>\r\n"
    b"In-Reply-To: <1@kerbrec.example>\r\n"
    b"References: <0@kerbrec.example>\r\n <1@kerbrec.example>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
    b"List-Id: La lettre <lettre.centre.example>\r\n"
    b"List-Unsubscribe: <mailto:stop+x@centre.example>,\r\n\t<https://centre.example/stop/x>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Feedback-ID: 2026-11:lettre:mailhub:centre\r\n"
    b"\r\n"
    b"Bonjour,\r\n\r\nvoici  la r\xc3\xa9ponse.\t \r\n\r\n\r\n"
)


def key_record(name: bytes, timeout: int = 5) -> bytes:
    return PUBLISHED[name.decode().rstrip(".")].encode()


def verifies(raw: bytes, at: int = 0) -> bool:
    try:
        return bool(dkimpy.DKIM(raw).verify(at, dnsfunc=key_record))
    except dkimpy.DKIMException:
        return False


def tags(field: bytes) -> dict[str, str]:
    value = field.partition(b":")[2].decode().replace("\r\n ", "")
    return {tag.strip(): text.strip() for tag, _, text in (part.partition("=") for part in value.split(";"))}


def test_both_signatures_verify_elsewhere_rsa_first():
    fields = SIGNER.headers_for(LETTER, when=WHEN)

    assert [line[:60] for line in fields.split(b"\r\n") if line.startswith(b"DKIM")] == [
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;",
        b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;",
    ]
    assert verifies(fields + LETTER, 0)
    assert verifies(fields + LETTER, 1)


def test_the_signed_headers_are_those_that_matter_and_there_is_no_length():
    said = tags(dkim.Signer("centre.example", [RSA]).headers_for(LETTER, when=WHEN))

    assert said["h"].split(":") == [
        *("from", "from", "reply-to", "subject", "subject", "date", "date", "to", "to", "cc"),
        *("message-id", "in-reply-to", "references", "mime-version", "content-type"),
        *("content-transfer-encoding", "list-id", "list-unsubscribe", "list-unsubscribe-post", "feedback-id"),
    ]
    assert (said["d"], said["s"], said["t"]) == ("centre.example", "r2026", str(WHEN))
    assert "l" not in said


def test_lines_of_the_field_are_short():
    fields = dkim.Signer(
        "centre-de-ressources-pour-la-politique-de-la-ville.example", [RSA, ED25519]
    ).headers_for(LETTER * 2, when=WHEN)

    assert max(map(len, fields.split(b"\r\n"))) <= 78


@pytest.mark.parametrize("name", ["From", "Subject", "To", "Cc", "Date", "Reply-To"])
@pytest.mark.parametrize("place", ["above", "below"])
def test_nobody_can_add_a_header_that_readers_look_at(name: str, place: str):
    added = f"{name}: attaque@evil.example\r\n".encode()
    signed = SIGNER.headers_for(LETTER) + LETTER
    changed = added + signed if place == "above" else signed.replace(b"MIME-Version", added + b"MIME-Version")

    assert not verifies(changed, 0)
    assert not verifies(changed, 1)


def test_nobody_can_change_or_lengthen_the_body():
    signed = SIGNER.headers_for(LETTER) + LETTER

    assert verifies(signed + b"\r\n \r\n")  # empty last lines do not count
    assert not verifies(signed + b"PS: payez ici.\r\n")
    assert not verifies(signed.replace(b"voici", b"voila"))


def test_folding_and_spaces_on_the_way_do_no_harm():
    signed = SIGNER.headers_for(LETTER) + LETTER
    refolded = signed.replace(b"<anne@", b"\r\n\t <anne@").replace(b"voici  la", b"voici la")

    assert verifies(refolded, 0)
    assert verifies(refolded, 1)


def test_a_body_hashed_once_serves_many_letters():
    head, _, body = LETTER.partition(b"\r\n\r\n")
    digest = dkim.body_hash(body)

    other = head.replace(b"anne@", b"yann@")
    fields = SIGNER.headers_with(other, digest, when=WHEN)

    assert verifies(fields + other + b"\r\n\r\n" + body)
    assert SIGNER.headers_with(head, digest, when=WHEN)[:200] == SIGNER.headers_for(LETTER, when=WHEN)[:200]


def test_one_key_is_enough():
    pem = dkim.generate(dkim.KeyKind.ED25519)
    key = dkim.SigningKey.load("solo", pem)
    PUBLISHED.update([dkim.record("solo", "centre.example", key.private.public_key())])

    field = dkim.sign(LETTER, domain="Centre.Example", selector="solo", key=pem)

    assert verifies(field + LETTER)
    assert "t" not in tags(field)


def test_a_domain_with_accents_is_signed_in_ascii():
    signer = dkim.Signer("médiathèque.example", [ED25519])

    assert signer.domain == "xn--mdiathque-53af.example"
    assert tags(signer.headers_for(LETTER))["d"] == signer.domain


def weak_rsa() -> bytes:
    key = generate_private_key(public_exponent=65537, key_size=1024)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("selector", "pem"),
    [
        ("s", b"not a key"),
        ("s", b""),
        ("s", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        ("s", weak_rsa()),
        ("", RSA.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
        ("s; d=evil.example", RSA.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
    ],
)
def test_a_key_nobody_would_accept_is_refused_early(selector: str, pem: bytes):
    with pytest.raises(SettingsError, match="DKIM"):
        dkim.SigningKey.load(selector, pem)


def test_the_records_to_publish():
    records = dkim.dns_records("centre.example", SIGNER, "smtp.relais.example")

    assert [record[:2] for record in records] == [
        ("r2026._domainkey.centre.example", "TXT"),
        ("e2026._domainkey.centre.example", "TXT"),
        ("centre.example", "TXT"),
        ("_dmarc.centre.example", "TXT"),
    ]
    assert records[0].value.startswith("v=DKIM1; k=rsa; p=MIIB")
    assert len(base64.b64decode(records[1].value.removeprefix("v=DKIM1; k=ed25519; p="))) == 32
    assert records[2].value == "v=spf1 mx a:smtp.relais.example ~all"
    assert records[3].value == "v=DMARC1; p=none; rua=mailto:postmaster@centre.example"


@pytest.mark.parametrize(
    ("relay", "spf"),
    [
        (None, "v=spf1 mx a ~all"),
        ("localhost", "v=spf1 mx a ~all"),
        ("127.0.0.1", "v=spf1 mx a ~all"),
        ("192.0.2.25", "v=spf1 mx ip4:192.0.2.25 ~all"),
        ("[2001:db8::25]", "v=spf1 mx ip6:2001:db8::25 ~all"),
    ],
)
def test_spf_names_whoever_hands_letters_to_the_world(relay: str | None, spf: str):
    assert dkim.dns_records("centre.example", SIGNER, relay)[2].value == spf


def test_a_zone_line_holds_strings_of_255_octets():
    line = dkim.zone_line(dkim.dns_records("centre.example", SIGNER)[0])

    pieces = line.split('"')[1::2]
    assert [len(piece) <= 255 for piece in pieces] == [True, True]
    assert "".join(pieces) == PUBLISHED["r2026._domainkey.centre.example"]


# --- the canonical forms, against another implementation ----------------------------------------------------

LINES = st.lists(st.text(alphabet="a=.\t \x0b\xe9", max_size=12), max_size=8)


@settings(max_examples=300, deadline=None)
@given(LINES)
@example([])
@example(["", "", ""])
@example([" ", "a", "\t"])
def test_the_canonical_body_is_that_of_the_standard(lines: list[str]):
    body = "".join(f"{line}\r\n" for line in lines).encode()

    assert dkim.relaxed_body(body) == (Relaxed.canonicalize_body(body) if body else b"")
    assert dkim.relaxed_body(dkim.relaxed_body(body)) == dkim.relaxed_body(body)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(alphabet="a:;=<>\t \xe9", max_size=10), min_size=1, max_size=4))
def test_the_canonical_header_is_that_of_the_standard(pieces: list[str]):
    value = "\r\n ".join(pieces).encode()

    assert (
        dkim.relaxed_value(value) + b"\r\n" == Relaxed.canonicalize_headers([[b"X", value + b"\r\n"]])[0][1]
    )


def test_a_body_without_last_line_end_is_read_as_if_it_had_one():
    assert dkim.relaxed_body(b"a  ") == b"a\r\n"
    assert dkim.body_hash(b"") == hashlib.sha256(b"").digest()


def test_a_long_run_of_spaces_costs_nothing():
    assert dkim.relaxed_body(b"a" + b" \t" * 2_000_000) == b"a\r\n"


NAMES = st.sampled_from(
    ["From", "SUBJECT", "to", "Cc", "Reply-to", "Date", "X-Other", "List-Id", "References"]
)
VALUES = st.text(alphabet="a b\t@.<>,é", max_size=30).map(lambda text: text or "a")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(NAMES, VALUES, VALUES), max_size=8), LINES)
def test_any_mail_we_sign_verifies_elsewhere(headers: list[tuple[str, str, str]], lines: list[str]):
    head = "From: a@centre.example\r\n" + "".join(f"{name}: {a}\r\n {b}x\r\n" for name, a, b in headers)
    raw = "\r\n".join([head, *lines, ""]).encode()

    assert verifies(SIGNER.headers_for(raw, when=WHEN) + raw, 1)
