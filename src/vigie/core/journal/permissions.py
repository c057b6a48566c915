"""Who may read the journal.

Operators read the acts of their own scope: the night shift needs to see what the day shift did.
A viewer does not: the journal tells what colleagues did, which is not theirs to watch.
"""

from vigie.core.permissions import Permission

PERMISSIONS = (
    Permission(
        "journal.read",
        "Read who did what, when and why.",
        ("administrator", "operator", "auditor"),
    ),
    Permission(
        "journal.operate",
        "Have acts that a reaction gave up on handled again.",
        ("administrator",),
    ),
)
