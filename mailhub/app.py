"""The composition root: settings in, a working house out; and `serve`, which runs it until it is told to stop.

Every part is built here and handed exactly what it needs; no hub object travels.
"""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from mailhub import keys, lists, migrations, outbox
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
from mailhub.handlers import enrolment
from mailhub.handlers.desk import Desk
from mailhub.journal import Verdict
from mailhub.locks import HomeLock
from mailhub.mail import trust
from mailhub.mail.dkim import Signer
from mailhub.mail.envelope import Envelope
from mailhub.mail.message import Message
from mailhub.mail.trust import Strength, Trust
from mailhub.outbox import Retries
from mailhub.pipeline import Pipeline
from mailhub.receive.dns import Dns
from mailhub.receive.intake import Intake
from mailhub.receive.limits import MEBIBYTE, Limits
from mailhub.receive.smtp import PRESSED_SECONDS, Door
from mailhub.render import Renderer
from mailhub.schedule import Issues, Scheduler
from mailhub.understand import Weigh, believe_nobody

LONGEST_WAY_GIVEN_SECONDS = 0.5  # handling gives way to the doors, but never starves
LONGEST_RUSH_SECONDS = 5.0  # after so long without a calm moment it gives way no longer than a moment
SWITCH_SECONDS = 0.0005  # a thread that handles mail lets the event loop in: ten times sooner than is usual
PATIENCE_SECONDS = 30.0  # for letters on the wire when we are told to end; systemd kills after 90
IDLE_SECONDS = 2.0  # the bell is a hint; the tables are looked at this often all the same

log = structlog.get_logger()


def system_clock() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class House:
    """The parts of one home, built and not yet running."""

    settings: Settings
    database: Database
    centre: Centre
    renderer: Renderer
    pipeline: Pipeline
    courier: Courier
    issues: Issues
    now: Callable[[], datetime]

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def build(settings: Settings, now: Callable[[], datetime] = system_clock) -> House:
    """Build a home's parts from its settings; nothing listens and nothing is sent yet."""
    database = Database(settings.database_url)
    centre = _centre(settings)
    renderer = Renderer([settings.home / "templates"])
    return House(
        settings=settings,
        database=database,
        centre=centre,
        renderer=renderer,
        pipeline=Pipeline(database, centre, renderer, now, _weigh(settings), readers=_readers(settings)),
        courier=_courier(settings, database, centre, renderer, now),
        issues=Issues(
            database, centre, renderer, now, timedelta(hours=settings.publications.late_after_hours)
        ),
        now=now,
    )


def signer(settings: Settings) -> Signer | None:
    """What signs letters of this home; None when its settings say that nothing is signed."""
    if not settings.dkim.sign:
        return None
    return keys.signer(settings.storage / "keys", settings.centre.domain, settings.dkim.selector)


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


