"""A question travels: real SMTP in, the real pipeline, real SMTP out, on SQLite and on PostgreSQL."""

from datetime import timedelta
from email import policy

import pytest

from mailhub import journal
from mailhub.centre import people, requests
from mailhub.centre.profile import Courtesy, Service
from mailhub.centre.requests import ExchangeKind, RequestState
from mailhub.errors import Refused
from mailhub.mail.tokens import Keyring, Purpose, Token
from tests.journey import CLAIRE, DOMAIN, HUGO, NADIA, YANN, Journey, body, centre_of, english, mail, reply

PRIVATE = ("claire", "yann.riou", "rep+", "note+", "Qui demande", "interne", "Échéance", "Organisme")


@pytest.fixture
def centre(database, now):
    with centre_of(database, now) as journey:
        journey.hire("Claire Morvan", CLAIRE)
        journey.hire("Yann Riou", YANN, told_of_new=False)
        yield journey


def question(**changes):
    return mail(
        "Bonjour, pouvez-vous me donner la population du quartier des Tilleuls ?\nNadia Benali", **changes
    )


def asked(centre: Journey):
    """A question has come and Claire holds her copy of it."""
    centre.send(question())
    centre.settle()
    return centre.postbox.to(CLAIRE)[-1]


def answer(
    centre: Journey,
    text: str,
    copy,
    *,
    sender=CLAIRE,
    name="Claire Morvan",
    message_id="<c1@villes-rives.example>",
    **more,
):
    centre.write_back(copy, text, sender=sender, name=name, message_id=message_id, **more)
    centre.settle()


# -- the question -----------------------------------------------------------------------------------------------


def test_a_question_gives_one_request_one_acknowledgement_and_one_staff_copy(centre):
    centre.send(question())
    centre.settle()

    assert centre.verdicts() == ["request opened"]
    assert [letter.kind for letter in centre.outbox()] == ["acknowledgement", "staff-copy"]
    (acknowledgement,) = centre.postbox.to(NADIA)
    assert acknowledgement["Subject"] == "Re: Nombre d’habitants quartier des Tilleuls [Q-2026-0001]"
    assert acknowledgement["From"] == f"Villes & Rives <question@{DOMAIN}>"
    assert acknowledgement["Auto-Submitted"] == "auto-replied"
    assert acknowledgement["In-Reply-To"] == "<q1@kerbrec.example>"
    assert "jeudi 5 mars 2026" in body(acknowledgement)
    assert [mail.sender for mail in centre.postbox.mails if NADIA in mail.recipients] == [""]


def test_the_staff_copy_says_who_asks_what_by_when_and_what_a_reply_does(centre):
    copy = asked(centre)

    assert str(copy["From"]).endswith(f"<question@{DOMAIN}>")
    assert str(copy["Reply-To"]).startswith("rep+")
    assert "population du quartier des Tilleuls" in body(copy)
    for said in (
        "Nadia Benali <n.benali@kerbrec.example>",
        "jeudi 5 mars 2026",
        "renseignement simple",
        "note+",
    ):
        assert said in body(copy)


def test_a_claim_of_haste_is_shown_to_staff_and_promises_nothing(centre):
    """S04: who writes « pour demain » is promised what everybody is."""
    centre.send(mail("c combien d'habitants aux Tilleuls svp ? c pr demain merci"))
    centre.settle()

    assert "se dit pressé" in body(centre.postbox.to(CLAIRE)[-1])
    (acknowledgement,) = centre.postbox.to(NADIA)
    assert "jeudi 5 mars 2026" in body(acknowledgement)
    assert "se dit pressé" not in body(asked(centre))


def test_nothing_of_an_unproven_sender_is_echoed(centre):
    """S9: an acknowledgement must not carry a stranger's words to a forged address."""
    centre.send(
        question(sender="inconnue@freemail.example", subject="Achetez ceci https://x.example"),
        "inconnue@freemail.example",
    )
    centre.settle()

    (acknowledgement,) = centre.postbox.to("inconnue@freemail.example")
    assert acknowledgement["Subject"] == "Votre question [Q-2026-0001]"
    assert "Tilleuls" not in body(acknowledgement)


def test_an_unproven_sender_is_acknowledged_once_a_day(centre):
    for number in range(3):
        centre.send(
            question(sender="x@freemail.example", message_id=f"<{number}@freemail.example>"),
            "x@freemail.example",
        )
    centre.settle()

    assert centre.verdicts() == ["request opened"] * 3
    assert len(centre.postbox.to("x@freemail.example")) == 1


def test_a_proven_sender_is_acknowledged_so_often_in_an_hour_and_in_a_day(database, now):
    with centre_of(database, now, courtesy=Courtesy(per_hour=2, per_day=3)) as centre:
        acknowledged = []
        for hours in (0, 2, 25):
            centre.clock.at = now + timedelta(hours=hours)
            for number in range(3):
                words = {"message_id": f"<{hours}.{number}@k.example>", "subject": f"n° {hours}.{number}"}
                centre.send(question(**words))
            centre.settle()
            acknowledged.append(len(centre.outbox("acknowledgement")))

        assert acknowledged == [2, 3, 5]
        assert centre.verdicts() == ["request opened"] * 9


def test_all_unproven_senders_together_are_acknowledged_so_often_in_an_hour(database, now):
    with centre_of(database, now, courtesy=Courtesy(unproven_per_hour_overall=2)) as centre:
        for number in range(4):
            sender = f"inconnue{number}@freemail.example"
            centre.send(question(sender=sender, message_id=f"<{number}@freemail.example>"), sender)
            centre.settle()

        assert [letter.recipient for letter in centre.outbox("acknowledgement")] == [
            "inconnue0@freemail.example",
            "inconnue1@freemail.example",
        ]


def test_a_sender_who_wants_no_machine_answers_gets_none(centre):
    """P21: X-Auto-Response-Suppress means do not answer, not that the mail is automatic."""
    centre.send(question(headers={"X-Auto-Response-Suppress": "All"}))
    centre.settle()

    assert centre.verdicts() == ["request opened"]
    assert [letter.kind for letter in centre.outbox()] == ["staff-copy"]


def test_the_organisation_is_recognised_by_its_exact_domain(centre, now):
    with centre.database.transaction() as session:
        people.register_organisation(session, "Ville de Kerbrec", ["kerbrec.example"], now.date(), None)
    centre.send(question())
    centre.send(
        question(sender="x@presse.kerbrec.example", message_id="<2@k.example>"), "x@presse.kerbrec.example"
    )
    centre.settle()

    first, second = centre.postbox.to(CLAIRE)
    assert "Ville de Kerbrec (adhérent)" in body(first)
    assert "inconnu" in body(second)


