"""Staff answer: what leaves, what stays, what they are told; by real mail through a whole centre."""

import pytest

from mailhub import outbox
from mailhub.centre import people, requests
from mailhub.centre.profile import Service
from mailhub.centre.requests import RequestState
from mailhub.mail import threads
from mailhub.mail.tokens import Keyring, Purpose, Token
from mailhub.outbox import OutgoingState
from tests.journey import CLAIRE, DOMAIN, HUGO, NADIA, YANN, Journey, body, centre_of, mail, read, reply

ANSWER = "Bonjour,\n2 340 habitants au dernier recensement.\nClaire"


@pytest.fixture
def centre(database, now):
    with centre_of(database, now) as journey:
        journey.hire("Claire Morvan", CLAIRE)
        journey.hire("Yann Riou", YANN, told_of_new=False)
        yield journey


def asked(centre: Journey):
    """A question has come and Claire holds her copy of it."""
    centre.send(mail("Bonjour, quelle est la population du quartier des Tilleuls ?\nNadia Benali"))
    centre.settle()
    return centre.postbox.to(CLAIRE)[-1]


def answer(centre: Journey, copy, text: str = ANSWER, number: int = 1, **more):
    """Claire replies to her copy; each of her mails has a Message-ID of its own."""
    message_id = f"<c{number}@villes-rives.example>"
    centre.write_back(copy, text, sender=CLAIRE, name="Claire Morvan", message_id=message_id, **more)
    centre.settle()


# -- the same words again ---------------------------------------------------------------------------------------


def test_the_same_answer_sent_twice_under_two_ids_leaves_once(centre):
    copy = asked(centre)
    answer(centre, copy)
    centre.clock.forward(minutes=5)
    answer(centre, copy, f"{ANSWER}\n#clore", number=2)

    assert len(centre.outbox("answer")) == 1
    told = body(centre.postbox.to(CLAIRE)[-1])
    assert "déjà envoyé ce même texte pour Q-2026-0001 le mardi 3 mars 2026 à 10\u00a0h\u00a000" in told
    assert "en changeant un mot" in told
    assert centre.journal()[-1].note == "kept inside (again) in Q-2026-0001"

    answer(centre, copy, f"{ANSWER} Morvan", number=3)

    assert len(centre.outbox("answer")) == 2


@pytest.mark.parametrize(
    "recall",
    [
        "MORVAN Claire souhaite rappeler le message « [Q-2026-0001] Combien d’habitants ? ».",
        'Claire Morvan would like to recall the message, "Re: Combien".',
    ],
)
def test_a_mail_that_wants_another_back_stays_inside(centre, recall):
    copy = asked(centre)
    answer(centre, copy, recall)

    assert centre.outbox("answer") == []
    assert "ne peut pas être rappelé" in body(centre.postbox.to(CLAIRE)[-1])

    answer(
        centre,
        copy,
        "La maire souhaite rappeler le message suivant aux élus.\nIl est en pièce jointe.",
        number=2,
    )

    assert len(centre.outbox("answer")) == 1


def test_two_presses_handled_together_leave_once(centre):
    copy = asked(centre)
    for number in (1, 2):
        centre.write_back(
            copy, ANSWER, sender=CLAIRE, name="Claire Morvan", message_id=f"<c{number}@villes-rives.example>"
        )
    centre.settle()

    assert len(centre.outbox("answer")) == 1


def test_the_same_short_words_days_later_or_to_another_letter_leave(centre):
    copy = asked(centre)
    answer(centre, copy, "Oui.")
    centre.write_back(
        centre.postbox.to(NADIA)[-1],
        "Et pour Kerbrec aussi ?",
        sender=NADIA,
        name="Nadia Benali",
        message_id="<q2@kerbrec.example>",
    )
    centre.settle()
    answer(centre, centre.postbox.to(CLAIRE)[-1], "Oui.", number=2, quote=False)

    assert len(centre.outbox("answer")) == 2

    centre.clock.forward(days=2)
    answer(centre, copy, "Oui.", number=3)

    assert len(centre.outbox("answer")) == 3


