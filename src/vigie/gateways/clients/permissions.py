"""What may be done with gateways and quarantine, and by which roles."""

from vigie.core.access import Permission

PERMISSIONS = (
    Permission(
        "gateways.read",
        "See gateways, their presence and counters.",
        ("administrator", "operator", "viewer"),
    ),
    Permission(
        "gateways.manage",
        "Rotate gateways' secrets and revoke them, approve claims, bind devices, calibrate.",
        ("administrator",),
    ),
    Permission(
        "quarantine.replay",
        "Have messages of quarantine read again once their cause is mended.",
        ("administrator", "operator"),
    ),
    Permission(
        "quarantine.read",
        "See the messages of devices that were refused, and why.",
        ("administrator", "operator"),
    ),
)
