"""The checklist of a letter to many, run on the very bytes of a sample copy before an issue is accepted.

Each problem names its rule of lists.md section 3 and says what to change. Nothing is corrected here, and nothing is
trusted to have been made by us: what a provider would see is what is looked at.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mailhub.mail import address, dkim, domains
from mailhub.mail.newsletter import Blank, Masthead, Personal
from mailhub.mail.sample import Sample

MOST_OCTETS = 10_240_000  # what Postfix takes (message_size_limit)
MOST_HTML_OCTETS = 100 * 1024  # Gmail cuts a little above
LONGEST_LINE = 998  # RFC 5322 section 2.1.1
LONGEST_LIST_ID = 255  # RFC 2919 section 3

_ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
_ONCE_OF_A_LIST = ("List-Id", "List-Unsubscribe", "List-Help", "List-Subscribe", "List-Owner", "List-Post")
_AT_MOST_ONCE = ("Sender", "Reply-To", "Cc", "Bcc", "In-Reply-To", "References", "List-Archive", "Precedence")
_ENCODINGS = {"quoted-printable", "base64", "7bit", ""}
_FALSE_THREAD = re.compile(r"\s*(?:re|fwd?|tr|rép|rep)\s*:", re.IGNORECASE)
_NO_REPLY = re.compile(r"no-?reply|ne-?pas-?repondre|donotreply", re.IGNORECASE)
_FEEDBACK = re.compile(r"[^:\s]{1,60}:[^:\s]{1,60}:[^:\s]{1,60}:[A-Za-z0-9]{5,15}")
_PICTOGRAPH = re.compile("[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]")
_LINK = re.compile(r"https?://[^\s<>\"«»]+")
_MARK = re.compile(r"\{\{|\}\}|\{%|%\}|" + "|".join(Blank))
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
_LOADS = re.compile(r"url\s*\(|@import", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to change."""

    rule: str  # "D14"
    says: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.says}"


def check(raw: bytes, masthead: Masthead, reader: Personal, *, signed: bool = True) -> list[Problem]:
    """Every problem of one copy as it would leave; `reader` is whom it is for, `signed` whether it must be."""
    sample = Sample(raw, masthead, reader, signed)
    return [Problem(rule, says) for look in _LOOKS for rule, says in look(sample)]


_Found = Iterator[tuple[str, str]]


# -- the head ---------------------------------------------------------------------------------------------------


def _signatures(sample: Sample) -> _Found:
    """D3, D4, T17: who may be believed, and over what."""
    fields = [_tags(value) for value in sample.said.all_headers("DKIM-Signature")]
    if sample.signed and not fields:
        yield "D4", "the letter is not signed with DKIM"
    if fields and fields[0].get("a") != "rsa-sha256":
        yield "D3", "the first signature is not rsa-sha256, which every verifier knows"
    names = [name.lower() for name, _ in sample.said.headers]
    wanted = {name.decode() for name in dkim.SIGNED} & set(names)
    for tags in fields:
        covered = tags.get("h", "").lower().split(":")
        if missing := sorted(wanted - set(covered)):
            yield "D4", f"the signature does not cover {', '.join(missing)}"
        if covered.count("from") <= names.count("from"):
            yield "D4", "a second From could be added: From is not over-signed"
        if "l" in tags:
            yield "D4", "the signature covers a part of the body only (l=)"
        if tags.get("d", "").lower() != domains.a_label(sample.masthead.domain):
            yield "D1", f"the signature is of {tags.get('d')}, not of the From domain"
        if tags.get("a", "").endswith("sha1"):
            yield "D3", "the signature uses SHA-1"


def _sender(sample: Sample) -> _Found:
    """D5, D6, D15: one sender, ours, who reads."""
    ours = domains.a_label(sample.masthead.domain)
    if len(sample.said.from_) != 1 or address.domain_of(sample.said.from_[0].address or "") != ours:
        yield "D5", f"From is not one address at {ours}"
    for box in (*sample.said.from_, *sample.said.reply_to):
        if _NO_REPLY.search((box.address or "").partition("@")[0]):
            yield "D6", f"{box.address} tells the reader that nobody reads"
    for box in sample.said.from_[:1]:
        name = box.name or ""
        if not name or "@" in name or _PICTOGRAPH.search(name) or not name.isprintable():
            yield "D15", f"the display name {name!r} is missing, holds an address or a pictograph"


