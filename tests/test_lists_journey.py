"""Readers and their publications, whole: an issue leaves, a mail comes in at the real door, letters arrive at a sink.

Every verdict is about what arrived: who was written to, in which words, and who gets the next issue.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage

import pytest

from mailhub.centre import people
from mailhub.database import Database
from mailhub.mail.tokens import Purpose, Token
from mailhub.receive.smtp import Arrival
from mailhub.web import figures, site
from tests.edition import Edition
from tests.handlers.test_returns import notice
from tests.journey import CLAIRE, HUGO, Journey, body, centre_of, mail, read, reply
from tests.readers import LISTS, REVIEW, reader, subscribed
from tests.web.reading import PAGES, Reading

PIERRE = "p.guillou@vrine.example"
ODILE, ODILE_LATER = "o.legall@kerbrec.example", "odile.legall@kerbrec.example"
LETTRE = "lettre@villes-rives.example"
CONTACT = "contact@villes-rives.example"
STRANGER = "autre@freemail.example"
OWN = {"Origin": PAGES, "Sec-Fetch-Site": "same-origin"}
GONE = "Bonjour, je ne travaille plus ici. Écrivez à Hervé Kerjean, h.kerjean@vrine.example."


@dataclass
class Town:
    """The centre, its pages, its readers, and the sink all letters end in."""

    journey: Journey
    number: int = 56  # of the last issue
    written: int = 0
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        here = self.journey
        self.edition = Edition(here.database, here.clock, here.centre)
        registry = figures.registry(here.database, here.clock)
        pages = site.Site(here.database, here.centre, here.renderer, here.clock, registry)
        self.pages = Reading(here.database, here.clock, here.centre, pages.application())

    def settles(self, address: str, name: str, *, post: bool = False, review: bool = True) -> None:
        """One more reader of the letter, and of the review."""
        self.names[address] = name
        self.journey.proven.add(address)
        with self.journey.database.transaction() as session:
            person = reader(session, self.journey.clock(), address, name, post=post)
            subscribed(session, self.journey.clock(), person)
            if review:
                subscribed(session, self.journey.clock(), person, REVIEW)

    def issue(self) -> list[Arrival]:
        """The next issue of the letter, a month later; what arrived."""
        self.journey.clock.forward(days=28)
        self.number += 1
        before = len(self.journey.postbox.mails)
        self.edition.release(self.number)
        self.journey.deliver()
        return self.journey.postbox.mails[before:]

    def readers(self) -> set[str]:
        """Who gets the next issue."""
        return {to for arrival in self.issue() for to in arrival.recipients}

    def copy(self, address: str = PIERRE) -> EmailMessage:
        """Their copy of the next issue."""
        (copy,) = [read(each.raw) for each in self.issue() if address in each.recipients]
        return copy

    def write(
        self,
        text: str,
        sender: str = PIERRE,
        to: str = LETTRE,
        *,
        answers: EmailMessage | None = None,
        subject: str | None = None,
        quote: bool = True,
        headers: dict[str, str] | None = None,
    ) -> list[EmailMessage]:
        """A mail by SMTP, or a reply; every letter that arrived because of it."""
        self.written += 1
        message_id, name = f"<{self.written}.{sender}>", self.names.get(sender, "")
        if answers is None:
            told = mail(
                text,
                sender=sender,
                name=name,
                to=to,
                subject=subject or "Bonjour",
                message_id=message_id,
                headers=headers,
            )
        else:
            told, to = reply(
                answers, text, sender=sender, name=name, message_id=message_id, subject=subject, quote=quote
            )
        return self.hand_in(told, sender, to)

    def hand_in(self, told: bytes | EmailMessage, sender: str, to: str) -> list[EmailMessage]:
        """Any mail at the door; every letter that arrived because of it."""
        before = len(self.journey.postbox.mails)
        self.journey.clock.forward(minutes=1)
        self.journey.send(told, sender=sender, to=to)
        self.journey.settle()
        return [read(arrival.raw) for arrival in self.journey.postbox.mails[before:]]

    def comes_back(self, status: str, said: str, address: str = ODILE) -> list[EmailMessage]:
        """The next issue is returned by the server of one reader; every letter that arrived because of it."""
        (copy,) = [each for each in self.issue() if address in each.recipients]
        return self.hand_in(notice(status, said, recipient=address), "", copy.sender)


@pytest.fixture
def town(sqlite_url: str, now: datetime) -> Iterator[Town]:
    """Pierre receives the letter and the review, Odile the letter; Claire is told."""
    database = Database(sqlite_url)
    pages = {f"{name}_url": f"{PAGES}/{page}/" for name, page in _PAGES.items()}
    with centre_of(database, now, lists=LISTS, **pages) as journey:
        journey.hire("Claire Morvan", CLAIRE)
        made = Town(journey)
        made.settles(PIERRE, "Pierre Guillou")
        made.settles(ODILE, "Odile Le Gall", post=True, review=False)
        yield made
    database.close()


_PAGES = {"leave": "quitter", "preferences": "preferences", "confirm": "confirmer"}


def receivers(letters: list[EmailMessage]) -> list[str]:
    """Whom letters were written to."""
    return [str(letter["To"]).rpartition("<")[2].rstrip(">") for letter in letters]


# -- leaving (S32, S33) -----------------------------------------------------------------------------------------


def test_s32_leaving_the_letter_going_further_and_coming_back(town: Town):
    (told,) = town.write(
        "Bonjour, merci de me retirer de votre liste. Cordialement", answers=town.copy(PIERRE)
    )
    without = town.readers()
    (further,) = town.write("REVUE", answers=told)
    town.write("ANNULER", answers=further)
    (back,) = town.write("ANNULER", answers=told)

    assert receivers([told, further, back]) == [PIERRE] * 3
    assert "C’est fait pour « Lettre mensuelle »" in body(told)
    assert "répondez REVUE pour l’arrêter" in body(told)
    assert "répondez ANNULER" in body(told)
    assert without == {ODILE}
    assert town.readers() == {PIERRE, ODILE}


def test_a_token_to_join_stops_nothing_at_the_leave_address(town: Town):
    """A token is of no use for anything but its purpose, though its numbers be those of somebody's subscription."""
    token = town.journey.centre.keyring.seal(Token(Purpose.JOIN, 1, 1))

    town.write("Oui", STRANGER, f"stop+{token}@villes-rives.example")

    assert town.readers() == {PIERRE, ODILE}


