"""A home is made, saved and brought back; nothing that is there is ever overwritten."""

import stat
import tarfile
import tomllib

import pytest

from mailhub.config import load
from mailhub.database import Database
from mailhub.locks import HomeLock
from tests.cli.program import write_setting
from tests.journey import AS_CLIENTS_WRITE, CLAIRE, HUGO, NADIA, mail, read, reply


def _files(home):
    return {
        path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*") if path.is_file()
    }


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# ── init ──


def test_init_makes_a_home_that_can_be_served(home):
    settings = load(home, {})

    assert (settings.centre.name, settings.centre.domain) == ("Villes & Rives", "villes-rives.example")
    assert _mode(home / "storage") == 0o700
    assert _mode(home / "storage" / "keys") == 0o700
    assert {_mode(path) for path in (home / "storage" / "keys").iterdir()} == {0o600}
    assert {path.name for path in (home / "storage" / "keys").iterdir()} == {
        "tokens",
        "dkim-rsa.pem",
        "dkim-ed25519.pem",
    }
    assert (home / "lists" / "README.md").is_file()
    assert (home / "templates" / "README.md").is_file()
    database = Database(settings.database_url)
    at, needed = database.version()
    database.close()
    assert at == needed


def test_every_setting_stands_in_the_file_with_its_description(home):
    text = (home / "mailhub.toml").read_text()

    assert tomllib.loads(text)["centre"] == {"name": "Villes & Rives", "domain": "villes-rives.example"}
    assert "# retry_minutes = [30, 30, 120, 180]" in text
    assert "# The server our letters leave by.\n[relay]\n# Relay (smarthost)." in text


def test_init_again_changes_nothing_and_makes_what_is_missing(run, asked):
    before = _files(asked)
    (asked / "lists" / "README.md").unlink()

    again = run("init", asked, "--name", "Autre")

    assert again.out == "made  lists/README.md\n"
    assert "was not changed" in again.said
    assert _files(asked) == before
    assert run("init", asked).out == "nothing was missing\n"


def test_init_writes_the_relay(run, tmp_path):
    run("init", tmp_path / "new", "--relay", "relay.example:587")

    relay = load(tmp_path / "new", {}).relay
    assert (relay.host, relay.port) == ("relay.example", 587)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--domain", "a@b.example"], 1, "centre.domain: write a domain such as centre.example, without @"),
        (["--name", "a@b"], 1, "centre.name: a display name holds no @"),
        (["--relay", "relay:smtp"], 2, "is not HOST or HOST:PORT"),
        (["--relay", "relay.example:70000"], 1, "relay.port: "),
    ],
)
def test_init_refuses_what_could_not_be_served_before_it_writes(run, tmp_path, words, status, said):
    refused = run("init", tmp_path / "new", *words)

    assert refused.status == status
    assert said in refused.said
    assert not (tmp_path / "new").exists()


def test_init_refuses_a_file_in_place_of_a_folder(run, tmp_path):
    (tmp_path / "file").touch()

    assert run("init", tmp_path / "file").said == f"mailhub: {tmp_path}/file is a file; a home is a folder\n"


# ── backup and restore ──


def test_a_home_comes_back_from_its_backup_elsewhere(run, asked, tmp_path):
    (asked / "templates" / "mail").mkdir()
    (asked / "templates" / "mail" / "body.txt").write_text("Bonjour")

    saved = run("backup", tmp_path / "saved.tar", "--home", asked)
    restored = run("restore", tmp_path / "saved.tar", "--home", tmp_path / "else" / "where")

    assert (saved.status, restored.status) == (0, 0)
    kept = {name: content for name, content in _files(asked).items() if "mailhub.db" not in name}
    came = {
        name: content
        for name, content in _files(tmp_path / "else" / "where").items()
        if "mailhub.db" not in name
    }
    assert came == kept
    assert (
        run("requests", "ls", "--json", "--home", tmp_path / "else" / "where").lines[0]["reference"]
        == "Q-2026-0001"
    )
    assert _mode(tmp_path / "else" / "where" / "storage") == 0o700
    assert _mode(tmp_path / "else" / "where" / "storage" / "keys" / "tokens") == 0o600


def test_what_links_lead_to_is_saved_as_well(run, asked, tmp_path):
    for name in ("mailhub.toml", "lists"):
        (asked / name).rename(tmp_path / name)
        (asked / name).symlink_to(tmp_path / name)

    run("backup", tmp_path / "saved.tar", "--home", asked)
    restored = run("restore", tmp_path / "saved.tar", "--home", tmp_path / "new")

    assert restored.status == 0
    assert (tmp_path / "new" / "mailhub.toml").read_text() == (tmp_path / "mailhub.toml").read_text()
    assert list((tmp_path / "new" / "lists").glob("*.toml"))