def _once(sample: Sample) -> _Found:
    """D11, D19: what must stand there once, and nothing twice."""
    for name in (*_ONCE, *_ONCE_OF_A_LIST):
        if (count := len(sample.said.all_headers(name))) != 1:
            rule = "D11" if name in _ONCE else "D19"
            yield rule, f"{name} stands there {count} times instead of once"
    for name in _AT_MOST_ONCE:
        if len(sample.said.all_headers(name)) > 1:
            yield "D11", f"{name} stands there more than once"
    if sample.said.message_id != sample.reader.message_id:
        yield "D11", "the Message-ID is not the one made from the issue and the reader"


def _lines(sample: Sample) -> _Found:
    """D12, D16: lines and octets that pass every relay unchanged."""
    raw = sample.raw
    if not raw.isascii():
        yield "D12", "there are octets beyond ASCII, which relays may recode"
    if not raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n"):
        yield "D12", "there is a bare CR or LF"
    if (longest := max(map(len, raw.split(b"\r\n")))) > LONGEST_LINE:
        yield "D12", f"a line has {longest} octets; {LONGEST_LINE} are allowed"
    for part in sample.leaves:
        encoding = str(part.get("Content-Transfer-Encoding", "")).lower()
        if encoding not in _ENCODINGS:
            yield "D12", f"a part is encoded as {encoding}"
    if len(raw) > MOST_OCTETS:
        yield "D16", f"the letter has {len(raw)} octets; relays take {MOST_OCTETS}"
    if sample.html is not None and (size := len(sample.html.encode())) > MOST_HTML_OCTETS:
        yield "D16", f"the HTML has {size} octets; above {MOST_HTML_OCTETS} it is shown cut"


def _subject(sample: Sample) -> _Found:
    """D14: a subject that is there and pretends nothing."""
    subject = sample.said.subject or ""
    if not subject.strip():
        yield "D14", "there is no subject"
    if _FALSE_THREAD.match(subject):
        yield "D14", f"the subject pretends to answer or to forward: {subject!r}"
    if not subject.isprintable():
        yield "D14", "the subject holds control characters"


def _list_headers(sample: Sample) -> _Found:
    """D18-D20, D24-D26, T20, T28: what makes it a letter of a list that one can leave."""
    head, masthead = sample.said.header, sample.masthead
    named = re.fullmatch(r"[^<>]+ <([A-Za-z0-9.-]+)>", head("List-Id") or "")
    if named is None or len(head("List-Id") or "") > LONGEST_LIST_ID:
        yield "D18", "List-Id is not of the form: words <label.host>"
    elif named[1] != f"{masthead.label}.{domains.a_label(masthead.domain)}":
        yield "D18", f"List-Id has changed to {named[1]}: readers' filters would lose it"
    for name in ("List-Help", "List-Subscribe", "List-Owner"):
        if not re.fullmatch(r"<(?:mailto|https):[^<>\s]+>", head(name) or ""):
            yield "D19", f"{name} is not one mailto or https address in angle brackets"
    if head("List-Post") != "NO":
        yield "D19", "List-Post is not NO: readers cannot write to everybody"
    yield from _leaving(sample)
    if head("Precedence") != "bulk" or head("Auto-Submitted") is not None:
        yield "T28", "a letter bears Precedence: bulk and no Auto-Submitted"
    if not _FEEDBACK.fullmatch(feedback := head("Feedback-ID") or ""):
        yield "D26", "Feedback-ID is not issue:kind:list:sender, with 5 to 15 letters or digits at the end"
    if any(own in feedback for own in sample.traces):
        yield "D26", "Feedback-ID holds something of one reader"


def _leaving(sample: Sample) -> _Found:
    ways = re.findall(r"<([^<>\s]+)>", sample.said.header("List-Unsubscribe") or "")
    pages = [way for way in ways if way.startswith("https:")]
    post = sample.said.all_headers("List-Unsubscribe-Post")
    if f"mailto:{sample.leave_address}" not in ways:
        yield "D24", "List-Unsubscribe has no mailto that its token alone makes work"
    if any(way not in {*pages, f"mailto:{sample.leave_address}"} for way in ways):
        yield "D20", "List-Unsubscribe has an address that is neither https nor ours"
    if sample.leave_link:
        if pages != [sample.leave_link] or ways[:1] != pages:
            yield "D20", "List-Unsubscribe does not begin with the one https address that leaves"
        if post != ("List-Unsubscribe=One-Click",):
            yield "D20", "List-Unsubscribe-Post is not exactly List-Unsubscribe=One-Click"
    elif pages or post:
        yield "D20", "one-click is promised, and the centre has no public pages"


