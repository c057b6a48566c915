"""The catalogue of permissions: what may be done, and which roles may do it.

Each room declares its own (`PERMISSIONS` in its front door); the app composes them. A route names
one of them, or says in plain words that it needs none: `PUBLIC`, `ANY_LOGIN`.
"""

import re
from collections.abc import Iterable

import msgspec

from vigie.core.scope import PLATFORM, Principal, Scope, scope_of

PUBLIC = "public"
ANY_LOGIN = "any login"

ADMINISTRATOR = "administrator"

_NAME = re.compile(r"[a-z_]+\.[a-z_]+")
_ROLE = re.compile(r"[a-z][a-z_]{1,40}")
_COMPARTMENT = re.compile(r"[a-z][a-z_]{0,40}")


class Role(msgspec.Struct, frozen=True):
    """A set of permissions with a name.

    Permissions say which of core's roles hold them; a role that a room names (dispatcher, crew …)
    says itself what it holds of other rooms, and which compartments it opens (see core.scope).
    """

    name: str
    description: str
    holds: tuple[str, ...] = ()
    compartments: tuple[str, ...] = ()


class RoleEdit(msgspec.Struct, frozen=True):
    """What an installation says of a role, in place of its declaration: the whole of what it holds
    and opens. One that nobody declares is the installation's own."""

    name: str
    description: str = ""
    holds: frozenset[str] = frozenset()
    compartments: frozenset[str] = frozenset()


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
            if not all(_COMPARTMENT.fullmatch(name) for name in role.compartments):
                raise ValueError(f"role {role.name!r}: a compartment is a lower-case word")
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
        # Another catalogue's edits are applied to these, never to what edits made of them.
        self._declared: Catalogue = self
        self._opens = {r.name: r.compartments for r in self.roles.values() if r.compartments}

    def with_roles(self, edits: Iterable[RoleEdit]) -> "Catalogue":
        """The same declarations with an installation's roles laid over them.

        An edit gives its role what it lists and nothing else; permissions that no room declares
        (its room is switched off) are left out. `administrator` stays as declared: somebody must be
        able to undo every edit.
        """
        edited = {edit.name: edit for edit in edits if edit.name != ADMINISTRATOR}
        declared = self._declared
        made = Catalogue(())
        made._declared = declared
        made.roles = {
            **declared.roles,
            **{
                edit.name: Role(
                    edit.name,
                    edit.description or _described(declared.roles.get(edit.name)),
                    tuple(sorted(edit.holds & declared.permissions.keys())),
                    tuple(sorted(edit.compartments)),
                )
                for edit in edited.values()
            },
        }
        made.permissions = {
            permission.name: msgspec.structs.replace(
                permission,
                roles=(
                    *(role for role in permission.roles if role not in edited),
                    *(e.name for e in edited.values() if permission.name in e.holds),
                ),
            )
            for permission in declared.permissions.values()
        }
        made._opens = {r.name: r.compartments for r in made.roles.values() if r.compartments}
        return made

    def declares(self, role: str) -> bool:
        """True for a role of core or of a room, False for one of the installation's own."""
        return role in self._declared.roles

    def held_by_role(self, role: str) -> frozenset[str]:
        """Every permission of a role."""
        return frozenset(p.name for p in self.permissions.values() if role in p.roles)

    @property
    def compartments(self) -> frozenset[str]:
        """Every compartment that some role opens."""
        return frozenset(name for opened in self._opens.values() for name in opened)

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
        if not grants:
            return None
        return PLATFORM if principal.kind == "system" else scope_of(grants, self._opens)


def _described(role: Role | None) -> str:
    return role.description if role else ""
