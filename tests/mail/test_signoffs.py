"""Lines that telephones, programs and lawyers put below mails."""

import pytest

from mailhub.mail import lines, signoffs

MOBILE = [
    "Envoyé de mon iPhone",
    "Envoyé de mon iPad.",
    "Envoyé depuis mon téléphone Orange",
    "Envoyé depuis mon mobile Orange",
    "Envoyé depuis mon appareil mobile Samsung.",
    "Envoyé depuis Yahoo Mail pour Android",
    "Envoyé depuis l'application Mail Orange",
    "Envoyé à partir de Courrier pour Windows",
    "Envoyé à partir de Outlook pour iOS<https://aka.ms/o0ukef>",
    "Envoyé à partir d'Outlook",
    "Envoyé à partir d’un téléphone mobile",
    "Envoyé de mon appareil Galaxy",
    "Envoyé avec la messagerie sécurisée Proton Mail.",
    "Envoyé d'un téléphone, merci d'excuser la brièveté",
    "Obtenir Outlook pour iOS<https://aka.ms/o0ukef>",
    "Obtenez Outlook pour Android",
    "Télécharger Outlook pour Android<https://aka.ms/AAb9ysg>",
    "Téléchargez [Outlook pour iOS](https://aka.ms/o0ukef)",
    "Provenance : Courrier pour Windows 10",
    "Cet e-mail a été envoyé depuis mon téléphone portable",
    "Sent from my iPhone",
    "(Sent from my Galaxy S24, please excuse any typos)",
    "Sent from Outlook for Android",
    "Sent via BlackBerry",
    "Sent with Zephyr Mail",
    "Sent from Zephyr (https://zephyr.example)",
    "Get Outlook for iOS",
    "Von meinem iPhone gesendet",
    "Gesendet von meinem Mobiltelefon",
    "Enviado desde mi iPhone",
    "Obtener Outlook para Android",
    "Enviado a partir do Outlook para Android",
    "Inviato da iPhone",
    "Inviato dal mio telefono Huawei",
    "Verzonden vanaf mijn iPhone",
    "Enviado do meu iPhone",
    "Wysłane z iPhone'a",
    "Sendt fra min iPad",
    "Skickat från min iPhone",
    "Odesláno z mobilu",
    "Отправлено с iPhone",
    "发自我的iPhone",
    "iPhoneから送信",
]
NOT_MOBILE = [
    "Envoyé de Rennes",
    "Envoyé à partir d'une adresse que je ne connais pas",
    "Envoyé par la poste hier, en deux exemplaires",
    "Envoyé de mon bureau, comme chaque lundi, avec toutes les pièces que vous m'aviez demandées",
    "Le fichier a été envoyé depuis mon téléphone hier soir",
    "Sent the letter from my phone to the mayor yesterday",
    "Je vous écris depuis mon téléphone",
    "Outlook ne marche plus",
    "",
]
NOTICES = [
    "Ce message et ses pièces jointes sont confidentiels et établis à l'intention exclusive de leurs destinataires.",
    "Pensez à l'environnement avant d'imprimer ce message.",
    "Merci de penser à l'environnement avant d'imprimer.",
    "Avez-vous besoin d'imprimer ce courriel ? Pensons à la planète !",
    "Please think of the environment before printing this mail.",
    "This e-mail may contain confidential information. If you are not the intended recipient, please delete it.",
    "Diese E-Mail enthält vertrauliche Informationen.",
    "Garanti sans virus. www.avast.com",
]


@pytest.mark.parametrize("line", MOBILE)
def test_a_line_of_a_telephone_or_program_is_known(line):
    assert signoffs.is_mobile(lines.read(line).plain[0])


@pytest.mark.parametrize("line", NOT_MOBILE)
def test_people_too_say_that_they_sent(line):
    assert not signoffs.is_mobile(lines.read(line).plain[0])


@pytest.mark.parametrize("notice", NOTICES)
def test_notices_at_the_end_are_a_footer(notice):
    page = lines.read(f"Oui, je viens.\n\n{notice}\n\n{NOTICES[0]}\n")

    assert signoffs.footer(page, 0, len(page)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour,\n\nCe message est-il bien arrivé ?",
        "Bonjour,\n\nPensez-vous que l'environnement des Tilleuls ait changé ?",
        "Bonjour,\n\nPensez à l'environnement des Tilleuls : qui l'a étudié ?",
        "Bonjour,\n\nFaut-il n'imprimer que la carte, ou tout le dossier ?",
        "Bonjour,\n\nPour ce projet il faut penser à l'environnement des enfants.",
        "Ce message et ses pièces jointes sont confidentiels, ne les diffusez pas aux destinataires habituels.",
        f"{NOTICES[0]}\n\nMais voici ma question.",
    ],
)
def test_words_about_a_message_are_no_notice(text):
    page = lines.read(text)

    assert signoffs.footer(page, 0, len(page)) == len(page)


@pytest.mark.parametrize(
    ("below", "found"),
    [
        ("-- \nNadia Benali\nVille de Rennes", True),
        ("--\nNadia", True),
        ("—\nNadia Benali\n02 99 00 00 00", True),
        ("____________\nquestions mailing list\nquestions@centre.example", True),
        ("—\nEt une autre question.", False),
        ("----\nSuite de ma demande.", False),
        ("-- \n" + "Une phrase qui ne finit pas. " * 6, False),
        ("--\n" + "point\n" * 30, False),
        ("-- premier point\n-- second point", False),
        ("--", False),
    ],
)
def test_only_a_delimiter_with_few_short_lines_below_begins_a_signature(below, found):
    page = lines.read(f"Merci.\n\n{below}")

    assert signoffs.signature(page, 0, len(page)) == (2 if found else None)


def test_a_question_is_no_notice():
    text = "Bonjour,\n\nLe contenu de la fiche est-il confidentiel ? Peut-on la transmettre à nos adhérents ?"
    page = lines.read(text)

    assert signoffs.footer(page, 0, len(page)) == len(page)
