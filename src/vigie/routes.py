"""The one app over the routes of every room, and the services of the process that serves it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from vigie.core.runtime import Runtime, Services
from vigie.core.web import build_app, serve, system

SCREENS = Path(__file__).resolve().parents[2] / "web" / "dist"


def services(runtime: Runtime, roles: Sequence[str]) -> Services:
    """HTTP, WebSocket and screens, of the rooms that are switched on."""
    rooms = runtime.rooms
    app = build_app(
        runtime, rooms.collect("routes"), rooms.permissions, rooms.roles, screens=SCREENS
    )
    return {
        "http": partial(serve, runtime, app),
        "system": system.Watch(runtime, tuple(roles)).listen,
    }
