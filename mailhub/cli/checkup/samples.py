"""Values every template is rendered with by `mailhub check`: all a letter or a page may be given, rich and bare.

A template of a home that names anything else, or trips over a value that is missing, is found before a reader is.
"""

from datetime import UTC, date, datetime
from types import SimpleNamespace

from mailhub.centre.profile import Centre
from mailhub.cli.checkup import glossary, pages, readers

Values = dict[str, object]

_DAY = date(2026, 3, 5)
_INSTANT = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
_TEXT = "Bonjour,\nquelle est la population du quartier des Tilleuls ?\nNadia Benali"
_ASKER: Values = {
    "name": "Nadia Benali",
    "address": "n.benali@kerbrec.example",
    "shared": True,
    "organisation": "Ville de Kerbrec",
    "member": True,
}
_UNKNOWN: Values = {**_ASKER, "name": None, "shared": False, "organisation": None, "member": False}
_FILE = SimpleNamespace(
    filename="plan.pdf",
    content_type="application/pdf",
    size=14_000_000,
    sent_along=False,
    url="https://example.org/f",
)
_PAST = SimpleNamespace(reference="Q-2026-0007", subject="Population de Kerbrec", answer=_TEXT)
_COMMON: Values = {
    "reference": "Q-2026-0143",
    "subject": "Quartier des Tilleuls",
    "text": _TEXT,
    "colleague": "Claire Morvan",
}
_LETTER: Values = {**_COMMON, "number": 12, "recipient": "n.benali@kerbrec.example"}
_COPY: Values = {
    "passed_on": {"name": "Paul Quéré", "address": "p.quere@freemail.example"},
    **_COMMON,
    "occasion": "question",
    "proven": True,
    "marker": "---",
    "files": [_FILE, SimpleNamespace(**{**vars(_FILE), "sent_along": True})],
    "links_until": _INSTANT,
    "asker": _ASKER,
    "requester": _ASKER,
    "urgent": True,
    "kind_label": "recherche documentaire",
    "first_contact_on": _DAY,
    "due_on": _DAY,
    "owner": "Claire Morvan",
    "doors": ["contact"],
    "history": [{"reference": "Q-2025-0002", "received_on": _DAY, "subject": "Annuaire"}],
    "similar": [_PAST],
    "service_address": "question@villes-rives.example",
    "note_address": "note+jeton@villes-rives.example",
}
_BARE_COPY: Values = {
    **_COPY,
    "urgent": False,
    "proven": False,
    "files": [],
    "links_until": None,
    "asker": _UNKNOWN,
    "requester": _UNKNOWN,
    "owner": None,
    "doors": [],
    "history": [],
    "similar": [],
    "text": "",
}
_ACKNOWLEDGEMENT: Values = {
    **_COMMON,
    "first_contact_on": _DAY,
    "echo": True,
    "follow_up_of": "Q-2025-0002",
    "service_address": "question@villes-rives.example",
}
_ANSWER: Values = {**_COMMON, "asker": "Nadia Benali", "asked_at": _INSTANT, "question": _TEXT}
_TRIAGE: Values = {
    **_LETTER,
    "sender": "n.benali@kerbrec.example",
    "proven": True,
    "kind_label": "message d’une personne",
}
_SENT: Values = {
    **_LETTER,
    "at": _INSTANT,
    "sent_subject": "Re: Quartier des Tilleuls",
    "sent_text": _TEXT,
    "files": [{"filename": "plan.pdf", "size": 820_000}, {"filename": None, "size": 0}],
}

_ISSUE: Values = {
    "title": "Lettre mensuelle n° 57",
    "publication": "Lettre mensuelle",
    "number": 57,
    "subject": "Les rencontres de mars",
    "reason": "Vous recevez cette lettre parce que vous êtes abonné.",
    "text": _TEXT,
    "page": "<p>Bonjour</p>",
    "leave_link": "https://villes-rives.example/quitter/jeton",
    "leave_address": "stop+jeton@villes-rives.example",
    "preferences_link": "https://villes-rives.example/preferences/jeton",
    "owner": "contact@villes-rives.example",
}
_ISSUES: tuple[Values, ...] = (_ISSUE, {**_ISSUE, "leave_link": "", "preferences_link": ""})
_COPY_OF_ISSUE = SimpleNamespace(
    name="Nadia Benali", address="n.benali@kerbrec.example", why="550 5.1.1 no such user", letter_id=12
)
_SUMS = dict.fromkeys(
    ("planned", "sending", "sent", "deferred", "failed", "in_doubt", "paper", "excluded"), 1
)
_ACCOUNT: Values = {
    "issue": "lettre-57",
    "title": "Lettre mensuelle n° 57",
    "sums": _SUMS,
    "failed": [_COPY_OF_ISSUE],
    "in_doubt": [_COPY_OF_ISSUE],
}

