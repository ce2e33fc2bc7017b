"""More mail in a thread, from its asker and from those who came by its address; by real mail through a whole centre."""

import pytest

from tests.journey import CLAIRE, NADIA, Journey, body, centre_of, mail


@pytest.fixture
def centre(database, now):
    with centre_of(database, now) as journey:
        journey.hire("Claire Morvan", CLAIRE)
        yield journey


def asked(centre: Journey):
    """A question has come; the acknowledgement its asker holds bears the address of the thread."""
    centre.send(mail("Bonjour, quelle est la population du quartier des Tilleuls ?\nNadia Benali"))
    centre.settle()
    return centre.postbox.to(NADIA)[-1]


def goes_on(centre: Journey, letter, words: str, **more) -> None:
    """Nadia writes again, quoting nothing."""
    message_id = "<n2@kerbrec.example>"
    centre.write_back(
        letter, words, sender=NADIA, name="Nadia Benali", message_id=message_id, quote=False, **more
    )
    centre.settle()


def strangers(centre: Journey, address: str, numbers: range) -> None:
    """Each writes once, so that no cap on one author holds them."""
    for number in numbers:
        sender = f"x{number}@escroc.example"
        words = mail(f"Offre {number}", sender=sender, to=address, message_id=f"<x{number}@escroc.example>")
        centre.send(words, sender, address)
    centre.settle()


def test_strangers_with_a_leaked_address_are_all_filed_but_do_not_fill_the_mailbox_of_staff(centre):
    acknowledgement = asked(centre)
    before = len(centre.postbox.to(CLAIRE))
    strangers(centre, str(acknowledgement["Reply-To"]), range(14))

    copies = [body(letter) for letter in centre.postbox.to(CLAIRE)[before:]]
    assert centre.verdicts()[1:] == ["message added"] * 14
    assert len(copies) == 10
    assert ["son adresse circule" in copy for copy in copies] == [False] * 9 + [True]
    assert centre.journal()[-1].note == "third party in Q-2026-0001, told nothing; filed only"

    goes_on(centre, acknowledgement, "Une précision.")

    assert "écrit de nouveau" in body(centre.postbox.to(CLAIRE)[-1])

    centre.clock.forward(minutes=61)
    strangers(centre, str(acknowledgement["Reply-To"]), range(14, 15))

    assert "Offre 14" in body(centre.postbox.to(CLAIRE)[-1])


@pytest.mark.parametrize(
    "above", ["Bonjour, j'ai bien reçu le document.", "Merci beaucoup pour votre aide !"]
)
def test_a_question_below_the_signature_of_a_telephone_is_asked(centre, above):
    question = "Par contre il manque la page 3, pouvez-vous la renvoyer ?"
    words = f"{above}\n\nEnvoyé de mon iPhone\n\n{question}"
    goes_on(centre, asked(centre), words)

    assert centre.journal()[-1].note == "follow-up in Q-2026-0001"
    assert question in body(centre.postbox.to(CLAIRE)[-1])


def test_a_press_on_an_emoji_opens_nothing_again(centre):
    reaction = ("", "text/vnd.google.email-reaction+json", b'{"version":1}')
    goes_on(centre, asked(centre), "\U0001f44d", files=[reaction])

    assert centre.journal()[-1].note == "thanks in Q-2026-0001"


def test_words_beside_an_emoji_are_words(centre):
    reaction = ("", "text/vnd.google.email-reaction+json", b'{"version":1}')
    goes_on(centre, asked(centre), "Ma vraie question : quand ?", files=[reaction])

    assert centre.journal()[-1].note == "follow-up in Q-2026-0001"


def test_what_a_telephone_carries_along_is_no_question(centre):
    acknowledgement = asked(centre)
    carried = body(acknowledgement).partition("Votre message")[0]
    words = f"Merci beaucoup pour votre aide !\n\nEnvoyé de mon iPhone\n\n{carried}"
    goes_on(centre, acknowledgement, words)

    assert centre.journal()[-1].note == "thanks in Q-2026-0001"
