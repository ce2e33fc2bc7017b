"""How a letter ended, read back from its `answer`: our own words for it, and what a server said, word for word.

Ours are a closed list, written before a colon; what readers and staff see of them stands in `templates/`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """Why a letter failed, as far as we say it ourselves."""

    EXPIRED = "expired"  # its time was over before it could leave
    GIVEN_UP = "given up"  # every try was in vain
    RETURNED = "returned"  # a notification said so afterwards
    TOO_LARGE = "too large"  # more octets than the relay takes
    UNTAKEN = "untaken"  # never written: what is read where neither we nor a server gave a reason


@dataclass(frozen=True, slots=True)
class End:
    """How one letter ended."""

    endings: tuple[Ending, ...]
    said: str  # by a server, its code first; "" when none spoke


# A reply begins with its code (RFC 5321 section 4.2); nothing we write ourselves does.
_REPLY = re.compile(r"[2-5]\d\d(?: |$)")
_OURS = re.compile(f"({'|'.join(Ending)}): ")


def end_of(answer: str) -> End:
    """Part what we said of a letter that failed from what a server said."""
    endings: list[Ending] = []
    while found := _OURS.match(answer):
        endings.append(Ending(found[1]))
        answer = answer[found.end() :]
    said = answer if _REPLY.match(answer) else ""
    return End(tuple(endings) if endings or said else (Ending.UNTAKEN,), said)
