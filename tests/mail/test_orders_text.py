"""Article numbers in prose: every wording of the reference, forty ways of one order, and nothing invented."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailhub.mail import orders_text
from mailhub.mail.orders_text import Ask, ForOther, IssueNamed, Order

ALL = tuple(range(1, 15))


def read(text: str, subject: str | None = None) -> Order:
    return orders_text.read(text, last=14, subject=subject)


TABLE = [
    ("3 et 3", Order((3,))),
    ("de 3 à 5", Order((3, 4, 5))),
    ("3 à 5", Order((3, 4, 5))),
    ("du 3 au 5", Order((3, 4, 5))),
    ("de trois à cinq", Order((3, 4, 5))),
    ("3-5", Order(ask=Ask.RANGE)),
    ("le premier et le dernier", Order((1, 14))),
    ("tous", Order(ALL, everything=True, many=True)),
    ("toute la revue", Order(ALL, everything=True, many=True)),
    ("tous sauf le 4", Order(tuple(n for n in ALL if n != 4), everything=True, many=True)),
    ("tout sauf 4 et 5", Order(tuple(n for n in ALL if n not in {4, 5}), everything=True, many=True)),
    ("tous à l'exception du 4", Order(tuple(n for n in ALL if n != 4), everything=True, many=True)),
    ("3, 7, 12 et 18", Order((3, 7, 12), refused=(18,))),
    ("l'article sur les Tilleuls", Order(titles=("l'article sur les Tilleuls",))),
    ("le 3 (pas le 4)", Order((3,))),
    ("le 3 mars", Order(ask=Ask.NOTHING)),
    ("jeudi 12", Order(ask=Ask.NOTHING)),
    ("12 h 30", Order(ask=Ask.NOTHING)),
    ("02 99 03 07 12", Order(ask=Ask.NOTHING)),
    ("35000", Order(ask=Ask.NOTHING)),
    ("2 articles : le 5 et le 9", Order((5, 9))),
    ("deux : 5 et 9", Order((5, 9))),
    ("2 : le 5 et le 9 svp", Order((5, 9))),
    ("Il m'en faudrait trois :\n- 5\n- 9\n- 11", Order((5, 9, 11))),
    ("article 2 : le 5 et le 9", Order((2, 5, 9))),
    ("le 3 plutôt que le 4", Order((3,))),
    ("plutôt le 3 que le 4", Order((3,))),
    ("le 3 au lieu du 4", Order((3,))),
    ("10 à 12 h", Order(ask=Ask.NOTHING)),
    ("de 10-12h ou entre 14 et 16 heures", Order(ask=Ask.NOTHING)),
    ("du 10 au 12 mars", Order(ask=Ask.NOTHING)),
    ("sous 2 à 3 jours", Order(ask=Ask.NOTHING)),
    ("le 3, je passe entre 10 et 12 h", Order((3,))),
    ("finalement je ne veux plus le 3", Order(ask=Ask.NOT_AN_ORDER)),
    ("je ne souhaite plus recevoir le 3 et le 7", Order(ask=Ask.NOT_AN_ORDER)),
    ("je n'ai plus besoin du 3", Order(ask=Ask.NOT_AN_ORDER)),
    ("Le 3, je n'en veux plus", Order((3,), ask=Ask.NOT_AN_ORDER)),
    ("merci d'annuler le 3", Order((3,), ask=Ask.NOT_AN_ORDER)),
    ("je ne veux plus que le 3", Order((3,))),
    ("le 3, et le 7 en plus", Order((3, 7))),
    ("revue n° 5, article 3", Order((3,), issue=IssueNamed(number=5))),
    ("les 3 premiers", Order((1, 2, 3))),
    ("les trois derniers", Order((12, 13, 14))),
    ("3, 7 et 12 de la revue de février", Order((3, 7, 12), issue=IssueNamed(month=2), ask=Ask.ISSUE)),
    ("5 exemplaires du n° 3", Order((3,), remark="5 exemplaires")),
    ("le 3 en 2 ou 4 exemplaires", Order((3,), remark="en 2 ou 4 exemplaires")),
    ("le 3 pour moi, le 7 pour Hugo", Order((3, 7), for_others=(ForOther(7, "Hugo"),))),
    ("> 3, 7 et 12", Order(ask=Ask.NOTHING)),
    ("ok", Order(ask=Ask.NOTHING)),
    ("", Order(ask=Ask.NOTHING)),
    # scenarios
    ("3, 7 et 12 merci ! Nadia", Order((3, 7, 12))),
    ("Pouvez-vous m'envoyer le 15 et le 2 ?", Order((2,), refused=(15,))),
    ("Envoyez-moi tous les articles de l'année", Order(everything=True, many=True)),
    ("n°4 svp", Order((4,))),
    ("Bonjour, l'article 5 comme d'habitude. Merci !", Order((5,))),
    ("articles 1 et 6", Order((1, 6))),
    (
        "Bonjour c'est Nadia Benali de Kerbrec, je suis chez moi, il me faut l'article 3 pour demain",
        Order((3,)),
    ),
    (
        "Bonjour, je veux bien le document 4 et recevoir la lettre par mail plutôt que par la poste. code 0417-K",
        Order((4,)),
    ),
    # and the ways of the world
    ("Les n° 1 à 3 inclus", Order((1, 2, 3))),
    ("le troisième et le 5e", Order((3, 5))),
    ("il me faudrait le 3 et le 7 mais pas le 12", Order((3, 7))),
    ("articles : 3, 5, 9 ; merci de ne pas envoyer le 4", Order((3, 5, 9))),
    ("envoyez moi les 3 et 4, sauf si c'est payant", Order((3, 4))),
    ("3, 5-7 et 9", Order((3, 9), ask=Ask.RANGE)),
    ("articles 3 et 5 (page 12)", Order((3, 5))),
    ("n° 3 et n° 7, si possible avant le 15 mars ou vendredi 13", Order((3, 7))),
    (
        "3 et 7 pour ma collègue Léa",
        Order((3, 7), for_others=(ForOther(3, "ma collègue Léa"), ForOther(7, "ma collègue Léa"))),
    ),
    ("J'aimerais lire « La tour des Tilleuls »", Order(titles=("La tour des Tilleuls",))),
    ("les deux", Order(ask=Ask.WHICH)),
    ("les 2 svp", Order(ask=Ask.WHICH)),
    ("je viendrai à deux, et l'article 9", Order((9,))),
    ("je voudrais quelques articles", Order(ask=Ask.WHICH)),
    ("Mon collègue a 3 enfants, merci", Order(ask=Ask.NOTHING)),
    ("bonjour à tous", Order(ask=Ask.NOTHING)),
    ("merci à tous", Order(ask=Ask.NOTHING)),
    ("le dernier numéro était très bien", Order(ask=Ask.NOTHING)),
    ("le premier ministre", Order(ask=Ask.NOTHING)),
    ("merci pour l'article 3", Order((3,), ask=Ask.NOT_AN_ORDER)),
    ("je n'ai pas reçu le 4", Order((4,), ask=Ask.NOT_AN_ORDER)),
    ("1) l'adresse du délégué 2) des exemples 3) l'article n° 9 de votre dernière revue", Order((9,))),
]


@pytest.mark.parametrize(("text", "order"), TABLE)
def test_an_order_is_read_as_it_was_meant(text: str, order: Order):
    assert read(text) == order


SAME = (
    "3, 7 et 12|3;7;12|3 ; 7 ; 12|3 - 7 - 12|3-7-12|3/7/12|3 / 7 / 12|n°3, n° 7, No 12|#3 #7 #12|les articles 3 7 12 svp|trois, sept et douze|"
    "3,7,12|3 7 12|3+7+12|3 & 7 & 12|n3 n7 n12|N° 3 ; N° 7 ; N° 12|no 3, no 7, no 12|art. 3, art. 7, art. 12|articles 3, 7, 12|Article 3, article 7 et article 12|"
    "le 3, le 7 et le 12|Le 3, le 7 et le 12 s'il vous plaît|les 3, 7 et 12|les numéros 3, 7 et 12|3\n7\n12|- 3\n- 7\n- 12|3, 7 et 12 svp merci|3 et 7 puis 12|"
    "LES ARTICLES TROIS, SEPT ET DOUZE|le troisième, le septième et le douzième|3, 7, 12.|3, 7 et 12 !|Bonjour, 3, 7 et 12 merci. Nadia|"
    "Bonjour,\nPourriez-vous m'envoyer les articles 3, 7 et 12 ?\nCordialement\nNadia Benali\n02 99 03 07 12\n35000 KERBREC|"
    "je suis intéressée par le 3, le 7 et le 12|je voudrais recevoir 3, 7 et 12|3, 3, 7, 12 et 7|3 articles : 3, 7 et 12|3, 7 ainsi que 12|Les articles n°3, 7 & 12, merci d'avance|"
    "Merci de m'adresser les numéros suivants : 3, 7, 12"
)


@pytest.mark.parametrize("text", SAME.split("|"))
def test_forty_ways_of_one_order(text: str):
    assert read(text) == Order((3, 7, 12))


def test_an_article_is_described_when_it_has_no_number():
    order = read(
        "l'article de l'Ouest-Journal sur la tour qu'on va démolir aux Tilleuls, paru il y a une quinzaine"
    )

    assert order.numbers == ()
    assert order.titles == (
        "l'article de l'Ouest-Journal sur la tour qu'on va démolir aux Tilleuls, paru il y a une quinzaine",
    )


def test_the_subject_names_the_issue_and_stands_in_for_an_empty_text():
    assert read("Merci de m'envoyer cet article.", "article RP 2026-05 n°7") == Order(
        (7,), issue=IssueNamed(5, 2026)
    )
    assert read("3 et 7", "RE: Revue de presse n° 2026-05") == Order((3, 7), issue=IssueNamed(5, 2026))
    assert read("ok", "Re: Revue de presse 2026-05, articles 1 à 14").numbers == ()
    assert read("3", None).issue is None


def test_the_text_wins_over_the_subject():
    assert read("le 3 de la revue n° 6", "article RP 2026-05 n°7") == Order((3,), issue=IssueNamed(6))


def test_more_than_one_request_may_hold_is_marked():
    assert orders_text.read("1 à 6", last=14, most=5).many
    assert not orders_text.read("1 à 5", last=14, most=5).many


PIECES = st.sampled_from(
    [
        "3",
        "7",
        "12",
        "et",
        ",",
        "-",
        "à",
        "de",
        "du",
        "au",
        "le",
        "les",
        "n°",
        "pas",
        "sauf",
        "tous",
        "premier",
        "dernier",
        "premiers",
        "article",
        "trois",
        "pour Hugo",
        "de février",
        "(",
        ")",
        ".",
        "\n",
        "0",
        "999",
        "«",
        "»",
    ]
)


@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=25).map(" ".join)), st.integers(0, 40))
@settings(max_examples=300, deadline=None)
@example("1:DE TOUS:pour A0", 1)  # all there ever was, and one of it for somebody else
def test_no_text_raises_and_no_number_is_invented(text: str, last: int):
    order = orders_text.read(text, last=last, subject=text[:40])

    assert all(1 <= number <= last for number in order.numbers)
    assert len(set(order.numbers)) == len(order.numbers)
    assert all(not 1 <= number <= last for number in order.refused)
    assert {other.number for other in order.for_others} <= set(order.numbers)
    assert order.numbers or order.refused or order.titles or order.everything or order.ask


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "unit", ["3, ", "3-", "le ", "l'article sur ", '"', "pour Hugo ", "revue ", "3 à ", "¤", "1) "]
)
def test_a_long_text_takes_no_longer(unit: str):
    read(unit * 200_000, unit * 200_000)
