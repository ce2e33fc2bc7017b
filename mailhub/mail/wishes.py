"""Plain-word commands: what a person asks of their subscription or invitation, in French or English.

Reads newly written text only; quotes are gone before. One clear wish is named, and anything a reader could doubt
is a person's to decide: a denial, a condition, somebody else's name, two wishes at once. Never a guess.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from mailhub.mail import french, phrasebook, presence, subjects, weighing
from mailhub.mail.address import is_valid, normalise
from mailhub.mail.presence import Answer
from mailhub.mail.reasons import Reason
from mailhub.mail.wish import Asked, Kind, Wish

__all__ = ["PUBLICATIONS", "Answer", "Asked", "Kind", "Wish", "read"]

# Code of each publication and the folded words that name it.
PUBLICATIONS: Mapping[str, tuple[str, ...]] = {
    "lettre": ("lettre", "lettres", "newsletter", "news letter", "infolettre", "bulletin"),
    "revue": ("revue", "revues", "press review", "press digest"),
}


def read(
    new_text: str,
    subject: str | None = None,
    *,
    now: date,
    asked: Asked = Asked.NOTHING,
    sender: str | None = None,
    publications: Mapping[str, tuple[str, ...]] = PUBLICATIONS,
) -> Wish:
    """Name the one wish a mail expresses, or why there is none or only a person can tell.

    The subject counts when its author wrote it and the text says nothing: a `Re:` is ours, not theirs.
    """
    said = _said(new_text)
    if not _strip(said) and subject and not subjects.is_reply(subject):
        said = _said(subject)
    bare = _strip(said)
    if not bare:
        return Wish(Kind.NONE, reason=Reason.NO_WORDS)
    short = _short(bare, asked, publications)
    if short:
        return short
    if asked is Asked.INVITATION and not (phrasebook.leave(said) and phrasebook.from_a_list(said)):
        return _presence(new_text[:MOST_READ], said)
    wish = weighing.weigh(weighing.Statement(said, now, publications, bare))
    return _with_details(wish, said, sender)


# A wish stands at the beginning; the rest of a long text cannot cost time.
MOST_READ = 4000

_PLEASE = re.compile(r"\bs['\s]?il (?:vous|te) pla[iy]t\b|\bstp\b")
_POLITE = re.compile(
    r"\b(?:merci(?: (?:bien|beaucoup|d'avance|par avance|a vous|infiniment))?|mrc|svp|please|thanks?(?: you)?|"
    r"bonjour|bonsoir|bjr|hello|oups|envoye d\w+ mon \w+)\b|[!.,;:)(\-\s\"]+$|^[!.,;:)(\-\s\"]+"
)
_SAYS_YES = re.compile(
    r"(?:oui|ok|yes|d'accord|daccord|entendu|tout a fait|c'est (?:ok|bon|d'accord|bien moi)|je confirme|confirme|"
    r"(?:ok|oui|yes|d'accord|c'est (?:ok|bon))(?: pour moi| je confirme| c'est bien moi| je suis d'accord| bien sur)|"
    r"(?:oui )?je (?:vous )?confirme (?:mon|cet|l')\s?(?:abonnement|inscription|accord)(?: a la (?:lettre|revue(?: de presse)?|newsletter))?|"
    r"(?:oui )+oui|(?:oui |yes )?i confirm|confirmed)"
)
_SAYS_NO = re.compile(
    r"(?:non|no|nope|surtout pas|pas du tout|(?:non )?ce n'est pas moi|(?:non )?je n'ai rien demande|non pas (?:moi|du tout)|"
    r"(?:non )?je refuse|(?:non )?je ne (?:souhaite|veux) pas|non je ne (?:souhaite|veux) pas(?: \S+){1,4})"
)


def _said(text: str) -> str:
    """What is said between greeting and closing, folded; every « s'il vous plaît » as the « svp » others type."""
    return french.body(_PLEASE.sub("svp", french.fold(text[:MOST_READ])))


def _strip(said: str) -> str:
    """The words without politeness, punctuation at the rims and final marks."""
    bare = re.sub(r"\s+", " ", said)
    for _ in range(3):
        bare = _POLITE.sub(" ", bare)
        bare = re.sub(r"\s+", " ", bare).strip(" !.,;:-\"'")
    return re.sub(r"[,;.!]+(?= )", "", bare)


def _short(bare: str, asked: Asked, publications: Mapping[str, tuple[str, ...]]) -> Wish | None:
    """A text of one or a few set words."""
    if phrasebook.help_(bare):
        return Wish(Kind.HELP, bare)
    if _SAYS_YES.fullmatch(bare):
        if asked is Asked.INVITATION:
            return Wish(Kind.RSVP, bare, answer=Answer.YES)
        return Wish(Kind.YES, bare)
    if _SAYS_NO.fullmatch(bare):
        if asked is Asked.INVITATION:
            return Wish(Kind.RSVP, bare, answer=Answer.NO)
        return Wish(Kind.NO, bare)
    named = weighing.named_in(bare, publications)
    if asked is Asked.OTHER_PUBLICATION and named and len(bare.split()) <= 4:
        return Wish(Kind.LEAVE, bare, publications=named)
    return None


# --- details ------------------------------------------------------------------------------------------------

_EMAIL_ADDRESS = re.compile(r"[a-z0-9._%+'-]{1,64}@[a-z0-9.-]{1,200}[a-z0-9]")
_LABEL_CODE = re.compile(r"\bcode(?: etiquette)?\s?:?\s?(\d{3,6})\s?-?\s?([a-z])\b")


_FOR_THEMSELVES = frozenset({Kind.JOIN, Kind.LEAVE, Kind.LEAVE_EVERYTHING, Kind.PAUSE, Kind.MAYBE_LEAVE})


def _with_details(wish: Wish, said: str, sender: str | None) -> Wish:
    """Add the address and label code of the text; what is asked for another address is a person's to decide."""
    mine = normalise(sender) if sender else None
    addresses = [found[0] for found in _EMAIL_ADDRESS.finditer(said) if normalise(found[0]) != mine]
    code = _LABEL_CODE.search(said)
    wish = replace(
        wish,
        address=addresses[-1] if addresses and is_valid(addresses[-1]) else None,
        label_code=f"{code[1]}-{code[2].upper()}" if code else None,
    )
    if addresses and wish.kind in _FOR_THEMSELVES:
        return replace(wish, kind=Kind.PERSON, reason=Reason.ANOTHER_ADDRESS, among=(wish.kind,))
    return wish


def _presence(new_text: str, said: str) -> Wish:
    """An answer to an invitation."""
    reply = presence.read(new_text, said)
    if reply.doubt:
        return Wish(Kind.PERSON, reply.why, reply.reason)
    if reply.answer is None:
        return Wish(Kind.NONE, reply.why, reply.reason)
    return Wish(
        Kind.RSVP,
        reply.why,
        reply.reason,
        answer=reply.answer,
        people=reply.people,
        represented_by=reply.represented_by,
        remark=reply.remark,
    )
