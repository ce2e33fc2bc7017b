"""Absences: how a mail program says that its owner is away, until when, or gone for good.

Only a *subject* that programs write is taken as a mark of a machine. The same sentence in a body may be a
person's own words, and then a person reads it. The texts here are asked about mails already known as automatic.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from mailhub.mail.wording import fold, phrases

# What programs put before the subject they answer, in the languages a centre meets. Domino writes
# "AUTO: Anne Morvan est absente (retour 23/03/2026)"; Outlook "Réponse automatique : …".
PREFIX = phrases(
    r"\[?(reponse automatique|(message|courriel) automatique d'absence)\b",
    r"\[?auto(matic|mated|matisch\w*|matique)?[ -]?(reply|response|responder|respond|answer|antwort|acknowledge?ment)\b",
    r"out[ -]of[ -](the )?office\b|ooo\b|vacation (reply|response|message|notice)\b|away from (the |my )?office\b",
    r"abwesenheits(notiz|nachricht|meldung|assistent)\b|automatische antwort\b",
    r"respuesta automatica\b|fuera de (la )?oficina\b|ausente del? ",
    r"risposta automatica\b|fuori (sede|ufficio)\b|assente dall'ufficio\b",
    r"automatisch (antwoord|bericht)\b",
    r"resposta automatica\b|fora do escritorio\b|ausencia (temporaria )?(do|de) escritorio\b",
    r".{0,40}automatiska atbilde|\[?(automatyczna odpowiedz|odpowiedz automatyczna)|autosvar\b|automatiskt? svar\b|automaattinen vastaus|автоответ|自動応答|自動返信",
)
# What programs put there and a person may too, « Absence du bureau : une question de droit »: the words below decide.
LIKELY_PREFIX = phrases(
    r"(absent|absente|absence|absent\(e\))( temporaire)?( du bureau| de bureau) ?(:|$)",
    r"(notification|message|avis) d'absence ?(:|$)|(abwesend|abwesenheit) ?(:|$)|afwezig(heid)? ?(:|$)",
)
# What a person puts there sooner than a program: « Absence : comment la justifier ? ». The words have to say "I am away".
MAYBE_PREFIX = phrases(
    r"\[?(message|courriel) automatique\b",
    r"auto ?: |absence ?: |en conges? ?: |conges? ?: .{0,60}absent|niet aanwezig\b|afwezig(heid)?\b",
    r"(absent|absente|absence|absent\(e\))( temporaire)? (du|de) bureau\b|(notification|message|avis) d'absence\b|abwesenheit",
)
# Subjects that end the way Domino and Notes end theirs; without a day of return a person may have written them.
WHOLE = phrases(
    r".{1,80} (est|sera) (absent|absente|absent\(e\)|en conges?)( du bureau)?( \(.{0,40}\))?",
    r".{1,80} is (currently )?(out of (the )?office|on vacation|away)( \(.{0,40}\))?\.?",
    r".{1,80} ist (nicht im (hause|buro)|abwesend|ausser haus)( \(.{0,40}\))?",
    r".{1,80} (esta ausente|e assente|is afwezig|esta ausente do escritorio)( \(.{0,40}\))?",
)
_RETURNS = re.compile(r" \([^()]{0,40}\d[^()]{0,40}\)\.?$")
I_AM_AWAY = phrases(
    r"\b(je|nous) (suis|sommes|serai|serons|ne suis|ne serai)\b.{0,40}\b(absente?s?|absent\(e\)|en conges?|en vacances|"
    r"en deplacement|de retour|pas joignable|indisponible|en (arret|formation|teletravail)|(de|a) nouveau (disponible|joignable))",
    r"\b(bureaux?|service|secretariat|accueil|mairie) (est|sont|sera|seront) fermee?s?\b",
    r"\b(actuellement|presentement) (absente?|en conges?|en vacances)|\b(de|en|pendant|durant) (mon|notre) absence\b|\b(mon|notre) retour\b|"
    r"\b(arret (de )?(maladie|travail)|conge (de )?(maternite|paternite|parental|maladie))\b",
    r"\b(pas|plus|peu|difficilement|sans|limite) acces a (mes|ma|nos|notre) (e-?mails?|mails?|messages?|messagerie|courriels?|boite)\b|"
    r"\bne (consulte|consulterai|releve|releverai|lis|lirai) (pas|plus) (mes|ma|cette|les) (e-?mails?|mails?|messages?|messagerie|courriels?|boite)\b",
    r"\b(i am|i'm|we are|i will be|i'll be)\b.{0,40}\b(out of|away|on (annual )?leave|on vacation|on holiday|back)\b|"
    r"\b(my|our) (absence|return)\b",
    r"\bich bin\b.{0,60}\b(abwesend|nicht|urlaub|wieder)\b|\bmeine[rn]? (abwesenheit|ruckkehr)\b",
    r"\b(estoy|estare)\b.{0,30}\b(ausente|fuera|vacaciones)|\b(sono|saro)\b.{0,30}\b(assente|fuori|ferie)|"
    r"\bik ben\b.{0,40}\b(afwezig|vakantie|verlof|terug)|\bmijn (afwezigheid|terugkeer)\b|\b(estou|estarei)\b.{0,30}\b(ausente|ferias|fora)",
)
RECEIVED = phrases(r"\baccus(e|ons) (bonne )?reception|\bbien recu votre (message|mail|courriel|demande)")
AWAY = phrases(
    r"\b(absente?|absent\(e\)|en conges?|en vacances|en deplacement|de retour|out of (the )?office|on (annual )?leave|"
    r"on vacation|on holiday|away|abwesend|im urlaub|nicht im (buro|hause)|fuera de la oficina|de vacaciones|ausente|"
    r"fuori (sede|ufficio)|in ferie|assente|afwezig|op vakantie|met verlof|de ferias|fora do escritorio)\b"
)
GONE = phrases(
    r"\b(je )?ne (travaille|fais|suis) plus (partie )?(ici|a |au |chez |pour |dans |de |en poste)",
    r"\bne fait plus partie\b",
    r"\b(j'ai|a|ai) (quitte|definitivement quitte) (?!(le |la |son |mon |notre )?(bureau|reunion|salle)\b)",
    r"n'est plus (en poste|en fonction|salarie|joignable a cette adresse|a cette adresse)|n'exerce plus",
    r"cette (adresse|boite|messagerie).{0,30} n'est plus (utilisee?|consultee?|active|valide|relevee?)",
    r"parti(e)? (a|en) (la )?retraite",
    r"no longer (work|working|works|employed|with|at|part)|has left (the |our )|have left (the |our )|"
    r"this (address|mailbox|account) is no longer (in use|used|monitored|active)",
    r"nicht mehr (bei|fur|im hause|tatig|in unserem)|ausgeschieden|ya no trabaj|non lavor[ao] piu|"
    r"werkt? niet (meer|langer)|nao trabalh[ao] mais|ja nao trabalh",
)
# « Une urgence ? Appelez le standard » asks nothing.
ASKED = phrases(
    r"[^.!?]{30,}\?",
    r"\b(je|nous) (voudrai|souhait|cherch|aimerai|desir)|(?<!vous )\b(pouvez|pourriez|auriez|avez)-vous\b|\bmerci de (me |m'|nous )",
)
ANSWERED = re.compile(r"\b(re|tr|fwd?|aw|r) ?:|\[")

MONTH_NAMES = (
    ("janvier", "january", "januar", "enero", "gennaio", "januari", "janeiro", "jan", "janv"),
    ("fevrier", "february", "februar", "febrero", "febbraio", "februari", "fevereiro", "feb", "fev", "fevr"),
    ("mars", "march", "marz", "marzo", "maart", "marco", "mar", "maerz"),
    ("avril", "april", "abril", "aprile", "apr", "avr"),
    ("mai", "may", "mayo", "maggio", "mei", "maio"),
    ("juin", "june", "juni", "junio", "giugno", "junho", "jun"),
    ("juillet", "july", "juli", "julio", "luglio", "julho", "jul", "juil"),
    ("aout", "august", "agosto", "augustus", "aug"),
    ("septembre", "september", "septiembre", "settembre", "setembro", "sep", "sept"),
    ("octobre", "october", "oktober", "octubre", "ottobre", "outubro", "oct", "okt"),
    ("novembre", "november", "noviembre", "novembro", "nov"),
    ("decembre", "december", "dezember", "diciembre", "dicembre", "dezembro", "dec", "dez"),
)
MONTHS = {name: number for number, names in enumerate(MONTH_NAMES, 1) for name in names}
MONTH = "(" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\b\.?"
DAY = r"(\d{1,2})(?:er|st|nd|rd|th|e|\.)?"
UNTIL = (
    r"(?:jusqu'a(?:u)?|retour(?: prevu)?|reviens|reviendrai|returning|return|returns|back|until|till|through|to|au|"
    r"bis(?: zum| einschliesslich)?|zuruck|ab|hasta|vuelvo|regreso|fino al|rientro|tot(?: en met)?|terug|ate|regresso|"
    r"a partir du|from)"
)
LINK = r"\W{0,3}(?:(?:le|the|on|in the office|at work|au bureau|du bureau|el|il|op|em|am|dem|den|de|o|dia|a)\W+){0,3}"
WEEKDAY = r"(?:(?:lun|mar|mer|jeu|ven|sam|dim|mon|tue|wed|thu|fri|sat|sun|die|mit|don|fre|son|mie|jue|vie|gio|sab|dom|"
WEEKDAY += r"maa|din|woe|vri|zat|zon|seg|ter|qua|qui|sex)\w*\W{1,3}(?:le |the |den |el |il |de )?)?"
DATES = (
    re.compile(rf"\b{UNTIL}{LINK}{WEEKDAY}(?P<y>\d{{4}})-(?P<m>\d\d)-(?P<d>\d\d)\b"),
    re.compile(
        rf"\b{UNTIL}{LINK}{WEEKDAY}(?P<d>\d{{1,2}})[/.](?P<m>\d{{1,2}})(?:[/.](?P<y>\d{{4}}|\d\d))?\b"
    ),
    re.compile(
        rf"\b{UNTIL}{LINK}{WEEKDAY}{DAY.replace('(', '(?P<d>', 1)}\W{{1,2}}(?:de |of )?{MONTH.replace('(', '(?P<n>', 1)}(?:\W{{1,3}}(?:de )?(?P<y>\d{{4}}))?"
    ),
    re.compile(
        rf"\b{UNTIL}{LINK}{WEEKDAY}{MONTH.replace('(', '(?P<n>', 1)}\W{{1,2}}{DAY.replace('(', '(?P<d>', 1)}(?:\W{{1,3}}(?P<y>\d{{4}}))?"
    ),
)
RANGE = re.compile(
    rf"\b(?:du|from|vom|del|dal|van|de)\W{{1,3}}{WEEKDAY}[^\n]{{1,40}}?\b(?=(?:au|to|until|bis|al|tot|a|ate)\b)"
)


def in_subject(subject: str, text: str) -> str:
    """The machine's wording in a subject, "" when a person may have written it.

    Some wordings are a person's as well; then the first lines of the text decide, where a machine says that *I* am away.
    Who asks something, in the subject or below it, is a person.
    """
    said = " ".join(fold(subject).split()).replace(" :", ":").replace(":", " : ", 1)
    said = " ".join(said.split())[:200]
    whole = WHOLE.fullmatch(said)
    found = PREFIX.match(said) or (whole if _RETURNS.search(said) else None)
    if found is None and (likely := LIKELY_PREFIX.match(said)) and (not text.strip() or in_text(text)):
        found = None if _asks(said, text) else likely
    elif found is None and (maybe := whole or MAYBE_PREFIX.match(said)) and _of_a_machine(text):
        found = None if _asks(said, text) else maybe
    return found[0].strip(" :") if found else ""


def in_text(text: str) -> str:
    """What a machine says for its owner in the first lines of a body; no proof of a machine by itself."""
    said = _beginning(text)
    found = AWAY.search(said) or I_AM_AWAY.search(said) or RECEIVED.search(said) or GONE.search(said)
    return found[0] if found else ""


def is_away(text: str) -> bool:
    """Whether the first lines of a body say that somebody is away for some time."""
    said = _beginning(text)
    return AWAY.search(said) is not None or I_AM_AWAY.search(said) is not None


def _of_a_machine(text: str) -> bool:
    said = _beginning(text)
    return I_AM_AWAY.search(said) is not None or RECEIVED.search(said) is not None


def _asks(subject: str, text: str) -> bool:
    """Whether somebody asks for something, as no absence does. Its subject may repeat the question it answers."""
    if subject.endswith("?") and not ANSWERED.search(subject):
        return True
    own = (line for line in text[:1_500].splitlines() if not line.lstrip().startswith(">"))
    return ASKED.search(" ".join(fold(" ".join(own)).split())) is not None


def _beginning(text: str) -> str:
    return " ".join(fold(text[:1_500]).split())


def has_left(text: str) -> bool:
    """Whether the owner is said to be gone for good: a task for the team, never a removal by itself."""
    return bool(GONE.search(" ".join(fold(text[:4_000]).split())))


def until(text: str, sent: date) -> date | None:
    """The last date an absence names after it was sent: the day of return, or the last day away, as written."""
    named = [
        day
        for day in _dates(" ".join(fold(text[:4_000]).split()), sent)
        if sent <= day <= sent + timedelta(750)
    ]
    return max(named, default=None)


def _dates(said: str, sent: date) -> Iterator[date]:
    """Every date that follows a word for "until" or "back"; a missing year is the next that fits."""
    for pattern in DATES:
        for found in pattern.finditer(said):
            parts = found.groupdict()
            month = MONTHS[parts["n"]] if parts.get("n") else int(parts["m"])
            year = int(parts["y"]) if parts.get("y") else None
            if year is not None and year < 100:
                year += 2000
            for guess in (year,) if year else (sent.year, sent.year + 1):
                try:
                    day = date(guess, month, int(parts["d"]))
                except ValueError:  # 31/02, or the American order 03/25
                    continue
                if day >= sent:
                    yield day
                    break
