"""Roles, other people's logins at providers, and acts that wait for a second person, over HTTP."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from vigie.core.access import approvals, identities, oidc, roles
from vigie.core.access.approvals import Approval, Approvals, NewApproval
from vigie.core.access.demands import demand_fresh
from vigie.core.access.identities import NewIdentity
from vigie.core.access.logins import Logins
from vigie.core.access.model import Caller
from vigie.core.access.roles import NewRole, RoleInput, Roles, RoleView
from vigie.core.access.signin_api import Identities
from vigie.core.access.users import read_user
from vigie.core.database import Unit
from vigie.core.errors import Forbidden
from vigie.core.permissions import ANY_LOGIN, Catalogue
from vigie.core.runtime import Runtime
from vigie.core.states import version
from vigie.core.web import IfMatch, delete, get, post, put

Name = Annotated[str, Meta(max_length=41)]


class PermissionShown(msgspec.Struct, frozen=True):
    """One thing that may be done."""

    name: str
    description: str


class RolesShown(msgspec.Struct, frozen=True):
    """The catalogue of roles and permissions, and every compartment that a role opens."""

    roles: list[RoleView]
    permissions: list[PermissionShown]
    compartments: list[str]


@get("/roles", permission=ANY_LOGIN)
async def list_roles(unit: Unit, catalogue: Catalogue) -> RolesShown:
    """The roles there are, and what each may do."""
    return RolesShown(
        await roles.views(unit, catalogue),
        [PermissionShown(p.name, p.description) for p in catalogue.permissions.values()],
        sorted(catalogue.compartments),
    )


@post("/roles", permission="access.roles", status=201)
async def create_role(unit: Unit, runtime: Runtime, catalogue: Catalogue, data: NewRole) -> None:
    """A role of this installation's own, of permissions that one holds everywhere."""
    _demand_whole(unit)
    await roles.create(unit, catalogue, data)
    Roles.of(runtime).changed(unit)


@put("/roles/{name:str}", permission="access.roles", status=204)
async def edit_role(
    unit: Unit,
    runtime: Runtime,
    catalogue: Catalogue,
    name: str,
    data: RoleInput,
    if_match: IfMatch = None,
) -> None:
    """Replace what a role holds and opens; every account that has it follows within a second."""
    _demand_whole(unit)
    await roles.edit(unit, catalogue, name, data, version(if_match))
    Roles.of(runtime).changed(unit)


@delete("/roles/{name:str}", permission="access.roles", status=204)
async def remove_role(unit: Unit, runtime: Runtime, catalogue: Catalogue, name: str) -> None:
    """Remove a role that nobody holds; a room's role is as declared again."""
    _demand_whole(unit)
    await roles.remove(unit, catalogue, name)
    Roles.of(runtime).changed(unit)


@get("/users/{user_id:uuid}/identities", permission="access.read")
async def list_identities(unit: Unit, user_id: UUID) -> Identities:
    """The logins at providers that open an account."""
    await read_user(unit, user_id)
    return Identities(await identities.listed(unit, user_id))


@post("/users/{user_id:uuid}/identities", permission="access.manage", status=201)
async def link_identity(
    unit: Unit, runtime: Runtime, caller: Caller, user_id: UUID, data: NewIdentity
) -> None:
    """Let a provider's subject open an account. Needs a fresh login."""
    demand_fresh(caller)
    await identities.link_for(unit, user_id, data, frozenset(oidc.Clients.of(runtime).all))


@delete("/users/{user_id:uuid}/identities/{identity:uuid}", permission="access.manage", status=204)
async def unlink_identity(unit: Unit, runtime: Runtime, user_id: UUID, identity: UUID) -> None:
    """Let a provider's subject open an account no more; its live sessions stay."""
    await read_user(unit, user_id)
    await identities.unlink(unit, user_id, identity)
    Logins.of(runtime).changed(unit, user_id)


@get("/approvals", permission=ANY_LOGIN)
async def list_approvals(unit: Unit, catalogue: Catalogue) -> Approvals:
    """Acts that wait for one's word, and those that one asked for."""
    return Approvals(await approvals.listed(unit, catalogue))


@post("/approvals", permission=ANY_LOGIN, status=201)
async def ask_approval(unit: Unit, catalogue: Catalogue, data: NewApproval) -> Approval:
    """Ask for a second person: what the refusal said in its params, and why."""
    return await approvals.ask(unit, catalogue, data)


@post("/approvals/{approval:uuid}/approve", permission=ANY_LOGIN)
async def approve(unit: Unit, catalogue: Catalogue, approval: UUID) -> Approval:
    """Let somebody else's act be done, once."""
    return await approvals.decide(unit, catalogue, approval, "approved")


@post("/approvals/{approval:uuid}/refuse", permission=ANY_LOGIN)
async def refuse(unit: Unit, catalogue: Catalogue, approval: UUID) -> Approval:
    """Refuse somebody else's act."""
    return await approvals.decide(unit, catalogue, approval, "refused")


@post("/approvals/{approval:uuid}/withdraw", permission=ANY_LOGIN)
async def withdraw(unit: Unit, catalogue: Catalogue, approval: UUID) -> Approval:
    """Take back what one asked for oneself."""
    return await approvals.decide(unit, catalogue, approval, "withdrawn")


def _demand_whole(unit: Unit) -> None:
    if not unit.scope.everything:
        raise Forbidden(
            "whole_city_only", "Roles are of the whole city: who edits them administers all of it."
        )


ROUTES = [
    list_roles,
    create_role,
    edit_role,
    remove_role,
    list_identities,
    link_identity,
    unlink_identity,
    list_approvals,
    ask_approval,
    approve,
    refuse,
    withdraw,
]
