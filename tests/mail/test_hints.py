"""Hints shown to staff: the kind of a question, mere thanks, who is greeted, claimed haste."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailhub.mail import hints

KINDS = [
    # the scenarios of the reference
    (
        "Bonjour, pouvez-vous me donner la population du quartier prioritaire des Tilleuls et la source la plus récente ?",
        "quick_fact",
    ),
    (
        (
            "Nous lançons une démarche de gestion urbaine de proximité. Connaissez-vous des bureaux d'études ou intervenants, "
            "et des villes de taille comparable qui l'ont fait ? Quelques références suffiront."
        ),
        "document_search",
    ),
    (
        (
            "Je prépare un rapport pour l'assemblée de juin : il me faudrait un dossier complet sur la participation des habitants "
            "(textes, évaluations, expériences bretonnes et ligériennes, bibliographie)."
        ),
        "topic_dossier",
    ),
    ("Bonjour, je cherche des infos sur la jeunesse. Merci d'avance.", None),
    ("l'adresse du nouveau délégué du préfet", "quick_fact"),
    ("des exemples de régies de quartier", "document_search"),
    ("Bonjour, avez-vous la circulaire de janvier sur les postes d'adultes-relais ?", "quick_fact"),
    ("bjr vs auriez le nb de logemnts demolis a kerbrec depuis 2020 c pr demain merci", "quick_fact"),
    # words that mislead
    ("dossier de subvention : quelle adresse ?", "quick_fact"),
    ("l'adresse de villes qui ont créé une régie", "document_search"),
    ("combien de villes ont créé une régie, et lesquelles, avec leurs bilans", "document_search"),
    # and more of each
    ("QUEL EST LE NUMERO DE TELEPHONE DE LA PREFECTURE", "quick_fact"),
    ("Combien d'habitants à Kerbrec ?", "quick_fact"),
    ("Je cherche un cabinet pour animer un diagnostic en marchant", "document_search"),
    ("Qui a déjà mis en place un conseil citoyen ?", "document_search"),
    ("Pourriez-vous m'envoyer tout ce que vous avez sur la médiation sociale ?", "topic_dossier"),
    ("Un état des lieux de la santé mentale dans les quartiers nous serait utile", "topic_dossier"),
    ("Bonjour", None),
    ("", None),
    ("Merci de votre retour, à quelle date ?", None),
]


@pytest.mark.parametrize(("text", "kind"), KINDS)
def test_a_kind_is_suggested_from_words(text: str, kind: str | None):
    hint = hints.suggest(text)

    assert hint.kind == kind
    assert hint.why or kind is None


@pytest.mark.parametrize(
    "text",
    [
        "Parfait, merci beaucoup pour la rapidité ! Bonne journée.",
        "Merci !",
        "merci",
        "ok merci",
        "Bonjour,\nUn grand merci pour votre réponse.\nBien cordialement,\nNadia Benali\nVille de Kerbrec\n02 99 00 00 00",
        "MERCI BEAUCOUP",
        "Bien reçu, je vous remercie.",
        "Thank you",
        "C'est parfait. Merci\nNadia 02 99 00 00 00",
    ],
)
def test_mere_thanks(text: str):
    assert hints.is_thanks_only(text)


@pytest.mark.parametrize(
    "text",
    [
        "Merci, et auriez-vous aussi l'étude de 2020 ?",
        "Merci, mais il manque la page 2",
        "Merci, je n'ai pas reçu la pièce jointe.",
        "Merci, le lien ne fonctionne pas.",
        "Merci pour la réponse, elle ne répond pas à notre demande.",
        "Merci de corriger notre adresse",
        "Merci, c'est faux",
        "Merci d'avance",
        "Merci de me retirer de la liste",
        "Merci, pourriez-vous préciser",
        "merci pour l'article 3",
        "Merci. J'attends toujours la suite",
        "oui",
        "",
        "Bonjour",
        "Merci pour tout ce travail, je le transmets à mes élus qui le liront avec attention avant la prochaine séance",
    ],
)
def test_more_than_thanks(text: str):
    assert not hints.is_thanks_only(text)


@pytest.mark.parametrize(
    "text",
    [
        "c pr demain merci",
        "URGENT",
        "il me le faut au plus vite",
        "dès que possible svp",
        "d'ici vendredi",
        "ASAP",
    ],
)
def test_haste_is_noticed(text: str):
    assert hints.claims_urgent(text)


@pytest.mark.parametrize(
    "text", ["les services d'urgences de l'hôpital", "pour juin", "Bonjour, sans hâte", ""]
)
def test_no_haste(text: str):
    assert not hints.claims_urgent(text)


@given(st.text(max_size=300))
def test_no_text_raises(text: str):
    hints.suggest(text)
    hints.is_thanks_only(text)
    hints.claims_urgent(text)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", ["Bonjour ", "merci ", "dossier ", "a ", "\n", "A", "02 "])
def test_a_long_text_takes_no_longer(unit: str):
    test_no_text_raises.hypothesis.inner_test(unit * 200_000)
