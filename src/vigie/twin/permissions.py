"""What may be done with equipment, and by which roles."""

from vigie.core.access import EVERY_ROLE, Permission

PERMISSIONS = (
    Permission("twin.read", "See equipment, its state and its history.", EVERY_ROLE),
    Permission("twin.change", "Change what is known of equipment.", ("administrator",)),
    Permission(
        "twin.tracks_read",
        "See where equipment that moves was; a reason is asked and written down.",
        ("administrator", "operator"),
    ),
    Permission("twin.events_read", "See what happened to equipment.", EVERY_ROLE),
    Permission(
        "twin.events_personal",
        "See what events say of people; a reason is asked and written down.",
        ("administrator", "operator"),
    ),
    Permission("twin.events_erase", "Erase what events say of somebody.", ("administrator",)),
)
