"""Readers write in plain words; journeys by real SMTP, from their mail to the letter that answers it."""

import email.policy
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.message import EmailMessage
from quopri import encodestring

import pytest
from sqlmodel import select

from mailhub import journal, outbox
from mailhub.centre import people, subscriptions
from mailhub.centre.profile import Service
from mailhub.centre.subscriptions import Channel, Consent, Source, State, Subscription
from mailhub.database import Database
from mailhub.handlers import enrolment
from mailhub.handlers.desk import Desk
from mailhub.mail.tokens import Purpose, Token
from tests.journey import CLAIRE, HUGO, Journey, body, centre_of, english, mail, reply
from tests.readers import LETTER, LISTS, REVIEW, reader, subscribed

PIERRE = "p.guillou@vrine.example"
LETTRE = "lettre@villes-rives.example"
CONTACT = "contact@villes-rives.example"
QUESTION = "question@villes-rives.example"
ISSUE = 57


@pytest.fixture
def centre(sqlite_url: str, now: datetime) -> Iterator[Journey]:
    """A centre that publishes the letter and the review; Pierre receives both."""
    database = Database(sqlite_url)
    with centre_of(database, now, lists=LISTS) as journey:
        journey.hire("Claire Morvan", CLAIRE)
        journey.proven.add(PIERRE)
        with database.transaction() as session:
            pierre = reader(session, now, PIERRE, "Pierre Guillou", post=True)
            subscribed(session, now, pierre)
            subscribed(session, now, pierre, REVIEW)
        yield journey
    database.close()


class Writer:
    """Somebody who writes to the centre and reads what comes back."""

    def __init__(self, journey: Journey, address: str = PIERRE, name: str = "Pierre Guillou") -> None:
        self.journey, self.address, self.name, self.count = journey, address, name, 0

    def write(
        self, text: str, to: str = LETTRE, subject: str = "Bonjour", **more: object
    ) -> list[EmailMessage]:
        """Send a mail; every letter that leaves because of it, to whoever."""
        return self.send(
            mail(text, sender=self.address, name=self.name, to=to, subject=subject, **self._id(), **more), to
        )  # type: ignore[arg-type]

    def answer(self, letter: EmailMessage, text: str, **more: object) -> list[EmailMessage]:
        """Reply as a mail client does."""
        told, to = reply(letter, text, sender=self.address, name=self.name, **self._id(), **more)  # type: ignore[arg-type]
        return self.send(told, to)

    def send(self, message: EmailMessage | bytes, to: str, sender: str | None = None) -> list[EmailMessage]:
        """Hand over, handle, and see what is to leave."""
        before = len(self.journey.outbox())
        self.journey.clock.forward(minutes=1)
        self.journey.send(message, sender=self.address if sender is None else sender, to=to)
        self.journey.handle()
        with self.journey.database.reading() as session:
            rows = self.journey.outbox()[before:]
            return [
                email.message_from_bytes(outbox.raw(session, row), policy=email.policy.default)
                for row in rows
            ]

    def _id(self) -> dict[str, str]:
        self.count += 1
        return {"message_id": f"<{self.count}.{self.address}>"}


@pytest.fixture
def pierre(centre: Journey) -> Writer:
    """A reader of the letter and of the review."""
    return Writer(centre)


def fresh(journey: Journey) -> Writer:
    """One more reader of both publications: many stories then share one centre."""
    with journey.database.transaction() as session:
        count = len(session.exec(select(people.Person)).all())
        address = f"lectrice{count}@vrine.example"
        person = reader(session, journey.clock(), address, f"Lectrice {count}")
        subscribed(session, journey.clock(), person)
        subscribed(session, journey.clock(), person, REVIEW)
    return Writer(journey, address, f"Lectrice{count}")


def states(journey: Journey, address: str = PIERRE) -> dict[str, State]:
    """What an address receives."""
    with journey.database.reading() as session:
        found = [people.identity(person) for person in people.all_at(session, address)]
        rows = subscriptions.held_by(session, found)
        return {row.publication: row.state_at(journey.clock()) for row in rows}


def verdict(journey: Journey) -> tuple[str, str]:
    """What became of the last mail."""
    row = journey.journal()[-1]
    return str(row.verdict), row.rule or ""


def an_issue(journey: Journey, address: str = PIERRE, publication: str = "lettre") -> EmailMessage:
    """A copy of an issue, as far as a reply to it needs one."""
    with journey.database.reading() as session:
        (person,) = people.all_at(session, address)
        row = subscriptions.find(session, publication, people.identity(person))
        assert row is not None
        sealed = journey.centre.keyring.seal(Token(Purpose.ISSUE, ISSUE, row.id or 0))
    return mail(
        "Lettre n° 57\n\nPour vous désabonner, répondez DÉSABONNER.\n",
        sender=f"{publication}@villes-rives.example",
        name="Villes & Rives",
        to=address,
        subject="Lettre n° 57",
        message_id=f"<mh.{sealed}.abc@villes-rives.example>",
    )


ON, OFF = {"lettre": State.ACTIVE, "revue": State.ACTIVE}, {"lettre": State.LEFT, "revue": State.ACTIVE}

# ── leaving (S32, S33) ──


