"""The whole way with real servers: swaks, Postfix, LMTP, `mailhub serve`, Postfix again, Dovecot, IMAP.

They are set up as docs/install.md says; who logs in at the submission port is vouched for in Authentication-Results,
and whoever writes that field outside loses it.
"""

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailhub import journal
from mailhub.journal import InboundState
from tests import mailhost
from tests.journey import CLAIRE, DOMAIN, HUGO, NADIA, read, reply
from tests.mailhost import MailHost
from tests.serving import Served, make_home, opened

pytestmark = [
    pytest.mark.skipif(bool(mailhost.missing()), reason=mailhost.missing() or "-"),
    pytest.mark.xdist_group("real servers"),
]

QUESTION = f"question@{DOMAIN}"
PLAN = b"%PDF-1.7\n" + bytes(range(256)) * 40
UTF8 = ("--add-header", "Content-Type: text/plain; charset=utf-8")


class House:
    """A mail server and a centre behind it."""

    def __init__(self, host: MailHost, home: Path, served: Served) -> None:
        self.host, self.home, self.served = host, home, served

    def ask(self, asker: str, message_id: str, subject: str) -> None:
        """A question from outside."""
        options = ("--header", f"Subject: {subject}", "--header", f"Message-Id: <{message_id}>", *UTF8)
        sent = self.host.swaks(
            asker, QUESTION, *options, "--body", "Bonjour, où trouver ce chiffre ?\nMerci."
        )
        assert sent.returncode == 0, sent.stdout


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Claire and Nadia have a mailbox; Hugo had one."""
    with mailhost.running({CLAIRE: True, NADIA: True, HUGO: False}) as host:
        home = make_home(
            tmp_path_factory.mktemp("real") / "home",
            host.smtp,
            receive={"smtp": [], "lmtp": [f"unix:{host.lmtp}"]},
            trust={"verdicts": "header", "authserv_id": mailhost.NAME},
        )
        with Served(home) as served:
            assert served.doors == [f"unix:{host.lmtp}"]
            yield House(host, home, served)
            assert served.stop() == 0


def test_a_question_is_answered_from_a_mail_client_and_comes_home_to_the_askers_thread(house):
    house.ask(NADIA, "q1@kerbrec.example", "Population du quartier des Tilleuls")
    with house.host.mailbox(CLAIRE) as claire, house.host.mailbox(NADIA) as nadia:
        (copy,) = claire.mails("SUBJECT", "Tilleuls")
        (receipt,) = nadia.mails("HEADER", "In-Reply-To", "q1@kerbrec.example")
        letter, to = reply(
            copy,
            f"Bonjour Madame,\n\n2 340 habitants en 2023, d’après l’Insee.\n\nClaire Morvan\n{CLAIRE}",
            sender=CLAIRE,
            name="Claire Morvan",
            message_id="<r1@villes-rives.example>",
            files=[("plan du quartier.pdf", "application/pdf", PLAN)],
        )
        house.host.submit(letter, CLAIRE, to)
        _, raw = nadia.raw("HEADER", "In-Reply-To", "q1@kerbrec.example", count=2)
        (left,) = claire.mails("HEADER", "Subject", "Parti", "SUBJECT", "Tilleuls")

    answer = read(raw)
    assert receipt["Auto-Submitted"] == "auto-replied"
    assert answer["From"] == f"Villes & Rives <{QUESTION}>"
    assert answer["Auto-Submitted"] is None
    assert "<q1@kerbrec.example>" in answer["References"]
    assert str(answer["Return-Path"]).startswith("<retours+")
    words = answer.get_body(("plain",)).get_content()
    assert "2 340 habitants en 2023, d’après l’Insee." in words
    assert "> Bonjour, où trouver ce chiffre ?" in words
    assert [(file.get_filename(), file.get_content()) for file in answer.iter_attachments()] == [
        ("plan du quartier.pdf", PLAN)
    ]
    shown = raw.decode("ascii").lower() + words.lower()
    for private in (CLAIRE, "interne", "mail.villes-rives.example; dmarc", to, "Échéance"):
        assert private.lower() not in shown
    assert "2 340 habitants" in left.get_body(("plain",)).get_content()


def test_an_impostor_who_has_a_token_and_writes_our_verdict_is_held_and_claire_is_asked(house):
    house.ask(NADIA, "q2@kerbrec.example", "Combien de jardins familiaux")
    with house.host.mailbox(CLAIRE) as claire:
        (copy,) = claire.mails("SUBJECT", "jardins")
        forged = (
            *("--header", f"From: Claire Morvan <{CLAIRE}>"),
            *("--header", "Subject: Re: Combien de jardins familiaux"),
            *("--header", "Message-Id: <r2@villes-rives.example>"),
            *("--add-header", f"Authentication-Results: {mailhost.NAME}; dmarc=pass header.from={DOMAIN}"),
        )
        sent = house.host.swaks(
            CLAIRE, str(copy["Reply-To"]), *forged, "--body", "Aucun, et il n’y en aura pas."
        )
        (question,) = claire.mails("SUBJECT", "confirmer", "SUBJECT", "jardins")

    assert sent.returncode == 0, sent.stdout
    assert "Je ne l’ai pas envoyé" in question.get_body(("plain",)).get_content()
    with opened(house.home) as database, database.reading() as session:
        (mail,) = journal.listed(session, about="r2@villes-rives.example")
        assert mail.state is InboundState.HELD


def test_an_answer_to_a_mailbox_that_is_gone_comes_back_and_claire_is_told(house):
    house.ask(HUGO, "q3@montelain-agglo.example", "Friches du canal")
    with house.host.mailbox(CLAIRE) as claire:
        (copy,) = claire.mails("SUBJECT", "Friches")
        letter, to = reply(
            copy,
            "Il y en a quatre.",
            sender=CLAIRE,
            name="Claire Morvan",
            message_id="<r3@villes-rives.example>",
        )
        house.host.submit(letter, CLAIRE, to)
        (failed,) = claire.mails("SUBJECT", "Non remis", "SUBJECT", "Friches")

    assert "n’a PAS pu être remise" in failed.get_body(("plain",)).get_content()


def test_an_unknown_address_is_refused_at_both_doors(house):
    from_outside = house.host.swaks(NADIA, f"personne@{DOMAIN}", "--quit-after", "RCPT")
    with smtplib.LMTP(str(house.host.lmtp)) as postfix:
        postfix.ehlo("mail.villes-rives.example")
        postfix.mail(NADIA)
        codes = [postfix.rcpt(f"{local}@{DOMAIN}") for local in ("personne", "question", "rep")]

    assert from_outside.returncode != 0
    assert "550 5.1.1" in from_outside.stdout
    assert [(code, said[:5]) for code, said in codes] == [(550, b"5.1.1"), (250, b"2.1.5"), (550, b"5.1.1")]


def test_no_mail_that_postfix_takes_is_too_large_for_mailhub(house):
    """Else it would come back from Postfix to whoever stands in its From."""
    with smtplib.SMTP("127.0.0.1", house.host.smtp) as front:
        front.ehlo("client.example")
        taken = int(front.esmtp_features["size"])
    with smtplib.LMTP(str(house.host.lmtp)) as door:
        door.ehlo("client.example")
        most = int(door.esmtp_features["size"])

    received_fields = 4096  # at most; Postfix adds its own to what it took
    assert most - 64 * 1024 < taken + received_fields <= most
