"""The city's equipment: registry, state, history, and the live picture of it."""

from vigie.core.rooms import Room
from vigie.twin.permissions import PERMISSIONS

ROOM = Room(
    name="twin",
    floor="twin",
    schemas=("twin",),
    permissions=PERMISSIONS,
    routes="vigie.twin.routes:ROUTES",
    reactions="vigie.twin.reactions:REACTIONS",
    objects="vigie.twin.objects:OBJECTS",
    topics="vigie.twin.live.service:TOPICS",
    search="vigie.twin.search:SOURCES",
    services={"watch": "vigie.twin.watch:services", "api": "vigie.twin.live:services"},
    needs=("places",),
)
