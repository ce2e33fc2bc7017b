"""What remains of a subject when the prefixes of mail clients are gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailhub.mail import subjects

PREFIXES = [
    "RE: ",
    "Re: ",
    "re:",
    "RE : ",
    "RÉ: ",
    "Ré : ",
    "Réf : ",
    "R: ",
    "Re[2]: ",
    "Re(3): ",
    "RE^2: ",
    "AW: ",
    "Antw: ",
    "SV: ",
    "VS: ",
    "Odp: ",
    "TR: ",
    "Tr : ",
    "TR : ",
    "Fwd: ",
    "FW: ",
    "Fw : ",
    "WG: ",
    "RV: ",
    "I: ",
    "ENC: ",
    "Doorst: ",
    "PD: ",
    "VB: ",
    "Réponse automatique : ",
    "Réponse automatique\xa0: ",
    "Automatic reply: ",
    "Automated Response: ",
    "Lu : ",
    "Non lu : ",
    "Accepté : ",
    "Refusé : ",
    "Provisoire : ",
    "Annulé : ",
    "Absence du bureau : ",
    "Absent(e) du bureau : ",
    "Out of Office: ",
    "Rappel : ",
    "Remis : ",
    "Non remis : ",
    "[lettre] ",
    "[Q-2026-0143] ",
    "RE: TR: Re : ",
    "Automated Response: Re: Automated Response: Re: ",
    "[lettre] RE: [lettre] ",
    "Re:\xa0",
    "RE：",
]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_equal_conversations_have_equal_subjects(prefix: str):
    assert subjects.base(f"{prefix}Écoles de Kerbrec : effectifs") == "Écoles de Kerbrec : effectifs"
    assert subjects.key(f"{prefix}ECOLES de Kerbrec : effectifs") == "ecoles de kerbrec : effectifs"


@pytest.mark.parametrize(
    "subject",
    [
        "Recherche : bilan",
        "Reims : quartiers",
        "Transports : étude",
        "Fwd",
        "Revue de presse",
        "Infos",
        "Résumé : la loi",
        "I have a question",
    ],
)
def test_words_are_not_prefixes(subject: str):
    assert subjects.base(subject) == subject


def test_our_reference_does_not_make_another_conversation():
    assert subjects.key("Re: votre question [Q-2026-0143]") == subjects.key("Votre question")
    assert subjects.key("[Ticket #4711] Re: [Q-2026-0150] Accusé") == "accuse"


def test_a_subject_of_nothing_but_marks_keeps_the_last():
    assert subjects.base("[urgent]") == "[urgent]"
    assert subjects.base("Re: [urgent]") == "[urgent]"
    assert subjects.base("Re: Re:") == ""
    assert subjects.base("") == ""


def test_tags_may_be_kept():
    assert subjects.base("RE: [lettre] n° 57", keep_tags=True) == "[lettre] n° 57"


@pytest.mark.parametrize(
    "subject",
    [
        "TR: x",
        "Tr : x",
        "TR\u00a0: x",
        "Fwd: x",
        "FW: x",
        "WG: x",
        "RV: x",
        "I: x",
        "Doorst: x",
        "[lettre] TR: Re: x",
        "Enc: x",
    ],
)
def test_a_forward_is_recognised(subject: str):
    assert subjects.is_forward(subject)


@pytest.mark.parametrize("subject", ["RE: x", "RE: TR: x", "x", "", "Travaux : x", "Infos : x", "Lu : x"])
def test_what_is_no_forward(subject: str):
    assert not subjects.is_forward(subject)


@given(st.text(max_size=100))
def test_no_subject_raises_and_a_base_has_no_prefix(subject: str):
    base = subjects.base(subject)

    assert subjects.base(base) == base
    assert subjects.is_forward(subject) in {True, False}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", ["Re: ", "[a", "[a]", "Q-", " ", "re", "\u00e9"])
def test_long_subjects_are_read_in_linear_time(unit: str):
    subjects.key(unit * 100_000)
    subjects.is_forward(unit * 100_000)
