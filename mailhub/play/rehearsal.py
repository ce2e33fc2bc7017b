"""`mailhub serve` under a stopped clock, for a play that is to say the same dates every time.

`mailhub serve` itself has no such option: a centre with a wrong clock would promise wrong dates. This one refuses
to start where letters would leave the machine.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from mailhub import app, config
from mailhub.errors import Refused


def main(home: str, instant: str) -> None:
    """Serve a home of the play until told to stop."""
    settings = config.load(Path(home), os.environ)
    if settings.relay.host != "127.0.0.1":
        raise Refused(f"a stopped clock rehearses, and the relay {settings.relay.host} is no rehearsal")
    stopped = datetime.fromisoformat(instant).astimezone(UTC)
    house = app.build(settings, lambda: stopped)
    try:
        asyncio.run(app.serve(house))
    finally:
        house.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
