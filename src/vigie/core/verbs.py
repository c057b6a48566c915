"""What rooms do for each other: typed verbs, called by name in the caller's own unit of work.

    VERBS = (Verb("logbook.write", WriteEntry, Entry, permission="logbook.write",
                  summary="Add an entry to the shift's log.", run=service.write),)

    await verbs.call(unit, "logbook.write", {"text": "Lorry across the bollards"})

The verb runs with the caller's permission and in the scope of it, whatever the route that the
caller came by; what it raises undoes what it did and nothing else.
"""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import msgspec

from vigie.core.database import Unit, apply
from vigie.core.errors import Forbidden, Invalid, NotFound
from vigie.core.scope import Scope


class Verb(msgspec.Struct, frozen=True):
    """One thing that a room does for others: `room.verb`, its parameters and its result."""

    name: str
    params: type[Any]
    result: Any
    permission: str
    summary: str
    run: Callable[[Unit, Any], Awaitable[Any]]


async def call(unit: Unit, name: str, params: Any) -> Any:
    """Run a verb of another room; its result.

    `params` is the verb's struct, or a mapping that is converted to it. Raises NotFound when no
    room offers it, Forbidden when the principal may not, Invalid for parameters that do not fit.
    """
    verb: Verb | None = unit.house.part("verbs").get(name)
    if verb is None:
        raise NotFound(
            "verb_unknown",
            f"Nobody offers {name}: its room is switched off, or the name is wrong.",
            {"verb": name},
        )
    scope = unit.house.catalogue.scope_for(unit.principal, verb.permission)
    if scope is None:
        raise Forbidden(
            "not_permitted",
            f"This needs the permission {verb.permission}, which your roles do not give.",
            {"permission": verb.permission},
        )
    if not isinstance(params, verb.params):
        try:
            params = msgspec.convert(params, verb.params)
        except msgspec.ValidationError as error:
            raise Invalid(
                "verb_params", f"{name} cannot be called so: {error}.", {"verb": name}
            ) from error
    async with within(unit, scope):
        return await verb.run(unit, params)


def may(unit: Unit, name: str) -> bool:
    """True when the principal may call a verb, and some room offers it."""
    verb: Verb | None = unit.house.part("verbs").get(name)
    if verb is None:
        return False
    return unit.house.catalogue.scope_for(unit.principal, verb.permission) is not None


@contextlib.asynccontextmanager
async def within(unit: Unit, scope: Scope) -> AsyncGenerator[None]:
    """Part of a unit of work in another scope than the rest.

    A savepoint: when the block raises, the database forgets the other scope with what was done in
    it, so that a caller who goes on never does so with rights that are not their own.
    """
    before = unit.scope
    if scope == before:
        async with unit.attempt():
            yield
        return
    try:
        async with unit.attempt():
            await apply(unit.connection, scope)
            unit.scope = scope
            yield
            await apply(unit.connection, before)
    finally:
        unit.scope = before
