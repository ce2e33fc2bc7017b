"""The register is read a few hundred readers at a time, by the same few questions however many there are."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from mailhub.centre import people, subscriptions
from mailhub.centre.subscriptions import State
from mailhub.cli import opening, register
from tests.readers import home as post
from tests.readers import reader, subscribed

FEW, MANY = 3, 40


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Every statement that is carried out, by whomever."""
    seen: list[str] = []

    def note(_line: object, _cursor: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def fill(home, count, begin=0):
    """Readers of the letter: persons of organisations, and as many functions, every other of which is held."""
    with opening.house(home) as house, house.database.transaction() as session:
        now = house.now()
        for number in range(begin, begin + count):
            person = reader(session, now, f"l{number}@kerbrec{number}.example", f"Anne {number}", post=True)
            body = people.organisation_called(session, f"Ville {number}")
            person.organisation_id = body.id
            subscribed(session, now, person)
            seat = people.function_called(session, "maire", people.identity(body))
            people.appoint(session, seat, person if number % 2 else None, now)
            people.set_postal(session, seat, post())
            subscribed(session, now, seat)


@pytest.mark.parametrize("words", [("ls", "--json"), ("export",)])
def test_many_readers_cost_no_more_questions_than_a_few(run, home, statements, words):
    def cost():
        statements.clear()
        assert run("subscribers", *words, "--home", home).status == 0
        return len(statements)

    fill(home, FEW)
    of_few = cost()
    fill(home, MANY, FEW)

    assert cost() == of_few


def test_a_limit_and_a_state_are_asked_of_the_database(run, home, statements):
    fill(home, MANY)
    run("subscribers", "leave", "3", "--note", "par téléphone", "--home", home)
    statements.clear()

    (left,) = run("subscribers", "ls", "--state", "left", "--json", "--home", home).lines
    asked = [each for each in statements if "FROM subscription" in each]
    first = run("subscribers", "ls", "--limit", "2", "--json", "--home", home).lines

    assert left["number"] == 3
    assert [row["number"] for row in first] == [1, 2]
    assert all("subscription.state =" in each for each in asked)


def test_the_register_is_the_same_however_many_are_read_at_once(home, monkeypatch):
    fill(home, FEW)
    with opening.house(home) as house, house.database.reading() as session:
        whole = list(register.every(session, house, "lettre"))
        monkeypatch.setattr(register, "AT_ONCE", 2)
        parts = list(register.every(session, house, "lettre"))
        some = list(register.every(session, house, "lettre", limit=5))

    assert parts == whole
    assert some == whole[:5]
    assert [(row["who"], row["organisation"], row["function"], row["city"]) for row in whole[:4]] == [
        ("Anne 0", "Ville 0", None, "KERBREC"),
        (None, "Ville 0", "maire", "KERBREC"),
        ("Anne 1", "Ville 1", None, "KERBREC"),
        ("Anne 1", "Ville 1", "maire", "KERBREC"),
    ]


def test_the_database_says_where_a_subscription_stands_as_its_row_does(home):
    fill(home, FEW)
    with opening.house(home) as house, house.database.transaction() as session:
        now = house.now()
        hour = timedelta(hours=1)
        rows = subscriptions.listed(session, now, limit=100)
        pauses = [(None, None), (now + hour, None), (now, now + hour), (None, now), (None, now + hour)]
        for row, (begun, over) in zip(rows, pauses, strict=False):
            row.state, row.paused_from, row.paused_until = State.PAUSED, begun, over
        session.flush()
        found = {state: subscriptions.listed(session, now, state=state, limit=100) for state in State}

        assert found == {state: [row for row in rows if row.state_at(now) is state] for state in State}
        assert [len(found[state]) for state in (State.ACTIVE, State.PAUSED)] == [3, 3]