# -- the body ---------------------------------------------------------------------------------------------------


def _parts(sample: Sample) -> _Found:
    """D13: text first and complete, and nothing in HTML that hides, asks or runs."""
    if not (sample.text or "").strip():
        yield "D13", "there is no text part"
    if sample.html is None:
        return
    kinds = [part.get_content_type() for part in sample.leaves]
    if kinds.index("text/html") < kinds.index("text/plain") if "text/plain" in kinds else True:
        yield "D13", "the text does not come before the HTML"
    page = sample.page
    for tag in sorted(
        page.tags & {"script", "form", "input", "button", "iframe", "object", "embed", "video"}
    ):
        yield "D13", f"the HTML has a <{tag}>"
    if page.handlers:
        yield "D13", f"the HTML runs something: {', '.join(sorted(page.handlers))}"
    if any(_HIDDEN.search(style) for style in page.styles):
        yield "D13", "the HTML hides words from the reader"
    yield from _links(sample)


def _links(sample: Sample) -> _Found:
    written = {_bare(link) for link in _LINK.findall(sample.text or "")}
    linked = {_bare(link) for link in sample.page.links if link.startswith(("http:", "https:"))}
    for link in sorted(linked - written):
        yield "D13", f"the text lacks a link of the HTML: {sample.without_secrets(link)}"
    for link in sorted(written - linked - {_bare(link) for link in _LINK.findall(sample.page.text)}):
        yield "D13", f"the HTML lacks a link of the text: {sample.without_secrets(link)}"
    for link in sample.page.links:
        if not link.startswith(("http:", "https:", "mailto:", "tel:", "#")):
            yield "D13", f"a link leads nowhere: {link}"


def _farewell(sample: Sample) -> _Found:
    """D17: everybody sees how to leave, in French, in both parts."""
    way = sample.leave_link or sample.leave_address
    parts: list[tuple[str, str, Iterable[str]]] = [("text", sample.text or "", ())]
    if sample.html is not None:
        parts.append(("HTML", sample.page.text, sample.page.links))
    for name, words, links in parts:
        if not re.search(r"répondez\s+DÉSABONNER", words):
            yield "D17", f"the {name} does not say « répondez DÉSABONNER »"
        if way not in words and not any(way in link for link in links):
            yield "D17", f"the {name} has no link to leave"


def _privacy(sample: Sample) -> _Found:
    """D47: nothing reports who opened or followed what."""
    page = sample.page
    for source in page.images:
        if not source.startswith("cid:"):
            yield "D47", f"an image is fetched from elsewhere: {source[:80]}"
        elif source[4:] not in {(part.get("Content-ID") or "").strip("<> ") for part in sample.leaves}:
            yield "D13", f"an image is missing: {source}"
    if "background" in page.attributes or any(_LOADS.search(style) for style in page.styles):
        yield "D47", "a style or a background is fetched from elsewhere"
    allowed = {sample.leave_link, sample.preferences_link, f"mailto:{sample.leave_address}"} - {""}
    for link in sorted({*page.links, *_LINK.findall(sample.text or "")} - allowed):
        if any(trace in link for trace in sample.traces) and _bare(link) not in allowed:
            yield "D47", f"a link tells who follows it: {sample.without_secrets(link)}"


def _access(sample: Sample) -> _Found:
    """Whoever hears a letter instead of seeing it reads it too; styles stand where every client keeps them."""
    if sample.html is None:
        return
    page = sample.page
    if page.language != "fr":
        yield "access", '<html> has no lang="fr"'
    if page.images_without_words:
        yield "access", f"{page.images_without_words} images have no alt"
    if page.tags & {"style", "link"}:
        yield "form", "styles are not written on their elements: many clients drop <style> and <link>"


def _leftovers(sample: Sample) -> _Found:
    for name, words in (("subject", sample.said.subject), ("text", sample.text), ("HTML", sample.html)):
        if found := _MARK.search(words or ""):
            yield "form", f"a mark was not filled in: {found[0]!r} in the {name}"


_LOOKS: tuple[Callable[[Sample], _Found], ...] = (
    _signatures, _sender, _once, _lines, _subject, _list_headers, _parts, _farewell, _privacy, _access, _leftovers,
)  # fmt: skip


def _tags(value: str) -> dict[str, str]:
    pairs = (tag.partition("=") for tag in value.split(";"))
    return {name.strip(): re.sub(r"\s", "", text) for name, _, text in pairs if name.strip()}


def _bare(link: str) -> str:
    return link.rstrip(".,;:!?)'’").rstrip("/")
