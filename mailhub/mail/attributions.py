"""The line a mail client writes above a quote: « Le 3 mars 2026 à 10:00, Nadia Benali a écrit : ».

Clients word it in every language and wrap it anywhere, and people write sentences that look like it. So nothing is
matched as a whole: a line is one when enough of its parts are there (a date near its beginning, a time, an address,
a word for "wrote", the colon, quoted lines below) and nothing shows that a person speaks.
"""

import re
import string
from collections.abc import Iterator
from functools import lru_cache

from mailhub.mail.lines import LOOKED_AT, Lines
from mailhub.mail.wording import fold

_WRAPPED = 6  # physical lines one attribution was seen on
_WORDS = 45
_BEGINNING = 60  # characters among which its date begins

_WROTE = (
    "a écrit|a répondu|écrivait|ha escrit|wrote|writes|a wrote|schrieb|schrieben|geschrieben|schreibt|schreef|schreven|"
    "geschreven|escribió|ha escrito|escribe|ha scritto|scrive|scriveva|escreveu|escreve|napisał|napisała|napisał(a)|napisali|"
    "pisze|napsal|napsala|napsal(a)|napísal|napísala|napísal(a)|píše|napisao|napisala|napisao je|napisao(la)|napisal|je pisal|"
    "skrev|skriver|skrev følgende|kirjoitti|написал|написала|написал(а)|написал(-а)|пишет|написав|написала|пише|написа|напісаў|"
    "έγραψε|írta|ezt írta|a scris|a scris:|yazdı|şunu yazdı|kirjutas|rakstīja|rašė|va escriure|idatzi du|menulis|đã viết|"
    "写道|寫道|写|寫|さんは書きました|のメール|のメッセージ|quoting|zitat von|citando|citation de|님이 작성|작성|เขียน|כתב|כתבה|كتب"
)
# In scripts without blanks a word has no edges.
_VERBS = "|".join(sorted((re.escape(fold(verb)) for verb in _WROTE.split("|")), key=len, reverse=True))
_VERB = re.compile(rf"(?<![a-zа-яα-ω])(?:{_VERBS})(?![a-zа-яα-ω])")
_ENDS_WITH_VERB = re.compile(
    rf"(?<![a-zа-яα-ω])(?:{_VERBS})(?: folgendes| folgende[sn]?| le message suivant| ceci)?\W{{0,8}}$"
)
_NO_LETTERS = string.punctuation + string.whitespace
_LAST_WORDS = frozenset(
    wording.split()[-1].strip(_NO_LETTERS)
    for wording in (*map(fold, _WROTE.split("|")), "folgendes", "folgende", "folgenden", "suivant", "ceci")
)

# Words that people use as well; an address, or date and time, has to stand there, and quoted lines below.
_ACCORDING = re.compile(r"(?:selon|en reponse a|citazione da|message de)\b")
_YOU_WROTE = re.compile(r"\b(?:vous avez|tu as) ecrit\b")
# Notes: « Nadia Benali/VILLE a écrit sur 03/03/2026 10:00:12 : »; no person tells the seconds.
_WROTE_ON = re.compile(rf"(?:{_VERBS}) (?:sur|le|on|am) [^:]{{4,30}}\d:\d\d:\d\d\b[^:]{{0,8}}:?$")
# mutt: « * Nadia Benali <nadia@ville.example> [2026-03-03 10:00]: »
_STAMPED = re.compile(r"@.{3,120}[\[(][^\[\]()]{0,40}\d[^\[\]()]{0,40}[\])] ?:$")
# « Le 3 mars à 10:00 j'ai écrit à M. Durand (…) : » is told by its author.
_I_WROTE = re.compile(
    r"\b(?:j'ai|j'avais|j'ecrivais|je vous|nous avons|nous avions|i|we|i've|we've|ich|wir|yo|ik|io) "
    r"(?:(?:[^\W\d]+ ){0,2}(?:ecrit|ecrivais|ecrivions|wrote|written|geschrieben|geschreven|escrito|scritto)|schrieb|schrieben|schreef|escribi|scrissi)\b"
)