def test_references_are_numbered_by_year(centre, now):
    centre.send(question())
    centre.settle()
    centre.clock.at = now + timedelta(days=365)
    centre.send(question(message_id="<q2@kerbrec.example>", subject="Autre"))
    centre.settle()

    assert [letter.subject.rpartition("[")[2] for letter in centre.outbox("acknowledgement")] == [
        "Q-2026-0001]",
        "Q-2027-0001]",
    ]


# -- attachments ------------------------------------------------------------------------------------------------


def test_small_files_go_along_with_the_staff_copy(centre):
    centre.send(question(files=[("plan.pdf", "application/pdf", b"%PDF-1.7 plan")]))
    centre.settle()

    (copy,) = centre.postbox.to(CLAIRE)
    assert [(part.get_filename(), part.get_content()) for part in copy.iter_attachments()] == [
        ("plan.pdf", b"%PDF-1.7 plan")
    ]


def test_large_files_are_listed_and_fetched_by_a_signed_link(database, now):
    with centre_of(database, now, copy_limit=10, files_url="https://centre.example/fichiers/") as centre:
        centre.hire("Claire Morvan", CLAIRE)
        centre.send(question(files=[("diaporama.pdf", "application/pdf", b"x" * 2048)]))
        centre.settle()

        (copy,) = centre.postbox.to(CLAIRE)
        link = next(
            word for word in body(copy).split() if word.startswith("https://centre.example/fichiers/")
        )
        token = centre.centre.keyring.open(link.rpartition("/")[2])
        assert list(copy.iter_attachments()) == []
        assert "diaporama.pdf (2,0\u00a0Ko, application/pdf)" in body(copy)
        assert (token.purpose, token.thread) == (Purpose.FILE, 1)
        assert token.until > 0


def test_the_same_file_sent_twice_is_kept_once(centre):
    files = [("plan.pdf", "application/pdf", b"%PDF-1.7 plan")]
    centre.send(question(files=files))
    centre.send(question(files=files, message_id="<q2@kerbrec.example>", subject="encore"))
    centre.settle()

    with centre.database.reading() as session:
        digests = [row.digest for number in (1, 2) for row in requests.attachments(session, number)]
    assert len(digests) == 2
    assert len(set(digests)) == 1


# -- the answer -------------------------------------------------------------------------------------------------


def test_a_staff_reply_becomes_one_clean_answer_in_the_askers_thread(centre):
    copy = asked(centre)
    answer(
        centre,
        "Bonjour Madame,\n\nLa population est de 2 340 habitants.\n\nClaire Morvan\nclaire.morvan@villes-rives.example",
        copy,
    )

    left = [message for message in centre.postbox.to(NADIA) if not message["Auto-Submitted"]]
    assert len(left) == 1
    (message,) = left
    assert message["From"] == f"Villes & Rives <question@{DOMAIN}>"
    assert message["In-Reply-To"] == "<q1@kerbrec.example>"
    assert "<q1@kerbrec.example>" in message["References"]
    assert "2 340 habitants" in body(message)
    assert "> Bonjour, pouvez-vous me donner la population" in body(message)
    whole = str(message).replace(str(message["Reply-To"]), "").replace(str(message["Message-ID"]), "").lower()
    for private in (*PRIVATE, CLAIRE):
        assert private.lower() not in whole.replace("claire morvan", "")


def test_the_author_is_told_what_left_once_it_has_left(centre):
    copy = asked(centre)
    answer(centre, "2 340 habitants.", copy)
    centre.deliver()

    receipt = centre.postbox.to(CLAIRE)[-1]
    assert receipt["Subject"] == "Parti : [Q-2026-0001] Nombre d’habitants quartier des Tilleuls"
    assert "> 2 340 habitants." in body(receipt)
    assert receipt["Auto-Submitted"] == "auto-generated"


def test_the_first_answer_assigns(centre):
    copy = asked(centre)
    answer(centre, "2 340 habitants.", copy)

    with centre.database.reading() as session:
        request = requests.called(session, "Q-2026-0001")
        assert request.state is RequestState.ANSWERED
        assert people.colleague(session, request.owner_id).name == "Claire Morvan"


def test_files_and_inline_images_arrive_intact(centre):
    copy = asked(centre)
    written, address = reply(
        copy, "Voici la carte.", sender=CLAIRE, name="Claire Morvan", message_id="<c1@v.example>", quote=False
    )
    written.add_alternative('<p>Voici <b>la carte</b>.<img src="cid:carte@v.example"></p>', subtype="html")
    written.get_payload()[1].add_related(
        b"\x89PNG carte", "image", "png", cid="<carte@v.example>", filename="carte.png"
    )
    written.add_attachment(b"%PDF note", maintype="application", subtype="pdf", filename="note élue.pdf")
    centre.send(written, CLAIRE, address)
    centre.settle()

    message = centre.postbox.to(NADIA)[-1]
    parts = {part.get_filename(): part for part in message.walk() if part.get_filename()}
    assert parts["carte.png"].get_content() == b"\x89PNG carte"
    assert parts["carte.png"]["Content-ID"] == "<carte@v.example>"
    assert parts["note élue.pdf"].get_content() == b"%PDF note"
    assert '<img src="cid:carte@v.example">' in message.get_body(("html",)).get_content()


def test_outlook_is_given_its_thread_back(centre):
    centre.send(question(headers={"Thread-Topic": "Tilleuls", "Thread-Index": "Ac3xYz=="}))
    centre.settle()
    answer(centre, "Voici.", centre.postbox.to(CLAIRE)[-1])

    message = centre.postbox.to(NADIA)[-1]
    assert (message["Thread-Topic"], message["Thread-Index"]) == ("Tilleuls", "Ac3xYz==")


def test_a_long_thread_keeps_its_references_short(centre):
    """P26: References stay within 1,500 octets, with the first and the latest id."""
    copy = asked(centre)
    for number in range(60):
        answer(centre, f"Réponse {number}.", copy, message_id=f"<c{number}@villes-rives.example>")

    message = centre.postbox.to(NADIA)[-1]
    assert len(message["References"]) <= 1500
    assert message["References"].startswith("<q1@kerbrec.example>")


# -- three factors ----------------------------------------------------------------------------------------------


