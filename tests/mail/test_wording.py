"""Folding: the quick way for Latin-1 and the general one say the same."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from mailhub.mail import wording
from mailhub.mail.wording import fold, fold_each


def test_words_as_a_reader_hears_them():
    assert fold("Élue, CŒUR, l’été — « où » ?") == "elue, coeur, l'ete - « ou » ?"
    assert fold("Straße\u00a0Ægir") == "strasse aegir"


@given(st.text(st.characters(max_codepoint=0x2FF), max_size=60))
def test_the_quick_way_says_what_the_general_one_says(text):
    plain = wording.replaced(text, wording._PLAIN)

    assert fold(text) == wording._without_accents(plain) or text.isascii() or "\u00df" in text.lower()


@given(
    st.lists(st.text(st.characters(max_codepoint=0x3FF, exclude_characters="\n"), max_size=20), min_size=1)
)
def test_lines_folded_together_read_as_each_alone(lines):
    assert fold_each(lines) == [fold(line) for line in lines]


def test_decomposed_letters_fold_as_composed_ones():
    assert fold(unicodedata.normalize("NFD", "réponse à l’élu")) == fold("réponse à l’élu")
