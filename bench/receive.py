"""How fast is a mail accepted for good? mailhub beside Postfix and smtp-sink, on loopback, in one run.

smtp-source is the client of all. Postfix is measured twice: as it works, each mail leaving the queue on disk for a
transport that discards it; and holding each mail in the queue, where it does nothing but accept. smtp-sink keeps
nothing and is the limit. Rounds are interleaved, since the machine drifts.

    python -m bench.receive [--json FILE] [--rounds 3] [--seconds 1.2] [--one-mail-per-connection]
"""

import argparse
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

from bench import serving
from bench.table import Figures, ratio, show, write_json

SIZES = {"4 KiB": 4 * 1024, "40 KiB": 40 * 1024}
CONNECTIONS = (1, 10, 50)
MOST_MAILS = 2000  # of one measurement: what mailhub accepts in a second it handles in several
TICKS = os.sysconf("SC_CLK_TCK")

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.centre.example
mydestination = centre.example
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
alias_database =
default_process_limit = 100
smtpd_client_connection_count_limit = 0
smtpd_recipient_restrictions = permit_mynetworks, reject
local_transport = discard
biff = no
"""
MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
local unix - n n - - local
discard unix - - n - - discard
"""


@dataclass(frozen=True)
class Contestant:
    """A server that runs."""

    name: str
    address: str
    pid: int  # of the process at the top; its descendants count too
    rest: Callable[[], None] = lambda: None  # returns when it has nothing left to do


@contextlib.contextmanager
def mailhub(home: Path) -> Iterator[Contestant]:
    """Start `mailhub serve`, which handles what it accepted once the doors are quiet, as Postfix delivers later."""
    port = free_port()
    with serving.mailhub(home / "home", port) as process:
        wait_for(port)
        yield Contestant("mailhub", f"127.0.0.1:{port}", process.pid, partial(serving.rest, home / "home"))


@contextlib.contextmanager
def postfix(home: Path, name: str = "postfix", settings: str = "") -> Iterator[Contestant]:
    """Start a Postfix of our own, apart from one that may run on this machine."""
    program, port = found("postfix"), free_port()
    for folder in ("etc", "queue", "data"):
        (home / folder).mkdir()
    shutil.chown(home / "data", "postfix")
    (home / "etc/main.cf").write_text(MAIN_CF.format(home=home) + settings)
    (home / "etc/master.cf").write_text(MASTER_CF.format(port=port))
    home.chmod(0o755)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([program, "-c", home / "etc", "start"], check=True, **quiet)
    try:
        wait_for(port)
        pid = int((home / "queue/pid/master.pid").read_text())
        yield Contestant(name, f"127.0.0.1:{port}", pid, partial(_deliver_all, home / "queue"))
    finally:
        subprocess.run([program, "-c", home / "etc", "stop"], check=False, **quiet)


def _deliver_all(queue: Path) -> None:
    """Return when this Postfix has nothing left to deliver; what it holds is not."""
    while any(any(files) for name in ("incoming", "active") for _, _, files in os.walk(queue / name)):
        time.sleep(0.05)


def postfix_holding(home: Path) -> contextlib.AbstractContextManager[Contestant]:
    """Start a Postfix that only accepts."""
    return postfix(home, "postfix holding", "smtpd_client_restrictions = check_client_access static:HOLD\n")


