"""A token is good for one purpose, one thread, one person, and dies with its key."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailhub.mail.tokens import Keyring, Purpose, Token

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
RING = Keyring(1, {1: OLD})
TOKEN = Token(Purpose.ANSWER, 143, 7)

tokens = st.builds(
    Token,
    st.sampled_from(Purpose),
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**16 - 1),
)


@given(tokens)
def test_a_token_reads_back_as_it_was_sealed(token):
    assert RING.open(RING.seal(token)) == token


@given(tokens)
def test_a_token_fits_every_local_part(token):
    """RFC 5321 section 4.5.3.1.1: 64 octets; `question` and `retours` before the plus leave room."""
    assert len("retours+" + RING.seal(token)) <= 64
    assert set(RING.seal(token)) <= set(string.ascii_lowercase + "234567")


def test_letter_case_does_not_matter():
    """Some systems write local parts in capitals."""
    assert RING.open(RING.seal(TOKEN).upper()) == TOKEN


@given(st.integers(0, 44), st.sampled_from(string.ascii_lowercase + "234567"))
def test_one_character_changed_is_no_token(place, character):
    sealed = RING.seal(TOKEN)
    changed = sealed[:place] + character + sealed[place + 1 :]

    # The last character holds padding bits: only a change that alters the octets counts.
    assert changed == sealed or RING.open(changed) in {None, TOKEN if place == 44 else None}


@given(st.text(max_size=60))
def test_whatever_a_stranger_writes_is_no_token(text):
    assert RING.open(text) is None


def test_a_rotated_key_still_verifies_and_a_removed_one_does_not():
    before = RING.seal(TOKEN)
    rotated = Keyring(2, {1: OLD, 2: NEW})

    assert rotated.open(before) == TOKEN
    assert rotated.seal(TOKEN) != before
    assert Keyring(2, {2: NEW}).open(before) is None


@pytest.mark.parametrize("other", [p for p in Purpose if p is not Purpose.ANSWER])
def test_a_purpose_cannot_be_changed(other):
    """S3: a token made for an asker is of no use on a staff route."""
    assert RING.seal(TOKEN) != RING.seal(Token(other, 143, 7))
    assert RING.open(RING.seal(Token(other, 143, 7))).purpose is other


def test_a_fingerprint_survives_rotation_and_hides_its_text():
    assert RING.fingerprint("ack:Q-2026-0001") == Keyring(2, {1: OLD, 2: NEW}).fingerprint("ack:Q-2026-0001")
    assert RING.fingerprint("a") != Keyring(1, {1: NEW}).fingerprint("a")


def test_a_leaked_first_key_makes_fingerprints_still_and_no_token():
    """An address that must not be written to stays known, whoever has read the key."""
    leaked = Keyring(2, {2: NEW}, digests=OLD)

    assert leaked.fingerprint("a") == RING.fingerprint("a")
    assert leaked.open(RING.seal(TOKEN)) is None
    assert leaked.open(leaked.seal(TOKEN)) == TOKEN
