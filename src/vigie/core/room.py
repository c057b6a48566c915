"""How the centre itself is: the ground floor's own declaration."""

from vigie.core.permissions import Permission
from vigie.core.rooms import Personal, Room

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
        Permission(
            "core.share_views",
            "Share saved views of lists with the roles of a municipality.",
            ("administrator", "operator"),
        ),
        Permission(
            "core.desk",
            "Say what one looks at and takes, and see what colleagues do and the wall shows.",
            ("administrator", "operator", "viewer", "auditor"),
        ),
        Permission("core.wall", "Choose what the wall shows.", ("administrator", "operator")),
    ),
    migrations=True,
    # In an exercise every process follows the city's clock.
    public_tables={"core.city_clock": "select"},
    routes="vigie.core.web.declared:ROUTES",
    topics="vigie.core.web.declared:TOPICS",
    jobs="vigie.core.jobs.declared:JOBS",
    services={"jobs": "vigie.core.jobs:services"},
    personal=(
        Personal(
            what="Saved views of lists: titles and filters that a person wrote.",
            purpose="To look at a list again as one did before.",
            basis="Public task.",
            retention="Until their owner removes them; earlier when erased.",
            recipients="Their owner; those with whom it is shared.",
            erase="vigie.core.lists.views:erase",
        ),
        Personal(
            what="How a person set up their console; for a while, what they look at or took.",
            purpose="To have one's screens again, and not to act twice on the same thing.",
            basis="Public task.",
            retention="Until changed; a minute for what one looks at; earlier when erased.",
            recipients="Their owner; of what one looks at, colleagues who see the same object.",
            erase="vigie.core.desk.service:erase",
        ),
    ),
)
