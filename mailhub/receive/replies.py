"""Every answer the doors give, in one place: a peer learns a code and a plain word, never a name, id or path.

Replies carry an enhanced status code (RFC 3463), those of aiosmtpd included.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Final


class Reply(StrEnum):
    """What the doors say in their own words."""

    KEPT = "250 2.0.0 Kept"
    SENDER_OK = "250 2.1.0 OK"
    RECIPIENT_OK = "250 2.1.5 OK"
    HELP = "214 2.0.0 See RFC 5321"
    NOT_VERIFIED = "252 2.0.0 Not verified; send the mail and see"  # RFC 5321 3.5.3
    GO_AHEAD = "354 End data with <CR><LF>.<CR><LF>"
    TOO_MANY_VISITS = "421 4.7.0 Too many connections, come back later"
    TOO_MANY_ERRORS = "421 4.7.0 Too many errors, goodbye"
    TOO_SLOW = "421 4.4.2 Time is up, goodbye"
    CLOSING = "421 4.3.2 Closing down, come back later"
    TROUBLE = "451 4.3.0 Trouble on our side, try again later"
    NO_ROOM = "452 4.3.1 No room for large mails right now, try again later"
    TOO_FAST = "450 4.7.1 Too many mails from your side, try again later"
    TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients, send the others in another mail"
    NO_TLS = "454 4.7.0 TLS is not available"
    SAY_LHLO = "500 5.5.1 This is LMTP: say LHLO"
    NO_SUCH_COMMAND = "502 5.5.1 Command not implemented"
    NEED_RECIPIENT = "503 5.5.1 Need RCPT first"
    NO_SUCH_MAILBOX = "550 5.1.1 No such mailbox here"
    BARE_NEWLINE = "550 5.6.0 A lone CR or LF is not a line end in mail"
    TOO_BIG = "552 5.3.4 The mail is too big"
    NEEDS_SMTPUTF8 = "553 5.6.7 Such an address needs SMTPUTF8"
    LOOPING = "554 5.4.6 The mail has been through too many hands, it loops"


# The enhanced code of a reply that aiosmtpd words itself, by its basic code. Those not named have none: the
# banner, the answers to HELO and EHLO, and 354. RFC 2034 section 4.
ENHANCED: Final = {
    "221": "2.0.0",
    "250": "2.0.0",
    "500": "5.5.2",
    "501": "5.5.4",
    "502": "5.5.1",
    "503": "5.5.1",
    "552": "5.3.4",
    "553": "5.1.3",
    "555": "5.5.4",
}


@lru_cache(maxsize=64)  # the same few are said all day
def wire(reply: str) -> bytes:
    """A reply as it is sent."""
    return f"{enhanced(reply)}\r\n".encode()


def enhanced(reply: str) -> str:
    """Give a reply its enhanced status code, unless it has one."""
    code, _, text = reply.partition(" ")
    if code not in ENHANCED or text.startswith((f"{code[0]}.", "4.")):
        return reply
    return f"{code} {ENHANCED[code]} {text}"
