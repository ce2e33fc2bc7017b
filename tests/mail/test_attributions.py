"""Lines above a quote, as clients of many countries write and wrap them, and sentences that look like one."""

import pytest

from mailhub.mail import attributions, lines

ALONE = [  # an attribution by itself, whatever stands below
    # French
    "Le mar. 3 mars 2026 à 10:00, Nadia Benali <nadia@ville.example> a écrit :",
    "Le mar. 3 mars 2026 à 10:00, Nadia Benali <nadia@ville.example> a écrit\u00a0:",
    "Le 3 mars 2026 à 10:00, Nadia Benali a écrit :",
    "Le 03/03/2026 10:00, Nadia Benali a écrit :",
    "Le 03/03/2026 à 10:00, Nadia Benali a écrit\xa0:",
    "Le 2026-03-03 10:00, nadia@ville.example a écrit :",
    "Le mardi 3 mars 2026 à 10:00:12 UTC+1, Nadia Benali <nadia@ville.example> a écrit : ",
    "Le mardi 3 mars 2026 à 10:00, BENALI Nadia (DGA) <nadia@ville.example> a écrit :",
    "Le 3 mars 2026 10:00:12 GMT+01:00, Nadia Benali <nadia@ville.example> a écrit :",
    "Le 3 mars 2026 à 10:00 +0100, Nadia Benali <nadia@ville.example>, a écrit :",
    "Le lundi 1er juin 2026 à 09:12, Nadia Benali a écrit :",
    "Le mar. 3 mars 2026 à 10:00, Nadia Benali\n<nadia@ville.example> a écrit :",
    "Le mar. 3 mars 2026 à 10:00, Mission Politique de la Ville <\nmission-ville@ville.example> a écrit :",
    "Le mar. 3 mars\n2026 à 10:00, Nadia Benali <nadia@ville.example>\na écrit :",
    "- Le 2026-03-03 10:00, Nadia Benali a écrit :",
    "Le 03/03/2026 à 10:00, Le Centre de ressources a écrit :",
    "Le mardi 3 mars 2026 à 10:00, La Maison de quartier a écrit :",
    "Le 3 mars 2026 à 10:00, L’Atelier des Tilleuls a écrit :",
    "Le 3 mars 2026 à 10:00, Les Amis du tram a écrit :",
    "Nadia Benali/VILLE a écrit sur 03/03/2026 10:00:12 :",
    # English
    "On Tue, Mar 3, 2026 at 10:00 AM Nadia Benali <nadia@ville.example> wrote:",
    "On 3 Mar 2026, at 10:00, Nadia Benali <nadia@ville.example> wrote:",
    "On 03/03/2026 10:00, Nadia Benali wrote:",
    "On Tuesday, March 3, 2026 at 10:00:00 AM UTC+1 Nadia Benali wrote:",
    "On Tue, 2026-03-03 at 10:00 +0100, Nadia Benali wrote:",
    "On Mar 3, 2026 at 10:00 AM, < nadia@ville.example (mailto:nadia@ville.example) > wrote:",
    "On Mar 3, 2026, at 10:00 AM, Nadia Benali <nadia@ville.example<mailto:nadia@ville.example>> wrote:",
    "At 10:00 03/03/2026, you wrote:",
    "Tuesday, March 3, 2026, 10:00:00 AM, you wrote:",
    "---- On Tue, 03 Mar 2026 10:00:00 +0100 Nadia Benali <nadia@ville.example> wrote ----",
    # German, Dutch
    "Am 03.03.2026 um 10:00 schrieb Nadia Benali:",
    "Am Di., 3. März 2026 um 10:00 Uhr schrieb Nadia Benali <nadia@ville.example>:",
    "Nadia Benali/VILLE wrote on 03/03/2026 10:00:12:",
    "Nadia Benali <nadia@ville.example> schrieb am Di., 3. März 2026, 10:00:",
    "Am 3. März 2026 hat Nadia Benali <nadia@ville.example> geschrieben:",
    "Op di 3 mrt. 2026 om 10:00 schreef Nadia Benali <nadia@ville.example>:",
    "Op dinsdag 3 maart 2026 10:00:12 CET schreef Nadia Benali:",
    "Op 3 mrt. 2026, om 10:00 heeft Nadia Benali <nadia@ville.example> het volgende geschreven:",
    # Spanish, Italian, Portuguese
    "El mar, 3 mar 2026 a las 10:00, Nadia Benali (<nadia@ville.example>) escribió:",
    "El 3/3/26 a las 10:00, Nadia Benali escribió:",
    "Il giorno mar 3 mar 2026 alle ore 10:00 Nadia Benali <nadia@ville.example> ha scritto:",
    "Il 03/03/2026 10:00, Nadia Benali ha scritto:",
    "Em ter., 3 de mar. de 2026 às 10:00, Nadia Benali <nadia@ville.example> escreveu:",
    "A 03/03/2026 10:00, Nadia Benali escreveu:",
    # Nordic
    "Den tis 3 mars 2026 kl 10:00 skrev Nadia Benali <nadia@ville.example>:",
    "tir. 3. mar. 2026 kl. 10.00 skrev Nadia Benali <nadia@ville.example>:",
    "På 3. mars 2026 på 10:00:00, Nadia Benali (nadia@ville.example) skrev:",
    "ti 3. maalisk. 2026 klo 10.00 Nadia Benali (nadia@ville.example) kirjoitti:",
    # Slavic
    "wt., 3 mar 2026 o 10:00 Nadia Benali <nadia@ville.example> napisał(a):",
    "W dniu 3.03.2026 o 10:00, Nadia Benali pisze:",
    "út 3. 3. 2026 v 10:00 odesílatel Nadia Benali <nadia@ville.example> napsal:",
    "Dne 03.03.2026 v 10:00 Nadia Benali napsal(a):",
    "вт, 3 мар. 2026 г. в 10:00, Nadia Benali <nadia@ville.example>:",
    "3 марта 2026 г., 10:00, Надя Бенали написала:",
    "вт, 3 бер. 2026 р. о 10:00 Nadia Benali <nadia@ville.example> пише:",
    # Elsewhere
    "2026. márc. 3. 10:00 keltezéssel, Nadia Benali írta:",
    "În mar., 3 mar. 2026 la 10:00, Nadia Benali <nadia@ville.example> a scris:",
    "3 Mar 2026 Sal, saat 10:00 tarihinde Nadia Benali <nadia@ville.example> şunu yazdı:",
    "2026年3月3日(火) 10:00 Nadia Benali <nadia@ville.example>:",
    "Nadia Benali <nadia@ville.example> 于2026年3月3日周二 10:00写道：",
    "2026/03/03 10:00、Nadia Benali <nadia@ville.example> のメッセージ:",
    "2026년 3월 3일 (화) 오전 10:00, Nadia Benali <nadia@ville.example>님이 작성:",
    "Vào Th 3, 3 thg 3, 2026 vào lúc 10:00 Nadia Benali <nadia@ville.example> đã viết:",
    # Without any word for "wrote"
    "2026-03-03 10:00 GMT+01:00 Nadia Benali <nadia@ville.example>:",
    '03.03.2026, 10:00, "Nadia Benali" <nadia@ville.example>:',
    '10:00, 3 mars 2026, "Nadia Benali" <nadia@ville.example>:',
]

