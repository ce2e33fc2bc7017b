"""The register of subscriptions as an operator meets it: which ones a word means, and the rows that show them."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from mailhub.cli.options import LAST_ROW
from mailhub.errors import UnknownRow

if TYPE_CHECKING:  # see above
    from sqlmodel import Session

    from mailhub.app import House
    from mailhub.centre.subscriptions import Subscription
    from mailhub.centre.subscriptions.known import Known

AT_ONCE = 500  # subscriptions in memory
COLUMNS = ("number", "publication", "who", "address", "channel", "state", "changed_at")
SHEET = (
    "number",
    "publication",
    "state",
    "channel",
    "name",
    "email",
    "organisation",
    "function",
    "delivery",
    "building",
    "street",
    "place",
    "postcode",
    "city",
    "country",
    "changed_at",
)


def chosen(session: "Session", who: str, of: str | None) -> "list[Subscription]":
    """The subscriptions a person means: one by number, or those of an address."""
    from mailhub.centre import people, subscriptions

    if who.isdecimal() and int(who) <= LAST_ROW:
        rows = [subscriptions.get(session, int(who))]
    else:
        found = [people.identity(person) for person in people.all_at(session, who)]
        rows = subscriptions.held_by(session, found)
    rows = [row for row in rows if of in {None, row.publication}]
    if not rows:
        raise UnknownRow(
            f"{who} has no subscription{f' to {of}' if of else ''}; `mailhub subscribers ls` lists them"
        )
    return rows


def every(
    session: "Session", house: "House", of: str | None, *, state: str | None = None, limit: int | None = None
) -> Iterator[dict[str, object]]:
    """Subscriptions, oldest first, read some hundreds at a time: one publication's, or those that stand there."""
    from mailhub.centre import subscriptions

    if of is not None:
        house.centre.lists.publication(of)  # refuses an unknown one, with a suggestion
    now, last = house.now(), 0
    left = LAST_ROW if limit is None else limit
    wanted = None if state is None else subscriptions.State(state)
    while rows := subscriptions.listed(
        session, now, publication=of, state=wanted, beyond=last, limit=min(left, AT_ONCE)
    ):
        yield from described(session, rows, now)
        last, left = rows[-1].id or 0, left - len(rows)
        if not left:
            return


def described(session: "Session", rows: "Sequence[Subscription]", now: datetime) -> list[dict[str, object]]:
    """Of each subscription who has it, where it goes, how it stands."""
    from mailhub.centre.subscriptions import known

    tables = known.of(session, rows)
    return [_described(row, tables, now) for row in rows]


def _described(row: "Subscription", tables: "Known", now: datetime) -> dict[str, object]:
    reader = tables.reader_of(row) or 0
    person = tables.persons.get(reader)
    seat = tables.functions.get(row.function_id or 0)
    body = seat.organisation_id if seat else person.organisation_id if person else None
    post = tables.postal.get(("function", row.function_id or 0) if seat else ("person", reader))
    return {
        "number": row.id,
        "publication": row.publication,
        "who": person.name if person else None,
        "address": tables.addresses.get(reader),
        "channel": str(row.channel),
        "state": str(row.state_at(now)),
        "changed_at": row.changed_at,
        "organisation": tables.organisations.get(body or 0),
        "function": seat.title if seat else None,
        **{
            part: getattr(post, part) if post else ""
            for part in ("delivery", "building", "street", "place", "postcode", "city", "country")
        },
    }


def history(session: "Session", row: "Subscription") -> list[dict[str, object]]:
    """Every decision that led where it stands, with its proof."""
    from mailhub.centre import subscriptions

    return [
        {
            "at": kept.at,
            "act": str(kept.act),
            "source": str(kept.source),
            "state": str(kept.state_after),
            "channel": str(kept.channel_after),
            "shown": kept.shown,
            "note": kept.note,
            "recorded_by": kept.recorded_by,
            "mail": kept.inbound_id,
            "message_digest": kept.message_digest,
        }
        for kept in subscriptions.history(session, row.id or 0)
    ]


def returns(session: "Session", row: "Subscription") -> list[dict[str, object]]:
    """What came back of what was sent for it."""
    from mailhub.centre import returns

    return [
        {"issue": told.issue_id, "outcome": str(told.outcome), "address": told.address, "at": told.at}
        for told in returns.told(session, row.id or 0)
    ]
