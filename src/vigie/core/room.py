"""How the centre itself is: the ground floor's own declaration."""

from vigie.core.permissions import Permission
from vigie.core.rooms import Room

ROOM = Room(
    name="system",
    package="vigie.core",
    floor="core",
    schemas=("core", "vigie"),
    permissions=(
        Permission(
            "core.system",
            "See how the centre itself is.",
            ("administrator", "operator", "viewer", "auditor"),
        ),
        Permission(
            "core.link",
            "Link objects that one may see, and take links away.",
            ("administrator", "operator"),
        ),
    ),
    migrations=True,
    routes="vigie.core.web.declared:ROUTES",
    topics="vigie.core.web.system:TOPICS",
)
