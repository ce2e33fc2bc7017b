"""How fast is a mail read in full? mailhub beside mail-parser and the standard library's default policy, in one run.

Our side decodes every header, finds the words (HTML turned into text where there are no others), decodes each part
and takes its SHA-256; mail-parser does its own parsing and nothing more; the standard library parses, decodes the
headers and takes the body and the attachments. Rounds are interleaved, since the machine drifts.

Hostile mails are left out: they make the peers raise, or run for minutes; a mail on which a peer raises counts as
read by it. Without a folder of mails the benchmark makes its own, from 2 to 200 KiB.

    python -m bench.parse [FOLDER] [--json FILE] [--rounds 5]
"""

import argparse
import contextlib
import email.policy
import logging
import os
import random
import time
from base64 import encodebytes
from collections.abc import Callable, Iterable
from email.message import EmailMessage
from pathlib import Path
from quopri import encodestring

import mailparser

from bench.table import Figures, ratio, show, write_json
from mailhub.mail import message

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "cases"
OUR_MAILS = Path(__file__).parents[1] / "tests" / "mails"
SIZES = {
    "up to 4 KiB": (0, 4 * 1024),
    "4 to 30 KiB": (4 * 1024, 30 * 1024),
    "above 30 KiB": (30 * 1024, 1 << 40),
}
OURS, MAIL_PARSER, STDLIB = "mailhub", "mail-parser", "stdlib policy.default"


def read_with_mailparser(raw: bytes) -> object:
    """The peer as its documentation shows it."""
    with contextlib.suppress(Exception):
        return mailparser.parse_from_bytes(raw)
    return None


def read_with_default_policy(raw: bytes) -> object:
    """The modern interface of the standard library, asked for what our reading gives."""
    with contextlib.suppress(Exception):
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        body = parsed.get_body(("plain", "html"))
        attachments = [part.get_payload(decode=True) for part in parsed.iter_attachments()]
        return [str(value) for value in parsed.values()], body.get_content() if body else "", attachments
    return None


CONTESTANTS: dict[str, Callable[[bytes], object]] = {
    OURS: message.read,
    MAIL_PARSER: read_with_mailparser,
    STDLIB: read_with_default_policy,
}


def mails_of(folder: Path) -> list[bytes]:
    """Every mail below a folder but the hostile ones."""
    return [path.read_bytes() for path in sorted(folder.rglob("*.eml")) if "hostile" not in path.parts]


def made_mails() -> list[bytes]:
    """Mails like those of a resource centre: short questions, letters in two forms, files, HTML alone."""
    chance = random.Random(2003)
    words = [
        "quartier",
        "élus",
        "réunion",
        "habitants",
        "contrat",
        "ville",
        "l’évaluation",
        "été",
        "association",
        "où",
    ]
    mails = []
    for number in range(300):
        text = " ".join(chance.choices(words, k=chance.choice((60, 200, 700)))).encode()
        page = b"".join(b'<p style="margin:0 0 1em">%b <a href="https://centre.example/%d">lire</a></p>' % (text[:400], line)
                        for line in range(chance.choice((5, 40, 120))))  # fmt: skip
        parts = [
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            + encodestring(text)
        ]
        if number % 3:
            parts.append(
                b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                + encodebytes(page)
            )
        if number % 4 == 3:
            head = (
                b'Content-Type: application/pdf; name="note.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
            )
            parts.append(head + encodebytes(chance.randbytes(chance.choice((8_000, 60_000, 140_000)))))
        if number % 10 == 9:
            del parts[0]
        body = b"".join(b"--limite\r\n" + part + b"\r\n" for part in parts)
        mails.append(
            b"Received: from mx.mairie.example (mx.mairie.example [192.0.2.7]) by mx.centre.example; Tue, 3 Mar 2026 09:58:00 +0100\r\n"
            b"From: =?utf-8?q?L=C3=A9a_Kerbrat?= <lea@mairie.example>\r\nTo: question@centre.example\r\n"
            b"Subject: =?utf-8?b?w4l2YWx1YXRpb24gZHUgY29udHJhdCBkZSB2aWxsZQ==?=\r\nDate: Tue, 3 Mar 2026 09:57:58 +0100\r\n"
            b"Message-ID: <%d@mairie.example>\r\nMIME-Version: 1.0\r\n"
            b'Content-Type: multipart/%b; boundary="limite"\r\n\r\n%b--limite--\r\n'
            % (number, b"mixed" if number % 4 == 3 else b"alternative", body)
        )
    return mails


def measure(mails: list[bytes], read: Callable[[bytes], object], figures: Figures) -> None:
    """One round: all mails once, and again until a fifth of a second has passed."""
    done, started, cpu = 0, time.perf_counter(), time.process_time()
    while done == 0 or time.perf_counter() - started < 0.2:
        for raw in mails:
            read(raw)
        done += len(mails)
    figures.rates.append(done / (time.perf_counter() - started))
    figures.cpu_ms.append((time.process_time() - cpu) * 1000 / done)


def compare(mails: list[bytes], rounds: int) -> dict[str, dict[str, Figures]]:
    """Each size of mail, each contestant."""
    sized = {name: [raw for raw in mails if low < len(raw) <= high] for name, (low, high) in SIZES.items()}
    sized = {name: some for name, some in sized.items() if some}
    found = {case: {who: Figures() for who in CONTESTANTS} for case in sized}
    for _ in range(rounds):
        for case, some in sized.items():
            for who, read in CONTESTANTS.items():
                measure(some, read, found[case][who])
    for case, some in sized.items():
        octets = sum(map(len, some))
        found[f"{case} ({len(some)} mails, {octets / len(some) / 1024:.0f} KiB each)"] = found.pop(case)
    return found


def in_megabytes(case: str, figures: Figures) -> Figures:
    """The same rates as octets: the mean size of the mails is part of the name of the case."""
    size = float(case.rpartition(", ")[2].partition(" ")[0]) * 1024 / 1e6
    return Figures([rate * size for rate in figures.rates])


def main(arguments: Iterable[str] | None = None) -> None:
    """Measure, print, and write the ratios where they are wanted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=CORPUS if CORPUS.is_dir() else None)
    parser.add_argument("--json", type=Path, default=os.environ.get("JSON"))
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    logging.disable(logging.CRITICAL)  # the peer warns about every part it does not handle

    mails = mails_of(chosen.folder) if chosen.folder else mails_of(OUR_MAILS) + made_mails()
    found = compare(mails, chosen.rounds)

    peers = {MAIL_PARSER, STDLIB}
    lines = [
        (case, who, figures, None if who in peers else all_of[MAIL_PARSER])
        for case, all_of in found.items()
        for who, figures in all_of.items()
    ]
    show("Reading a mail in full; ÷ peer is ÷ mail-parser. Hostile mails are left out.", lines, "mails/s")
    show(
        "The same in octets",
        [(case, who, in_megabytes(case, figures), None) for case, who, figures, _ in lines],
        "MB/s",
    )
    if chosen.json:
        rows = [
            ratio(f"{OURS} ÷ {who}, {case}", all_of[OURS], all_of[who], "mails/s")
            for case, all_of in found.items()
            for who in (MAIL_PARSER, STDLIB)
        ]
        write_json(Path(chosen.json), rows)


if __name__ == "__main__":
    main()
