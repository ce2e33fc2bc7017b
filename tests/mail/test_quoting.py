"""New words and old ones: top posting, bottom posting, answers in between, forwards, signatures, traps."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailhub.mail import plain, quoting
from mailhub.mail.quoting import Fold

NEW = "Bonjour,\n\nOui pour jeudi, avec la liste des bailleurs.\nMerci encore."
OLD = "Bonjour Jean,\n\nÊtes-vous libre jeudi ?\nNadia"
QUOTED = "\n".join(f"> {line}".rstrip() for line in OLD.split("\n"))
ATTRIBUTION = "Le mar. 3 mars 2026 à 10:00, Nadia Benali <nadia@ville.example> a écrit :"
OUTLOOK = (
    "De : Nadia Benali <nadia@ville.example>\nEnvoyé : mardi 3 mars 2026 10:00\nÀ : Jean Morel\nObjet : Jeudi"
)
ORANGE = '> Message du 03/03/26 10:00\n> De : "Nadia" <nadia@ville.example>\n> A : jean@centre.example\n> Copie à : \n> Objet : Jeudi'

TOP_POSTED = {
    "gmail": f"{NEW}\n\n{ATTRIBUTION}\n\n{QUOTED}\n",
    "gmail wrapped": f"{NEW}\n\n{ATTRIBUTION.replace(' <', chr(10) + '<')}\n\n{QUOTED}\n",
    "gmail wrapped within the address": f"{NEW}\n\n{ATTRIBUTION.replace('<', '<' + chr(10))}\n\n{QUOTED}\n",
    "thunderbird": f"{NEW}\n\nLe 03/03/2026 à 10:00, Nadia Benali a écrit\u00a0:\n{QUOTED}\n",
    "without a blank line": f"{NEW}\n{ATTRIBUTION}\n{QUOTED}\n",
    "yahoo, nothing quoted": f"{NEW}\n\n    Le mardi 3 mars 2026 à 10:00:12 UTC+1, Nadia <nadia@ville.example> a écrit :  \n \n {OLD}\n",
    "iphone": f"{NEW}\n\nEnvoyé de mon iPhone\n\n> Le 3 mars 2026 à 10:00, Nadia <nadia@ville.example> a écrit :\n> \n{QUOTED}\n",
    "outlook": f"{NEW}\n\n{OUTLOOK}\n\n{OLD}\n",
    "outlook with its line": f"{NEW}\n\n________________________________\n{OUTLOOK}\n\n{OLD}\n",
    "outlook, message d'origine": f"{NEW}\n\n-----Message d'origine-----\n{OUTLOOK}\n\n{OLD}\n",
    "outlook for telephones": f"{NEW}\n\nTélécharger Outlook pour Android<https://aka.ms/x>\n________________________________\n"
    f"From: Nadia <nadia@ville.example>\nSent: Tuesday, March 3, 2026 10:00:00 AM\nTo: Jean\nSubject: Jeudi\n\n{OLD}\n",
    "outlook, rendez-vous d'origine": f"{NEW}\n\n-----Rendez-vous d'origine-----\n{OUTLOOK}\nOù : salle 2\n\n{OLD}\n",
    "notes, labels without colons": f"{NEW}\n\nNadia Benali <nadia@ville.example>\n03/03/2026 10:00\n\nA\njean@centre.example\ncc\n\n"
    f"Objet\nJeudi\n\n\n{OLD}\n",
    "zimbra": f"{NEW}\n\n----- Mail original -----\n{OUTLOOK}\n\n{OLD}\n",
    "orange": f"{NEW}\n\n{ORANGE}\n> \n{QUOTED}\n",
    "orange, new": f"{NEW}\n\n---------------------------------------\nenvoyé : 3 mars 2026 à 10:00\nde : Nadia <nadia@ville.example>\n"
    f"à : jean@centre.example\nobjet : Jeudi\n\n{OLD}\n",
    "sfr": f"{NEW}\n\n========================================\n\nMessage du : 03/03/2026 10:00\nDe : nadia@ville.example\n"
    f"A : jean@centre.example\nCopie à : \nSujet : Jeudi\n\n{OLD}\n",
    "samsung": f"{NEW}\n\nEnvoyé depuis mon appareil Galaxy\n\n-------- Message d’origine --------\n{OUTLOOK}\n\n{OLD}\n",
    "proton": f"{NEW}\n\nEnvoyé avec la messagerie sécurisée Proton Mail.\n\n------- Message d'origine -------\n"
    f"Le mardi 3 mars 2026 à 10:00, Nadia <nadia@ville.example> a écrit :\n\n{QUOTED}\n",
    "groupwise, nothing quoted": f"{NEW}\n\n>>> Nadia Benali <nadia@ville.example> 03/03/2026 10:00 >>>\n\n{OLD}\n",
    "groupwise": f'{NEW}\n\n>>> "Nadia Benali" <nadia@ville.example> 03/03/2026 10:00 >>>\n{QUOTED}\n',
    "signature above": f"{NEW}\n\n-- \nJean Morel\nCentre de ressources\n\n{ATTRIBUTION}\n{QUOTED}\n",
    "signature below": f"{NEW}\n\n{ATTRIBUTION}\n{QUOTED}\n\n-- \nJean Morel\n",
    "service": f"{NEW}\n\n--- Répondez au-dessus de cette ligne ---\n\n{OLD}\n",
    "notice": f"{NEW}\n\nCe message et ses pièces jointes sont confidentiels et réservés à leurs destinataires.\n\n{ATTRIBUTION}\n{QUOTED}\n",
    "quoted line wrapped on its way": f"{NEW}\n\n{ATTRIBUTION}\n> Vous trouverez ci-joint la liste complète des bailleurs sociaux de la\nmétropole.\n> Nadia\n",
    "two histories": f"{NEW}\n\n{ATTRIBUTION}\n{QUOTED}\n\n{OUTLOOK}\n\n{OLD}",
    "carriage returns": f"{NEW}\n\n{ATTRIBUTION}\n{QUOTED}\n".replace("\n", "\r\n"),
    "on the line of the words": f"{NEW} Le 3 mars 2026 à 10:00, nadia@ville.example a écrit :\n{QUOTED}\n",
    "bars": f"{NEW}\n\n{ATTRIBUTION}\n\n{QUOTED.replace('>', '|')}\n",
    "german": f"{NEW}\n\nAm 03.03.2026 um 10:00 schrieb Nadia Benali:\n{QUOTED}\n",
    "english outlook": f"{NEW}\n\n-----Original Message-----\nFrom: Nadia\nSent: Tuesday, March 3, 2026 10:00\nTo: Jean\nSubject: x\n\n{OLD}",
}


@pytest.mark.parametrize("text", TOP_POSTED.values(), ids=TOP_POSTED)
def test_an_answer_above_the_old_message_is_found(text):
    read = quoting.read(text)

    assert read.reply.replace("\r", "") == NEW
    assert read.text == text
    assert not read.interleaved
    assert read.forwarded is None
    assert "quote" in {fold.kind for fold in read.folds}


@pytest.mark.parametrize(
    "start", [f"{ATTRIBUTION}\n", f"{ORANGE}\n> \n", "", "-----Message d'origine-----\n" + OUTLOOK + "\n\n"]
)
def test_an_answer_below_the_old_message_is_found(start):
    read = quoting.read(f"{start}{QUOTED}\n\n{NEW}\n\n-- \nJean")

    assert read.reply == NEW
    assert [fold.kind for fold in read.folds] == ["quote", "signature"]


def test_a_greeting_above_the_quote_and_the_answer_below_are_one_reply():
    read = quoting.read(f"Bonjour Nadia,\n\n{ATTRIBUTION}\n{QUOTED}\n\nOui, jeudi me va.\n")

    assert read.reply == "Bonjour Nadia,\n\nOui, jeudi me va."
    assert read.folds == (Fold(16, read.text.index("\nOui"), "quote"),)


@pytest.mark.parametrize("opening", ["", "Bonjour,\n\n"])
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_answers_between_quoted_lines_are_never_cut(opening, gap):
    """desk.md P25: every line the author wrote stays, and the questions stay with the answers."""
    questions = [
        "> Quel territoire ?",
        "> Pour quel public, et avec quels partenaires déjà présents sur le quartier",
        "> Pour quand ?",
        "> Nadia",
    ]
    answers = ["Rennes.", "Les 16-25 ans.", "le 12, au plus tard"]
    between = "".join(
        f"{question}{gap}{answer}{gap}" for question, answer in zip(questions, answers, strict=False)
    )

    read = quoting.read(f"{opening}{ATTRIBUTION}\n{between}{questions[-1]}\n")

    assert read.interleaved
    assert all(answer in read.reply for answer in answers)
    assert all(question in read.reply for question in questions[:3])
    assert read.reply.startswith(opening or ATTRIBUTION)


def test_a_quotation_amid_own_words_stays_with_them():
    text = "Je cherche ceci :\n> article 3\n> article 7\nMerci d'avance,\nJean"

    assert quoting.read(text) == quoting.Quoting(text, text, (), interleaved=False, forwarded=None)


FORWARDS = {
    "gmail": "---------- Forwarded message ---------",
    "gmail fr": "---------- Message transféré ----------",
    "thunderbird": "-------- Message transféré --------",
    "apple": "Début du message réexpédié :\n",
    "zimbra": "----- Mail transféré -----",
}


@pytest.mark.parametrize("line", FORWARDS.values(), ids=FORWARDS)
@pytest.mark.parametrize("is_reply", [True, False])
def test_a_forwarded_message_is_content(line, is_reply):
    passed_on = f"{OUTLOOK}\n\n{OLD}\n\n{ATTRIBUTION}\n{QUOTED}"
    read = quoting.read(f"Pour toi.\n\n-- \nJean\n\n{line}\n{passed_on}\n", is_reply=is_reply)

    assert read.reply == f"Pour toi.\n\n{line}\n{passed_on}"
    assert read.forwarded == passed_on
    assert [fold.kind for fold in read.folds] == ["signature"]


def test_outlook_marks_a_forward_by_its_subject_only():
    text = f"Pour toi.\n\n{OUTLOOK}\n\n{OLD}"

    assert quoting.read(text).reply == "Pour toi."
    assert quoting.read(text, is_forward=True).reply == text
    assert quoting.read(text, is_forward=True).forwarded == f"{OUTLOOK}\n\n{OLD}"


@pytest.mark.parametrize("line", FORWARDS.values(), ids=FORWARDS)
def test_apple_quotes_what_it_passes_on(line):
    passed_on = "\n".join(f"> {old}".rstrip() for old in f"{OUTLOOK}\n\n{OLD}".split("\n"))
    text = f"Pour toi.\n\n> {line.strip()}\n{passed_on}"

    assert quoting.read(text).reply == text
    assert quoting.read(text).forwarded == passed_on
    assert quoting.read(text, is_reply=False, is_forward=True).forwarded == passed_on


@pytest.mark.parametrize("head", [f"> {ATTRIBUTION}\n", f"{ATTRIBUTION}\n", ""])
def test_quoted_lines_are_content_where_the_subject_says_forwarded(head):
    text = f"Pour toi.\n\n{head}{QUOTED}\n\nQu'en dis-tu ?\n\n> Et de ceci ?"

    assert quoting.read(text, is_forward=True).reply == text


def test_html_that_is_passed_on_within_a_quote_is_content():
    html = (
        'Pour toi<br><blockquote type="cite"><div>Début du message réexpédié :</div><br><div><b>De: </b>Nadia Benali<br>'
        "</div><div><b>Objet: </b>Jeudi<br></div><br><p>Êtes-vous libre jeudi ?</p></blockquote>"
    )
    text = plain.from_html(html).text

    assert quoting.read(text, html).reply == text


def test_a_forward_within_the_old_message_is_history():
    read = quoting.read(
        f"{NEW}\n\n-----Message d'origine-----\n\nPour info.\n\n{FORWARDS['gmail']}\n{OUTLOOK}\n\n{OLD}"
    )

    assert read.reply == NEW
    assert read.forwarded is None


TRAPS = {
    "the verified trap": "Le directeur du centre m'a parlé de vous.\n\nIl m'a dit ce que\nVictor Hugo a écrit :\n\nDemain, dès l'aube.",
    "a quotation with its date": "Bonjour,\n\nLe 12 avril, Victor Hugo a écrit :\n\nDemain, dès l'aube, à l'heure où blanchit la campagne.",
    "a date, a time, a clause": "Le 3 mars 2026 à 9:40, le technicien a écrit :\nimprimante HS\n\nQue faire ?",
    "words after the colon": "Le 3 mars 2026 à 10:00, Nadia a écrit : « venez ».\nJ'y serai.",
    "a journey": "Bonjour,\n\nDe : Rennes\nÀ : Nantes\nDate : 3 mars\n\nMerci de réserver.",
    "a meeting": "Bonjour,\n\nObjet : comité\nDate : mardi 3 mars, 14:00\nDe : 14h00 à 16h00\n\nÀ mardi",
    "days and hours": "Mes disponibilités :\nlundi\n03/03/2026 10:00\n\nA\nbientôt\n\nNadia",
    "answers set off": "Voici.\n\n--- Réponse à la demande ---\n\nOui.",
    "a list with dashes": "Je voudrais :\n- l'article 3\n- l'article 7\n-- le dossier aussi",
    "drawn lines": "Premier point.\n\n----\n\nSecond point.\n\n====\n\nTroisième point.",
    "Envoyé de": "Bonjour,\n\nEnvoyé de Rennes le 3 mars, mon courrier est-il arrivé ?",
    "a line that begins with From": "Voici :\n>From the beginning\nfin",
    "mail original": "Je n'ai pas gardé le mail original.\nPouvez-vous me le renvoyer ?",
    "numbers": "3 - 7 - 12",
}


@pytest.mark.parametrize("text", TRAPS.values(), ids=TRAPS)
@pytest.mark.parametrize("is_reply", [True, False])
def test_a_person_s_own_words_are_never_cut(text, is_reply):
    assert quoting.read(text, is_reply=is_reply) == quoting.Quoting(
        text, text, (), interleaved=False, forwarded=None
    )


def test_outside_a_reply_a_quotation_is_content():
    text = "Bonjour, je cherche la suite de :\n\n> Demain, dès l'aube\n> à l'heure où blanchit"

    assert quoting.read(text, is_reply=False).reply == text


def test_history_beyond_doubt_is_folded_in_any_mail():
    assert quoting.read(f"{NEW}\n\n{ATTRIBUTION}\n{QUOTED}", is_reply=False).reply == NEW
    assert (
        quoting.read(f"{NEW}\n\n-----Message d'origine-----\n{OUTLOOK}\n\n{OLD}", is_reply=False).reply == NEW
    )


def test_below_the_signature_of_a_telephone_lies_what_it_carried_along():
    read = quoting.read(f"Oui pour jeudi.\n\nSent from my Zephyr 12\n\n{OLD}")

    assert read.reply == "Oui pour jeudi."
    assert [fold.kind for fold in read.folds] == ["signature", "quote"]


@pytest.mark.parametrize("above", ["", "Bonjour,\n\n"])
def test_an_answer_typed_below_the_signature_of_a_telephone_is_kept(above):
    read = quoting.read(f"{above}Envoyé de mon iPhone\n\nOui pour jeudi.\n\n{ATTRIBUTION}\n{QUOTED}")

    assert "Oui pour jeudi." in read.reply
    assert "iPhone" not in read.reply


@pytest.mark.parametrize(
    "greeting",
    [
        "Bonjour,",
        "Bonjour à tous les membres",
        "Bonjour à toutes et à tous,",
        "Chère Madame Le Goff,",
        "Bonjour Nadia et toute l'équipe !",
    ],
)
def test_where_only_a_greeting_stands_above_the_signature_of_a_telephone_the_words_follow_below(greeting):
    read = quoting.read(f"{greeting}\n\nEnvoyé de mon iPhone\n\nJe prends le 3 et le 7.")

    assert read.reply == f"{greeting}\n\nJe prends le 3 et le 7."


@pytest.mark.parametrize(
    "answer", ["Bonjour, oui pour jeudi.", "Bonjour à tous, je prends le troisième", "Bonjour, article 3 svp"]
)
def test_a_greeting_with_an_answer_in_its_line_is_an_answer(answer):
    assert quoting.read(f"{answer}\n\nEnvoyé de mon iPhone\n\n{OLD}").reply == answer


def test_a_postscript_below_the_signature_of_a_telephone_is_kept():
    read = quoting.read("Oui pour jeudi, merci.\n\nEnvoyé de mon iPhone\n\nPS : et l'article 3 aussi.")

    assert read.reply == "Oui pour jeudi, merci.\n\nPS : et l'article 3 aussi."


@pytest.mark.parametrize("text", [f"{ATTRIBUTION}\n{QUOTED}", QUOTED])
def test_a_mail_that_only_quotes_says_so(text):
    read = quoting.read(text)

    assert read.only_quotes
    assert read.reply == text


def test_a_mail_with_a_signature_and_a_quote_only_is_its_signature():
    read = quoting.read(f"Envoyé de mon iPhone\n\n{ATTRIBUTION}\n{QUOTED}")

    assert read.only_quotes
    assert read.reply == "Envoyé de mon iPhone"


def test_below_a_heading_at_the_top_nothing_is_cut():
    """Without quote marks nobody can tell where the old message ends and an answer begins."""
    text = f"{OUTLOOK}\n\n{OLD}\n\nOui pour jeudi."

    assert quoting.read(text).reply == text


@pytest.mark.parametrize(
    "html",
    [
        '<p>Bai, ostegunean.</p><div class="gmail_quote"><div class="gmail_attr">2026 mar. 3, Nadia igorleak hau idatzi du</div>{}</div>',
        '<p>Bai, ostegunean.</p><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>Nork</b> Nadia</div>{}',
        '<p>Bai, ostegunean.</p><div id="yahoo_quoted_42" class="yahoo_quoted">{}</div>',
        '<p>Bai, ostegunean.</p><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__">Nadia</div>{}',
        '<p>Bai, ostegunean.</p><blockquote type="cite">{}</blockquote>',
    ],
)
def test_the_html_tells_what_words_of_an_unknown_language_do_not(html):
    html = html.format("<p>Noiz etorriko zara?</p><p>Nadia</p>")
    read = quoting.read(plain.from_html(html).text, html)

    assert read.reply == "Bai, ostegunean."


def test_html_that_is_not_the_text_decides_nothing():
    html = '<p>Autre chose</p><div class="gmail_quote">ancien</div>'

    assert quoting.read("Oui.\n\nancien", html).reply == "Oui.\n\nancien"


def test_gmail_wraps_a_forward_like_a_quote():
    html = f'Voici<div class="gmail_quote"><div class="gmail_attr">{FORWARDS["gmail"]}<br>De : Nadia</div><p>Bonjour</p></div>'
    text = plain.from_html(html).text

    assert quoting.read(text, html).reply == text


def test_nothing_is_read_from_nothing():
    assert quoting.read("") == quoting.Quoting("", "", (), interleaved=False, forwarded=None)
    assert quoting.read(" \n\n").reply == ""


PIECES = st.sampled_from(
    ["Oui.", "Bonjour,", "", "", "> Quand ?", ">> Qui ?", ATTRIBUTION, *OUTLOOK.split("\n"), "-- ", "--", "____", "Envoyé de mon iPhone",
     "-----Message d'origine-----", "---------- Message transféré ----------", "Ce message est confidentiel, ses destinataires…",
     "Le 3 mars", "a écrit :", "| barre", "> wrote:", "\r", "À demain, le 3 mars 2026 à 10:00 :", "\u2028", "--- reply above this line ---"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.lists(PIECES, max_size=14).map("\n".join), st.text(max_size=200)),
    st.booleans(),
    st.booleans(),
)
@example("a\n\n> b\nc\n> d\ne", True, False)
def test_every_body_is_its_folds_and_its_words(text, is_reply, is_forward):
    read = quoting.read(text, is_reply=is_reply, is_forward=is_forward)

    edges = [edge for fold in read.folds for edge in (fold.start, fold.end)]
    assert edges == sorted(edges)
    assert all(0 <= fold.start < fold.end <= len(text) for fold in read.folds)
    assert bool(read.reply.strip()) == bool(text.strip())
    outside = [
        text[start:end] for start, end in zip([0, *edges[1::2]], [*edges[::2], len(text)], strict=True)
    ]
    if any(part.strip() for part in outside):
        assert read.reply.split() == "\n".join(outside).split()
    assert read.forwarded is None or read.forwarded in read.reply


MEGABYTE = 1_000_000


@pytest.mark.timeout(60)  # it takes less than a second; a pattern that runs away never ends
@pytest.mark.parametrize(
    "unit",
    ["> \n", " ", "\n", "On \n", "On 3 mars 2026 10:00 x@y.example\n", "De : x\n", "Date: a\n", "--\nabc\n", "_\n", "> a\nb\n", "wrote: ",
     "-----message\n", "Sent from my ", "Ce message est confidentiel\n\n", "12:34 12/12/12\n", " Le 3 mars "],
    ids=repr,
)  # fmt: skip
def test_a_megabyte_of_anything_is_read(unit):
    text = unit * (MEGABYTE // len(unit))

    assert quoting.read(text).text == text


@pytest.mark.parametrize(
    "html",
    ['<div class="gmail_quote">' * 20_000, "<" * 500_000, "gmail_quote " * 50_000],
    ids=lambda html: html[:12],
)
def test_hostile_html_costs_no_more(html):
    assert quoting.read("Oui.", html).reply == "Oui."
