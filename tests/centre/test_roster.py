"""Whatever happened before, everybody is in the roster once: by email, on paper, both, or out with a reason (T29)."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlmodel import Session, select

from mailhub.centre import people, returns, subscriptions
from mailhub.centre.returns import Returned
from mailhub.centre.subscriptions import Act, Channel, Recipient, Source, State, Subscription
from mailhub.database import Database
from tests.readers import KEYRING, LETTER, home, reader, said, subscribed

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def session(sqlite_url: str) -> Iterator[Session]:
    """An open transaction on a database of one's own."""
    database = Database(sqlite_url)
    with database.transaction() as opened:
        yield opened
    database.close()


def way(line: Recipient) -> str:
    """The one column of the report a line is counted in."""
    return str(line.excluded or line.channel)


def six_hundred(session: Session) -> None:
    """The readers of the letter, as a file would bring them: seventy by email, the others on paper."""
    numbers = range(1, 601)
    session.add_all(
        people.Person(id=number, name=f"Lecteur {number}", created_at=NOW, last_contact_at=NOW)
        for number in numbers
    )
    session.flush()
    session.add_all(
        people.EmailAddress(address=f"lecteur{number}@kerbrec.example", person_id=number)
        for number in numbers[:70]
    )
    session.add_all(
        people.PostalAddress(person_id=number, street="1 RUE DU PORT", postcode="35999", city="KERBREC")
        for number in numbers[70:]
    )
    session.add_all(
        Subscription(
            publication="lettre",
            person_id=number,
            state=State.ACTIVE,
            channel=Channel.EMAIL if number <= 70 else Channel.PAPER,
            returns_since=NOW,
            created_at=NOW,
            changed_at=NOW,
        )
        for number in numbers
    )


def test_r20_seventy_by_email_and_five_hundred_and_thirty_on_paper_are_six_hundred(session: Session):
    six_hundred(session)

    roster = subscriptions.roster(session, "lettre", NOW)

    assert Counter(map(way, roster)) == {"email": 70, "paper": 530}
    assert len({line.subscription_id for line in roster}) == 600
    assert all(line.address for line in roster[:70])
    assert all(line.postal for line in roster[70:])


def test_changing_a_channel_moves_exactly_one_line(session: Session):
    rows = [
        subscribed(session, NOW, reader(session, NOW, f"lecteur{number}@kerbrec.example", post=True))
        for number in range(10)
    ]
    before = subscriptions.roster(session, "lettre", NOW)

    subscriptions.change_channel(session, [rows[3]], Channel.PAPER, said(NOW))
    after = subscriptions.roster(session, "lettre", NOW)

    assert [new.subscription_id for old, new in zip(before, after, strict=True) if old != new] == [rows[3].id]
    assert way(after[3]) == "paper"


def test_t29_who_cannot_be_reached_is_named_with_the_reason(session: Session):
    nobody = reader(session, NOW, None, "Sans adresse")
    subscribed(session, NOW, nobody, LETTER, Channel.PAPER)
    incomplete = reader(session, NOW, None, "Sans rue")
    people.set_postal(session, incomplete, people.PostalAddress(city="KERBREC", postcode="35999"))
    subscribed(session, NOW, incomplete, LETTER, Channel.PAPER)
    by_mail = reader(session, NOW, None, "Sans courriel")
    subscribed(session, NOW, by_mail, LETTER, Channel.EMAIL)
    late = reader(session, NOW, "feu@kerbrec.example", "Feu M. Sans")
    late.deceased = False
    subscribed(session, NOW, late)
    late.deceased = True
    seat = people.function_called(
        session, "maire", people.identity(people.organisation_called(session, "Kerbrec"))
    )
    subscribed(session, NOW, seat, LETTER, Channel.EMAIL)

    roster = subscriptions.roster(session, "lettre", NOW)

    assert list(map(way, roster)) == [
        "no-postal-address",
        "no-postal-address",
        "no-email-address",
        "deceased",
        "vacant",
    ]


