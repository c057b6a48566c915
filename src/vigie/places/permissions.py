"""Who asks for ways, who closes roads, who corrects addresses."""

from vigie.core.permissions import Permission

PERMISSIONS = (
    Permission(
        "places.roads_read",
        "See what roads are closed, and ask for ways and travel times.",
        ("administrator", "operator", "viewer", "auditor"),
    ),
    Permission(
        "places.roads_close",
        "Close roads, and open them again.",
        ("administrator", "operator"),
    ),
    Permission(
        "places.addresses_correct",
        "Correct addresses that were imported.",
        ("administrator", "operator"),
    ),
)
