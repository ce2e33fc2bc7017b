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


def test_s39_a_receipt_is_told_by_its_type():
    assert receipts.why(altered("lu.eml")) == "multipart/report; report-type=disposition-notification"


def test_a_receipt_someone_attached_is_no_receipt():
    change = (b"multipart/report; report-type=disposition-notification", b"multipart/mixed")

    assert receipts.why(altered("lu.eml", change)) == ""


def test_a_receipt_a_gateway_put_a_foot_under_is_still_one():
    inner = b"Content-Type: multipart/report; report-type=disposition-notification; boundary=i\n\n--i\n\nLu\n--i--\n"
    head = b"From: a@kerbrec.example\nSubject: Lu : x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\n"
    foot = b"Content-Type: text/plain\n\nfoot\n"

    first, last = (
        head + b"--o\n" + b"--o\n".join(parts) + b"--o--\n" for parts in ((inner, foot), (foot, inner))
    )

    assert receipts.why(message.read(first)) == "multipart/report; report-type=disposition-notification"
    assert receipts.why(message.read(last)) == ""


def test_a_receipt_that_says_refused_is_a_return_in_disguise():
    thrown_away = (
        b"manual-action/MDN-sent-manually; displayed",
        b"automatic-action/MDN-sent-automatically; deleted",
    )

    assert not receipts.is_refusal(altered("lu.eml", thrown_away))
    assert receipts.is_refusal(altered("lu.eml", thrown_away, (b"Subject: ", b"Subject: Rejected: ")))


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

    assert (complaints.read(mail), receipts.why(mail), calendar.read(mail)) == (None, "", None)


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