def test_paper_for_a_function_goes_to_its_seat_whoever_holds_it(session: Session):
    kerbrec = people.organisation_called(session, "Ville de Kerbrec")
    seat = people.function_called(session, "chef de projet", people.identity(kerbrec))
    people.set_postal(session, seat, home())
    subscribed(session, NOW, seat, LETTER, Channel.PAPER)

    (line,) = subscriptions.roster(session, "lettre", NOW)

    assert (way(line), line.person_id, line.names) == ("paper", None, ())
    assert line.postal is not None
    assert (line.postal.function, line.postal.organisation) == ("chef de projet", "Ville de Kerbrec")


@pytest.mark.parametrize(
    ("seated", "living", "goes_to"),
    [
        (home(), None, "function"),
        (None, home(), "reader"),
        (people.PostalAddress(city="KERBREC"), home(), None),
        (None, people.PostalAddress(city="KERBREC"), None),
    ],
)
def test_paper_goes_by_one_rule_whether_one_is_asked_about_or_everybody(
    session: Session,
    seated: people.PostalAddress | None,
    living: people.PostalAddress | None,
    goes_to: str | None,
):
    kerbrec = people.organisation_called(session, "Ville de Kerbrec")
    seat = people.function_called(session, "chef de projet", people.identity(kerbrec))
    holder = reader(session, NOW, "a@kerbrec.example")
    people.appoint(session, seat, holder, NOW)
    for owner, lines in ((seat, seated), (holder, living)):
        if lines is not None:
            people.set_postal(session, owner, people.PostalAddress(**lines.model_dump(exclude={"id"})))
    row = subscribed(session, NOW, seat, LETTER, Channel.PAPER)

    (line,) = subscriptions.roster(session, "lettre", NOW)
    found = subscriptions.postal_of(session, row)

    assert (line.postal is not None) == (found is not None) == (goes_to is not None)
    if found is not None:
        assert subscriptions.label(found, None) is found
        assert (found.function_id is not None) == (goes_to == "function")


def test_a_suspended_email_leaves_the_paper_of_both(session: Session):
    both = subscribed(
        session, NOW, reader(session, NOW, "a@kerbrec.example", post=True), LETTER, Channel.BOTH
    )
    alone = subscribed(session, NOW, reader(session, NOW, "b@kerbrec.example"))
    for row in (both, alone):
        subscriptions.record(session, row, Act.STOPPED, said(NOW, Source.RETURNS), state=State.SUSPENDED)

    assert list(map(way, subscriptions.roster(session, "lettre", NOW))) == ["paper", "suspended"]
    assert subscriptions.is_wanted(session, both.id or 0, Channel.PAPER, NOW)
    assert not subscriptions.is_wanted(session, both.id or 0, Channel.EMAIL, NOW)


def test_a_person_who_also_holds_a_function_is_sent_one_copy(session: Session):
    kerbrec = people.organisation_called(session, "Ville de Kerbrec")
    seat = people.function_called(session, "chef de projet", people.identity(kerbrec))
    nadia = reader(session, NOW, "nadia@kerbrec.example", "Nadia Benali")
    people.appoint(session, seat, nadia, NOW)
    subscribed(session, NOW, nadia)
    subscribed(session, NOW, seat)

    first, second = subscriptions.roster(session, "lettre", NOW)

    assert (way(first), first.names) == ("email", ("Nadia Benali",))
    assert way(second) == "shares-copy"


def test_d23_who_leaves_a_second_before_is_not_in_the_issue(session: Session):
    row = subscribed(session, NOW, reader(session, NOW, "a@kerbrec.example"))
    (planned,) = subscriptions.roster(session, "lettre", NOW)

    subscriptions.leave(session, [row], said(NOW))

    assert planned.excluded is None
    assert not subscriptions.is_wanted(session, planned.subscription_id, Channel.EMAIL, NOW)


