"""How far the From address of a mail may be believed: strong (DMARC-aligned pass) or weak (all else).

Two ways to a verdict: `evaluate` checks a mail that came straight to us, `believe` reads what one trusted host
wrote above it. When DNS is silent, a field unreadable or From ambiguous, the answer is weak, never an exception.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailhub.mail import address, authentication_results, dmarc, signatures, spf
from mailhub.mail.address import Mailbox
from mailhub.mail.dmarc import Policy
from mailhub.mail.envelope import Envelope
from mailhub.mail.message import Message
from mailhub.mail.resolver import NoRecord, Resolver, TemporaryDns
from mailhub.mail.signatures import Signature
from mailhub.mail.spf import Spf

__all__ = ["NoRecord", "Resolver", "Strength", "TemporaryDns", "Trust", "author", "believe", "evaluate"]


class Strength(StrEnum):
    """How well the From address is proven."""

    STRONG = "strong"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class Trust:
    """The verdict and its evidence, in words that may be stored beside the mail."""

    strength: Strength
    spf: str = "none"  # RFC 7208 results: none, neutral, pass, fail, softfail, temperror, permerror
    dkim: str = "none"  # pass, fail, none, temperror
    dmarc: str = "none"  # pass, fail, none, temperror
    why: str = ""  # "dkim=pass d=kerbrec.example aligned", "authserv-id mx.centre.example: dmarc=pass"


def author(message: Message) -> Mailbox | None:
    """The one person a mail is from: one From field with one mailbox, strictly read; None for anything else."""
    fields = [str(value) for name, value in message.tree.raw_items() if name.lower() == "from"]
    return address.strict(fields[0]) if len(fields) == 1 else None


def evaluate(message: Message, envelope: Envelope, resolver: Resolver) -> Trust:
    """Check a mail that a network peer handed to us: DKIM and SPF, and by DMARC what they say of From.

    Never raises. The resolver bounds lookups and time, so SPF, whose questions are the most, comes last.
    """
    domain = _author_domain(message)
    if not domain:
        return Trust(Strength.WEAK, why="no single From address")
    if message.over_limits:
        return Trust(Strength.WEAK, why="too big to be checked")
    policy, lack = _policy(domain, resolver)
    found = signatures.verify(message.raw, resolver)
    client = spf.check(envelope, resolver)
    verdict, why = _dmarc(domain, policy, found, client, resolver) if policy else lack
    return Trust(
        strength=Strength.STRONG if verdict == "pass" else Strength.WEAK,
        spf=client.result,
        dkim=_best(found),
        dmarc=verdict,
        why=why,
    )


def believe(message: Message, authserv_id: str) -> Trust:
    """Take the verdict of the host the operator trusts, from its Authentication-Results. RFC 8601 section 5."""
    domain = _author_domain(message)
    if not domain:
        return Trust(Strength.WEAK, why="no single From address")
    results = authentication_results.topmost(message, authserv_id)
    if results is None:
        return Trust(Strength.WEAK, why=f"no readable Authentication-Results of {authserv_id}")
    verdict = results.of("dmarc")
    why = f"authserv-id {authserv_id}: dmarc={verdict}"
    if results.author not in {"", domain}:
        verdict, why = "none", f"{why}, said of {results.author[:253]}"
    return Trust(
        strength=Strength.STRONG if verdict == "pass" else Strength.WEAK,
        spf=results.best_of("spf"),
        dkim=results.best_of("dkim"),
        dmarc=verdict,
        why=why,
    )


def _author_domain(message: Message) -> str:
    mailbox = author(message)
    return address.domain_of(mailbox.address) if mailbox and mailbox.address else ""


def _policy(domain: str, resolver: Resolver) -> tuple[Policy | None, tuple[str, str]]:
    """The DMARC policy, or the result and reason when there is none: then nothing passes, however well signed."""
    try:
        return dmarc.discover(domain, resolver), ("none", f"no DMARC record for {domain}")
    except TemporaryDns:
        return None, ("temperror", f"DNS does not answer for {domain}")


def _dmarc(
    domain: str, policy: Policy, found: Sequence[Signature], client: Spf, resolver: Resolver
) -> tuple[str, str]:
    """The DMARC result and its reason: one proven domain that is the author's is enough."""
    proven = [
        (f"dkim=pass d={one.domain}", one.domain, policy.strict_dkim) for one in found if one.result == "pass"
    ]
    if client.result == "pass":
        proven.append((f"spf=pass {client.domain}", client.domain, policy.strict_spf))
    proven.sort(key=lambda one: one[1] != domain)  # the same domain needs no further question
    try:
        for evidence, other, strict in proven:
            if dmarc.aligned(domain, other, resolver, strict=strict):
                return "pass", f"{evidence} aligned"
    except TemporaryDns:
        return "temperror", f"DNS does not answer for {domain}"
    if "temperror" in {client.result, *(one.result for one in found)}:
        return "temperror", "DNS does not answer"
    reasons = [f"{evidence} not aligned" for evidence, _, _ in proven]
    reasons += [f"dkim=fail d={one.domain} ({one.why})" for one in found if one.result == "fail"]
    return "fail", ", ".join(reasons) or f"spf={client.result}, not signed"


def _best(found: Sequence[Signature]) -> str:
    """One word for all signatures: one that passes is enough."""
    results = {one.result for one in found}
    return next((result for result in ("pass", "temperror", "fail") if result in results), "none")
