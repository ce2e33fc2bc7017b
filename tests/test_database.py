"""One transaction per thing that happens: all of it or nothing, whatever the disk and the neighbours do."""

import hashlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from enum import StrEnum
from operator import methodcaller
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, select

import mailhub
from mailhub import migrations, rows, storage
from mailhub.database import Database, words
from mailhub.errors import Refused, SettingsError, StorageTrouble
from mailhub.storage import Blob

Verb = Callable[[Session], object]


def kept(database: Database) -> set[bytes]:
    """The bytes that a newcomer sees."""
    with database.reading() as session:
        return set(session.exec(select(Blob.content)).all())


def keeping(content: bytes, now: datetime) -> Verb:
    """A verb that keeps these bytes."""
    return lambda session: storage.keep(session, content, now)


def failing(_: Session) -> None:
    """A verb with a mistake in it."""
    raise ZeroDivisionError


def happen(database: Database, *verbs: Verb) -> None:
    """Do all this in one transaction."""
    with database.transaction() as session:
        for verb in verbs:
            verb(session)


# ── one transaction ──


def test_what_a_transaction_did_is_there_afterwards(database: Database, now: datetime):
    with database.transaction() as session:
        storage.keep(session, b"a mail", now)
        session.add(Blob(digest="an object", content=b"too", size=3, stored_at=now))

    assert kept(database) == {b"a mail", b"too"}


def test_a_transaction_that_raises_leaves_nothing(database: Database, now: datetime):
    with pytest.raises(ZeroDivisionError):
        happen(database, keeping(b"a mail", now), failing)

    assert kept(database) == set()


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_verb_cannot_end_its_transaction(database: Database, now: datetime, end: str):
    with pytest.raises(Refused, match="a verb never"):
        happen(database, keeping(b"a mail", now), methodcaller(end))

    assert kept(database) == set()


def test_a_transaction_inside_a_transaction_is_refused(database: Database):
    with (
        database.transaction(),
        pytest.raises(Refused, match="open here already"),
        database.transaction(),
    ):
        pass

    with database.transaction():
        pass  # the refusal has not kept the turn


def test_a_broken_rule_is_not_mistaken_for_a_broken_disk(database: Database, now: datetime):
    def careless(session: Session) -> None:
        session.execute(sa.insert(Blob), {"digest": "the same", "content": b"", "size": 0, "stored_at": now})

    with pytest.raises(IntegrityError):
        happen(database, careless, careless)


def test_rows_can_be_read_after_their_transaction(database: Database, now: datetime):
    with database.transaction() as session:
        session.add(row := Blob(digest="a name", content=b"bytes", size=5, stored_at=now))

    assert (row.digest, row.stored_at) == ("a name", now)


def test_threads_that_read_then_write_lose_no_update(database: Database, now: datetime):
    with database.transaction() as session:
        session.add(Blob(digest="counter", content=b"", size=0, stored_at=now))

    def count() -> None:
        for _ in range(25):
            with database.transaction() as session:
                session.exec(select(Blob).with_for_update()).one().size += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.reading() as session:
        assert session.exec(select(Blob.size)).one() == 100


def test_only_missing_rows_are_inserted(database: Database, now: datetime):
    def named(*names: str) -> list[dict[str, object]]:
        return [{"digest": name, "content": name.encode(), "size": 1, "stored_at": now} for name in names]

    with database.transaction() as session:
        new = [
            rows.insert_missing(session, Blob, each)
            for each in (named("a"), named("a", "b", "c", "b"), named("a"), [])
        ]

    assert (new, kept(database)) == ([1, 2, 0, 0], {b"a", b"b", b"c"})


# ── reading ──


def test_a_reading_sees_one_state_while_others_write(database: Database, now: datetime):
    with database.reading() as session:
        before = session.exec(select(Blob.content)).all()
        with database.transaction() as other:
            storage.keep(other, b"a mail", now)
        after = session.exec(select(Blob.content)).all()

    assert before == after == []
    assert kept(database) == {b"a mail"}


