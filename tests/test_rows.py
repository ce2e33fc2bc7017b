"""Rows written past the unit of work are rows like any other: the session knows them, and a rollback takes them."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from mailhub import rows
from mailhub.centre.people import EmailAddress, Person

NAMED = sa.select(sa.func.count()).select_from(Person).where(Person.name == sa.bindparam("name"))


def nadia(session: Session, now) -> Person:
    return rows.insert(session, Person, name="Nadia Benali", created_at=now, last_contact_at=now)


def test_an_inserted_row_has_its_key_and_is_the_session_s_own(database, now):
    with database.transaction() as session:
        person = nadia(session, now)
        rows.insert(session, EmailAddress, address="nadia@mairie.example", person_id=person.id)

        assert session.get(Person, person.id) is person
        person.name = "Nadia Le Gall"

    with database.reading() as session:
        assert [(row.name, row.last_contact_at) for row in session.exec(select(Person))] == [
            ("Nadia Le Gall", now)
        ]
        assert session.exec(select(EmailAddress.place)).one() == 0


def test_a_question_sees_what_was_changed_before_it(database, now):
    with database.transaction() as session:
        person = nadia(session, now)
        person.name = "Hugo"

        assert rows.value(session, NAMED, name="Hugo") == 1


def test_a_key_that_is_taken_is_refused_and_nothing_of_the_transaction_stays(database, now):
    def twice(session: Session) -> None:
        person = nadia(session, now)
        for _ in range(2):
            rows.insert(session, EmailAddress, address="nadia@mairie.example", person_id=person.id)

    with pytest.raises(IntegrityError), database.transaction() as session:
        twice(session)

    with database.reading() as session:
        assert session.exec(select(Person)).all() == []