def test_a_backup_is_ours_alone_and_leaves_no_scrap(run, asked, tmp_path):
    (tmp_path / "to").mkdir()

    run("backup", tmp_path / "to" / "saved.tar", "--home", asked)

    assert _mode(tmp_path / "to" / "saved.tar") == 0o600
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["saved.tar"]


def test_a_backup_is_made_while_the_home_is_served(run, asked, tmp_path):
    with HomeLock(asked):
        assert run("backup", tmp_path / "saved.tar", "--home", asked).status == 0


def test_a_backup_says_which_secrets_it_does_not_hold(run, home, setting, tmp_path):
    (tmp_path / "password").write_text("secret")
    setting("relay", username='"us"', password_file=f'"{tmp_path}/password"')

    assert f"not in it: {tmp_path}/password" in run("backup", tmp_path / "saved.tar", "--home", home).said


def test_letters_unsent_in_the_backup_come_back_in_doubt(run, asked, tmp_path):
    run("backup", tmp_path / "saved.tar", "--home", asked)

    restored = run("restore", tmp_path / "saved.tar", "--home", tmp_path / "new")

    assert "2 unsent letters are in doubt" in restored.out
    letters = run("outbox", "ls", "--json", "--home", tmp_path / "new").lines
    assert [letter["state"] for letter in letters] == ["in_doubt", "in_doubt"]


def test_letters_go_on_waiting_when_the_home_is_as_it_was(run, asked, tmp_path):
    run("backup", tmp_path / "saved.tar", "--home", asked)

    run("restore", tmp_path / "saved.tar", "--home", tmp_path / "new", "--as-it-was")

    letters = run("outbox", "ls", "--json", "--home", tmp_path / "new").lines
    assert [letter["state"] for letter in letters] == ["waiting", "waiting"]


def test_a_reply_to_a_copy_lost_since_the_backup_never_reaches_another_asker(run, asked, tmp_path):
    """The restored home gives the numbers of the lost request out again, so the token of its copy is good there."""
    write_setting(asked, "trust", staff_trust='"token+address"')
    restored = tmp_path / "restored"

    def opened(home, sender, now):
        """Somebody asks; what Claire is given to answer."""
        words = mail("Une question de plus ?", sender=sender, message_id=f"<{now[11:13]}@kerbrec.example>")
        run("receive", "-", "--home", home, "--now", now, input=words.as_bytes(policy=AS_CLIENTS_WRITE))
        latest, *_ = run("outbox", "ls", "--kind", "staff-copy", "--json", "--home", home).lines
        return read(run("outbox", "show", latest["number"], "--raw", "--home", home).octets)

    def answered(home, copy, number):
        """Claire answers it in that home; where her mail stands there, and who is written to."""
        message_id = f"<c{number}@villes-rives.example>"
        words, address = reply(copy, "2 340.", sender=CLAIRE, name="Claire", message_id=message_id)
        ends = ["--from", CLAIRE, "--to", address, "--home", home, "--now", "2026-03-04T10:00:00+01:00"]
        run("receive", "-", *ends, input=words.as_bytes(policy=AS_CLIENTS_WRITE))
        latest, *_ = run("journal", "ls", "--json", "--home", home).lines
        letters = run("outbox", "ls", "--kind", "answer", "--json", "--home", home).lines
        return latest["state"], [letter["recipient"] for letter in letters]

    run("backup", tmp_path / "saved.tar", "--home", asked)
    lost = opened(asked, NADIA, "2026-03-03T11:00:00+01:00")
    run("restore", tmp_path / "saved.tar", "--home", restored)
    found = opened(restored, HUGO, "2026-03-03T12:00:00+01:00")

    assert lost["Reply-To"] == found["Reply-To"]
    assert answered(restored, lost, 1) == ("held", [])
    assert answered(restored, found, 2) == ("done", [HUGO])


def test_a_backup_never_overwrites(run, home, tmp_path):
    (tmp_path / "saved.tar").write_text("precious")

    refused = run("backup", tmp_path / "saved.tar", "--home", home)

    assert (
        refused.said == f"mailhub: {tmp_path}/saved.tar is there already; a backup never overwrites a file\n"
    )
    assert (tmp_path / "saved.tar").read_text() == "precious"


def test_a_backup_wants_a_folder_to_lie_in(run, home, tmp_path):
    refused = run("backup", tmp_path / "no" / "saved.tar", "--home", home)

    assert refused.said == f"mailhub: {tmp_path}/no is no folder; make it first\n"


def test_a_backup_of_postgresql_is_told_as_a_command(run, home, tmp_path, postgresql_url):
    refused = run("backup", tmp_path / "saved.tar", "--home", home, env={"DATABASE_URL": postgresql_url})

    assert refused.status == 1
    assert "PostgreSQL makes its own backups: pg_dump --format=custom --file=" in refused.said
    assert str(tmp_path / "saved.tar") in refused.said
    assert "mailhub.toml, lists, templates, storage/keys" in refused.said


