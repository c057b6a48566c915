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
        Permission(
            "core.jobs_read",
            "See what work waits, runs and was given up on.",
            ("administrator", "operator"),
        ),
        Permission(
            "core.jobs_operate",
            "Have work that was given up on tried again, and cancel what waits.",
            ("administrator",),
        ),
    ),
    migrations=True,
    routes="vigie.core.web.declared:ROUTES",
    topics="vigie.core.web.system:TOPICS",
    jobs="vigie.core.jobs.declared:JOBS",
    services={"jobs": "vigie.core.jobs:services"},
)