def test_s32_leaving_counts_for_the_issue_that_is_on_its_way(town: Town):
    copy = town.copy(PIERRE)
    town.edition.release(town.number + 1)
    letters = town.write("désabonnement", answers=copy)

    assert sorted(receivers(letters)) == [ODILE, PIERRE]  # Odile's copy, and the goodbye to Pierre
    assert [letter["List-Id"] is None for letter in letters if PIERRE in str(letter["To"])] == [True]


def test_s32_nothing_any_more_is_said_once_and_kept(town: Town):
    (told,) = town.write("Plus aucun message de votre part.", answers=town.copy(PIERRE))
    asked = town.write("Je voudrais m'abonner à la lettre.", answers=None)

    assert "nous ne vous écrirons plus" in body(told)
    assert receivers(asked) in ([], [CLAIRE], [PIERRE])
    assert town.readers() == {ODILE}


def test_s33_a_false_alarm_reaches_staff_alone(town: Town):
    letters = town.write(
        "Surtout ne me retirez pas de la liste ! "
        "Par contre mon collègue M. Daniel est parti en retraite, vous pouvez l'enlever.",
        answers=town.copy(PIERRE),
    )

    assert receivers(letters) == [CLAIRE]
    assert "M. Daniel" in body(letters[0])
    assert town.readers() == {PIERRE, ODILE}


