"""Orders in prose: which numbered articles of an issue somebody asks for, in any French wording.

Reads newly written text only. Figures that are dates, hours, telephones or quantities are not article numbers;
what could be read in two ways is asked, never guessed. Nothing here knows what the numbers stand for.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from mailhub.mail import enumeration, french, subjects


class Ask(StrEnum):
    """Why the person must be asked before anything is ordered."""

    RANGE = "range"  # "3-5": three, four and five, or three and five?
    NOTHING = "nothing"  # neither a number nor a title
    ISSUE = "issue"  # a month was named, and a month has several issues
    WHICH = "which"  # "les deux", "quelques articles": a quantity without numbers
    NOT_AN_ORDER = "not-an-order"  # "merci pour l'article 3", "je n'ai pas reçu le 4", "je ne veux plus le 5"


@dataclass(frozen=True, slots=True)
class IssueNamed:
    """An issue as the text names it; what is not said is None."""

    number: int | None = None
    year: int | None = None
    month: int | None = None


@dataclass(frozen=True, slots=True)
class ForOther:
    """A number asked for on behalf of somebody else."""

    number: int
    whom: str  # as written


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for, as far as the words say it."""

    numbers: tuple[int, ...] = ()  # in the order written, once each
    refused: tuple[int, ...] = ()  # beyond the issue: "cette revue compte 14 articles"
    titles: tuple[str, ...] = ()  # descriptions to look up, as written
    issue: IssueNamed | None = None
    for_others: tuple[ForOther, ...] = ()
    remark: str = ""  # "5 exemplaires": copies are a matter of rights
    everything: bool = False  # "tous": staff look first
    many: bool = False  # more lines than one request may hold
    ask: Ask | None = None


def read(new_text: str, *, last: int, subject: str | None = None, most: int = 10) -> Order:
    """Read an order from an issue of `last` articles. The subject counts when its author wrote it."""
    order = _read(_own_lines(new_text[:MOST_READ]), last, most)
    if not subject:
        return order
    heading = _read(subjects.base(subject[:MOST_READ], keep_tags=True), last, most)
    issue = order.issue or heading.issue
    if (
        order.ask is Ask.NOTHING
        and not subjects.is_reply(subject)
        and (heading.numbers or heading.titles or heading.refused)
    ):
        order = heading
    return _with_issue(order, issue)


# An order is short; the rest of a long text cannot cost time.
MOST_READ = 4000


# --- what is not an article number --------------------------------------------------------------------------

_MONTH = french.MONTH_NAMES
_NOT_NUMBERS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\S+@\S+|\bhttps?:\S+|\bwww\.\S+",
        r"(?:\+33 ?|\b0)[1-9](?:[ .-]?\d\d){4}\b",
        rf"\b(?:(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche) )(?:le )?\d{{1,2}}(?:er)?\b(?: (?:{_MONTH})\b)?(?: \d{{4}})?",
        rf"\b(?:\d{{1,2}}(?:er)?(?: ?- ?| (?:a|au) ))?\d{{1,2}}(?:er)? (?:{_MONTH})\b(?: \d{{4}})?",
        r"\b\d{1,2}[/.-]\d{1,2}[/.-]\d{4}\b|\b\d{4}-\d{2}-\d{2}\b|\b0?\d{1,2}/0\d\b",
        # « 10 à 12 h », « entre 10 et 12 h »: the first hour is one as well.
        r"\b(?:\d{1,2}(?: ?- ?| (?:a|ou) )|(?<=entre )\d{1,2} et )?\d{1,2} ?(?:h|heures?)(?: ?\d{2})?\b|\b\d{1,2}:\d{2}\b",
        r"\bcode(?: etiquette)? ?:? ?\d{3,6} ?-? ?[a-z]\b|\b(?:bp|cs|tsa|cedex) ?\d+",
        r"\b(?:page|pages|p\.|pp\.|rue|avenue|tome|vol\.?|ligne) ?\d{1,4}\b",
        r"\b\d{4,}\b|\b(?:\d{1,3}(?: ?- ?| (?:a|ou) ))?\d+(?:[.,]\d+)? ?(?:%|€|euros?|ans?|mois|jours?|semaines?|minutes?|mn|pages?|mo|ko|personnes|fois|collegues?|habitants?)\b",
    )
)
_COPIES = re.compile(
    rf"\b(?:en )?(?:\d{{1,2}} (?:ou|a) )?({french.NUMBER}) (?:exemplaires?|copies|photocopies|ex\.)"
)
_COUNT = re.compile(
    rf"\b(?:(?:ces|mes|les|ses|vos) )?({french.NUMBER}) (?:articles?|documents?|fiches?|numeros|references|titres|autres|choses|demandes)\b(?! ?n°)"
)
# "1) … 2) …": the writer's own numbering.
_LISTED = re.compile(r"(?:^|(?<=[\s(]))(\d{1,2})(?:\)|\.(?=\s))")
_ISSUE = re.compile(
    rf"""(?x) \b(?:rp|revues?(?:\sde\spresse)?|livraison|lettre|bulletin|edition)\b\s?(?:n°|no\.?|numero|\#|nr)?\s?
          (?: (?P<year>20\d\d)\s?[-/]\s?(?P<number>\d{{1,2}}) | (?P<alone>\d{{1,3}})(?:\s?/\s?(?P<after>20\d\d))? )\b
    | \b(?:n°|numero)\s?(?P<year2>20\d\d)-(?P<number2>\d{{1,2}})\b
    | \b(?:rp|revue(?:\sde\spresse)?|livraison|lettre|numero|edition)\s(?:de\s|d'|du\smois\sde\s|du\smois\sd')(?P<month>{_MONTH})\b(?:\s(?P<year3>20\d\d))?
    """
)


