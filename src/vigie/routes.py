"""Every route and permission of the one app, and the services of the process that serves it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from vigie import control, places, twin
from vigie.control import api as control_api
from vigie.core import access, journal
from vigie.core.access import api as access_api
from vigie.core.database import Unit
from vigie.core.journal import api as journal_api
from vigie.core.runtime import Runtime, Services
from vigie.core.web import Permission, Route, build_app, serve, system
from vigie.gateways import mqtt
from vigie.gateways.mqtt import api as mqtt_api
from vigie.places import api as places_api
from vigie.twin import api as twin_api
from vigie.twin import live
from vigie.twin.live import api as live_api
from vigie.twin.telemetry import api as telemetry_api

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
    *live_api.ROUTES,
    *mqtt_api.ROUTES,
    *control_api.ROUTES,
)


def services(runtime: Runtime, roles: Sequence[str]) -> Services:
    """HTTP, WebSocket and screens."""
    twin.provide_gateways(_gateways)
    runtime.database.zone_of = places.time_zone
    app = build_app(runtime, ROUTES, PERMISSIONS, screens=SCREENS)
    return {
        "http": partial(serve, runtime, app),
        "system": system.Watch(runtime, tuple(roles)).listen,
        **live.services(runtime),
    }


async def _gateways(unit: Unit, assets: Sequence[int]) -> dict[int, twin.GatewayInfo]:
    """The equipment's way out, for its detail: the twin does not know gateways."""
    return {
        asset: twin.GatewayInfo(carrier.token, carrier.online, carrier.last_seen)
        for asset, carrier in (await mqtt.carriers(unit, assets)).items()
    }