# words → who is written to, and whether the next issue comes (domain.md § 4.6)
VECTORS = {
    "merci de me retirer de votre liste": ("reader", False),
    "désabonnement": ("reader", False),
    "STOP": ("reader", False),
    "me désinscrire svp": ("reader", False),
    "je ne souhaite plus recevoir vos mails": ("reader", False),
    "veuillez supprimer mon adresse": ("reader", False),
    "unsubscribe": ("reader", False),
    "plus aucun message de votre part": ("reader", False),
    "je garde la lettre mais plus la revue": ("reader", True),
    "arrêtez le papier, le mail suffit": ("reader", True),
    "je pars en retraite le 30 juin, ma remplaçante est Mme Y": ("staff", True),
    "retirez M. X": ("staff", True),
    "comment se désabonner ?": ("both", True),
    "je ne suis plus concerné par la politique de la ville": ("reader", True),  # one word is asked for
    "ne me désabonnez pas": ("staff or nobody", True),
    "Je suis absent, ne pas tenir compte de mes messages": ("staff or nobody", True),
    "Très bon numéro, bravo à toute l’équipe.": ("staff or nobody", True),  # the quotation says how to leave
}
WRITTEN_TO = {
    "reader": [{"reader"}],
    "staff": [{"staff"}],
    "both": [{"reader", "staff"}],
    "staff or nobody": [{"staff"}, set()],
}


def test_every_wording_of_the_table_does_what_the_table_says(town: Town):
    """Each reader answers their copy of the issue in one of these wordings; then the next issue leaves."""
    writers = {f"lectrice{number}@vrine.example": words for number, words in enumerate(VECTORS)}
    for number, address in enumerate(writers):
        town.settles(address, f"Lectrice {number}", post=True)
    copies = {to: read(each.raw) for each in town.issue() for to in each.recipients}

    reached = {}
    for address, words in writers.items():
        known = {address: "reader", CLAIRE: "staff"}
        letters = town.write(words, sender=address, answers=copies[address])
        reached[words] = {known[to] for to in receivers(letters)}
    stays = town.readers()

    assert {words: reached[words] in WRITTEN_TO[who] for words, (who, _) in VECTORS.items()} == dict.fromkeys(
        VECTORS, True
    ), reached
    assert {words: address in stays for address, words in writers.items()} == {
        words: comes for words, (_, comes) in VECTORS.items()
    }


def test_stop_in_the_subject_of_a_question_is_a_question(town: Town):
    letters = town.write(
        "Existe-t-il une étude sur la démolition du quartier ?",
        to="question@villes-rives.example",
        subject="stop à la démolition !",
    )

    assert sorted(receivers(letters)) == [CLAIRE, PIERRE]
    assert "[Q-2026-0001]" in str(letters[0]["Subject"])
    assert town.readers() == {PIERRE, ODILE}


# -- what the headers of a copy lead to (D20, D21, D24, T19) ----------------------------------------------------


def test_one_click_on_a_copy_three_years_old_leaves_and_is_told_at_the_address_on_file(town: Town):
    copy = town.copy(PIERRE)
    web, _, post = *_ways_out(copy), copy["List-Unsubscribe-Post"]
    town.journey.clock.forward(days=3 * 365)
    with town.pages.client() as client:
        answers = [client.post(web, data={"List-Unsubscribe": "One-Click"}) for _ in range(2)]
    before = len(town.journey.postbox.mails)
    town.journey.deliver()

    assert post == "List-Unsubscribe=One-Click"
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, answers[0].text)}
    assert [each.recipients for each in town.journey.postbox.mails[before:]] == [(PIERRE,)]
    assert town.readers() == {ODILE}


def test_the_mailto_of_a_copy_three_years_old_works_from_anywhere_with_an_empty_body(town: Town):
    _, address = _ways_out(town.copy(PIERRE))
    town.journey.clock.forward(days=3 * 365)
    letters = town.write("", sender=STRANGER, to=address, subject="unsubscribe")

    assert receivers(letters) == [PIERRE]
    assert town.readers() == {ODILE}


def _ways_out(copy: EmailMessage) -> tuple[str, str]:
    """The page and the address of List-Unsubscribe, https first (T20)."""
    web, to = re.findall(r"<([^>]+)>", str(copy["List-Unsubscribe"]))
    assert (web.startswith(f"{PAGES}/quitter/"), to.startswith("mailto:stop+")) == (True, True)
    return web, to.removeprefix("mailto:").partition("?")[0]


# -- moving and joining (S34, S35) ------------------------------------------------------------------------------


