"""Delivery status notifications: who was not reached, for how long, and whose fault it is.

Fields first (RFC 3464, RFC 6533), wherever they stand; then what the machine says in words (`dialects`).
The address to act on is the signed return path's, never the text's: this only tells what was reported.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mailhub.mail import causes, dialects, notices
from mailhub.mail.message import Message

LEFT = frozenset(
    {"delivered", "relayed", "expanded"}
)  # actions that say that it got through to where it was sent
MAX_DELIVERIES = 10_000
MAX_SEARCHED = 20  # recipients looked up in the text beside their fields


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a notification says of one recipient."""

    recipient: str | None  # bare address, lower-cased domain
    action: (
        str | None
    )  # "failed", "delayed", "delivered"; "relayed" and "expanded": on its way, nobody tells how far
    status: str | None  # enhanced status "x.y.z", RFC 3463
    permanent: bool | None
    reason: str  # "user-unknown", "mailbox-disabled", "mailbox-full", "host-unknown", "too-large", "rejected", "unreachable", "other"
    fault: str  # "address", "mailbox", "policy", "transport": whose it is; policy is ours

    @property
    def hard(self) -> bool:
        """Whether this address is dead as far as we can tell: it counts against the subscription."""
        closed = self.fault == causes.MAILBOX and self.reason == "mailbox-disabled"
        dead = closed or self.fault == causes.ADDRESS
        return self.action == "failed" and self.permanent is True and dead


def read(message: Message) -> tuple[Delivery, ...]:
    """Every recipient a notification reports on, once each; empty when it names none."""
    notice = notices.read(message)
    told = [*_from_fields(notice.reports or (notice.text,), notice.text)]
    if any(delivery.recipient for delivery in told):
        return _once_each(told)
    named = [*_from_sightings(dialects.read(notice, message))]
    if named and len(told) == 1:
        # The fields speak of a mailbox file or a program; the address stands in the words beside them.
        return _once_each([replace(told[0], recipient=delivery.recipient) for delivery in named])
    if not named:  # a report about a report: somebody's filter or forwarding returned the notice itself
        named = [*_from_fields(notice.inner, notice.text)]
    if not named:
        named = [*_from_sightings(dialects.guess(notice, message))]
    return _once_each(named or told)


def original_message_id(message: Message) -> str | None:
    """The Message-ID of the mail that came back, without angle brackets: finds ours when the token is gone."""
    value = notices.read(message).returned_header("Message-ID") or ""
    found = re.search(r"<([^<>\s]{1,995})>", value)
    return found[1] if found else None


def _from_fields(texts: tuple[str, ...], words: str) -> Iterator[Delivery]:
    """Deliveries out of delivery-status parts, or out of the same fields pasted into text."""
    for text in texts:
        groups = [*_groups(text)] if FIELDS.search(text) else []
        for group in groups:
            yield _delivery(group, _words_beside(words, group, len(groups)))


def _words_beside(words: str, group: dict[str, str], groups: int) -> str:
    """What the text says of a recipient whose fields give no reason: all of it, or the lines about them."""
    if group.get("diagnostic-code") or groups > MAX_SEARCHED:
        return ""
    address = _recipient(group)
    lines = words.splitlines() if address else []
    about = [line for line in lines if address and address.lower() in line.lower()]
    return words if groups == 1 else "\n".join(about)


FIELDS = re.compile(
    r"^[ \t>]{0,8}(final-recipient|original-recipient|action|status)[ \t]*:", re.IGNORECASE | re.MULTILINE
)
STARTERS = ("final-recipient", "original-recipient", "x-actual-recipient")
TOLD = {"action", "status"}
KNOWN = (*STARTERS, *TOLD, "diagnostic-code")


def _groups(text: str) -> Iterator[dict[str, str]]:
    """Fields recipient by recipient. A blank line alone divides nothing: some writers put one after each field."""
    group: dict[str, str] = {}
    last = ""
    blank = False
    for line in text.splitlines():
        if last and line[:1] in {" ", "\t"} and line.strip():
            if last in group:
                group[last] += " " + line.strip()
            continue
        name, colon, value = line.strip(" \t>").partition(":")
        last = name.strip().lower() if colon else ""
        if last in STARTERS and (group.get(last) or (blank and group.keys() & TOLD and _recipient(group))):
            yield group
            group = {}
        if last in KNOWN and not group.get(last):
            group[last] = value.strip()
        blank = not line.strip()
    if group.keys() & {*STARTERS, *TOLD}:
        yield group


def _delivery(group: dict[str, str], words: str) -> Delivery:
    """One recipient's fields, read."""
    diagnostic = group.get("diagnostic-code", "")
    told = _status(group.get("status", ""))
    better = enhanced(diagnostic or words)
    # "5.0.0" and "4.4.7" (expired) say little; the true code is in the server's answer. RFC 3463 section 3.5.
    vague = told is None or told.endswith(VAGUE)
    status = better if better and vague and (told is None or better[0] == told[0]) else told
    action = _action(group.get("action", ""), status)
    cause = causes.judge(status, diagnostic or words)
    permanent = _permanent(action, status, diagnostic or words)
    return Delivery(_recipient(group), action, status, permanent, cause.reason, cause.fault)