def test_s32_leaving_the_letter_is_told_in_one_letter_with_the_way_on_and_the_way_back(
    centre: Journey, pierre: Writer
):
    (told,) = pierre.answer(an_issue(centre), "Bonjour, merci de me retirer de votre liste. Cordialement")

    assert states(centre) == OFF
    assert verdict(centre) == ("command done", "list command in plain words")
    assert (told["To"], told["Auto-Submitted"]) == (
        "Pierre Guillou <p.guillou@vrine.example>",
        "auto-replied",
    )
    assert "C’est fait pour « Lettre mensuelle »" in body(told)
    assert "« Revue de presse » : répondez REVUE pour l’arrêter" in body(told)
    assert "répondez ANNULER" in body(told)
    assert centre.outbox()[-1].envelope_from == ""


def test_s32_revue_stops_the_other_and_annuler_brings_back_what_that_word_stopped(
    centre: Journey, pierre: Writer
):
    (told,) = pierre.answer(an_issue(centre), "Désabonnez-moi")
    (further,) = pierre.answer(told, "REVUE")
    both = states(centre)
    pierre.answer(further, "annuler")
    review_back = states(centre)
    pierre.answer(told, "ANNULER svp")

    assert both == {"lettre": State.LEFT, "revue": State.LEFT}
    assert review_back == OFF
    assert states(centre) == ON


@pytest.mark.parametrize(
    "text",
    [
        "Merci de ne pas arrêter l'envoi de la lettre.",
        "Merci de ne jamais arrêter l'envoi de votre revue, elle est précieuse.",
        "Pourquoi l'arrêt de la lettre ?",
        "Merci de me retirer de toutes les listes sauf la lettre.",
        "Plus aucun mail, sauf la revue.",
        "Je ne souhaite plus recevoir aucun courriel hormis la revue de presse.",
        "Je n'ai plus aucun message depuis janvier.",
        "Il n'y a plus aucun abonnement à mon nom ?",
        "Plus aucun envoi papier svp.",
        "Arrêtez tout, je me suis trompé dans ma commande.",
        "Je souhaite recevoir la lettre à l'adresse nouveau@vrine.example, supprimez celle-ci.",
    ],
)
def test_what_stops_everything_by_its_words_alone_is_left_to_staff(
    centre: Journey, pierre: Writer, text: str
):
    letters = pierre.write(text)

    assert states(centre) == ON
    assert [letter["To"] for letter in letters] == [f"Claire Morvan <{CLAIRE}>"]


def test_thanks_for_all_that_came_are_not_a_wish_about_all_of_it(centre: Journey, pierre: Writer):
    pierre.write("Merci pour tous les envois. Désabonnez-moi de la lettre.")

    assert states(centre) == OFF


def test_taking_back_never_again_brings_nothing_back_that_was_left_before(centre: Journey, pierre: Writer):
    pierre.write("Désabonnez-moi de la lettre.")
    pierre.write("Désabonnez-moi de la revue.", to=CONTACT)
    (told,) = pierre.write("Plus aucun message de votre part.", to=CONTACT)
    never = set(states(centre).values())
    pierre.answer(told, "ANNULER")

    assert (never, set(states(centre).values())) == ({State.SUPPRESSED}, {State.LEFT})


def test_annuler_takes_back_what_the_letter_answered_is_about(centre: Journey, pierre: Writer):
    (paused,) = pierre.answer(an_issue(centre), "Merci de suspendre la lettre jusqu'au 1er septembre 2026.")
    pierre.answer(an_issue(centre, publication="revue"), "Désabonnez-moi")
    before = states(centre)
    pierre.answer(paused, "ANNULER")

    assert before == {"lettre": State.PAUSED, "revue": State.LEFT}
    assert states(centre) == {"lettre": State.ACTIVE, "revue": State.LEFT}


def test_no_more_paper_does_not_start_an_email_again_that_came_back(centre: Journey, pierre: Writer):
    with centre.database.transaction() as session:
        row = subscriptions.get(session, 1)
        subscriptions.change_channel(session, [row], Channel.BOTH, evidence(centre))
        stopped = subscriptions.Evidence(Source.RETURNS, centre.clock())
        subscriptions.record(session, row, subscriptions.Act.STOPPED, stopped, state=State.SUSPENDED)
    told, shown = pierre.write("Je ne souhaite plus recevoir la lettre sur papier.")

    with centre.database.reading() as session:
        row = subscriptions.get(session, 1)
        assert (row.state, row.channel) == (State.SUSPENDED, Channel.EMAIL)
    assert told["To"] == "Pierre Guillou <p.guillou@vrine.example>"
    assert "Règle   : plus de papier, et le courriel est arrêté parce qu’il revenait" in body(shown)


def test_s32_no_more_messages_stops_everything_and_is_answered_once(centre: Journey, pierre: Writer):
    (told,) = pierre.answer(an_issue(centre), "Plus aucun message de votre part.")

    assert set(states(centre).values()) == {State.SUPPRESSED}
    assert "nous ne vous écrirons plus" in body(told)
    pierre.answer(told, "ANNULER")
    assert states(centre) == ON