def _own_lines(text: str) -> str:
    """The text without quoted lines, should any have stayed."""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith((">", "|")))


def _blank(folded: str, start: int, end: int) -> str:
    return f"{folded[:start]}{_MASK * (end - start)}{folded[end:]}"


_MASK = "¤"


# --- reading ------------------------------------------------------------------------------------------------


def _read(text: str, last: int, most: int) -> Order:
    folded = french.fold_in_place(text)
    said = french.body(folded)
    start = folded.find(said)
    original = text[start : start + len(said)]
    masked, issue = _take_issue(said)
    copies = _COPIES.search(masked)
    remark = original[copies.start() : copies.end()] if copies else ""
    masked = _mask(masked)
    chosen = enumeration.choose(masked, last)
    titles = _titles(masked, original) if not chosen.numbers and not chosen.everything else ()
    numbers = [number for number in dict.fromkeys(chosen.numbers) if number not in chosen.excluded]
    beyond_issue = chosen.everything and _BEYOND.search(said) is not None
    kept = tuple(number for number in numbers if 1 <= number <= last and not beyond_issue)
    order = Order(
        numbers=kept,
        refused=tuple(number for number in numbers if not 1 <= number <= last),
        titles=titles,
        issue=None,
        for_others=_for_others(masked, original, kept),
        remark=remark,
        everything=chosen.everything,
        many=beyond_issue or len(kept) > most,
        ask=_reason_to_ask(said, chosen, found=bool(titles or numbers or chosen.everything)),
    )
    return _with_issue(order, issue)


_BEYOND = re.compile(
    r"\b(?:de l'annee|de l'an|depuis|de (?:toutes|tous)|toutes les revues|chaque revue|20\d\d)\b"
)
_PAST = re.compile(
    r"\bmerci (?:beaucoup |bien |encore |infiniment )?(?:pour|de m'avoir|de votre)\b|\b(?:bien |deja |pas |jamais |toujours pas )recue?s?\b|\bj'ai (?:deja )?(?:lu|recu|eu)\b|\bn'ai pas (?:eu|recu)\b|\bmanque\b"
)
# « finalement je ne veux plus le 3 »: what was ordered before may be meant, which no number here can tell.
_WITHDRAWN = re.compile(
    r"\b(?:ne |n')(?:m'|me |nous |en |y )*(?:veux|veut|voulons|souhait\w+|desir\w+|ai|avons|est|sont|(?:m'|me )?interess\w+|envoy\w+|prend\w*|faut) plus\b(?! (?:\w+ )?que\b)"
    r"|\bplus besoin\b|\bfinalement (?:pas|non|sans)\b|\bannul(?:er|ez|e|ation)\b|\b(?:retir|enlev|supprim|oubli)(?:er|ez) (?:\w+ )?(?:les? |l'article |n°)?\d|\blaiss(?:er|ez) tomber\b"
)
_SOME = re.compile(
    r"\b(?:les deux|quelques|plusieurs|certains|les premiers|les derniers|un article|des articles|les \d)\b"
)