@contextlib.contextmanager
def sink(_home: Path) -> Iterator[Contestant]:
    """Start a server that keeps nothing."""
    port = free_port()
    user = ["-u", "postfix"] if os.geteuid() == 0 else []
    process = subprocess.Popen([found("smtp-sink"), *user, f"127.0.0.1:{port}", "512"])
    try:
        wait_for(port)
        yield Contestant("smtp-sink", f"127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait()


def send(to: Contestant, size: int, connections: int, mails: int, *, reconnect: bool) -> tuple[float, float]:
    """Send so many mails, each with a Message-ID of its own; return mails per second, and CPU milliseconds of the server for each."""
    command = [
        found("smtp-source"),
        *([] if reconnect else ["-d"]),
        "-s",
        connections,
        "-m",
        mails,
        "-l",
        size,
    ]
    before, began = cpu_seconds(to.pid), time.perf_counter()
    subprocess.run(
        [
            str(word)
            for word in [
                *command,
                "-f",
                "a@reader.example",
                "-t",
                "question@centre.example",
                to.address,
            ]
        ],
        check=True,
        capture_output=True,
    )
    took = time.perf_counter() - began
    return mails / took, (cpu_seconds(to.pid) - before) / mails * 1000


def cpu_seconds(top: int) -> float:
    """CPU time of a process and all below it, living or gone. Zero where there is no /proc."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            pid = int(stat.parent.name)
            parents[pid] = int(fields[1])
            spent[pid] = sum(map(int, fields[11:15])) / TICKS
    family = {top}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(spent.get(pid, 0.0) for pid in family)


def found(name: str) -> str:
    """The path of a program, or the end of this contestant."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        raise FileNotFoundError(f"{name} is not installed")
    return path


def free_port() -> int:
    """A port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Return when a server greets on this port."""
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as visit:
            if visit.recv(3) == b"220":
                return
        time.sleep(0.1)
    raise TimeoutError(f"nobody answers on port {port}")


def install_peers() -> None:
    """Fetch Postfix, which brings smtp-source and smtp-sink, where this is possible."""
    with contextlib.suppress(FileNotFoundError):
        found("smtp-source"), found("postfix")
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-q"], ["install", "-qy", "--no-install-recommends", "postfix"]):
            subprocess.run(["apt-get", *words], check=False, env=environment, stdout=subprocess.DEVNULL)


def main() -> None:
    """Run the rounds and show the figures."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--json", type=Path)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=1.2, help="of one measurement")
    options.add_argument("--one-mail-per-connection", action="store_true")
    arguments = options.parse_args()
    install_peers()
    figures: dict[tuple[str, int, str], Figures] = {}
    with contextlib.ExitStack() as stack:
        contestants = []
        for start in (sink, postfix_holding, postfix, mailhub):
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-receive-")))
            try:
                contestants.append(stack.enter_context(start(home)))
            except (OSError, LookupError, subprocess.CalledProcessError) as error:
                print(f"{start.__name__} is left out: {error}")
        for (size, octets), connections in product(SIZES.items(), CONNECTIONS):
            mails = {}
            for one in contestants:  # a short run first, to warm up and to see how many mails fill the time
                rate, _ = send(one, octets, connections, 200, reconnect=arguments.one_mail_per_connection)
                mails[one] = min(MOST_MAILS, max(200, int(rate * arguments.seconds)))
            for _round, one in product(range(arguments.rounds), contestants):
                for other in contestants:  # nobody is measured while another still works off its last mails
                    other.rest()
                rate, cpu = send(
                    one, octets, connections, mails[one], reconnect=arguments.one_mail_per_connection
                )
                seen = figures.setdefault((size, connections, one.name), Figures())
                seen.rates.append(rate)
                seen.cpu_ms.append(cpu)
    report(figures, arguments.json)


def report(figures: dict[tuple[str, int, str], Figures], json: Path | None) -> None:
    """Print the table; write the ratios where they are wanted."""
    show(
        "Mails accepted for good",
        [
            (f"{size}, {connections} connections", who, seen, figures.get((size, connections, "postfix")))
            for (size, connections, who), seen in figures.items()
        ],
        "mails/s",
    )
    ratios = [
        ratio(f"mailhub ÷ {peer}, {size}, {connections} connections", seen, other, "mails/s")
        for (size, connections, who), seen in figures.items()
        for peer in ("postfix", "postfix holding", "smtp-sink")
        if who == "mailhub" and (other := figures.get((size, connections, peer)))
    ]
    if json:
        write_json(json, ratios)


if __name__ == "__main__":
    main()
