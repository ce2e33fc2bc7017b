"""Who a mail is from: the person whose domain is proven, and never one that only decoded words name."""

import pytest

from mailhub import understand
from mailhub.mail import message, trust
from mailhub.mail.envelope import Envelope

ENVELOPE = Envelope(sender="x@evil.example", recipient="question@centre.example")


def from_field(written: str) -> bytes:
    """A mail with this From field."""
    return f"From: {written}\r\nSubject: Une question\r\n\r\nBonjour,\r\n".encode()


@pytest.mark.parametrize(
    ("written", "author"),
    [
        (
            "=?utf-8?q?claire=40kerbrec.example_=28?= <evil@evil.example> (=?utf-8?q?=29?=)",
            "evil@evil.example",
        ),
        ("=?utf-8?q?claire=40kerbrec.example=2C?= <evil@evil.example>", "evil@evil.example"),
        ('"=?utf-8?q?=22_=3Cclaire=40kerbrec.example=3E_=28?=" <evil@evil.example>', "evil@evil.example"),
        ("=?utf-8?q?=3Cclaire=40kerbrec.example=3E?=", None),
        ("claire@kerbrec.example, evil@evil.example", None),
    ],
)
def test_an_encoded_name_lends_nobody_its_address(written, author):
    """RFC 2047 section 5: words are decoded after the field is read, so they never become an address."""
    raw = from_field(written)

    assert understand.read(raw, ENVELOPE).sender == author
    proven = trust.author(message.read(raw))
    assert (proven and proven.address) == author


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("=?utf-8?Q?Dupont=2C_Andr=C3=A9?= <a.dupont@kerbrec.example>", "Dupont, André"),
        (
            "=?utf-8?Q?Mairie_=3A_accueil=3B_=C3=A9tat_civil?= <a.dupont@kerbrec.example>",
            "Mairie : accueil; état civil",
        ),
        ("=?utf-8?Q?Andr=C3=A9_=28mairie=29?= <a.dupont@kerbrec.example>", "André (mairie)"),
    ],
)
def test_signs_within_an_encoded_name_make_no_second_author(written, name):
    reading = understand.read(from_field(written), ENVELOPE)

    assert (reading.sender, reading.sender_name) == ("a.dupont@kerbrec.example", name)