def test_the_same_words_with_the_forgotten_file_leave(centre):
    copy = asked(centre)
    answer(centre, copy, "Voici le plan.")
    answer(centre, copy, "Voici le plan.", number=2, files=[("plan.pdf", "application/pdf", b"%PDF-1.7")])

    assert len(centre.outbox("answer")) == 2


def test_the_same_words_leave_again_when_they_did_not_arrive(centre):
    copy = asked(centre)
    answer(centre, copy)
    with centre.database.transaction() as session:
        (letter,) = outbox.listed(session, kind="answer")
        outbox.failed(letter, "550 5.1.1 no such user", centre.clock())
    answer(centre, copy, number=2)

    assert len(centre.outbox("answer")) == 2


def test_the_same_words_stay_while_nobody_knows_whether_they_arrived_and_their_author_is_told_so(centre):
    copy = asked(centre)
    answer(centre, copy)
    with centre.database.transaction() as session:
        (letter,) = outbox.listed(session, kind="answer")
        letter.state = OutgoingState.IN_DOUBT
    answer(centre, copy, number=2)

    assert len(centre.outbox("answer")) == 1
    told = body(centre.postbox.to(CLAIRE)[-1])
    assert "peut-être arrivé, peut-être pas" in told
    assert "en changeant un mot" in told


def test_a_yes_to_a_held_reply_that_left_meanwhile_does_not_send_it_twice(centre):
    copy = asked(centre)
    centre.proven.discard(CLAIRE)
    answer(centre, copy)
    asks = centre.postbox.to(CLAIRE)[-1]
    centre.proven.add(CLAIRE)
    centre.clock.forward(minutes=50)
    answer(centre, copy, number=2)
    answer(centre, asks, "OUI", number=3)

    assert len(centre.outbox("answer")) == 1
    assert "déjà envoyé" in body(centre.postbox.to(CLAIRE)[-1])


# -- tokens that lead nowhere, or elsewhere ---------------------------------------------------------------------


def to_token(
    centre: Journey, service: Service, token: Token, text: str = ANSWER, keyring: Keyring | None = None
):
    """Claire writes to an address made of this token, in a new mail."""
    address = centre.centre.address(service, (keyring or centre.centre.keyring).seal(token))
    written = mail(
        text, sender=CLAIRE, name="Claire Morvan", to=address, message_id="<t1@villes-rives.example>"
    )
    centre.send(written, CLAIRE, address)
    centre.settle()


@pytest.mark.parametrize(
    ("service", "purpose"),
    [
        (Service.REPLY, Purpose.ANSWER),
        (Service.NOTE, Purpose.NOTE),
        (Service.REPLY, Purpose.ASKER),
        (Service.CONFIRM, Purpose.CONFIRM),
    ],
)
def test_a_good_token_of_what_is_not_there_is_shown_to_staff(centre, service, purpose):
    """As after a backup was brought back."""
    to_token(centre, service, Token(purpose, 99, 1))

    assert centre.verdicts() == ["triage"]
    assert [letter.recipient for letter in centre.outbox("triage")] == [CLAIRE]
    assert "2 340 habitants" in body(centre.postbox.to(CLAIRE)[-1])


def test_a_reply_to_a_copy_from_before_a_backup_was_brought_back_does_not_go_to_another_asker(centre):
    """Numbers of requests are given out again: the token of the old copy is good and names somebody else's request."""
    copy = asked(centre)
    token = centre.centre.keyring.open(str(copy["Reply-To"]).partition("+")[2].partition("@")[0])
    lost = threads.message_id(centre.centre.keyring, token, "copy:of:the:lost", DOMAIN)
    copy.replace_header("Message-ID", lost)
    answer(centre, copy)

    assert centre.verdicts()[-1] == "held"
    assert centre.outbox("answer") == []
    asks = centre.postbox.to(CLAIRE)[-1]
    assert "une copie que je ne connais plus" in body(asks)

    answer(centre, asks, "OUI", number=2)

    assert len(centre.outbox("answer")) == 1


