"""The ledger of an issue: every reader by name, and sums that balance."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mailhub.cli import opening, screen
from mailhub.cli.options import HERE, AsLines, Home

if TYPE_CHECKING:  # see above
    from mailhub.outbox import Line

State = Literal["planned", "sending", "sent", "deferred", "failed", "in_doubt", "paper", "excluded"]
# Relays return what they cannot deliver within five days (lists.md D44; postfix `maximal_queue_lifetime`).
RELAY_KEEPS = timedelta(days=5)
# Gmail and Yahoo ask senders to stay below the first and never to reach the second (lists.md D36).
COMPLAINTS_MINDED, COMPLAINTS_REFUSED = 0.001, 0.003
_COLUMNS = ("name", "address", "standing", "at", "why")


def ledger(
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="An issue, such as lettre-57.")],
    home: Home = HERE,
    state: Annotated[State | None, typer.Option("--state", help="Only readers who stand there.")] = None,
    json: AsLines = False,
) -> None:
    """Account for an issue, name by name: the sums together are the roster."""
    from mailhub import outbox
    from mailhub.centre import publications
    from mailhub.outbox import Standing

    now = opening.this_moment()
    with opening.database(home) as database, database.reading() as session:
        found = publications.called(session, issue)
        reference = found.reference
        sums = {str(standing): count for standing, count in outbox.sums(session, found).items()}
        complaints = outbox.complaints(session, found)
        lines = outbox.read(session, found, Standing(state) if state else None)
        rows = list(_rows(lines, now))
    if json:
        screen.lines(
            [{"issue": reference, **sums, "roster": sum(sums.values()), "complaints": complaints}, *rows]
        )
        return
    screen.table(rows, _COLUMNS, nothing="nobody stands there")
    balance = " + ".join(f"{count} {standing}" for standing, count in sums.items())
    screen.say(f"{balance} = {sum(sums.values())} on the roster")
    if complaints:
        rate = complaints / max(sums["sent"], 1)
        screen.say(
            f"{complaints} complained, {rate:.1%} of what was sent: "
            f"mail providers mind {COMPLAINTS_MINDED:.1%} and refuse {COMPLAINTS_REFUSED:.1%}"
        )


def _rows(lines: "Iterator[Line]", now: datetime) -> Iterator[dict[str, object]]:
    for line in lines:
        yield {
            "subscription": line.subscription_id,
            "person": line.person_id,
            "name": line.name,
            "address": line.address,
            "standing": _said(line, now),
            "state": line.standing.value,
            "at": line.at,
            "why": f"came back: {line.returned}" if _came_back(line) else line.why,
            "letter": line.letter_id,
            "message_id": line.message_id,
        }


def _said(line: "Line", now: datetime) -> str:
    """Sent is what the relay took: until it would have returned it, we only know that it has it (D44)."""
    if line.standing.value == "sent" and line.at is not None and now - line.at < RELAY_KEEPS:
        return "handed to the relay"
    return line.standing.value.replace("_", " ")


def _came_back(line: "Line") -> bool:
    return line.returned is not None and line.returned.value not in {"sent", "delivered"}
