"""SPF: may this client send mail for this domain? RFC 7208.

The judgement is pyspf's, confined to this module so that another library can take its place; its questions go to
our resolver, and nothing it raises leaves the room.
"""

import ipaddress
import warnings
from dataclasses import dataclass

from mailhub.mail import domains
from mailhub.mail.envelope import Envelope
from mailhub.mail.resolver import NoRecord, Resolver, TemporaryDns

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pyspf 2.0.14 holds an unescaped backslash, which Python mentions once
    import spf as pyspf


@dataclass(frozen=True, slots=True)
class Spf:
    """A result of RFC 7208 section 2.6, and the domain it is about."""

    result: str
    domain: str = ""


def check(envelope: Envelope, resolver: Resolver) -> Spf:
    """Ask the domain of MAIL FROM, or of HELO for the null sender, about the client. RFC 7208 section 2.4."""
    sender = envelope.sender or f"postmaster@{envelope.helo}"
    domain = domains.a_label(sender.rpartition("@")[2])
    try:
        client = str(ipaddress.ip_address(envelope.client_ip))
    except ValueError:
        return Spf("none")  # not handed over by a network peer
    if "." not in domain or domain.startswith("["):
        return Spf("none", domain)  # not a domain that could publish anything. RFC 7208 section 4.3
    local = sender.rpartition("@")[0] or "postmaster"
    try:
        result = _Query(client, f"{local}@{domain}", envelope.helo or domain, resolver).check()[0]
    except TemporaryDns:
        result = "temperror"
    except Exception:  # noqa: BLE001 — a stranger's record is read by a library that may stumble over anything
        result = "permerror"
    return Spf(result, domain)


class _Query(pyspf.query):  # type: ignore[misc]
    """pyspf's evaluation with our resolver under it; the ten terms of section 4.6.4 are counted by pyspf."""

    def __init__(self, client: str, sender: str, helo: str, resolver: Resolver) -> None:
        super().__init__(i=client, s=sender, h=helo)
        self._resolver = resolver

    def dns(self, name: str, qtype: str, **how: object) -> list[object]:
        """Answer as pyspf's own method of this name does: a list, empty when there is nothing."""
        try:
            return self._ask(str(name).rstrip("."), qtype)
        except NoRecord:
            # Two questions without an answer are allowed, the third ends it. RFC 7208 section 4.6.4
            self.void_lookups += not how.get("ignore_void")
            if self.void_lookups > pyspf.MAX_VOID_LOOKUPS:
                raise pyspf.PermError("too many void lookups") from None
            return []

    def _ask(self, name: str, qtype: str) -> list[object]:
        if qtype == "TXT":
            return [(text,) for text in self._resolver.txt(name)]
        if qtype == "MX":
            return list(enumerate(self._resolver.mx(name)))
        if qtype == "PTR":
            return list(self._resolver.ptr(self.c))  # pyspf asks for the client only
        return list(self._resolver.addresses(name, 6 if qtype == "AAAA" else 4))

    def get_explanation(self, _spec: str) -> None:
        """Skip the text of `exp=`: nobody would read it, and it costs a lookup."""