def test_without_proof_the_reply_is_held_and_released_by_its_owner(centre):
    copy = asked(centre)
    centre.proven.discard(CLAIRE)
    answer(centre, "2 340 habitants.", copy)

    assert centre.verdicts()[-1] == "held"
    assert len(centre.postbox.to(NADIA)) == 1
    asks = centre.postbox.to(CLAIRE)[-1]
    assert "n’a pas pu être vérifié" in body(asks)

    answer(centre, "OUI", asks, message_id="<c2@villes-rives.example>")

    assert "2 340 habitants" in body(centre.postbox.to(NADIA)[-1])
    assert centre.verdicts() == ["request opened", "message added", "command done"]
    told = next(letter for letter in centre.outbox() if letter.kind == "held-settled")
    assert told.subject == "Confirmé : [Q-2026-0001] Nombre d’habitants quartier des Tilleuls"
    assert told.request_id == 1


def test_an_operator_who_releases_a_held_reply_makes_it_go(centre):
    """Whoever has the shell of the home has proven more than any header does."""
    copy = asked(centre)
    centre.proven.discard(CLAIRE)
    answer(centre, "2 340 habitants.", copy)
    held = centre.journal()[-1]
    with centre.database.transaction() as session:
        journal.release(session, held.id)
    centre.settle()

    assert centre.verdicts() == ["request opened", "message added"]
    assert "2 340 habitants" in body(centre.postbox.to(NADIA)[-1])


def release_the_last(centre: Journey):
    with centre.database.transaction() as session:
        journal.release(session, centre.journal()[-1].id)
    centre.settle()


def test_an_operator_lets_in_what_was_taken_for_a_machines_in_a_thread(centre):
    asked(centre)
    said = {"sender": NADIA, "name": "Nadia Benali", "message_id": "<more@k.example>"}
    answer(
        centre,
        "Et pour 2020 ?",
        centre.postbox.to(NADIA)[-1],
        **said,
        subject="Réponse automatique : Tilleuls",
    )
    taken_for = centre.verdicts()[-1]
    release_the_last(centre)

    assert (taken_for, centre.verdicts()[-1]) == ("automatic", "message added")
    assert "Et pour 2020 ?" in body(centre.postbox.to(CLAIRE)[-1])


def test_an_operator_lets_in_what_was_too_much_in_a_thread(database, now):
    with centre_of(database, now, courtesy=Courtesy(mails_per_hour=1)) as centre:
        centre.hire("Claire Morvan", CLAIRE)
        asked(centre)
        said = {"sender": NADIA, "name": "Nadia Benali", "message_id": "<more@k.example>"}
        answer(centre, "Et pour 2020 ?", centre.postbox.to(NADIA)[-1], **said)
        set_aside = centre.verdicts()[-1]
        release_the_last(centre)

        assert (set_aside, centre.verdicts()[-1]) == ("quarantine", "message added")
        assert "Et pour 2020 ?" in body(centre.postbox.to(CLAIRE)[-1])


def test_a_mail_whose_bytes_are_gone_is_not_let_in(centre):
    centre.send(mail("Bonjour.", to=f"contact@{DOMAIN}"), to=f"contact@{DOMAIN}")
    centre.settle()
    with centre.database.transaction() as session:
        journal.get(session, 1).raw_kept = False

    with centre.database.transaction() as session, pytest.raises(Refused, match="retention clock"):
        journal.release(session, 1)


def test_a_held_reply_is_dropped_on_a_no(centre):
    copy = asked(centre)
    centre.proven.discard(CLAIRE)
    answer(centre, "Texte faux.", copy)
    answer(centre, "NON", centre.postbox.to(CLAIRE)[-1], message_id="<c2@villes-rives.example>")

    assert len(centre.postbox.to(NADIA)) == 1
    assert centre.verdicts() == ["request opened", "quarantine", "command done"]


def test_from_a_private_address_nothing_leaves_and_the_real_person_is_asked(centre):
    """S46, S26: the details go to the address on file, never to the one that wrote."""
    copy = asked(centre)
    answer(centre, "2 340.", copy, sender="claire.m@freemail.example", name="Claire")

    assert centre.postbox.to("claire.m@freemail.example") == []
    assert len(centre.postbox.to(NADIA)) == 1
    assert "claire.m@freemail.example" in body(centre.postbox.to(CLAIRE)[-1])


def test_a_colleagues_token_is_not_ones_own(centre):
    """S3, S22."""
    copy = asked(centre)
    answer(centre, "2 340.", copy, sender=YANN, name="Yann Riou")

    assert centre.verdicts()[-1] == "held"
    assert len(centre.postbox.to(NADIA)) == 1
    assert "copie adressée à quelqu’un d’autre" in body(centre.postbox.to(YANN)[-1])


def test_staff_in_a_thread_without_their_token_are_asked(centre):
    copy = asked(centre)
    written, _ = reply(
        copy, "2 340.", sender=CLAIRE, name="Claire Morvan", message_id="<c1@villes-rives.example>"
    )
    centre.send(written, CLAIRE, f"question@{DOMAIN}")
    centre.settle()

    assert centre.verdicts()[-1] == "held"
    assert len(centre.postbox.to(NADIA)) == 1


def test_a_forged_token_relays_nothing(centre):
    """S1: a guessed token is no token; the mail goes to people."""
    asked(centre)
    forged = f"rep+{'a' * 45}@{DOMAIN}"
    centre.send(
        mail("Cliquez ici.", sender=CLAIRE, name="Claire Morvan", to=forged, message_id="<f@evil.example>"),
        CLAIRE,
        forged,
    )
    centre.settle()

    assert centre.verdicts()[-1] == "triage"
    assert len(centre.postbox.to(NADIA)) == 1


def test_an_askers_token_is_of_no_use_on_a_staff_route(centre):
    """S3."""
    asked(centre)
    stolen = centre.postbox.to(NADIA)[0]["Reply-To"]
    centre.send(
        mail("#clore", sender=CLAIRE, name="Claire Morvan", to=str(stolen), message_id="<f@v.example>"),
        CLAIRE,
        str(stolen),
    )
    centre.settle()

    assert centre.verdicts()[-1] == "held"
    with centre.database.reading() as session:
        assert requests.called(session, "Q-2026-0001").state is RequestState.OPEN


def test_tokens_of_someone_who_left_are_dead(centre):
    """S4."""
    copy = asked(centre)
    with centre.database.transaction() as session:
        people.disable(session, "Claire")
    answer(centre, "2 340.", copy)

    assert len(centre.postbox.to(NADIA)) == 1
    with centre.database.reading() as session:
        kinds = [
            exchange.kind for exchange in requests.exchanges(session, requests.called(session, "Q-2026-0001"))
        ]
    assert ExchangeKind.ANSWER not in kinds


