"""Who may command.

A viewer sees what was commanded and what became of it, and commands nothing; an auditor too.
"""

from vigie.core.access import Permission

PERMISSIONS = (
    Permission(
        "control.read",
        "See commands and what became of them.",
        ("administrator", "operator", "viewer", "auditor"),
    ),
    Permission("control.command", "Command equipment.", ("administrator", "operator")),
    Permission("control.cancel", "Take a command back.", ("administrator", "operator")),
)
