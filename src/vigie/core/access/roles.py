"""Roles as sets of permissions: those of rooms edited, and an installation's own.

Nobody edits in what they do not hold everywhere, and `administrator` stays as it is declared. Every
process lays the edited roles over its catalogue: woken at once, and looking itself each second.
"""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any, Literal
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Meta
from nats.aio.msg import Msg
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.access.model import RoleName
from vigie.core.access.rules import beyond
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Forbidden, Invalid, NotFound
from vigie.core.journal import Change
from vigie.core.permissions import ADMINISTRATOR, Catalogue, RoleEdit
from vigie.core.runtime import Runtime, Services
from vigie.core.states import demand_version
from vigie.core.text import checked_name

SUBJECT = "access.roles"
LOOK_EVERY_S = 1.0
MOST = 200

Text = Annotated[str, Meta(max_length=300)]
Words = dict[Literal["fr", "en"], Text]
Names = Annotated[list[Annotated[str, Meta(max_length=80)]], Meta(max_length=1000)]


class RoleInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of what a role holds and opens, and what it is called in each language."""

    permissions: Names
    compartments: Names = []
    labels: Words = {}
    descriptions: Words = {}


class NewRole(RoleInput, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A role of this installation's own."""

    name: RoleName


class RoleView(msgspec.Struct, frozen=True):
    """A role: `declared` by a room or this installation's own, `edited` when a room's was changed;
    version 0 is the declaration."""

    name: str
    description: str
    permissions: list[str]
    compartments: list[str]
    labels: dict[str, str]
    descriptions: dict[str, str]
    declared: bool
    edited: bool
    editable: bool
    version: int


class _Row(msgspec.Struct, frozen=True):
    name: str
    labels: dict[str, str]
    descriptions: dict[str, str]
    permissions: list[str]
    compartments: list[str]
    version: int


async def read_edits(unit: Unit) -> list[RoleEdit]:
    """The roles that this installation edited or added."""
    return [
        RoleEdit(
            row.name,
            row.descriptions.get("en", ""),
            frozenset(row.permissions),
            frozenset(row.compartments),
        )
        for row in (await _rows(unit)).values()
    ]


async def views(unit: Unit, catalogue: Catalogue) -> list[RoleView]:
    """Every role, as of this process's catalogue."""
    rows = await _rows(unit)
    return [
        RoleView(
            role.name,
            role.description,
            sorted(catalogue.held_by_role(role.name)),
            sorted(role.compartments),
            rows[role.name].labels if role.name in rows else {},
            rows[role.name].descriptions if role.name in rows else {},
            catalogue.declares(role.name),
            role.name in rows and catalogue.declares(role.name),
            role.name != ADMINISTRATOR,
            rows[role.name].version if role.name in rows else 0,
        )
        for role in catalogue.roles.values()
    ]


async def create(unit: Unit, catalogue: Catalogue, new: NewRole) -> None:
    """A role of this installation's own. Raises Conflict for a name that there is."""
    rows = await _lock(unit)
    if new.name in rows or catalogue.declares(new.name):
        raise Conflict(
            "role_taken", f"There is a role {new.name}: choose another name.", {"role": new.name}
        )
    if len(rows) >= MOST:
        raise Conflict(
            "too_many_roles",
            f"There are {MOST} roles: remove one that nobody holds.",
            {"most": MOST},
        )
    _demand_allowed(unit, catalogue, new, frozenset(), frozenset())
    await _store(unit, new.name, new, 1)
    await journal.record(
        unit,
        "access.role_created",
        params={"role": new.name},
        changes=[Change("role", new.name, None, _journaled(new))],
    )


async def edit(
    unit: Unit, catalogue: Catalogue, name: str, wanted: RoleInput, version: int | None
) -> None:
    """Replace what a role holds. Raises NotFound, Forbidden for `administrator` and for what the
    editor does not hold, PreconditionFailed when it changed meanwhile."""
    rows = await _lock(unit)
    row = rows.get(name)
    if row is None and not catalogue.declares(name):
        raise _unknown(name)
    if name == ADMINISTRATOR:
        raise Forbidden(
            "role_fixed",
            "The role administrator stays as it is: somebody must be able to undo every change.",
            {"role": name},
        )
    demand_version(row.version if row else 0, version)
    # What is stored counts: this process's catalogue may be a moment behind.
    before = row or _Row(
        name, {}, {}, sorted(catalogue.held_by_role(name)),
        sorted(catalogue.roles[name].compartments), 0,
    )  # fmt: skip
    _demand_allowed(
        unit, catalogue, wanted, frozenset(before.permissions), frozenset(before.compartments)
    )
    await _store(unit, name, wanted, before.version + 1)
    await journal.record(
        unit,
        "access.role_changed",
        params={"role": name},
        changes=[Change("role", name, _journaled(before), _journaled(wanted))],
    )


