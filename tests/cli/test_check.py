"""`mailhub check` says everything at once, each with a way out, and fails on what will not work or harms."""

import re
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mailhub import config, outbox
from mailhub.centre.profile import Centre
from mailhub.cli import checkup
from mailhub.cli.checkup import folder, glossary, samples
from mailhub.database import Database
from mailhub.mail.tokens import Keyring
from mailhub.render import PACKAGED, Renderer
from tests.journey import english


@pytest.fixture
def found(run, home):
    """What the check finds, as (level, key or file name, words), with its exit status."""

    def look():
        done = run("check", "--json", "--home", home)
        rows = [
            (
                row["level"],
                row["key"] if row["key"] != "-" else row["file"].removeprefix(f"{home}/"),
                row["says"],
            )
            for row in done.document["findings"]
        ]
        assert all(row["way_out"] for row in done.document["findings"])
        assert done.document["ok"] is (done.status == 0)
        return done.status, rows

    return look


def test_a_home_with_staff_has_nothing_wrong(run, asked):
    done = run("check", "--home", asked)

    assert (done.status, done.out, done.said) == (0, "", "nothing is wrong\n")


def test_a_new_home_lacks_only_staff(found):
    assert found() == (
        0,
        [("warning", "storage/mailhub.db", "there is no staff yet: nobody sees a question")],
    )


def test_staff_whose_copies_are_refused_are_a_danger_until_one_arrives(run, asked):
    """A centre whose relay knows no mailbox of its own team answers nobody, and would hear of it from nobody."""
    with Database(f"sqlite:///{asked}/storage/mailhub.db").transaction() as session:
        (copy,) = outbox.listed(session, about="claire.morvan@villes-rives.example")
        outbox.failed(copy, "550 5.1.1 User unknown in relay recipient table", copy.created_at)
        session.add(copy)
    refused = run("check", "--json", "--home", asked)
    with Database(f"sqlite:///{asked}/storage/mailhub.db").transaction() as session:
        (copy,) = outbox.listed(session, about="claire.morvan@villes-rives.example")
        outbox.sent(copy, "250 2.0.0 taken", copy.created_at)
        session.add(copy)
    well = run("check", "--home", asked)

    (finding,) = refused.document["findings"]
    assert (refused.status, finding["level"]) == (1, "danger")
    assert "Claire Morvan does not get our letters" in finding["says"]
    assert "User unknown" in finding["says"]
    assert "mailhub staff address 'Claire Morvan' ADDRESS" in finding["way_out"]
    assert well.status == 0


def test_a_team_of_quiet_people_is_told(run, found, home):
    run("staff", "add", "Yann Riou", "yann.riou@villes-rives.example", "--quiet", "--home", home)

    assert found()[1] == [
        ("warning", "storage/mailhub.db", "all staff are quiet: nobody is told of a new question")
    ]


def test_everything_is_said_at_once_the_worst_first(run, home, setting):
    setting("relay", host='"relay.example"', tls='"none"')
    setting("trust", staff_trust='"token+address"')
    (home / "storage" / "keys" / "tokens").chmod(0o640)

    done = run("check", "--home", home)

    assert done.status == 1
    assert [line.partition(":")[0] for line in done.out.splitlines() if not line.startswith(" ")] == [
        "error",
        "danger",
        "warning",
        "warning",
    ]
    assert done.out.count("→ ") == 4
    assert done.said == "1 error, 1 danger, 2 warning\n"