def test_token_and_address_suffice_where_the_operator_wrote_so(database, now):
    with centre_of(database, now, needs_strong_staff=False) as centre:
        centre.hire("Claire Morvan", CLAIRE)
        centre.proven.discard(CLAIRE)
        answer(centre, "2 340.", asked(centre))

        assert "2 340." in body(centre.postbox.to(NADIA)[-1])


# -- notes and commands -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["#note Yann, vérifie le chiffre.", "Bonjour Madame, 2 340.\n#note à vérifier", "#Note\nvoir Yann"],
)
def test_a_note_marker_keeps_the_whole_mail_inside(centre, text):
    answer(centre, text, asked(centre))

    assert len(centre.postbox.to(NADIA)) == 1
    assert centre.postbox.to(CLAIRE)[-1]["Subject"].startswith("Note gardée")


def test_the_note_address_keeps_a_mail_inside(centre):
    copy = asked(centre)
    address = next(word for word in body(copy).split() if word.startswith("note+"))
    centre.send(
        mail("Voir avec Yann.", sender=CLAIRE, name="Claire Morvan", to=address, message_id="<n@v.example>"),
        CLAIRE,
        address,
    )
    centre.settle()

    assert centre.verdicts()[-1] == "message added"
    assert len(centre.postbox.to(NADIA)) == 1


def test_the_owner_is_told_of_a_colleagues_note(centre):
    copy = asked(centre)
    answer(centre, "#prendre", copy)
    with centre.database.reading() as session:
        yann = people.colleague_at(session, YANN)
    address = centre.centre.address(Service.NOTE, centre.centre.keyring.seal(Token(Purpose.NOTE, 1, yann.id)))
    centre.send(
        mail("Je peux aider.", sender=YANN, name="Yann Riou", to=address, message_id="<n@v.example>"),
        YANN,
        address,
    )
    centre.settle()

    assert "Je peux aider." in body(centre.postbox.to(CLAIRE)[-1])


def test_take_and_close_by_mail(centre):
    copy = asked(centre)
    answer(centre, "#prendre", copy)
    answer(centre, "Bonjour,\n2 340 habitants.\n#clore", copy, message_id="<c2@v.example>")

    left = centre.postbox.to(NADIA)[-1]
    assert "#clore" not in body(left)
    with centre.database.reading() as session:
        request = requests.called(session, "Q-2026-0001")
        assert (request.state, request.owner_id) == (RequestState.CLOSED, 1)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("#prendr", "#prendr"),
        ("#prendre je regarde demain, pas avant", "#prendre je regarde demain, pas avant"),
    ],
)
def test_an_unknown_command_sends_nothing_and_is_explained(centre, line, named):
    answer(centre, f"{line}\nBonjour Madame", asked(centre))

    assert len(centre.postbox.to(NADIA)) == 1
    assert f"« {named} »" in body(centre.postbox.to(CLAIRE)[-1])


@pytest.mark.parametrize("prefix", ["TR:", "Tr :", "Fwd:", "FW:", "WG:"])
def test_a_forwarded_copy_is_never_relayed(centre, prefix):
    """P3."""
    copy = asked(centre)
    answer(centre, "Pour info.", copy, subject=f"{prefix} {copy['Subject']}")

    assert len(centre.postbox.to(NADIA)) == 1


def test_internal_lines_left_above_stop_the_mail(centre):
    copy = asked(centre)
    line = next(line for line in body(copy).splitlines() if line.startswith("Qui demande"))
    answer(centre, f"Bonjour Madame,\n{line}\n2 340.", copy)

    assert len(centre.postbox.to(NADIA)) == 1
    assert "lignes internes" in body(centre.postbox.to(CLAIRE)[-1])


def test_staff_out_of_office_is_not_an_answer(centre):
    """P2."""
    copy = asked(centre)
    answer(
        centre, "Je suis absente jusqu'au 23 mars.", copy, subject=f"Réponse automatique : {copy['Subject']}"
    )

    assert centre.verdicts()[-1] == "automatic"
    assert len(centre.postbox.to(NADIA)) == 1


# -- the thread goes on -----------------------------------------------------------------------------------------


def test_the_askers_follow_up_joins_and_reaches_the_owner(centre):
    answer(centre, "2 340 habitants.", asked(centre))
    centre.write_back(
        centre.postbox.to(NADIA)[-1],
        "Et en 2020, combien étaient-ils ?",
        sender=NADIA,
        name="Nadia Benali",
        message_id="<q2@kerbrec.example>",
    )
    centre.settle()

    assert centre.verdicts() == ["request opened", "message added", "message added"]
    assert "Et en 2020" in body(centre.postbox.to(CLAIRE)[-1])
    with centre.database.reading() as session:
        assert requests.called(session, "Q-2026-0001").state is RequestState.OPEN


def test_a_reply_to_an_id_the_relay_rewrote_still_finds_home(centre):
    """P15: Reply-To carries the token even when Message-ID did not survive."""
    answer(centre, "2 340.", asked(centre))
    address = str(centre.postbox.to(NADIA)[-1]["Reply-To"])
    centre.send(
        mail(
            "Et en 2020 ?",
            to=address,
            message_id="<q2@kerbrec.example>",
            headers={"In-Reply-To": "<0102@ses.example>"},
        ),
        NADIA,
        address,
    )
    centre.settle()

    assert centre.verdicts()[-1] == "message added"
    with centre.database.reading() as session:
        last = requests.exchanges(session, requests.called(session, "Q-2026-0001"))[-1]
    assert (last.kind, last.text) == (ExchangeKind.FOLLOW_UP, "Et en 2020 ?")


def test_a_reply_whose_ids_came_as_encoded_words_still_finds_home(centre):
    """Python's email package encodes long ids; nothing but them says here which request this is."""
    answer(centre, "2 340.", asked(centre))
    follow_up, _ = reply(
        centre.postbox.to(NADIA)[-1],
        "Et en 2020 ?",
        sender=NADIA,
        name="Nadia Benali",
        message_id="<q2@kerbrec.example>",
        subject="Encore une chose",
        quote=False,
    )
    octets = follow_up.as_bytes(policy=policy.SMTP)
    assert b"In-Reply-To: =?utf-8?q?" in octets
    centre.send(octets)
    centre.settle()

    assert centre.verdicts()[-1] == "message added"
    assert "Et en 2020" in body(centre.postbox.to(CLAIRE)[-1])