def test_restoring_refuses_a_folder_that_is_not_empty(run, asked, tmp_path):
    run("backup", tmp_path / "saved.tar", "--home", asked)
    before = _files(asked)

    refused = run("restore", tmp_path / "saved.tar", "--home", asked)

    assert f"{asked} is not empty" in refused.said
    assert _files(asked) == before


def test_restoring_names_the_process_that_serves_the_home(run, asked, tmp_path):
    run("backup", tmp_path / "saved.tar", "--home", asked)

    with HomeLock(asked):
        refused = run("restore", tmp_path / "saved.tar", "--home", asked)

    assert "serves this home already" in refused.said


def test_restoring_refuses_a_file_that_is_not_there(run, tmp_path):
    refused = run("restore", tmp_path / "no.tar", "--home", tmp_path / "new")

    assert refused.said == f"mailhub: there is no file {tmp_path}/no.tar\n"


def _tar(path, members):
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
                tar.addfile(member)
                continue
            source = path.with_suffix(".part")
            source.write_bytes(content)
            tar.add(source, name)
    return path


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"../evil": b""}, "is no part of a backup"),
        ({"/etc/cron.d/evil": b""}, "is no part of a backup"),
        ({"storage/keys/../../../evil": b""}, "is no part of a backup"),
        ({"lists/link": None}, "is no part of a backup"),
        ({"mailhub.toml": b"", "mailhub.toml/evil": b""}, "is no backup of mailhub"),
        ({"mailhub.toml": b""}, "it lacks storage/mailhub.db"),
        ({"mailhub.toml": b"", "storage/mailhub.db": b""}, "it lacks storage/keys/tokens"),
        (
            {
                "mailhub.toml": b"",
                "storage/keys/tokens": b"",
                "storage/mailhub.db": b"no database at all" * 100,
            },
            "the database in it is damaged",
        ),
    ],
    ids=["climbs", "absolute", "climbs inside", "link", "below a file", "half", "no keys", "damaged"],
)
def test_restoring_refuses_a_file_that_is_no_backup_and_leaves_nothing(run, tmp_path, members, said):
    refused = run("restore", _tar(tmp_path / "evil.tar", members), "--home", tmp_path / "new" / "home")

    assert (refused.status, said in refused.said) == (1, True), refused.said
    assert not (tmp_path / "new" / "home").exists()
    assert list((tmp_path / "new").iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_restoring_refuses_what_is_no_tar(run, tmp_path):
    (tmp_path / "text").write_text("Bonjour")

    assert "is no backup of mailhub" in run("restore", tmp_path / "text", "--home", tmp_path / "new").said


# ── database ──


def test_the_database_is_upgraded_once(run, home):
    Database(f"sqlite:///{home}/storage/mailhub.db").close()
    (home / "storage" / "mailhub.db").unlink()
    (home / "storage" / "mailhub.db").touch()

    told = run("requests", "ls", "--home", home)
    first = run("db", "upgrade", "--home", home)
    second = run("db", "upgrade", "--home", home)

    assert "the database stands at nothing" in told.said
    assert "run `mailhub db upgrade`" in told.said
    assert first.out.endswith("it stood at nothing\n")
    assert "it stood" not in second.out
    version = run("db", "version", "--json", "--home", home).document
    assert version["stands_at"] == version["needed"]


def test_programs_are_told_what_became_of_a_home(run, tmp_path):
    home, saved, elsewhere = tmp_path / "home", tmp_path / "home.tar", tmp_path / "elsewhere"

    made = run("init", home, "--json").document
    again = run("init", home, "--json").document
    upgraded = run("db", "upgrade", "--json", "--home", home).document
    backed_up = run("backup", saved, "--json", "--home", home).document
    restored = run("restore", saved, "--json", "--home", elsewhere).document

    assert (made["home"], "mailhub.toml" in made["made"], again["made"]) == (str(home), True, [])
    assert upgraded["stood_at"] == upgraded["stands_at"]
    assert backed_up == {"file": str(saved), "octets": saved.stat().st_size, "not_in_it": []}
    assert restored == {"home": str(elsewhere), "letters_in_doubt": 0, "issues_late": []}


def test_a_served_database_is_not_upgraded(run, home):
    with HomeLock(home):
        assert "serves this home already" in run("db", "upgrade", "--home", home).said


def test_looking_at_a_missing_database_makes_none(run, home):
    (home / "storage" / "mailhub.db").unlink()

    for words in (["db", "version"], ["db", "upgrade"], ["journal", "ls"]):
        refused = run(*words, "--home", home)
        assert refused.said.startswith(f"mailhub: there is no database at {home}/storage/mailhub.db"), words
    assert not (home / "storage" / "mailhub.db").exists()
