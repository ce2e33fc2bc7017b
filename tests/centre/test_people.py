"""Persons and addresses: recognised the same way every time, never merged, never guessed."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from mailhub.centre import people
from mailhub.database import Database
from tests.readers import home, reader

COUPLE = "famille.legoff@freemail.example"


def test_two_people_at_one_address_are_recognised_the_same_way_every_time(database: Database, now: datetime):
    with database.transaction() as session:
        anne, paul = (
            reader(session, now, COUPLE, "Anne Le Goff"),
            reader(session, now, COUPLE, "Paul Le Goff"),
        )

        found = [people.recognise(session, COUPLE.upper()) for _ in range(3)]
        named = people.recognise(session, COUPLE, "LE GOFF Paul")

    assert found == [anne] * 3
    assert named == paul


def test_who_meets_us_again_under_another_name_is_nobody_new(database: Database, now: datetime):
    with database.transaction() as session:
        anne = people.meet(session, "anne@kerbrec.example", "Anne Le Goff", now)
        again = people.meet(session, "Anne@Kerbrec.example", "anne (mobile)", now + timedelta(days=1))

    assert again == anne
    assert (anne.name, anne.last_contact_at) == ("Anne Le Goff", now + timedelta(days=1))


def test_two_who_meet_us_at_the_same_instant_cannot_become_two_by_accident(database: Database, now: datetime):
    with database.transaction() as session:
        anne = people.meet(session, "anne@kerbrec.example", "Anne", now)

    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(people.EmailAddress(address="anne@kerbrec.example", place=0, person_id=anne.id))


def test_an_address_somebody_left_recognises_them_for_a_year_and_is_not_written_to(
    database: Database, now: datetime
):
    old, new = "o.legall@kerbrec.example", "odile.legall@kerbrec.example"
    with database.transaction() as session:
        odile = reader(session, now, old, "Odile Le Gall")
        people.change_address(session, odile, new, now)

        written_to = people.address_of(session, people.identity(odile))
        by_the_old = people.recognise(session, old)
        too_early = people.forget_old_addresses(session, now + timedelta(days=364))
        forgotten = people.forget_old_addresses(session, now + timedelta(days=366))
        session.flush()

        assert (written_to, by_the_old, too_early, forgotten) == (new, odile, 0, 1)
        assert people.recognise(session, old) is None
        assert people.recognise(session, new) == odile


def test_whoever_has_an_address_now_goes_before_whoever_left_it(database: Database, now: datetime):
    with database.transaction() as session:
        before = reader(session, now, "chef@kerbrec.example", "Avant")
        after = reader(session, now, "chef@kerbrec.example", "Après")
        people.change_address(session, before, "avant@freemail.example", now)

        assert people.recognise(session, "chef@kerbrec.example") == after


def test_a_function_outlives_its_holder(database: Database, now: datetime):
    with database.transaction() as session:
        kerbrec = people.organisation_called(session, "Ville de Kerbrec")
        seat = people.function_called(session, "chef de projet", people.identity(kerbrec))
        nadia, hugo = (
            reader(session, now, "nadia@kerbrec.example"),
            reader(session, now, "hugo@kerbrec.example"),
        )
        people.appoint(session, seat, nadia, now)
        people.appoint(session, seat, nadia, now)
        people.appoint(session, seat, hugo, now + timedelta(days=1))

        assert people.holder(session, people.identity(seat)) == hugo
        assert people.functions_of(session, people.identity(nadia)) == []
        people.appoint(session, seat, None, now + timedelta(days=2))
        assert people.holder(session, people.identity(seat)) is None


def test_a_postal_address_belongs_to_one_person_or_one_function(database: Database, now: datetime):
    with database.transaction() as session:
        odile = reader(session, now, None, "Odile Le Gall")
        people.set_postal(session, odile, home())
        people.set_postal(
            session, odile, people.PostalAddress(street="1 RUE DU PORT", postcode="35000", city="RENNES")
        )

        found = people.postal_of(session, odile)

    assert found is not None
    assert (found.city, found.is_complete) == ("RENNES", True)
    assert not people.PostalAddress(street="1 RUE DU PORT", city="").is_complete
