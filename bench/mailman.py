"""A Mailman 3 of our own, which sends each reader a copy of their own: a peer of `bench.send`.

It comes from PyPI into a cache, works in a folder of the run, on SQLite, with only the runners a post goes through.
Its list is fully personalised: envelope sender, To and footer name the reader. A copy is not signed.
"""

import contextlib
import re
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.receive import cpu_seconds, free_port, wait_for

CACHE = Path.home() / ".cache" / "mailhub-bench" / "mailman"
RELEASE = "mailman>=3.3,<3.4"
LIST = "lettre@centre.example"
PATIENCE_SECONDS = 180

IDLE_RUNNERS = ("archive", "bounces", "command", "digest", "rest", "retry", "task", "virgin")
SETTINGS = """
[mailman]
layout: bench
[paths.bench]
var_dir: {home}/var
bin_dir: {programs}
[mta]
incoming: mailman.mta.null.NullMTA
outgoing: mailman.mta.deliver.deliver
smtp_host: 127.0.0.1
smtp_port: {relay}
lmtp_host: 127.0.0.1
lmtp_port: {door}
verp_personalized_deliveries: yes
[logging.smtp]
every: handed over $recip refused $refused seconds $time
success: no
"""
HANDED_OVER = re.compile(r"handed over (\d+) refused (\d+) seconds ([\d.]+)")
FOOTER = "Vous recevez cette lettre à l’adresse $user_email ($user_name).\n"

# Read by Mailman's own Python: settings, list, readers.
PLANT = """
import sys
from mailman.config import config
from mailman.core.initialize import initialize
initialize(sys.argv[1])
from mailman.app.lifecycle import create_list
from mailman.interfaces.action import Action
from mailman.interfaces.archiver import ArchivePolicy
from mailman.interfaces.domain import IDomainManager
from mailman.interfaces.mailinglist import Personalization
from mailman.interfaces.usermanager import IUserManager
from zope.component import getUtility
getUtility(IDomainManager).add("centre.example")
letter = create_list(sys.argv[2])
letter.personalize = Personalization.full
letter.default_nonmember_action = Action.accept
letter.archive_policy = ArchivePolicy.never
letter.send_welcome_message = False
letter.max_message_size = 0
users = getUtility(IUserManager)
for number in range(int(sys.argv[3])):
    address = f"lectrice.{number}@ville{number % 700}.example"
    letter.subscribe(users.create_address(address, f"Lectrice {number}"))
config.db.commit()
"""


@dataclass
class Mailman:
    """A Mailman that runs, with a list of so many readers."""

    home: Path
    door: int  # its LMTP port
    readers: int
    pid: int
    posts: int = field(default=0, init=False)

    def post(self, letter: bytes) -> tuple[float, float]:
        """Post a letter and wait for the last copy; copies per second, CPU milliseconds for each.

        The time is the one Mailman logs for handing over, first copy to last: our courier also begins with an issue
        released, so the way through Mailman's queues, a second or two, is not held against it.
        """
        self.posts += 1
        before = cpu_seconds(self.pid)
        ours = b"Message-ID: <%d@centre.example>\r\nTo: %s\r\n" % (self.posts, LIST.encode())
        with smtplib.LMTP("127.0.0.1", self.door) as door:
            door.sendmail("claire@centre.example", [LIST], ours + letter)
        copies, refused, seconds = self._handed_over()
        if (int(copies), int(refused)) != (self.readers, 0):
            raise LookupError(f"of {self.readers} copies Mailman sent {copies}, {refused} were refused")
        return self.readers / float(seconds), (cpu_seconds(self.pid) - before) / self.readers * 1000

    def _handed_over(self) -> tuple[str, str, str]:
        log, deadline = self.home / "var/logs/smtp.log", time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            done: list[tuple[str, str, str]] = HANDED_OVER.findall(log.read_text())
            if len(done) == self.posts:
                return done[-1]
            time.sleep(0.2)
        raise TimeoutError(f"Mailman did not send its copies within {PATIENCE_SECONDS} seconds")


@contextlib.contextmanager
def mailman(home: Path, relay: int, readers: int) -> Iterator[Mailman]:
    """Start a Mailman whose copies go to a port of ours, until the block ends."""
    programs, door, settings = install(), free_port(), home / "mailman.cfg"
    footers = home / "var/templates/site/en"
    footers.mkdir(parents=True)
    (footers / "list:member:regular:footer.txt").write_text(FOOTER, encoding="utf-8")
    idle = "".join(f"[runner.{name}]\nstart: no\n" for name in IDLE_RUNNERS)
    settings.write_text(SETTINGS.format(home=home, programs=programs, relay=relay, door=door) + idle)
    _run(programs / "python", "-c", PLANT, settings, LIST, readers)
    # `master` is what `mailman start` starts; unlike that, it does not ask who starts it.
    with (home / "said").open("wb") as said:
        process = subprocess.Popen([programs / "master", "-C", settings], stdout=said, stderr=said)
    try:
        wait_for(door)
        yield Mailman(home, door, readers, process.pid)
    finally:
        process.terminate()
        process.wait()


def install() -> Path:
    """The folder of Mailman's programs, fetched from PyPI where they are missing."""
    programs = CACHE / "bin"
    if not (programs / "master").exists():
        _run(sys.executable, "-m", "venv", CACHE)
        _run(programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", RELEASE)
    return programs


def _run(*words: object) -> None:
    done = subprocess.run([str(word) for word in words], check=False, capture_output=True, text=True)
    if done.returncode:
        raise LookupError((done.stderr.strip() or done.stdout.strip() or "it failed").splitlines()[-1])
