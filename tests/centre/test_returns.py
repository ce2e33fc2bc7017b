"""Returns are counted in issues: a dead mailbox is found at the second one, a holiday or a full mailbox never."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from mailhub.centre import people, returns, subscriptions
from mailhub.centre.returns import News, Returned, is_dead
from mailhub.centre.subscriptions import Channel, State, Subscription
from mailhub.database import Database
from mailhub.mail.dsn import Delivery
from tests.readers import KEYRING, LETTER, reader, said, subscribed

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
MONTH = timedelta(days=30)
SENT, SOFT, POLICY, HARD, ADDRESS = (
    Returned.SENT,
    Returned.SOFT,
    Returned.POLICY,
    Returned.HARD,
    Returned.ADDRESS,
)


@pytest.fixture
def session(sqlite_url: str) -> Iterator[Session]:
    """An open transaction on a database of one's own."""
    database = Database(sqlite_url)
    with database.transaction() as opened:
        yield opened
    database.close()


@pytest.fixture
def row(session: Session) -> Subscription:
    """One reader of the letter by email."""
    return subscribed(session, NOW, reader(session, NOW, "o.legall@kerbrec.example", "Odile Le Gall"))


def come_back(session: Session, row: Subscription, *outcomes: Returned, first: int = 1) -> list[News]:
    """These outcomes, one issue each, a month apart; what staff are told."""
    return [
        event.news
        for place, outcome in enumerate(outcomes)
        for event in returns.record(
            session, row.id or 0, first + place, outcome, row.returns_since + (first + place) * MONTH
        )
    ]


@pytest.mark.parametrize(
    ("outcomes", "dead"),
    [
        ([HARD], False),
        ([ADDRESS], False),
        ([HARD, HARD], True),
        ([ADDRESS, ADDRESS], True),
        ([HARD, SENT, HARD], False),
        ([HARD, SOFT, HARD], False),  # not consecutive, and the address exists
        ([ADDRESS, SOFT, ADDRESS], True),  # no such address, and no success since (D37)
        ([ADDRESS, SENT, ADDRESS], False),
        ([HARD, POLICY, HARD], True),  # our own fault in between is neither a success nor a failure
        ([SOFT] * 24, False),
        ([POLICY] * 24, False),
        ([HARD, HARD, SENT], False),  # it works again
        ([SENT, HARD, HARD, SOFT], True),
    ],
)
def test_d37_what_issues_say_together(outcomes: list[Returned], dead: bool):
    assert is_dead(outcomes) is dead


@given(st.lists(st.sampled_from([SENT, SOFT, POLICY])))
def test_nobody_is_stopped_without_a_hard_failure(outcomes: list[Returned]):
    assert not is_dead(outcomes)


@given(st.lists(st.sampled_from(Returned)))
def test_our_own_faults_change_nothing(outcomes: list[Returned]):
    ours = [outcome for each in outcomes for outcome in (POLICY, each)]

    assert is_dead(ours) == is_dead(outcomes)


def test_two_consecutive_issues_stop_the_email_and_keep_the_reader(session: Session, row: Subscription):
    told = come_back(session, row, SENT, ADDRESS, ADDRESS)
    (line,) = subscriptions.roster(session, "lettre", NOW)

    assert told == [News.STOPPED]
    assert (row.state, line.excluded) == (State.SUSPENDED, "suspended")


def test_the_channel_of_paper_goes_on(session: Session):
    both = subscribed(
        session, NOW, reader(session, NOW, "a@kerbrec.example", post=True), LETTER, Channel.BOTH
    )

    come_back(session, both, HARD, HARD)
    (line,) = subscriptions.roster(session, "lettre", NOW)

    assert (line.channel, line.excluded) == (Channel.PAPER, None)


def test_the_same_word_twice_about_one_copy_counts_once(session: Session, row: Subscription):
    for _ in range(5):
        returns.record(session, row.id or 0, 1, HARD, NOW)

    assert row.state is State.ACTIVE
    assert len(returns.told(session, row.id or 0)) == 1


@pytest.mark.parametrize(
    ("words", "kept"),
    [([SENT, HARD], HARD), ([HARD, SENT], HARD), ([SENT, SOFT, Returned.DELIVERED], Returned.DELIVERED)],
)
def test_of_several_words_about_one_copy_the_strongest_stays(
    session: Session, row: Subscription, words: list[Returned], kept: Returned
):
    for word in words:
        returns.record(session, row.id or 0, 1, word, NOW)

    assert [each.outcome for each in returns.told(session, row.id or 0)] == [kept]