def test_s33_a_false_alarm_about_somebody_else_unsubscribes_nobody(centre: Journey, pierre: Writer):
    letters = pierre.write(
        "Surtout ne me retirez pas de la liste ! "
        "Par contre mon collègue M. Daniel est parti en retraite, vous pouvez l'enlever."
    )

    assert states(centre) == ON
    assert [letter["To"] for letter in letters] == [f"Claire Morvan <{CLAIRE}>"]
    assert "M. Daniel" in body(letters[0])
    assert verdict(centre)[0] == "triage"


def test_the_ordinary_ways_of_leaving(centre: Journey):
    ways = (
        "merci de me retirer de votre liste",
        "désabonnement",
        "STOP",
        "me désinscrire svp",
        "je ne souhaite plus recevoir vos mails",
        "veuillez supprimer mon adresse",
        "unsubscribe",
    )

    assert {words: after(centre, words) for words in ways} == dict.fromkeys(ways, OFF)


def test_what_leaves_and_what_does_not(centre: Journey):
    expected = {
        "je garde la lettre mais plus la revue": {"lettre": State.ACTIVE, "revue": State.LEFT},
        "ne me désabonnez pas": ON,
        "je pars en retraite le 30 juin, ma remplaçante est Mme Y": ON,
        "retirez M. X": ON,
        "comment se désabonner ?": ON,
        "je ne suis plus concerné par la politique de la ville": ON,
        "Je suis absent, ne pas tenir compte de mes messages": ON,
    }

    assert {words: after(centre, words) for words in expected} == expected


def after(journey: Journey, words: str) -> dict[str, State]:
    """What a reader receives once they wrote these words to the letter."""
    writer = fresh(journey)
    writer.write(words)
    return states(journey, writer.address)


def test_words_that_stand_only_in_the_quotation_ask_for_nothing(centre: Journey, pierre: Writer):
    pierre.answer(an_issue(centre), "")
    pierre.answer(an_issue(centre), "Très bon numéro, bravo à toute l'équipe.")

    assert states(centre) == ON


def test_a_question_whose_subject_says_stop_is_a_question(centre: Journey, pierre: Writer):
    pierre.write(
        "Existe-t-il une étude sur la démolition du quartier ?",
        to="question@villes-rives.example",
        subject="stop à la démolition !",
    )

    assert (states(centre), verdict(centre)) == (ON, ("request opened", "question address"))


def test_a_plain_command_sent_to_the_question_address_is_no_question(centre: Journey, pierre: Writer):
    pierre.write("Merci de me désabonner de la revue.", to="question@villes-rives.example")

    assert states(centre) == {"lettre": State.ACTIVE, "revue": State.LEFT}


def test_maybe_leaving_takes_one_word(centre: Journey, pierre: Writer):
    (asked,) = pierre.write("je ne suis plus concerné par la politique de la ville")
    before = states(centre)
    pierre.answer(asked, "Oui")

    assert (before, states(centre)) == (ON, OFF)


def test_instructions_go_to_who_asks_and_staff_see_the_sentence(centre: Journey, pierre: Writer):
    letters = pierre.write("comment se désabonner ?")
    again = pierre.write("comment se désabonner ?")

    assert [letter["To"] for letter in letters] == [PIERRE, f"Claire Morvan <{CLAIRE}>"]
    assert [letter["To"] for letter in again] == [f"Claire Morvan <{CLAIRE}>"]


# ── T23, T25, T26, D24 ──


def test_t23_unsubscribing_one_of_two_at_an_address_leaves_the_other(centre: Journey):
    couple = "famille.legoff@kerbrec.example"
    with centre.database.transaction() as session:
        anne, paul = (
            reader(session, centre.clock(), couple, name) for name in ("Anne Le Goff", "Paul Le Goff")
        )
        for person in (anne, paul):
            subscribed(session, centre.clock(), person)
    Writer(centre, couple, "Paul LE GOFF").write("désabonnez-moi")

    with centre.database.reading() as session:
        roster = {
            line.names: line.excluded for line in subscriptions.roster(session, "lettre", centre.clock())
        }
    assert roster[("Anne Le Goff",)] is None
    assert roster[("Paul Le Goff",)] == "left"


def _written(subject: str, headers: str, content: bytes) -> bytes:
    head = (
        f"From: Reader <SENDER>\r\nTo: {LETTRE}\r\nSubject: {subject}\r\n"
        f"Date: Tue, 03 Mar 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n{headers}\r\n\r\n"
    )
    return head.encode("ascii", "surrogateescape") + content


