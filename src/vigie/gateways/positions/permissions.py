"""What may be done with trackers, and by which roles."""

from vigie.core.access import Permission

PERMISSIONS = (
    Permission(
        "positions.read",
        "See which trackers speak for which equipment.",
        ("administrator", "operator"),
    ),
    Permission("positions.manage", "Enrol trackers and remove them.", ("administrator",)),
)
