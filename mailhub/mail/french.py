"""French as it is typed into mail: folding, clauses, number words and dates.

Everything here is indifferent to case and accents, and to how a keyboard writes an apostrophe or a dash. `fold`
comes first; the other functions take folded text.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from mailhub.mail import wording

_SPACES = re.compile(r" {2,}")

# What keyboards and clients write besides what `wording.fold` knows.
_TYPED = (
    *((mark, "'") for mark in "´`‛′"),
    *((dash, "-") for dash in "‒−"),
    *((quote, '"') for quote in "«»„‟"),
    *((space, " ") for space in "\u2009\u2007\t"),
    *((nothing, "") for nothing in "\u200b\u200c\u200d\u2060\ufeff\u00ad"),
    ("º", "°"),
    ("№", "n°"),
    ("：", ":"),
    ("…", "..."),
)


@lru_cache(8)  # one question is looked at several times
def fold(text: str) -> str:
    """Text as `wording.fold` makes it, and without double spaces, invisible characters and typed accents."""
    folded = wording.fold(wording.replaced(text, _TYPED))
    return _SPACES.sub(" ", folded) if "  " in folded else folded


@lru_cache(8)  # the same question is searched for hints, and for its like
def vocabulary(folded: str) -> str:
    """The different words of a text, once each: less to search, where their order does not matter."""
    return " ".join(dict.fromkeys(folded.split()))


def fold_in_place(text: str) -> str:
    """Fold each character by itself, so that positions stay those of the text; what would change length stays."""
    if text.isascii():
        return text.lower()
    return "".join(map(_fold_one, text))


@lru_cache(4096)  # as many characters as are ever met in one correspondence
def _fold_one(char: str) -> str:
    return folded if len(folded := fold(char)) == 1 else char


def words(folded: str) -> list[str]:
    """The words of folded text, elisions apart: "l'article" is two."""
    return re.findall(r"[a-z0-9]+'?", folded)


# --- greeting and closing -----------------------------------------------------------------------------------

_NO_NAME = r"(?!(?:je|j'|nous|vous|me|m'|merci|ne|pouvez|pourriez|veuillez|stop|svp|est|sera|ser|part|quitte|souhait|a|au|n'|comment|suite|voici)\b)"
_NAMES = rf"(?:\s{_NO_NAME}[\w.'-]+){{0,4}}?"
_GREETING = re.compile(
    rf"(?:(?:re)?bonjour|bonsoir|bjr|bsr|salut|coucou|hello|hi|dear)\b(?:{_NAMES}\s?[,!:\n]|\s?[,!:.;-]|(?=\s)|$)\s*"
    rf"|(?:cher|chere|chers|cheres|madame|monsieur|mesdames|messieurs|mme|mr?\.?)\b{_NAMES}\s?[,!\n]\s*"
)
_CLOSING = re.compile(
    r"(?:(?:bien|tres|sinceres?|meilleures?|respectueuses?)\s)*"
    r"(?:cordialement|cdl?t|cordialmt|slts?|salutations?|bien a (?:vous|toi)|a (?:bientot|plus)\b|bonne (?:journee|soiree|continuation|"
    r"reception|semaine|fin de journee)|bon(?:ne)? (?:week-?end|apres-midi|courage)|veuillez (?:agreer|recevoir)|"
    r"(?:je vous prie|nous vous prions) d'(?:agreer|accepter)|recevez,|dans l'attente|best regards|kind regards|regards\b|sincerely)"
)


def body(folded: str) -> str:
    """What is said between the greeting and the polite closing."""
    text = folded.strip()
    while greeting := _GREETING.match(text):
        text = text[greeting.end() :]
    for closing in _CLOSING.finditer(text):
        before = text[: closing.start()].rstrip(" ")
        # Only where a sentence may begin: "je vous souhaite bonne reception" is no closing.
        if not before or before[-1] in ".,;!?\n" or closing.start() == 0:
            return before.rstrip(" ,;\n")
    return text.rstrip()


def is_greeting(folded: str) -> bool:
    """Say whether a line greets and says nothing else: « Bonjour à toutes et à tous »."""
    said = words(folded)
    if not said or said[0] not in _GREETS or len(said) > _LONGEST_GREETING:
        return False
    named = [word for word in said[1:] if word not in _GREETED]
    return len(named) <= 3 and not any(
        word in _SAYING or word in ORDINALS or number(word) is not None for word in named
    )


_LONGEST_GREETING = 10  # words
_GREETS = frozenset(
    """
    bonjour rebonjour bonsoir bjr bsr salut coucou hello hi dear cher chere chers cheres madame monsieur mesdames
    messieurs mme
    """.split()  # noqa: SIM905 — as they are read
)
_GREETED = frozenset(
    """
    a au aux tous toutes toute tout vous toi et le la les l' de du des d' mon ma mes m mr mme mlle dr cher chere chers
    cheres madame monsieur mesdames messieurs collegue collegues ami amie amis amies membres equipe president
    presidente maire directeur directrice
    """.split()  # noqa: SIM905 — as they are read
)
# Words of sentences, which no name is.
_SAYING = frozenset(
    """
    je j' nous me m' merci ne n' pas pour oui non ok accord entendu pouvez pourriez veuillez stop svp est sont sera
    c' ca ci suis ai avons voici suite comment quand article articles
    """.split()  # noqa: SIM905 — as they are read
)


# A dot within an address or number, or after a title: it ends no sentence.
_INNER_DOT = re.compile(r"(?<=\w)\.(?=\w)|(?<=\b[mnMN])\.|(?<=\b(?:[Mm]r|[Dd]r|[Nn]o|[Ss]t))\.")


def clauses(folded: str) -> list[str]:
    """Folded text cut where one statement ends and another may begin, each with its final mark."""
    found = re.findall(r"[^.!?\n;]+(?:[.!?;]+|\n|$)", _INNER_DOT.sub("\x00", folded))
    return [clause.replace("\x00", ".").strip() for clause in found if clause.strip(" .!?;\n\x00")]


def parts(folded: str) -> list[str]:
    """The smallest pieces of folded text that say one thing: clauses cut at commas and joining words."""
    return [part for clause in clauses(folded) for part in _JOINT.split(clause) if part.strip(" .!?")]


_JOINT = re.compile(
    r"\s*(?:[,:()]|\s-\s|\bmais\b|\bpar contre\b|\bcependant\b|\bcar\b|\bdonc\b|"
    r"\bet (?=(?:je|merci|nous|abonn|inscri|pouvez|pourriez|desabonn|desinscri|retir|arret|suspen|stop|ne |gard|plus |me |mon |ajout|la |veuillez)))\s*"
)


# --- numbers ------------------------------------------------------------------------------------------------

_UNITS = [
    "zero",
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
]
_TENS = {"vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "quatre-vingt": 80}
_ENGLISH = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}


def _cardinals() -> dict[str, int]:
    """Every number word from zero to ninety-nine, hyphenated."""
    small = {word: value for value, word in enumerate(_UNITS)} | {
        "dix-sept": 17,
        "dix-huit": 18,
        "dix-neuf": 19,
    }
    table = small | {"une": 1, "quatre-vingts": 80}
    for word, ten in _TENS.items():
        table[word] = ten
        most = 20 if ten in {60, 80} else 10
        for unit, value in small.items():
            if 0 < value < most:
                table[f"{word}-{unit}"] = ten + value
                if value in {1, 11}:
                    table[f"{word}-et-{unit}"] = ten + value
    return table


CARDINALS = _cardinals()
ORDINALS = {
    "premier": 1, "premiere": 1, "deuxieme": 2, "second": 2, "seconde": 2, "troisieme": 3, "quatrieme": 4, "cinquieme": 5,
    "sixieme": 6, "septieme": 7, "huitieme": 8, "neuvieme": 9, "dixieme": 10, "onzieme": 11, "douzieme": 12,
    "treizieme": 13, "quatorzieme": 14, "quinzieme": 15, "seizieme": 16, "dix-septieme": 17, "dix-huitieme": 18,
    "dix-neuvieme": 19, "vingtieme": 20,
}  # fmt: skip
NUMBER_WORD = "|".join(
    re.escape(word).replace(r"\-", "[ -]") for word in sorted(CARDINALS | _ENGLISH, key=len, reverse=True)
)
NUMBER = rf"(?:\d{{1,4}}|{NUMBER_WORD})"


def number(word: str) -> int | None:
    """The value of a number in digits or in words: "12", "douze", "vingt et un"."""
    if word.isascii() and word.isdigit():
        return int(word)
    hyphened = "-".join(word.replace("-", " ").split())
    return CARDINALS.get(hyphened, _ENGLISH.get(hyphened))


# --- dates --------------------------------------------------------------------------------------------------

_MONTHS = {
    "janvier": 1, "janv": 1, "january": 1, "fevrier": 2, "fevr": 2, "fev": 2, "february": 2, "mars": 3, "march": 3,
    "avril": 4, "avr": 4, "april": 4, "mai": 5, "may": 5, "juin": 6, "june": 6, "juillet": 7, "juil": 7, "july": 7,
    "aout": 8, "august": 8, "septembre": 9, "sept": 9, "september": 9, "octobre": 10, "oct": 10, "october": 10,
    "novembre": 11, "nov": 11, "november": 11, "decembre": 12, "dec": 12, "december": 12,
}  # fmt: skip
_WEEKDAYS = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"]
MONTH_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATES = re.compile(
    rf"""(?x)
      \b(?P<d1>\d{{1,2}}|1er|premier)\s?(?:er|st|nd|rd|th)?\s(?:of\s)?(?P<m1>{MONTH_NAMES})\b\.?(?:\s(?P<y1>\d{{4}}))?
    | \b(?P<m2>{MONTH_NAMES})\s(?P<d2>\d{{1,2}})(?:st|nd|rd|th)\b(?:,?\s(?P<y2>\d{{4}}))?
    | \b(?P<d3>\d{{1,2}})[/.-](?P<m3>\d{{1,2}})(?:[/.-](?P<y3>\d{{4}}|\d{{2}}))?\b(?![/.-]\d)
    | \b(?P<y4>\d{{4}})-(?P<m4>\d{{2}})-(?P<d4>\d{{2}})\b
    | \b(?P<edge>fin|debut|mi|la\sfin|le\sdebut|end\sof)[ -](?:de\s|d'|du\smois\sde\s|du\smois\sd')?(?P<m5>{MONTH_NAMES})\b(?:\s(?P<y5>\d{{4}}))?
    | \b(?:en|au\smois\sde|au\smois\sd'|jusqu'a|in|until)\s?(?P<m6>{MONTH_NAMES})\b(?!\s\d{{1,2}}(?!\d))(?:\s(?P<y6>\d{{4}}))?
    | \b(?P<near>demain|tomorrow|apres-demain)\b
    | \b(?P<weekday>{"|".join(_WEEKDAYS)})\b(?!\s\d)
    | \b(?:la\s)?(?P<term>rentree)\b
    """
)


def month(name: str) -> int | None:
    """The number of a month by its name or short name."""
    return _MONTHS.get(name)


@dataclass(frozen=True, slots=True)
class Dated:
    """A day named in a text, and where."""

    day: date
    start: int
    end: int


def dates(folded: str, *, now: date) -> Iterator[Dated]:
    """The days a text names, each read as the next one to come when it has no year."""
    for found in _DATES.finditer(folded):
        day = _day(found, now)
        if day:
            yield Dated(day, *found.span())


def span(folded: str, *, now: date) -> date | None:
    """The end of a stretch of time that begins now: "pendant trois mois", "15 jours", "two weeks"."""
    found = re.search(
        rf"\b({NUMBER})\s(jours?|semaines?|mois|ans?|annees?|days?|weeks?|months?|years?)\b", folded
    )
    count = number(found[1]) if found else None
    if not found or not count or count > 120:
        return None
    unit = found[2].rstrip("s")
    if unit in {"jour", "day", "semaine", "week"}:
        return now + timedelta(days=count * (1 if unit in {"jour", "day"} else 7))
    months = now.month - 1 + count * (1 if unit in {"moi", "month"} else 12)
    year, month = now.year + months // 12, months % 12 + 1
    return date(year, month, min(now.day, calendar.monthrange(year, month)[1]))


def _day(found: re.Match[str], now: date) -> date | None:
    named = found.groupdict()
    if named["near"]:
        return now + timedelta(days=2 if named["near"] == "apres-demain" else 1)
    if named["weekday"]:
        return now + timedelta(days=(_WEEKDAYS.index(named["weekday"]) - now.weekday() - 1) % 7 + 1)
    if named["term"]:
        return _coming(now, None, 9, 1)  # the French school year begins in September
    form = next((form for form in "123456" if named.get(f"m{form}")), None)
    if form is None:
        return None
    written_month = named[f"m{form}"]
    number_of_month = _MONTHS.get(written_month) or (int(written_month) if written_month.isdigit() else 0)
    if not 1 <= number_of_month <= 12:
        return None
    year = int(named[f"y{form}"]) if named.get(f"y{form}") else None
    year = year + 2000 if year is not None and year < 100 else year
    written = named.get(f"d{form}")
    if written:
        day = 1 if written in {"1er", "premier"} else int(written)
    elif named["edge"] and named["edge"].endswith(("fin", "end of")):
        day = 31
    else:
        day = 15 if named["edge"] == "mi" else 1
    exact = bool(written)
    return _coming(now, year, number_of_month, day, exact=exact)


def _coming(now: date, year: int | None, month: int, day: int, *, exact: bool = False) -> date | None:
    """That day of that year, or the next such day after today; None when there is no such day."""
    for candidate in (year,) if year else (now.year, now.year + 1):
        if not 1 <= candidate <= 9999:
            return None
        last = calendar.monthrange(candidate, month)[1]
        if day < 1 or (exact and day > last):
            return None
        found = date(candidate, month, min(day, last))
        if year or found >= now:
            return found
    return None
