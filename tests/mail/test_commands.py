"""Commands in staff replies: what is obeyed, what is refused, what is only text."""

import pytest

from mailhub.mail.commands import Command, Commands, read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bonjour,\nvoici.", Commands((), None, "Bonjour,\nvoici.")),
        ("#prendre", Commands((Command.TAKE,), None, "")),
        ("#Prendre\n#CLORE\n\nMerci.", Commands((Command.TAKE, Command.CLOSE), None, "Merci.")),
        ("#note\nvoir avec Yann", Commands((Command.NOTE,), None, "voir avec Yann")),
        ("#note voir avec Yann", Commands((Command.NOTE,), None, "voir avec Yann")),
        (
            "Bonjour Madame,\nvoici le chiffre.\n#clore",
            Commands((Command.CLOSE,), None, "Bonjour Madame,\nvoici le chiffre."),
        ),
        ("#close", Commands((Command.CLOSE,), None, "")),
        ("#prendr\nBonjour", Commands((), "#prendr", "#prendr\nBonjour")),
        ("Suivez le mot-clé\n#participation", Commands((), None, "Suivez le mot-clé\n#participation")),
        ("# titre en markdown", Commands((), None, "# titre en markdown")),
        ("#3 et #7", Commands((), None, "#3 et #7")),
        ("#prendre, #clore", Commands((), "#prendre, #clore", "#prendre, #clore")),
        ("#clore !\nMerci.", Commands((Command.CLOSE,), None, "Merci.")),
        ("#note : voir avec Yann.", Commands((Command.NOTE,), None, "voir avec Yann.")),
        (
            "#prendre je regarde demain\n#note",
            Commands((Command.NOTE,), "#prendre je regarde demain", "#prendre je regarde demain"),
        ),
        (
            "Bonjour,\nvoici.\n#clore car c’est répondu",
            Commands((), "#clore car c’est répondu", "Bonjour,\nvoici.\n#clore car c’est répondu"),
        ),
        ("#clore\n#clore", Commands((Command.CLOSE,), None, "")),
    ],
)
def test_what_a_staff_reply_commands(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    "line",
    [
        "\u200b#note",
        "\u00ad#note",
        "\u200e\u2060#\u2060note",
        "#no\u00adte",
        "*#note*",
        "- #note",
        "1. #note",
        "• #note voir avec Yann",
        "« #note »",
        "# note",
        "## NOTE :",
        "\uff03note",
        "#\ufe0f\u20e3note",
        "#note_interne",
        "#note!",
    ],
)
def test_no_dress_of_a_line_hides_a_note(line):
    """desk.md S43: what a mail program sets around the words never sends a note to the asker."""
    assert read(f"Bonjour,\nvoici.\n{line}").given == (Command.NOTE,)


@pytest.mark.parametrize(
    "line", ["\u200b#clore", "- #clore", "*#clore*", "# clore", "#\ufe0fclore !", "\uff03clore"]
)
def test_no_dress_of_a_line_lets_a_command_leave(line):
    assert read(f"Bonjour,\nvoici.\n{line}") == Commands((Command.CLOSE,), None, "Bonjour,\nvoici.")


@pytest.mark.parametrize(
    "line", ["> #note", "Voir #note", "# Notes de synthèse", "- #participation", "#notez"]
)
def test_what_only_looks_like_a_note_is_text(line):
    assert read(f"Bonjour,\n{line}") == Commands((), None, f"Bonjour,\n{line}")
