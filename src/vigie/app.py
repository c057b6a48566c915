"""Composition: which rooms make up which process. The only file that knows every module."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from vigie import control, twin
from vigie.control import api as control_api
from vigie.core import access, journal, logs, metrics
from vigie.core.access import api as access_api
from vigie.core.database import Unit
from vigie.core.journal import api as journal_api
from vigie.core.runtime import Runtime
from vigie.core.settings import load
from vigie.core.web import Permission, Route, build_app, serve, system
from vigie.gateways import mqtt
from vigie.gateways.mqtt import ingest
from vigie.places import api as places_api
from vigie.twin import api as twin_api
from vigie.twin import live, telemetry
from vigie.twin.telemetry import api as telemetry_api

Services = dict[str, Callable[[], Awaitable[None]]]
SCREENS = Path(__file__).resolve().parents[2] / "web" / "dist"

PERMISSIONS: tuple[Permission, ...] = (
    *access.PERMISSIONS,
    *system.PERMISSIONS,
    *journal.PERMISSIONS,
    *twin.PERMISSIONS,
    *mqtt.PERMISSIONS,
    *control.PERMISSIONS,
)
ROUTES: tuple[Route, ...] = (
    *access_api.ROUTES,
    *system.ROUTES,
    *journal_api.ROUTES,
    *places_api.ROUTES,
    *twin_api.ROUTES,
    *telemetry_api.ROUTES,
    *live.ROUTES,
    *mqtt.ROUTES,
    *control_api.ROUTES,
)


def api(runtime: Runtime) -> Services:
    """HTTP, WebSocket and screens."""
    twin.provide_gateways(_gateways)
    app = build_app(runtime, ROUTES, PERMISSIONS, screens=SCREENS)
    return {
        "http": partial(serve, runtime, app),
        "system": system.Watch(runtime, tuple(ROLES)).listen,
        **live.services(runtime),
    }


async def _gateways(unit: Unit, assets: Sequence[int]) -> dict[int, twin.GatewayInfo]:
    """The equipment's way out, for its detail: the twin does not know gateways."""
    return {
        asset: twin.GatewayInfo(carrier.token, carrier.online, carrier.last_seen)
        for asset, carrier in (await mqtt.carriers(unit, assets)).items()
    }


def ingest_(runtime: Runtime) -> Services:
    """Readings into history and state; acknowledgements into commands."""
    return ingest.services(runtime, acknowledge=control.acknowledge, observe=control.observe)


def watch(runtime: Runtime) -> Services:
    """Journal order and seals, reactions, commands that are due, partitions."""
    return {
        **journal.services(runtime, (*twin.REACTIONS, *live.REACTIONS)),
        **control.services(runtime),
        **telemetry.services(runtime),
    }


def gateways(runtime: Runtime) -> Services:
    """Protocol adapters."""
    return mqtt.services(runtime)


ROLES: dict[str, Callable[[Runtime], Services]] = {
    "gateways": gateways,
    "ingest": ingest_,
    "watch": watch,
    "api": api,
}


async def run_role(role: str) -> None:
    """Run one role in this process until told to stop."""
    settings = load()
    runtime = await Runtime.open(settings, role)
    logs.configure(settings.log_level, settings.log_format, role=role, instance=runtime.instance)
    services = ROLES[role](runtime)
    services.update(metrics.services(runtime))
    await runtime.run(services)
