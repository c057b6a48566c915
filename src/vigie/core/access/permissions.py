"""What may be done with accounts, and who may."""

from vigie.core.permissions import EVERY_ROLE, Permission

PERMISSIONS = (
    Permission(
        "access.read",
        "See who has an account, and what they were granted.",
        ("administrator", "auditor"),
    ),
    Permission(
        "access.manage",
        "Create accounts, change what they are granted, reset passwords, close them.",
        ("administrator",),
    ),
    Permission(
        "access.roles",
        "Say what each role may do, and make roles of the installation's own.",
        ("administrator",),
    ),
    Permission("access.tokens", "Make and revoke API tokens of one's own.", EVERY_ROLE),
)