def test_s34_both_addresses_are_asked_and_the_next_issue_goes_to_the_new_one(town: Town):
    at_old, at_new, staff = town.write(
        "Nous déménageons le 1er juin : Maison des projets, 12/14 bis allée des Tilleuls, CS 40012, "
        f"35999 KERBREC CEDEX. Et mon mail devient {ODILE_LATER}.",
        sender=ODILE,
        to=CONTACT,
    )
    before = town.readers()
    (moved,) = town.write("OUI", sender=ODILE_LATER, answers=at_new)

    assert receivers([at_old, at_new, staff, moved]) == [ODILE, ODILE_LATER, CLAIRE, ODILE_LATER]
    assert "35999 KERBREC" in body(staff)
    assert (before, town.readers()) == ({PIERRE, ODILE}, {PIERRE, ODILE_LATER})


def test_s35_one_question_a_yes_a_welcome_and_the_next_issue(town: Town):
    (question,) = town.write("Bonjour, pouvez-vous m'abonner à la lettre ?", sender=HUGO)
    pending = town.readers()
    elsewhere = town.write("OUI", sender=STRANGER, answers=question)
    (welcome,) = town.write("OUI\n\nHugo Perrin", sender=HUGO, answers=question)

    assert receivers([question, welcome]) == [HUGO, HUGO]
    assert "OUI" in body(question)
    assert "Bienvenue" in str(welcome["Subject"])
    assert receivers(elsewhere) == [CLAIRE]
    assert (pending, town.readers()) == ({PIERRE, ODILE}, {PIERRE, ODILE, HUGO})


def test_whoever_joins_under_a_name_that_is_an_address_is_on_file_without_it(town: Town):
    liar = "liar@ailleurs.example"
    town.names[liar] = '"claire.morvan@villes-rives.example"'

    town.write("Bonjour, pouvez-vous m'abonner à la lettre ?", liar)

    with town.journey.database.reading() as session:
        assert [person.name for person in people.all_at(session, liar)] == [None]


# -- machines (S36 to S39) --------------------------------------------------------------------------------------


def test_s36_an_absence_is_answered_by_nobody_and_the_next_issue_comes(town: Town):
    letters = town.write(
        "Je serai absente jusqu'au 23 mars. En mon absence, contactez Hervé.",
        answers=town.copy(PIERRE),
        subject="Réponse automatique : Lettre n° 57",
        quote=False,
    )

    assert letters == []
    assert town.readers() == {PIERRE, ODILE}


def test_s36_who_has_left_is_named_to_staff_once_and_the_next_issue_still_goes(town: Town):
    with town.journey.database.transaction() as session:
        seat = people.function_called(
            session, "chef de projet", people.identity(people.organisation_called(session, "Ville de Vrine"))
        )
        people.appoint(session, seat, people.recognise(session, PIERRE), town.journey.clock())
    copy, marks = town.copy(PIERRE), {"Auto-Submitted": "auto-replied"}
    (told,) = town.write(GONE, answers=copy, subject="Réponse automatique : Lettre n° 57", quote=False)
    again = town.write(GONE, subject="Réponse automatique", headers=marks)

    assert (receivers([told]), told["Subject"], again) == ([CLAIRE], "Contact parti : Pierre Guillou", [])
    assert "fonction : chef de projet" in body(told)
    assert "Rien n’a été changé" in body(told)
    assert town.readers() == {PIERRE, ODILE}


def test_s37_the_second_issue_that_comes_back_stops_the_email_and_staff_are_told(town: Town):
    first = town.comes_back("5.1.1", "550 5.1.1 user unknown")
    second = town.comes_back("5.1.1", "550 5.1.1 user unknown")

    assert (first, receivers(second)) == ([], [CLAIRE])
    assert second[0]["Subject"] == "Courriel arrêté : Odile Le Gall"
    assert "proposez-lui le papier" in body(second[0])
    assert town.readers() == {PIERRE}


def test_t16_the_id_of_a_copy_alone_charges_nobody_and_leaves_the_ledger_as_it_is(town: Town):
    (copy,) = [each for each in town.issue() if ODILE in each.recipients]
    forged = notice(recipient=ODILE, message_id=str(read(copy.raw)["Message-ID"]).strip("<>"))

    told = town.hand_in(forged, "", "contact@villes-rives.example")

    assert [str(each["Subject"]) for each in told] == ["Retour probable : Odile Le Gall"]
    assert {letter.state.value for letter in town.journey.outbox("issue")} == {"sent"}


