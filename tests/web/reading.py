"""A centre with its pages, and Pierre, who receives the letter and the review."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlmodel import SQLModel, select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mailhub.centre import people, subscriptions
from mailhub.centre.profile import Centre
from mailhub.centre.subscriptions import Subscription
from mailhub.database import Database
from mailhub.mail.tokens import Purpose, Token
from mailhub.outbox import Outgoing
from mailhub.render import Renderer
from mailhub.web import figures, listener, site
from tests.journey import DOMAIN, Clock
from tests.readers import KEYRING, LISTS, REVIEW, reader, subscribed

PIERRE = "p.guillou@vrine.example"
PAGES = "https://pages.villes-rives.example"


@dataclass
class Reading:
    """The pages, and what stands behind them."""

    database: Database
    clock: Clock
    centre: Centre
    application: Starlette
    row_id: int = 0
    person_id: int = 0

    @contextmanager
    def client(self, address: str = "192.0.2.7") -> Iterator[TestClient]:
        """A browser that shows none of our own headers."""
        with TestClient(
            self.application, base_url=PAGES, client=(address, 50000), follow_redirects=False
        ) as client:
            yield client

    @contextmanager
    def served(self, peer: str) -> Iterator[TestClient]:
        """What talks to the listener itself from this address: a web server before it, or somebody directly."""
        here = site.Site(self.database, self.centre, Renderer(), self.clock, CollectorRegistry())
        with listener.bound("127.0.0.1:0") as place:
            config = listener.arranged(here.application(), place)
        config.load()
        with TestClient(config.loaded_app, base_url=PAGES, client=(peer, 50000)) as client:
            yield client

    def over(self, database: Database) -> "Reading":
        """The same pages over another database."""
        pages = site.Site(
            database, self.centre, Renderer(), self.clock, figures.registry(database, self.clock)
        )
        return replace(self, database=database, application=pages.application())

    def token(self, purpose: Purpose = Purpose.LEAVE, until: int = 0) -> str:
        """A token about Pierre's letter."""
        return KEYRING.seal(Token(purpose, self.row_id, self.person_id, until))

    def subscription(self) -> Subscription:
        """Pierre's letter as it stands."""
        with self.database.reading() as session:
            return subscriptions.get(session, self.row_id)

    def letters(self) -> list[tuple[str, str]]:
        """Kind and recipient of everything owed."""
        with self.database.reading() as session:
            rows = session.exec(select(Outgoing).order_by(Outgoing.id)).all()  # type: ignore[arg-type]
            return [(row.kind, row.recipient) for row in rows]

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table."""
        with self.database.reading() as session:
            return {
                name: sorted(
                    (tuple(row) for row in session.execute(text(f'SELECT * FROM "{name}"'))), key=repr
                )
                for name in SQLModel.metadata.tables
            }


def pages_of(database: Database, now: datetime, *, post: bool = True, base: str = PAGES) -> Reading:
    """The pages of a centre that publishes the letter and the review."""
    clock = Clock(now)
    centre = Centre(
        "Villes & Rives",
        DOMAIN,
        KEYRING,
        phone="02 99 00 00 01",
        lists=LISTS,
        leave_url=f"{base}/quitter/",
        preferences_url=f"{base}/preferences/",
        confirm_url=f"{base}/confirmer/",
        join_url=f"{base}/abonnement",
    )
    pages = site.Site(database, centre, Renderer(), clock, figures.registry(database, clock))
    with database.transaction() as session:
        pierre = reader(session, now, PIERRE, "Pierre Guillou", post=post)
        row = subscribed(session, now, pierre)
        subscribed(session, now, pierre, REVIEW)
        return Reading(database, clock, centre, pages.application(), row.id or 0, people.identity(pierre))
