"""A house at work: `serve` runs every part until told to stop, `tick` does once what waits."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial

import structlog

from mailhub import locks, migrations, outbox
from mailhub.app import parts, workers
from mailhub.app.house import House
from mailhub.app.workers import IDLE_SECONDS, Bell, Worker
from mailhub.handlers import enrolment
from mailhub.handlers.desk import Desk
from mailhub.receive.intake import Intake
from mailhub.schedule import Scheduler

SWITCH_SECONDS = 0.0005  # a thread that handles mail lets the event loop in: ten times sooner than is usual
GARBAGE_AFTER = 20_000  # new objects; mails make few rings, and to look for them at each 700 costs a fortieth
PATIENCE_SECONDS = 30.0  # for letters on the wire when we are told to end; systemd kills after 90

log = structlog.get_logger()


async def serve(
    house: House,
    *,
    ready_to_go: Callable[[list[str], str], None] | None = None,
    stop: asyncio.Event | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
    idle_seconds: float = IDLE_SECONDS,
) -> None:
    """Run every part until SIGTERM or SIGINT, then finish what is under way.

    `ready_to_go` is told where the doors are, and where the pages, once everything runs. Letters on the wire are
    given `patience_seconds` to end; what has not ended then is found, and called in doubt, by whoever serves next.
    What nobody here has rung for, such as a letter caused by a command, leaves within `idle_seconds`.
    """
    settings = house.settings
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(GARBAGE_AFTER)
    with (
        locks.alone(settings.home, house.database.dialect),
        _place_of_pages(settings.web.listen) as place,
    ):
        migrations.require(*house.database.version())
        await asyncio.to_thread(house.courier.recover, everything=house.database.dialect == "sqlite")
        stop = stop or asyncio.Event()
        _stop_on_signals(stop)
        handled, letters = Bell(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def letters_owed() -> None:
            loop.call_soon_threadsafe(letters.set)

        intake = Intake(house.database, house.now, handled.ring)
        door = parts.door(settings, house.centre, intake, house.now)
        step = partial(house.pipeline.step, door.is_pressed)
        worker = Worker(
            "pipeline", step, handled, door.is_pressed, after=letters_owed, rest=house.database.carry_over
        )
        doubts = partial(house.courier.recover, everything=False)
        retention = parts.retention(settings, house.database, house.now)
        scheduler = Scheduler(
            [doubts, partial(_tend, house), house.issues.tick, retention.tick], letters_owed
        )
        intake.start(door.coming)
        worker.start()
        try:
            where = await door.listen(smtp=settings.receive.smtp, lmtp=settings.receive.lmtp)
            async with asyncio.TaskGroup() as tasks:
                courier = tasks.create_task(workers.deliver(house.courier, letters, stop, idle_seconds))
                tasks.create_task(scheduler.run(stop))
                pages = tasks.create_task(_serve_pages(house, place, letters_owed))
                _tell_systemd("READY=1")
                pages_at = _where(place) if place else ""
                log.info("serving", doors=where, pages=pages_at, home=str(settings.home))
                if ready_to_go:
                    ready_to_go(where, pages_at)
                await stop.wait()
                _tell_systemd("STOPPING=1")
                await door.close()
                letters.set()
                await workers.see_off(courier, patience_seconds)
                pages.cancel()
                await asyncio.wait([pages])
        finally:
            await door.close()
            await asyncio.to_thread(intake.stop)
            await asyncio.to_thread(worker.stop)
            await house.courier.close()


async def tick(house: House) -> int:
    """Do what waits now, once: doubts, retention, mails, letters; how many raw mails the retention clock removed."""
    with locks.alone(house.settings.home, house.database.dialect):
        migrations.require(*house.database.version())
        house.courier.recover(everything=house.database.dialect == "sqlite")
        forgotten = parts.retention(house.settings, house.database, house.now).tick()
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


@contextlib.contextmanager
def _place_of_pages(listen: str) -> Iterator[socket.socket | None]:
    """Where pages are listened for, None for nowhere; taken before any mail is, so that we serve all or nothing."""
    from mailhub.web import listener  # noqa: PLC0415 — only a serving process needs a web server

    if not listen:
        yield None
        return
    with listener.bound(listen) as place:
        yield place


def _where(place: socket.socket) -> str:
    host, port = place.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _serve_pages(house: House, place: socket.socket | None, ring: Callable[[], object]) -> None:
    from mailhub.web import figures, listener, site  # noqa: PLC0415 — see above

    if place is None:
        return
    registry = figures.registry(house.database, house.now)
    pages = site.Site(house.database, house.centre, house.renderer, house.now, registry, ring)
    await listener.serve(pages.application(), place)


def _tend(house: House) -> None:
    """Remind and forget whoever did not say yes; harmless to repeat."""
    with house.database.transaction() as session:
        desk = Desk(session, house.now(), house.centre, house.renderer)
        outbox.put(session, enrolment.tend(desk), domain=house.centre.domain, now=desk.now)


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
