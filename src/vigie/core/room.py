"""How the centre itself is: the ground floor's own declaration."""

from vigie.core.permissions import Permission
from vigie.core.rooms import Room

ROOM = Room(
    name="system",
    package="vigie.core",
    floor="core",
    schemas=("core",),
    permissions=(
        Permission(
            "core.system",
            "See how the centre itself is.",
            ("administrator", "operator", "viewer", "auditor"),
        ),
    ),
    routes="vigie.core.web.system:ROUTES",
    topics="vigie.core.web.system:TOPICS",
)
