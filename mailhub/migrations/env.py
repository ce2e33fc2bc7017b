"""Where Alembic meets the house: which modules hold tables, and how a migration is written down."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Enum
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from mailhub import storage
from mailhub.centre import recall, returns
from mailhub.centre.people import functions, organisations, persons, postal, staff
from mailhub.centre.publications import issue, ledger
from mailhub.centre.requests import opening, request, thread
from mailhub.centre.subscriptions import confirmation, consent, subscription
from mailhub.journal import inbound
from mailhub.outbox import letter
from mailhub.schedule import ticks

# Every module that declares a table, in the order of the floors; imported here, nowhere else for this purpose.
# fmt: off
TABLES = (
    storage, organisations, persons, functions, postal, staff, opening, request, thread, recall, subscription, consent, confirmation,
    returns, issue, ledger, inbound, letter, ticks,
)
# fmt: on


def plain(kind: str, item: object, _: AutogenContext) -> str | Literal[False]:
    """Write house types as plain SQL types: a migration must run for years, whatever the models become."""
    if kind != "type":
        return False
    if isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, AutoString | Enum):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite alters a table by rebuilding it
    render_item=plain,
    transactional_ddl=True,  # on SQLite too: `Database` begins transactions itself
)
context.run_migrations()
