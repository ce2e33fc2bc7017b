"""How fast does a question become a filed request with its acknowledgement and staff copy? Beside Postfix's bare accept.

Each question is a mail of its own from a person of its own. mailhub is done when every question has its two letters
in the outbox; Postfix when it has accepted the same mails and holds them in its queue on disk. One process on SQLite.

    python -m bench.desk [--json FILE] [--rounds 3] [--mails 1000] [--connections 10]
"""

import argparse
import contextlib
import socket
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.receive import Contestant, cpu_seconds, free_port, install_peers, postfix_holding, wait_for
from bench.serving import mailhub
from bench.table import Figures, ratio, show, write_json

WORDS = "Nous lançons une démarche de gestion urbaine de proximité et cherchons des villes comparables. "
QUESTION = (
    "From: Personne {n} <p{n}@ville-{town}.example>\r\nTo: question@centre.example\r\n"
    "Subject: =?utf-8?q?R=C3=A9f=C3=A9rences?= {n}\r\nMessage-ID: <{n}.{run}@ville.example>\r\n"
    "Date: Tue, 03 Mar 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n"
    'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
    "Bonjour,\r\n\r\n{words}\r\nPouvez-vous nous donner quelques références ?\r\n\r\nPersonne {n}\r\n"
)


def questions(run: str, count: int, octets: int) -> list[tuple[str, bytes]]:
    """So many questions of about that size, each with its sender."""
    words = "\r\n".join([WORDS] * max(1, (octets - 600) // len(WORDS.encode())))
    return [
        (
            f"p{n}@ville-{n % 50}.example",
            QUESTION.format(n=f"{run}{n}", town=n % 50, run=run, words=words).encode(),
        )
        for n in range(count)
    ]


def send(port: int, mails: Sequence[tuple[str, bytes]], connections: int) -> None:
    """Hand the mails over, several connections at a time, and return when each has its 250.

    The client shares the two cores with the server, so it does no more than it must: one write for the envelope
    (RFC 2920), one for the body.
    """

    def one(share: Sequence[tuple[str, bytes]]) -> None:
        with socket.create_connection(("127.0.0.1", port)) as line, line.makefile("rb") as answers:

            def expect(code: bytes, count: int = 1) -> None:
                while count:
                    answer = answers.readline()
                    if not answer.startswith(code):
                        raise ConnectionError(answer.decode())
                    count -= answer[3:4] == b" "

            expect(b"220")
            line.sendall(b"EHLO client.example\r\n")
            expect(b"250")
            for sender, raw in share:
                line.sendall(
                    f"MAIL FROM:<{sender}>\r\nRCPT TO:<question@centre.example>\r\nDATA\r\n".encode()
                )
                expect(b"250", 2)
                expect(b"354")
                line.sendall(raw + b".\r\n")
                expect(b"250")

    with ThreadPoolExecutor(connections) as clients:
        list(clients.map(one, [mails[place::connections] for place in range(connections)]))


def wait_for_letters(home: Path, wanted: int) -> None:
    """Return when so many letters stand in the outbox."""
    with contextlib.closing(sqlite3.connect(home / "storage" / "mailhub.db", timeout=30)) as tables:
        while tables.execute("SELECT count(*) FROM outgoing").fetchone()[0] < wanted:
            time.sleep(0.02)


def main() -> None:
    """Run the rounds and show the figures."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--json", type=Path)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--mails", type=int, default=1000)
    options.add_argument("--connections", type=int, default=10)
    wanted = options.parse_args()
    install_peers()
    ours, theirs = Figures(), Figures()
    with contextlib.ExitStack() as stack:
        home, queue = (
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-desk-"))) for _ in "ab"
        )
        port = free_port()
        process = stack.enter_context(mailhub(home / "home", port))
        wait_for(port)
        peer: Contestant | None = None
        try:
            peer = stack.enter_context(postfix_holding(queue))
        except (OSError, LookupError) as error:
            print(f"postfix is left out: {error}")
        done = 0
        for turn in range(wanted.rounds + 1):  # the first, short one only warms up
            mails = questions(f"r{turn}x", wanted.mails if turn else 100, 4096)
            before, began = cpu_seconds(process.pid), time.perf_counter()
            send(port, mails, wanted.connections)
            done += len(mails)
            wait_for_letters(home / "home", 2 * done)
            if turn:
                ours.rates.append(len(mails) / (time.perf_counter() - began))
                ours.cpu_ms.append((cpu_seconds(process.pid) - before) / len(mails) * 1000)
            if peer is not None:
                before, began = cpu_seconds(peer.pid), time.perf_counter()
                send(int(peer.address.rpartition(":")[2]), mails, wanted.connections)
                if turn:
                    theirs.rates.append(len(mails) / (time.perf_counter() - began))
                    theirs.cpu_ms.append((cpu_seconds(peer.pid) - before) / len(mails) * 1000)
    case = f"questions of 4 KiB, {wanted.connections} connections"
    lines = [(case, "mailhub: filed, answered, copied", ours, theirs if theirs.rates else None)]
    show(
        "Questions from the wire to the outbox",
        [*lines, *([(case, "postfix: accepted", theirs, None)] if theirs.rates else [])],
        "mails/s",
    )
    if wanted.json:
        write_json(
            wanted.json,
            [
                ratio(
                    f"mailhub desk ÷ postfix accept, 4 KiB, {wanted.connections} connections",
                    ours,
                    theirs,
                    "mails/s",
                )
            ]
            if theirs.rates
            else [],
        )


if __name__ == "__main__":
    main()
