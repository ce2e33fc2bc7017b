"""The real program as a process: a centre is founded, asked, saved, moved, and served until told to stop."""

import json
import signal
import smtplib
import subprocess
import sys

from tests.cli.program import NOW, QUESTION, mailhub, write_setting


def test_a_centre_is_founded_asked_saved_and_moved(tmp_path):
    home, moved, saved = tmp_path / "centre", tmp_path / "elsewhere", tmp_path / "saved.tar"
    (tmp_path / "question.eml").write_bytes(QUESTION)

    def said(*words, **env):
        done = mailhub(*words, **env)
        assert done.status == 0, done.said
        return done

    said("init", home, "--name", "Villes & Rives", "--domain", "villes-rives.example")
    assert "there is no staff yet" in said("check", "--home", home).out
    said("staff", "add", "Claire Morvan", "claire.morvan@villes-rives.example", "--home", home)
    assert said("check", "--home", home).out == ""
    said("receive", tmp_path / "question.eml", "--now", NOW, MAILHUB_HOME=str(home))
    (request,) = said("requests", "ls", "--json", "--home", home).lines
    assert (request["reference"], request["due_on"]) == ("Q-2026-0001", "2026-03-05")
    said("backup", saved, "--home", home)
    said("restore", saved, "--home", moved)
    story = said("where", "n.benali@kerbrec.example", "--home", moved).out.splitlines()

    assert [line.split("  ", 1)[1].split()[0] for line in story] == [
        "mail",
        "request",
        "Q-2026-0001:",
        "letter",
        "letter",
    ]
    assert story[3].endswith("in_doubt (restored from a backup: it may have left since)")


def test_a_home_is_served_until_it_is_told_to_stop(home):
    write_setting(home, "receive", smtp='["127.0.0.1:0"]')
    write_setting(home, "web", listen='""')
    write_setting(home, "trust", verdicts='"none"')
    write_setting(home, "relay", port="9")
    serving = subprocess.Popen(
        [sys.executable, "-m", "mailhub.cli", "serve", "--json", "--home", str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        places = json.loads(serving.stdout.readline())
        ready = json.loads(serving.stderr.readline())
        host, _, port = ready["doors"][0].rpartition(":")
        with smtplib.SMTP(host, int(port)) as client:
            client.sendmail("n.benali@kerbrec.example", "question@villes-rives.example", QUESTION)
        refused = mailhub("tick", "--home", home)
        handled = next(line for line in map(json.loads, serving.stderr) if line["event"] == "handled")
    finally:
        serving.send_signal(signal.SIGTERM)
        _, rest = serving.communicate(timeout=30)

    assert places == {"doors": ready["doors"], "pages": ""}
    assert (ready["event"], handled["verdict"]) == ("serving", "request opened")
    assert f"process {serving.pid} serves this home already" in refused.said
    assert serving.returncode == 0, rest
    assert "Tilleuls" not in rest
    assert mailhub("requests", "ls", "--json", "--home", home).lines[0]["reference"].endswith("-0001")
