"""Does a home keep its promises through hundreds of kills? The run of `tests/test_kill.py`, as long as wanted.

Questions and staff replies come in, the process is killed with `kill -9` at every kind of moment, and at the end each
mail and letter is counted. Any fault is printed and ends the program with status 1.

    python -m bench.soak [--kills 300] [--questions 5000] [--replies 2000] [--seed 1] [--database URL --processes 2]
"""

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from mailhub.outbox import LEASE
from tests.cli.program import mailhub
from tests.ordeal import Ordeal
from tests.postal import Relay
from tests.reckoning import Books, faults
from tests.serving import make_home, opened


def main() -> None:
    """Run it once and say what was counted."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--kills", type=int, default=300)
    options.add_argument("--questions", type=int, default=5000)
    options.add_argument("--replies", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--database", default="", help="postgresql://…, empty; else SQLite")
    options.add_argument("--processes", type=int, default=1, help="several on PostgreSQL only")
    wanted = options.parse_args()
    began, relay = time.monotonic(), Relay()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, relay.open() as port:
        home = make_home(Path(folder) / "home", port, database_url=wanted.database)
        with Ordeal(
            home,
            relay,
            wanted.seed,
            questions=wanted.questions,
            replies=wanted.replies,
            people=wanted.questions,
            processes=wanted.processes,
        ) as ordeal:
            ordeal.run(wanted.kills)
            ordeal.until_quiet()
            ordeal.stop()
            if wanted.processes > 1:  # what dead processes held is anybody's once its lease is over
                mailhub("tick", "--home", home, "--now", (datetime.now(UTC) + 2 * LEASE).isoformat())
            with opened(home) as database:
                found = faults(database, ordeal)
                books = Books.of(database, ordeal)
    print(f"{ordeal} in {time.monotonic() - began:.0f} s")
    print(f"  kills      {', '.join(f'{moment} {count}' for moment, count in sorted(ordeal.kills.items()))}")
    print(f"  requests   {len(books.requests)} for {len(ordeal.asked)} questions")
    print(f"  answers    {len(books.of_kind('answer'))} for {len(ordeal.replied)} staff replies")
    print(
        f"  letters    {len(books.letters)}, {len(books.doubts())} of them in doubt, "
        f"{max(books.arrived.values(), default=0)} arrivals of any one at most"
    )
    print(f"  faults     {len(found)}")
    for fault in found[:50]:
        print(f"    {fault}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
