"""Delivery reports: fields of RFC 3464 and 6533, and the dialects of dialects.txt."""

import random
import re
import time
from pathlib import Path

import pytest

from mailhub.mail import calendar, causes, complaints, dsn, kinds, message, receipts
from mailhub.mail.dsn import Delivery

MAILS = Path(__file__).parent.parent / "mails"
DIALECTS = Path(__file__).with_name("dialects.txt").read_text(encoding="utf-8").split("\n=== ")[1:]


def a_mail(name: str) -> message.Message:
    return message.read((MAILS / name).read_bytes())


def a_report(fields: str, *, text: str = "", returned: str = "") -> message.Message:
    """A multipart/report with these per-recipient fields."""
    return message.read(
        f"""From: MAILER-DAEMON@mx.example
To: retours@centre.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

{text}
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

{fields}
--b
Content-Type: text/rfc822-headers

{returned}
--b--
""".encode()
    )


@pytest.mark.parametrize("form", DIALECTS, ids=[form.partition("\n")[0] for form in DIALECTS])
def test_every_dialect_names_who_was_not_reached(form: str):
    head, _, body = form.partition("\n\n")
    written = dict(re.findall(r"^(From|Subject): (.*)$", head, re.MULTILINE))
    expected = [line[3:].split() for line in head.splitlines() if line.startswith("->")]
    raw = f"From: {written['From']}\nTo: retours@centre.example\nSubject: {written['Subject']}\n"
    mail = message.read(f"{raw}Content-Type: text/plain; charset=utf-8\n\n{body}".encode())

    found = dsn.read(mail)

    assert kinds.sort(mail).kind is kinds.Kind.BOUNCE
    assert [
        [one.recipient, one.action, one.status or "-", "yes" if one.permanent else "no"] for one in found
    ] == expected


def test_s37_a_lasting_failure_is_read_with_the_address_we_wrote_to():
    mail = a_mail("retour-rfc3464.eml")

    assert dsn.read(mail) == (
        Delivery("c.daniel@kerbrec.example", "failed", "5.1.1", True, "user-unknown", "address"),
    )
    assert dsn.read(mail)[0].hard


def test_t16_a_report_without_our_token_still_tells_which_mail_came_back():
    assert dsn.original_message_id(a_mail("retour-rfc3464.eml")) == "lettre-57.0312@centre.example"


def test_d33_an_internationalised_report_and_headers_only_are_read():
    """RFC 6533: addresses in UTF-8, plain or as \\x{E9}; the returned mail as headers only."""
    mail = a_mail("retour-utf8.eml")

    assert dsn.read(mail) == (
        Delivery("renée@mairie.example", "failed", "5.2.2", True, "mailbox-full", "mailbox"),
        Delivery("noël@mairie.example", "delayed", "4.2.2", False, "mailbox-full", "mailbox"),
    )
    assert dsn.original_message_id(mail) == "revue-05.0007@centre.example"


def test_s38_a_full_mailbox_never_counts_as_a_dead_address():
    for status in ("4.2.2", "5.2.2"):
        found = dsn.read(a_report(f"Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: {status}"))

        assert (found[0].reason, found[0].fault, found[0].hard) == ("mailbox-full", "mailbox", False)


@pytest.mark.parametrize("status", ["5.7.0", "5.7.1", "5.7.26", "5.7.606"])
@pytest.mark.parametrize("words", ["550 blocked as spam", "550 User unknown", "550 Account disabled", ""])
def test_d31_a_refusal_by_policy_is_our_fault_whatever_the_words(status: str, words: str):
    fields = f"Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: {status}\nDiagnostic-Code: smtp; {words}"

    found = dsn.read(a_report(fields))

    assert (found[0].fault, found[0].hard) == ("policy", False)


@pytest.mark.parametrize(
    ("status", "hard"),
    [
        *[(f"5.1.{detail}", True) for detail in (0, 1, 2, 3, 4, 6, 10)],
        ("5.2.1", True),
        ("5.4.4", True),
        ("5.2.2", False),
        ("5.1.8", False),
        ("5.3.4", False),
        ("5.4.7", False),
        ("4.1.1", False),
        ("4.4.1", False),
    ],
)
def test_d31_the_class_and_subject_of_a_status_say_whether_the_address_is_dead(status: str, hard: bool):
    fields = f"Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: {status}"

    assert dsn.read(a_report(fields))[0].hard is hard


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded"])
def test_t12_only_a_failure_ever_counts(action: str):
    found = dsn.read(a_report(f"Final-Recipient: rfc822; a@b.example\nAction: {action}\nStatus: 5.1.1"))

    assert found[0].action == action
    assert not found[0].hard


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        ("smtp; 450 mailbox busy", False),
        ("smtp;421-too many connections", False),
        ("452 insufficient storage", False),
        ("smtp; 550 unknown", True),
        ("smtp; 451 later, then 554 refused (last reply: 554 refused)", True),
        ("smtp; message of 450 octets refused", True),
        ("", True),
    ],
)
def test_without_a_status_the_class_of_the_answer_says_whether_a_failure_lasts(answer: str, permanent: bool):
    """RFC 5321 section 4.2.1: a server that answers 4yz would have taken the mail later."""
    report = a_report(
        f"Final-Recipient: rfc822; n.benali@vrine.example\nAction: failed\nDiagnostic-Code: {answer}"
    )

    assert [found.permanent for found in dsn.read(report)] == [permanent]


