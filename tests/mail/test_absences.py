"""Until when, or for good: what an absence says."""

from datetime import date

import pytest

from mailhub.mail import absences

SENT = date(2026, 3, 3)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Je serai absente jusqu'au 23 mars.", date(2026, 3, 23)),
        ("Je serai absente jusqu’au lundi 23 mars 2026 inclus.", date(2026, 3, 23)),
        ("Absent du 3 au 10 mars, de retour le 11/03.", date(2026, 3, 11)),
        ("Je suis absent(e) du 03/03/2026 au 10/03/2026.", date(2026, 3, 10)),
        ("Je suis en congés. Retour le 1er avril.", date(2026, 4, 1)),
        ("De retour le 5 janvier.", date(2027, 1, 5)),
        ("AUTO: Anne Leroy est absente (retour 23/03/26)", date(2026, 3, 23)),
        ("I am out of the office until March 23rd, 2026.", date(2026, 3, 23)),
        ("I will be back on Monday 23 March.", date(2026, 3, 23)),
        ("Away until 2026-03-23.", date(2026, 3, 23)),
        ("Ich bin bis 23. März nicht im Büro.", date(2026, 3, 23)),
        ("Estaré ausente hasta el 23 de marzo.", date(2026, 3, 23)),
        ("Sono assente fino al 23 marzo.", date(2026, 3, 23)),
        ("Ik ben afwezig tot 23 maart.", date(2026, 3, 23)),
        ("Estou ausente até 23 de março.", date(2026, 3, 23)),
        ("Je suis absente. Urgences : 02 99 12 03 26.", None),
        ("Absent jusqu'au 31/02.", None),
        ("Absent jusqu'au 12/01/2020.", None),
        ("Je suis en réunion.", None),
    ],
)
def test_s36_the_date_of_return_is_kept(text: str, day: date | None):
    assert absences.until(text, SENT) == day


@pytest.mark.parametrize(
    "text",
    [
        "Je ne travaille plus ici, écrivez à Hervé.",
        "Je ne travaille plus au service habitat depuis janvier.",
        "Mme Benali a quitté la structure.",
        "Cette adresse mail n'est plus consultée.",
        "M. Daniel est parti à la retraite.",
        "Mme Benali ne fait plus partie de nos effectifs.",
        "Odile Le Gall a quitté Rennes Métropole.",
        "I no longer work here.",
        "Jean has left the company.",
        "Ich bin nicht mehr bei der Stadt tätig.",
        "Ya no trabajo aquí.",
    ],
)
def test_s36_someone_gone_for_good_is_a_task_for_the_team(text: str):
    assert absences.has_left(text)


@pytest.mark.parametrize(
    "text",
    [
        "Je serai absente jusqu'au 23 mars.",
        "Je quitte le bureau à 17 h.",
        "J'ai quitté le bureau jusqu'au 12 mars.",
        "Le service ne fait plus de prêts en mars.",
        "",
    ],
)
def test_an_ordinary_absence_is_not_a_departure(text: str):
    assert not absences.has_left(text)
