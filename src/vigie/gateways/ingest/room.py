"""The way of a message up, whatever the protocol."""

from vigie.core.rooms import Room

ROOM = Room(
    name="ingest",
    package="vigie.gateways.ingest",
    floor="gateways",
    routes="vigie.gateways.ingest.api:ROUTES",
    services={"gateways": "vigie.gateways.ingest.intake:services"},
    needs=("clients",),
)
