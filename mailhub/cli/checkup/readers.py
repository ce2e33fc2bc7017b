"""Values for the letters about subscriptions, as `samples` has them for the others: once rich, once bare."""

from datetime import date
from types import SimpleNamespace

Values = dict[str, object]

_DAY = date(2026, 9, 15)
_LETTER = SimpleNamespace(
    code="lettre",
    title="Lettre mensuelle",
    address="lettre",
    schedule=SimpleNamespace(cadence="premier mardi ouvré"),
)
_REVIEW = SimpleNamespace(
    code="revue", title="Revue de presse", address="revue", schedule=SimpleNamespace(cadence="2e et 4e jeudi")
)
_BOTH: Values = {"publications": [_LETTER, _REVIEW]}
_ONE: Values = {"publications": [_LETTER]}
_READER: Values = {
    "name": "Nadia Benali",
    "address": "n.benali@kerbrec.example",
    "organisation": "Ville de Kerbrec",
    "has_postal": True,
    "subscriptions": [{"number": 12, "title": "Lettre mensuelle", "channel": "email", "state": "active"}],
}
_NOBODY: Values = {
    "name": None,
    "address": None,
    "organisation": None,
    "has_postal": False,
    "subscriptions": [],
}
_COMMON: Values = {"reference": None, "subject": "Bonjour"}
_WISH: Values = {
    **_COMMON,
    "recipient": "lettre@villes-rives.example",
    "number": 12,
    "sender": "n.benali@kerbrec.example",
    "proven": True,
    "understood": "person",
    "why": "se désabonner, mais quelqu’un d’autre est nommé",
    "nothing_done": True,
    "named": "nadia@kerbrec.example",
    "since": _DAY,
    "reader": _READER,
    "text": "Mon collègue part, retirez-le.",
}
_RETURN: Values = {
    **_COMMON,
    "news": "stopped",
    "title": "Lettre mensuelle",
    "issue": 57,
    "number": 12,
    "reader": _READER,
    "why": "tous les essais ont échoué",
    "said": "550 5.1.1 no such user",
    "mail": 12,
}
_COMPLAINT: Values = {
    **_COMMON,
    "known": True,
    "title": "Lettre mensuelle",
    "reader": _READER,
    "kind_label": "abus",
    "recipient": "n.benali@kerbrec.example",
    "mail": 12,
}
_GONE: Values = {
    "number": 12,
    "sender": "n.benali@kerbrec.example",
    "proven": True,
    "reference": "Q-2026-0143",
    "reader": _READER,
    "functions": ["chef de projet"],
    "text": "Je ne travaille plus ici, écrivez à Hervé.",
}
_PAGE = "https://centre.example/une-page/jeton"
_ASKING = tuple(
    {
        **about,
        "shown": "Je demande à recevoir « Lettre mensuelle ».",
        "by_staff": by_staff,
        "confirm_link": link,
    }
    for about in (_ONE, _BOTH)
    for by_staff in (True, False)
    for link in ("", _PAGE)
)
_LEFT = tuple(
    {"publications": about, "stays": stays, "everything": everything, "paper": paper, "changed": changed}
    for about in ([], [_LETTER], [_LETTER, _REVIEW])
    for stays in ([], [_REVIEW])
    for everything, paper, changed in (
        (True, False, True),
        (False, True, True),
        (False, False, True),
        (False, False, False),
    )
)

MAIL: dict[str, tuple[Values, ...]] = {
    "subscription-confirmation": _ASKING,
    "subscription-reminder": _ASKING,
    "subscription-welcome": tuple(
        {**about, "preferences_link": link} for about in (_ONE, _BOTH) for link in ("", _PAGE)
    ),
    "subscription-already": (_ONE, _BOTH),
    "subscription-left": _LEFT,
    "subscription-paused": tuple({**_BOTH, "until": _DAY, "since": since} for since in (None, _DAY)),
    "subscription-channel": tuple(
        {**about, "channel": channel} for about in (_ONE, _BOTH) for channel in ("paper", "email")
    ),
    "subscription-restored": tuple(
        {**_ONE, "restored": restored, "receives": receives}
        for restored in (True, False)
        for receives in ([], [_LETTER, _REVIEW])
    ),
    "subscription-maybe": (_ONE,),
    "subscription-help": (_BOTH,),
    "subscription-address": tuple(
        {"publications": [], "from_old": old, "told_only": told, "other": "nadia@kerbrec.example"}
        for old in (True, False)
        for told in (True, False)
    ),
    "subscription-moved": (_BOTH, {"publications": []}),
    "subscription-wish": (
        _WISH,
        {
            **_WISH,
            "sender": None,
            "proven": False,
            "subject": None,
            "named": None,
            "since": None,
            "reader": _NOBODY,
            "nothing_done": False,
        },
    ),
    "subscription-returns": (
        *(
            {**_RETURN, "news": news}
            for news in ("stopped", "soft-again", "policy", "probable", "unreadable")
        ),
        {**_RETURN, "reader": _NOBODY, "why": "", "said": "", "mail": None},
    ),
    "subscription-complaint": tuple(
        {**_COMPLAINT, "known": known, "reader": reader, "recipient": recipient}
        for known, reader, recipient in (
            (True, _READER, None),
            (False, _NOBODY, None),
            (False, _NOBODY, "x@y.example"),
        )
    ),
    "reader-gone": (
        _GONE,
        {**_GONE, "sender": None, "proven": False, "reference": None, "reader": _NOBODY, "functions": []},
    ),
}
WORDS: tuple[Values, ...] = tuple(
    {**about, "centre": {"name": "Villes & Rives"}} for about in (_ONE, _BOTH)
)  # what is said yes to