def test_a_thank_you_changes_nothing_and_writes_to_nobody(centre):
    """P27, S15."""
    answer(centre, "2 340.\n#clore", asked(centre))
    before = len(centre.postbox.mails)
    centre.write_back(
        centre.postbox.to(NADIA)[-1],
        "Parfait, merci beaucoup !",
        sender=NADIA,
        name="Nadia Benali",
        message_id="<q2@kerbrec.example>",
    )
    centre.settle()

    assert len(centre.postbox.mails) == before
    with centre.database.reading() as session:
        assert requests.called(session, "Q-2026-0001").state is RequestState.CLOSED


def test_long_after_closing_a_reply_is_a_new_request_linked_to_the_old(centre):
    """S16."""
    answer(centre, "2 340.\n#clore", asked(centre))
    centre.clock.forward(days=90)
    centre.write_back(
        centre.postbox.to(NADIA)[-1],
        "Avez-vous depuis de nouveaux chiffres ?",
        sender=NADIA,
        name="Nadia Benali",
        message_id="<q2@kerbrec.example>",
    )
    centre.settle()

    with centre.database.reading() as session:
        assert requests.called(session, "Q-2026-0002").follow_up_of_id == 1


def test_an_answer_to_what_was_closed_opens_it_again(centre):
    """S16: the reply to that answer is no new request, however long ago the first one was closed."""
    copy = asked(centre)
    answer(centre, "2 340.\n#clore", copy)
    centre.clock.forward(days=50)
    answer(centre, "Complément : 2 351 depuis janvier.", copy, message_id="<c2@villes-rives.example>")
    centre.write_back(
        centre.postbox.to(NADIA)[-1],
        "Et en 2020 ?",
        sender=NADIA,
        name="Nadia Benali",
        message_id="<q2@kerbrec.example>",
    )
    centre.settle()

    assert centre.verdicts() == ["request opened", *["message added"] * 3]


def test_a_third_party_is_shown_to_the_owner_and_told_nothing(centre):
    """S5, S18."""
    answer(centre, "2 340.", asked(centre))
    address = str(centre.postbox.to(NADIA)[-1]["Reply-To"])
    before = len(centre.postbox.mails)
    centre.send(
        mail(
            "Je complète : la régie a fermé.",
            sender="p.quere@freemail.example",
            name="Paul Quéré",
            to=address,
            message_id="<p@f.example>",
        ),
        "p.quere@freemail.example",
        address,
    )
    centre.settle()

    assert centre.postbox.to("p.quere@freemail.example") == []
    assert [mail.recipients for mail in centre.postbox.mails[before:]] == [(CLAIRE,)]
    copy = centre.postbox.to(CLAIRE)[-1]
    assert "Un tiers" in body(copy)

    answer(centre, "Rien de plus à ce jour.", copy, message_id="<c2@villes-rives.example>")

    assert "p@f.example" not in str(centre.postbox.to(NADIA)[-1]["References"])


def test_naming_a_reference_opens_nothing_to_a_stranger(centre):
    """P11: a visible reference from somebody who is not of the thread is a new question."""
    asked(centre)
    centre.send(
        mail(
            "Où en est-on ?",
            sender=HUGO,
            name="Hugo Perrin",
            subject="Re: [Q-2026-0001]",
            message_id="<h@m.example>",
        ),
        HUGO,
    )
    centre.settle()

    assert centre.verdicts() == ["request opened", "request opened"]


def test_an_id_of_our_shape_with_a_bad_signature_is_no_id(centre):
    """P10."""
    asked(centre)
    centre.send(
        mail(
            "Bonjour, autre chose.",
            sender=HUGO,
            name="Hugo",
            message_id="<h@m.example>",
            headers={"In-Reply-To": f"<mh.{'a' * 45}.bbbb@{DOMAIN}>"},
        ),
        HUGO,
    )
    centre.settle()

    assert centre.verdicts()[-1] == "request opened"


def test_two_mails_sharing_an_ancestor_we_never_saw_are_one_discussion(centre):
    """P14."""
    centre.send(question(headers={"References": "<ancestor@kerbrec.example>"}))
    centre.send(
        mail(
            "Je précise : en 2023.",
            subject="Re: autre objet",
            message_id="<q2@kerbrec.example>",
            headers={"References": "<ancestor@kerbrec.example>"},
        )
    )
    centre.settle()

    assert centre.verdicts() == ["request opened", "message added"]


def test_similar_past_answers_are_shown(centre):
    answer(centre, "Le quartier des Tilleuls compte 2 340 habitants.", asked(centre))
    centre.send(
        mail(
            "Quelle est la population actuelle des Tilleuls, dans ce quartier ?",
            sender=HUGO,
            name="Hugo",
            subject="population",
            message_id="<h@m.example>",
        ),
        HUGO,
    )
    centre.settle()

    assert "Réponses passées qui ressemblent" in body(centre.postbox.to(CLAIRE)[-1])
    assert "2 340 habitants" in body(centre.postbox.to(CLAIRE)[-1])


def test_a_past_answer_is_found_by_the_words_of_its_subject(centre):
    centre.send(question(subject="Observatoire des nuisances sonores"))
    centre.settle()
    answer(centre, "Voici ce que nous avons.", centre.postbox.to(CLAIRE)[-1])
    centre.send(
        mail(
            "Connaissez-vous un observatoire des nuisances ?",
            sender=HUGO,
            name="Hugo",
            subject="Demande",
            message_id="<h@m.example>",
        ),
        HUGO,
    )
    centre.settle()

    assert "Réponses passées qui ressemblent" in body(centre.postbox.to(CLAIRE)[-1])


def test_the_same_words_and_signature_answer_two_similar_questions(centre):
    """What left once is no secret: staff answer alike questions alike, and sign them alike."""
    words = "Bonjour,\n\n{}\nLe quartier des Tilleuls compte 2 340 habitants.\n\nBien cordialement,\nClaire Morvan, documentaliste"
    answer(centre, words.format("Merci de votre question."), asked(centre))
    centre.send(
        mail(
            "Quelle est la population actuelle des Tilleuls, dans ce quartier ?",
            sender=HUGO,
            name="Hugo",
            subject="population",
            message_id="<h@m.example>",
        ),
        HUGO,
    )
    centre.settle()
    copy = centre.postbox.to(CLAIRE)[-1]
    answer(centre, words.format("Merci de votre question."), copy, message_id="<c2@villes-rives.example>")

    assert "Réponses passées qui ressemblent" in body(copy)
    for asker in (NADIA, HUGO):
        assert "2 340 habitants" in body(centre.postbox.to(asker)[-1])
        assert "Bien cordialement," in body(centre.postbox.to(asker)[-1])


