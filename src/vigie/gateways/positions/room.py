"""Trackers and radios."""

from vigie.core.rooms import Room
from vigie.gateways.positions.permissions import PERMISSIONS

ROOM = Room(
    name="positions",
    package="vigie.gateways.positions",
    floor="protocol",
    permissions=PERMISSIONS,
    adapters="vigie.gateways.positions.adapter:ADAPTERS",
    routes="vigie.gateways.positions.api:ROUTES",
    services={"gateways": "vigie.gateways.positions.services:services"},
    needs=("twin", "clients", "ingest"),
    optional=True,
)
