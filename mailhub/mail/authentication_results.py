"""Authentication-Results as one believed host wrote it. RFC 8601.

Anybody can write such a field. The host that takes mail for us puts its own above what came in (section 4.1, 5), so
the topmost field with exactly its name counts, and no other is looked at, not even when that one cannot be read.
"""

import re
from dataclasses import dataclass

import authres

from mailhub.mail import domains
from mailhub.mail.message import Message

_LONGEST_FIELD = 16384
# RFC 8601 section 2.7; a word that is none of these proves nothing.
_RESULTS = frozenset(["none", "pass", "fail", "policy", "neutral", "softfail", "temperror", "permerror"])
# An optional comment, then the name as a token or quoted; "spf=pass" is no name (Exchange leaves it out).
_AUTHSERV_ID = re.compile(r'\s*(?:\([^()]*\)\s*)?("?)([^\s;"()=,]+)\1(?=\s*(?:[;(\d]|$))')


@dataclass(frozen=True, slots=True)
class Results:
    """What the field says: each method with its results in order, and the From domain it was said about."""

    methods: tuple[tuple[str, str], ...]
    author: str  # header.from of the DMARC result, "" when not given

    def of(self, method: str) -> str:
        """The result of a method: "none" when absent, the first that is no pass when several disagree."""
        said = [result for name, result in self.methods if name == method]
        return next((result for result in said if result != "pass"), said[0] if said else "none")

    def best_of(self, method: str) -> str:
        """The result of a method of which one pass suffices, as with several signatures."""
        said = [result for name, result in self.methods if name == method]
        return "pass" if "pass" in said else self.of(method)


def topmost(message: Message, authserv_id: str) -> Results | None:
    """Read the topmost field with this authserv-id; None when there is none, or it cannot be read."""
    wanted = authserv_id.strip().lower()
    for name, value in message.tree.raw_items():
        if name.lower() == "authentication-results":
            text = str(value)
            found = _AUTHSERV_ID.match(text)
            if wanted and found and found[2].lower() == wanted:
                return _read(text[found.end() :])
    return None


def _read(text: str) -> Results | None:
    """Read what follows the name."""
    if len(text) > _LONGEST_FIELD:
        return None
    flat = re.sub(r"\r?\n", "", text).rstrip("; \t")  # some hosts end the field with a semicolon
    try:
        field = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: host{flat}")
    except Exception:  # noqa: BLE001 — authres has its own SyntaxError, and RecursionError on nested comments
        return None
    results = [result for result in field.results if hasattr(result, "method")]
    authors = {
        domains.a_label(str(property_.value or "").rpartition("@")[2])
        for result in results
        if result.method == "dmarc"
        for property_ in result.properties
        if (property_.type, property_.name) == ("header", "from")
    }
    return Results(
        methods=tuple((one.method, one.result if one.result in _RESULTS else "none") for one in results),
        author=",".join(sorted(authors)),  # two names never equal one
    )
