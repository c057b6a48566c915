"""The catalogue of permissions: what may be done, and which roles may do it.

Each room declares its own (`PERMISSIONS` in its front door); the app composes them. A route names
one of them, or says in plain words that it needs none: `PUBLIC`, `ANY_LOGIN`.
"""

import re
from collections.abc import Iterable

import msgspec

from vigie.core.scope import Principal, Scope, scope_of

PUBLIC = "public"
ANY_LOGIN = "any login"

_NAME = re.compile(r"[a-z_]+\.[a-z_]+")
_ROLE = re.compile(r"[a-z][a-z_]{1,40}")


class Role(msgspec.Struct, frozen=True):
    """A set of permissions with a name.

    Permissions say which of core's roles hold them; a role that a room names (dispatcher, crew …)
    says itself what it holds of other rooms, and which compartments it opens (see core.scope).
    """

    name: str
    description: str
    holds: tuple[str, ...] = ()
    compartments: tuple[str, ...] = ()


ROLES = (
    Role("administrator", "Runs the installation: people, equipment, settings, and every act."),
    Role("operator", "Watches and acts on the equipment of their municipalities and trades."),
    Role("viewer", "Watches, changes nothing."),
    Role("auditor", "Reads who did what, changes nothing."),
)
EVERY_ROLE = tuple(role.name for role in ROLES)


class Permission(msgspec.Struct, frozen=True):
    """One thing that may be done, `room.verb`, and the roles that may."""

    name: str
    description: str
    roles: tuple[str, ...]


class Catalogue:
    """Every permission and role of this installation.

    `permissions[name].roles` are all the roles that hold it, those of rooms included. Raises
    ValueError on a faulty declaration.
    """

    def __init__(self, permissions: Iterable[Permission], roles: Iterable[Role] = ()) -> None:
        self.roles: dict[str, Role] = {}
        for role in (*ROLES, *roles):
            if not _ROLE.fullmatch(role.name):
                raise ValueError(f"role {role.name!r}: a lower-case word")
            if role.name in self.roles:
                raise ValueError(f"role {role.name!r} is declared twice")
            self.roles[role.name] = role
        self.permissions: dict[str, Permission] = {}
        for permission in permissions:
            if not _NAME.fullmatch(permission.name):
                raise ValueError(f"permission {permission.name!r} is not named room.verb")
            if permission.name in self.permissions:
                raise ValueError(f"permission {permission.name!r} is declared twice")
            unknown = set(permission.roles) - self.roles.keys()
            if unknown:
                raise ValueError(f"permission {permission.name!r}: no role {sorted(unknown)[0]!r}")
            self.permissions[permission.name] = permission
        for role in self.roles.values():
            for name in role.holds:
                held = self.permissions.get(name)
                if held is None:
                    raise ValueError(f"role {role.name!r} holds {name!r}, which nobody declares")
                if role.name not in held.roles:
                    self.permissions[name] = msgspec.structs.replace(
                        held, roles=(*held.roles, role.name)
                    )

    def __contains__(self, name: str) -> bool:
        return name in self.permissions

    def held_by(self, principal: Principal) -> frozenset[str]:
        """Every permission of a principal, wherever it reaches."""
        roles = {grant.role for grant in principal.grants}
        return frozenset(
            permission.name
            for permission in self.permissions.values()
            if not roles.isdisjoint(permission.roles)
            and (principal.only is None or permission.name in principal.only)
        )

    def scope_for(self, principal: Principal, name: str) -> Scope | None:
        """The part of the city where a principal holds a permission; None when nowhere."""
        permission = self.permissions.get(name)
        if permission is None or (principal.only is not None and name not in principal.only):
            return None
        # What a rule may do is said by its scope: it has no role.
        grants = [
            grant
            for grant in principal.grants
            if principal.kind == "rule" or grant.role in permission.roles
        ]
        return scope_of(grants) if grants else None