def test_a_yes_to_a_letter_from_before_a_backup_was_brought_back_releases_nothing(centre):
    copy = asked(centre)
    centre.proven.discard(CLAIRE)
    answer(centre, copy)
    asks = centre.postbox.to(CLAIRE)[-1]
    token = centre.centre.keyring.open(str(asks["Reply-To"]).partition("+")[2].partition("@")[0])
    lost = threads.message_id(centre.centre.keyring, token, "held:of:the:lost", DOMAIN)
    asks.replace_header("Message-ID", lost)
    asks.replace_header("References", f"<{lost.strip('<>')}>")
    answer(centre, asks, "OUI", number=2)

    assert centre.verdicts() == ["request opened", "held", "triage"]
    assert centre.outbox("answer") == []


def test_a_token_never_answers_another_request_its_mail_names(centre):
    copy = asked(centre)
    lost = Token(Purpose.ANSWER, 99, 1)
    copy.replace_header("Reply-To", centre.centre.address(Service.REPLY, centre.centre.keyring.seal(lost)))
    answer(centre, copy)

    assert centre.verdicts()[-1] == "held"
    assert centre.outbox("answer") == []


@pytest.mark.parametrize(
    ("service", "purpose"),
    [
        (Service.REPLY, Purpose.ANSWER),
        (Service.REPLY, Purpose.ASKER),
        (Service.NOTE, Purpose.NOTE),
        (Service.CONFIRM, Purpose.CONFIRM),
        (Service.CONFIRM, Purpose.JOIN),
        (Service.STOP, Purpose.LEAVE),
        (Service.RETURNS, Purpose.BOUNCE),
    ],
)
def test_a_token_of_another_home_is_none(centre, service, purpose):
    """Their key has the same number and other secrets: staff see the mail, and nothing else comes of it."""
    asked(centre)
    to_token(centre, service, Token(purpose, 1, 1), keyring=Keyring(1, {1: bytes(range(1, 33))}))

    assert centre.verdicts() == ["request opened", "triage"]
    assert len(centre.postbox.to(NADIA)) == 1
    assert len(centre.outbox("triage")) == 1


# -- what never leaves --------------------------------------------------------------------------------------------


def test_a_sealed_answer_stays_and_its_author_is_told_how_to_send_it(centre):
    copy = asked(centre)
    sealed = (
        f"From: Claire Morvan <{CLAIRE}>\r\nTo: {copy['Reply-To']}\r\nSubject: Re: {copy['Subject']}\r\n"
        f"Message-ID: <c9@villes-rives.example>\r\nIn-Reply-To: {copy['Message-ID']}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"\r\n\r\nMIAGCSqGSIb3\r\n'
    )
    centre.send(sealed.encode(), CLAIRE, str(copy["Reply-To"]))
    centre.settle()

    assert centre.outbox("answer") == []
    assert "Envoyez-la de nouveau sans chiffrement ni signature." in body(centre.postbox.to(CLAIRE)[-1])


def test_a_note_below_the_signature_is_a_note(centre):
    copy = asked(centre)
    answer(centre, copy, f"{ANSWER}\n\n-- \nClaire Morvan\nVilles & Rives\n#note")

    assert centre.outbox("answer") == []
    assert centre.journal()[-1].note == "kept inside (note) in Q-2026-0001"


def test_a_command_beside_a_note_is_not_obeyed_and_its_author_is_told_so(centre):
    answer(centre, asked(centre), f"{ANSWER}\n#note Yann, vérifie ce chiffre\n#clore")

    with centre.database.reading() as session:
        (request,) = requests.listed(session)
        assert request.state is not RequestState.CLOSED
    assert centre.outbox("answer") == []
    assert "Commande laissée de côté : #clore." in body(centre.postbox.to(CLAIRE)[-1])


