"""`mailhub inspect` describes mails anywhere, one JSON object on each line."""

from tests.cli.program import QUESTION, mailhub

KEYS = [
    *("file", "message_id", "in_reply_to", "references", "date", "from", "reply_to", "to", "cc", "subject"),
    *("text", "reply", "html_present", "attachments", "auto", "bounce", "defects"),
]


def test_a_mail_is_described_and_judged_without_any_home(tmp_path):
    (tmp_path / "q.eml").write_bytes(QUESTION)

    done = mailhub("inspect", "q.eml", "-", input=b"\xff\x00 no mail at all", cwd=tmp_path)

    question, nothing = done.lines
    assert (done.status, done.said) == (0, "")
    assert list(question) == [*KEYS, "verdict", "why"]
    assert (question["verdict"], question["why"]) == ("question", "question address")
    assert question["from"] == {"name": "Nadia Benali", "address": "n.benali@kerbrec.example"}
    assert question["attachments"][0]["filename"] == "plan.pdf"
    assert (nothing["file"], nothing["verdict"], nothing["from"]) == ("-", "quarantine", None)
    assert list(tmp_path.iterdir()) == [tmp_path / "q.eml"]


def test_the_verdict_can_be_left_out_and_changes_nothing_else(run, tmp_path):
    (tmp_path / "q.eml").write_bytes(QUESTION)

    (judged,) = run("inspect", "--json", tmp_path / "q.eml").lines
    (described,) = run("inspect", "--no-verdict", tmp_path / "q.eml").lines

    assert list(described) == KEYS
    assert {key: judged[key] for key in KEYS} == described


def test_a_mail_is_judged_as_sent_to_a_given_address(run, tmp_path):
    (tmp_path / "q.eml").write_bytes(QUESTION)

    def verdict(*words):
        (line,) = run("inspect", tmp_path / "q.eml", *words).lines
        return line["verdict"], line["why"]

    assert verdict("--to", "contact@villes-rives.example") == ("triage", "somebody has to look")
    assert verdict("--to", "rep+jeton@villes-rives.example") == ("triage", "dead token")


def test_a_machine_s_mail_is_judged_with_the_reason(run):
    raw = b"From: a@b.example\r\nTo: question@c.example\r\nAuto-Submitted: auto-replied\r\nSubject: Absent\r\n\r\nAbsent\r\n"

    (line,) = run("inspect", "-", input=raw).lines

    assert (line["verdict"], line["auto"]) == ("automatic", "auto-reply")
    assert line["why"].startswith("automatic: ")


def test_a_file_that_cannot_be_read_has_its_line_and_the_others_theirs(run, tmp_path):
    (tmp_path / "q.eml").write_bytes(QUESTION)

    done = run("inspect", tmp_path / "none.eml", tmp_path / "q.eml", tmp_path)

    missing, question, folder = done.lines
    assert done.status == 1
    assert missing == {"file": f"{tmp_path}/none.eml", "error": "No such file or directory"}
    assert question["message_id"] == "q1@kerbrec.example"
    assert folder == {"file": str(tmp_path), "error": "Is a directory"}
