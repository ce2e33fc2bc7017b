"""Everything that can be wrong with a letter to many is found on its octets, and named by its rule."""

import pytest

from mailhub.centre import publications
from mailhub.centre.publications import Manuscript
from mailhub.mail import preflight
from mailhub.mail.newsletter import Form
from tests import edition
from tests.edition import HOUR, MANUSCRIPT, RENDERER, SIGNER
from tests.mail.test_newsletter import LEAVE, MASTHEAD, NADIA, RAW
from tests.readers import LETTER


def rules(raw):
    return {problem.rule for problem in preflight.check(raw, MASTHEAD, NADIA)}


def changed(old: bytes, new: bytes) -> bytes:
    assert old in RAW
    return RAW.replace(old, new)


def written(page=None, text="Bonjour\n", subject="Mars"):
    """A copy of an issue with these words."""
    form = publications.typeset(LETTER, 57, Manuscript(subject, text, page), edition.centre(), RENDERER)
    copy = Form(form).copy(NADIA, HOUR)
    return SIGNER.headers_with(copy.head, copy.digest, when=1) + copy.raw


WRONG = [
    ("D1", lambda: changed(b"d=villes-rives.example", b"d=autre.example")),
    ("D3", lambda: changed(b"a=rsa-sha256", b"a=rsa-sha1")),
    ("D4", lambda: RAW[RAW.index(b"To: ") :]),
    ("D4", lambda: changed(b"list-unsubscribe-post:", b"")),
    ("D4", lambda: changed(b"h=from:from:", b"h=from:")),
    ("D4", lambda: changed(b"c=relaxed/relaxed;", b"c=relaxed/relaxed; l=10;")),
    ("D5", lambda: changed(b"lettre@villes-rives.example>\r\n", b"claire@freemail.example>\r\n")),
    ("D6", lambda: changed(b"<lettre@villes-rives.example>\r\n", b"<no-reply@villes-rives.example>\r\n")),
    ("D11", lambda: changed(b"Date: ", b"Date: Mon, 02 Mar 2026 09:00:00 +0000\r\nDate: ")),
    ("D11", lambda: changed(b"mh.abc.def@", b"other@")),
    ("D12", lambda: changed(b"R=C3=A9pondez", b"x") if b"R=C3=A9pondez" in RAW else RAW + "é".encode()),
    ("D12", lambda: RAW + b"lone\nfeed"),
    ("D12", lambda: RAW + b"x" * 999),
    ("D12", lambda: changed(b"quoted-printable", b"8bit")),
    ("D13", lambda: written('<p>Bonjour</p><form action="https://x.example"><input name="q"></form>')),
    ("D13", lambda: written("<script>alert(1)</script>")),
    ("D13", lambda: written('<p style="display:none">secret</p>')),
    ("D13", lambda: written('<p onclick="x()">Bonjour</p>')),
    ("D13", lambda: written('<a href="https://kerbrec.example/seul">ici</a>')),
    ("D13", lambda: written("<p>Bonjour</p>", text="https://kerbrec.example/seul\n")),
    ("D13", lambda: written('<a href="page.html">ici</a>')),
    ("D14", lambda: written(subject="Re: votre demande")),
    ("D14", lambda: written(subject="TR : mars")),
    ("D14", lambda: written(subject="")),
    ("D15", lambda: changed(b"From: Villes & Rives <", b"From: <")),
    ("D15", lambda: changed(b"From: Villes & Rives", b"From: =?utf-8?q?Rives_=F0=9F=8E=89?=")),
    ("D16", lambda: written("<p>" + "mot " * 30_000 + "</p>")),
    ("D17", lambda: changed(b"D=C3=89SABONNER", b"STOP")),
    ("D18", lambda: changed(b"<lettre.villes-rives.example>", b"<autre.villes-rives.example>")),
    ("D18", lambda: changed(b"List-Id: Lettre mensuelle <lettre.villes-rives.example>", b"List-Id: lettre")),
    ("D19", lambda: changed(b"List-Post: NO", b"List-Post: <mailto:lettre@villes-rives.example>")),
    ("D19", lambda: changed(b"List-Help: ", b"X-Help: ")),
    ("D20", lambda: changed(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", b"X: y")),
    ("D20", lambda: changed(b"List-Unsubscribe: <https", b"List-Unsubscribe: <http")),
    ("D24", lambda: changed(b"<mailto:stop+" + LEAVE.encode(), b"<mailto:stop")),
    ("D26", lambda: changed(b"Feedback-ID: lettre-57:", b"Feedback-ID: ")),
    ("D26", lambda: changed(b":issue:lettre:", b":issue:" + LEAVE.encode() + b":")),
    ("D47", lambda: written('<img src="https://x.example/pixel.gif" alt="">')),
    ("D47", lambda: written('<p style="background: url(https://x.example/a.png)">Bonjour</p>')),
    ("D47", lambda: written(
        '<a href="https://x.example/?qui=n.benali@kerbrec.example">ici</a>',
        "https://x.example/?qui=n.benali@kerbrec.example\n",
    )),
    ("T28", lambda: changed(b"Precedence: bulk", b"Auto-Submitted: auto-generated\r\nPrecedence: bulk")),
    ("access", lambda: written('<img src="cid:x@y">')),
    ("access", lambda: changed(b'<html lang=3D"fr">', b"<html>")),
    ("form", lambda: written("<style>p { color: red }</style><p>Bonjour</p>")),
    ("form", lambda: written(text="Bonjour {{ prenom }}\n")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "make"), WRONG, ids=[f"{rule}-{place}" for place, (rule, _) in enumerate(WRONG)]
)
def test_what_is_wrong_is_named_by_its_rule(rule, make):
    assert rule in rules(make())


def test_every_rule_of_form_and_lists_is_looked_at():
    """D2, D7 and D8 are of DNS and the relay, D9, D10, D21-D23 and D25 of what happens after: each has its own test."""
    looked_at = {rule for rule, _ in WRONG}

    assert {f"D{number}" for number in (1, 3, 4, 5, 6, *range(11, 21), 24, 26, 47)} <= looked_at


def test_every_problem_is_told_at_once():
    raw = written('<form></form><img src="https://x.example/p.gif">', subject="Re: x")

    assert {"D13", "D14", "D47", "access"} <= rules(raw)


def test_a_problem_shows_no_token():
    raw = written(f'<a href="https://x.example/{LEAVE}">ici</a>', f"https://x.example/{LEAVE}\n")

    assert not [str(each) for each in preflight.check(raw, MASTHEAD, NADIA) if LEAVE in str(each)]


def test_words_of_any_language_are_no_problem():
    text = "Ça ira : « l’œuvre » – 12 €.\n\n. un point seul\n.. deux\nhttps://kerbrec.example/été?a=1&b=2\n"
    page = '<p>Ça ira : « l’œuvre »</p><p><a href="https://kerbrec.example/été?a=1&amp;b=2">ici</a></p>'

    assert rules(written(page, text)) == set()
    assert MANUSCRIPT.page