WORD = "désabonner"
PLAIN = "Content-Type: text/plain; charset={}\r\nContent-Transfer-Encoding: {}"
HTML = "Content-Type: text/html; charset={}\r\nContent-Transfer-Encoding: {}"
PAGE = "<html><body><p>Bonjour,</p><p>d&eacute;sabonner</p></body></html>"
MIXED = 'Content-Type: multipart/alternative; boundary="b"'
T25: dict[str, Callable[[], bytes]] = {
    "utf-8": lambda: _written("Bonjour", PLAIN.format("utf-8", "8bit"), WORD.encode()),
    "iso-8859-1": lambda: _written("Bonjour", PLAIN.format("iso-8859-1", "8bit"), WORD.encode("latin-1")),
    "windows-1252": lambda: _written("Bonjour", PLAIN.format("windows-1252", "8bit"), WORD.encode("cp1252")),
    "base64": lambda: _written("Bonjour", PLAIN.format("utf-8", "base64"), b64encode(WORD.encode())),
    "quoted-printable": lambda: _written(
        "Bonjour", PLAIN.format("utf-8", "quoted-printable"), encodestring(WORD.encode())
    ),
    "quoted-printable latin": lambda: _written(
        "Bonjour", PLAIN.format("iso-8859-1", "quoted-printable"), encodestring(WORD.encode("latin-1"))
    ),
    "html only": lambda: _written("Bonjour", HTML.format("us-ascii", "7bit"), PAGE.encode()),
    "html base64": lambda: _written("Bonjour", HTML.format("utf-8", "base64"), b64encode(PAGE.encode())),
    "alternative": lambda: _written(
        "Bonjour",
        MIXED,
        f"--b\r\n{PLAIN.format('utf-8', '8bit')}\r\n\r\n{WORD}\r\n--b\r\n{HTML.format('utf-8', '8bit')}\r\n\r\n{PAGE}\r\n--b--\r\n".encode(),
    ),
    "subject q": lambda: _written("=?iso-8859-1?Q?d=E9sabonner?=", PLAIN.format("utf-8", "7bit"), b""),
    "subject b": lambda: _written(
        Header(WORD, "utf-8").encode(), PLAIN.format("utf-8", "7bit"), b"-- \r\nPierre Guillou\r\n"
    ),
    "subject folded": lambda: _written(
        "=?utf-8?B?ZMOpc2Fib25uZXo=?=\r\n =?utf-8?Q?-moi_s=27il_vous_pla=C3=AEt?=",
        PLAIN.format("utf-8", "7bit"),
        b"",
    ),
}


def test_t25_the_command_is_understood_in_every_encoding(centre: Journey):
    told = {}
    for encoding, raw in T25.items():
        writer = fresh(centre)
        writer.send(raw().replace(b"SENDER", writer.address.encode()), LETTRE)
        told[encoding] = states(centre, writer.address)

    assert told == dict.fromkeys(T25, OFF)


def test_t26_automatic_mail_is_never_a_command_and_gets_no_answer(centre: Journey, pierre: Writer):
    marks = (
        ("Auto-Submitted", "auto-replied"),
        ("Auto-Submitted", "auto-generated"),
        ("AUTO-SUBMITTED", "Auto-Replied (vacation)"),
        ("Precedence", "bulk"),
        ("Precedence", "list"),
        ("Precedence", "junk"),
        ("X-Autoreply", "yes"),
        ("X-Autorespond", "Lettre"),
        ("List-Id", "<x.example>"),
    )

    assert [pierre.write("désabonnement", headers={name: value}) for name, value in marks] == [[]] * len(
        marks
    )
    assert (states(centre), set(centre.verdicts())) == (ON, {"automatic"})


def test_t26_a_mail_with_the_null_sender_is_no_command(centre: Journey, pierre: Writer):
    told = mail("désabonnement", sender=PIERRE, name="Pierre", to=LETTRE, message_id="<null@vrine.example>")

    assert (pierre.send(told, LETTRE, sender=""), states(centre)) == ([], ON)


def test_t26_two_centres_that_answer_each_other_exchange_two_messages_at_most(
    centre: Journey, pierre: Writer
):
    (told,) = pierre.write("désabonnement")
    del told["To"], told["From"]
    told["From"], told["To"] = f"lettre <{PIERRE}>", LETTRE

    assert pierre.send(told, LETTRE) == []
    assert len(centre.outbox()) == 1


def leave_address(journey: Journey, address: str = PIERRE, publication: str = "lettre") -> str:
    """`stop+TOKEN` of a reader."""
    with journey.database.reading() as session:
        (person,) = people.all_at(session, address)
        row = subscriptions.find(session, publication, people.identity(person))
        assert row is not None
        token = Token(Purpose.LEAVE, row.id or 0, people.identity(person))
    return journey.centre.address(Service.STOP, journey.centre.keyring.seal(token))


def test_d24_the_leave_address_works_from_any_address_with_an_empty_body(centre: Journey):
    stranger = Writer(centre, "autre@freemail.example", "Autre")
    (told,) = stranger.write("", to=leave_address(centre), subject="")

    assert states(centre) == OFF
    assert (
        told["To"] == "Pierre Guillou <p.guillou@vrine.example>"
    )  # told where they are on file, not who wrote
    assert stranger.write("", to=leave_address(centre), subject="") == []


@pytest.mark.parametrize("text", ["Je souhaite recevoir la lettre mensuelle.", "aide"])
def test_what_claims_to_come_from_the_centre_itself_is_answered_by_nothing(centre: Journey, text: str):
    forger = Writer(centre, QUESTION, "Centre")

    assert forger.write(text) == []
    with centre.database.reading() as session:
        assert people.all_at(session, QUESTION) == []