def test_every_recipient_is_told_once():
    fields = "\n\n".join(
        f"Final-Recipient: rfc822; {name}@b.example\nAction: {action}\nStatus: 5.1.1"
        for name, action in (("a", "delayed"), ("b", "failed"), ("a", "failed"))
    )

    found = dsn.read(a_report(fields))

    assert [(one.recipient, one.action) for one in found] == [
        ("a@b.example", "failed"),
        ("b@b.example", "failed"),
    ]


def test_recipients_with_and_without_an_original_address_are_kept_apart():
    fields = (
        "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n\n"
        "Original-Recipient: rfc822; c@b.example\nFinal-Recipient: rfc822; d@b.example\nAction: failed\nStatus: 5.2.2"
    )

    found = dsn.read(a_report(fields))

    assert [(one.recipient, one.status) for one in found] == [
        ("a@b.example", "5.1.1"),
        ("c@b.example", "5.2.2"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        "Final-Recipient: rfc822;<a@B.example>\nAction: failed (5.1.1)\nStatus: 5.1.1 (bad address)",
        "final-recipient: RFC822; a@b.example\nACTION: Failed\nstatus: 5. 1. 1",
        "Original-Recipient: rfc822;a+40b.example\nFinal-Recipient: rfc822; x@y.example\nAction: failed\nStatus: 5.1.1",
        "Final-Recipient: a@b.example\nAction: failure\nDiagnostic-Code: smtp; 550 5.1.1 unknown",
        "Final-Recipient: rfc822; a@b.example\n\nAction: failed\n\nStatus: 5.1.1",
        "Action: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822; a@b.example",
        "Final-Recipient: rfc822; |/usr/bin/tri a@b.example\nAction: failed\nStatus: 5.1.1",
        "Original-Recipient: rfc822;\nFinal-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1",
        "Final-Recipient: rfc822; a@b.example\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550-5.1.1 no\n 550 5.1.1 such user",
    ],
)
def test_fields_written_oddly_mean_the_same(fields: str):
    found = dsn.read(a_report(fields))

    assert [(one.recipient, one.action, one.status) for one in found] == [("a@b.example", "failed", "5.1.1")]


def test_a_mailbox_file_in_the_fields_gives_way_to_the_address_in_the_words():
    fields = "Final-Recipient: rfc822;/var/mail/q2/c.daniel\nAction: failed\nStatus: 5.2.2"
    text = "The following address failed:\n\n  c.daniel@kerbrec.example\n    mailbox is full"

    found = dsn.read(a_report(fields, text=text))

    assert [(one.recipient, one.status) for one in found] == [("c.daniel@kerbrec.example", "5.2.2")]


def test_a_report_whose_boundary_is_broken_is_read_all_the_same():
    raw = (MAILS / "retour-rfc3464.eml").read_bytes()

    found = dsn.read(message.read(raw.replace(b'boundary="4C1D.1772', b'boundary="XXXX.1772')))

    assert [(one.recipient, one.status) for one in found] == [("c.daniel@kerbrec.example", "5.1.1")]


def test_a_report_about_a_report_names_the_first_one_s_recipient():
    inner = (MAILS / "retour-rfc3464.eml").read_bytes()
    outer = b"""From: MAILER-DAEMON@filtre.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: text/plain

----- The following addresses had permanent delivery errors -----

--outer
Content-Type: message/rfc822

"""

    found = dsn.read(message.read(outer + inner + b"\n--outer--\n"))

    assert [(one.recipient, one.status) for one in found] == [("c.daniel@kerbrec.example", "5.1.1")]


def test_t9_a_malformed_report_among_ten_hinders_none_of_the_others():
    good = (MAILS / "retour-rfc3464.eml").read_bytes()
    bad = good[:900] + b"\xff\x00Final-Recipient: ;;;\nAction: exploded\nStatus: banana\n"
    box = [good] * 5 + [bad] + [good] * 4

    found = [dsn.read(message.read(raw)) for raw in box]

    assert sum(bool(one) and one[0].recipient == "c.daniel@kerbrec.example" for one in found) >= 9


def test_a_report_without_any_recipient_says_what_it_knows():
    found = dsn.read(a_report("Final-Recipient:\nAction: exploded\nStatus: banana\nDiagnostic-Code: ;;;"))

    assert [(one.recipient, one.status) for one in found] == [(None, None)]


