"""Numbers chosen from a list in prose: "3, 7 et 12", "du 3 au 5", "le premier et le dernier", "tous sauf le 4".

Takes `french.fold_in_place`d text whose other figures (dates, hours, quantities) are blanked already.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailhub.mail import french


@dataclass(slots=True)
class Chosen:
    """The numbers asked for in a text, and what was said about them."""

    numbers: list[int]
    excluded: set[int]
    everything: bool = False
    unclear_range: bool = False


def choose(masked: str, last: int) -> Chosen:
    """Walk the words once and keep the numbers that are asked for."""
    tokens = list(_tokens(_RATHER.sub(r"\1 plutot que", masked)))
    chosen = Chosen([], set())
    bare = all(token.kind in _ONLY_NUMBERS for token in tokens)
    linked = excluding = False  # linked: a list of numbers is under way, or something announced one
    at = 0
    while at < len(tokens):
        token = tokens[at]
        run = None if _is_quantity(tokens, at) else _run(tokens, at, last, linked=linked or bare)
        if run:
            values, at, unclear = run
            chosen.unclear_range |= unclear
            if excluding:
                chosen.excluded.update(values)
            else:
                chosen.numbers.extend(values)
            linked = True
            continue
        if token.kind == "all" and not excluding:
            chosen.everything = True
            chosen.numbers.extend(range(1, last + 1))
        excluding = token.kind == "not" or (excluding and token.kind in {"mark", "join", "neutral"})
        linked = token.kind == "mark" or (linked and token.kind in {"join", "dash"})
        at += 1
    return chosen


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # the name of its group in _TOKEN
    text: str
    value: int = 0


_RATHER = re.compile(
    r"\bplutot ((?:l'|l[ea] |les |n°|articles? |numeros? |[\d ,]|et ){1,12}) ?que\b"
)  # « plutôt le 3 que le 4 »
_ORDINALS = "|".join(sorted(french.ORDINALS, key=len, reverse=True))
_TOKEN = re.compile(
    rf"""(?x)
      (?<![a-mo-z0-9_])(?P<number>\d{{1,3}})(?:\s?(?:er|ere|e|eme|ieme)\b)?(?!\w)
    | (?P<all>(?<!\ba\s)\b(?:tous|toutes)\b(?!\s(?:ceux|celles|deux|trois|mes|nos|vos\smails|les\s(?:jours|mois|ans|deux)|cordialement))
        |\btoute\s(?:la|cette|votre)\srevue\b|\b(?:l'ensemble|la\stotalite|l'integralite)\b|\btout(?=\s?(?:$|svp|merci|[.!,]|sauf\b|excepte|hormis|hors\b|moins\b|a\spart\b|a\sl'exception\b|en\sdehors\b))|\brevue\s(?:entiere|complete)\b)
    | (?P<firsts>\bpremiers|\bpremieres) | (?P<lasts>\bderniers|\bdernieres)
    | (?P<before_last>\bavant[ -]derniere?\b) | (?P<last>\bderniere?\b)
    | (?P<ordinal>\b(?:{_ORDINALS})\b)
    | (?P<word>\b(?:{french.NUMBER_WORD})\b)
    | (?P<mark>n°|\bn\s?o\b|\bno\.?(?=\s?\d)|\bnum(?:ero)?s?\b|\bn(?=\d)|\barticles?\b|\bart\b\.?|\bdocuments?\b|\bdoc\b\.?|\bref(?:erence)?s?\b|\#|\ble\b|\bles\b|\bl'|\bdu\b|\bdes\b|\bcelui\b)
    | (?P<neutral>\b(?:envoyer|inclure|joindre|prendre|fournir|besoin|recevoir|commander|avoir)\b)
    | (?P<not>\b(?:ne\s|n')(?:m'|me\s|nous\s|en\s)*\w+\splus\b(?!\s(?:\w+\s)?que\b)
        |\b(?:plutot\sque|au\slieu|a\sla\splace|a\sl'exception|en\sdehors|a\spart|plus\sbesoin|finalement\spas)\b|\b(?:sauf|excepte|hormis|hors|sans|moins|(?:mais\s|et\s|surtout\s|non\s)?pas|ni)\b)
    | (?P<to>\b(?:a|au|jusqu'a|jusqu'au|jusque)\b)
    | (?P<dash>-)
    | (?P<join>[,;/&+]|\bet\b|\bpuis\b|\bainsi\sque\b|\bplus\b|\bou\b|\baussi\b|\begalement\b|\benfin\b|\bde\b)
    | (?P<end>[.!?:()\n])
    | (?P<polite>\b(?:svp|stp|s'il|merci|mrc|please|je|vous|me|moi|pour|cordialement|cdt|cdlt|bonne|bien|d'avance|voudrais|souhaite|par|dans|si|en|que|interessent?|m'interessent?|m'|mais)\b)
    | (?P<other>\w+|¤+)
    """
)


def _tokens(masked: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(masked):
        kind, text = found.lastgroup or "other", found[0]
        value = 0
        if kind == "number":
            value = int(found["number"])
        elif kind == "word":
            value = french.number(text) or 0
        elif kind == "ordinal":
            value = french.ORDINALS[text]
        yield _Token(kind, text, value)


_ONLY_NUMBERS = frozenset(
    {"number", "word", "ordinal", "last", "before_last", "join", "dash", "to", "mark", "end", "polite", "not"}
)
# After these a bare figure is still an article number; after a noun it is a quantity of something.
_AFTER_A_NUMBER = frozenset({"join", "dash", "to", "end", "polite", "not", "mark", "number"})


def _is_quantity(tokens: list[_Token], at: int) -> bool:
    """Say whether a number at a place says how many: "les deux" is no number two."""
    after = tokens[at + 1].kind if at + 1 < len(tokens) else "end"
    announced_as_many = at > 0 and tokens[at - 1].text == "les" and after in {"end", "polite"}
    as_people = at > 0 and tokens[at - 1].kind == "to" and tokens[at].kind == "word"  # we come "à deux"
    if tokens[at].kind in {"number", "word"} and at + 1 < len(tokens) and tokens[at + 1].text == ":":
        listed = sum(token.kind in {"number", "word"} for token in tokens[at + 2 :])
        marked = at > 0 and tokens[at - 1].kind == "mark"
        if not marked and listed and (tokens[at].kind == "word" or listed == tokens[at].value):
            return True  # « deux : 5 et 9 »
    return as_people or (announced_as_many and tokens[at].kind in {"number", "word"})


def _run(tokens: list[_Token], at: int, last: int, *, linked: bool) -> tuple[list[int], int, bool] | None:
    """The numbers that begin at a token: one, a range, a chain of dashes; where they end; whether it is unclear."""
    token = tokens[at]
    after = tokens[at + 1] if at + 1 < len(tokens) else _Token("end", "")
    if token.kind in {"number", "word"} and after.kind in {"firsts", "lasts"}:
        count = min(token.value, last)
        return (
            (
                list(range(1, count + 1))
                if after.kind == "firsts"
                else list(range(last - count + 1, last + 1))
            ),
            at + 2,
            False,
        )
    single = _single(token, after, last, linked=linked)
    if single is None:
        return None
    value, following = single, tokens[at + 1 : at + 4]
    if len(following) >= 2 and following[0].kind == "to":
        skip = 2 if following[1].kind == "mark" and len(following) > 2 else 1
        end = following[skip]
        if end.kind in {"number", "word", "last"}:
            upper = last if end.kind == "last" else end.value
            if value < upper <= max(last, value) + 50:
                return list(range(value, upper + 1)), at + skip + 2, False
    chain, position = [value], at + 1
    while (
        position + 1 < len(tokens)
        and tokens[position].kind == "dash"
        and tokens[position + 1].kind == "number"
    ):
        chain.append(tokens[position + 1].value)
        position += 2
    if len(chain) == 2 and chain[0] < chain[1]:
        return [], position, True
    return chain, position, False


def _single(token: _Token, after: _Token, last: int, *, linked: bool) -> int | None:
    """The article one word stands for, or None when it is no article number here."""
    if token.kind == "number":
        return token.value if linked or after.kind in _AFTER_A_NUMBER else None
    if token.kind == "word":  # "neuf" and "six" are also other words
        return token.value if linked and after.kind != "other" else None
    # "le dernier numéro" is an issue, "le dernier article" is not.
    names_it = after.kind in _AFTER_A_NUMBER and (after.kind != "mark" or after.text.startswith("article"))
    if token.kind in {"ordinal", "last", "before_last"} and linked and names_it:
        return {"last": last, "before_last": last - 1}.get(token.kind, token.value)
    return None
