"""Values for the pages of readers, as `samples` has them for letters: every state a page can be opened or left in."""

from datetime import date, timedelta
from itertools import product
from types import SimpleNamespace

from mailhub.centre.subscriptions import Channel, Settled, State

Values = dict[str, object]

_DAY = date(2026, 3, 5)
_OFFERED = [
    SimpleNamespace(code="lettre", title="Lettre mensuelle"),
    SimpleNamespace(code="revue", title="Revue de presse"),
]
_HELD: Values = {
    "title": "Lettre mensuelle",
    "token": "jeton",
    "state": State.ACTIVE,
    "channel": Channel.EMAIL,
    "channels": (Channel.EMAIL,),
    "until": None,
    "first_day": _DAY,
    "last_day": _DAY + timedelta(days=366),
    "way_back": None,
    "problem": "",
    "typed": "",
    "done": False,
}
_CHOICES: tuple[Values, ...] = (
    *(
        {**_HELD, "state": state, "channel": channel, "until": until, "way_back": way_back, "done": done}
        for state, channel, way_back, done in product(State, Channel, (None, "jeton"), (True, False))
        for until in ((None, _DAY) if state is State.PAUSED else (None,))
    ),
    {**_HELD, "channels": tuple(Channel), "problem": "jusqu_au", "typed": "le 31 février"},
)
_FORM: Values = {"offered": _OFFERED, "chosen": "", "where": "", "problems": set()}

_PAGES: dict[str, tuple[Values, ...]] = {
    "confirm": tuple(
        {"shown": shown, "replied": replied}
        for shown in ("Je demande à recevoir « Lettre mensuelle ».", "")
        for replied in (None, "yes", "no")
    ),
    "confirmed": tuple(
        {"settled": str(settled), "said_no": said_no, "joins": joins, "receives": receives}
        for settled, said_no, joins, receives in product(Settled, *[(True, False)] * 3)
    ),
    "elsewhere": ({},),
    "frame": ({},),
    "join": (
        {**_FORM, "offered": []},
        {**_FORM, "chosen": "lettre"},
        {**_FORM, "where": "jeanne@mairie", "chosen": "lettre", "problems": {"adresse"}},
        {**_FORM, "problems": {"publication", "adresse"}},
    ),
    "join-asked": ({"publication": _OFFERED[0]},),
    "leave": _CHOICES,
    "nothing": ({},),
    "preferences": _CHOICES,
    "too-often": ({},),
    "trouble": ({},),
    "undo": _CHOICES,
    "unread": ({"slow": True}, {"slow": False}),
    "words": ({},),
}
PAGES: dict[str, tuple[Values, ...]] = {
    f"web/{name}.html": tuple({"root": "../", **values} for values in samples)
    for name, samples in _PAGES.items()
}