@pytest.mark.parametrize(
    "headers",
    [{"Auto-Submitted": "auto-generated"}, {"Precedence": "bulk"}, {"From": None}],
    ids=["auto-submitted", "bulk", "no author"],
)
def test_d24_the_leave_address_works_for_programs_that_write_by_themselves(
    centre: Journey, headers: dict[str, str | None]
):
    raw = mail("", sender=PIERRE, to=(to := leave_address(centre)), subject="unsubscribe")
    for name, value in headers.items():
        del raw[name]
        if value:
            raw[name] = value
    centre.send(raw, PIERRE, to)
    centre.handle()

    assert states(centre) == OFF


def test_t19_the_leave_address_of_a_three_year_old_letter_works(centre: Journey, pierre: Writer):
    old = leave_address(centre)
    centre.clock.forward(days=3 * 365)
    pierre.write("", to=old, subject="unsubscribe")

    assert states(centre) == OFF


def test_a_forged_leave_address_leaves_nothing(centre: Journey, pierre: Writer):
    good = leave_address(centre)
    forged = good.replace("@", "a@").replace(good[10], "b", 1)
    pierre.write("", to=forged)
    other_use = centre.centre.address(
        Service.STOP, centre.centre.keyring.seal(Token(Purpose.ISSUE, ISSUE, 1))
    )
    pierre.write("", to=other_use)

    assert states(centre) == ON


def test_a_wish_that_was_shown_to_staff_becomes_a_question_when_it_is_let_in(centre: Journey, pierre: Writer):
    pierre.write("Pouvez-vous désabonner ma collègue de la lettre ?", to=CONTACT)
    shown = verdict(centre)
    with centre.database.transaction() as session:
        journal.release(session, 1)
    centre.handle()

    assert shown == ("triage", "list command in plain words")
    assert verdict(centre) == ("request opened", "let in by an operator")


# ── pause, channel, moving (S34) ──


def test_a_pause_until_a_day_ends_by_itself_on_that_day(centre: Journey, pierre: Writer):
    (told,) = pierre.write("Pouvez-vous suspendre mon abonnement jusqu'au 15 septembre ?")
    paused = states(centre)
    centre.clock.at = datetime(2026, 9, 14, 22, 1, tzinfo=UTC)  # a minute into the 15th in Paris

    assert paused == {"lettre": State.PAUSED, "revue": State.ACTIVE}
    assert "mardi 15 septembre 2026" in body(told)
    assert states(centre) == ON


def test_stop_the_paper_changes_the_way_and_not_the_subscription(centre: Journey, pierre: Writer):
    with centre.database.transaction() as session:
        row = subscriptions.get(session, 1)
        subscriptions.change_channel(session, [row], Channel.PAPER, evidence(centre))
    (told,) = pierre.write("arrêtez le papier, le mail suffit")

    with centre.database.reading() as session:
        assert subscriptions.get(session, 1).channel is Channel.EMAIL
    assert states(centre) == ON
    assert "par courriel, et non plus sur papier" in body(told)


def evidence(journey: Journey) -> subscriptions.Evidence:
    """A note of staff."""
    return subscriptions.Evidence(Source.STAFF, journey.clock(), note="par téléphone")


def test_paper_takes_a_postal_address(centre: Journey):
    with centre.database.transaction() as session:
        subscribed(session, centre.clock(), reader(session, centre.clock(), HUGO, "Hugo Perrin"))
    letters = Writer(centre, HUGO, "Hugo Perrin").write("papier svp")

    assert verdict(centre) == ("triage", "list command in plain words")
    assert [letter["To"] for letter in letters] == [f"Claire Morvan <{CLAIRE}>"]


def test_s34_a_change_of_address_is_asked_at_both_and_carries_subscriptions_along(centre: Journey):
    old, new = "o.legall@kerbrec.example", "odile.legall@kerbrec.example"
    centre.proven.add(old)
    with centre.database.transaction() as session:
        subscribed(session, centre.clock(), reader(session, centre.clock(), old, "Odile Le Gall"))
    letters = Writer(centre, old, "Odile Le Gall").write(
        "Nous déménageons le 1er juin : Maison des projets, 12/14 bis allée des Tilleuls, CS 40012, "
        "35999 KERBREC CEDEX. Et mon mail devient odile.legall@kerbrec.example.",
        to=CONTACT,
    )
    at_old, at_new, staff = letters
    waiting = states(centre, new)
    (told,) = Writer(centre, new, "Odile Le Gall").answer(at_new, "OUI")

    assert [letter["To"] for letter in (at_old, at_new, staff)] == [old, new, f"Claire Morvan <{CLAIRE}>"]
    assert "répondez NON" in body(at_old)
    assert "35999 KERBREC" in body(staff)
    assert waiting == {}
    assert states(centre, new) == {"lettre": State.ACTIVE}
    assert told["To"] == f"Odile Le Gall <{new}>"
    with centre.database.reading() as session:
        person = people.recognise(session, old)
        assert person is not None
        assert people.address_of(session, people.identity(person)) == new


def test_an_address_that_only_says_it_is_the_new_one_is_believed_when_the_old_one_agrees(centre: Journey):
    new = "pierre@freemail.example"
    moved = Writer(centre, new, "Pierre Guillou")
    at_old, at_new = moved.write(f"Mon adresse a changé, l'ancienne était {PIERRE}", to=CONTACT)
    moved.answer(at_new, "oui")
    half = states(centre, new)
    Writer(centre).answer(at_old, "Oui, c'est bien moi")

    assert (half, states(centre, new)) == ({}, ON)


