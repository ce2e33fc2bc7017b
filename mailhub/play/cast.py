"""The people of the play, the centre they write to, and their lines. Nobody here exists.

Everything they say in French stands in `script.toml`; the domains are reserved for examples (RFC 2606).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mailhub.mail.address import Mailbox, domain_of, normalise

CENTRE = "Villes & Rives"
DOMAIN = "villes-rives.example"
QUESTIONS = f"question@{DOMAIN}"
LETTER = f"lettre@{DOMAIN}"
PAGES = f"https://lettre.{DOMAIN}"
POST = "post.play.example"  # the post office of everybody in the play


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody with a postbox."""

    name: str
    address: str
    organisation: str
    is_staff: bool = False
    told_of_new: bool = False  # staff: receives a copy of each new question

    @property
    def mailbox(self) -> Mailbox:
        """Name and address."""
        return Mailbox(self.name, self.address)

    @property
    def domain(self) -> str:
        """The domain of their address."""
        return domain_of(self.address)


NADIA = Player("Nadia Benali", "n.benali@kerbrec.example", "Ville de Kerbrec")
HUGO = Player("Hugo Perrin", "hugo.perrin@montelain-agglo.example", "Montelain Agglomération")
CLAIRE = Player("Claire Morvan", f"claire.morvan@{DOMAIN}", CENTRE, is_staff=True, told_of_new=True)
YANN = Player("Yann Riou", f"yann.riou@{DOMAIN}", CENTRE, is_staff=True)
SOIZIC = Player("Soizic Bihan", f"soizic.bihan@{DOMAIN}", CENTRE, is_staff=True)
ODILE = Player("Odile Le Gall", "o.legall@landreger.example", "Ville de Landreger")
MALO = Player("Malo Tanguy", "m.tanguy@ile-verte.example", "Association L’Île verte")

ASKERS = (NADIA, HUGO)
STAFF = (CLAIRE, YANN, SOIZIC)
EVERYBODY = (*ASKERS, *STAFF)  # whose postboxes the page shows
READERS = (ODILE, MALO)  # of the story of a letter


def player(address: str) -> Player | None:
    """Whose address this is."""
    wanted = normalise(address)
    return next((one for one in (*EVERYBODY, *READERS) if one.address == wanted), None)


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody says in the script."""

    text: str
    subject: str = ""


def line(name: str, **values: object) -> Line:
    """One entry of the script, its places filled."""
    entry = _script()[name]
    text, subject = str(entry["text"]).strip("\n") + "\n", str(entry.get("subject", ""))
    return Line(text.format(**values), subject.format(**values)) if values else Line(text, subject)


def attribution(day: str, hour: str, author: str) -> str:
    """The line above what a reply quotes."""
    return str(_script()["attribution"]).format(day=day, hour=hour, author=author)


@cache
def _script() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(Path(__file__).with_name("script.toml").read_text("utf-8"))