@pytest.mark.parametrize(
    ("words", "status", "reason", "fault"),
    [
        ("552 5.1.1 mailbox is over quota", "5.1.1", "mailbox-full", "mailbox"),
        ("La boîte aux lettres du destinataire est pleine", None, "mailbox-full", "mailbox"),
        ("You've reached your daily relay quota", None, "other", "transport"),
        ("message size exceeds fixed limit", None, "too-large", "policy"),
        ("le message est trop volumineux", None, "too-large", "policy"),
        (
            "I'm not going to try again; this message has been in the queue too long",
            None,
            "unreachable",
            "transport",
        ),
        ("Host or domain name not found", None, "host-unknown", "address"),
        ("Adresse d au moins un destinataire invalide", None, "user-unknown", "address"),
        ("le compte du destinataire est bloqué", None, "mailbox-disabled", "mailbox"),
        ("Benutzer unbekannt", None, "user-unknown", "address"),
        ("Usuario desconocido", None, "user-unknown", "address"),
        ("Mail rejeté. ofr_506 [506]", "5.2.0", "rejected", "policy"),
        ("Unauthenticated email is not accepted due to DMARC policy", "5.7.26", "rejected", "policy"),
        ("Connection timed out", None, "unreachable", "transport"),
        ("Recipient address rejected: Access denied", "5.4.1", "user-unknown", "address"),
        ("550 Your IP address 192.0.2.1 has been blocked", "5.0.0", "rejected", "policy"),
        ("Mail from 192.0.2.1 blocked using zen.spamhaus.example", "5.0.0", "rejected", "policy"),
        ("Recipient address rejected: your server is blocked by our RBL", None, "rejected", "policy"),
        ("Sender address suspended", None, "rejected", "policy"),
        ("550 5.1.0 <lettre@centre.example> sender address blocked", "5.1.0", "rejected", "policy"),
        ("550 spam blocked", None, "rejected", "policy"),
        ("This mailbox has been blocked", None, "mailbox-disabled", "mailbox"),
        (
            "The user you are trying to contact is receiving mail at a rate that prevents additional messages",
            "5.2.1",
            "rejected",
            "policy",
        ),
        ("The user is receiving email too quickly", "4.2.1", "rejected", "policy"),
        ("", None, "other", "transport"),
    ],
)
def test_words_and_codes_are_weighed_together(words: str, status: str | None, reason: str, fault: str):
    assert causes.judge(status, words) == causes.Cause(reason, fault)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("550 5.1.1 unknown", "5.1.1"),
        ("550-5.7.26 This mail", "5.7.26"),
        ("no mailbox here. (#5.1.1)", "5.1.1"),
        ("554 4.4.7 expired <421 4.4.2 timed out>", "4.4.2"),
        ("host 5.1.1.7 said 550 no", None),
        ("release 10.5.1.2 of smtpd-4.5.6", None),
    ],
)
def test_an_enhanced_status_is_told_from_other_numbers(words: str, status: str | None):
    assert dsn.enhanced(words) == status


@pytest.mark.parametrize(
    "text",
    [
        "could not be delivered to " + "a" * 400_000 + "@",
        "could not be delivered:\n" + "a@b.example failed\n" * 20_000,
        "could not be delivered: " + "x@" * 100_000,
        "could not be delivered\n" + "> " * 200_000,
        "could not be delivered\n" + "-" * 200_000 + "\noriginal " * 20_000,
        "could not be delivered\n" + "5.1.1 " * 60_000,
        "could not be delivered\n" + "begin 644 x\n" + "M@=@=@=@=@=@=@=@=@=@\n" * 10_000,
        "exceed" * 50_000,
    ],
    ids=[
        "long local part",
        "many addresses",
        "many at signs",
        "quote marks",
        "markers",
        "codes",
        "uuencode",
        "words",
    ],
)
def test_a_hostile_notice_is_read_in_linear_time(text: str):
    mail = message.read(f"From: MAILER-DAEMON@mx.example\nSubject: failure notice\n\n{text}".encode())
    began = time.process_time()

    dsn.read(mail)
    kinds.sort(mail)

    # a guard against quadratic reading, which would take minutes
    assert time.process_time() - began < 5


SHREDS = (
    b"\n\n",
    b"--",
    b"@",
    b"<",
    b";",
    b"\x00",
    b"\xff",
    b"=?utf-8?q?",
    b"Final-Recipient: ",
    b'charset="a\x00b"',
)


@pytest.mark.parametrize("seed", range(40))
def test_no_mutilated_mail_ever_raises(seed: int):
    chance = random.Random(seed)
    for path in sorted(MAILS.glob("*.eml")):
        raw = bytearray(path.read_bytes())
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(raw))
            raw[at : at + chance.choice((0, 0, 1, 80))] = chance.choice((*SHREDS, raw[at : at + 200] * 2))

        mail = message.read(bytes(raw))

        assert isinstance(kinds.sort(mail), kinds.Sort)
        for reader in (
            dsn.read,
            dsn.original_message_id,
            receipts.why,
            receipts.is_refusal,
            complaints.read,
            calendar.read,
        ):
            reader(mail)
