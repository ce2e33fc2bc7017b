"""A mail server as docs/install.md describes one: Postfix and Dovecot of our own, in a folder, on loopback.

Port `smtp` is what the world and mailhub itself speak to; port `submission` is where people with a mailbox here log
in; `imap` is where they read. The centre's own addresses go to mailhub by LMTP on a UNIX socket, all others to Dovecot.
"""

import contextlib
import os
import re
import shutil
import smtplib
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from imapclient import IMAPClient

from tests.journey import DOMAIN, read

PROGRAMS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/bin"
PASSWORD = "moulin-a-cafe"
LONGEST_SECONDS = 30
QUIET: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
NAME = f"mail.{DOMAIN}"

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/postfix.log
maillog_file_prefixes = {home}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {name}
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
biff = no
recipient_delimiter = +
relay_domains = {domain} {others}
relay_recipient_maps = inline:{{ {people} }} regexp:{home}/etc/centre
transport_maps = regexp:{home}/etc/centre
relay_transport = lmtp:unix:{home}/run/lmtp
message_size_limit = 26200000
header_checks = regexp:{home}/etc/strangers
"""
# What a milter does in the real world is done here by hand: nobody writes our name above a mail but we, and we vouch
# for those who logged in, who may send as themselves only.
MASTER_CF = """
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_type=dovecot
  -o smtpd_sasl_path={home}/run/auth-postfix
  -o smtpd_sender_login_maps=inline:{{{logins}}}
  -o smtpd_sender_restrictions=reject_sender_login_mismatch
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_data_restrictions=$logged_in
  -o logged_in=check_sender_access,inline:{{{vouched}}}
  -o cleanup_service_name=vouching
cleanup unix n - n - 0 cleanup
vouching unix n - n - 0 cleanup
  -o header_checks=
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
lmtp unix - - n - - lmtp
postlog unix-dgram n - n - 1 postlogd
"""
# One table says which addresses of the domain there are, and where each goes.
CENTRE = r"""
/^(question|articles|documents|lettre|revue|veille|agenda|contact|postmaster|abuse)(\+.*)?@{domain}$/  lmtp:unix:{home}/mailhub/lmtp
/^(rep|note|retours|stop|oui)\+[a-z2-7]{{45}}@{domain}$/  lmtp:unix:{home}/mailhub/lmtp
/^({colleagues})@{domain}$/  lmtp:unix:{home}/run/lmtp
"""
STRANGERS = rf"""
/^Authentication-Results:[[:space:]]*{NAME}/ IGNORE
"""
DOVECOT_CONF = """
protocols = imap lmtp
base_dir = {home}/run
state_dir = {home}/run
log_path = {home}/dovecot.log
listen = 127.0.0.1
ssl = no
auth_mechanisms = plain
mail_location = maildir:{home}/mail/%u
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=plain username_format=%u {home}/etc/users
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={home}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  unix_listener lmtp {{
    user = postfix
    mode = 0600
  }}
}}
service auth {{
  unix_listener auth-postfix {{
    user = postfix
    mode = 0600
  }}
}}
"""


def missing() -> str:
    """Why no such server can run here; "" when one can."""
    for program in ("postfix", "dovecot", "swaks"):
        if shutil.which(program, path=PROGRAMS) is None:
            return f"{program} is not installed"
    return "" if os.geteuid() == 0 else "Postfix and Dovecot are started by root only"


@dataclass(frozen=True)
class MailHost:
    """One that runs."""

    home: Path
    smtp: int
    submission: int
    imap: int

    @property
    def lmtp(self) -> Path:
        """The socket where Postfix expects mailhub."""
        return self.home / "mailhub/lmtp"

    def swaks(self, sender: str, to: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Send a mail as the world does, without a login."""
        command = ["swaks", "--server", "127.0.0.1", "--port", str(self.smtp), "--from", sender, "--to", to]
        path = {"PATH": f"{os.environ['PATH']}:{PROGRAMS}"}
        return subprocess.run(
            [*command, *options], check=False, capture_output=True, text=True, env=os.environ | path
        )

    def submit(self, mail: EmailMessage, sender: str, to: str) -> None:
        """Send a mail as somebody who logs in, as a mail client does."""
        with smtplib.SMTP("127.0.0.1", self.submission, "client.example") as client:
            client.login(sender, PASSWORD)
            client.sendmail(sender, [to], mail.as_bytes(policy=policy.SMTP.clone(max_line_length=900)))

    @contextlib.contextmanager
    def mailbox(self, address: str) -> Iterator["Mailbox"]:
        """Somebody's mailbox, open."""
        with IMAPClient("127.0.0.1", self.imap, ssl=False, timeout=LONGEST_SECONDS) as client:
            client.login(address, PASSWORD)
            client.select_folder("INBOX")
            yield Mailbox(client)


