"""Any octets give a Message, quickly, that can be written as JSON. Broken copies of our mails look for an exception.

With atheris installed the search is guided by coverage; without it mails are broken at random, which finds as much in
a minute on this code. A finding is written beside the mails it was made of, for a person to name and keep.

    python -m tests.fuzz.fuzz_reading [--seconds 60] [--seed 1] [FOLDER]
"""

import argparse
import importlib
import importlib.util
import json
import random
import sys
import time
import traceback
from pathlib import Path

from mailhub.mail import message, path, plain

MAILS = Path(__file__).parents[1] / "mails"
SLOW_SECONDS = 1.0
PIECES = (
    b"=?utf-8?Q?", b"?=", b'"', b"(", b")", b"<", b">", b";", b"\r\n", b"\n\n", b"\r", b"--", b"\x00", b"\xff", b":", b",",
    b"Content-Type: multipart/mixed; boundary=", b"Content-Type: message/rfc822\r\n\r\n", b"*0*=utf-8''%", b"charset=utf-7",
    b"+2AA-", b"base64", b"&#x110000;", b"<div style=display:none>", b"<a href='", b"<!--", b"\\'", b"\\u-10179?",
)  # fmt: skip


def read_in_full(raw: bytes) -> None:
    """Everything that is done with a mail by itself; the output must be text that a database and JSON take."""
    read = message.read(raw)
    plain.from_html(read.html or "")
    path.of(read)
    names = [(mailbox.name, mailbox.address) for mailbox in (*read.from_, *read.to, *read.cc, *read.reply_to)]
    files = [(part.filename, part.content_type) for part in read.attachments]
    said = [
        read.text,
        read.subject,
        read.message_id,
        read.references,
        read.headers,
        names,
        files,
        read.defects,
    ]
    written = json.dumps(said, ensure_ascii=False)
    written.encode()  # no half of a surrogate pair
    assert "\\u0000" not in json.dumps([read.text, read.subject, names, files])


def broken(mails: list[bytes], chance: random.Random) -> bytes:
    """One of the mails, damaged in up to a dozen places."""
    raw = bytearray(chance.choice(mails))
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(raw) + 1)
        end = at + chance.randint(1, 60)
        match chance.randrange(5):
            case 0:
                raw[at : at + 1] = chance.randbytes(1)
            case 1:
                del raw[at:end]
            case 2:
                raw[at:at] = chance.choice(PIECES) * chance.choice((1, 1, 1, 50))
            case 3:
                raw[at:at] = raw[at:end]
            case _:
                other = chance.choice(mails)
                start = chance.randrange(len(other) + 1)
                raw[at:at] = other[start : start + chance.randint(1, 300)]
    return bytes(raw)


def search(mails: list[bytes], seconds: float, seed: int) -> int:
    """Break mails until the time is over; say how many different things were found."""
    chance = random.Random(seed)
    found: set[str] = set()
    end, runs = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        raw, runs = broken(mails, chance), runs + 1
        started = time.process_time()
        try:
            read_in_full(raw)
            what = "slow" if time.process_time() - started > SLOW_SECONDS else ""
        except Exception:  # noqa: BLE001 — that is what we look for
            what = traceback.format_exc(limit=-1)
        if what and what not in found:
            found.add(what)
            place = MAILS / f"finding-{seed}-{runs}.eml"
            place.write_bytes(raw)
            sys.stdout.write(f"{place}\n{what}\n")
    sys.stdout.write(f"{runs} mails read, {len(found)} findings\n")
    return len(found)


def main() -> int:
    """Run one of the two searches."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=MAILS)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if importlib.util.find_spec("atheris"):
        atheris = importlib.import_module("atheris")
        atheris.instrument_all()
        atheris.Setup(
            [sys.argv[0], f"-max_total_time={chosen.seconds:.0f}", str(chosen.folder)], read_in_full
        )
        atheris.Fuzz()
        return 0
    return min(
        1,
        search(
            [file.read_bytes() for file in sorted(chosen.folder.rglob("*.eml"))], chosen.seconds, chosen.seed
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
