"""DMARC: does a proven domain speak for the domain in From? RFC 9989, with its DNS tree walk.

What the domain owner asks to be done with the rest (`p=`, `sp=`, `np=`) is not read: without a pass, a mail is
kept and only believed less. No list of public suffixes is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailhub.mail.resolver import NoRecord, Resolver

_POLICIES = frozenset({"none", "quarantine", "reject"})


@dataclass(frozen=True, slots=True)
class Policy:
    """A DMARC record, as far as it matters here, and the domain it stands under."""

    domain: str
    strict_dkim: bool = False
    strict_spf: bool = False
    psd: str = "u"  # "y": a public suffix, "n": an organisation of its own, "u": not said


def discover(author: str, resolver: Resolver) -> Policy | None:
    """Find the policy for a domain: its own, else its organisation's, else its public suffix's.

    RFC 9989 section 4.10.1. Raises `TemporaryDns`, since "no record" and "no answer" differ.
    """
    if own := _policy(author, resolver):
        return own
    found = _walk(author, resolver)
    organisation = _organisation(author, found)
    return next((policy for policy in found if policy.domain == organisation or policy.psd == "y"), None)


def aligned(author: str, proven: str, resolver: Resolver, *, strict: bool) -> bool:
    """Say whether a proven domain is the author's: the same, or, when relaxed, of the same organisation.

    RFC 9989 section 4.4. Raises `TemporaryDns`.
    """
    if author == proven or strict:
        return author == proven
    if author.rpartition(".")[2] != proven.rpartition(".")[2]:
        return False  # not even the last label in common: no question needed
    ours, theirs = (_organisation(domain, _walk(domain, resolver)) for domain in (author, proven))
    return ours == theirs


def _walk(domain: str, resolver: Resolver) -> Sequence[Policy]:
    """The records from a domain up to the last label, longest name first; eight questions at most.

    RFC 9989 section 4.10: from a long name the walk jumps to seven labels.
    """
    found = []
    for name in _names(domain):
        policy = _policy(name, resolver)
        if policy:
            found.append(policy)
            if policy.psd == "n" or (policy.psd == "y" and name != domain):
                break
    return found


def _names(domain: str) -> list[str]:
    labels = domain.split(".")
    above = labels[1:][-7:]
    return [domain, *(".".join(above[at:]) for at in range(len(above)))]


def _organisation(start: str, found: Sequence[Policy]) -> str:
    """The organisational domain that a walk shows. RFC 9989 section 4.10.2."""
    for policy in found:
        if policy.psd == "n":
            return policy.domain
        if policy.psd == "y" and policy.domain != start:
            below = start.removesuffix("." + policy.domain).rpartition(".")[2]
            return f"{below}.{policy.domain}"
    return found[-1].domain if found else start


def _policy(domain: str, resolver: Resolver) -> Policy | None:
    """The record of one name; of several, none counts. RFC 9989 section 4.10."""
    try:
        texts = resolver.txt(f"_dmarc.{domain}")
    except NoRecord:
        return None
    records = [tags for text in texts if (tags := _tags(text)) is not None]
    if len(records) != 1:
        return None
    tags = records[0]
    asked = {tags[tag] for tag in ("p", "sp", "np") if tag in tags}
    if not asked <= _POLICIES and "rua" not in tags:
        return None  # a slip of the pen without an address for reports: no DMARC. RFC 9989 section 4.10.1
    return Policy(domain, tags.get("adkim") == "s", tags.get("aspf") == "s", tags.get("psd", "u"))


def _tags(text: bytes) -> dict[str, str] | None:
    """The tags of a record, None when it is something else: `v=DMARC1` must come first, in these letters."""
    version, *rest = text.decode("ascii", "replace").split(";")
    name, _, value = version.partition("=")
    if name.strip() != "v" or value.strip() != "DMARC1":
        return None
    pairs = (part.partition("=") for part in rest)
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}
