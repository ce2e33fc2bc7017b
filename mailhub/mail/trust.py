"""How far the From address of a mail may be believed: strong (DMARC-aligned pass) or weak (all else)."""

from dataclasses import dataclass
from enum import StrEnum


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
