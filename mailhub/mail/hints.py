"""Hints from the words of a question: which kind it may be, whether haste is claimed, whether it is only thanks.

Hints are shown to staff, who decide; weak evidence gives none. Nothing here promises anything to anybody.
"""

import re
import string
from dataclasses import dataclass
from functools import lru_cache

from mailhub.mail import french


@dataclass(frozen=True, slots=True)
class Hint:
    """A kind of request suggested by its words."""

    kind: str | None  # "quick_fact", "document_search", "topic_dossier"; None when the words are weak
    why: tuple[str, ...]  # the words that weighed


def suggest(text: str) -> Hint:
    """Suggest a kind of request, or none when the words do not say enough."""
    said, beginnings = _heard(text)
    weights: dict[str, int] = {}
    why: dict[str, list[str]] = {}
    for kind, clues in _CLUES.items():
        for clue in clues:
            if found := clue.search(said, beginnings):
                weights[kind] = weights.get(kind, 0) + clue.weight
                why.setdefault(kind, []).append(found)
    if not weights:
        return Hint(None, ())
    kind = max(weights, key=lambda one: (weights[one], _EFFORT.index(one)))
    enough = weights[kind] >= ENOUGH
    return Hint(kind if enough else None, tuple(why[kind]))


def is_thanks_only(new_text: str) -> bool:
    """Say whether a text is nothing but thanks: few words, no question, no figure, no "and also"."""
    said = french.body(french.fold(new_text[:MOST_READ]))
    said = _TELEPHONE.sub(" ", said)
    spoken = french.words(said)
    return len(spoken) <= MOST_WORDS_OF_THANKS and bool(_THANKS.search(said)) and not _MORE.search(said)


def is_recall(new_text: str) -> bool:
    """Say whether a text is what Outlook writes for whoever wants a mail of theirs back, which no mail outside can be."""
    return _RECALL.fullmatch(french.fold(new_text[:MOST_READ]).strip()) is not None


def claims_urgent(text: str) -> bool:
    """Say whether the writer claims haste: "urgent", "pour demain", "au plus vite" (S04)."""
    return _HASTE.search(*_heard(text)) is not None


@lru_cache(8)  # what a question hints at is asked once when it is filed, and again when it is shown
def _heard(text: str) -> tuple[str, frozenset[str]]:
    """The beginning of a text, folded, and the first letters of its words."""
    said = french.fold(text[:MOST_READ])
    return said, frozenset(word[:_BEGINNING] for word in french.vocabulary(said).translate(_BLANKS).split())


MOST_READ = 3000  # the question stands at the beginning; what follows are details
MOST_WORDS_OF_THANKS = 12  # desk.md P27
ENOUGH = 2  # one plain word such as "date" decides nothing

_BEGINNING = 3  # letters
_BLANKS = {ord(mark): " " for mark in string.punctuation}

# The costlier kind wins a tie: a promise too long is kept more easily than one too short.
_EFFORT = ("quick_fact", "document_search", "topic_dossier")


@dataclass(frozen=True, slots=True)
class _Clue:
    """Words that speak for a kind; few are searched for, since most texts lack the letters they begin with."""

    weight: int
    wordings: tuple[tuple[str, str, re.Pattern[str]], ...]

    def search(self, said: str, beginnings: frozenset[str]) -> str | None:
        for beginning, letters, wording in self.wordings:
            if beginning not in beginnings:
                continue
            at = said.find(letters)  # many times quicker than the search of a regular expression
            while at >= 0:
                if found := wording.match(said, at):
                    return found[0].strip()
                at = said.find(letters, at + 1)
        return None


def _clue(weight: int, *wordings: str) -> _Clue:
    """Wordings are regular expressions that begin with plain letters."""
    begun = ((_letters(each), re.compile(rf"\b{each}", re.ASCII)) for each in wordings)
    return _Clue(weight, tuple((_beginning(letters), letters, wording) for letters, wording in begun))


def _letters(wording: str) -> str:
    """The letters a regular expression begins with, up to the first that may be missing."""
    found = re.match(r"[a-z' -]+(?![?*])", wording)
    assert found is not None, wording
    return found[0]


def _beginning(letters: str) -> str:
    return letters.translate(_BLANKS).split()[0][:_BEGINNING]