async def serve(
    house: House,
    *,
    ready_to_go: Callable[[list[str]], None] | None = None,
    stop: asyncio.Event | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
    idle_seconds: float = IDLE_SECONDS,
) -> None:
    """Run every part until SIGTERM or SIGINT, then finish what is under way.

    `ready_to_go` is told where the doors are once everything runs. Letters on the wire are given `patience_seconds`
    to end; what has not ended then is found, and called in doubt, by whoever serves next. What nobody here has rung
    for, such as a letter caused by a command, leaves within `idle_seconds`.
    """
    settings = house.settings
    sys.setswitchinterval(SWITCH_SECONDS)
    with _only_one(settings, house.database):
        migrations.require(*house.database.version())
        await asyncio.to_thread(house.courier.recover, everything=house.database.dialect == "sqlite")
        stop = stop or asyncio.Event()
        _stop_on_signals(stop)
        handled, letters = Bell(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def letters_owed() -> None:
            loop.call_soon_threadsafe(letters.set)

        intake = Intake(house.database, house.now, handled.ring)
        door = _door(settings, house.centre, intake, house.now)
        step = partial(house.pipeline.step, door.is_pressed)
        worker = Worker("pipeline", step, handled, door.is_pressed, after=letters_owed)
        doubts = partial(house.courier.recover, everything=False)
        minutely: list[Callable[[], object]] = [doubts, partial(_tend, house), house.issues.tick]
        scheduler = Scheduler(house.database, house.now, retention(settings), minutely, letters_owed)
        intake.start(door.coming)
        worker.start()
        try:
            where = await door.listen(smtp=settings.receive.smtp, lmtp=settings.receive.lmtp)
            async with asyncio.TaskGroup() as tasks:
                courier = tasks.create_task(_deliver(house.courier, letters, stop, idle_seconds))
                tasks.create_task(scheduler.run(stop))
                pages = tasks.create_task(_serve_pages(house, stop, letters_owed))
                _tell_systemd("READY=1")
                log.info("serving", doors=where, home=str(settings.home))
                if ready_to_go:
                    ready_to_go(where)
                await stop.wait()
                _tell_systemd("STOPPING=1")
                await door.close()
                letters.set()
                await _see_off(courier, patience_seconds)
                await pages
        finally:
            await door.close()
            await asyncio.to_thread(intake.stop)
            await asyncio.to_thread(worker.stop)
            await house.courier.close()


class Bell:
    """A hint that there may be work."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def ring(self) -> None:
        """Wake whoever waits."""
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Wait for a ring, or so long."""
        self._event.wait(seconds)
        self._event.clear()


class Worker:
    """A named thread: do one thing; if there was nothing, wait for the bell or a few seconds.

    While `is_pressed` says that others need the processor more, it waits too, a little at a time and never for long;
    when that does not end, a rush has become the rule, and it takes its share.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        bell: Bell,
        is_pressed: Callable[[], bool],
        after: Callable[[], None],
    ) -> None:
        self._step, self._bell, self._is_pressed, self._after = step, bell, is_pressed, after
        self._stopping = False
        self._calm_at = time.monotonic()  # when nobody needed the processor more
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the step under way and end."""
        self._stopping = True
        self._bell.ring()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopping:
            self._give_way()
            try:
                busy = self._step()
            except Exception:
                log.exception("step failed", worker=self._thread.name)
                busy = False
            if busy:
                self._after()
            elif not self._stopping:
                self._bell.wait(IDLE_SECONDS)

    def _give_way(self) -> None:
        now = time.monotonic()
        in_a_rush = now - self._calm_at < LONGEST_RUSH_SECONDS
        until = now + (LONGEST_WAY_GIVEN_SECONDS if in_a_rush else PRESSED_SECONDS)
        while self._is_pressed() and not self._stopping:
            if time.monotonic() >= until:
                return
            self._bell.wait(PRESSED_SECONDS)
        self._calm_at = time.monotonic()


async def _deliver(
    courier: Courier, letters: asyncio.Event, stop: asyncio.Event, idle_seconds: float
) -> None:
    while not stop.is_set():
        letters.clear()
        try:
            busy = await courier.step()
        except Exception:
            log.exception("step failed", worker="courier")
            busy = False
        if not busy:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(letters.wait(), idle_seconds)


async def _see_off(courier: asyncio.Task[None], seconds: float) -> None:
    """Let the courier end its turn, but not for ever: a relay may take a quarter of an hour to say nothing."""
    _, unfinished = await asyncio.wait([courier], timeout=seconds)
    if unfinished:
        log.warning("relay does not answer, its letters are left in doubt")
        courier.cancel()


async def _serve_pages(house: House, stop: asyncio.Event, ring: Callable[[], object]) -> None:
    from mailhub.web import figures, site  # noqa: PLC0415 — only a serving process needs a web server

    registry = figures.registry(house.database, house.now)
    pages = site.Site(house.database, house.centre, house.renderer, house.now, registry, ring)
    await site.serve_site(house.settings.web.listen, pages, stop)


def _tend(house: House) -> None:
    """Remind and forget whoever did not say yes; harmless to repeat."""
    with house.database.transaction() as session:
        desk = Desk(session, house.now(), house.centre, house.renderer)
        outbox.put(session, enrolment.tend(desk), domain=house.centre.domain, now=desk.now)


@contextlib.contextmanager
def _only_one(settings: Settings, database: Database) -> Iterator[None]:
    """SQLite is served by one process per home; PostgreSQL by as many as wanted."""
    if database.dialect != "sqlite":
        yield
        return
    with HomeLock(settings.storage / "lock"):
        yield


def _centre(settings: Settings) -> Centre:
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


def _courier(
    settings: Settings, database: Database, centre: Centre, renderer: Renderer, now: Callable[[], datetime]
) -> Courier:
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


def _door(settings: Settings, centre: Centre, intake: Intake, now: Callable[[], datetime]) -> Door:
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


def _weigh(settings: Settings) -> Weigh:
    wanted = settings.trust
    if wanted.verdicts == "check":
        dns = Dns()
        return lambda message, envelope: _checked(message, envelope, dns)
    if wanted.verdicts == "header":
        return lambda message, _: trust.believe(message, wanted.authserv_id)
    return believe_nobody


def _readers(settings: Settings) -> ThreadPoolExecutor | None:
    """Several mails wait for DNS at once; without DNS one thread reads fastest."""
    return ThreadPoolExecutor(8, "reader") if settings.trust.verdicts == "check" else None


def _checked(message: Message, envelope: Envelope, dns: Dns) -> Trust:
    """Only where the sender's own server stood before us is there anything to check."""
    if envelope.source != "smtp":
        return Trust(Strength.WEAK, why=f"nothing to check on {envelope.source}")
    return trust.evaluate(message, envelope, dns.for_one_mail())


def retention(settings: Settings) -> dict[Verdict, int]:
    """Days the raw bytes are kept, by what became of the mail."""
    return {verdict: getattr(settings.retention, verdict.name.lower()) for verdict in Verdict}


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread: somebody else stops us
            loop.add_signal_handler(signal_number, stop.set)


def _tell_systemd(state: str) -> None:
    """sd_notify(3): one datagram to the socket systemd names; nothing happens without it."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    address = f"\0{path[1:]}" if path.startswith("@") else path
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(state.encode(), address)


async def tick(house: House) -> int:
    """Do what waits now, once: doubts, retention, mails, letters; how many raw mails the retention clock removed."""
    with _only_one(house.settings, house.database):
        migrations.require(*house.database.version())
        house.courier.recover(everything=house.database.dialect == "sqlite")
        forgotten = Scheduler(house.database, house.now, retention(house.settings)).forget_old_mail()
        _tend(house)
        house.issues.tick()
        try:
            while house.pipeline.step():
                pass
            while await house.courier.step():
                pass
        finally:
            await house.courier.close()
        house.issues.follow_up()
    return forgotten
