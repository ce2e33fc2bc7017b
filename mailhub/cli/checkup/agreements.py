"""Settings that are each well written and yet do not agree with each other, or with this machine."""

import os
import socket
import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from mailhub import config
from mailhub.cli.checkup import finding
from mailhub.cli.checkup.finding import Finding, Level
from mailhub.config import Settings
from mailhub.mail import domains

SOON = timedelta(days=21)  # a certificate that ends within that is worth a word


def who(settings: Settings) -> Iterator[Finding]:
    """The centre has a domain the world can answer to."""
    if settings.centre.domain == "localhost":
        yield finding.on_setting(
            settings,
            Level.WARNING,
            "centre.domain",
            "localhost is nobody's domain: no answer will come back",
            "write the domain of the centre's addresses",
        )


def relay(settings: Settings) -> Iterator[Finding]:
    """Letters leave by a way that nobody reads along, with credentials that are whole."""
    relay = settings.relay
    if relay.tls == "none" and not domains.is_loopback(relay.host):
        says = f"letters{' and the password' if relay.username else ''} travel to {relay.host} for anybody to read"
        yield finding.on_setting(
            settings, Level.DANGER, "relay.tls", says, 'write "starttls" (port 587) or "implicit" (port 465)'
        )
    if (relay.port, relay.tls) in {(465, "starttls"), (587, "implicit")}:
        usual = {465: "implicit", 587: "starttls"}[relay.port]
        yield finding.on_setting(
            settings,
            Level.WARNING,
            "relay.tls",
            f"port {relay.port} usually speaks {usual}",
            f'write "{usual}", unless your provider says otherwise',
        )
    if bool(relay.username) != (relay.password_file is not None):
        yield finding.on_setting(
            settings,
            Level.ERROR,
            "relay.username",
            "a login needs username and password_file, both",
            "write the other one, or remove this one",
        )
    if relay.password_file is not None:
        yield from finding.secret(settings, "relay.password_file", relay.password_file, others_only=False)
    if relay.ca_file is not None:
        yield from finding.readable(settings, "relay.ca_file", relay.ca_file)


def trust(settings: Settings) -> Iterator[Finding]:
    """What proves an address is there to prove it; what was written out on purpose is said again, always."""
    wanted = settings.trust
    if wanted.staff_trust == "token+address":
        yield finding.on_setting(
            settings,
            Level.WARNING,
            "trust.staff_trust",
            "a staff reply needs no proof: whoever forges an address of staff and knows their token can answer",
            'write "token+address+proof" as soon as your provider gives a verdict for its own domain',
        )
    if wanted.verdicts == "none":
        held = "; every staff reply will be held" if wanted.staff_trust == "token+address+proof" else ""
        yield finding.on_setting(
            settings,
            Level.WARNING,
            "trust.verdicts",
            f"no From address is ever proven{held}",
            'write "check", or "header" with the name of your own server',
        )
    if wanted.verdicts == "check" and not settings.receive.smtp:
        yield finding.on_setting(
            settings,
            Level.WARNING,
            "trust.verdicts",
            "there is no SMTP listener, and what comes by LMTP cannot be checked here",
            'write "header" with the name your own server signs Authentication-Results with',
        )


def doors(settings: Settings) -> Iterator[Finding]:
    """Mail and pages are listened for where they can be, and not wider than they should."""
    receive, web = settings.receive, settings.web
    if not receive.smtp and not receive.lmtp:
        yield finding.on_setting(
            settings,
            Level.WARNING,
            "receive.smtp",
            "there is no listener: no mail comes in",
            "write one, such as 127.0.0.1:8025",
        )
    listeners = {
        "receive.smtp": receive.smtp,
        "receive.lmtp": receive.lmtp,
        "web.listen": filter(None, (web.listen,)),
    }
    for key, addresses in listeners.items():
        for address in addresses:
            if not _is_listener(address, unix=not key.startswith("web")):
                yield finding.on_setting(
                    settings,
                    Level.ERROR,
                    key,
                    f"{address!r} is no listener",
                    "write host:port, such as 127.0.0.1:8025"
                    + (", or unix:/path" if key != "web.listen" else ""),
                )
            elif missing := _cannot_open(address):
                yield finding.on_setting(settings, Level.ERROR, key, *missing)
    if web.listen and not domains.is_loopback(web.listen.rpartition(":")[0]):
        yield finding.on_setting(
            settings,
            Level.WARNING,
            "web.listen",
            f"{web.listen} is open to others, and the pages are plain http",
            "listen on 127.0.0.1 and put a web server with TLS before it",
        )
    if web.public_url and not _is_for_readers(web.public_url):
        yield finding.on_setting(
            settings,
            Level.ERROR,
            "web.public_url",
            f"{web.public_url} is no https address: the pages of readers and the files of askers would travel for "
            "anybody to read, and mail programs offer no one-click leaving (RFC 8058)",
            "write https://NAME of the web server before the pages, or leave it empty (docs/install.md)",
        )
    away = [address for address in receive.smtp if not domains.is_loopback(address.rpartition(":")[0])]
    if away and receive.certificate is None:
        yield finding.on_setting(
            settings,
            Level.WARNING,
            "receive.certificate",
            f"mail comes to {', '.join(away)} without TLS",
            "write certificate and private_key",
        )


