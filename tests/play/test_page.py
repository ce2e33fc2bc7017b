"""The page of the play: what it shows, what its buttons do, and whom it listens to."""

import re

import pytest

from tests.play.scene import HERE, scene

NADIA = "n.benali@kerbrec.example"
HUGO = "hugo.perrin@montelain-agglo.example"

pytestmark = pytest.mark.xdist_group("play")


@pytest.fixture(scope="module")
def page(tmp_path_factory, now):
    with scene(tmp_path_factory.mktemp("play") / "home", now) as client:
        client.first = client.get("/").text
        yield client


def ask(page, subject, text="Combien d’habitants y vivent ?", who=NADIA, **more):
    """Somebody writes; the number of their mail, and the page that follows."""
    words = f"Bonjour,\n\n{subject} : {text}"  # the same words again and again would not be acknowledged
    followed = page.post("/ecrire", data={"qui": who, "objet": subject, "texte": words}, **more)
    return int(followed.url.params["envoye"]), followed.text


def arrived(shown, owner):
    """The number of the mail that came into this postbox because of what was just done."""
    news = shown.partition('role="status"')[2].partition("</div>")[0]
    found = re.findall(r'href="/courrier/(\d+)">(?:(?!</li>).)*dans la boîte de ' + owner, news, re.DOTALL)
    assert len(found) == 1, news
    return int(found[0])


def mails(page):
    """How many mails there are in all."""
    return len(re.findall(r'href="/courrier/\d+"><span', page.get("/").text))


def verdicts(page):
    """What the journal says of each mail, the latest first."""
    return re.findall(r'data-label="Verdict"><b>([^<]*)', page.get("/").text)


def test_a_question_ready_to_be_sent_awaits_whoever_comes_first(page):
    assert 'value="Nombre d’habitants quartier des Tilleuls"' in page.first
    assert "Aucun courrier encore." in page.first
    assert page.first.count("Boîte vide.") == 5


def test_a_question_arrives_as_an_acknowledgement_and_a_staff_copy(page):
    _, shown = ask(page, "Tilleuls")

    acknowledgement = page.get(f"/courrier/{arrived(shown, 'Nadia Benali')}").text
    copy = page.get(f"/courrier/{arrived(shown, 'Claire Morvan')}").text
    assert "au plus tard le jeudi 5 mars 2026 au soir" in acknowledgement
    assert "<dt>Automatique</dt><dd>auto-replied</dd>" in acknowledgement
    assert "Ce qui suit est interne" in copy
    assert "Répondre en tant que Claire Morvan" in copy


def test_an_answer_as_staff_arrives_clean_in_the_askers_thread(page):
    asked, shown = ask(page, "Halles")
    copy = arrived(shown, "Claire Morvan")

    answered = page.post(
        f"/courrier/{copy}/repondre", data={"texte": "2 340 habitants.\nclaire.morvan@villes-rives.example"}
    )

    answer = arrived(answered.text, "Nadia Benali")
    source = page.get(f"/courrier/{answer}/source").text
    sent = re.search(r"Message-ID: (<\S+>)", page.get(f"/courrier/{asked}/source").text)[1]
    assert f"In-Reply-To: {sent}" in source
    assert "claire.morvan" not in source
    assert "Ce qui suit" not in source
    assert "2 340 habitants." in page.get(f"/courrier/{answer}").text
    assert "Parti" in answered.text


def test_a_staff_reply_is_a_real_reply_with_the_copy_quoted_below(page):
    _, shown = ask(page, "Port")
    copy = arrived(shown, "Claire Morvan")
    reply = int(page.post(f"/courrier/{copy}/repondre", data={"texte": "Oui."}).url.params["envoye"])

    opened, source = page.get(f"/courrier/{reply}").text, page.get(f"/courrier/{reply}/source").text
    token = re.search(r"Reply-To: (\S+)", page.get(f"/courrier/{copy}/source").text)[1]
    assert source.startswith(
        "Authentication-Results: post.play.example; dmarc=pass header.from=villes-rives.example"
    )
    assert f"To: {token}" in source
    assert "References: " in source
    assert "&gt; Nouvelle question de Nadia Benali." in opened


def test_a_file_travels_to_staff_and_is_only_ever_a_download(page):
    _, shown = ask(page, "Plan", files={"piece": ("plan élu.pdf", b"%PDF-1.7 plan", "application/pdf")})
    copy = arrived(shown, "Claire Morvan")

    fetched = page.get(f"/courrier/{copy}/piece/1")

    assert "plan élu.pdf" in page.get(f"/courrier/{copy}").text
    assert fetched.content == b"%PDF-1.7 plan"
    assert fetched.headers["Content-Disposition"] == "attachment; filename*=UTF-8''plan%20%C3%A9lu.pdf"
    assert fetched.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert page.get(f"/courrier/{copy}/piece/2").status_code == 404


