"""Answers to an invitation in plain words: yes, no, perhaps, somebody else, and how many come.

A question alone is no answer; words that say both yes and no are a person's to read.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from mailhub.mail import french
from mailhub.mail.reasons import Reason


class Answer(StrEnum):
    """What is said of coming. The first three are the PARTSTAT of RFC 5545 in our words."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"
    REPRESENTED = "represented"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it was understood."""

    answer: Answer | None  # None: no answer was given
    why: str = ""  # their words that gave it
    reason: Reason | None = None  # our rule, or the doubt
    people: int = 1
    represented_by: str | None = None
    remark: str = ""  # what else the person wrote about their coming, in their own words
    doubt: bool = False


def read(new_text: str, said: str | None = None) -> Reply:
    """Read an answer to an invitation. `said` is the folded body, when the caller has it already."""
    folded = french.body(french.fold(new_text)) if said is None else said
    plain = _HARMLESS.sub(" ", folded)
    found = {
        answer: match[0].strip() for answer, pattern in _PATTERNS.items() if (match := pattern.search(plain))
    }
    remark = _remark(new_text)
    if doubtful := _DOUBTFUL.search(plain):
        return Reply(None, doubtful[0], Reason.UNCLEAR, doubt=True)
    if "?" in folded and re.search(r"\bsi\b", plain) and Answer.YES in found:
        return Reply(None, reason=Reason.ON_A_CONDITION, doubt=True)
    answer = _decide(set(found), plain)
    if answer is None:
        if found:
            return Reply(None, ", ".join(sorted(found.values())), Reason.SEVERAL_ANSWERS, doubt=True)
        # "L'après-midi seulement": when, so that they do.
        answer = Answer.YES if remark and "?" not in folded else None
        return Reply(answer, remark, None if remark else Reason.NO_ANSWER, remark=remark)
    why = found.get(answer, folded[:60])
    deputy = _deputy(new_text) if answer is Answer.REPRESENTED else None
    people = _people(plain) if answer in {Answer.YES, Answer.MAYBE} else 1
    return Reply(answer, why, people=people, represented_by=deputy, remark=remark)


def _decide(found: set[Answer], plain: str) -> Answer | None:
    """One answer out of those the words show, or None."""
    if Answer.REPRESENTED in found:
        return Answer.REPRESENTED
    if Answer.MAYBE in found and Answer.NO not in found:
        return Answer.MAYBE
    if found == {Answer.YES} and re.search(r"\bsi (?!vous|besoin|possible)\w+", plain):
        return Answer.MAYBE
    return next(iter(found)) if len(found) == 1 else None


# Said before any answer: "pas de souci, je viens", "non seulement".
_HARMLESS = re.compile(
    r"\bpas de (?:soucis?|probleme)s?\b|\bsans (?:soucis?|probleme)\b|\bnon seulement\b|\bn'hesitez pas\b|\bs'il (?:vous|te) plait\b|\bbien entendu\b"
)
_DOUBTFUL = re.compile(
    r"\bpas moi\b|\bvoyez avec\b|\bdemandez (?:a|lui)\b|\bne sais pas si (?:m|mme|mr|il|elle|mon|ma|monsieur|madame)\b"
)
_PATTERNS = {
    Answer.REPRESENTED: re.compile(
        r"\brepresente\w*|\brepresenter\b|\bme remplacera\b|\bme remplace\b|\bremplacee? par\b|\b(?:viendra|ira|sera (?:la|presente?)) a ma place\b|\bme fai[st] (?:representer|remplacer)\b|\bme ferai (?:representer|remplacer)\b"
    ),
    Answer.MAYBE: re.compile(
        r"\bsous reserve\b|\ba confirmer\b|\bsi (?:mon|l'|notre) ?agenda\b|\bpeut-etre\b|\bne sai[st] pas(?: encore)?\b|\bprobable\w*|\bsans doute\b|\bessa[iy]er\w*|\btacher\w*|\bil (?:se peut|est possible) qu|\bmon possible\b|\ba priori\b|\ben principe\b|\bselon (?:mon|mes|l)\b|\beventuellement\b|\bmaybe\b|\bpas encore\b|\bpas (?:sure?|certaine?)\b|\bj'espere (?:pouvoir|etre)\b|\bperhaps\b|\bnot sure\b|\bvous (?:re)?confirme(?:rai)? (?:la semaine|plus tard|des que|rapidement|d'ici|demain)"
    ),
    Answer.NO: re.compile(
        r"^non\b|\bnon merci\b|\bnon pour\b|^no\b|\bne (?:\w+ )?(?:pourr\w+|peu[xt]|pouvons|vien\w+|particip\w+|ser(?:ai|ons|a)|suis|assister\w*|sommes)\b(?: \w+)?(?: pas| point| malheureusement| plus)\b(?! (?:sure?|certaine?|encore|contre|oppose))|\bne pourra etre\b|\bne pourrai (?:pas|etre|venir|malheureusement)|"
        r"\b(?:je|on) (?:pourrai|peux|viens|viendrai|serai|suis) pas\b|\bpas (?:dispo\w*|libre|presente?s?|disponible|la|possible)\b|\bempechee?s?\b|\bexcus\w+|\bindispo\w*|\babsente?s?\b|\bdeclin\w+|\brefus\w+|\bimpossible\b|\ben (?:conges?|vacances|deplacement|formation)\b|\bprise?s? (?:ce|le|ailleurs|par|a)\b|"
        r"\bannul\w+ (?:ma|mon|notre) (?:participation|presence|venue|inscription)|\bcan't\b|\bcannot\b|\bunable\b|\bwon't\b|\bdesolee?s?\b|\bregret\w*\b|\bretenue?s?\b"
    ),
    Answer.YES: re.compile(
        r"^oui\b|\boui pour\b|^ok\b|\bok pour (?:moi|nous)|^yes\b|\bd'accord\b|\b(?:je|nous|on) (?:vien[st]?|viendr\w+|venons|particip(?:e|erai|erons|ons|era)|assister(?:ai|ons))\b(?! pas\b)|\b(?:je|nous|on|y) ser(?:ai|ons|a) (?:bien |donc |tous |egalement )?(?:presente?s?|la\b|des votres|parmi vous|avec vous|au rendez-vous|(?:a )?"
        + french.NUMBER
        + r"\b)|\bj'y (?:serai|vais|participerai)\b|\by serons\b|^presente?s?\b|\b(?:m')?inscri(?:vez|s|re|ption)\b|\bcompte\w* (?:sur|avec) (?:moi|nous|ma)|\bavec (?:grand )?plaisir\b|\bconfirme (?:ma|notre|sa) (?:presence|participation|venue)|\bje confirme\b|\bwill (?:attend|come|be there)|\bi'?ll (?:attend|come|be there)|\bpartante?s?\b|\bc'est note\b|\bma participation\b|\bvolontiers\b|\bserons (?:la|presents)\b|\bserai (?:bien )?(?:la|presente?)\b|\bcount me in\b|\bparticiperai\b|\baccepte\w*\b"
    ),
}

# --- how many, who, and what else ---------------------------------------------------------------------------

_TOTAL = re.compile(
    rf"\b(?:serons|sera|sommes|viendrons|venons|viens|viendra|viendrai|seront)(?: \w+)?? (?:a )?({french.NUMBER})\b(?! ?h)|\ba ({french.NUMBER})\b(?! ?(?:h|heures?)\b)|\b({french.NUMBER}) (?:personnes|participants|places)\b|\binscri\w+[- ]nous (?:a )?({french.NUMBER})\b"
)
_EXTRA = re.compile(
    rf"\b(?:accompagnee?s? (?:de|d'|par)|avec|ainsi que|plus|et|\+)\s?({french.NUMBER}) (?:autres? )?(?:collegues?|personnes?|agents?|elue?s?|stagiaires?|collaborat\w+|membres?|invitee?s?|adjointe?s?)\b|\+ ?(\d)\b"
)
_COMPANION = re.compile(
    r"\b(?:avec|accompagnee? (?:de|d'|par)|ainsi que(?: celle de)?|et) (?:m\.|mme|mr|mlle|monsieur|madame|mon|ma|notre)\s?\w+|\bet moi(?:-meme)?\b"
)
_REMARKABLE = re.compile(
    r"\bseulement\b|\buniquement\b|\bmatin(?:ee)?\b|\bapres-midi\b|\bpartirai\b|\bpartir\b|\barriver\w*|\brepartir\w*|\bretard\b|\bvegeta\w+|\bregime\b|\bfauteuil\b|\bvisio\w*|\ba distance\b|\btrain\b|\bdejeuner\b|\brepas\b|\ballergi\w+|\d ?h(?:eures?)?\b|\bsous reserve\b|\bcollegues?\b|\bstagiaire"
)


def _people(plain: str) -> int:
    """How many come, the writer included."""
    total = _TOTAL.search(plain)
    if total:
        counted = french.number(next(group for group in total.groups() if group))
        if counted and 1 <= counted <= 50:
            return counted
    extra = _EXTRA.search(plain)
    if extra:
        counted = french.number(next(group for group in extra.groups() if group))
        if counted and counted <= 50:
            return 1 + counted
    return 2 if _COMPANION.search(plain) else 1


def _deputy(new_text: str) -> str | None:
    """Who comes instead, as the person wrote it."""
    text = " ".join(new_text.split())
    after = re.search(
        r"(?:repr[ée]sent[ée]+e?s?|remplac[ée]+e?|repr[ée]senter|remplacer) par ([^.,;!?\n]{2,60})",
        text,
        re.IGNORECASE,
    )
    if after:
        return after[1].strip()
    before = re.search(
        r"((?:c'est |ma |mon |M\. |Mme )?[^.,;!?]{2,60}?) (?:qui )?me (?:repr[ée]sentera|remplacera|remplace)",
        text,
        re.IGNORECASE,
    )
    return (
        re.sub(r"^(?:.*\b(?:mais|et)\b |c'est )", "", before[1].strip(), flags=re.IGNORECASE)
        if before
        else None
    )


def _remark(new_text: str) -> str:
    """The clauses that say something about the coming besides the answer, unchanged."""
    kept = [clause for clause in french.clauses(new_text) if _REMARKABLE.search(french.fold(clause))]
    return " ".join(kept)
