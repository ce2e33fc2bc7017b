"""One issue to many readers, ready to leave, and a courier that sends it: what `bench.send` measures.

python -m bench.letters URL PORT rsa|ed25519     says "ready", waits for a line, sends all that is due, tells how
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
import uvloop
from sqlalchemy import insert

from mailhub import app, outbox
from mailhub.centre import cadences, people, publications
from mailhub.centre.profile import Centre
from mailhub.centre.publications import Manuscript
from mailhub.centre.subscriptions import Channel, State, Subscription
from mailhub.database import Database
from mailhub.deliver.courier import Courier
from mailhub.deliver.wire import Relay
from mailhub.lists import Lists, Publication
from mailhub.mail import dkim
from mailhub.mail.dkim import Signer, SigningKey
from mailhub.mail.tokens import Keyring
from mailhub.render import Renderer
from mailhub.schedule import Issues

CONNECTIONS = 10
TEXT_OCTETS, HTML_OCTETS = 3 * 1024, 19 * 1024  # 30 KiB on the wire, where accents take more
PARAGRAPH = (
    "Le centre de ressources réunit le 12 mars les équipes des contrats de ville autour de la gestion urbaine de "
    "proximité : bilan, expériences voisines, suites à donner. L’inscription est libre.\n"
)
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


def centre() -> Centre:
    """A centre with one publication."""
    written = {
        "code": "lettre",
        "title": "Lettre mensuelle",
        "address": "lettre",
        "reason": "Vous recevez cette lettre parce que vous l’avez demandée.",
        "channels": ["email"],
        "consent": "opt-in",
        "template": "letter",
        "schedule": {"cadence": "premier mardi ouvré"},
        "sections": [{"code": "centre", "title": "Le centre"}],
    }
    lettre = Publication.model_validate(written, context={"cadence": cadences.parse})
    return Centre(
        "Villes & Rives",
        "centre.example",
        Keyring(1, {1: bytes(range(32))}),
        leave_url="https://centre.example/quitter/",
        lists=Lists(publications=(lettre,)),
    )


def manuscript() -> Manuscript:
    """The words of an issue that makes 30 KiB on the wire, greeting included."""
    text = "{{ salutation }}\n\n" + PARAGRAPH * (TEXT_OCTETS // len(PARAGRAPH.encode()))
    lines = [f'<p style="margin: 0 0 12px 0">{PARAGRAPH}</p>\n']
    lines *= HTML_OCTETS // len(lines[0].encode())
    return Manuscript("Les rencontres de mars", text, "<p>{{ salutation }}</p>\n" + "".join(lines))


def plant(url: str, readers: int) -> float:
    """Make a database with so many readers and an issue released to them; say in how many seconds it was released."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    database, here, renderer = Database(url), centre(), Renderer()
    database.upgrade()
    with database.transaction() as session:
        execute = session.connection().execute
        numbers = range(1, readers + 1)
        execute(insert(people.Person), [_person(number) for number in numbers])
        execute(insert(people.EmailAddress), [_address(number) for number in numbers])
        execute(insert(Subscription), [_subscription(number) for number in numbers])
        (lettre,) = here.lists.publications
        form = publications.typeset(lettre, 57, manuscript(), here, renderer)
        issue = publications.add(session, "lettre", 57, form, title="Lettre 57", subject="Mars", now=NOW)
        publications.release(session, issue, NOW)
    began = time.perf_counter()
    assert Issues(database, here, renderer, lambda: NOW).release_due() == 1
    took = time.perf_counter() - began
    database.close()
    return took


@dataclass(frozen=True)
class Report:
    """What one worker did."""

    began: float  # on the clock all processes of a machine share
    ended: float
    cpu_seconds: float
    peak_mib: float


def work(url: str, port: int, kind: str) -> Report:
    """Send all that is due, as `mailhub serve` would."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(40)
    )  # its default tells of each letter
    database = Database(url)
    courier = Courier(
        database,
        Relay("127.0.0.1", port, tls="none", helo="mail.centre.example"),
        centre(),
        Renderer(),
        lambda: NOW,
        signer=Signer("centre.example", [SigningKey.load("bench", dkim.generate(kind))]),
        connections=CONNECTIONS,
        per_destination_per_minute=0,
        letters_per_connection=0,  # smtp-source keeps its connections too
    )
    sys.setswitchinterval(app.SWITCH_SECONDS)  # as `mailhub serve` does
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    before, began = time.process_time(), time.monotonic()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        ended = runner.run(_send_all(courier))
    database.close()
    return Report(began, ended, time.process_time() - before, _peak_mib())


def _peak_mib() -> float:
    """The most memory this program ever held; `ru_maxrss` would count what its parent held before it began."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


async def _send_all(courier: Courier) -> float:
    while await courier.step():
        pass
    ended = time.monotonic()
    await courier.close()
    return ended


def counted(url: str) -> int:
    """How many copies the ledger calls sent."""
    database = Database(url)
    with database.reading() as session:
        sums = outbox.sums(session, publications.called(session, "lettre-57"))
    database.close()
    return sums[outbox.Standing.SENT]


def _person(number: int) -> dict[str, object]:
    return {"id": number, "name": f"Lectrice Nº {number}", "created_at": NOW, "last_contact_at": NOW}


def _address(number: int) -> dict[str, object]:
    return {"address": f"lectrice.{number}@ville{number % 700}.example", "place": 0, "person_id": number}


def _subscription(number: int) -> dict[str, object]:
    return {
        "id": number,
        "publication": "lettre",
        "person_id": number,
        "state": State.ACTIVE,
        "channel": Channel.EMAIL,
        "returns_since": NOW,
        "created_at": NOW,
        "changed_at": NOW,
    }


if __name__ == "__main__":
    where, door, key = sys.argv[1:]
    sys.stdout.write(json.dumps(asdict(work(where, int(door), key))) + "\n")
