"""The composition: the list of rooms, and which process runs what.

A new room is one line in rooms.py. An installation switches optional rooms off (VIGIE_ROOMS_OFF);
rooms of others come in by the entry point `vigie.rooms`.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib import import_module
from importlib.metadata import entry_points
from zoneinfo import ZoneInfo

from vigie.core import city_clock, logs, metrics
from vigie.core.calendar import Days
from vigie.core.database import Unit
from vigie.core.errors import SetupError
from vigie.core.rooms import Process, Room, Rooms
from vigie.core.runtime import Runtime, Services
from vigie.core.settings import Settings, load, public_settings, unknown
from vigie.places import load_pack
from vigie.rooms import ROOMS
from vigie.twin import GatewayInfo, kinds

log = logs.logger(__name__)


@cache
def every_room() -> Rooms:
    """All rooms there are, those of plug-ins included. Raises SetupError naming the faulty one."""
    rooms: list[Room] = [import_module(f"{name}.room").ROOM for name in ROOMS]
    for entry in sorted(entry_points(group="vigie.rooms"), key=lambda e: e.name):
        try:
            rooms.append(entry.load())
        except Exception as error:
            raise SetupError(f"The room {entry.name} ({entry.value}) fails: {error!r}.") from error
    try:
        return Rooms(rooms)
    except ValueError as error:
        raise SetupError(f"The rooms do not fit together: {error}.") from error


def rooms_of(settings: Settings) -> Rooms:
    """The rooms that this installation has switched on. Raises SetupError."""
    off = [name.strip() for name in settings.rooms_off.split(",") if name.strip()]
    try:
        return every_room().without(off)
    except ValueError as error:
        raise SetupError(f"VIGIE_ROOMS_OFF is wrong: {error}.") from error


def install_kinds(rooms: Rooms) -> None:
    """Fill the catalogue of kinds with what these rooms declare: once a process. Raises
    SetupError."""
    try:
        kinds.install(rooms.collect("kinds"))
    except ValueError as error:
        raise SetupError(f"A room declares kinds of equipment that cannot be: {error}.") from error


def bind(runtime: Runtime) -> None:
    """What a room needs of another that it may not know: the database its days' time zone, the twin
    the equipment's way out, duty the days off."""
    from vigie import duty, places, twin

    runtime.database.zone_of = places.time_zone
    twin.provide_gateways(_gateways)
    duty.provide_days(_days)


def api(runtime: Runtime) -> Services:
    """HTTP, WebSocket and screens."""
    from vigie import routes

    return routes.services(runtime, tuple(ROLES))


def public(runtime: Runtime) -> Services:
    """The citizens' pages and the public API."""
    from vigie.core.web import public as web

    return web.services(runtime)


def ingest(runtime: Runtime) -> Services:
    """Readings into history and state; acknowledgements into commands."""
    from vigie import control
    from vigie.gateways.ingest import ACCEPTED_STREAM, Sinks
    from vigie.gateways.ingest.service import services
    from vigie.gateways.ingest.writer import Ports
    from vigie.gateways.mqtt import UPWARD
    from vigie.twin import events, track

    ports = Ports(
        acknowledge=control.acknowledge,
        observe=control.observe,
        sinks=Sinks(events=events.receive, tracks=track.receive),
    )
    return services(runtime, (UPWARD, ACCEPTED_STREAM), ports)


def watch(runtime: Runtime) -> Services:
    """Journal order and seals, reactions."""
    from vigie.core import journal

    return journal.services(runtime, runtime.rooms.collect("reactions"))


def nothing(runtime: Runtime) -> Services:
    """Only what the rooms themselves declare."""
    return {}


# What a process runs beside its rooms' own services: that which binds several rooms together.
ROLES: dict[Process, Callable[[Runtime], Services]] = {
    "gateways": nothing,
    "ingest": ingest,
    "watch": watch,
    "jobs": nothing,
    "api": api,
    "public": public,
}


def _clock(runtime: Runtime) -> Services:
    """Where the city's clock may be set, every process follows it."""
    if runtime.settings.installation == "real":
        return {}
    return {"clock": partial(city_clock.keep, runtime)}


async def run_role(role: Process) -> None:
    """Run one role in this process until told to stop."""
    settings = load()
    if role == "public":
        settings = public_settings(settings)
    rooms = rooms_of(settings)
    install_kinds(rooms)
    runtime = await Runtime.open(settings, role, rooms)
    runtime.house.zone = ZoneInfo(load_pack(settings.territory).time_zone)
    logs.configure(settings.log_level, settings.log_format, role=role, instance=runtime.instance)
    for warning in unknown():
        log.warning("setting_unknown", detail=warning)
    bind(runtime)
    await runtime.run(
        {
            **ROLES[role](runtime),
            **runtime.rooms.services(role, runtime),
            **metrics.services(runtime),
            **_clock(runtime),
        }
    )


async def _gateways(unit: Unit, assets: Sequence[int]) -> dict[int, GatewayInfo]:
    """The equipment's way out, for its detail: the twin does not know gateways."""
    from vigie.gateways import clients

    return {
        asset: GatewayInfo(carrier.token, carrier.online, carrier.last_seen)
        for asset, carrier in (await clients.carriers(unit, assets)).items()
    }


async def _days(unit: Unit) -> Days:
    """The territory's public holidays."""
    from vigie import places

    off = await places.read_holidays(unit)
    return Days(await places.time_zone(unit), off.fixed, off.easter)