def test_s38_a_mailbox_full_three_issues_in_a_row_is_shown_once(session: Session, row: Subscription):
    told = come_back(session, row, SOFT, SOFT, SOFT, SOFT, SENT, SOFT, SOFT, SOFT)

    assert told == [News.SOFT_AGAIN, News.SOFT_AGAIN]
    assert row.state is State.ACTIVE


def test_5_7_x_is_ours_and_charged_to_nobody(session: Session, row: Subscription):
    told = come_back(session, row, POLICY, POLICY, POLICY)

    assert set(told) == {News.POLICY}
    assert row.state is State.ACTIVE


def test_t11_after_it_is_enabled_again_the_next_single_failure_disables_nothing(
    session: Session, row: Subscription
):
    come_back(session, row, HARD, HARD)
    subscriptions.resume(session, [row], said(NOW + 3 * MONTH))

    told = come_back(session, row, HARD, first=4)
    late = returns.record(session, row.id or 0, 1, ADDRESS, NOW + 5 * MONTH)  # a straggler about an old issue

    assert (told, late, row.state) == ([], (), State.ACTIVE)
    assert come_back(session, row, HARD, first=6) == [News.STOPPED]


def test_t15_a_new_address_starts_at_nought_and_the_failure_stays_with_the_old_one(
    session: Session, row: Subscription
):
    odile = subscriptions.reader_of(session, row)
    assert odile is not None
    come_back(session, row, HARD)
    old, new = "o.legall@kerbrec.example", "odile.legall@kerbrec.example"
    asked = subscriptions.ask_to_move(session, KEYRING, odile, old, new, said(NOW + 2 * MONTH), proven=True)
    subscriptions.answer(session, asked[1].id or 0, new, said(NOW + 2 * MONTH), yes=True)

    told = come_back(session, row, HARD, first=3)

    assert (told, row.state) == ([], State.ACTIVE)
    assert [(each.issue_id, each.address) for each in returns.told(session, row.id or 0)] == [
        (1, old),
        (3, new),
    ]
    assert people.address_of(session, people.identity(odile)) == new


@pytest.mark.parametrize("issues_a_year", [12, 24])
def test_a_dead_mailbox_is_found_at_the_second_issue_whatever_the_cadence(
    session: Session, row: Subscription, issues_a_year: int
):
    """Counted in days, as list managers do, a monthly letter never finds one."""
    span = timedelta(days=365 / issues_a_year)
    stopped = next(
        issue
        for issue in range(1, 99)
        if any(
            event.news is News.STOPPED
            for event in returns.record(session, row.id or 0, issue, ADDRESS, NOW + issue * span)
        )
    )

    assert stopped == 2


def delivery(action: str, status: str, reason: str, fault: str) -> Delivery:
    """One recipient of a notification."""
    return Delivery("x@kerbrec.example", action, status, status.startswith("5"), reason, fault)


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (delivery("failed", "5.1.1", "user-unknown", "address"), ADDRESS),
        (delivery("failed", "5.2.1", "mailbox-disabled", "mailbox"), HARD),
        (delivery("failed", "5.2.2", "mailbox-full", "mailbox"), SOFT),
        (delivery("failed", "5.7.1", "rejected", "policy"), POLICY),
        (delivery("failed", "4.4.7", "unreachable", "transport"), SOFT),
        (delivery("delivered", "2.0.0", "other", "transport"), Returned.DELIVERED),
        (delivery("delayed", "4.4.1", "unreachable", "transport"), None),
    ],
)
def test_t12_what_a_notification_says_and_that_a_delay_says_nothing(told: Delivery, outcome: Returned | None):
    assert returns.of_notice(told) is outcome


@pytest.mark.parametrize(
    ("code", "line", "stage", "outcome"),
    [
        (250, "250 2.0.0 queued", "end", SENT),
        (550, "550 5.1.1 user unknown", "rcpt", ADDRESS),
        (550, "550 5.7.1 blocked using spamhaus", "rcpt", POLICY),
        (552, "552 5.2.2 mailbox full", "rcpt", SOFT),
        (550, "550 5.1.1 user unknown", "mail", POLICY),
        (554, "554 5.7.1 message refused", "end", POLICY),
        (450, "450 4.2.2 over quota", "rcpt", SOFT),
    ],
)
def test_d32_a_relay_that_refuses_at_rcpt_speaks_of_them_elsewhere_of_us(
    code: int, line: str, stage: str, outcome: Returned
):
    assert returns.of_answer(code, line, stage) is outcome
