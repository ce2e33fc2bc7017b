"""Hints from the words of a question: which kind it may be, who is greeted, whether haste is claimed.

Hints are shown to staff, who decide; weak evidence gives none. Nothing here promises anything to anybody.
"""

import re
from dataclasses import dataclass

from mailhub.mail import french


@dataclass(frozen=True, slots=True)
class Hint:
    """A kind of request suggested by its words."""

    kind: str | None  # "quick_fact", "document_search", "topic_dossier"; None when the words are weak
    score: int  # weight of the suggested kind, or of the strongest when none is
    why: tuple[str, ...]  # the words that weighed


def suggest(text: str) -> Hint:
    """Suggest a kind of request, or none when the words do not say enough."""
    said = french.fold(text[:MOST_READ])
    weights: dict[str, int] = {}
    why: dict[str, list[str]] = {}
    for kind, clues in _CLUES.items():
        for clue, weight in clues:
            if found := clue.search(said):
                weights[kind] = weights.get(kind, 0) + weight
                why.setdefault(kind, []).append(found[0].strip())
    if not weights:
        return Hint(None, 0, ())
    kind = max(weights, key=lambda one: (weights[one], _EFFORT.index(one)))
    enough = weights[kind] >= ENOUGH
    return Hint(kind if enough else None, weights[kind], tuple(why[kind]))


def is_thanks_only(new_text: str) -> bool:
    """Say whether a text is nothing but thanks: few words, no question, no figure, no "and also"."""
    said = french.body(french.fold(new_text[:MOST_READ]))
    said = _TELEPHONE.sub(" ", said)
    spoken = french.words(said)
    return len(spoken) <= MOST_WORDS_OF_THANKS and bool(_THANKS.search(said)) and not _MORE.search(said)


def greeting_name(text: str) -> str | None:
    """The name greeted in the first words: "Bonjour Hugo," gives "Hugo", "Madame Le Gall," gives "Le Gall"."""
    found = _GREETED.match(text.lstrip()[:200])
    if not found:
        return None
    name = found["name"].strip(" -'’")
    first = name.split(" ")[0]
    # "Le Gall" is a name, "la Maire" a function.
    return None if first in {"le", "la", "les", "l'"} or french.fold(first) in _NOT_NAMES else name


def claims_urgent(text: str) -> bool:
    """Say whether the writer claims haste: "urgent", "pour demain", "au plus vite"."""
    return _URGENT.search(french.fold(text[:MOST_READ])) is not None


MOST_READ = 3000  # the question stands at the beginning; what follows are details
MOST_WORDS_OF_THANKS = 12  # desk.md P27
ENOUGH = 2  # one plain word such as "date" decides nothing

# The costlier kind wins a tie: a promise too long is kept more easily than one too short.
_EFFORT = ("quick_fact", "document_search", "topic_dossier")


def _clues(*weighed: tuple[str, int]) -> tuple[tuple[re.Pattern[str], int], ...]:
    return tuple((re.compile(rf"\b(?:{words})", re.ASCII), weight) for words, weight in weighed)


_CLUES = {
    "quick_fact": _clues(
        (
            r"combien\b(?! de villes| de communes| de collectivites)|quel(?:le)? est (?:le|la|l')|quels? sont les horaires",
            2,
        ),
        (r"nombre|nb\b|chiffres?\b|taux|population|montant|pourcentage|superficie", 2),
        (
            r"adresses?\b(?! (?:de |des )(?:villes|communes|bureaux|cabinets|structures|collectivites))|coordonnees|telephone|numero\b|tel\b|e-?mail de|contact de|horaires",
            2,
        ),
        (r"date\b|quand\b|a quelle date", 1),
        (r"(?:le )?texte de l|la circulaire|le decret|l'arrete\b|la loi\b|la convention", 2),
        (
            r"(?:avez|auriez)[- ]?vous (?:le|la|l'|ce|cette)\s?(?!liste)\w+|pouvez-vous me donner|pourriez-vous me donner|source\b",
            1,
        ),
    ),
    "document_search": _clues(
        (r"bureaux? d'etudes?|cabinets?\b|consultants?\b", 3),
        (r"intervenants?\b|experts?\b|formateurs?\b|conferenciers?\b", 3),
        (r"exemples?\b|experiences?\b|retours? d'experience|bonnes pratiques|initiatives", 3),
        (
            r"qui a (?:deja|fait)|quelles? villes?|(?:des|de|d'autres|les) (?:villes|communes|collectivites|agglos?) (?:qui|ayant|comparables|de taille)|villes comparables|et lesquel",
            3,
        ),
        (
            r"references?\b|bibliographie|ouvrages|articles sur|etudes? sur|rapports? sur|bilans?\b|documents? sur|documentation\b",
            3,
        ),
        (r"contacts\b|des contacts?\b|ou trouver|ou puis-je trouver|connaissez-vous|vers qui", 2),
    ),
    "topic_dossier": _clues(
        (r"dossier complet|dossier thematique|dossier documentaire", 6),
        (r"dossier\b(?! (?:de |du |d'|n))", 3),
        (r"tout ce que vous avez|tout ce qui existe|l'ensemble des (?:documents|textes)", 5),
        (r"etat des lieux|panorama\b(?! de presse)|synthese\b|tour d'horizon|etat de l'art", 4),
        (
            r"pour (?:un|le|mon|notre) (?:rapport|memoire|diagnostic)|prepare un rapport|pour preparer|rapport pour",
            2,
        ),
        (r"complet\b|approfondi|exhausti\w+", 1),
    ),
}

