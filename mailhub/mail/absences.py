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
    r"(absent|absente|absence|absent\(e\))( temporaire)?( du bureau| de bureau) ?(:|$)",
    r"(notification|message|avis) d'absence ?(:|$)",
    r"out[ -]of[ -](the )?office\b|ooo\b|vacation (reply|response|message|notice)\b|away from (the |my )?office\b",
    r"abwesenheits(notiz|nachricht|meldung|assistent)\b|automatische antwort\b|(abwesend|abwesenheit) ?(:|$)",
    r"respuesta automatica\b|fuera de (la )?oficina\b|ausente del? ",
    r"risposta automatica\b|fuori (sede|ufficio)\b|assente dall'ufficio\b",
    r"automatisch (antwoord|bericht)\b|afwezig(heid)? ?(:|$)",
    r"resposta automatica\b|fora do escritorio\b|ausencia (temporaria )?(do|de) escritorio\b",
    r".{0,40}automatiska atbilde|\[?automatyczna odpowiedz|autosvar\b|automatiskt? svar\b|automaattinen vastaus|автоответ|自動応答|自動返信",
)
# What a person may put there as well: « Absence : comment la justifier ? ». The words below have to say "I am away" too.
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
    r"en deplacement|de retour|pas joignable|indisponible)",
    r"\b(bureaux?|service|secretariat|accueil|mairie) (est|sont|sera|seront) fermee?s?\b|accus(e|ons) (bonne )?reception|"
    r"\bbien recu votre (message|mail|courriel|demande)",
    r"\b(actuellement|presentement) (absente?|en conges?|en vacances)|\bde (mon|notre) absence\b|\b(mon|notre) retour\b",
    r"\b(i am|i'm|we are|i will be|i'll be)\b.{0,40}\b(out of|away|on (annual )?leave|on vacation|on holiday|back)\b|"
    r"\b(my|our) (absence|return)\b",
    r"\bich bin\b.{0,60}\b(abwesend|nicht|urlaub|wieder)\b|\bmeine[rn]? (abwesenheit|ruckkehr)\b",
    r"\b(estoy|estare)\b.{0,30}\b(ausente|fuera|vacaciones)|\b(sono|saro)\b.{0,30}\b(assente|fuori|ferie)|"
    r"\bik ben\b.{0,40}\b(afwezig|vakantie|verlof|terug)|\bmijn (afwezigheid|terugkeer)\b|\b(estou|estarei)\b.{0,30}\b(ausente|ferias|fora)",
)
AWAY = phrases(
    r"\b(absente?|absent\(e\)|en conges?|en vacances|en deplacement|de retour|out of (the )?office|on (annual )?leave|"
    r"on vacation|on holiday|away|abwesend|im urlaub|nicht im (buro|hause)|fuera de la oficina|de vacaciones|ausente|"
    r"fuori (sede|ufficio)|in ferie|assente|afwezig|op vakantie|met verlof|de ferias|fora do escritorio)\b"
)
GONE = phrases(
    r"\b(je )?ne (travaille|fais|suis) plus (partie )?(ici|a |au |chez |pour |dans |de |en poste)",
    r"\b(j'ai|a|ai) (quitte|definitivement quitte) (le |la |les |l'|mes |ses |son |notre )(?!bureau\b)",
    r"n'est plus (en poste|en fonction|salarie|joignable a cette adresse|a cette adresse)|n'exerce plus",
    r"cette (adresse|boite|messagerie).{0,30} n'est plus (utilisee?|consultee?|active|valide|relevee?)",
    r"parti(e)? (a|en) (la )?retraite",
    r"no longer (work|working|works|employed|with|at|part)|has left (the |our )|have left (the |our )|"
    r"this (address|mailbox|account) is no longer (in use|used|monitored|active)",
    r"nicht mehr (bei|fur|im hause|tatig|in unserem)|ausgeschieden|ya no trabaj|non lavor[ao] piu|"
    r"werkt? niet (meer|langer)|nao trabalh[ao] mais|ja nao trabalh",
)

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
    """
    said = " ".join(fold(subject).split()).replace(" :", ":").replace(":", " : ", 1)
    said = " ".join(said.split())[:200]
    whole = WHOLE.fullmatch(said)
    found = PREFIX.match(said) or (whole if _RETURNS.search(said) else None)
    if found is None and (maybe := whole or MAYBE_PREFIX.match(said)) and I_AM_AWAY.search(_beginning(text)):
        found = maybe
    return found[0].strip(" :") if found else ""


def in_text(text: str) -> str:
    """Wording of an absence in the first lines of a body; no proof of a machine by itself."""
    found = AWAY.search(fold(text[:1_500]))
    return found[0] if found else ""


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