def test_a_past_answer_pasted_with_what_stands_around_it_stays_inside(centre):
    answer(centre, "Le quartier des Tilleuls compte 2 340 habitants.", asked(centre))
    centre.send(
        mail(
            "Quelle est la population actuelle des Tilleuls, dans ce quartier ?",
            sender=HUGO,
            subject="population",
            message_id="<h@m.example>",
        ),
        HUGO,
    )
    centre.settle()
    copy = centre.postbox.to(CLAIRE)[-1]
    pasted = next(line for line in body(copy).splitlines() if line.startswith("- Q-"))
    answer(centre, f"Voir :\n{pasted}", copy, message_id="<c2@villes-rives.example>")

    assert "lignes internes" in body(centre.postbox.to(CLAIRE)[-1])


# -- what asks for nothing --------------------------------------------------------------------------------------


def test_the_same_mail_twice_is_kept_once(centre):
    centre.send(question())
    centre.send(question())
    centre.settle()

    assert centre.verdicts() == ["request opened"]
    assert len(centre.outbox()) == 2


def test_one_mail_to_two_of_our_addresses_is_one_request_with_two_doors(centre):
    """P13, S17."""
    centre.send(question(), to=[f"question@{DOMAIN}", f"articles@{DOMAIN}"])
    centre.settle()

    assert centre.verdicts() == ["request opened", "duplicate"]
    assert len(centre.postbox.to(NADIA)) == 1
    with centre.database.reading() as session:
        assert requests.doors(session, requests.called(session, "Q-2026-0001")) == ["articles"]


def test_a_twin_that_is_handled_first_keeps_the_other_from_opening_a_request(centre):
    """Whatever the order: the first failed once, and waits behind the second."""
    for way in ("mx1", "mx2"):
        centre.send(question(headers={"X-Way": way}))
    with centre.database.reading() as session:
        _, second = journal.waiting(session, 2)
    centre.pipeline._handle({second.number: centre.pipeline._read(second)})
    centre.handle()

    assert centre.verdicts() == ["duplicate", "request opened"]


def test_a_mail_handled_again_is_no_duplicate_of_what_was_put_aside_for_it(centre):
    for way in ("mx1", "mx2"):
        centre.send(question(headers={"X-Way": way}))
    centre.handle()
    with centre.database.transaction() as session:
        first = session.get(journal.Inbound, 1)
        first.state, first.verdict = journal.InboundState.WAITING, None
    centre.handle()

    assert centre.verdicts() == ["message added", "duplicate"]


def test_one_id_for_all_mails_of_a_program_loses_none_of_those_to_other_addresses(centre):
    """A program that gives all its mails one Message-ID; weeks later to another address of ours."""
    centre.send(question())
    centre.handle()
    centre.clock.forward(days=20)
    centre.send(mail("Tout autre chose : je voudrais vous rencontrer."), to=f"contact@{DOMAIN}")
    centre.handle()

    assert centre.verdicts() == ["request opened", "message added"]


def test_the_same_id_on_another_mail_loses_nothing(centre):
    centre.send(question())
    centre.send(mail("Tout autre chose : une bibliographie ?", subject="Biblio"))
    centre.settle()

    assert centre.verdicts() == ["request opened", "message added"]


def test_out_of_office_bounces_and_own_mail_open_nothing(centre):
    asked(centre)
    letter = centre.outbox("staff-copy")[0]
    own = centre.bytes_of(letter)
    centre.send(
        mail(
            "Je suis absente.",
            subject="Réponse automatique : Tilleuls",
            message_id="<o@k.example>",
            headers={"Auto-Submitted": "auto-replied"},
        )
    )
    centre.send(bounce(letter), "", letter.envelope_from)
    centre.send(own, CLAIRE)
    before = len(centre.postbox.mails)
    centre.settle()

    assert centre.verdicts()[1:] == ["automatic", "bounce", "automatic"]
    assert len(centre.postbox.mails) == before


def test_the_author_of_an_answer_that_came_back_is_told(centre):
    """P19, P5."""
    answer(centre, "2 340.", asked(centre))
    letter = centre.outbox("answer")[0]
    for number in (b"1", b"2"):  # some servers say it again
        centre.send(bounce(letter).replace(b"<dsn@", b"<dsn" + number + b"@"), "", letter.envelope_from)
        centre.settle()

    (told,) = [mail for mail in centre.postbox.to(CLAIRE) if mail["Subject"].startswith("Non remis")]
    assert body(told).startswith(
        f"Votre réponse à {NADIA} n’a PAS pu être remise : l’adresse n’existe pas (5.1.1).\n\nLa demande Q-2026-0001"
    )
    assert english(body(told)) == []
    with centre.database.reading() as session:
        assert requests.called(session, "Q-2026-0001").state is RequestState.OPEN


def test_a_return_path_names_neither_who_it_went_to_nor_what_it_was_about(centre):
    """SEC15: of two letters to one person, about one request, no two paths have more in common than the service."""
    copy = asked(centre)
    answer(centre, "2 340.", copy)
    answer(centre, "Et 1 020 ménages.", copy, message_id="<c2@villes-rives.example>")
    paths = [letter.envelope_from for letter in centre.outbox("answer")]

    assert len(set(paths)) == 2
    for path in paths:
        service, _, token = path.partition("@")[0].partition("+")
        assert (service, len(token)) == ("retours", 45)
        assert not [word for word in ("benali", "kerbrec", "0001") if word in token]


def test_a_bounce_with_a_forged_return_path_is_charged_to_nobody(centre):
    answer(centre, "2 340.", asked(centre))
    letter = centre.outbox("answer")[0]
    centre.send(bounce(letter, message_id="<unknown@x.example>"), "", f"retours+{'a' * 45}@{DOMAIN}")
    centre.settle()

    assert centre.verdicts()[-1] == "bounce"
    assert centre.outbox("answer")[0].state == "sent"


def test_a_question_in_the_name_of_the_centre_reaches_staff_and_is_not_acknowledged_to_ourselves(centre):
    centre.send(question(sender=f"question@{DOMAIN}"), f"question@{DOMAIN}")
    centre.settle()

    assert centre.verdicts() == ["request opened"]
    assert [letter.kind for letter in centre.outbox()] == ["staff-copy"]


