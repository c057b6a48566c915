"""What the room offers to others."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text

from vigie.core.database import Unit
from vigie.core.objects import ObjectType, Title
from vigie.core.verbs import Verb
from vigie.duty import rota
from vigie.duty.model import HandedOver, HandOver, OnCall, OnCallAt

_TEAMS = text("select id, name, municipality, trade from duty.team where id = any(:ids)")
_FUNCTIONS = text(
    "select f.id, f.name, t.name as team, t.municipality, t.trade from duty.function f"
    " join duty.team t on t.id = f.team where f.id = any(:ids)"
)


async def team_titles(unit: Unit, ids: Collection[str]) -> dict[str, Title]:
    """Teams by their name."""
    rows = await unit.execute(_TEAMS, {"ids": _uuids(ids)})
    return {
        str(row.id): Title(row.name, municipality=row.municipality, trade=row.trade) for row in rows
    }


async def function_titles(unit: Unit, ids: Collection[str]) -> dict[str, Title]:
    """What people are on call for, and which team's it is."""
    rows = await unit.execute(_FUNCTIONS, {"ids": _uuids(ids)})
    return {
        str(row.id): Title(row.name, row.team, municipality=row.municipality, trade=row.trade)
        for row in rows
    }


def _uuids(ids: Collection[str]) -> list[UUID]:
    found: list[UUID] = []
    for id_ in ids:
        try:
            found.append(UUID(id_))
        except ValueError:
            continue
    return found


OBJECTS = (
    ObjectType("duty.team", "duty.read", team_titles, "/duty/teams/{id}"),
    ObjectType("duty.function", "duty.read", function_titles, "/duty/functions/{id}"),
)
VERBS = (
    Verb(
        name="duty.on_call",
        params=OnCallAt,
        result=list[OnCall],
        permission="duty.read",
        summary="Who is on call for a function (by key or id; empty: all), now or at an instant.",
        run=rota.on_call,
    ),
    Verb(
        name="duty.hand_over",
        params=HandOver,
        result=HandedOver,
        permission="duty.manage",
        summary="Write down that a duty was handed from one member to another, with a note.",
        run=rota.hand_over,
    ),
)
