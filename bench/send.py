"""How fast does an issue leave? Personalised, DKIM-signed copies from the ledger to smtp-sink, beside two peers.

Each copy is claimed, filled in, signed, sent and settled, as `mailhub serve` does it: the intent is committed before
the wire is touched and the end after it. One worker works on SQLite and on PostgreSQL, two processes on PostgreSQL,
both databases with their durability on. smtp-source sends identical octets of the same size from C, and is the limit.
Mailman 3 sends the same letter, personalised too, to fewer readers: it signs nothing and writes nothing down for a
copy, which favours it. Where it cannot be installed it is left out, which the table says.

    python -m bench.send [--json FILE] [--rounds 3] [--letters 3000]
"""

import argparse
import contextlib
import json as jsons
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import letters
from bench.mailman import Mailman, mailman
from bench.receive import install_peers, send, sink
from bench.table import Figures, ratio, show, write_json
from mailhub.errors import MailhubError
from tests import postgres

SIZE = "30 KiB"
MAILMAN_READERS = 500  # the slow one: ten seconds a round


@dataclass(frozen=True)
class Case:
    """One way to send."""

    engine: str  # sqlite | postgresql
    kind: str  # of the key
    workers: int

    @property
    def name(self) -> str:
        """How the table calls it."""
        return f"{self.kind.upper()}, {self.workers} worker{'s' * (self.workers > 1)}, {self.engine}"


CASES = (
    Case("sqlite", "rsa", 1),
    Case("sqlite", "ed25519", 1),
    Case("postgresql", "rsa", 1),
    Case("postgresql", "rsa", 2),
    Case("postgresql", "ed25519", 2),
)


@dataclass
class Measured(Figures):
    """And what the workers needed."""

    peak_mib: list[float] = field(default_factory=list)


@contextlib.contextmanager
def durable_postgres(home: Path) -> Iterator[postgres.Postgres]:
    """Start a server that waits for the disk, as a centre's does."""
    binaries, user = postgres._binaries(), None if os.getuid() else "nobody"  # noqa: SLF001
    if user:
        shutil.chown(home, user)
    data, options = home / "data", f"-c listen_addresses='' -c shared_buffers=128MB -k {home}"
    quiet = {
        "user": user,
        "cwd": "/",
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "mailhub", "-A", "trust", "-E", "UTF8"], check=True, **quiet
    )
    control = [binaries / "pg_ctl", "-D", data]
    subprocess.run([*control, "-l", home / "log", "-w", "-o", options, "start"], check=True, **quiet)
    try:
        yield postgres.Postgres(f"postgresql://mailhub@/postgres?host={home}")
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, **quiet)


def measure(case: Case, url: str, port: int, count: int) -> tuple[float, float, float]:
    """Send an issue to so many; copies per second, CPU milliseconds of the workers for each, MiB of the largest."""
    letters.plant(url, count)
    command = [sys.executable, "-m", "bench.letters", url, str(port), case.kind]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen(command, **pipes) for _ in range(case.workers)]  # type: ignore[call-overload]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    reports = [letters.Report(**jsons.loads(worker.communicate()[0])) for worker in workers]
    if letters.counted(url) != count:
        raise MailhubError(
            f"{case.name}: {count} copies were to leave, the ledger tells of {letters.counted(url)}"
        )
    took = max(report.ended for report in reports) - min(report.began for report in reports)
    cpu = sum(report.cpu_seconds for report in reports)
    return count / took, cpu / count * 1000, max(report.peak_mib for report in reports)


def started(stack: contextlib.ExitStack, home: Path, port: int) -> tuple[Mailman | None, str]:
    """Mailman, when it can be had here, or else why not."""
    try:
        return stack.enter_context(mailman(home, port, MAILMAN_READERS)), ""
    except (OSError, LookupError) as error:
        return None, f"Mailman 3 is left out: {error}"


def main() -> None:
    """Run the rounds and show the figures."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--json", type=Path)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--letters", type=int, default=3000)
    arguments = options.parse_args()
    install_peers()
    here = letters.centre()
    form = letters.publications.typeset(
        here.lists.publications[0], 57, letters.manuscript(), here, letters.Renderer()
    )
    octets = len(form) + 1200  # what is personal and two signatures
    peer, other, seen = Figures(), Figures(), {case: Measured() for case in CASES}
    memory: dict[int, float] = {}
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-send-", dir="/tmp")))
        work.chmod(0o755)
        target = stack.enter_context(sink(work))
        port = int(target.address.rpartition(":")[2])
        (work / "pg").mkdir()
        server = stack.enter_context(durable_postgres(work / "pg"))
        (work / "mailman").mkdir()
        fellow, why_not = started(stack, work / "mailman", port)
        for round_ in range(arguments.rounds):
            rate, _ = send(target, octets, letters.CONNECTIONS, arguments.letters, reconnect=False)
            peer.rates.append(rate)
            if fellow:
                rate, cpu = fellow.post(form)
                other.rates.append(rate)
                other.cpu_ms.append(cpu)
            for case in CASES:
                url = f"sqlite:///{work}/{round_}-{case.kind}.db"
                if case.engine == "postgresql":
                    url = server.url_of(server.create())
                rate, cpu, peak = measure(case, url, port, arguments.letters)
                seen[case].rates.append(rate)
                seen[case].cpu_ms.append(cpu)
                seen[case].peak_mib.append(peak)
        for count in (arguments.letters, arguments.letters * 4):
            memory[count] = measure(CASES[1], f"sqlite:///{work}/memory-{count}.db", port, count)[2]
    lines: list[tuple[str, str, Figures, Figures | None]] = [(SIZE, "smtp-source", peer, None)]
    lines += [(SIZE, "Mailman 3, personalised, not signed", other, peer)] if fellow else []
    lines += [(SIZE, f"mailhub, {case.name}", figures, peer) for case, figures in seen.items()]
    show(f"Copies of an issue handed over, {letters.CONNECTIONS} connections", lines, "copies/s")
    print(f"ledger: in every case exactly {arguments.letters:,} copies are called sent.")
    against = [
        ratio(f"mailhub ÷ mailman, {SIZE}, personalised, {CASES[0].name}", seen[CASES[0]], other, "copies/s")
        for _ in other.rates[:1]
    ]
    print(why_not or f"{against[0].case}: {against[0].ratio}")
    print("memory of a worker: " + ", ".join(f"{peak:.0f} MiB for {count}" for count, peak in memory.items()))
    if arguments.json:
        ratios = [
            ratio(
                f"mailhub {case.name} ÷ smtp-source, {SIZE}, {letters.CONNECTIONS} connections",
                figures,
                peer,
                "copies/s",
            )
            for case, figures in seen.items()
        ]
        write_json(arguments.json, ratios + against)


if __name__ == "__main__":
    main()
