"""One copy of an issue as it lies in a postbox: whose it is, how it lets go, that it is signed. Looked at, not believed."""

import re
from collections.abc import Iterable
from pathlib import Path

from mailhub import app, config
from mailhub.mail import dkim, signatures
from mailhub.mail.resolver import NoRecord
from mailhub.play.cast import DOMAIN, PAGES, Player
from mailhub.play.post import Mail
from mailhub.play.teller import Teller

_LEAVE = re.compile(
    rf"<({re.escape(PAGES)}/quitter/[a-z2-7]+)>, <mailto:stop\+[a-z2-7]+@{re.escape(DOMAIN)}>"
)
_RETURNS = re.compile(rf"retours\+[a-z2-7]+@{re.escape(DOMAIN)}")


class Zone:
    """DNS as it would answer, had the centre published what `mailhub dkim` prints."""

    def __init__(self, home: Path) -> None:
        signer = app.signer(config.load(home, {}))
        records = dkim.dns_records(DOMAIN, signer) if signer else []
        self._records = {record.name: record.value.encode() for record in records}

    def txt(self, name: str) -> tuple[bytes, ...]:
        """What the centre published there."""
        if name not in self._records:
            raise NoRecord(name)
        return (self._records[name],)

    def addresses(self, name: str, version: int) -> tuple[str, ...]:
        """Nobody asks in this play."""
        raise NoRecord(f"{name} {version}")

    def mx(self, name: str) -> tuple[str, ...]:
        """Nobody asks in this play."""
        raise NoRecord(name)

    def ptr(self, address: str) -> tuple[str, ...]:
        """Nobody asks in this play."""
        raise NoRecord(address)


def look_at(teller: Teller, copy: Mail, reader: Player, zone: Zone) -> None:
    """Everything a mail program and its provider look for in a letter to many."""
    true, said = teller.true, copy.message
    true("it is addressed to its reader alone", [box.address for box in said.to] == [reader.address], said.to)
    true(f"and greets them: « Bonjour {reader.name}, »", f"Bonjour {reader.name}," in said.text)
    leave = said.header("List-Unsubscribe") or ""
    true(f"List-Unsubscribe: {leave}", _LEAVE.fullmatch(leave) is not None)
    one_click = said.header("List-Unsubscribe-Post")
    true(f"List-Unsubscribe-Post: {one_click}", one_click == "List-Unsubscribe=One-Click")
    kinds = [part.get_content_type() for part in said.tree.walk() if not part.is_multipart()]
    true("the text comes first, then the page", kinds == ["text/plain", "text/html"], kinds)
    verdicts = [f"{each.domain} {each.result}" for each in signatures.verify(copy.raw, zone)]
    true("both signatures verify (DKIM: RSA and Ed25519)", verdicts == [f"{DOMAIN} pass"] * 2, verdicts)
    true("its return path is its own", _RETURNS.fullmatch(copy.return_path) is not None, copy.return_path)


def are_personal(teller: Teller, copies: Iterable[Mail]) -> None:
    """No two copies share what lets go of them or brings them back."""
    found = [(copy.return_path, copy.message.header("List-Unsubscribe")) for copy in copies]
    paths, links = ({pair[side] for pair in found} for side in (0, 1))
    true = len(paths) == len(links) == len(found)
    teller.true("no two copies have a return path or a leave link in common", true, found)


def leave_link(copy: Mail) -> str:
    """Where one click goes."""
    found = _LEAVE.fullmatch(copy.message.header("List-Unsubscribe") or "")
    return found[1] if found else ""