def test_s37_refused_as_spam_is_our_fault_and_the_issue_goes_on(town: Town):
    letters = [town.comes_back("5.7.1", "550 5.7.1 blocked as spam") for _ in range(3)]

    assert {subject for told in letters for subject in (str(each["Subject"]) for each in told)} == {
        "Nos envois sont refusés"
    }
    assert town.readers() == {PIERRE, ODILE}


def test_s38_a_full_mailbox_is_a_task_after_three_issues_and_stops_nothing(town: Town):
    letters = [town.comes_back("5.2.2", "552 5.2.2 mailbox full") for _ in range(3)]

    assert [receivers(told) for told in letters] == [[], [], [CLAIRE]]
    assert letters[2][0]["Subject"] == "Trois numéros de suite non remis : Odile Le Gall"
    assert town.readers() == {PIERRE, ODILE}


@pytest.mark.parametrize("disposition", ["displayed", "deleted"])
def test_s39_a_receipt_of_a_copy_read_or_not_writes_to_nobody(town: Town, disposition: str):
    copy = town.copy(PIERRE)
    receipt = (
        f"From: Pierre <{PIERRE}>\r\nTo: {LETTRE}\r\nSubject: Lu : Lettre n° 57\r\nMessage-ID: <lu@vrine.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nVotre message a ete lu.\r\n"
        "--b\r\nContent-Type: message/disposition-notification\r\n\r\n"
        f"Final-Recipient: rfc822;{PIERRE}\r\nOriginal-Message-ID: {copy['Message-ID']}\r\n"
        f"Disposition: manual-action/MDN-sent-manually; {disposition}\r\n\r\n--b--\r\n"
    ).encode()

    assert town.hand_in(receipt, PIERRE, LETTRE) == []
    assert copy["Disposition-Notification-To"] is None  # nobody is asked for one
    assert town.readers() == {PIERRE, ODILE}


# -- looking (T18, D22) -----------------------------------------------------------------------------------------


def test_t18_looking_at_every_address_in_every_letter_changes_nothing(town: Town):
    """A gateway follows each https address of a copy and of every letter about it, headers and HTML included."""
    (question,) = town.write("Bonjour, pouvez-vous m'abonner à la lettre ?", sender=HUGO)
    (welcome,) = town.write("OUI", sender=HUGO, answers=question)
    copy = town.copy(PIERRE)
    town.write("en pause jusqu'au 15 septembre", answers=copy)
    town.write("papier svp", sender=ODILE, answers=town.copy(ODILE))
    _, at_new, *_ = town.write(f"Mon mail devient {ODILE_LATER}.", sender=ODILE, to=CONTACT)
    town.write("OUI", sender=ODILE_LATER, answers=at_new)
    town.write("désabonnement", sender=HUGO, answers=welcome)
    town.write("Bonjour, pouvez-vous m'abonner à la revue ?", sender=STRANGER)  # still to be answered
    seen = [read(arrival.raw) for arrival in town.journey.postbox.mails]
    links = {link for letter in seen for link in _links(letter)}
    ours = sorted(link for link in links if link.startswith(PAGES))
    before = town.pages.everything()

    with town.pages.client() as client:
        looked = {
            (how, link.removeprefix(PAGES).split("/")[1], client.request(how, link).status_code)
            for link in ours
            for how in ("GET", "HEAD")
        }

    kinds = {row.kind for row in town.journey.outbox()}
    assert {f"subscription-{name}" for name in _TOLD} <= kinds
    assert links - set(ours) == {"https://kerbrec.example/rencontre"}  # of the issue's own author
    assert looked == {(how, page, 200) for how in ("GET", "HEAD") for page in _PAGES.values()}
    assert town.pages.everything() == before


_TOLD = ("confirmation", "welcome", "paused", "channel", "address", "moved", "left")


def _links(letter: EmailMessage) -> set[str]:
    """Every web address of a letter: in its headers, its text, its HTML."""
    texts = [str(value) for value in letter.values()]
    texts += [str(part.get_content()) for part in letter.walk() if part.get_content_maintype() == "text"]
    return set(re.findall(r"https?://[^\s<>\"')]+", "\n".join(texts)))