SETTINGS = [
    ("centre", {"domain": '"localhost"'}, ("warning", "centre.domain", "nobody's domain")),
    ("centre", {"domain": '"a@b"'}, ("error", "centre.domain", "without @")),
    ("centre", {"nmae": '"x"'}, ("error", "centre.nmae", "did you mean 'name'?")),
    ("relay", {"host": '"relay.example"', "tls": '"none"'}, ("danger", "relay.tls", "for anybody to read")),
    ("relay", {"port": "465"}, ("warning", "relay.tls", "port 465 usually speaks implicit")),
    (
        "relay",
        {"port": "587", "tls": '"implicit"'},
        ("warning", "relay.tls", "port 587 usually speaks starttls"),
    ),
    ("relay", {"username": '"us"'}, ("error", "relay.username", "both")),
    ("relay", {"ca_file": '"/nowhere/ca.pem"'}, ("error", "relay.ca_file", "No such file")),
    ("trust", {"staff_trust": '"token+address"'}, ("warning", "trust.staff_trust", "no proof")),
    ("trust", {"verdicts": '"none"'}, ("warning", "trust.verdicts", "every staff reply will be held")),
    ("trust", {"verdicts": '"header"'}, ("error", "trust", "needs authserv_id")),
    ("receive", {"smtp": "[]"}, ("warning", "receive.smtp", "no mail comes in")),
    (
        "receive",
        {"smtp": "[]", "lmtp": '["unix:/run/m"]'},
        ("warning", "trust.verdicts", "cannot be checked here"),
    ),
    ("receive", {"smtp": '["nowhere"]'}, ("error", "receive.smtp", "is no listener")),
    ("receive", {"smtp": '["nowhere.invalid:25"]'}, ("error", "receive.smtp", "nowhere.invalid: ")),
    ("receive", {"lmtp": '["unix:/nowhere/lmtp"]'}, ("error", "receive.lmtp", "/nowhere is no folder")),
    ("receive", {"smtp": '"127.0.0.1:8025"'}, ("error", "receive.smtp", "write a list between brackets")),
    ("promise", {"cut_off": '"17h"'}, ("error", "promise.cut_off", 'write an hour such as "17:00"')),
    ("relay", {"retry_minutes": "[]"}, ("error", "relay.retry_minutes", "write at least 1 of them")),
    ("receive", {"smtp": '[":25"]'}, ("warning", "receive.certificate", "without TLS")),
    ("receive", {"certificate": '"/nowhere/c.pem"'}, ("error", "receive.certificate", "No such file")),
    (
        "receive",
        {"private_key": '"/nowhere/k.pem"'},
        ("error", "receive.private_key", "without a certificate"),
    ),
    ("receive", {"certificate": '"c.pem"'}, ("warning", "receive.certificate", "depends on the folder")),
    ("web", {"listen": '"0.0.0.0:8080"'}, ("warning", "web.listen", "open to others")),
    ("web", {"listen": '"unix:/run/web"'}, ("error", "web.listen", "is no listener")),
    ("web", {"public_url": '"http://x.example"'}, ("error", "web.public_url", "the pages of readers")),
    ("web", {"public_url": '"pages.example"'}, ("error", "web.public_url", "no one-click leaving")),
    ("web", {"public_url": '"https://"'}, ("error", "web.public_url", "is no https address")),
    ("web", {"public_url": '"https://[::1"'}, ("error", "web.public_url", "is no https address")),
    ("dkim", {"sign": "false"}, ("warning", "dkim.sign", "not signed")),
]


@pytest.mark.parametrize(
    ("section", "values", "expected"), SETTINGS, ids=[f"{s}.{'+'.join(v)}-{e[0]}" for s, v, e in SETTINGS]
)
def test_a_doubtful_setting_is_found(home, setting, section, values, expected):
    setting(section, **values)

    found = _about_settings(home)

    level, key, words = expected
    assert [row for row in found if (row.level, row.key) == (level, key) and words in row.says], found


def test_a_database_that_does_not_answer_is_to_be_started(home):
    url = "postgresql://us:secret@127.0.0.1:1/x"
    found = checkup.examine(home, {"DATABASE_URL": url})

    (row,) = [row for row in found if row.file.startswith("postgresql")]
    assert (row.level, row.file) == ("error", "postgresql://us:***@127.0.0.1:1/x")
    assert row.way_out == "start the database, or correct its address"
    assert not [row for row in found if row.key == "database.url"]


