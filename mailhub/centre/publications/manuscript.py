"""From the words of an issue to the form that leaves, and to a sample copy that is looked at before it is kept."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from markupsafe import Markup

from mailhub.centre.profile import Centre, Service
from mailhub.lists import Publication
from mailhub.mail import newsletter, preflight, threads
from mailhub.mail.address import Mailbox
from mailhub.mail.dkim import Signer
from mailhub.mail.draft import Enclosure
from mailhub.mail.newsletter import SALUTATION, Blank, Form, Masthead, Personal
from mailhub.mail.preflight import Problem
from mailhub.mail.tokens import Purpose, Token

if TYPE_CHECKING:  # heavy: a command that only looks must not load Jinja
    from mailhub.render import Renderer

_BODY = re.compile(r"<body[^>]*>(.*)</body\s*>", re.IGNORECASE | re.DOTALL)
_STYLE = re.compile(r"<style\b", re.IGNORECASE)
_SOURCE = re.compile(
    r"(<img\b[^>]*?\bsrc\s*=\s*[\"'])(?:cid:|attachments/|\./)?([^\"':/]+)([\"'])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Manuscript:
    """An issue as its author wrote it; `{{ salutation }}` asks for a greeting."""

    subject: str
    text: str
    page: str | None = None  # HTML, a whole page or what stands in its body
    enclosures: tuple[Enclosure, ...] = ()


def masthead(publication: Publication, centre: Centre) -> Masthead:
    """Whom a publication comes from, and how its readers leave it."""
    return Masthead(
        code=publication.code,
        title=publication.title,
        label=publication.list_label or publication.code,
        domain=centre.domain,
        sender=Mailbox(publication.sender or centre.name, f"{publication.address}@{centre.domain}"),
        owner=centre.address(Service.CONTACT),
        stop=centre.local_parts[Service.STOP],
        leave_url=centre.leave_url,
        preferences_url=centre.preferences_url,
    )


def title(publication: Publication, number: int, renderer: "Renderer") -> str:
    """What readers call an issue."""
    values = {"publication": publication.title, "number": number}
    return " ".join(renderer.template("mail/issue/title.txt").render(values).split())


def typeset(
    publication: Publication, number: int, manuscript: Manuscript, centre: Centre, renderer: "Renderer"
) -> bytes:
    """Write the form of an issue: the author's words between our head and our foot."""
    head = masthead(publication, centre)
    values = {
        "title": title(publication, number, renderer),
        "publication": publication.title,
        "reason": publication.reason,
        "subject": manuscript.subject,
        "leave_link": head.leave_link,
        "leave_address": head.leave_address,
        "preferences_link": head.preferences_link,
        "owner": head.owner,
    }
    enclosures, page = _placed(manuscript, centre.domain)
    text = renderer.template("mail/issue/body.txt").render(
        values, text=SALUTATION.sub(Blank.GREETING, manuscript.text).strip("\n")
    )
    if page is not None:
        inner = Markup(SALUTATION.sub(Blank.GREETING_HTML, page))  # noqa: S704 — the author's own HTML
        page = renderer.template("mail/issue/body.html").render(values, page=inner)
    return newsletter.write(
        head, number, subject=manuscript.subject, text=text, page=page, enclosures=enclosures
    )


def sample(
    form: bytes,
    publication: Publication,
    centre: Centre,
    renderer: "Renderer",
    now: datetime,
    signer: Signer | None = None,
) -> tuple[bytes, list[Problem]]:
    """One copy exactly as it would leave, to nobody, and everything that is wrong with it."""
    seal, token = centre.keyring.seal, Token(Purpose.ISSUE, 0, 0)
    leave = seal(Token(Purpose.LEAVE, 0, 0))
    name = "Camille Exemple"
    reader = Personal(
        to=newsletter.to(Mailbox(name, "camille.exemple@lecture.example")),
        message_id=threads.message_id(centre.keyring, token, "issue:sample", centre.domain),
        leave=leave,
        preferences=leave,
        greeting=renderer.template("mail/issue/greeting.txt").render(name=name).strip(),
    )
    copy = Form(form).copy(reader, now)
    signatures = signer.headers_with(copy.head, copy.digest, when=int(now.timestamp())) if signer else b""
    raw = signatures + copy.raw
    return raw, preflight.check(raw, masthead(publication, centre), reader, signed=signer is not None)


def _placed(manuscript: Manuscript, domain: str) -> tuple[Sequence[Enclosure], str | None]:
    """The body of a page, and files shown within it under the name the page gives them."""
    page = manuscript.page
    if page is None:
        return manuscript.enclosures, None
    if (whole := _BODY.search(page)) is not None and not _STYLE.search(page):
        page = whole[1]
    named = {enclosure.filename: enclosure for enclosure in manuscript.enclosures}
    shown: dict[str, Enclosure] = {}

    def as_content(found: re.Match[str]) -> str:
        enclosure = named.get(found[2])
        if enclosure is None:
            return found[0]
        content_id = f"{hashlib.sha256(enclosure.content).hexdigest()[:20]}@{domain}"
        shown[found[2]] = replace(enclosure, content_id=content_id, inline=True)
        return f"{found[1]}cid:{content_id}{found[3]}"

    page = _SOURCE.sub(as_content, page)
    return [
        shown.get(enclosure.filename or "", enclosure) for enclosure in manuscript.enclosures
    ], page.strip()