ABOVE_A_QUOTE = [  # too little by itself
    "Nadia Benali a écrit :",
    "Nadia Benali <nadia@ville.example> wrote:",
    "Le 3 mars, Nadia a écrit :",
    "Le 3 mars 2026 à 10 h, Nadia a écrit :",
    "On Tuesday, Nadia wrote:",
    "Quoting Nadia Benali <nadia@ville.example>:",
    "Zitat von Nadia Benali <nadia@ville.example>:",
    "Citazione da Nadia Benali <nadia@ville.example>:",
    "Selon Nadia Benali <nadia@ville.example> :",
    "En réponse à Nadia Benali <nadia@ville.example> :",
    "Message de Nadia Benali du 03/03/2026 à 10:00 :",
    "Le mardi 3 mars 2026 à 10:00, vous avez écrit :",
    "Le 3 mars 2026 à 10:00, tu as écrit :",
    "* Nadia Benali <nadia@ville.example> [2026-03-03 10:00]:",
    "Nadia Benali <nadia@ville.example> (03/03/2026) :",
    "2026/3/3 Nadia Benali <nadia@ville.example>",
]

PROSE = [
    "Le 12/03/2026 à 14:00, Monsieur Dupont nous a écrit :\nLa population est de 2 340 habitants.",
    "Le 3 mars 2026 à 9 h, le technicien a écrit : « imprimante HS » sur la porte.",
    "Le 12 avril, Victor Hugo a écrit :",
    "Le 12 avril 1850, Victor Hugo a écrit :",
    "Le 3 mars 2026 à 09:40, le maire a écrit :",
    "Le 3 mars 2026 à 09:40, le technicien Le Goff a écrit :",
    "Le 3 mars 2026 à 09:40, l'adjoint a écrit :",
    "Le 3 mars 2026 à 09:40, nous avons relu ce que le préfet a écrit :",
    "Le compte rendu est prêt.\nLe préfet a écrit :",
    "Le 3 mars 2026 à 10:00 nous avons reçu son courrier. Elle y a écrit :",
    "Le projet avance bien. Dans la circulaire du 12 avril 2005, à 10:30, le ministre\nnous dit ce que chacun a écrit :",
    "On the one hand, nobody wrote:",
    "On se voit mardi 3 mars à 10:00 :",
    "Les horaires du 3 mars 2026 : 10:00, 11:30",
    "Écrire à nadia@ville.example avant le 3 mars 2026, 10:00 :",
    "3 mars 2026 : réunion avec nadia@ville.example :",
    "Voici ce que j'ai écrit :",
    "Nadia Benali a écrit le 3 mars 2026 à 10:00 :",
]
EVEN_ABOVE_A_QUOTE = [
    "Le 3 mars 2026 à 10:00 j'ai écrit à M. Durand (durand@ville.example) :",
    "Le 3 mars 2026 à 10:00, nous avons aussi écrit à M. Durand <durand@ville.example> :",
    "On 3 March 2026 at 10:00 I wrote to Paul <paul@ville.example>:",
    "Selon la loi du 21 février 2014 :",
    "Selon Le Monde :",
    "En réponse à votre question :",
    "Message de Nadia du 3 mars :",
    "Dans votre mail, vous avez écrit ceci, qui m'étonne :",
]