def _about_settings(home):
    """What the check says of the settings alone: rendering every template once more would only take time."""
    settings, problems = config.examine(home, {})
    if settings is None:
        return [checkup._of_settings(problem) for problem in problems]
    return [row for look in checkup._WITH_SETTINGS if look is not folder.database for row in look(settings)]


def test_a_relay_on_this_machine_may_do_without_tls(found, setting):
    setting("relay", host='"127.0.0.1"', tls='"none"')

    assert found()[0] == 0


@pytest.mark.parametrize(
    "address", ["https://pages.centre.example", "http://localhost:8080", "http://[::1]:8080", ""]
)
def test_readers_are_led_to_https_or_to_this_machine(home, setting, address):
    setting("web", public_url=f'"{address}"')

    assert [row for row in _about_settings(home) if row.key == "web.public_url"] == []


def test_a_public_address_without_tls_is_told_with_its_file_its_key_and_a_way_out(home, setting):
    setting("web", public_url='"http://pages.centre.example"')

    (row,) = [row for row in _about_settings(home) if row.key == "web.public_url"]
    assert (row.level, row.file) == ("error", str(home / "mailhub.toml"))
    assert "write https://" in row.way_out


def test_a_missing_settings_file_does_not_hide_the_rest(found, home):
    (home / "mailhub.toml").unlink()
    (home / "storage" / "keys" / "tokens").unlink()

    status, rows = found()

    assert status == 1
    assert [(level, where) for level, where, _ in rows] == [
        ("error", "mailhub.toml"),
        ("error", "storage/keys/tokens"),
    ]


def test_what_a_file_cannot_say_is_told_with_everything_else(run, home):
    file = home / "mailhub.toml"
    file.write_text('home = "."\ndatabase = "x"\nrelais = 1\n')

    checked = run("check", "--home", home, "--json").document
    refused = run("journal", "ls", "--home", home)
    elsewhere = run("journal", "ls", "--home", home, env={"DATABASE_URL": "sqlite:///x.db"})

    told = {found["key"]: found["says"] for found in checked["findings"]}
    assert told["home"] == "which home it is, --home or MAILHUB_HOME says"
    assert told["relais"] == "unknown key (did you mean 'relay'?)"
    assert "database" in told
    assert [len(done.said.splitlines()) for done in (refused, elsewhere)] == [3, 2]


def test_the_database_of_the_environment_goes_before_every_other(home, setting, monkeypatch):
    setting("database", url='"sqlite:///written.db"')
    ours = {"MAILHUB_DATABASE__URL": "sqlite:///ours.db"}
    anyones = {"DATABASE_URL": "sqlite:///anyones.db"}
    monkeypatch.setenv("MAILHUB_DATABASE__URL", "sqlite:///of-the-process.db")  # not what is handed in

    assert config.load(home, {}).database_url == "sqlite:///written.db"
    assert config.load(home, ours).database_url == "sqlite:///ours.db"
    assert config.load(home, ours | anyones).database_url == "sqlite:///anyones.db"


def test_a_folder_that_is_no_home_is_told_so(run, tmp_path):
    done = run("check", "--json", "--home", tmp_path)

    assert done.status == 1
    assert {row["file"].removeprefix(f"{tmp_path}/") for row in done.document["findings"]} == {
        "mailhub.toml",
        "storage",
        "storage/keys/tokens",
    }


# ── keys, storage, database ──


@pytest.mark.parametrize("name", ["tokens", "dkim-rsa.pem", "dkim-ed25519.pem"])
def test_a_key_others_can_read_is_an_error(found, home, name):
    (home / "storage" / "keys" / name).chmod(0o644)

    assert ("error", f"storage/keys/{name}", "others can read this key") in found()[1]