_MONTH = (
    r"(?=[^\W\d]{3})"  # all have that many letters; the little words of a text are passed over at once
    r"(?:(?:jan|fev|feb|mar|maer|maar|mrt|apr|avr|abr|mai|maj|may|mei|mag|jun|juin|jui|giu|jul|lug|aug|aou|ago|sep|set|szep|okt|oct|ott|out|"
    r"nov|noi|dec|dez|des|dic|gen|ene|ian|iun|iul|янв|фев|мар|апр|мая|маи|июн|июл|авг|сен|окт|ноя|дек|січ|лют|бер|кві|тра|чер|лип|"
    r"сер|вер|жов|лис|гру|ιαν|φεβ|μαρ|απρ|μαι|ιουν|ιουλ|αυγ|σεπ|οκτ|νοε|δεκ|"
    r"tammi|helmi|maalis|huhti|touko|kesa|heina|elo|syys|loka|marras|joulu)[^\W\d]{0,10}|"
    r"(?:stycznia|sty|lutego|lut|kwietnia|kwi|czerwca|cze|lipca|lip|sierpnia|sie|wrzesnia|wrz|pazdziernika|paz|listopad[au]|lis|grudnia|gru|"
    r"ledna|unora|brezna|dubna|kvetna|cervna|cervence|srpna|zari|rijna|prosince|"
    r"ocak|oca|subat|sub|nisan|nis|haziran|haz|temmuz|tem|agustos|agu|eylul|eyl|ekim|eki|kasim|kas|aralik|ara)\b)"
)
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,4}[./-] ?\d{1,2}[./-] ?\d{1,4}(?!\d)"
    rf"|\d{{1,2}}(?:er|st|nd|rd|th|[.°])?,?[ -]{{0,2}}(?:de |d')?{_MONTH}"
    r"|\d{4} ?[年년]|\d{1,2} (?:thang|thg) \d)"
    rf"|(?<![^\W\d]){_MONTH}[.,]?[ -]{{1,2}}\d{{1,2}}(?!\d)"
)
_TIME = re.compile(r"(?<![\d./-])\d{1,2}[:.]\d{2}(?![\d/-]|\.\d)")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_ADDRESS = re.compile(r"[^\s<>()@]@[^\s<>()@]")
_OPENING = re.compile(
    r"(?:on|at|le|am|el|il(?: giorno)?|op|em|a|w dniu|dnia|den|dne|dana|dne|in data|vao|pada|tarihinde|в|у|на|στις|la data de|în data|ב|在|於|于)\b"
)
_LEADING = "-–*_•~=> \t\xa0\"'([|"
_DIGIT = re.compile(r"\d")
# The sentence ended and another began: prose, not a name. Shorter words may be abbreviations ("Prof. Martin").
_SENTENCE_ENDS = re.compile(r"[^\W\d_]{5,}[.!?] +[A-ZÀ-Ý]")
_GLUED = re.compile(r"(?<=\S)[ \t]+(?=(?:On|Le|Am|El|Il|Op|Em) (?:[^\W\d]{1,12}[.,]{0,2} ){0,3}\d{1,4}\b)")
_QUOTE_BELOW = re.compile(r"(?:\r?\n[ \t\r]*){1,2}>")
# "Monsieur Dupont nous a écrit": a person tells of it; no client says to whom.
_TO_SOMEBODY = re.compile(r"\b(?:nous|vous|lui|leur) (?:a|ont|avait|avez)\b|\b[mt]'(?:a|ont|avait)\b")
# Behind a date and a time a client puts a name; these words begin a clause of a person.
_CLAUSE = re.compile(
    r"(?:\W|\b(?:[ap]\.?m\.?|uhr|utc|gmt|cest|cet|h|a|at|um|et|puis)\b|[+-]\d{2,4})*"
    r"(?P<opens>(?:le|la|les|un|une|nous|je|il|elle|ils|elles|notre|nos|mon|ma|mes|ce|cet|cette|ces|ton|son|sa|leur|quelqu'un|"
    r"the|we|i|he|she|they|my|our|this|that|der|die|das|mein|meine|unser|wir|ich|er|sie|los|las|lo|gli|het|een|mijn)\b|[ljdnm]')"
)


def end(lines: Lines, start: int, *, is_reply: bool) -> int | None:
    """Behind the last line of the attribution that begins at `start`; None when none begins there.

    A mail that is no reply may hold a real quotation, so more is asked of it there.
    """
    first = lines.plain[start].lstrip(_LEADING)
    anchored = _anchored(first)
    if not anchored and not (
        any(map(may_end, lines.plain[start : start + 2])) and _may_name_a_writer(lines.plain[start])
    ):
        return None
    joined = first
    for last in range(start, min(start + _WRAPPED, len(lines))):
        if last > start:
            part = lines.plain[last].lstrip(_LEADING)
            if not lines.plain[last] and lines.next_filled(last) - last > 1:
                return None
            if _is_dated(part) or len(joined) > LOOKED_AT:
                return None
            joined = f"{joined} {part}"
        if lines.plain[last] and _is_whole(
            lines, start, last, joined.rstrip(" -_=*~"), anchored=anchored, is_reply=is_reply
        ):
            return last + 1
        if not anchored and last - start >= 1:
            return None
    return None


def glued(text: str) -> Iterator[int]:
    """Where attributions begin within a line, with quoted lines below: some clients leave the line end out."""
    if ">" not in text:
        return
    for opening in _GLUED.finditer(text):
        stop = text.find("\n", opening.end(), opening.end() + LOOKED_AT)
        if stop >= 0 and _QUOTE_BELOW.match(text, stop):
            rest = fold(text[opening.end() : stop]).rstrip()
            if rest.endswith(":") and _VERB.search(rest) and (_TIME.search(rest) or _ADDRESS.search(rest)):
                yield opening.end()


