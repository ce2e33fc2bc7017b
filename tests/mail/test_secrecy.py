"""Whatever a mail program makes of a copy and wherever its reader writes between the lines: nothing internal leaves."""

import html as entities
import re
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailhub.mail import plain, quoting, relay, secrecy

MARKER = "--- Ce qui suit est interne : ne jamais transmettre. ---"
STAFF = "claire.morvan@villes-rives.example"
TOKEN = "rep+abcdefghijklmnopqrstuvwxyz234567abcdefghijklm@villes-rives.example"
QUESTION = "Bonjour, quelle est la population du quartier des Tilleuls ?\nEt celle de Kerbrec en 2020 ?"
THIRD = "Je suis la cheffe de Nadia, et le budget est épuisé.\nNe lui répondez pas avant lundi prochain."
CARD = f"""{MARKER}

Qui demande   : Nadia Benali <n.benali@kerbrec.example>
Organisme     : Ville de Kerbrec (non adhérent)
Suivi par     : personne encore

Ce que fera votre réponse : répondre à ce message envoie votre texte à n.benali@kerbrec.example, sans votre adresse.
Pour une note interne, écrivez à {TOKEN.replace("rep+", "note+")} ou commencez par une ligne à croisillon."""
COPIES = [
    f"Nouvelle question de Nadia Benali (expéditeur non vérifié).\n\n{QUESTION}\n\n{CARD}\n",
    f"Un tiers, Hugo Perrin, a écrit dans ce fil. Rien ne lui a été communiqué.\n\n{THIRD}\n\n{CARD}\n",
]
KEPT_FROM = secrecy.secrets(
    addresses=[STAFF],
    machine_locals=["rep", "note"],
    domain="villes-rives.example",
    stand_in="question@villes-rives.example",
    marker=MARKER,
    copies=COPIES,
    shown=[QUESTION],
)
NEVER = [
    solid
    for line in f"{CARD}\n{THIRD}\n{COPIES[0].splitlines()[0]}\n{COPIES[1].splitlines()[0]}".splitlines()
    if len(solid := secrecy.solid(line)) >= 12
]
OWN = ["Bonjour Madame,", "2 340 habitants au recensement.", f"Mon adresse : {STAFF}", "Oui."]
ABOVE = [
    f"Le mar. 3 mars 2026 à 10:05, Villes & Rives <{TOKEN}> a écrit :",
    "-----Message d'origine-----",
    "",
]


@st.composite
def replies(draw: st.DrawFn, prefixes: tuple[str, ...] = ("> ", ">", "> > ", "", "| ", "    ")) -> str:
    """A reply to a copy: its lines broken and marked by some mail program, some gone, own words between them."""
    prefix, width = draw(st.sampled_from(prefixes)), draw(st.sampled_from([40, 60, 76, 1000]))
    lines = [draw(st.sampled_from(ABOVE))]
    for line in draw(st.sampled_from(COPIES)).splitlines():
        for piece in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]:
            lines += [f"{prefix}{piece}"] if draw(st.integers(0, 5)) else []
            lines += [draw(st.sampled_from(OWN))] if not draw(st.integers(0, 7)) else []
    return "\n".join([*lines, draw(st.sampled_from(OWN))])


@settings(max_examples=300, deadline=None)
@given(replies(), st.booleans())
def test_nothing_internal_leaves_however_a_copy_was_quoted(reply: str, as_page: bool):
    page = "".join(f"<div>{entities.escape(line) or '<br>'}</div>" for line in reply.split("\n"))
    said = quoting.read(reply, page if as_page else None).reply

    left = relay.text(said, KEPT_FROM) or ""
    shown = plain.from_html(relay.html(page, said, KEPT_FROM) or "").text

    for leaving in (left, shown):
        assert [line for line in NEVER if line in secrecy.solid(leaving)] == []
        assert STAFF not in leaving
        assert not re.search(r"(rep|note)\+", leaving)


@settings(max_examples=300, deadline=None)
@given(replies(prefixes=("> ", ">", "> > ")))
def test_no_own_word_stays_behind(reply: str):
    said = quoting.read(reply).reply

    left = relay.text(said, KEPT_FROM)

    assert left is not None
    for line in OWN:
        assert left.splitlines().count(KEPT_FROM.mask(line)) == said.splitlines().count(line)


@pytest.mark.parametrize(
    "written",
    [
        f"> {MARKER}",
        "> — Ce qui suit est interne : ne jamais transmettre. —",
        "| --- Ce qui\u200b suit est in\u00adterne :\nne jamais transmettre. ---",
    ],
)
def test_the_marker_is_known_however_a_client_wrote_its_dashes(written: str):
    assert secrecy.solid(written) == secrecy.solid(MARKER)


def test_what_a_client_adds_to_an_address_does_not_count():
    assert secrecy.solid("z@ville.example<mailto:z@ville.example> a écrit") == secrecy.solid(
        "z@ville.example a écrit"
    )