_TOWNS = r"(?:villes|communes|collectivites|agglos?) (?:qui|ayant|comparables|de taille)"
_CLUES = {
    "quick_fact": (
        _clue(
            2,
            r"combien\b(?! de villes| de communes| de collectivites)",
            r"quel(?:le)? est (?:le|la|l')",
            r"quels? sont les horaires",
        ),
        _clue(
            2,
            r"nombre",
            r"nb\b",
            r"chiffres?\b",
            r"taux",
            r"population",
            r"montant",
            r"pourcentage",
            r"superficie",
        ),
        _clue(
            2,
            r"adresses?\b(?! (?:de |des )(?:villes|communes|bureaux|cabinets|structures|collectivites))",
            r"coordonnees",
            r"telephone",
            r"numero\b",
            r"tel\b",
            r"email de",
            r"e-mail de",
            r"contact de",
            r"horaires",
        ),
        _clue(1, r"date\b", r"quand\b", r"a quelle date"),
        _clue(
            2,
            r"texte de l",
            r"la circulaire",
            r"le decret",
            r"l'arrete\b",
            r"la loi\b",
            r"la convention",
        ),
        _clue(
            1,
            r"avez[- ]?vous (?:le|la|l'|ce|cette)\s?(?!liste)\w+",
            r"auriez[- ]?vous (?:le|la|l'|ce|cette)\s?(?!liste)\w+",
            r"pouvez-vous me donner",
            r"pourriez-vous me donner",
            r"source\b",
        ),
    ),
    "document_search": (
        _clue(3, r"bureaux? d'etudes?", r"cabinets?\b", r"consultants?\b"),
        _clue(3, r"intervenants?\b", r"experts?\b", r"formateurs?\b", r"conferenciers?\b"),
        _clue(
            3,
            r"exemples?\b",
            r"experiences?\b",
            r"retours? d'experience",
            r"bonnes pratiques",
            r"initiatives",
        ),
        _clue(
            3,
            r"qui a (?:deja|fait)",
            r"quelles? villes?",
            rf"des {_TOWNS}",
            rf"de {_TOWNS}",
            rf"d'autres {_TOWNS}",
            rf"les {_TOWNS}",
            r"villes comparables",
            r"et lesquel",
        ),
        _clue(
            3,
            r"references?\b",
            r"bibliographie",
            r"ouvrages",
            r"articles sur",
            r"etudes? sur",
            r"rapports? sur",
            r"bilans?\b",
            r"documents? sur",
            r"documentation\b",
        ),
        _clue(
            2,
            r"contacts\b",
            r"des contacts?\b",
            r"ou trouver",
            r"ou puis-je trouver",
            r"connaissez-vous",
            r"vers qui",
        ),
    ),
    "topic_dossier": (
        _clue(6, r"dossier complet", r"dossier thematique", r"dossier documentaire"),
        _clue(3, r"dossier\b(?! (?:de |du |d'|n))"),
        _clue(5, r"tout ce que vous avez", r"tout ce qui existe", r"l'ensemble des (?:documents|textes)"),
        _clue(
            4,
            r"etat des lieux",
            r"panorama\b(?! de presse)",
            r"synthese\b",
            r"tour d'horizon",
            r"etat de l'art",
        ),
        _clue(
            2,
            r"pour (?:un|le|mon|notre) (?:rapport|memoire|diagnostic)",
            r"prepare un rapport",
            r"pour preparer",
            r"rapport pour",
        ),
        _clue(1, r"complet\b", r"approfondi", r"exhausti\w+"),
    ),
}

_TELEPHONE = re.compile(r"(?:\+33 ?|\b0)[1-9](?:[ .-]?\d\d){4}\b")
_THANKS = re.compile(
    r"\b(?:merci|mercis|remerci\w+|mrc|thanks|thank you|parfait|super|genial|top|impeccable|nickel|bien recu|c'est note|bravo|formidable|tres utile)\b"
)
# What makes thanks the beginning of something else.
_MORE = re.compile(
    r"\?|\bn'|\bmerci de \w+(?:er|ir|re)\b|\b(?:ne|pas|jamais|faux|fausse|erreur|incorrect\w*|inexact\w*|probleme\w*|auriez|avez-vous|pouvez|pourriez|pourrais|puis-je|serait-il|mais|cependant|toutefois|par contre|envoy(?:er|ez)|envoie|donner|"
    r"de (?:me|m'|nous|bien|ne)|d'(?:envoyer|avance)|m'(?:envoyer|adresser|indiquer)|aussi|egalement|encore une|besoin|manque|article|numero|n°|il me (?:faut|faudrait)|"
    r"en attente|j'attends|relance|urgent|comment|quand|quel\w*|svp|s'il vous plait|retirer|desabonn\w+|desinscri\w+|stop|annul\w+|je voudrais|je souhaite\w*)\b|\d"
)
_RECALL = re.compile(
    r"[^\n]{1,80} (?:would like to recall|(?:souhait\w+|voudrait|aimerait|desire) rappeler) (?:the|le) message\b[^\n]{0,300}"
)
_SOON = r"(?:demain|ce soir|aujourd'hui|cet apres-midi|midi|lundi|mardi|mercredi|jeudi|vendredi)\b"
_HASTE = _clue(
    1,
    r"urgent",
    r"urgence\b",
    r"tres vite\b",
    r"au plus (?:vite|tot)\b",
    r"le plus (?:vite|rapidement|tot) possible\b",
    r"des que possible\b",
    r"rapidement\b",
    r"asap\b",
    r"dans les (?:meilleurs|plus brefs) delais\b",
    r"dans l'heure\b",
    r"aujourd'hui meme\b",
    r"ce jour meme\b",
    *(rf"{before} {_SOON}" for before in ("pour", "pr", "avant", "d'ici", "des")),
)