def test_who_leaves_the_whole_copy_below_an_answer_is_told_to_take_it_out(centre):
    copy = asked(centre)
    answer(centre, copy, f"{ANSWER}\n\n{body(copy)}", quote=False)

    assert centre.outbox("answer") == []
    assert "reprend des lignes internes de la copie" in body(centre.postbox.to(CLAIRE)[-1])


def test_a_return_of_an_answer_that_nobody_can_read_is_shown_to_its_author(centre):
    answer(centre, asked(centre))
    (letter,) = centre.outbox("answer")
    raw = mail(
        "Uw bericht kon helaas niet worden afgeleverd.",
        sender="mailer-daemon@kerbrec.example",
        subject="Undeliverable",
        message_id="<n@kerbrec.example>",
    )
    centre.send(raw, "", letter.envelope_from)
    centre.settle()

    assert centre.journal()[-1].note == f"a notice about letter {letter.id} that nobody can read"
    assert "> Uw bericht kon helaas" in body(centre.postbox.to(CLAIRE)[-1])


@pytest.mark.parametrize(
    "between",
    [
        "Envoyé de mon iPhone",
        "Von meinem iPhone gesendet",
        (
            "De : Villes & Rives <question@villes-rives.example>\nEnvoyé : mardi 3 mars 2026 10:05\n"
            "À : Claire Morvan\nObjet : Nombre d’habitants\n\nBonjour, quelle est la population ?"
        ),
    ],
)
def test_a_note_below_all_that_a_mail_program_adds_keeps_the_mail_inside(centre, between):
    words = f"Cette dame redemande toujours la même chose.\n\n{between}\n\n#note\n"
    answer(centre, asked(centre), words, quote=False)

    assert centre.outbox("answer") == []
    assert centre.journal()[-1].note == "kept inside (note) in Q-2026-0001"


def test_no_asker_keeps_answers_inside_by_writing_a_command(centre):
    centre.send(mail("Bonjour, combien d'habitants ?\n#note\nMerci."))
    centre.settle()
    copy = centre.postbox.to(CLAIRE)[-1]
    history = "De : Nadia Benali\nEnvoyé : mardi 3 mars 2026 10:05\nÀ : Villes & Rives\nObjet : Nombre d’habitants\n\n"
    words = f"2 340 habitants.\n\n{history}Bonjour, combien d'habitants ?\n#note\nMerci."
    answer(centre, copy, words, quote=False)

    assert len(centre.outbox("answer")) == 1


def test_words_below_the_signature_of_a_telephone_leave_unless_they_are_our_copy(centre):
    copy = asked(centre)
    warning = "Attention : ce chiffre date de 2020, le suivant sort en juin."
    answer(centre, copy, f"Bonjour, 2 340 habitants.\n\nEnvoyé de mon iPhone\n\n{warning}", quote=False)
    carried = f"Et 1 200 logements.\n\nEnvoyé de mon iPhone\n\n{body(copy)}"
    answer(centre, copy, carried, number=2, quote=False)

    first, second = (body(read(centre.bytes_of(left))) for left in centre.outbox("answer"))
    assert warning in first
    assert second.startswith("Et 1 200 logements.\n")
    assert "interne" not in second


REACTION = ("", "text/vnd.google.email-reaction+json", b'{"emoji":"\xf0\x9f\x91\x8d","version":1}')


def test_a_press_on_an_emoji_is_no_answer(centre):
    answer(centre, asked(centre), "\U0001f44d", quote=False, files=[REACTION])

    assert centre.outbox("answer") == []
    assert centre.journal()[-1].note == "kept inside (empty) in Q-2026-0001"


def test_who_wrote_an_answer_that_is_put_aside_is_told(centre):
    answer(centre, asked(centre), " ", quote=False, html=f"<p>{'mot ' * 400_000}</p>")

    assert (centre.outbox("answer"), centre.verdicts()[-1]) == ([], "quarantine")
    told = body(centre.postbox.to(CLAIRE)[-1])
    assert "attend que quelqu’un le regarde (courrier n° 2)" in told


