"""Access: who may do what, where. Users, sessions, tokens, roles, the permission catalogue."""

from vigie.core.access.approvals import LASTS, NewApproval, ask, decide
from vigie.core.access.demands import demand_fresh
from vigie.core.access.logins import Logins
from vigie.core.access.model import NOBODY, Caller, Login
from vigie.core.access.names import display_names
from vigie.core.access.permissions import PERMISSIONS
from vigie.core.permissions import (
    ANY_LOGIN,
    EVERY_ROLE,
    PUBLIC,
    ROLES,
    Catalogue,
    Permission,
    Role,
)

__all__ = [
    "ANY_LOGIN",
    "EVERY_ROLE",
    "LASTS",
    "NOBODY",
    "PERMISSIONS",
    "PUBLIC",
    "ROLES",
    "Caller",
    "Catalogue",
    "Login",
    "Logins",
    "NewApproval",
    "Permission",
    "Role",
    "ask",
    "decide",
    "demand_fresh",
    "display_names",
]
