"""What the tests of the command line share: one question, one clock, and what a run gives."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOW = "2026-03-03T10:00:00+01:00"
QUESTION = """\
From: Nadia Benali <n.benali@kerbrec.example>
To: question@villes-rives.example
Subject: Nombre d'habitants quartier des Tilleuls
Message-ID: <q1@kerbrec.example>
Date: Tue, 3 Mar 2026 10:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="==b"

--==b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Bonjour, pouvez-vous me donner la population du quartier prioritaire des Tilleuls ?
Nadia Benali

--==b
Content-Type: application/pdf; name="plan.pdf"
Content-Disposition: attachment; filename="plan.pdf"
Content-Transfer-Encoding: base64

JVBERi0xLjQK
--==b--
""".replace("\n", "\r\n").encode()


@dataclass(frozen=True)
class Answer:
    """What one run of the program gave."""

    status: int
    octets: bytes
    said: str  # on standard error

    @property
    def out(self) -> str:
        return self.octets.decode()

    @property
    def document(self) -> Any:
        return json.loads(self.octets)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.octets.splitlines()]


Run = Callable[..., Answer]


def mailhub(*words: object, input: bytes = b"", cwd: Path | None = None, **env: str) -> Answer:  # noqa: A002
    """Run the real program as a process."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "mailhub.cli", *map(str, words)],
        input=input,
        cwd=cwd,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parent.parent.parent),
            "COLUMNS": "200",
            **env,
        },
        capture_output=True,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr.decode())


def write_setting(home: Path, section: str, **values: str) -> None:
    """Write settings into the file of a home, in place of what stands there."""
    path = home / "mailhub.toml"
    before, head, after = path.read_text().partition(f"\n[{section}]\n")
    kept, bracket, rest = after.partition("\n[")
    for key in values:
        kept = "\n".join(line for line in kept.split("\n") if not line.startswith(f"{key} = "))
    written = "\n".join(f"{key} = {value}" for key, value in values.items())
    path.write_text(f"{before}{head}{written}\n{kept}{bracket}{rest}")