def _anchored(plain: str) -> bool:
    """Say whether a line begins as an attribution does, with its date or with "on" and its date."""
    if not _DIGIT.search(plain[:_BEGINNING]):  # most lines: no date and no time without a digit
        return False
    time = _TIME.search(plain[:_BEGINNING])
    return _is_dated(plain) or (time is not None and time.start() <= _reach(plain))


def _is_dated(plain: str) -> bool:
    date = _DATE.search(plain[:_BEGINNING])
    return date is not None and date.start() <= _reach(plain)


def _reach(plain: str) -> int:
    """How far from the beginning a date may be: behind the name of a day, and behind "on"."""
    return 26 if _OPENING.match(plain) else 16


@lru_cache(4)  # each line is asked about twice: below the line before it, and as a beginning
def may_end(plain: str) -> bool:
    """Say at little cost whether a line may be the last of an attribution: most lines of a mail are not."""
    if not plain.isascii():
        return True
    bare = plain.rstrip(_NO_LETTERS)
    return ":" in plain[len(bare) :] or bare.rpartition(" ")[2].lstrip(_NO_LETTERS) in _LAST_WORDS


def _may_name_a_writer(plain: str) -> bool:
    return "@" in plain or _VERB.search(plain) is not None or plain.startswith("message de ")


def _is_whole(lines: Lines, start: int, last: int, joined: str, *, anchored: bool, is_reply: bool) -> bool:
    """Say whether the lines from `start` to `last` are one attribution, by the evidence they give together."""
    ends = joined.endswith((":", "：")) or _ENDS_WITH_VERB.search(joined) is not None
    named = _ADDRESS.search(joined) is not None
    if not ends and not (anchored and _ends_with_address(joined)):
        return False
    if len(joined) > LOOKED_AT or joined.count(" ") > _WORDS:
        return False
    below = lines.next_filled(last + 1)
    quote_below = below - last <= 3 and lines.quotes(below)
    dated = _DATE.search(joined) is not None
    timed = _TIME.search(joined) is not None
    told = (not quote_below and _TO_SOMEBODY.search(joined)) or _I_WROTE.search(joined)
    if told or (not is_reply and not (dated and (named if not quote_below else named or timed))):
        return False
    if _VERB.search(joined) is None:  # "2026-03-03 10:00 GMT+01:00 Nadia Benali <nadia@ville.example>:"
        if quote_below and _introduces(joined, anchored=anchored):
            return True
        return (
            anchored
            and dated
            and _ends_with_address(joined)
            and (timed or quote_below)
            and (ends or quote_below)
            and not _goes_on(lines, last)
        )
    raw = " ".join(lines.raw(index).strip() for index in range(start, last + 1))
    if _SENTENCE_ENDS.search(raw) and not (named and quote_below):
        return False
    if anchored:
        return quote_below or named or (timed and dated and not _speaks(joined, raw))
    if last == start and quote_below and len(joined) <= 160:
        return True  # "Nadia Benali a écrit :" and the quote
    if named and (quote_below or (dated and timed and last == start)):
        return True
    return last == start and (_framed(lines.plain[start]) or _WROTE_ON.search(joined) is not None)


def _introduces(joined: str, *, anchored: bool) -> bool:
    """Say whether a line above a quote introduces it without a word for "wrote"."""
    if anchored and _YOU_WROTE.search(joined):
        return True
    dated, named = _DATE.search(joined) is not None, _ADDRESS.search(joined) is not None
    if _ACCORDING.match(joined):
        return named or (dated and _TIME.search(joined) is not None)
    return dated and _STAMPED.search(joined) is not None


def _goes_on(lines: Lines, last: int) -> bool:
    """Say whether the word for "wrote" stands below, wrapped."""
    below = lines.plain[last + 1] if last + 1 < len(lines) else ""
    return len(below) <= 30 and _ENDS_WITH_VERB.search(below) is not None


def _ends_with_address(joined: str) -> bool:
    return "@" in joined[-120:].rstrip(" :：>)]").rpartition(" ")[2]


def _framed(plain: str) -> bool:
    """Some telephones write "---- Nadia Benali wrote ----"."""
    return plain.startswith("--") and plain.endswith("--")


def _speaks(joined: str, raw: str) -> bool:
    """Say whether the words behind date and time are a clause, "le technicien a écrit", instead of a name.

    « Le Centre de ressources » is a name: behind a date nobody else writes an article with a capital.
    """
    behind = max(
        (found.end() for pattern in (_DATE, _TIME, _YEAR) for found in pattern.finditer(joined)), default=0
    )
    clause = _CLAUSE.match(joined, behind)
    if clause is None:
        return False
    opens = clause["opens"].replace("'", "['’ʼ]")
    written = re.search(rf"\d.*?\b({opens})", raw, re.IGNORECASE)
    return written is None or not written[1][0].isupper()
