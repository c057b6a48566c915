"""Whoever speaks to the platform for devices."""

from vigie.core.rooms import Room
from vigie.gateways.clients.permissions import PERMISSIONS

ROOM = Room(
    name="clients",
    package="vigie.gateways.clients",
    floor="gateways",
    schemas=("gateways",),
    append_only=("gateways.calibration",),
    permissions=PERMISSIONS,
    routes="vigie.gateways.clients.api:ROUTES",
    needs=("twin",),
)
