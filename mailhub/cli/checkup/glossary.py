"""Values for `words/`, as `samples` has them for letters: every word of a closed list that somebody is told in French."""

from mailhub.centre.requests import RequestKind
from mailhub.handlers.visits import Concern
from mailhub.mail import causes, complaints, kinds, wish
from mailhub.mail.reasons import Reason
from mailhub.outbox import Ending

Values = dict[str, object]


def _ended(*endings: Ending, said: str = "") -> Values:
    return {"endings": endings, "said": said}


WORDS: dict[str, tuple[Values, ...]] = {
    "words/complaints.txt": tuple({"kind": kind} for kind in sorted(complaints.COMPLAINTS)),
    "words/enough.txt": ({"most": 30},),
    "words/endings.txt": (
        *(_ended(ending) for ending in Ending),
        _ended(Ending.GIVEN_UP, Ending.TOO_LARGE, said="450 4.2.0 later"),
        _ended(said="550 5.1.1 boîte inconnue"),
    ),
    "words/kinds.txt": tuple({"kind": kind} for kind in (*RequestKind, None)),
    "words/notices.txt": tuple(
        {"reason": reason, "status": status} for reason in causes.FAULTS for status in ("5.1.1", None)
    ),
    "words/reasons.txt": tuple(
        {"reason": reason, "among": among, "words": "plus la lettre"}
        for reason in (*Reason, *Concern, None)
        for among in ((), (wish.Kind.LEAVE, wish.Kind.JOIN))
    ),
    "words/sorts.txt": tuple({"kind": kind} for kind in kinds.Kind),
    "words/untitled.txt": ({},),
    "words/unnamed.txt": ({},),
    "words/wishes.txt": tuple({"kind": kind} for kind in wish.Kind),
}
