"""The live screens' way in; each topic on it has its own permission."""

from vigie.core.rooms import Room

ROOM = Room(
    name="live",
    package="vigie.core.live",
    floor="core",
    migrations=True,
    routes="vigie.core.live.api:ROUTES",
    services={
        "api": "vigie.core.live.service:services",
        "watch": "vigie.core.live.service:tidy",
    },
)