@pytest.mark.parametrize("said", ALONE)
def test_clients_of_all_countries_are_understood(said):
    page = lines.read(f"{said}\nBonjour, voici la liste.")

    assert attributions.end(page, 0, is_reply=True) == said.count("\n") + 1


@pytest.mark.parametrize("said", ALONE + ABOVE_A_QUOTE)
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_quoted_lines_below_are_evidence(said, gap):
    page = lines.read(f"{said}{gap}> Bonjour, voici la liste.")

    assert attributions.end(page, 0, is_reply=True) == said.count("\n") + 1


@pytest.mark.parametrize("said", ABOVE_A_QUOTE + PROSE)
def test_a_sentence_is_not_an_attribution(said):
    page = lines.read(f"{said}\nDemain, dès l'aube, à l'heure où blanchit la campagne…")

    assert all(attributions.end(page, index, is_reply=True) is None for index in range(len(page)))


@pytest.mark.parametrize("said", EVEN_ABOVE_A_QUOTE)
@pytest.mark.parametrize("below", ["> Bonjour, voici la liste.", "Pas de réponse depuis."])
def test_what_a_person_says_of_a_quotation_is_no_attribution(said, below):
    page = lines.read(f"{said}\n{below}")

    assert attributions.end(page, 0, is_reply=True) is None


@pytest.mark.parametrize("said", ABOVE_A_QUOTE[2:5])
def test_outside_a_reply_a_quotation_needs_no_client(said):
    page = lines.read(f"{said}\n> Demain, dès l'aube")

    assert attributions.end(page, 0, is_reply=False) is None