def test_one_mail_to_two_threads_answers_both(centre):
    first = asked(centre)
    centre.send(mail("Et à Montelain ?", sender=HUGO, name="Hugo Perrin", message_id="<h@m.example>"), HUGO)
    centre.settle()
    second = centre.postbox.to(CLAIRE)[-1]
    both = [str(copy["Reply-To"]) for copy in (first, second)]
    words = mail(ANSWER, sender=CLAIRE, name="Claire Morvan", to=", ".join(both), message_id="<c@v.example>")
    for address in both:
        centre.send(words, CLAIRE, address)
    centre.settle()

    assert sorted(letter.recipient for letter in centre.outbox("answer")) == sorted([HUGO, NADIA])


def test_the_owner_is_told_of_a_note_however_a_colleague_wrote_it(centre):
    answer(centre, asked(centre), "#prendre")
    with centre.database.reading() as session:
        (request,) = requests.listed(session)
        yann = people.colleague_at(session, YANN)
        assert yann
        token = Token(Purpose.ANSWER, people.identity(request), yann.id)
    to = centre.centre.address(Service.REPLY, centre.centre.keyring.seal(token))
    note = "Attention, ce chiffre est contesté.\n#note"
    centre.send(mail(note, sender=YANN, name="Yann Riou", to=to, message_id="<y@v.example>"), YANN, to)
    centre.settle()

    assert "Attention, ce chiffre est contesté." in body(centre.postbox.to(CLAIRE)[-1])


def test_answers_between_the_lines_of_a_third_party_show_the_asker_none_of_them(centre):
    asked(centre)
    centre.write_back(
        centre.postbox.to(NADIA)[-1],
        "Je suis sa cheffe, et je m’oppose à cette demande.\nLe budget est épuisé.",
        sender=HUGO,
        name="Hugo Perrin",
        message_id="<h1@montelain-agglo.example>",
        quote=False,
    )
    centre.settle()
    lines = body(centre.postbox.to(CLAIRE)[-1]).splitlines()
    assert lines[0].startswith("Un tiers, Hugo Perrin, a écrit dans ce fil.")
    between = [
        f"> {lines[0]}",
        "C’est noté.",
        *(f"> {line}" for line in lines[1:4]),
        "Voici le chiffre : 2 340.",
    ]
    answer(centre, centre.postbox.to(CLAIRE)[-1], "\n".join(between), quote=False)

    (left,) = centre.outbox("answer")
    said = body(read(centre.bytes_of(left)))
    assert said.startswith("C’est noté.\n")
    assert "Voici le chiffre : 2 340." in said
    assert "Hugo" not in said
    assert "budget" not in said


def test_words_that_also_went_to_the_note_address_stay_inside(centre):
    copy = asked(centre)
    note = next(word for word in body(copy).split() if word.startswith("note+")).rstrip(".,;)")
    written, address = reply(
        copy, ANSWER, sender=CLAIRE, name="Claire Morvan", message_id="<c1@villes-rives.example>"
    )
    written["Cc"] = note
    centre.send(written, CLAIRE, address)
    centre.settle()

    assert centre.outbox("answer") == []


def test_a_note_that_is_also_a_question_is_filed_as_a_note_too(centre):
    copy = asked(centre)
    note = next(word for word in body(copy).split() if word.startswith("note+")).rstrip(".,;)")
    both = mail(
        "À vérifier avant de répondre.", sender=CLAIRE, name="Claire Morvan", message_id="<n@v.example>"
    )
    centre.send(both, CLAIRE, [f"question@{DOMAIN}", note])
    centre.settle()

    assert centre.verdicts() == ["request opened", "request opened", "message added"]
    assert centre.journal()[-1].note == "note by Claire Morvan in Q-2026-0001"
