"""Whatever stands in a file of settings or of a list, what is wrong is a sentence for whoever wrote it."""

import pytest

from mailhub import config, lists
from mailhub.centre.cadences import parse
from mailhub.lists import Circle, Publication, Schedule, Section

VALUES = (
    *("5", "-1", "1.5", "nan", "99999999999999999999", "true", '""', '"x"', "2026-01-01", "12:00:00"),
    *("[]", "[5]", '["x"]', "[[1]]", "{}", "{a = 1}"),
)
PROGRAMMERS = ("nput", "instance of", "valid string", "tuple", "dictionary")  # how pydantic speaks


def understandable(said):
    return said and not any(word in said for word in PROGRAMMERS)


@pytest.mark.parametrize("value", VALUES)
def test_a_wrong_setting_is_told_in_words_of_the_file(tmp_path, value):
    said = []
    for name, _, fields in config.sections():
        for written in (f"{name} = {value}", *(f"[{name}]\n{field} = {value}" for field in fields)):
            (tmp_path / "mailhub.toml").write_text(written)
            _, problems = config.examine(tmp_path, {})
            said += [problem.says for problem in problems]

    assert [sentence for sentence in said if not understandable(sentence)] == []


@pytest.mark.parametrize("value", VALUES)
def test_a_wrong_key_of_a_list_is_told_in_words_of_the_file(tmp_path, value):
    said = []
    tables = (
        ("", Publication),
        ('kind = "circle"\n', Circle),
        ("[schedule]\n", Schedule),
        ("[[sections]]\n", Section),
    )
    for above, model in tables:
        for field in model.model_fields:
            (tmp_path / "revue.toml").write_text(f"{above}{field} = {value}\n")
            _, problems = lists.examine(tmp_path, cadence=parse)
            said += [problem.says for problem in problems]

    assert said
    assert [sentence for sentence in said if not understandable(sentence)] == []