def test_an_absence_and_a_second_arrival_reach_nobody(page):
    asked, shown = ask(page, "Absence")
    copy = arrived(shown, "Claire Morvan")

    away = page.post(f"/courrier/{copy}/absence").text
    again = page.post(f"/courrier/{asked}/encore").text

    assert "Rien n’est arrivé depuis" in away
    assert "Rien n’est arrivé depuis" in again
    assert verdicts(page)[:2] == ["automatique", "demande ouverte"]


def test_a_returned_answer_is_noted_and_told_to_its_author(page):
    _, shown = ask(page, "Retour", who=HUGO)
    answered = page.post(
        f"/courrier/{arrived(shown, 'Claire Morvan')}/repondre", data={"texte": "Voici."}
    ).text

    returned = page.post(f"/courrier/{arrived(answered, 'Hugo Perrin')}/retour").text

    assert "Non remis" in page.get(f"/courrier/{arrived(returned, 'Claire Morvan')}").text
    assert verdicts(page)[0] == "retour technique"
    assert "Bureau de poste" in page.get("/").text


def test_pulling_the_plug_starts_another_process_that_knows_everything(page):
    ask(page, "Avant la coupure")
    before = re.search(r"processus à part \(n°&nbsp;(\d+)\)", page.get("/").text)[1]

    cut = page.post("/coupure")

    assert cut.url.params["coupure"] != before
    assert "Coupé et rallumé." in cut.text
    assert "Avant la coupure" in cut.text
    _, shown = ask(page, "Après la coupure")
    assert arrived(shown, "Nadia Benali")


def test_what_is_missing_is_said_and_nothing_typed_is_lost(page):
    before = mails(page)

    shown = page.post("/ecrire", data={"qui": HUGO, "objet": "", "texte": "Des mots <b>déjà</b> tapés"})

    assert shown.status_code == 422
    assert "Donnez un objet à votre courrier." in shown.text
    assert "Des mots &lt;b&gt;déjà&lt;/b&gt; tapés</textarea>" in shown.text
    assert f'value="{HUGO}" selected' in shown.text
    assert mails(page) == before


def test_a_reply_without_words_is_not_sent(page):
    _, shown = ask(page, "Sans mots")

    refused = page.post(f"/courrier/{arrived(shown, 'Claire Morvan')}/repondre", data={"texte": "  "})

    assert refused.status_code == 422
    assert "elle n’a pas de texte" in refused.text


def test_what_people_write_is_never_html(page):
    number, _ = ask(page, "<script>alert(1)</script>", "<img src=x onerror=alert(1)>")

    opened, source = page.get(f"/courrier/{number}"), page.get(f"/courrier/{number}/source")

    assert "<script" not in opened.text
    assert "<img" not in opened.text
    assert source.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert source.headers["X-Content-Type-Options"] == "nosniff"


def test_looking_changes_nothing(page):
    number, shown = ask(page, "Regarder")
    copy, before = arrived(shown, "Claire Morvan"), mails(page)

    for path in (
        "/",
        f"/courrier/{number}",
        f"/courrier/{copy}/source",
        "/style.css",
        "/?envoye=1&coupure=2",
    ):
        assert page.get(path).status_code == 200
    for path in ("/ecrire", "/coupure", f"/courrier/{copy}/repondre", f"/courrier/{copy}/absence"):
        assert page.get(path).status_code == 405

    assert mails(page) == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "elsewhere.example"}, 421),
        ({"Content-Length": "99999999"}, 413),
    ],
)
def test_only_the_page_itself_may_press_its_buttons(page, headers, status):
    assert page.post("/coupure", headers=headers).status_code == status


def test_a_program_that_says_nothing_of_where_it_comes_from_is_refused(page):
    silent = {name: value for name, value in page.headers.items() if name not in {"origin", "sec-fetch-site"}}
    page.headers.clear()
    try:
        refused = page.post(f"{HERE}/coupure")
    finally:
        page.headers.update({**silent, "Origin": HERE, "Sec-Fetch-Site": "same-origin"})

    assert refused.status_code == 403


def test_every_response_forbids_scripts_and_frames(page):
    for path in ("/", "/style.css", "/courrier/999999"):
        policy = page.get(path).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy


def test_what_is_not_there_is_said_in_french(page):
    shown = page.get("/courrier/999999")

    assert shown.status_code == 404
    assert "Il n’y a rien à cette adresse" in shown.text