def test_marks_of_ours_that_a_stranger_wrote_change_nothing_and_go_no_further(centre):
    """SEC13: an X-Mailhub field and a foreign Authentication-Results buy no trust, and reach neither staff nor asker."""
    forged = {
        "X-Mailhub-Loop": "quelquechose",
        "X-Mailhub-Trust": "strong",
        "X-Mailhub-Staff": CLAIRE,
        "Authentication-Results": f"mail.{DOMAIN}; dmarc=pass header.from=kerbrec.example",
    }
    centre.proven.clear()
    centre.send(question(headers=forged))
    centre.settle()

    assert centre.verdicts() == ["request opened"]
    copy = centre.postbox.to(CLAIRE)[-1]
    (acknowledgement,) = centre.postbox.to(NADIA)
    assert acknowledgement["Subject"] == "Votre question [Q-2026-0001]"  # as to anyone unproven
    for letter in (copy, acknowledgement):
        assert_nothing_of(forged, letter)

    centre.proven |= {CLAIRE}
    written, address = reply(
        copy, "2 340 habitants.", sender=CLAIRE, name="Claire Morvan", message_id="<c1@x.example>"
    )
    for name, value in forged.items():
        written[name] = value
    centre.send(written, CLAIRE, address)
    centre.settle()

    assert_nothing_of(forged, centre.postbox.to(NADIA)[-1])
    assert "2 340 habitants." in body(centre.postbox.to(NADIA)[-1])


def assert_nothing_of(forged, letter):
    """Our own loop mark is the only X-Mailhub field a letter of ours has."""
    marks = [name for name in letter.keys() if name.lower().startswith("x-mailhub")]  # noqa: SIM118 — each field
    assert marks in ([], ["X-Mailhub-Loop"])
    assert letter["Authentication-Results"] is None
    assert not {value for value in forged.values() if value != CLAIRE} & set(map(str, letter.values()))


def test_the_loop_mark_of_another_centre_is_not_ours(centre):
    """SEC13: neither a mark made with another key nor that of another domain makes a mail our own; ours does."""
    other = Keyring(1, {1: bytes(32)})
    ring = centre.centre.keyring
    marks = (other.fingerprint(f"loop {DOMAIN}"), ring.fingerprint("loop ailleurs.example"))
    for number, mark in enumerate((*marks, ring.fingerprint(f"loop {DOMAIN}"))):
        centre.send(
            mail(
                f"Question numéro {number} ?",
                message_id=f"<{number}@x.example>",
                headers={"X-Mailhub-Loop": mark},
            )
        )
        centre.handle()

    assert centre.verdicts() == ["request opened", "request opened", "automatic"]


def test_what_has_no_subject_and_no_file_name_is_named_in_the_centres_words(centre):
    plan = question(subject=None, files=[("plan.pdf", "application/pdf", b"%PDF-1.7 plan")])
    for part in plan.iter_attachments():
        part.replace_header("Content-Disposition", "attachment")
    centre.send(plan)
    centre.settle()
    copy = centre.postbox.to(CLAIRE)[-1]

    assert copy["Subject"].startswith("[Q-2026-0001] (sans objet) Pouvez-vous me donner la population")
    assert "- sans-nom (" in body(copy)
    assert [part.get_filename() for part in copy.iter_attachments()] == ["sans-nom"]
    with centre.database.reading() as session:
        (exchange,) = requests.exchanges(session, requests.called(session, "Q-2026-0001"))
        assert [file.filename for file in requests.attachments(session, exchange.id)] == [""]


def test_two_authors_are_nobody(centre):
    """S10: no identity, no answer, no request."""
    raw = question().as_bytes().replace(b"From: ", b"From: president@villes-rives.example\r\nFrom: ", 1)
    centre.send(raw)
    centre.settle()

    assert centre.verdicts() == ["quarantine"]
    assert centre.postbox.mails == []


def test_mail_to_contact_goes_to_people(centre):
    centre.send(mail("Une collègue m'a parlé de vous.", to=f"contact@{DOMAIN}"), to=f"contact@{DOMAIN}")
    centre.settle()

    assert centre.verdicts() == ["triage"]
    told = body(centre.postbox.to(CLAIRE)[-1])
    assert "Une collègue m'a parlé de vous." in told
    assert "Nature : message d’une personne\n" in told
    assert english(told) == []


def test_every_accepted_mail_is_counted_exactly_once(centre):
    """O1: accepted = the sum of what became of them."""
    test_out_of_office_bounces_and_own_mail_open_nothing(centre)
    with centre.database.reading() as session:
        states, verdicts = journal.figures(session)

    assert sum(states.values()) == sum(verdicts.values()) == 4


def test_a_flood_goes_to_quarantine(database, now):
    with centre_of(database, now, courtesy=Courtesy(mails_per_hour=3)) as centre:
        centre.hire("Claire Morvan", CLAIRE)
        for number in range(5):
            centre.send(question(message_id=f"<{number}@k.example>", subject=f"n° {number}"))
            centre.settle()

        assert centre.verdicts() == ["request opened"] * 3 + ["quarantine"] * 2


# -- when a handler fails ---------------------------------------------------------------------------------------


def test_a_mail_whose_handler_fails_leaves_no_trace_but_a_note_and_can_be_replayed(centre):
    from mailhub.handlers import HANDLERS
    from mailhub.route import Errand

    def broken(reading, desk):
        people.meet(desk.session, NADIA, "Nadia", desk.now)
        raise RuntimeError("boom")

    healthy = centre.pipeline
    centre.pipeline = type(healthy)(
        healthy.database,
        healthy.centre,
        healthy.renderer,
        healthy.now,
        healthy.weigh,
        handlers={**HANDLERS, Errand.QUESTION: broken},
    )
    centre.send(question())
    centre.send(
        mail(
            "Absente",
            subject="Réponse automatique : x",
            message_id="<a@k.example>",
            headers={"Auto-Submitted": "auto-replied"},
        )
    )
    centre.handle()

    assert centre.verdicts() == ["parked", "automatic"]
    with centre.database.reading() as session:
        assert people.recognise(session, NADIA) is None

    centre.pipeline = healthy
    with centre.database.transaction() as session:
        journal.replay(session, 1)
    centre.settle()

    assert centre.verdicts() == ["request opened", "automatic"]