def _recipient(group: dict[str, str]) -> str | None:
    """The address we wrote to when it is told, else the one it became. RFC 3464 section 2.3.1."""
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        kind, semicolon, value = group.get(name, "").rpartition(";")
        address = _address(value if semicolon else group.get(name, ""), kind.lower())
        if address:
            return address
    found = dialects.ADDRESS.search(group.get("diagnostic-code", "")[:1_000])
    return tidy(found[0]) if found and "final-recipient" in group else None


def _address(value: str, kind: str) -> str | None:
    bare = value.strip().strip("<>").strip()
    if kind.startswith("utf-8"):  # RFC 6533 section 3: \x{E9} stands for é
        bare = re.sub(r"\\x\{([0-9A-Fa-f]{2,6})\}", _character, bare)
    elif "@" not in bare and "+40" in bare:  # xtext of RFC 3461 left as it was
        bare = re.sub(r"\+([0-9A-F]{2})", lambda hit: chr(int(hit[1], 16)), bare)
    if "@" in bare:
        found = dialects.ADDRESS.search(bare[:400])
        mixed = re.search(r"[\s|/]", bare)  # Exim names the program the mail was piped to
        return tidy(found[0]) if found and (mixed or len(found[0]) > len(bare) // 2) else tidy(bare[:320])
    return None


def _character(hit: re.Match[str]) -> str:
    code = int(hit[1], 16)
    return chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else "\ufffd"


def tidy(address: str) -> str:
    """A bare address with its domain in lower case."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.lower()}"


CODE = r"([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)"
AFTER_REPLY = re.compile(rf"\b[245]\d\d[ :'\"(-]{{1,3}}#?{CODE}")
HASHED = re.compile(rf"#{CODE}")
VAGUE = (".0.0", ".4.7")
ANYWHERE = re.compile(rf"(?<![\d.\w/-]){CODE}")


def enhanced(words: str) -> str | None:
    """The enhanced status in a server's words: after a reply code, after qmail's "#", else any; the vague ones last."""
    said = words[:20_000]
    found = [hit for pattern in (AFTER_REPLY, HASHED, ANYWHERE) for hit in pattern.finditer(said)]
    codes = [f"{hit[1]}.{int(hit[2])}.{int(hit[3])}" for hit in found]
    return next((code for code in codes if not code.endswith(VAGUE)), next(iter(codes), None))


def _status(value: str) -> str | None:
    found = re.search(r"([245])\s?\.\s?(\d{1,3})\s?\.\s?(\d{1,3})", value[:100])
    return f"{found[1]}.{int(found[2])}.{int(found[3])}" if found else None


ACTIONS = {
    "fail": "failed",
    "delay": "delayed",
    "deliver": "delivered",
    "relay": "relayed",
    "expand": "expanded",
}


def _action(value: str, status: str | None) -> str | None:
    """One of the five actions. RFC 3464 section 2.3.3."""
    said = value.strip().lower()
    for start, action in ACTIONS.items():
        if said.startswith(start):
            return action
    if status is None:
        return "failed" if said else None
    return {"2": "delivered", "4": "delayed", "5": "failed"}[status[0]]


# A server's answer without enhanced status: « a répondu : 450 mailbox busy », "<<< 450", "smtp; 450". RFC 5321 section 4.2.1
REPLY = re.compile(
    r"(?:^|<<<|\b(?:said|repl\w+|respon\w+|r[ée]pon\w+|errors?|erreurs?|reason|raison|code|smtp|status|returned|command)\b)"
    r"[^\w\n]{0,12}([45][0-5]\d)[ :-](?!\d)",
    re.IGNORECASE | re.MULTILINE,
)


def _permanent(action: str | None, status: str | None, words: str) -> bool | None:
    """The class of the status says it, else of the server's answer; a delay is never final, a failure without either is."""
    if action == "delayed":
        return False
    if action in LEFT:
        return None
    if status:
        return status[0] == "5"
    if action != "failed":
        return None
    classes = {found[1][0] for found in REPLY.finditer(words[:20_000])}
    return classes != {"4"}


def _from_sightings(sightings: Iterable[dialects.Sighting]) -> Iterator[Delivery]:
    """Deliveries as the text of a notice tells them."""
    for sighting in sightings:
        status = enhanced(sighting.words)
        if status and status[0] == "2":
            status = None
        action = "delayed" if sighting.delayed else "failed"
        cause = causes.judge(status, _telling(sighting.words))
        permanent = _permanent(action, status, sighting.words)
        yield Delivery(tidy(sighting.recipient), action, status, permanent, cause.reason, cause.fault)


def _telling(words: str) -> str:
    """The lines that carry a server's answer, when there are any: the rest is courtesy."""
    lines = words.splitlines()
    answers = [
        line
        for line in lines
        if re.search(r"\b[45]\d\d[ :#-]|said:|reason|error|#[45]\.", line, re.IGNORECASE)
    ]
    return "\n".join([*answers, *lines])


def _once_each(found: list[Delivery]) -> tuple[Delivery, ...]:
    """One delivery per recipient; a failure outweighs a delay told of the same person."""
    kept: dict[str, Delivery] = {}
    for delivery in found[:MAX_DELIVERIES]:
        key = (delivery.recipient or "").lower()
        if key not in kept or (kept[key].action != "failed" and delivery.action == "failed"):
            kept[key] = delivery
    return tuple(kept.values())