async def remove(unit: Unit, catalogue: Catalogue, name: str) -> None:
    """Take away a role that nobody holds; a room's is as declared again.

    Raises Conflict while accounts or tokens hold it, and when the declaration holds what the
    editor does not."""
    rows = await _lock(unit)
    row = rows.get(name)
    if row is None:
        raise _unknown(name)
    if catalogue.declares(name):
        declared = catalogue.with_roles(())
        wanted = RoleInput(
            sorted(declared.held_by_role(name)), list(declared.roles[name].compartments)
        )
        _demand_allowed(
            unit, catalogue, wanted, frozenset(row.permissions), frozenset(row.compartments)
        )
    else:
        held = await unit.execute(
            text(
                "select (select count(*) from access.granted where role = :role)"
                " + (select count(*) from access.token t where revoked is null"
                "    and exists (select from jsonb_array_elements(t.grants) g"
                "                where g ->> 'role' = :role))"
            ),
            {"role": name},
        )
        if count := held.scalar_one():
            raise Conflict(
                "role_in_use",
                f"{count} accounts or tokens hold the role {name}: give them another one first.",
                {"role": name, "count": count},
            )
    await unit.execute(text("delete from access.role where name = :name"), {"name": name})
    await journal.record(
        unit,
        "access.role_removed",
        params={"role": name},
        changes=[Change("role", name, _journaled(row), None)],
    )


class Roles:
    """Keeps a process's catalogue as the database has it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._changed = asyncio.Event()

    @classmethod
    def of(cls, runtime: Runtime) -> "Roles":
        """The one of this process."""
        if runtime not in _every:
            _every[runtime] = cls(runtime)
        return _every[runtime]

    async def load(self) -> None:
        """Read the roles now. Raises Unavailable."""
        async with self._runtime.database.unit() as unit:
            edits = await read_edits(unit)
        self._runtime.house.edit_roles(edits)

    def changed(self, unit: Unit) -> None:
        """Once this unit is committed, every process reads the roles again; this one at once."""

        async def tell() -> None:
            await self.load()
            await self._runtime.bus.publish(SUBJECT, b"")

        unit.after_commit(tell)

    async def follow(self) -> None:
        """Read them when somebody says so, and each second: a message may be lost."""

        async def hear(_: Msg) -> None:
            self._changed.set()

        await self._runtime.bus.subscribe(SUBJECT, hear)
        while True:
            await self.load()
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()


_every: "WeakKeyDictionary[Runtime, Roles]" = WeakKeyDictionary()


def services(runtime: Runtime) -> Services:
    """What each process runs."""
    return {"roles": Roles.of(runtime).follow}


def _demand_allowed(
    unit: Unit,
    catalogue: Catalogue,
    wanted: RoleInput,
    permissions: Iterable[str],
    compartments: Iterable[str],
) -> None:
    """Raises unless the editor holds all that the role gains, everywhere."""
    unknown = sorted(set(wanted.permissions) - catalogue.permissions.keys() - set(permissions))
    if unknown:
        raise Invalid(
            "permission_unknown",
            f"There is no permission {unknown[0]!r}: see GET /api/v1/roles.",
            {"permission": unknown[0]},
            errors=[{"field": "permissions", "code": "unknown", "message": "no such permission"}],
        )
    unknown = sorted(set(wanted.compartments) - catalogue.compartments - set(compartments))
    if unknown:
        raise Invalid(
            "compartment_unknown",
            f"There is no compartment {unknown[0]!r}.",
            {"compartment": unknown[0]},
            errors=[{"field": "compartments", "code": "unknown", "message": "no such compartment"}],
        )
    for words in (wanted.labels, wanted.descriptions):
        for language, said in words.items():
            checked_name(language, said)
    missing = beyond(
        catalogue,
        unit.principal,
        set(wanted.permissions) - set(permissions),
        set(wanted.compartments) - set(compartments),
    )
    if missing:
        raise Forbidden(
            "role_beyond_own",
            f"You can put into a role only what you hold yourself everywhere; {missing} you do "
            "not.",
            {"missing": missing},
        )


async def _lock(unit: Unit) -> dict[str, _Row]:
    await unit.execute(text("select pg_advisory_xact_lock(7710423)"))
    return await _rows(unit)


async def _rows(unit: Unit) -> dict[str, _Row]:
    found = await unit.execute(
        text(
            "select name, labels, descriptions, permissions, compartments, version"
            " from access.role order by name"
        )
    )
    return {row["name"]: msgspec.convert(dict(row), _Row) for row in found.mappings()}


async def _store(unit: Unit, name: str, wanted: RoleInput, version: int) -> None:
    await unit.execute(
        text(
            """
            insert into access.role (name, labels, descriptions, permissions, compartments,
              version, changed)
            values (:name, cast(:labels as jsonb), cast(:descriptions as jsonb), :permissions,
              :compartments, :version, :now)
            on conflict (name) do update set labels = excluded.labels,
              descriptions = excluded.descriptions, permissions = excluded.permissions,
              compartments = excluded.compartments, version = excluded.version,
              changed = excluded.changed
            """
        ),
        {
            "name": name,
            "labels": msgspec.json.encode(wanted.labels).decode(),
            "descriptions": msgspec.json.encode(wanted.descriptions).decode(),
            "permissions": sorted(set(wanted.permissions)),
            "compartments": sorted(set(wanted.compartments)),
            "version": version,
            "now": clock.now(),
        },
    )


def _journaled(role: RoleInput | _Row) -> dict[str, Any]:
    return {
        "permissions": sorted(set(role.permissions)),
        "compartments": sorted(set(role.compartments)),
        "labels": role.labels,
    }


def _unknown(name: str) -> NotFound:
    return NotFound("role_not_found", "There is no such role to change.", {"role": name})
