"""Separators and blocks of header lines, in the words of many clients."""

import pytest

from mailhub.mail import headings, lines
from mailhub.mail.headings import Carries

HISTORY = [
    "-----Message d'origine-----",
    "-------- Message d\u2019origine --------",
    "----- Mail original -----",
    "-------- Message original --------",
    "-----Original Message-----",
    "-----Ursprüngliche Nachricht-----",
    "-----Mensaje original-----",
    "-----Messaggio originale-----",
    "-----Oorspronkelijk bericht-----",
    "-----Mensagem original-----",
    "-----Wiadomość oryginalna-----",
    "-----Původní zpráva-----",
    "-----Oprindelig meddelelse-----",
    "-----Opprinnelig melding-----",
    "-----Ursprungligt meddelande-----",
    "-----Alkuperäinen viesti-----",
    "-----Исходное сообщение-----",
    "------------------ 原始邮件 ------------------",
    "________ Message original ________",
    "-----Rendez-vous d'origine-----",
    "----- Réponse d’origine -----",
    "-----Original Appointment-----",
    ">>> Nadia Benali <nadia@ville.example> 03/03/2026 10:00 >>>",
]
FORWARD = [
    "---------- Forwarded message ---------",
    "---------- Message transféré ----------",
    "-------- Message transféré --------",
    "----- Mail transféré -----",
    "Début du message transféré :",
    "Début du message réexpédié :",
    "Begin forwarded message:",
    "-------- Weitergeleitete Nachricht --------",
    "Anfang der weitergeleiteten Nachricht:",
    "---------- Mensaje reenviado ----------",
    "-------- Messaggio inoltrato --------",
    "---------- Doorgestuurd bericht ----------",
    "---------- Mensagem encaminhada ----------",
    "---------- Wiadomość przekazana dalej ----------",
    "---------- Přeposlaná zpráva ----------",
    "---------- Videresendt meddelelse ----------",
    "---------- Пересылаемое сообщение ----------",
]
ABOVE = [
    "--- Répondez au-dessus de cette ligne ---",
    "##- Merci de répondre au-dessus de cette ligne -##",
    "-- reply above this line --",
    "##- Please type your reply above this line -##",
    "--- Bitte antworten Sie oberhalb dieser Linie ---",
]
BLOCKS = {
    "outlook fr": "De : Nadia Benali <nadia@ville.example>\nEnvoyé : mardi 3 mars 2026 10:00\nÀ : Jean\nObjet : Liste",
    "outlook fr, capital without accent": "De : Nadia Benali\nEnvoyé : mardi 3 mars 2026 10:00\nA : Jean\nCc : Paul\nObjet : Liste",
    "windows mail fr": "De : Nadia Benali<mailto:nadia@ville.example>\nEnvoyé le :mardi 3 mars 2026 10:00\nÀ : Jean\nObjet :Liste",
    "orange": "envoyé : 3 mars 2026 à 10:00\nde : Nadia Benali <nadia@ville.example>\nà : jean@centre.example\nobjet : Liste",
    "sfr": "Message du : 03/03/2026 10:00\nDe : nadia@ville.example\nA : jean@centre.example\nCopie à : \nSujet : Liste",
    "bold": "*De :* Nadia Benali <nadia@ville.example>\n*Envoyé :* mardi 3 mars 2026 10:00\n*À :* Jean\n*Objet :* Liste",
    "spaced": "De : Nadia Benali <nadia@ville.example>\n\nEnvoyé : mardi 3 mars 2026 10:00\n\nÀ : Jean\n\nObjet : Liste",
    "many people": "De : Nadia Benali\nEnvoyé : mardi 3 mars 2026 10:00\nÀ : Jean; Paul;\n  Marie <marie@ville.example>;\n  Luc\nObjet : Liste",
    "outlook en": "From: Nadia Benali <nadia@ville.example>\nSent: Tuesday, March 3, 2026 10:00 AM\nTo: Jean\nSubject: List",
    "outlook mac": "From: Nadia Benali <nadia@ville.example>\nDate: Tuesday, 3 March 2026 at 10:00\nTo: Jean\nSubject: List",
    "date first": "Date: Tue, 3 Mar 2026 10:00:00 +0100\nFrom: nadia@ville.example\nTo: jean@centre.example\nSubject: List",
    "two lines": "From: nadia@ville.example\nDate: Tue, 3 Mar 2026 10:00:00 +0100",
    "de": "Von: Nadia Benali <nadia@ville.example>\nGesendet: Dienstag, 3. März 2026 10:00\nAn: Jean\nBetreff: Liste",
    "without a clock": "Von: Nadia\nGesendet: 3.3.2026\nAn: Jean\nBetreff: Liste",
    "es": "De: Nadia Benali <nadia@ville.example>\nEnviado: martes, 3 de marzo de 2026 10:00\nPara: Jean\nAsunto: Lista",
    "it": "Da: Nadia Benali <nadia@ville.example>\nInviato: martedì 3 marzo 2026 10:00\nA: Jean\nOggetto: Lista",
    "nl": "Van: Nadia Benali <nadia@ville.example>\nVerzonden: dinsdag 3 maart 2026 10:00\nAan: Jean\nOnderwerp: Lijst",
    "pt": "De: Nadia Benali <nadia@ville.example>\nEnviada em: terça-feira, 3 de março de 2026 10:00\nPara: Jean\nAssunto: Lista",
    "pl": "Od: Nadia Benali <nadia@ville.example>\nWysłano: wtorek, 3 marca 2026 10:00\nDo: Jean\nTemat: Lista",
    "cs": "Od: Nadia Benali <nadia@ville.example>\nOdesláno: úterý 3. března 2026 10:00\nKomu: Jean\nPředmět: Seznam",
    "da": "Fra: Nadia Benali <nadia@ville.example>\nSendt: 3. marts 2026 10:00\nTil: Jean\nEmne: Liste",
    "sv": "Från: Nadia Benali <nadia@ville.example>\nSkickat: den 3 mars 2026 10:00\nTill: Jean\nÄmne: Lista",
    "fi": "Lähettäjä: Nadia Benali <nadia@ville.example>\nLähetetty: tiistai 3. maaliskuuta 2026 10:00\nVastaanottaja: Jean\nAihe: Lista",
    "ru": "От: Nadia Benali <nadia@ville.example>\nОтправлено: 3 марта 2026 г. 10:00\nКому: Jean\nТема: Список",
    "zh": "发件人: Nadia Benali <nadia@ville.example>\n发送时间: 2026年3月3日 10:00\n收件人: Jean\n主题: List",
    "ja": "差出人: Nadia Benali <nadia@ville.example>\n送信日時: 2026年3月3日 10:00\n宛先: Jean\n件名: List",
}
NO_BLOCKS = [
    "De : Rennes\nÀ : Nantes\nDate : 3 mars\nObjet : formation",
    "Objet : réunion du comité\nDate : mardi 3 mars\nDe : 14h00 à 16h00\nLieu : mairie",
    "Objet : demande de documentation\n\nBonjour,",
    "À : 14:00\nObjet : réunion\nDate : 3 mars 2026 14:00",
    "From: A to Z",
    "Date : 3 mars 2026 10:00",
]


