"""Commands to equipment."""

from vigie.control.permissions import PERMISSIONS
from vigie.core.rooms import Room

ROOM = Room(
    name="control",
    floor="control",
    schemas=("control",),
    permissions=PERMISSIONS,
    routes="vigie.control.api:ROUTES",
    reactions="vigie.control.approving:REACTIONS",
    topics="vigie.control.topics:TOPICS",
    services={"watch": "vigie.control:services"},
    needs=("clients",),
)