@pytest.mark.parametrize("name", ["tokens", "dkim-rsa.pem", "dkim-ed25519.pem"])
def test_a_broken_or_missing_key_is_an_error(found, home, name):
    path = home / "storage" / "keys" / name

    path.write_text("no key")
    broken = found()[1]
    path.unlink()
    missing = found()[1]

    for rows in (broken, missing):
        assert ("error", f"storage/keys/{name}") in {row[:2] for row in rows}


def test_storage_others_can_enter_is_a_danger(found, home):
    (home / "storage").chmod(0o755)

    assert ("danger", "storage", "others can enter: letters and keys lie here") in found()[1]


def test_a_missing_database_is_an_error_and_none_is_made(found, home):
    (home / "storage" / "mailhub.db").unlink()

    assert ("error", "storage/mailhub.db") in {row[:2] for row in found()[1]}
    assert not (home / "storage" / "mailhub.db").exists()


def test_a_password_file_is_ours_alone_and_not_empty(found, home, setting, tmp_path):
    password = tmp_path / "password"
    password.write_text("")
    password.chmod(0o640)
    setting("relay", username='"us"', password_file=f'"{password}"')

    said = {row[2] for row in found()[1] if row[1] == "relay.password_file"}

    assert said == {f"{password} is empty", f"others can read {password}"}


def test_a_password_in_the_settings_is_as_secret_as_their_file(found, home, setting):
    setting("database", url='"postgresql://us:secret@127.0.0.1:1/x"')
    (home / "mailhub.toml").chmod(0o644)

    rows = found()[1]

    assert ("error", "database.url", "others can read the password in it") in rows
    assert "secret" not in str(rows)


def test_a_list_that_says_nothing_that_can_be_done_is_an_error(found, home):
    (home / "lists" / "revue.toml").write_text('titel = "Revue de presse"')

    rows = found()[1]

    assert ("error", "lists/revue.toml") in {row[:2] for row in rows}
    assert any("did you mean" in row[2] for row in rows)


# ── certificate ──


def _certificate(folder, ends):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.villes-rives.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ends - timedelta(days=90))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (folder / "key.pem").chmod(0o640)
    return {"certificate": f'"{folder}/cert.pem"', "private_key": f'"{folder}/key.pem"'}


@pytest.mark.parametrize(
    ("days", "expected"), [(-1, ("error", "ended on")), (7, ("warning", "ends on")), (80, None)]
)
def test_the_end_of_a_certificate_is_seen_coming(found, setting, tmp_path, days, expected):
    setting("receive", **_certificate(tmp_path, datetime.now(UTC) + timedelta(days=days)))

    rows = [(row[0], row[2]) for row in found()[1] if row[1].startswith("receive.")]

    assert [(level, words.split(" on ")[0].rpartition(" ")[2] + " on") for level, words in rows] == (
        [expected] if expected else []
    )


def test_a_certificate_that_is_none_and_a_key_others_read_are_errors(found, setting, tmp_path):
    values = _certificate(tmp_path, datetime.now(UTC) + timedelta(days=80))
    (tmp_path / "cert.pem").write_text("Bonjour")
    (tmp_path / "key.pem").chmod(0o644)
    setting("receive", **values)

    rows = found()[1]

    assert {(row[0], row[1]) for row in rows if row[1].startswith("receive.")} == {
        ("error", "receive.certificate"),
        ("error", "receive.private_key"),
    }


def test_a_key_of_another_certificate_is_an_error(found, setting, tmp_path):
    (tmp_path / "other").mkdir()
    values = _certificate(tmp_path, datetime.now(UTC) + timedelta(days=80))
    _certificate(tmp_path / "other", datetime.now(UTC) + timedelta(days=80))
    shutil.copy(tmp_path / "other" / "key.pem", tmp_path / "key.pem")
    setting("receive", **values)

    assert [row[:2] for row in found()[1] if row[1].startswith("receive.")] == [
        ("error", "receive.private_key")
    ]


# ── templates ──


