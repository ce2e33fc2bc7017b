"""Each part of a house, made from the settings of its home and handed exactly what it needs."""

import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from mailhub import keys, lists
from mailhub.centre import cadences
from mailhub.centre.calendar import Calendar
from mailhub.centre.profile import Centre, Courtesy, Service
from mailhub.centre.requests import Promise
from mailhub.config import Settings, closure, pace
from mailhub.database import Database
from mailhub.deliver.courier import Courier
from mailhub.deliver.pacing import Pace
from mailhub.deliver.wire import Relay
from mailhub.errors import SettingsError
from mailhub.journal import Verdict
from mailhub.mail import trust
from mailhub.mail.dkim import Signer
from mailhub.mail.envelope import Envelope
from mailhub.mail.message import Message
from mailhub.mail.trust import Strength, Trust
from mailhub.outbox import Retries
from mailhub.receive.dns import Dns
from mailhub.receive.intake import Intake
from mailhub.receive.limits import MEBIBYTE, Limits
from mailhub.receive.smtp import Door
from mailhub.render import Renderer
from mailhub.schedule import Retention
from mailhub.understand import Weigh, believe_nobody


def centre(settings: Settings) -> Centre:
    """The centre: its name, its addresses, its promises, its lists."""
    promise, courtesy = settings.promise, settings.courtesy
    web = settings.web.public_url.rstrip("/")
    return Centre(
        name=settings.centre.name,
        domain=settings.centre.domain,
        keyring=keys.keyring(settings.storage / "keys"),
        phone=settings.centre.phone,
        website=settings.centre.website,
        local_parts={service: getattr(settings.addresses, service.value) for service in Service},
        calendar=calendar(settings),
        promise=Promise(
            promise.first_contact, promise.quick_fact, promise.document_search, promise.topic_dossier
        ),
        courtesy=Courtesy(**courtesy.model_dump()),
        needs_strong_staff=settings.trust.staff_trust == "token+address+proof",
        files_url=f"{web}/fichiers/" if web else "",
        leave_url=f"{web}/quitter/" if web else "",
        preferences_url=f"{web}/preferences/" if web else "",
        confirm_url=f"{web}/confirmer/" if web else "",
        join_url=f"{web}/abonnement" if web else "",
        lists=lists.load(settings.home / "lists", cadence=cadences.parse),
    )


def calendar(settings: Settings) -> Calendar:
    """The working days of a centre."""
    promise = settings.promise
    return Calendar(
        time_zone=settings.centre.time_zone,
        cut_off=promise.cut_off,
        country=promise.country,
        subdivision=promise.subdivision,
        closures=tuple(closure(written) for written in promise.closures),
    )


def courier(
    settings: Settings, database: Database, centre: Centre, renderer: Renderer, now: Callable[[], datetime]
) -> Courier:
    """What takes letters to the relay."""
    relay = settings.relay
    return Courier(
        database=database,
        relay=Relay(
            host=relay.host,
            port=relay.port,
            tls=relay.tls,
            username=relay.username,
            password=relay.password_file.read_text("utf-8").strip() if relay.password_file else "",
            helo=_hostname(settings),
            ca_file=relay.ca_file,
        ),
        centre=centre,
        renderer=renderer,
        now=now,
        signer=signer(settings),
        retries=Retries(relay.retry_minutes, timedelta(days=relay.give_up_days)),
        connections=relay.connections,
        per_destination_per_minute=relay.per_destination_per_minute,
        paces=[Pace(*pace(written)) for written in relay.destinations],
        letters_per_connection=relay.letters_per_connection,
    )


def signer(settings: Settings) -> Signer | None:
    """What signs letters of this home; None when its settings say that nothing is signed."""
    if not settings.dkim.sign:
        return None
    return keys.signer(settings.storage / "keys", settings.centre.domain, settings.dkim.selector)


def door(settings: Settings, centre: Centre, intake: Intake, now: Callable[[], datetime]) -> Door:
    """What takes mails in: nothing listens yet."""
    receive = settings.receive
    limits = Limits(
        message_bytes=receive.message_mib * MEBIBYTE,
        visits=receive.connections,
        visits_per_source=receive.connections_per_source,
        messages_per_minute=receive.messages_per_minute,
        unlimited_sources=frozenset(receive.unlimited_sources),
    )
    return Door(
        intake.keep,
        centre.is_ours,
        limits,
        _hostname(settings),
        _tls(receive.certificate, receive.private_key),
        now,
    )


def weigh(settings: Settings) -> Weigh:
    """What says how far a sender is believed."""
    wanted = settings.trust
    if wanted.verdicts == "check":
        dns = Dns()
        return lambda message, envelope: _checked(message, envelope, dns)
    if wanted.verdicts == "header":
        return lambda message, _: trust.believe(message, wanted.authserv_id)
    return believe_nobody


def readers(settings: Settings) -> ThreadPoolExecutor | None:
    """Several mails wait for DNS at once; without DNS one thread reads fastest."""
    return ThreadPoolExecutor(8, "reader") if settings.trust.verdicts == "check" else None


def retention(settings: Settings, database: Database, now: Callable[[], datetime]) -> Retention:
    """How many days the raw bytes are kept, by what became of the mail."""
    days = {verdict: getattr(settings.retention, verdict.name.lower()) for verdict in Verdict}
    return Retention(database, now, days)


def _hostname(settings: Settings) -> str:
    return settings.receive.hostname or f"mail.{settings.centre.domain}"


def _tls(certificate: Path | None, private_key: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, private_key)
    except OSError as error:
        raise SettingsError(f"receive.certificate: {certificate} cannot be used: {error}") from error
    return context


def _checked(message: Message, envelope: Envelope, dns: Dns) -> Trust:
    """Only where the sender's own server stood before us is there anything to check."""
    if envelope.source != "smtp":
        return Trust(Strength.WEAK, why=f"nothing to check on {envelope.source}")
    return trust.evaluate(message, envelope, dns.for_one_mail())