_TELEPHONE = re.compile(r"(?:\+33 ?|\b0)[1-9](?:[ .-]?\d\d){4}\b")
_THANKS = re.compile(
    r"\b(?:merci|mercis|remerci\w+|mrc|thanks|thank you|parfait|super|genial|top|impeccable|nickel|bien recu|c'est note|bravo|formidable|tres utile)\b"
)
# What makes thanks the beginning of something else.
_MORE = re.compile(
    r"\?|\b(?:auriez|avez-vous|pouvez|pourriez|pourrais|puis-je|serait-il|mais|cependant|toutefois|par contre|envoy(?:er|ez)|envoie|donner|"
    r"de (?:me|m'|nous|bien|ne)|d'(?:envoyer|avance)|m'(?:envoyer|adresser|indiquer)|aussi|egalement|encore une|besoin|manque|article|numero|n°|il me (?:faut|faudrait)|"
    r"en attente|j'attends|relance|urgent|comment|quand|quel\w*|svp|s'il vous plait|retirer|desabonn\w+|desinscri\w+|stop|annul\w+|je voudrais|je souhaite\w*)\b|\d"
)
_NAME = r"[A-ZÀ-ÖØ-Þ][\w’'.-]*"
_TITLE = r"(?:cher|chère|chere|madame|monsieur|mme|m\.|mr|mlle)"
_GREETED = re.compile(
    rf"(?:(?:re-?)?(?:bonjour|bonsoir|bjr|salut|coucou|hello|hi|dear)|{_TITLE})(?:\s+{_TITLE})*\s+"
    rf"(?P<name>(?-i:{_NAME})(?:\s+(?:(?-i:{_NAME})|de|du|le|la)){{0,2}}|[\w’'-]{{2,30}})[ \u00a0]*(?=[,!.:;\n-]|$)",
    re.IGNORECASE,
)
# Said to anybody: a function, a title, everyone.
_NOT_NAMES = frozenset(
    {
        "tous",
        "toutes",
        "tout",
        "toute",
        "a",
        "l'equipe",
        "equipe",
        "collegue",
        "collegues",
        "ami",
        "amis",
        "amie",
    }
    | {
        "monsieur",
        "madame",
        "mesdames",
        "messieurs",
        "mme",
        "maire",
        "president",
        "presidente",
        "directeur",
        "directrice",
        "prefet",
        "docteur",
    }
    | {"merci", "et", "sir", "all", "everyone", "team", "confrere", "consoeur", "je", "vous", "suite"}
)
_URGENT = re.compile(
    r"\b(?:urgent\w*|urgence|tres vite|au plus vite|au plus tot|le plus (?:vite|rapidement|tot) possible|des que possible|rapidement|asap|dans les (?:meilleurs|plus brefs) delais|"
    r"(?:pour|pr|avant|d'ici|des) (?:demain|ce soir|aujourd'hui|cet apres-midi|midi|lundi|mardi|mercredi|jeudi|vendredi)|aujourd'hui meme|dans l'heure|ce jour meme)\b"
    r"(?<!urgences)"
)
