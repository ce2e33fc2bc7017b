"""Subjects: what a conversation is about once mail clients have put their prefixes before it.

Clients write `RE`, `TR`, `AW`, `Réponse automatique :` and forty more, in any number and any language; a subject
never decides a thread by itself, but equal conversations must compare equal.
"""

import re
from functools import lru_cache

from mailhub.mail import french

_REPLY = "re|ref|rep|reponse|r|aw|antw|antwoord|antwort|sv|svar|vs|odp|ynt|cevap|rif|rsp|res|ha|ot|atb|回复|答复|ответ"
_FORWARD = "tr|transfere|transf|trans|fwd?|fw|wg|weitergeleitet|rv|rm|reenv|enc|i|inoltra|doorst|pd|vb|vl|vid|fs|ilt|转发|пересл"
_NOTICE = (
    r"reponse automatique(?: d'absence)?|auto(?:matic|mated)?[ -]?(?:reply|response)|message d'absence|avis d'absence|"
    r"absence(?: du bureau| de bureau)?|absente?(?:\(e\))?(?: du bureau)?|out of (?:the )?office(?: autoreply)?|"
    r"abwesenheitsnotiz|automatische antwort|automatisch antwoord|risposta automatica|respuesta automatica|resposta automatica|"
    r"lu|non lu|remis|non remis|relaye|read|not read|delivered|relayed|undeliverable|undelivered|"
    r"acceptee?|refusee?|provisoire|annulee?|accepted|declined|tentative|tentatively accepted|cancel(?:l?ed)|"
    r"rappel|recall|delivery status notification(?: \(\w+\))?|spam|\*+spam\*+|external|externe"
)
# "RE", "RE :", "Re[2]:", "Re(2):", "RE^3:", "Tr. :"; the colon may be the wide one of Asian keyboards.
_PREFIX = re.compile(
    rf"\s*(?:(?P<forward>{_FORWARD})|(?P<reply>{_REPLY})|(?P<notice>{_NOTICE}))\.?\s?(?:[\[(^*]?\s?\d{{1,3}}\s?[\])]?)?\s?[:：]\s*"
)
_TAG = re.compile(r"\s*\[[^\[\]]{1,60}\]\s*(?::\s*)?")
_BRACKETED_REFERENCE = re.compile(r"\s*\[\s*q\s?-\s?\d{4}\s?-\s?\d{1,6}\s*\]\s*", re.IGNORECASE)


@lru_cache(8)  # that of a question stands in each letter about it
def base(subject: str, *, keep_tags: bool = False) -> str:
    """The subject without prefixes, list tags and our own reference, as its author wrote it, on one line."""
    text = " ".join(subject.split())
    if not keep_tags:
        text = _BRACKETED_REFERENCE.sub(" ", text).strip() or text
    return text[_start(text, keep_tags=keep_tags) :].strip()


def key(subject: str) -> str:
    """What two subjects of one conversation have in common, whatever their case, accents and prefixes."""
    return french.fold(base(subject))


def is_forward(subject: str) -> bool:
    """Say whether the outermost prefix is that of a forwarded mail; a reply to a forward is a reply."""
    folded = french.fold_in_place(" ".join(subject.split()))
    at = 0
    while found := _TAG.match(folded, at) or _PREFIX.match(folded, at):
        if found.re is _PREFIX and not found["notice"]:
            return found["forward"] is not None
        at = found.end()
    return False


def is_reply(subject: str) -> bool:
    """Say whether a client marked the subject as that of a reply or forward; a person did not write it then."""
    return _PREFIX.match(french.fold_in_place(subject)) is not None


def _start(text: str, *, keep_tags: bool) -> int:
    """Where the words begin, after all prefixes; a subject made of prefixes and tags alone keeps its last one."""
    folded = french.fold_in_place(text)
    at = last = 0
    while at < len(folded):
        found = _PREFIX.match(folded, at) or (None if keep_tags else _TAG.match(folded, at))
        if found is None:
            return at
        last, at = at, found.end()
    return last if _TAG.match(folded, last) else at