class Histories(RuleBasedStateMachine):
    """Any history of joins, leaves, pauses, channels, returns, moves of people and functions."""

    rows = Bundle("rows")
    template: Path

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "m.db"
        path.write_bytes(self.template.read_bytes())
        self.database = Database(f"sqlite:///{path}")
        self.opened = self.database.transaction()
        self.session = self.opened.__enter__()
        self.at, self.count, self.issue = NOW, 0, 0

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            self.opened.__exit__(None, None, None)
            self.database.close()
            self.folder.cleanup()

    def row(self, number: int) -> Subscription:
        self.at += timedelta(hours=1)
        return subscriptions.get(self.session, number)

    @rule(
        target=rows,
        channel=st.sampled_from(Channel),
        mail=st.sampled_from([None, "couple", "own"]),
        post=st.booleans(),
    )
    def join(self, channel: Channel, mail: str | None, post: bool) -> int:
        self.count += 1
        addresses = {None: None, "couple": "famille@kerbrec.example", "own": f"p{self.count}@kerbrec.example"}
        person = reader(self.session, self.at, addresses[mail], f"Personne {self.count}", post=post)
        return subscribed(self.session, self.at, person, LETTER, channel).id or 0

    @rule(target=rows, channel=st.sampled_from(Channel), post=st.booleans())
    def seat(self, channel: Channel, post: bool) -> int:
        self.count += 1
        town = people.organisation_called(self.session, "Kerbrec")
        seat = people.function_called(self.session, f"fonction {self.count}", people.identity(town))
        if post:
            people.set_postal(self.session, seat, home())
        return subscribed(self.session, self.at, seat, LETTER, channel).id or 0

    @rule(seat=rows, other=rows)
    def appoint(self, seat: int, other: int) -> None:
        function_id, person_id = self.row(seat).function_id, self.row(other).person_id
        if function_id and person_id:
            function = people.function(self.session, function_id)
            people.appoint(self.session, function, self.session.get_one(people.Person, person_id), self.at)

    @rule(number=rows)
    def leave(self, number: int) -> None:
        subscriptions.leave(self.session, [self.row(number)], said(self.at))

    @rule(number=rows)
    def object(self, number: int) -> None:
        subscriptions.leave_everything(
            self.session, KEYRING, [self.row(number)], f"{number}@kerbrec.example", said(self.at)
        )

    @rule(number=rows, days=st.integers(-2, 3))
    def pause(self, number: int, days: int) -> None:
        subscriptions.pause(self.session, [self.row(number)], said(self.at), until=self.at + days * DAY)

    @rule(number=rows, channel=st.sampled_from(Channel))
    def switch(self, number: int, channel: Channel) -> None:
        subscriptions.change_channel(self.session, [self.row(number)], channel, said(self.at))

    @rule(number=rows)
    def resume(self, number: int) -> None:
        subscriptions.resume(self.session, [self.row(number)], said(self.at))

    @rule(number=rows)
    def undo(self, number: int) -> None:
        subscriptions.undo(
            self.session, KEYRING, [self.row(number)], f"{number}@kerbrec.example", said(self.at)
        )

    @rule(number=rows)
    def complain(self, number: int) -> None:
        subscriptions.complain(self.session, KEYRING, self.row(number), None, said(self.at))

    @rule(number=rows, outcome=st.sampled_from(Returned))
    def come_back(self, number: int, outcome: Returned) -> None:
        self.issue += 1
        returns.record(self.session, self.row(number).id or 0, self.issue, outcome, self.at)

    @invariant()
    def everybody_is_there_once(self) -> None:
        if not hasattr(self, "session"):
            return
        roster = subscriptions.roster(self.session, "lettre", self.at)
        everybody = list(self.session.exec(select(Subscription.id)).all())

        assert [line.subscription_id for line in roster] == sorted(number or 0 for number in everybody)
        sent = [line for line in roster if line.excluded is None]
        mails = [line.address for line in sent if line.channel.has_email]
        assert None not in mails
        assert len(set(mails)) == len(mails)
        assert all(line.postal is not None for line in sent if line.channel.has_paper)
        papers = [line.person_id for line in sent if line.channel.has_paper and line.person_id is not None]
        assert len(set(papers)) == len(papers)
        for line in sent:
            row = subscriptions.get(self.session, line.subscription_id)
            assert row.state_at(self.at) in {State.ACTIVE, State.SUSPENDED}
        named = {number for line in sent for number in line.also}
        assert named >= {line.subscription_id for line in roster if way(line) == "shares-copy"} - {
            line.subscription_id for line in roster if not line.channel.has_email
        }


def test_every_history_leaves_everybody_in_the_roster_once(sqlite_template: Path):
    Histories.template = sqlite_template
    machine = Histories.TestCase
    machine.settings = settings(
        max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )
    machine("runTest").runTest()
