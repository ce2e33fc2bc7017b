"""A real `mailhub serve` for the benchmarks: a home of its own, its settings wide open, nothing switched off."""

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

MANY = 1_000_000_000
SETTINGS = """
[centre]
name = "Villes & Rives"
domain = "centre.example"
[receive]
smtp = ["127.0.0.1:{port}"]
connections = 500
[trust]
verdicts = "none"  # there is no DNS on a benchmark's loopback, and Postfix beside it asks none either
[courtesy]  # one machine plays thousands of people
per_hour = {many}
per_day = {many}
unproven_per_day = {many}
unproven_per_hour_overall = {many}
mails_per_hour = {many}
alike_in_half_an_hour = {many}
[relay]
host = "127.0.0.1"
port = {relay}
tls = "none"
per_destination_per_minute = 0
[web]
listen = ""
[log]
level = "error"
"""


@contextlib.contextmanager
def mailhub(home: Path, port: int, relay: int = 9) -> Iterator[subprocess.Popen[bytes]]:
    """Serve a home until the block ends; `relay` is where letters go, by default a port nobody answers on."""
    command = [sys.executable, "-m", "mailhub.cli"]
    subprocess.run([*command, "init", home], check=True, capture_output=True)
    (home / "mailhub.toml").write_text(SETTINGS.format(port=port, relay=relay, many=MANY))
    subprocess.run(
        [*command, "staff", "add", "Claire Morvan", "claire@centre.example", "--home", home],
        check=True,
        capture_output=True,
    )
    process = subprocess.Popen([*command, "serve", "--home", home])
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def rest(home: Path) -> None:
    """Return when every mail this home accepted is handled."""
    with contextlib.closing(sqlite3.connect(home / "storage" / "mailhub.db", timeout=30)) as tables:
        while tables.execute("SELECT 1 FROM inbound WHERE state = 'waiting' LIMIT 1").fetchone():
            time.sleep(0.05)
