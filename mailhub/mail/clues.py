"""What tells a machine's mail from a person's, taken from the mail once: headers, sender, subject, envelope."""

import re
from dataclasses import dataclass

from mailhub.mail.message import Message
from mailhub.mail.wording import fold, phrases

# Local parts and display names that mail systems use for themselves.
MACHINE = re.compile(
    r"(mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|postmaster|post[-_.](master|office)|\"?system[ ._-]administrator\"?|mail[-_.]?delivery[\w.-]*|mailer|"
    r"mail[-_.]administrator|bounces?|smtp[\w.-]*)@"
)
MACHINE_NAME = phrases(
    r"(e-?)?mail(er)? ?(delivery|deliver|transport|administrator|daemon|system|server|router|gateway)",
    r"postmaster|system ?admin|internet mail|delivery (sub)?system|mail ?(sub)?system|\bsmtp\b.*mail",
)


@dataclass(frozen=True, slots=True)
class Clues:
    """What the tests of `kinds` and `reports` look at."""

    message: Message
    headers: dict[str, list[str]]  # names in lower case, values as decoded
    sender: str  # the From address in lower case
    subject: str  # folded, one line
    null_sender: bool
    machine: bool  # the From is one that mail systems use, or no address at all

    def first(self, name: str) -> str:
        """The first header of that name, "" without one."""
        return next(iter(self.headers.get(name, ())), "").strip()

    def keyword(self, name: str) -> str:
        """The first word of that header in lower case, without comment and parameters."""
        return re.split(r"[;(\s]", self.first(name), maxsplit=1)[0].lower()


def of(message: Message, *, null_sender: bool) -> Clues:
    """Gather the clues. `null_sender` is what the envelope said; a Return-Path header says it afterwards."""
    headers: dict[str, list[str]] = {}
    for name, value in message.headers:
        headers.setdefault(name.lower(), []).append(value)
    sender = next((box.address for box in message.from_ if box.address), "").lower()
    # Postfix's local delivery writes <MAILER-DAEMON> for the null sender.
    path = next(iter(headers.get("return-path", ())), "").strip().lower()
    return Clues(
        message=message,
        headers=headers,
        sender=sender,
        subject=" ".join(fold(message.subject or "").split()),
        null_sender=null_sender or path in {"<>", "<mailer-daemon>", "mailer-daemon"},
        machine=_is_machine(sender, next(iter(headers.get("from", ())), "")),
    )


def _is_machine(sender: str, written: str) -> bool:
    if MACHINE.match(sender):
        return True
    no_address = not re.search(r"[^@\s]@[^@\s]", sender)
    return bool(written) and (no_address or bool(MACHINE_NAME.search(fold(written.partition("<")[0]))))
