"""What comes back: charged to the reader our own signature names, in issues, and told to staff; never answered."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest

from mailhub import journal, storage
from mailhub.centre import people, publications, returns, subscriptions
from mailhub.centre.profile import Service
from mailhub.centre.returns import Returned
from mailhub.centre.subscriptions import State, Subscription
from mailhub.config.sections import AddressesSection
from mailhub.database import Database
from mailhub.mail.tokens import Purpose, Token
from tests.journey import CLAIRE, Journey, body, centre_of, english, mail, read
from tests.readers import KEYRING, LISTS, REVIEW, reader, said, subscribed

ODILE = "o.legall@kerbrec.example"


@pytest.fixture
def centre(sqlite_url: str, now: datetime) -> Iterator[Journey]:
    """A centre with one reader of the letter and the review."""
    database = Database(sqlite_url)
    with centre_of(database, now, lists=LISTS) as journey:
        journey.hire("Claire Morvan", CLAIRE)
        with database.transaction() as session:
            odile = reader(session, now, ODILE, "Odile Le Gall", post=True)
            subscribed(session, now, odile)
            subscribed(session, now, odile, REVIEW)
        yield journey
    database.close()


def return_path(journey: Journey, issue: int, subscription: int = 1) -> str:
    """Where a copy of an issue comes back to."""
    token = Token(Purpose.ISSUE_RETURN, issue, subscription)
    return journey.centre.address(Service.RETURNS, journey.centre.keyring.seal(token))


def notice(
    status: str = "5.1.1",
    diagnostic: str = "550 5.1.1 user unknown",
    action: str = "failed",
    recipient: str = ODILE,
    message_id: str = "autre@ailleurs.example",
) -> bytes:
    """A delivery status notification as Postfix writes it."""
    return (
        "From: Mail Delivery System <MAILER-DAEMON@kerbrec.example>\r\nTo: retours@villes-rives.example\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.kerbrec.example\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {diagnostic}\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"From: lettre@villes-rives.example\r\nMessage-ID: <{message_id}>\r\nSubject: Lettre\r\n\r\n--b--\r\n"
    ).encode()


def come_back(journey: Journey, raw: bytes | EmailMessage, to: str) -> str:
    """Hand in what came back; the verdict."""
    journey.clock.forward(minutes=1)
    journey.send(raw, sender="", to=to)
    journey.handle()
    return str(journey.journal()[-1].verdict)


def state(journey: Journey, number: int = 1) -> State:
    """Where a subscription stands."""
    with journey.database.reading() as session:
        return subscriptions.get(session, number).state


def outcomes(journey: Journey, number: int = 1) -> list[tuple[int, Returned]]:
    """What was counted."""
    with journey.database.reading() as session:
        return [(each.issue_id, each.outcome) for each in returns.told(session, number)]


def subjects(journey: Journey) -> list[str]:
    """What staff were told."""
    assert {letter.recipient for letter in journey.outbox()} <= {CLAIRE}
    return [letter.subject for letter in journey.outbox()]


def told(journey: Journey) -> str:
    """The last words to staff, none of them English of ours."""
    words = body(read(journey.bytes_of(journey.outbox()[-1])))
    assert english(words) == []
    return words


def test_s37_the_second_consecutive_issue_stops_the_email_and_proposes_paper(centre: Journey):
    first = come_back(centre, notice(), return_path(centre, 57))
    marked = state(centre)
    come_back(centre, notice(), return_path(centre, 58))

    assert (first, marked, state(centre)) == ("bounce", State.ACTIVE, State.SUSPENDED)
    assert state(centre, 2) is State.ACTIVE  # the review is counted for itself
    assert subjects(centre) == ["Courriel arrêté : Odile Le Gall"]
    assert "proposez-lui le papier" in told(centre)
    assert "\nMotif : l’adresse n’existe pas (5.1.1)\n" in told(centre)
    assert "Le serveur a dit" not in told(centre)  # what a notification means is in our words


def test_s37_blocked_as_spam_is_counted_against_us(centre: Journey):
    for issue in (57, 58, 59):
        come_back(centre, notice("5.7.1", "550 5.7.1 blocked as spam"), return_path(centre, issue))

    assert state(centre) is State.ACTIVE
    assert set(subjects(centre)) == {"Nos envois sont refusés"}
    assert "\nMotif : le message est refusé (5.7.1)\n" in told(centre)


def test_s38_a_full_mailbox_three_issues_in_a_row_is_a_task_and_stops_nothing(centre: Journey):
    for issue in (57, 58, 59):
        come_back(centre, notice("5.2.2", "552 5.2.2 mailbox full"), return_path(centre, issue))

    assert state(centre) is State.ACTIVE
    assert subjects(centre) == ["Trois numéros de suite non remis : Odile Le Gall"]
    assert "\nMotif : la boîte est pleine (5.2.2)\n" in told(centre)


def test_t8_twenty_absences_at_the_return_path_change_no_count(centre: Journey):
    french = (
        "Réponse automatique : Lettre n° 57",
        "Absence du bureau : Lettre",
        "Absent(e) du bureau : Lettre",
    )
    english = "Automatic reply: Lettre", "Out of Office: Lettre"
    for number, subject in enumerate((*french, *english) * 4):
        told = mail(
            "Je suis absente jusqu'au 23 mars.",
            sender=ODILE,
            name="Odile Le Gall",
            to="retours@villes-rives.example",
            subject=subject,
            message_id=f"<absence{number}@kerbrec.example>",
            headers={"Auto-Submitted": "auto-replied"} if number % 2 else {},
        )
        come_back(centre, told, return_path(centre, 57 + number))

    assert (state(centre), outcomes(centre), subjects(centre)) == (State.ACTIVE, [], [])


def test_t9_a_malformed_notice_among_ten_undoes_none_of_the_others(centre: Journey):
    with centre.database.transaction() as session:
        for number in range(10):
            subscribed(session, centre.clock(), reader(session, centre.clock(), f"l{number}@kerbrec.example"))
    broken = (
        b"From: MAILER-DAEMON@kerbrec.example\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\n\xff\xfe\x00garbage\r\n--b--\r\n"
    )
    for number in range(10):
        centre.send(broken if number == 4 else notice(), sender="", to=return_path(centre, 57, number + 3))
    centre.handle()

    assert [bool(outcomes(centre, number + 3)) for number in range(10)] == [
        number != 4 for number in range(10)
    ]
    assert centre.verdicts().count("bounce") == 9
    assert centre.verdicts().count("quarantine") == 1
    assert subjects(centre) == ["Avis de retour illisible"]


def test_t10_whatever_came_back_is_kept_to_the_last_octet(centre: Journey):
    came = [notice(), notice(action="delayed", status="4.4.1"), b"\xff\0nothing at all\r\n"]
    for raw in came:
        come_back(centre, raw, return_path(centre, 57))

    with centre.database.reading() as session:
        assert [journal.raw(session, row) for row in centre.journal()] == came
    assert all(row.verdict for row in centre.journal())


@pytest.mark.parametrize(
    ("action", "status"), [("delayed", "4.4.1"), ("relayed", "2.1.9"), ("expanded", "2.1.5")]
)
def test_t12_delayed_and_relayed_change_nothing(centre: Journey, action: str, status: str):
    for issue in range(57, 67):
        come_back(centre, notice(status, "on its way", action), return_path(centre, issue))

    assert (state(centre), outcomes(centre)) == (State.ACTIVE, [])


def test_t13_who_is_charged_is_named_by_the_return_path_and_not_by_the_text(centre: Journey):
    with centre.database.transaction() as session:
        other = subscribed(session, centre.clock(), reader(session, centre.clock(), "autre@kerbrec.example"))
        number = other.id or 0
    come_back(centre, notice(recipient="autre@kerbrec.example"), return_path(centre, 57))

    assert (outcomes(centre), outcomes(centre, number)) == ([(57, Returned.ADDRESS)], [])


def test_t13_a_forged_token_charges_nobody(centre: Journey):
    good = return_path(centre, 57)
    for issue in (57, 58, 59):
        forged = return_path(centre, issue).replace("@", "x@")
        come_back(centre, notice(), forged)
    leave = Token(Purpose.LEAVE, 1, 1)
    come_back(centre, notice(), centre.centre.address(Service.RETURNS, centre.centre.keyring.seal(leave)))

    assert good != forged
    assert (state(centre), outcomes(centre)) == (State.ACTIVE, [])


def test_t14_a_return_path_has_at_most_64_octets_before_the_at(centre: Journey):
    centre.centre = replace(
        centre.centre, local_parts={Service.RETURNS: "r" * 18}
    )  # no setting takes a longer one
    local = return_path(centre, 2**63 - 1, 2**32 - 1).partition("@")[0]

    assert local.startswith("r" * 18 + "+")
    assert len(local) <= 64
    with pytest.raises(ValueError, match="at most 18"):
        AddressesSection(retours="r" * 19)
    assert AddressesSection(question="centre-de-ressources")


@pytest.mark.parametrize("with_id", [True, False])
def test_t16_without_our_token_it_is_probable_and_shown_to_staff(centre: Journey, with_id: bool):
    sealed = centre.centre.keyring.seal(Token(Purpose.ISSUE, 57, 1))
    ours = f"mh.{sealed}.abc@villes-rives.example"
    raw = notice(recipient="inconnu@ailleurs.example", message_id=ours) if with_id else notice()
    verdict = come_back(centre, raw, "postmaster@villes-rives.example")

    assert (verdict, outcomes(centre), state(centre)) == ("bounce", [], State.ACTIVE)
    assert "probable" in (centre.journal()[-1].note or "")
    assert subjects(centre) == ["Retour probable : Odile Le Gall"]


@pytest.fixture
def seat(centre: Journey) -> tuple[int, int]:
    """A function that has had two holders, to whose first an issue went: the subscription, and that issue."""
    with centre.database.transaction() as session:
        town = people.organisation_called(session, "Ville de Kerbrec")
        function = people.function_called(session, "chef de projet", people.identity(town))
        first = reader(session, centre.clock(), "avant@kerbrec.example", "Avant")
        people.appoint(session, function, first, centre.clock())
        row = subscribed(session, centre.clock(), function)
        form = storage.keep(session, b"une lettre", centre.clock())
        issue = publications.Issue(
            publication="lettre",
            number=57,
            title="",
            subject="",
            digest=form,
            state=publications.IssueState.READY,
            created_at=centre.clock(),
        )
        session.add(issue)
        session.flush()
        roster = subscriptions.roster(session, "lettre", centre.clock())
        publications.freeze(session, issue, roster, centre.clock(), expires_after=timedelta(days=3))
        second = reader(session, centre.clock(), "apres@kerbrec.example", "Après")
        people.appoint(session, function, second, centre.clock())
        return row.id or 0, issue.id or 0


def test_t15_what_went_to_whoever_held_a_function_before_is_not_charged_to_its_holder(centre, seat):
    number, issue = seat
    come_back(centre, notice(), return_path(centre, issue, number))

    assert outcomes(centre, number) == []


def test_a_complaint_of_whoever_held_a_function_before_stops_their_address_alone(centre, seat):
    number, issue = seat
    come_back(centre, complaint(centre, copy=(issue, number)), "abuse@villes-rives.example")

    assert state(centre, number) is State.ACTIVE
    with centre.database.reading() as session:
        shunned = {
            address: subscriptions.suppressed(session, subscriptions.digest_of(KEYRING, address))
            for address in ("avant@kerbrec.example", "apres@kerbrec.example")
        }
    assert shunned == {"avant@kerbrec.example": {"lettre"}, "apres@kerbrec.example": frozenset()}


# ── complaints ──


def complaint(
    journey: Journey,
    *,
    feedback_type: str = "abuse",
    purpose: Purpose | None = Purpose.ISSUE,
    recipient: str = ODILE,
    copy: tuple[int, int] = (57, 1),
) -> bytes:
    """An ARF report, with our Message-ID when it is kept (RFC 5965)."""
    token = Token(purpose, *copy) if purpose else None
    sealed = journey.centre.keyring.seal(token) if token else "redacted"
    return (
        "From: feedback@fournisseur.example\r\nTo: abuse@villes-rives.example\r\nSubject: FW: Lettre\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is an abuse report.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {feedback_type}\r\nUser-Agent: Fournisseur/1.0\r\nVersion: 1\r\nOriginal-Rcpt-To: {recipient}\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"From: lettre@villes-rives.example\r\nMessage-ID: <mh.{sealed}.abc@villes-rives.example>\r\n"
        "Subject: Lettre\r\n\r\nBonjour\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("feedback_type", "said"), [("abuse", "abus"), ("ABUSE", "abus"), ("Fraud", "fraude")]
)
def test_d34_a_complaint_stops_that_list_at_once_and_is_never_answered(
    centre: Journey, feedback_type: str, said: str
):
    verdict = come_back(centre, complaint(centre, feedback_type=feedback_type), "abuse@villes-rives.example")

    assert (verdict, state(centre), state(centre, 2)) == ("command done", State.COMPLAINED, State.ACTIVE)
    assert subjects(centre) == ["Plainte : Lettre mensuelle arrêté pour Odile Le Gall"]
    assert f"a signalé Lettre mensuelle comme indésirable ({said})." in told(centre)
    with centre.database.reading() as session:
        digest = subscriptions.digest_of(centre.centre.keyring, ODILE)
        assert subscriptions.suppressed(session, digest) == {"lettre"}


def test_d34_a_complaint_stops_the_list_for_all_who_read_it_at_that_address(centre: Journey):
    with centre.database.transaction() as session:
        bob = reader(session, centre.clock(), ODILE, "Bob Le Gall")
        other = subscribed(session, centre.clock(), bob)
        review = subscribed(session, centre.clock(), bob, REVIEW)
    come_back(centre, complaint(centre), "abuse@villes-rives.example")

    assert [state(centre, row.id or 0) for row in (other, review)] == [State.COMPLAINED, State.ACTIVE]


def test_a_complaint_that_says_it_was_no_spam_changes_nothing(centre: Journey):
    come_back(centre, complaint(centre, feedback_type="not-spam"), "abuse@villes-rives.example")

    assert (state(centre), subjects(centre)) == (State.ACTIVE, [])


def test_a_complaint_that_names_an_address_and_bears_no_token_silences_nobody(centre: Journey):
    verdict = come_back(centre, complaint(centre, purpose=None), "abuse@villes-rives.example")

    assert (verdict, state(centre)) == ("triage", State.ACTIVE)
    assert subjects(centre) == ["Plainte à regarder"]
    assert "transmet une plainte (abus) que rien" in told(centre)


def test_whoever_complained_is_not_brought_back_by_staff_or_by_annuler(centre: Journey):
    come_back(centre, complaint(centre), "abuse@villes-rives.example")
    with centre.database.transaction() as session:
        row = session.get_one(Subscription, 1)

        assert subscriptions.undo(session, KEYRING, [row], ODILE, said(centre.clock())) == ()
        assert people.recognise(session, ODILE) is not None
    assert state(centre) is State.COMPLAINED