def test_every_packaged_template_has_samples_and_renders(found):
    centre = Centre("Villes & Rives", "villes-rives.example", Keyring(1, {1: bytes(32)}))
    every = [path.relative_to(PACKAGED).as_posix() for path in PACKAGED.rglob("*.*")]
    names = [name for name in every if name.endswith((".txt", ".html")) and "/play/" not in name]

    assert [name for name in names if not samples.of(name, centre)] == []
    assert found()[0] == 0


def test_no_line_ends_before_french_punctuation_and_values_stay_as_they_are(tmp_path):
    (tmp_path / "x.txt").write_text('Objet  : « {{ words }} » ; {{ "a : b" }} !\n')
    (tmp_path / "x.html").write_text('<style>a :b {}</style><p title="a : b">« {{ words }} » : oui ?</p>')
    renderer = Renderer([tmp_path])

    assert renderer.template("x.txt").render(words="c : d") == (
        "Objet \u00a0: «\u00a0c : d\u00a0»\u00a0; a : b\u00a0!"
    )
    assert renderer.template("x.html").render(words="c : d") == (
        '<style>a :b {}</style><p title="a : b">«\u00a0c : d\u00a0»\u00a0: oui\u00a0?</p>'
    )


def test_no_letter_says_none_where_it_knows_nothing():
    centre = Centre("Villes & Rives", "villes-rives.example", Keyring(1, {1: bytes(32)}))
    renderer = Renderer()
    said = {
        path.relative_to(PACKAGED).as_posix(): "\n".join(
            renderer.template(path.relative_to(PACKAGED).as_posix()).render(values)
            for values in samples.of(path.relative_to(PACKAGED).as_posix(), centre)
        )
        for path in (PACKAGED / "mail").rglob("*.txt")
    }

    assert [name for name, words in said.items() if "None" in words] == []


@pytest.mark.parametrize("path", sorted(glossary.WORDS))
def test_every_word_of_a_closed_list_is_said_in_french(path):
    name = path.removeprefix("words/").removesuffix(".txt")
    lines = [Renderer().words(name, **values) for values in glossary.WORDS[path]]

    assert all(lines)
    assert english("\n".join(lines)) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Bonjour {{ prenom }}", "'prenom' is undefined"),
        ("{% if x %}", "line 1: "),
        ("{{ centre.name.upper(1) }}", ""),
        ("{{ centre.__class__.__mro__ }}", "unsafe"),
        ("{{ first_contact_on|jour }}", "No filter named 'jour'"),
    ],
)
def test_a_template_of_the_home_that_does_not_hold_is_an_error(found, home, text, words):
    path = home / "templates" / "mail" / "acknowledgement" / "body.txt"
    path.parent.mkdir(parents=True)
    path.write_text(text)

    rows = [row for row in found()[1] if row[0] == "error"]

    assert [row[1] for row in rows] == ["templates/mail/acknowledgement/body.txt"]
    assert words in rows[0][2]


@pytest.mark.parametrize(
    "page", sorted({path.stem for path in (PACKAGED / "web").glob("*.html")} - {"words"})
)
def test_a_page_of_the_home_that_names_an_unknown_value_is_an_error(found, home, page):
    path = home / "templates" / "web" / f"{page}.html"
    path.parent.mkdir(parents=True)
    packaged = (PACKAGED / "web" / path.name).read_text("utf-8")
    path.write_text(re.sub("<h1>|<footer>", r"\g<0>{{ prenom }}", packaged), "utf-8")

    rows = [row[:3] for row in found()[1] if row[0] == "error"]

    assert rows == [("error", f"templates/web/{page}.html", "'prenom' is undefined")]


@pytest.mark.parametrize("name", ["mail/acknowlegement/body.txt", "web/leaves.html", "web/play/mail.html"])
def test_a_template_nothing_uses_is_told(found, home, name):
    path = home / "templates" / name
    path.parent.mkdir(parents=True)
    path.write_text("Bonjour")

    assert (
        "warning",
        f"templates/{name}",
        "no letter and no page uses a template of this name",
    ) in found()[1]
