"""Read receipts, complaints and answers to invitations: the three short reports."""

from pathlib import Path

import pytest

from mailhub.mail import calendar, complaints, message, receipts

MAILS = Path(__file__).parent.parent / "mails"


def altered(name: str, *changes: tuple[bytes, bytes]) -> message.Message:
    raw = (MAILS / name).read_bytes()
    for old, new in changes:
        assert old in raw
        raw = raw.replace(old, new)
    return message.read(raw)


def test_s39_a_receipt_says_which_mail_was_read():
    assert receipts.read(altered("lu.eml")) == receipts.Receipt(
        displayed=True,
        message_id="q-2026-0143.1@centre.example",
        recipient="n.benali@vrine.example",
        by_hand=True,
    )


def test_s39_deleted_unread_is_no_reading():
    mail = altered(
        "lu.eml",
        (b"manual-action/MDN-sent-manually; displayed", b"manual-action/MDN-sent-automatically; deleted"),
    )
    found = receipts.read(mail)

    assert found is not None
    assert (found.displayed, found.by_hand) == (False, False)


def test_a_receipt_someone_attached_is_no_receipt():
    assert (
        receipts.read(
            altered("lu.eml", (b"multipart/report; report-type=disposition-notification", b"multipart/mixed"))
        )
        is None
    )


@pytest.mark.parametrize("name", ["abuse", "ABUSE", "Fraud", "opt-out"])
def test_d34_a_complaint_takes_the_reader_off_the_list(name: str):
    found = complaints.read(
        altered("plainte-arf.eml", (b"Feedback-Type: Abuse", f"Feedback-Type: {name}".encode()))
    )

    assert found is not None
    assert (found.feedback_type, found.leaves) == (name.lower(), True)


@pytest.mark.parametrize("name", ["not-spam", "auth-failure", "virus", "other"])
def test_d34_other_reports_take_nobody_off(name: str):
    found = complaints.read(
        altered("plainte-arf.eml", (b"Feedback-Type: Abuse", f"Feedback-Type: {name}".encode()))
    )

    assert found is not None
    assert not found.leaves


def test_d34_a_redacted_reader_is_found_by_our_own_message_id():
    assert complaints.read(altered("plainte-arf.eml")) == complaints.Complaint(
        "abuse", "SignalSpam/1.0", None, "lettre-57.0044@centre.example"
    )


def test_d34_the_reader_s_address_is_told_when_it_was_left_in():
    mail = altered("plainte-arf.eml", (b"Original-Rcpt-To: redacted@", b"Original-Rcpt-To: <y.lebras@"))
    found = complaints.read(mail)

    assert found is not None
    assert found.recipient == "y.lebras@signal-spam.example"


def test_d35_hotmail_s_own_form_is_a_complaint_too():
    raw = b"From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.1\n\n"

    assert complaints.read(message.read(raw)) == complaints.Complaint("abuse", "", None, None)


def test_a_person_s_mail_is_neither():
    mail = message.read(b"From: a@b.example\nSubject: complaint about message from 192.0.2.1\n\nBonjour\n")

    assert (complaints.read(mail), receipts.read(mail), calendar.read(mail)) == (None, None, None)


def test_s41_an_answer_belongs_to_the_attendee_it_names_not_to_the_sender():
    assert calendar.read(altered("agenda-refus-delegue.eml")) == calendar.Event(
        method="REPLY",
        uid="rencontre-elus-2026@centre.example",
        sequence=2,
        summary="Refusé : Rencontre des élus, Rennes",
        comment="Retenue en conseil.",
        attendees=(calendar.Attendee("o.legall@kerbrec.example", "Le Gall, Odile", "declined"),),
    )


def test_a_calendar_file_attached_to_a_mail_is_not_the_mail_s_own():
    change = (b"Content-Type: text/calendar", b"Content-Disposition: attachment\nContent-Type: text/calendar")

    assert calendar.read(altered("agenda-refus-delegue.eml", change)) is None


@pytest.mark.parametrize(
    "damage", [b"BEGIN:VEVENT", b"UID:", b"METHOD:REPLY", b";PARTSTAT=DECLINED", b":MAILTO:"]
)
def test_a_damaged_calendar_part_is_read_as_far_as_it_goes(damage: bytes):
    found = calendar.read(altered("agenda-refus-delegue.eml", (damage, b"")))

    assert found is not None
    assert found.method == "REPLY"