_MAIL: dict[str, tuple[Values, ...]] = {
    **readers.MAIL,
    "acknowledgement": (_ACKNOWLEDGEMENT, {**_ACKNOWLEDGEMENT, "echo": False, "follow_up_of": None}),
    "answer": (_ANSWER, {**_ANSWER, "asked_at": None, "question": ""}),
    "answer-failed": (
        {**_LETTER, "why": "", "answer": "550 5.1.1 no such user"},
        {**_LETTER, "why": "l’adresse n’existe pas (5.1.1)", "answer": ""},
        {**_LETTER, "why": "tous les essais ont échoué", "answer": "450 4.2.0 later"},
    ),
    "answer-in-doubt": (_LETTER,),
    "answer-sent": (_SENT, {**_SENT, "files": []}),
    "command-done": ({**_COMMON, "commands": ["prendre", "clore"]},),
    "command-unknown": ({**_COMMON, "unknown": "#rien", "known": ("#note", "#clore")},),
    "issue-late": ({**_COMMON, **_ACCOUNT, "planned_at": _INSTANT},),
    "issue-report": (
        {**_COMMON, **_ACCOUNT},
        {**_COMMON, **_ACCOUNT, "failed": [], "in_doubt": []},
    ),
    "issue-trouble": ({**_COMMON, **_ACCOUNT, "planned_at": _INSTANT, "hours": 6},),
    "held": ({**_COMMON, "reason": "son expéditeur n’a pas pu être vérifié."},),
    "held-settled": tuple(
        {**known, "released": released}
        for known in (_COMMON, {**_COMMON, "reference": None, "subject": None})
        for released in (True, False)
    ),
    "note-copy": (_COMMON,),
    "note-kept": tuple(
        {**_COMMON, "why": why, "sent_at": _INSTANT, "in_doubt": in_doubt, "ignored": ignored}
        for why in ("forward", "empty", "recall", "sealed", "internal", "again", "note")
        for in_doubt in (True, False)
        for ignored in ([], ["#clore"], ["#prendre", "#clore"])
    ),
    "staff-copy": (
        _COPY,
        *(
            {**_BARE_COPY, "occasion": word}
            for word in ("question", "follow_up", "third_party", "third_parties")
        ),
    ),
    "triage": (
        _TRIAGE,
        {**_TRIAGE, "sender": None, "subject": None, "reference": None, "proven": False, "text": ""},
    ),
}
_PARTS: dict[str, tuple[Values, ...]] = {
    "mail/issue/title.txt": _ISSUES,
    "mail/issue/body.txt": _ISSUES,
    "mail/issue/body.html": _ISSUES,
    "mail/issue/greeting.txt": ({"name": "Nadia Benali"}, {"name": ""}),
    "mail/held/reason.txt": tuple(
        {"why": why, "sender": "n.benali@kerbrec.example"}
        for why in ("unproven", "other-address", "other-colleague", "unknown-copy", "no-token")
    ),
    "mail/subscription-confirmation/words.txt": readers.WORDS,
    **glossary.WORDS,
}


def of(template: str, centre: Centre) -> tuple[Values, ...]:
    """The samples for one template, by its path below `templates/`; none when no letter and no page has this name."""
    if template in _PARTS:
        return _PARTS[template]
    if template in pages.PAGES:
        return tuple({"centre": centre, **values} for values in pages.PAGES[template])
    room, _, rest = template.partition("/")
    name, _, part = rest.partition("/")
    if room != "mail" or part not in {"subject.txt", "body.txt"}:
        return ()
    return tuple({"centre": centre, **values} for values in _MAIL.get(name, ()))