def test_a_reading_refuses_new_rows(database: Database, now: datetime):
    with pytest.raises(Refused, match="a reading never writes"), database.reading() as session:
        session.add(Blob(digest="a", content=b"", size=0, stored_at=now))


def test_a_reading_refuses_statements_that_write(database: Database, now: datetime):
    with pytest.raises(StorageTrouble, match=r"read-?only"), database.reading() as session:
        storage.keep(session, b"a mail", now)

    with database.transaction() as session:
        storage.keep(session, b"a mail", now)


# ── storage that fails ──


@pytest.fixture
def nearly_full(sqlite_url: str):
    """A database on a disk with room for a small mail."""
    database = Database(sqlite_url)
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")
    yield database
    database.close()


def test_a_full_disk_is_trouble_and_keeps_nothing_of_the_transaction(nearly_full: Database, now: datetime):
    with pytest.raises(StorageTrouble, match="full"):
        happen(nearly_full, keeping(b"small", now), keeping(b"big" * 100_000, now))

    assert kept(nearly_full) == set()
    happen(nearly_full, keeping(b"small", now))
    assert kept(nearly_full) == {b"small"}


def test_a_full_disk_that_a_verb_swallowed_fails_the_whole_batch(nearly_full: Database, now: datetime):
    """SQLite has then ended the transaction by itself; what comes after must not be kept alone."""

    def stubborn(session: Session) -> None:
        for content in (b"big" * 100_000, b"small"):
            with suppress(sa.exc.OperationalError, StorageTrouble):
                storage.keep(session, content, now)

    with pytest.raises(StorageTrouble, match="gave up"):
        happen(nearly_full, keeping(b"first", now), stubborn)

    assert kept(nearly_full) == set()


def test_another_process_that_holds_the_file_is_trouble(sqlite_url: str, now: datetime):
    database = Database(sqlite_url)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(database.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StorageTrouble, match="locked"), database.transaction():
        pass

    other.close()
    with database.transaction() as session:
        storage.keep(session, b"a mail", now)
    database.close()


def test_a_home_that_is_not_there_is_trouble(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path}/nowhere/mailhub.db")

    with pytest.raises(StorageTrouble, match="unable to open"), database.transaction():
        pass


def test_a_file_that_is_no_database_is_trouble(tmp_path: Path):
    (tmp_path / "mailhub.db").write_bytes(b"Cher journal, " * 1000)
    database = Database(f"sqlite:///{tmp_path}/mailhub.db")

    with pytest.raises(StorageTrouble, match="not a database"), database.transaction():
        pass


def test_a_server_that_cuts_the_line_is_trouble_once(postgresql_url: str, now: datetime):
    database = Database(postgresql_url)

    def cut(session: Session) -> None:
        pid = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with database.engine.connect() as other:
            other.execute(sa.select(sa.func.pg_terminate_backend(pid)))

    with pytest.raises(StorageTrouble):
        happen(database, keeping(b"lost", now), cut, keeping(b"lost too", now))

    happen(database, keeping(b"a mail", now))
    assert kept(database) == {b"a mail"}
    database.close()


def test_a_server_that_is_not_there_is_trouble(tmp_path: Path):
    database = Database(f"postgresql://somebody@/nothing?host={tmp_path}")

    with pytest.raises(StorageTrouble), database.transaction():
        pass


CHILD = """
import sys
from datetime import UTC, datetime
from mailhub import migrations, rows, storage
from mailhub.database import Database

database = Database(sys.argv[1])
with database.transaction() as session:
    storage.keep(session, b"committed", datetime(2026, 3, 3, tzinfo=UTC))
with database.transaction() as session:
    storage.keep(session, b"not committed", datetime(2026, 3, 3, tzinfo=UTC))
    print("in the middle", flush=True)
    sys.stdin.read()
"""


def test_a_process_killed_in_the_middle_leaves_whole_transactions(database: Database):
    url = database.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"in the middle\n"
        child.send_signal(signal.SIGKILL)

    assert kept(database) == {b"committed"}


