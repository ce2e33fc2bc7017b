"""Words as a reader hears them: no capitals, no accents, no typographic quotes.

Every list of phrases in this folder is written in that plain form and compared with `fold`ed text.
"""

import re
import unicodedata

# Combining marks of Latin, Greek and Cyrillic; the marks of Japanese kana change the letter and stay.
ACCENTS = re.compile(r"[\u0300-\u036f]")
PLAIN = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\u202f": " "}
    | {
        "\u2010": "-",
        "\u2011": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u0153": "oe",
        "\u00e6": "ae",
        "\u00df": "ss",
    }
)


def fold(text: str) -> str:
    """Lower case, without accents, with plain apostrophes, dashes and spaces; lines stay lines."""
    if text.isascii():
        return text.lower()
    lower = text.lower().translate(PLAIN)
    return unicodedata.normalize("NFC", ACCENTS.sub("", unicodedata.normalize("NFD", lower)))


def phrases(*spellings: str) -> re.Pattern[str]:
    """One pattern out of many spellings, each a regular expression over folded text."""
    return re.compile("|".join(spellings))
