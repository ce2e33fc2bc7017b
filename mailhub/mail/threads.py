"""Which of our threads a mail belongs to, from what it carries: signed ids first, then ids it merely shares.

Our Message-IDs hold a token (`mh.TOKEN.xxxx@domain`), so a reply finds its thread in its envelope recipient,
else in In-Reply-To, else in References from right to left (RFC 5322 section 3.6.4), even when a relay rewrote the
Message-ID and only Reply-To carried ours home. An id of our shape with a bad signature counts as no id at all.
"""

from collections.abc import Iterator

from mailhub.mail.message import Message
from mailhub.mail.tokens import Keyring, Token

_OURS = "mh."
MOST_OCTETS_OF_REFERENCES = 1500  # some relays refuse longer header blocks (desk.md P26)


def message_id(keyring: Keyring, token: Token, key: str, domain: str) -> str:
    """The Message-ID of the letter this key names: the same for the same key, unguessable, and it bears the token."""
    return f"{_OURS}{keyring.seal(token)}.{keyring.fingerprint(key)}@{domain}"


def stable_id(keyring: Keyring, thread: str, domain: str) -> str:
    """An id no letter bears, first in References of all letters of one thread so that every client groups them."""
    return f"mt.{keyring.fingerprint('thread ' + thread)}@{domain}"


def token_of_id(keyring: Keyring, identifier: str) -> Token | None:
    """The token in one of our Message-IDs; None for a foreign id and for a forged one."""
    local = identifier.partition("@")[0].lower()
    if not local.startswith(_OURS):
        return None
    return keyring.open(local[len(_OURS) :].partition(".")[0])


def signed_tokens(keyring: Keyring, message: Message) -> Iterator[Token]:
    """The good tokens of In-Reply-To, then of References, nearest first."""
    for identifier in (*message.in_reply_to, *reversed(message.references)):
        token = token_of_id(keyring, identifier)
        if token is not None:
            yield token


def ids_of(message: Message) -> tuple[str, ...]:
    """Every id this mail bears or names, nearest first, each once."""
    own = (message.message_id,) if message.message_id else ()
    return tuple(dict.fromkeys((*own, *message.in_reply_to, *reversed(message.references))))


def references_for(*chain: str | None) -> tuple[str, ...]:
    """References of a reply, oldest first: within 1,500 octets, the first and the latest ids are kept."""
    ids = list(dict.fromkeys(identifier for identifier in chain if identifier))
    while len(ids) > 2 and sum(len(identifier) + 3 for identifier in ids) > MOST_OCTETS_OF_REFERENCES:
        del ids[1]
    return tuple(ids)