# ── settings of the engines ──


def test_sqlite_is_set_up_to_keep_its_promises(sqlite_url: str):
    database = Database(sqlite_url)

    with database.transaction() as session:
        pragmas = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        }

    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 5000,
    }
    database.close()


def test_nobody_else_on_the_machine_reads_the_mails(tmp_path: Path, now: datetime):
    database = Database(f"sqlite:///{tmp_path}/mailhub.db")
    database.upgrade()
    happen(database, keeping(b"a mail", now))

    assert {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {
        "mailhub.db": 0,
        "mailhub.db-wal": 0,
        "mailhub.db-shm": 0,
    }
    database.close()


@pytest.mark.parametrize(
    ("url", "understood"),
    [
        ("sqlite:////srv/mailhub.db", "sqlite:////srv/mailhub.db"),
        ("postgres://a@host/db", "postgresql+psycopg://a@host/db"),
        ("postgresql://a@host/db", "postgresql+psycopg://a@host/db"),
        ("postgresql+psycopg://a@host/db", "postgresql+psycopg://a@host/db"),
        ("postgresql+psycopg2://a@host/db", "postgresql+psycopg://a@host/db"),
    ],
)
def test_a_url_is_understood(url: str, understood: str):
    assert Database(url).url.render_as_string() == understood


@pytest.mark.parametrize("url", ["", "mailhub.db", "sqlite://", "sqlite:///:memory:", "mysql://a:secret@b/c"])
def test_a_url_that_mailhub_does_not_speak_is_refused(url: str):
    with pytest.raises(SettingsError) as refusal:
        Database(url)

    assert "secret" not in str(refusal.value)


# ── the log ──


def test_what_is_in_the_log_is_carried_over(sqlite_url: str, now: datetime, tmp_path: Path):
    database = Database(sqlite_url)
    with database.transaction() as session:
        storage.keep(session, b"carried over", now)

    database.carry_over()

    shutil.copy(str(database.url.database), tmp_path / "without-its-log.db")
    copy = Database(f"sqlite:///{tmp_path}/without-its-log.db")
    assert kept(copy) == {b"carried over"}
    for each in (copy, database):
        each.close()


def test_nobody_commits_while_the_log_is_carried_over(sqlite_url: str, now: datetime):
    """A commit beside it could begin the log anew and be lost. https://www.sqlite.org/wal.html#walresetbug"""
    database, refusals = Database(sqlite_url), []
    with database.transaction() as session:
        storage.keep(session, b"before", now)

    def write_too(statement: str) -> None:
        if "wal_checkpoint" in statement:
            with closing(sqlite3.connect(str(database.url.database), timeout=0)) as other:
                with pytest.raises(sqlite3.OperationalError) as refusal:
                    other.execute("BEGIN IMMEDIATE")
                refusals.append(str(refusal.value))

    with database.reading() as session:
        line = session.connection().connection.driver_connection
    line.set_trace_callback(write_too)
    database.carry_over()
    line.set_trace_callback(None)

    assert refusals == ["database is locked"]
    with database.transaction() as session:
        storage.keep(session, b"after", now)
    assert kept(database) == {b"before", b"after"}
    database.close()


def test_the_log_stays_while_somebody_writes(sqlite_url: str, now: datetime, tmp_path: Path):
    database = Database(sqlite_url)
    with database.transaction() as session:
        storage.keep(session, b"before", now)
    with database.transaction() as session:
        storage.keep(session, b"under way", now)
        database.carry_over()
        shutil.copy(str(database.url.database), tmp_path / "without-its-log.db")

    copy = Database(f"sqlite:///{tmp_path}/without-its-log.db")
    assert kept(copy) == set()
    assert kept(database) == {b"before", b"under way"}
    for each in (copy, database):
        each.close()


# ── backups ──


def test_a_backup_is_a_whole_database_while_others_write(sqlite_url: str, now: datetime, tmp_path: Path):
    database = Database(sqlite_url)
    with database.transaction() as session:
        storage.keep(session, b"before", now)

    with database.transaction() as session:
        storage.keep(session, b"under way", now)
        database.backup_to(tmp_path / "copy.db")

    copy = Database(f"sqlite:///{tmp_path}/copy.db")
    assert kept(copy) == {b"before"}
    assert copy.version() == database.version()
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    for each in (copy, database):
        each.close()


def test_a_backup_overwrites_nothing(sqlite_url: str, tmp_path: Path):
    database = Database(sqlite_url)
    (tmp_path / "precious").write_text("yesterday")

    with pytest.raises(Refused, match="precious is there already"):
        database.backup_to(tmp_path / "precious")

    assert (tmp_path / "precious").read_text() == "yesterday"


def test_a_backup_that_fails_leaves_no_half_of_it(tmp_path: Path):
    (tmp_path / "mailhub.db").write_bytes(b"Cher journal, " * 1000)
    database = Database(f"sqlite:///{tmp_path}/mailhub.db")

    with pytest.raises(StorageTrouble, match="not a database"):
        database.backup_to(tmp_path / "copy.db")

    assert [path.name for path in tmp_path.iterdir()] == ["mailhub.db"]


def test_postgresql_backups_are_left_to_pg_dump(tmp_path: Path):
    database = Database("postgresql://somebody:secret@db.example:5433/centre?password=secret&sslmode=require")

    with pytest.raises(Refused) as refusal:
        database.backup_to(Path("/srv/a copy.dump"))

    assert str(refusal.value) == (
        "PostgreSQL makes its own backups: pg_dump --format=custom --file='/srv/a copy.dump' "
        "'postgresql://somebody@db.example:5433/centre?sslmode=require'"
    )


# ── migrations ──


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path):
    """A database without a single table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/empty.db")
        yield database
        database.close()
    else:
        server = request.getfixturevalue("postgres_server")
        name = server.create()
        database = Database(server.url_of(name))
        yield database
        database.close()
        server.drop(name)


def test_an_empty_database_is_brought_to_the_newest_form(empty: Database, now: datetime):
    before, head = empty.version()

    empty.upgrade()
    empty.upgrade()

    assert (before, empty.version()) == (None, (head, head))
    with empty.transaction() as session:
        storage.keep(session, b"a mail", now)


def test_the_tables_of_a_newer_mailhub_are_left_alone(empty: Database):
    empty.upgrade()
    with empty.transaction() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(Refused, match="at migration 9999"):
        empty.upgrade()


def test_models_and_migrations_agree(empty: Database):
    """When this fails: python mailhub/migrations "what changes", and read what it wrote."""
    empty.upgrade()

    with empty.migrating() as connection:
        command.check(migrations.config(connection))


def test_migrations_are_one_chain_in_the_order_of_their_numbers():
    script = ScriptDirectory(str(migrations.HERE))

    assert [script.get_current_head()] == script.get_heads() == [migrations.head()]
    numbers = [revision.revision for revision in script.walk_revisions()]
    assert numbers == sorted(numbers, reverse=True)


def test_a_process_that_serves_does_not_load_alembic(sqlite_url: str):
    """It costs 12 MiB; only a change of the tables needs it."""
    story = (
        "import sys; from mailhub.database import Database; Database(sys.argv[1]).upgrade(); "
        "sys.exit('alembic' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", story, sqlite_url], check=False).returncode == 0


def test_every_migration_has_a_way_back(empty: Database):
    empty.upgrade()

    with empty.migrating() as connection:
        command.downgrade(migrations.config(connection), "base")

    assert sa.inspect(empty.engine).get_table_names() == ["alembic_version"]


def test_processes_that_start_together_migrate_once(postgresql_url: str, empty: Database):
    threads = [threading.Thread(target=empty.upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    current, head = empty.version()
    assert current == head


def test_every_table_is_known_to_the_migrations():
    package = Path(mailhub.__file__).parent
    holders = {
        path.stem
        for path in package.rglob("*.py")
        if re.search(r"^class .*table=True", path.read_text(), re.MULTILINE)
    }

    (listed,) = re.findall(
        r"^TABLES = \(([^)]*)\)", (package / "migrations/env.py").read_text(), re.MULTILINE
    )

    assert holders == set(re.findall(r"\w+", listed))


def test_rebuilding_a_table_keeps_the_rows_that_point_at_it(sqlite_url: str):
    """SQLite drops the old table while it rebuilds it; foreign keys would take the pointing rows along."""
    database = Database(sqlite_url)
    with database.transaction() as session:
        for statement in (
            "CREATE TABLE parent (id INTEGER PRIMARY KEY, name VARCHAR)",
            "CREATE TABLE child (parent_id INTEGER REFERENCES parent (id) ON DELETE CASCADE)",
            "INSERT INTO parent VALUES (1, 'A')",
            "INSERT INTO child VALUES (1)",
        ):
            session.connection().exec_driver_sql(statement)

    with database.migrating() as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("parent", recreate="always") as parent:
            parent.alter_column("name", nullable=False)

    with database.reading() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM child").scalar_one() == 1
    database.close()


def test_a_migration_that_leaves_rows_pointing_nowhere_is_undone(sqlite_url: str):
    database = Database(sqlite_url)

    def migrate(*statements: str) -> None:
        with database.migrating() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    with pytest.raises(Refused, match="child"):
        migrate(
            "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
            "CREATE TABLE child (parent_id INTEGER REFERENCES parent (id))",
            "INSERT INTO child VALUES (1)",
        )

    assert "child" not in sa.inspect(database.engine).get_table_names()
    database.close()


def test_every_rule_of_the_tables_has_a_name():
    """A rule without a name cannot be dropped by a migration on SQLite."""
    nameless = [
        f"{table.name}: {rule}"
        for table in SQLModel.metadata.tables.values()
        for rule in table.constraints
        if rule.name is None
    ]

    assert nameless == []


# ── words of closed lists ──


class Mood(StrEnum):
    CALM = "calm"
    IN_A_HURRY = "in a hurry"


def test_words_are_stored_as_they_read(database: Database):
    moods = sa.Table("moods", sa.MetaData(), sa.Column("mood", words(Mood)))

    with database.transaction() as session:
        moods.create(session.connection())
        session.execute(moods.insert(), {"mood": Mood.IN_A_HURRY})

        assert session.connection().exec_driver_sql("SELECT mood FROM moods").scalar_one() == "in a hurry"
        assert session.execute(sa.select(moods.c.mood)).scalar_one() is Mood.IN_A_HURRY


def test_a_word_outside_its_list_is_refused(database: Database):
    moods = sa.Table("moods", sa.MetaData(), sa.Column("mood", words(Mood)))

    with pytest.raises(sa.exc.StatementError, match="furious"):
        happen(database, lambda session: session.execute(moods.insert(), {"mood": "furious"}))


def test_a_visitor_who_leaves_takes_nothing_away(sqlite_url, now):
    """Another process that opens and closes the file must not believe it was the last: the log would be deleted."""
    database = Database(sqlite_url)
    path = database.url.database
    with database.reading():
        pass
    with database.transaction() as session:  # a second connection of ours opens the file once more
        storage.keep(session, b"first", now)
    visit = f"import sqlite3; c = sqlite3.connect({path!r}); print(c.execute('SELECT count(*) FROM blob').fetchone()[0])"

    counts = []
    for text in (b"second", b"third"):
        counts.append(
            int(subprocess.run([sys.executable, "-c", visit], capture_output=True, check=True).stdout)
        )
        with database.transaction() as session:
            storage.keep(session, text, now)
        with database.reading() as session:
            assert storage.fetch(session, hashlib.sha256(text).hexdigest()) == text

    assert counts == [1, 2]
    assert Path(f"{path}-wal").exists()
    database.close()