def _reason_to_ask(said: str, chosen: enumeration.Chosen, *, found: bool) -> Ask | None:
    if chosen.unclear_range:
        return Ask.RANGE
    if _WITHDRAWN.search(said):
        return Ask.NOT_AN_ORDER
    if found:
        return Ask.NOT_AN_ORDER if _PAST.search(said) else None
    return Ask.WHICH if _SOME.search(said) else Ask.NOTHING


def _with_issue(order: Order, issue: IssueNamed | None) -> Order:
    """Put the issue in; a month alone is not enough to know which."""
    ask = order.ask or (Ask.ISSUE if issue and issue.month and not issue.number else None)
    return replace(order, issue=issue, ask=ask)


def _take_issue(said: str) -> tuple[str, IssueNamed | None]:
    """The text with the name of an issue blanked, and that issue."""
    found = _ISSUE.search(said)
    if not found:
        return said, None
    named = found.groupdict()
    number = named["number"] or named["alone"] or named["number2"]
    year = named["year"] or named["after"] or named["year2"] or named["year3"]
    month = french.month(named["month"]) if named["month"] else None
    issue = IssueNamed(int(number) if number else None, int(year) if year else None, month)
    return _blank(said, *found.span()), issue


def _mask(said: str) -> str:
    """Blank every figure that cannot be an article number."""
    for pattern in (_COPIES, *_NOT_NUMBERS):
        for found in pattern.finditer(said):
            said = _blank(said, *found.span())
    listed = list(_LISTED.finditer(said))
    if len(listed) > 1 and [int(found[1]) for found in listed] == list(range(1, len(listed) + 1)):
        for found in listed:
            said = _blank(said, *found.span())
    for found in _COUNT.finditer(said):
        said = _blank(said, *found.span())
    return said


# --- titles and other people --------------------------------------------------------------------------------

_TITLE = re.compile(
    r"(?:\b(?:l'|les |un |cet |votre |celui |celle |ceux |papier |texte )?(?:articles?|papiers?|celui|ceux|textes?|reportages?|interviews?)\s"
    r"(?:sur|concernant|a propos|relatifs?|au sujet|qui|intitules?|titres?|de l'|du |de |d'|paru|publie|consacre)[^.!?\n]{3,200})|\"(?P<quoted>[^\"\n]{4,200})\""
)
_WHOM = re.compile(
    r"pour (?P<whom>(?:mon|ma|notre|un|une) (?:coll[èe]gue|direct\w+|chef\w*|adjoint\w*|assistant\w*|stagiaire|responsable)[^,.;\n]{0,40}|(?:M\.|Mme|Monsieur|Madame) [^,.;\n]{2,40}|[A-ZÀ-Þ][\w'’-]+(?: [A-ZÀ-Þ][\w'’-]+)*)"
)


def _titles(masked: str, original: str) -> tuple[str, ...]:
    """What is asked for by description, in the person's words."""
    found = []
    for match in _TITLE.finditer(masked):
        start, end = match.span("quoted") if match["quoted"] else match.span()
        found.append(original[start:end].strip(" ,;"))
    return tuple(found)


def _for_others(masked: str, original: str, kept: tuple[int, ...]) -> tuple[ForOther, ...]:
    """The numbers asked for somebody else: "le 7 pour Hugo"."""
    others: list[ForOther] = []
    start = 0
    for match in _WHOM.finditer(original):
        before = masked[start : match.start()]
        before = before[max(before.rfind(" moi"), before.rfind(";"), before.rfind(".")) + 1 :]
        numbers = [int(figure) for figure in re.findall(r"\b\d{1,3}\b", before)]
        others.extend(ForOther(number, match["whom"].strip()) for number in numbers if number in kept)
        start = match.end()
    return tuple(others)