def test_a_mail_that_cannot_even_be_read_is_parked_and_keeps_no_other_waiting(centre):
    healthy = centre.pipeline

    def weigh(message, envelope):
        if message.message_id == "bad@k.example":
            raise RuntimeError("boom")
        return healthy.weigh(message, envelope)

    centre.pipeline = type(healthy)(healthy.database, healthy.centre, healthy.renderer, healthy.now, weigh)
    centre.send(question(message_id="<bad@k.example>"))
    centre.send(question(message_id="<good@k.example>", subject="Une autre"))
    centre.handle()

    assert centre.verdicts() == ["parked", "request opened"]
    with centre.database.reading() as session:
        assert journal.get(session, 1).note == "RuntimeError in reading"


def bounce(letter, message_id: str | None = None) -> bytes:
    """A notification as Postfix writes it, about one of our letters."""
    return (
        f"From: MAILER-DAEMON@kerbrec.example (Mail Delivery System)\r\nTo: {letter.envelope_from}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\nMessage-ID: <dsn@kerbrec.example>\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.kerbrec.example\r\n\r\n"
        f"Final-Recipient: rfc822; {letter.recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id or f'<{letter.message_id}>'}\r\n"
        f"To: {letter.recipient}\r\n\r\n--b--\r\n"
    ).encode()


def test_the_author_of_a_forwarded_message_is_proposed_and_not_written_to(centre):
    """P23, S12: the block of header lines names them; the one who forwards stays the requester."""
    forwarded = (
        "Je vous transfère, vous saurez mieux que moi.\n\n---------- Message transféré ----------\n"
        "De : Paul Quéré <p.quere@freemail.example>\nDate : mar. 3 mars 2026 à 10:00\nObjet : régie\nÀ : Hugo\n\n"
        "Bonjour, existe-t-il des régies ? spam@evil.example\n"
    )
    centre.send(
        mail(
            forwarded,
            sender=HUGO,
            name="Hugo Perrin",
            subject="TR: demande d'une asso",
            message_id="<h@m.example>",
        ),
        HUGO,
    )
    centre.settle()

    assert "écrit à l’origine par Paul Quéré <p.quere@freemail.example>" in body(
        centre.postbox.to(CLAIRE)[-1]
    )
    assert centre.postbox.to("p.quere@freemail.example") == []
    assert len(centre.postbox.to(HUGO)) == 1


def test_an_answer_token_at_the_note_address_stays_inside(centre):
    """Whoever writes `note+` by hand before the token of the copy means a note."""
    copy = asked(centre)
    copy.replace_header("Reply-To", str(copy["Reply-To"]).replace("rep+", "note+"))
    answer(centre, "À vérifier : ce monsieur nous a déjà écrit trois fois.", copy)

    assert centre.outbox("answer") == []
    assert len(centre.postbox.to(NADIA)) == 1


def test_a_name_that_holds_an_address_or_turns_the_text_round_is_not_believed(centre):
    for number, name in enumerate((f'"{CLAIRE}"', '"Claire Morvan \u202e"')):
        written = question(
            name="X", sender=f"m{number}@escroc.example", message_id=f"<m{number}@escroc.example>"
        )
        written.replace_header("From", f"{name} <m{number}@escroc.example>")
        centre.send(written, f"m{number}@escroc.example")
        centre.settle()

        assert body(centre.postbox.to(CLAIRE)[-1]).startswith(
            f"Nouvelle question de m{number}@escroc.example"
        )


def test_a_file_name_that_turns_itself_round_is_shown_as_it_is(centre):
    centre.send(question(files=[("facture\u202efdp.exe", "application/pdf", b"MZ")]))
    centre.settle()

    (copy,) = centre.postbox.to(CLAIRE)
    assert "facturefdp.exe" in body(copy)
    assert [part.get_filename() for part in copy.iter_attachments()] == ["facturefdp.exe"]


def test_a_mail_that_begins_with_a_thousand_blanks_is_handled(centre):
    raw = f"From: X <x@escroc.example>\r\nDate: Tue, 03 Mar 2026 10:00:00 +0100\r\n\r\n{' ' * 5000}x\r\n"
    centre.send(raw.encode(), "x@escroc.example", "contact@villes-rives.example")
    centre.settle()

    assert centre.verdicts() == ["triage"]


def test_forged_mails_of_staff_are_all_held_but_do_not_fill_their_mailbox(centre):
    asked(centre)
    (acknowledgement,) = centre.postbox.to(NADIA)
    centre.proven.discard(CLAIRE)
    for number in range(33):
        forged = mail(
            f"Je suis Claire {number}",
            sender=CLAIRE,
            message_id=f"<f{number}@escroc.example>",
            headers={"In-Reply-To": str(acknowledgement["Message-ID"])},
        )
        centre.send(forged, "m@escroc.example")
    centre.settle()

    assert centre.verdicts()[1:] == ["held"] * 33
    assert len(centre.outbox("held")) == 30
    assert "la dernière de 30 lettres en une heure" in body(centre.postbox.to(CLAIRE)[-1])


def test_a_flood_for_people_reaches_each_of_staff_as_often_and_the_last_says_so(centre):
    soizic = "soizic.bihan@villes-rives.example"
    centre.hire("Soizic Bihan", soizic)
    for number in range(32):
        strange = mail(f"n° {number}", to=f"contact@{DOMAIN}", message_id=f"<{number}@k.example>")
        centre.send(strange, f"p{number}@k.example", f"contact@{DOMAIN}")
    centre.settle()

    for colleague in (CLAIRE, soizic):
        *before, last = [body(letter) for letter in centre.postbox.to(colleague)]
        assert len(before) == 29
        assert not any("la dernière de 30 lettres" in each for each in before)
        assert "la dernière de 30 lettres en une heure" in last
    assert centre.verdicts() == ["triage"] * 32
    assert [row.note for row in centre.journal()][-1] == "shown to 0 of staff"

    centre.clock.forward(hours=1)
    centre.send(mail("encore", to=f"contact@{DOMAIN}", message_id="<late@k.example>"), to=f"contact@{DOMAIN}")
    centre.settle()
    assert "encore" in body(centre.postbox.to(soizic)[-1])


@pytest.mark.parametrize("first", ["question", "contact"])
def test_a_question_to_two_of_our_addresses_is_opened_whichever_comes_first(centre: Journey, first: str):
    addresses = [
        f"{part}@{DOMAIN}" for part in (first, {"question": "contact", "contact": "question"}[first])
    ]
    for to in addresses:
        centre.send(question(), to=to)
    centre.handle()

    assert centre.verdicts().count("request opened") == 1
    assert len(centre.outbox("acknowledgement")) == 1