def certificate(settings: Settings) -> Iterator[Finding]:
    """The certificate and its key are readable, whole and not about to end."""
    receive = settings.receive
    if receive.certificate is None:
        if receive.private_key is not None:
            yield finding.on_setting(
                settings,
                Level.ERROR,
                "receive.private_key",
                "a key without a certificate",
                "write receive.certificate too",
            )
        return
    if receive.private_key is not None:
        yield from finding.secret(settings, "receive.private_key", receive.private_key, others_only=True)
    unreadable = [*finding.readable(settings, "receive.certificate", receive.certificate)]
    yield from unreadable
    if not unreadable:
        yield from _validity(settings, receive.certificate)
        yield from _pair(settings, receive.certificate, receive.private_key)


def _validity(settings: Settings, path: Path) -> Iterator[Finding]:
    from cryptography import x509  # noqa: PLC0415 — only a home with a certificate needs it

    try:
        ends = min(part.not_valid_after_utc for part in x509.load_pem_x509_certificates(path.read_bytes()))
    except ValueError as error:
        yield finding.on_setting(
            settings,
            Level.ERROR,
            "receive.certificate",
            f"{path} holds no PEM certificate: {error}",
            "write the path of the whole chain, in PEM",
        )
        return
    now = datetime.now(UTC)
    if ends < now + SOON:
        level = Level.ERROR if ends < now else Level.WARNING
        says = f"{path} {'ended' if ends < now else 'ends'} on {ends.date()}"
        yield finding.on_setting(
            settings, level, "receive.certificate", says, "renew it and start `mailhub serve` again"
        )


def _pair(settings: Settings, certificate: Path, private_key: Path | None) -> Iterator[Finding]:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, private_key)
    except ssl.SSLError as error:
        # Only what is about the key: an unreadable certificate was told above.
        if error.reason in {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"} or private_key is None:
            yield finding.on_setting(
                settings,
                Level.ERROR,
                "receive.private_key",
                f"{private_key or certificate} holds no key of this certificate",
                "write the path of the key the certificate was made with",
            )
    except OSError:
        return  # idem: a file that cannot be read


def paths(settings: Settings) -> Iterator[Finding]:
    """Paths do not depend on the folder the program is started in."""
    named = {
        "receive.certificate": settings.receive.certificate,
        "receive.private_key": settings.receive.private_key,
        "relay.password_file": settings.relay.password_file,
        "relay.ca_file": settings.relay.ca_file,
    }
    for key, path in named.items():
        if path is not None and not path.is_absolute():
            yield finding.on_setting(
                settings,
                Level.WARNING,
                key,
                f"{path} depends on the folder mailhub is started in",
                f"write {settings.home / path}",
            )


def passwords(settings: Settings) -> Iterator[Finding]:
    """A password written into the settings is as secret as their file."""
    file = settings.home / config.FILE_NAME
    credentials = settings.database.url.partition("://")[2].rpartition("@")[0]
    written = ":" in credentials and credentials in file.read_text("utf-8")  # not in the environment
    if written and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield finding.on_setting(
            settings,
            Level.ERROR,
            "database.url",
            "others can read the password in it",
            f"chmod 600 {file}, or use DATABASE_URL",
        )


def _is_for_readers(address: str) -> bool:
    """Whether a public address keeps what is read to its reader; on this very machine plain http does, for a trial."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:  # half an IPv6 address
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and domains.is_loopback(host)))


def _is_listener(address: str, *, unix: bool) -> bool:
    if address.startswith("unix:"):
        return unix and address.removeprefix("unix:").startswith("/")
    _, colon, port = address.rpartition(":")
    return bool(colon) and port.isdigit() and int(port) <= 65535


def _cannot_open(address: str) -> tuple[str, str] | None:
    """Why this machine cannot listen there, and a way out; whether somebody listens there already is not asked."""
    if address.startswith("unix:"):
        folder = Path(address.removeprefix("unix:")).parent
        if not os.access(folder, os.W_OK | os.X_OK):
            says = f"{folder} {'cannot be written' if folder.is_dir() else 'is no folder'}"
            return says, "make it, for the user mailhub runs as (docs/install.md)"
        return None
    host = address.rpartition(":")[0].strip("[]")
    try:
        socket.getaddrinfo(host or None, 0, flags=socket.AI_PASSIVE)
    except OSError as error:
        return f"{host}: {error.strerror}", "write an address of this machine, such as 127.0.0.1"
    return None