def test_who_has_moved_again_is_written_to_where_they_said_last(centre: Journey):
    old, middle, last = "a@freemail.example", "b@freemail.example", "c@freemail.example"
    centre.proven.add(old)
    with centre.database.transaction() as session:
        odile = reader(session, centre.clock(), old, "Odile Le Gall")
        subscribed(session, centre.clock(), odile)
        people.change_address(session, odile, middle, centre.clock())
    _, at_new = Writer(centre, old, "Odile Le Gall").write(f"Mon adresse devient {last}", to=CONTACT)
    Writer(centre, last, "Odile Le Gall").answer(at_new, "OUI")

    with centre.database.reading() as session:
        (person,) = people.all_at(session, last)
        assert people.addresses(session, [people.identity(person)]) == {person.id: last}


def test_a_yes_to_a_move_of_somebody_forgotten_meanwhile_moves_nobody(centre: Journey):
    new = "hugo@freemail.example"
    hugo, question = ask_for_the_review(centre)
    centre.proven.add(HUGO)
    centre.clock.forward(days=2)
    _, at_new = hugo.write(f"Mon adresse devient {new}", to=CONTACT)
    hugo.answer(question, "NON")
    (shown,) = Writer(centre, new, "Hugo Perrin").answer(at_new, "OUI")

    assert verdict(centre)[0] == "triage"
    assert shown["To"] == f"Claire Morvan <{CLAIRE}>"


# ── joining (S35) ──


def ask_for_the_review(journey: Journey) -> tuple[Writer, EmailMessage]:
    """A colleague showed Hugo the review."""
    hugo = Writer(journey, HUGO, "Hugo Perrin")
    (question,) = hugo.write(
        "Une collègue m'a montré votre revue de presse, pouvez-vous m'ajouter ?", to=CONTACT
    )
    return hugo, question


def test_s35_one_question_then_a_yes_then_a_welcome_and_the_proof(centre: Journey):
    hugo, question = ask_for_the_review(centre)
    pending = states(centre, HUGO)
    (welcome,) = hugo.answer(question, "OUI\n\nHugo Perrin\nMontelain Agglomération")

    assert (question["To"], pending) == (HUGO, {"revue": State.PENDING})
    assert states(centre, HUGO) == {"revue": State.ACTIVE}
    assert "Bienvenue" in welcome["Subject"]
    with centre.database.reading() as session:
        proof = session.exec(
            select(Consent).where(Consent.publication == "revue", Consent.source == Source.MAIL)
        ).one()
    assert (proof.shown in " ".join(body(question).replace(">", "").split()), bool(proof.message_digest)) == (
        True,
        True,
    )


def test_s35_a_yes_from_another_address_is_shown_to_staff(centre: Journey):
    _, question = ask_for_the_review(centre)
    letters = Writer(centre, "hugo@freemail.example", "Hugo").answer(question, "OUI")

    assert states(centre, HUGO) == {"revue": State.PENDING}
    assert [letter["To"] for letter in letters] == [f"Claire Morvan <{CLAIRE}>"]
    rule = "Règle   : un oui ou un non venu d’une autre adresse que celle interrogée\n"
    assert rule in body(letters[0])
    assert english(body(letters[0])) == []


@pytest.mark.parametrize(
    ("text", "understood", "rule"),
    [
        ("Mettez mon abonnement en pause.", "à lire par une personne", "une pause sans date de fin"),
        (
            "Mon collègue est parti, merci de le désabonner.",
            "à lire par une personne",
            "se désabonner, mais quelqu’un d’autre est nommé",
        ),
        (
            "Désabonnez-moi de la lettre et abonnez-moi à la revue.",
            "à lire par une personne",
            "plusieurs souhaits à la fois : s’abonner, se désabonner",
        ),
        (
            "Désabonnez-moi de la lettre à l’adresse autre@vrine.example.",
            "à lire par une personne",
            "se désabonner, mais une autre adresse est citée",
        ),
        ("Je ne veux plus ni papier ni mail.", "à lire par une personne", "ni papier ni courriel"),
        ("Je pense me désabonner.", "à lire par une personne", "se désabonner, mais une condition est posée"),
        (
            "Je ne reçois plus la lettre.",
            "à lire par une personne",
            "un problème de réception est signalé",
        ),
        (
            "Désabonnez-moi à partir du 1er mai 2026.",
            "se désabonner",
            "les mots « desabonnez-moi a partir du 1er mai 2026 »",
        ),
    ],
)
def test_what_was_understood_and_why_it_was_not_enough_is_said_in_french(
    centre: Journey, pierre: Writer, text: str, understood: str, rule: str
):
    (letter,) = pierre.write(text)

    said = body(letter)
    assert (states(centre), letter["To"]) == (ON, f"Claire Morvan <{CLAIRE}>")
    assert f"\nCompris : {understood}\nRègle   : {rule}\n" in said
    assert english(said) == []


