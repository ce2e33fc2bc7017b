"""What `mailhub inspect` says of a mail: every key, in the form the corpus asks for."""

import json
from pathlib import Path

from mailhub.mail import contract, dsn, kinds, message, quoting

MAILS = Path(__file__).parents[1] / "mails"
KEYS = [
    "file", "message_id", "in_reply_to", "references", "date", "from", "reply_to", "to", "cc", "subject", "text", "reply",
    "html_present", "attachments", "auto", "bounce", "defects",
]  # fmt: skip


def describe(name: str, **extra: str) -> dict[str, object]:
    read = message.read((MAILS / f"{name}.eml").read_bytes())
    return contract.describe(name, read, quoting.read(read.text), kinds.sort(read), dsn.read(read), **extra)


def test_every_mail_has_every_key_in_order():
    for file in MAILS.glob("*.eml"):
        described = describe(file.stem)

        assert list(described) == KEYS
        json.dumps(described, ensure_ascii=False).encode()


def test_an_ordinary_mail_is_described_in_plain_values():
    described = describe("eight-bit-headers")

    assert described["from"] == {"name": "René Le Goff", "address": "rene@mairie.example"}
    assert described["date"] == "2026-03-03T09:12:00Z"
    assert (described["auto"], described["bounce"], described["html_present"]) == (None, None, False)


def test_what_a_winmail_dat_held_is_no_part_of_the_mail():
    (attachment,) = describe("winmail")["attachments"]  # type: ignore[misc]

    assert (attachment["filename"], attachment["content_type"]) == ("winmail.dat", "application/ms-tnef")


def test_a_bounce_names_each_recipient():
    described = describe("retour-rfc3464")

    assert described["auto"] == "bounce"
    assert [set(item) for item in described["bounce"]] == [  # type: ignore[attr-defined]
        {"recipient", "action", "status", "permanent", "reason"}
    ]


def test_the_verdict_of_the_route_is_added_when_there_is_one():
    described = describe("eight-bit-headers", verdict="request opened", why="question@")

    assert (described["verdict"], described["why"]) == ("request opened", "question@")
