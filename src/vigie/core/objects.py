"""Everything has a type, an id, a title and an address: what links, search and the journal show.

    OBJECTS = (ObjectType("logbook.entry", "logbook.read", service.titles, "/logbook/{id}"),)

`titles(unit, ids)` answers for those that exist and that row level security lets the unit see.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime

import msgspec

from vigie.core.database import Unit
from vigie.core.verbs import within


class Title(msgspec.Struct, frozen=True):
    """How an object is named in one line; `at` is when it happened, for what happens."""

    title: str
    subtitle: str = ""
    at: datetime | None = None
    municipality: str = ""
    trade: str = ""
    compartment: str = ""
    state: str = ""


class ObjectType(msgspec.Struct, frozen=True):
    """A type of object that others may link to and find. `address` is its place in the console."""

    name: str
    permission: str
    titles: Callable[[Unit, Collection[str]], Awaitable[Mapping[str, Title]]]
    address: str = ""


class Ref(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Any object: its type (`twin.asset`) and its id as text."""

    type: str
    id: str


async def titles(unit: Unit, refs: Collection[Ref]) -> dict[Ref, Title]:
    """The titles of those objects that exist and that the principal may see, each by the
    permission and scope of its own type."""
    found: dict[Ref, Title] = {}
    for name in sorted({ref.type for ref in refs}):
        declared: ObjectType | None = unit.house.part("objects").get(name)
        if declared is None:
            continue
        scope = unit.house.catalogue.scope_for(unit.principal, declared.permission)
        if scope is None:
            continue
        ids = {ref.id for ref in refs if ref.type == name}
        async with within(unit, scope):
            for id_, title in (await declared.titles(unit, ids)).items():
                found[Ref(name, id_)] = title
    return found