def test_s35_without_an_answer_one_reminder_and_then_oblivion(centre: Journey):
    ask_for_the_review(centre)

    def tend(days: int) -> list[str]:
        centre.clock.forward(days=days)
        with centre.database.transaction() as session:
            desk = Desk(session, centre.clock(), centre.centre, centre.renderer)
            drafts = enrolment.tend(desk)
            outbox.put(session, drafts, domain=centre.centre.domain, now=centre.clock())
            return [draft.kind for draft in drafts]

    assert [tend(days) for days in (1, 6, 1, 6)] == [[], ["subscription-reminder"], [], []]
    assert states(centre, HUGO) == {}


def test_s35_several_yeses_are_one_welcome(centre: Journey):
    hugo, question = ask_for_the_review(centre)
    letters = [hugo.answer(question, "oui") for _ in range(3)]

    assert list(map(len, letters)) == [1, 0, 0]


def test_a_yes_with_words_around_it_and_a_no(centre: Journey):
    hugo, question = ask_for_the_review(centre)
    hugo.answer(
        question, "Oui !\n\nJe travaille à la politique de la ville depuis peu et cela me servira beaucoup."
    )
    yes = states(centre, HUGO)
    centre.clock.forward(days=2)
    paul = Writer(centre, "paul@kerbrec.example", "Paul")
    (asked,) = paul.write("Je souhaite m'abonner à la revue de presse", to=CONTACT)
    paul.answer(asked, "Non merci")

    assert (yes, states(centre, "paul@kerbrec.example")) == ({"revue": State.ACTIVE}, {})


@pytest.mark.parametrize("text", ["NON", "Non merci", "Désabonnez-moi, merci.", "ANNULER"])
def test_a_no_to_what_was_said_yes_to_before_is_leaving_it(centre: Journey, text: str):
    hugo, question = ask_for_the_review(centre)
    hugo.answer(question, "OUI")
    with centre.database.transaction() as session:
        (person,) = people.all_at(session, HUGO)
        subscribed(session, centre.clock(), person)
    (told,) = hugo.answer(question, text)

    assert states(centre, HUGO) == {"revue": State.LEFT, "lettre": State.ACTIVE}
    assert told["To"] == f"Hugo Perrin <{HUGO}>"
    assert "Revue de presse" in body(told)


def test_a_yes_that_comes_too_late_is_shown_to_staff(centre: Journey):
    hugo, question = ask_for_the_review(centre)
    hugo.answer(question, "NON")
    (shown,) = hugo.answer(question, "OUI")

    assert states(centre, HUGO) == {}
    assert shown["To"] == f"Claire Morvan <{CLAIRE}>"
    assert "Règle   : un oui à une question qui n’attend plus de réponse\n" in body(shown)
    assert english(body(shown)) == []


def test_who_wants_two_and_has_one_of_them_paused_gets_both(centre: Journey):
    hugo = Writer(centre, HUGO, "Hugo Perrin")
    with centre.database.transaction() as session:
        subscribed(session, centre.clock(), reader(session, centre.clock(), HUGO, "Hugo Perrin"))
    hugo.write("Merci de suspendre la lettre jusqu'au 1er septembre 2026.")
    paused = states(centre, HUGO)
    restored, question = hugo.write("Je souhaite m'abonner à la lettre et à la revue de presse.", to=CONTACT)
    hugo.answer(question, "OUI")

    assert paused == {"lettre": State.PAUSED}
    assert "Lettre" in body(restored)
    assert states(centre, HUGO) == {"lettre": State.ACTIVE, "revue": State.ACTIVE}


def test_t27_whoever_asks_again_the_same_day_is_not_written_to_again(centre: Journey):
    hugo, _ = ask_for_the_review(centre)

    assert hugo.write("Je souhaite m'abonner à la lettre") == []
    assert hugo.write("Je souhaite m'abonner à la revue", to=CONTACT) == []


def test_who_receives_it_already_is_told_once_a_day(centre: Journey, pierre: Writer):
    (told,) = pierre.write("Je souhaite m'abonner à la lettre")

    assert "reçoit déjà" in body(told)
    assert pierre.write("Je souhaite m'abonner à la lettre") == []


def test_joining_from_a_machine_is_no_joining(centre: Journey):
    told = mail(
        "abonnez-moi à la lettre",
        sender="no-reply@kerbrec.example",
        name="x",
        to=LETTRE,
        message_id="<n@k.example>",
    )

    assert Writer(centre, "no-reply@kerbrec.example").send(told, LETTRE) == []
    assert states(centre, "no-reply@kerbrec.example") == {}


# ── absences and receipts (S36, S39) ──


def test_s36_an_absence_after_the_letter_changes_nothing_and_is_not_answered(centre: Journey, pierre: Writer):
    letters = pierre.answer(
        an_issue(centre),
        "Je serai absente jusqu'au 23 mars. En mon absence, contactez Hervé au 02 99 00 00 02.",
        subject="Réponse automatique : Lettre n° 57",
        quote=False,
    )

    assert (letters, states(centre), verdict(centre)) == ([], ON, ("automatic", "automatic"))
    assert (centre.journal()[-1].note or "").startswith("auto-reply, until 2026-03-23: ")