@dataclass(frozen=True)
class Mailbox:
    """An INBOX, read by IMAP."""

    client: IMAPClient

    def raw(self, *criteria: str, count: int = 1) -> list[bytes]:
        """The mails that meet these words of IMAP SEARCH, oldest first, once there are so many."""
        numbers: Sequence[int] = ()
        for _ in range(LONGEST_SECONDS):
            self.client.noop()  # what came is there for a search from the next command on
            if len(numbers := self.client.search(criteria)) >= count:
                break
            self.client.idle()
            self.client.idle_check(1)  # not longer: what came during the search is never told
            self.client.idle_done()
        assert len(numbers) == count, f"{len(numbers)} mails with {' '.join(criteria)}, not {count}"
        found = self.client.fetch(numbers, ["BODY.PEEK[]"])
        return [found[number][b"BODY[]"] for number in sorted(found)]

    def mails(self, *criteria: str, count: int = 1) -> list[EmailMessage]:
        """The same, parsed."""
        return [read(raw) for raw in self.raw(*criteria, count=count)]


@contextlib.contextmanager
def running(mailboxes: Mapping[str, bool]) -> Iterator[MailHost]:
    """Run one for these addresses; Postfix takes mail for all of them, those that are False have no mailbox any more."""
    with tempfile.TemporaryDirectory(prefix="mailhost-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        host = MailHost(home, *_free_ports(3))
        _furnish(host, mailboxes)
        with _dovecot(home), _postfix(home):
            yield host


def _furnish(host: MailHost, mailboxes: Mapping[str, bool]) -> None:
    home = host.home
    home.chmod(0o755)
    for folder in ("etc", "queue", "data", "run", "mail", "mailhub"):
        (home / folder).mkdir()
    shutil.chown(home / "data", "postfix")
    shutil.chown(home / "mail", "mail", "mail")
    # As /etc/tmpfiles.d/mailhub.conf of docs/install.md: sockets in it belong to the group postfix.
    shutil.chown(home / "mailhub", group="postfix")
    (home / "mailhub").chmod(0o2750)
    colleagues = [address.partition("@")[0] for address in mailboxes if address.endswith(f"@{DOMAIN}")]
    values = {
        "home": home,
        "name": NAME,
        "domain": DOMAIN,
        "colleagues": "|".join(map(re.escape, colleagues)),
        "others": " ".join(sorted({address.rpartition("@")[2] for address in mailboxes} - {DOMAIN})),
        "people": _table({address: "ok" for address in mailboxes if not address.endswith(f"@{DOMAIN}")}),
        "logins": _table({address: address for address in mailboxes}),
        "vouched": _table(
            {
                address: f"PREPEND Authentication-Results: {NAME}; dmarc=pass header.from={address.rpartition('@')[2]}"
                for address in mailboxes
            }
        ),
        "smtp": host.smtp,
        "submission": host.submission,
        "imap": host.imap,
    }
    for file, text in {
        "main.cf": MAIN_CF,
        "master.cf": MASTER_CF,
        "dovecot.conf": DOVECOT_CONF,
        "centre": CENTRE,
    }.items():
        (home / "etc" / file).write_text(text.format(**values))
    (home / "etc/strangers").write_text(STRANGERS)
    users = (f"{address}:{PASSWORD}\n" for address, there in mailboxes.items() if there)
    (home / "etc/users").write_text("".join(users))


def _table(rows: Mapping[str, str]) -> str:
    return ", ".join(f"{{ {key} = {value} }}" for key, value in rows.items())


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


@contextlib.contextmanager
def _postfix(home: Path) -> Iterator[None]:
    command = [str(shutil.which("postfix", path=PROGRAMS)), "-c", str(home / "etc")]
    # `start` returns when the doors are open.
    subprocess.run([*command, "start"], check=True, **QUIET)
    try:
        yield
    finally:
        subprocess.run([*command, "stop"], check=False, **QUIET)


@contextlib.contextmanager
def _dovecot(home: Path) -> Iterator[None]:
    command = [str(shutil.which("dovecot", path=PROGRAMS)), "-F", "-c", str(home / "etc/dovecot.conf")]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.settimeout(LONGEST_SECONDS)
        ready.bind(str(home / "ready"))
        process = subprocess.Popen(command, env=os.environ | {"NOTIFY_SOCKET": str(home / "ready")}, **QUIET)
        try:
            while b"READY=1" not in ready.recv(1000):  # as it tells systemd
                pass
            yield
        finally:
            process.terminate()
            process.wait(LONGEST_SECONDS)