@pytest.mark.parametrize("line", HISTORY)
def test_the_message_before_is_announced(line):
    assert headings.at(lines.read(f"{line}\n\nBonjour"), 0) == headings.Heading(Carries.HISTORY, 1)


@pytest.mark.parametrize("line", FORWARD)
def test_a_message_passed_on_is_announced(line):
    assert headings.at(lines.read(f"{line}\n\nBonjour"), 0) == headings.Heading(Carries.FORWARD, 1)


@pytest.mark.parametrize("line", ABOVE)
def test_a_service_asks_to_be_answered_above(line):
    assert headings.at(lines.read(line), 0) == headings.Heading(Carries.ALL_BELOW, 1)


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_block_of_header_lines_is_seen_whole(block):
    page = lines.read(f"{block}\n\nBonjour, voici la liste :\nà demain")

    assert headings.at(page, 0) == headings.Heading(Carries.MAIL, block.count("\n") + 1)


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_header_lines_belong_to_the_separator_above(block):
    page = lines.read(f"-----Message d'origine-----\n{block}\n\nBonjour")

    assert headings.at(page, 0) == headings.Heading(Carries.HISTORY, block.count("\n") + 2)


@pytest.mark.parametrize("text", NO_BLOCKS)
def test_people_too_write_words_and_colons(text):
    page = lines.read(f"{text}\n\nMerci")

    assert [headings.at(page, index) for index in range(len(page))] == [None] * len(page)


@pytest.mark.parametrize(
    "line",
    [
        "-----",
        "----- Article 3 -----",
        "--- Réponses ---",
        "Le rendez-vous d'origine :",
        ">>> oui >>>",
        "Message d'origine inconnue",
        "Le message transféré hier est parti.",
    ],
)
def test_other_lines_announce_nothing(line):
    assert headings.at(lines.read(line), 0) is None