def test_s36_the_same_words_written_by_a_person_are_shown_to_staff(centre: Journey, pierre: Writer):
    pierre.write("Je serai absente jusqu'au 23 mars. En mon absence, contactez Hervé.")

    assert (states(centre), verdict(centre)[0]) == (ON, "triage")


GONE = "Bonjour, je ne travaille plus ici. Écrivez à Hervé Kerjean, h.kerjean@vrine.example."


def test_s36_who_has_left_by_an_automatic_reply_is_a_task_for_staff_and_nothing_changes(
    centre: Journey, pierre: Writer
):
    with centre.database.transaction() as session:
        town = people.organisation_called(session, "Ville de Vrine")
        seat = people.function_called(session, "chef de projet", people.identity(town))
        people.appoint(session, seat, people.recognise(session, PIERRE), centre.clock())
    (told,) = pierre.answer(an_issue(centre), GONE, subject="Réponse automatique : Lettre n° 57", quote=False)

    assert (states(centre), verdict(centre)) == (ON, ("automatic", "automatic"))
    assert (told["To"], told["Subject"]) == (
        f"Claire Morvan <{CLAIRE}>",
        "Contact parti : Pierre Guillou",
    )
    for words in ("- fonction : chef de projet", "Lettre mensuelle", "Revue de presse", "> Bonjour, je ne"):
        assert words in body(told)


def test_s36_the_same_departure_is_told_once_a_week(centre: Journey, pierre: Writer):
    def again() -> list[EmailMessage]:
        return pierre.write(GONE, subject="Réponse automatique", headers={"Auto-Submitted": "auto-replied"})

    first, second = again(), again()
    centre.clock.forward(days=7)

    assert [len(first), len(second), len(again())] == [1, 0, 1]


def test_s36_a_reader_who_left_is_known_by_the_letter_that_is_answered(centre: Journey, pierre: Writer):
    """The machine answers under another name of the mailbox, at the return path of one copy."""
    with centre.database.reading() as session:
        (person,) = people.all_at(session, PIERRE)
        row = subscriptions.find(session, "lettre", people.identity(person))
        assert row is not None
    token = centre.centre.keyring.seal(Token(Purpose.ISSUE_RETURN, ISSUE, row.id or 0))
    told = mail(
        GONE,
        sender="pierre.guillou@vrine.example",
        name="P. G.",
        subject="Réponse automatique : Lettre n° 57",
    )
    (letter,) = pierre.send(told, centre.centre.address(Service.RETURNS, token), sender="")

    assert f"Pierre Guillou <{PIERRE}>" in body(letter)


def test_s36_a_stranger_who_left_and_a_reader_who_only_goes_away_are_nobodys_task(
    centre: Journey, pierre: Writer
):
    stranger = Writer(centre, "autre@freemail.example", "Autre")

    assert stranger.write(GONE, subject="Réponse automatique : Bonjour") == []
    assert pierre.write("Je serai absente jusqu'au 23 mars.", subject="Réponse automatique : Bonjour") == []
    pierre.write("plus aucun message de votre part")
    assert (
        pierre.write(GONE, subject="Réponse automatique : Bonjour") == []
    )  # who receives nothing is no task


def test_s39_a_read_receipt_for_the_letter_is_noted(centre: Journey, pierre: Writer):
    raw = (
        f"From: Pierre <{PIERRE}>\r\nTo: {LETTRE}\r\nSubject: Lu : Lettre n° 57\r\nMessage-ID: <lu@vrine.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nVotre message a ete lu.\r\n"
        "--b\r\nContent-Type: message/disposition-notification\r\n\r\n"
        f"Final-Recipient: rfc822;{PIERRE}\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--b--\r\n"
    ).encode()

    assert pierre.send(raw, LETTRE) == []
    assert (states(centre), verdict(centre)) == (ON, ("automatic", "read receipt"))


def test_every_letter_to_a_reader_says_that_a_machine_wrote_it_and_names_no_list(
    centre: Journey, pierre: Writer
):
    letters = [
        *pierre.write("désabonnement"),
        *pierre.write("aide"),
        *pierre.write("en pause jusqu'au 15 septembre", to="revue@villes-rives.example"),
    ]

    assert len(letters) == 3
    for letter in letters:
        assert letter["Auto-Submitted"] == "auto-replied"
        assert not [name for name in letter if name.lower().startswith("list-")]
        assert letter["In-Reply-To"]


def test_the_letters_wait_for_nobody_they_leave_by_the_next_courier(centre: Journey, pierre: Writer):
    pierre.write("désabonnement")
    centre.deliver()

    assert [letter["Subject"] for letter in centre.postbox.to(PIERRE)] == [
        "C’est fait : vous ne recevrez plus « Lettre mensuelle »"
    ]


def test_leaving_is_effective_before_the_next_copy_leaves(centre: Journey, pierre: Writer):
    with centre.database.reading() as session:
        (line,) = subscriptions.roster(session, "lettre", centre.clock())
    pierre.answer(an_issue(centre), "stop")

    with centre.database.reading() as session:
        assert not subscriptions.is_wanted(
            session, line.subscription_id, Channel.EMAIL, centre.clock() + timedelta(seconds=1)
        )
        assert session.exec(select(Subscription).where(Subscription.state == State.LEFT)).all()
    assert LETTER.code == "lettre"
