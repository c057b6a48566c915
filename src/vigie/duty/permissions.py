"""Who sees who is on call, and who says it. A viewer does not: these are people's numbers."""

from vigie.core.permissions import Permission

PERMISSIONS = (
    Permission(
        "duty.read",
        "See teams, and who is on call for what.",
        ("administrator", "operator"),
    ),
    Permission(
        "duty.manage",
        "Change teams and rotas, and hand a duty over.",
        ("administrator", "operator"),
    ),
)
