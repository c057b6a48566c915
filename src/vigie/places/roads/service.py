"""Closing and opening roads: verbs in the caller's unit of work, journal included."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import shapely
from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select, text

from vigie.core import clock, jobs, journal, live, search
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Fault, Forbidden, NotFound, wrong_fields
from vigie.core.ids import uuid7
from vigie.core.journal import Change
from vigie.core.objects import Title
from vigie.core.states import demand_version
from vigie.core.text import fold
from vigie.places.roads import matching, rules
from vigie.places.roads.graph import Graph
from vigie.places.roads.keeping import read_parts, roads
from vigie.places.roads.model import (
    CLOSURE,
    CloseRoad,
    DrawnArea,
    DrawnLine,
    OpenRoad,
    RoadClosure,
)

TOPIC = "places.closures"
OBJECT = "places.closure"
# A closure of more is a mistake of the pencil: a city is not closed by one line.
MOST_EDGES = 2_000
_NAMED = 20
# Beyond it screens are told of changes only (core/live).
MOST_SHOWN = 5_000

_INSERT = text(
    """
    insert into places.closure (id, streets, reason, folded, direction, closed_to, parts, drawn,
        lon, lat, metres, starts, ends, created, created_by, municipality, municipalities, trade,
        scopes)
    values (:id, :streets, :reason, :folded, :direction, :closed_to, cast(:parts as jsonb),
        cast(:drawn as jsonb), :lon, :lat, :metres, :starts, :ends, :now, :by, :municipality,
        :municipalities, :trade, :scopes)
    """
)
_END = text(
    "update places.closure set ended = :now, ended_by = :by, version = version + 1 where id = :id"
)
_PLACED = text(
    "update places.closure set parts = cast(:parts as jsonb), lost = :lost, version = version + 1"
    " where id = :id"
)


async def close_road(unit: Unit, new: CloseRoad) -> RoadClosure:
    """Close streets. Raises Invalid when none lies there or the times are no span, Forbidden
    outside the caller's scope."""
    now = clock.now()
    starts = new.starts or now
    _demand_span(starts, new.ends, now)
    held = await roads(unit)
    found = await asyncio.to_thread(_edges, held.graph, new)
    if not len(found.edges):
        field = "drawn" if new.drawn is not None else "streets"
        raise wrong_fields(
            Fault(field, "no_street_there", "no street lies there: draw along a street"),
            code="closure_without_street",
        )
    if len(found.edges) > MOST_EDGES:
        raise wrong_fields(
            Fault("drawn", "too_many", f"at most {MOST_EDGES} pieces of street at once"),
            code="closure_too_large",
            params={"limit": MOST_EDGES, "edges": len(found.edges)},
        )
    graph = held.graph
    parts = matching.parts_of(graph, found)
    metres = graph.metres[found.edges]
    own = [graph.streets[int(s)] for s in graph.street[found.edges]]
    municipalities = list(dict.fromkeys(s.insee for s in own if s.insee)) or [""]
    for code in municipalities:
        if not unit.scope.allows(code, new.trade):
            raise Forbidden(
                "place_out_of_scope",
                "You close roads in your own municipalities and trades only.",
                {"municipality": code, "trade": new.trade},
            )
    longest = int(np.argmax(metres))
    line = graph.line(int(found.edges[longest]))
    lon, lat = line[len(line) // 2].tolist()
    # The main one first, as lists and search name one.
    main = own[longest].insee or municipalities[0]
    municipalities = list(dict.fromkeys([main, *municipalities]))
    names = list(dict.fromkeys(s.name for s in own if s.name))
    values: dict[str, Any] = {
        "id": uuid7(),
        "streets": names[:_NAMED],
        "reason": new.reason.strip(),
        "folded": fold(" ".join([*names[:_NAMED], new.reason])),
        "direction": new.direction,
        "closed_to": sorted(set(new.closed_to)),
        "parts": msgspec.json.encode(parts).decode(),
        "drawn": msgspec.json.encode(new.drawn).decode() if new.drawn is not None else None,
        "lon": lon,
        "lat": lat,
        "metres": float(metres.sum()),
        "starts": starts,
        "ends": new.ends,
        "now": now,
        "by": unit.principal.name,
        "municipality": main,
        "municipalities": municipalities,
        "trade": new.trade,
        "scopes": [f"{code}/{new.trade}" for code in municipalities],
    }
    if not values["reason"]:
        raise wrong_fields(Fault("reason", "blank", "say why in a few words"))
    await unit.execute(_INSERT, values)
    made = await read_closure(unit, values["id"])
    await journal.record(
        unit,
        "places.road_closed",
        params={"streets": ", ".join(made.streets[:3]), "metres": round(made.metres)},
        reason=made.reason,
        changes=[_change(made, None, {"state": made.state, "direction": made.direction})],
    )
    await search.put(
        unit, OBJECT, str(made.id), title=_title(made), subtitle=made.reason[:200],
        words=[*made.streets, made.reason], at=made.starts, municipality=made.municipality,
        trade=made.trade,
    )  # fmt: skip
    # Screens count what is closed now: they look again when it begins and when it ends.
    for instant in (starts if starts > now else None, new.ends):
        if instant is not None:
            await jobs.defer(unit, DUE, {"closure": str(made.id)}, at=instant)
    await _touched(unit, made)
    return made


async def open_road(unit: Unit, given: OpenRoad) -> RoadClosure:
    """End a closure; one that is over stays as it ended. Raises NotFound, PreconditionFailed when
    it changed meanwhile, Forbidden where the caller does not act everywhere it lies."""
    row = (
        (await unit.execute(select(CLOSURE).where(CLOSURE.c.id == given.closure).with_for_update()))
        .mappings()
        .first()
    )
    if row is None:
        raise _no_closure(given.closure)
    before = _shown(row)
    if before.ended is not None:
        return before
    demand_version(before.version, given.version)
    if before.state == "over":
        raise Conflict("closure_over", "This closure ended by itself: the road is open.")
    for code in before.municipalities:
        if not unit.scope.allows(code, before.trade):
            raise Forbidden(
                "place_out_of_scope",
                "This closure lies in municipalities beyond your scope too.",
                {"municipality": code, "trade": before.trade},
            )
    await unit.execute(_END, {"id": before.id, "now": clock.now(), "by": unit.principal.name})
    after = await read_closure(unit, before.id)
    await journal.record(
        unit,
        "places.road_opened",
        params={"streets": ", ".join(after.streets[:3])},
        changes=[_change(after, {"state": before.state}, {"state": after.state})],
    )
    await _touched(unit, after)
    return after


async def read_closure(unit: Unit, closure: UUID) -> RoadClosure:
    """One closure. Raises NotFound."""
    found = await unit.execute(select(CLOSURE).where(CLOSURE.c.id == closure))
    row = found.mappings().first()
    if row is None:
        raise _no_closure(closure)
    return _shown(row)


async def live_rows(unit: Unit, ids: Sequence[str] | None) -> list[live.Row]:
    """Closures that last or are planned, the next first."""
    now = clock.now()
    found = select(CLOSURE).where(
        CLOSURE.c.ended.is_(None), (CLOSURE.c.ends.is_(None)) | (CLOSURE.c.ends > now)
    )
    if ids is not None:
        found = found.where(CLOSURE.c.id.in_(_uuids(ids)))
    rows = await unit.execute(found.order_by(CLOSURE.c.starts).limit(MOST_SHOWN + 1))
    return [live.Row(str(row["id"]), tuple(row["scopes"]), _shown(row)) for row in rows.mappings()]


async def titles(unit: Unit, ids: Collection[str]) -> dict[str, Title]:
    """Closures by their streets."""
    found = await unit.execute(select(CLOSURE).where(CLOSURE.c.id.in_(_uuids(ids))))
    shown = [_shown(row) for row in found.mappings()]
    return {
        str(c.id): Title(
            _title(c), c.reason[:120], c.starts, c.municipality, c.trade, state=c.state
        )
        for c in shown
    }


async def due(unit: Unit, payload: Mapping[str, Any]) -> None:
    """A closure begins or ends by itself: the screens look again."""
    found = await unit.execute(select(CLOSURE).where(CLOSURE.c.id == UUID(str(payload["closure"]))))
    if (row := found.mappings().first()) is not None:
        await _touched(unit, _shown(row))


DUE = jobs.Job("places.closure_due", run=due, inside=True)


async def place_again(unit: Unit) -> int:
    """Put the closures that are not over onto the streets as they are now; how many changed.

    What a closure closes is found by its lines; here they follow the new streets, so that the next
    import finds them too, and a closure whose streets are gone is marked as lost.
    """
    now = clock.now()
    held = await roads(unit)
    found = await unit.execute(
        select(CLOSURE)
        .where(CLOSURE.c.ended.is_(None), (CLOSURE.c.ends.is_(None)) | (CLOSURE.c.ends > now))
        .order_by(CLOSURE.c.id)
        .with_for_update()
    )
    changed = 0
    for row in found.mappings().all():
        before = read_parts(row["parts"])
        now_closed = await asyncio.to_thread(matching.of_parts, held.graph, before)
        lost = not len(now_closed.edges)
        after = before if lost else matching.parts_of(held.graph, now_closed)
        if after == before and lost == row["lost"]:
            continue
        changed += 1
        await unit.execute(
            _PLACED,
            {"id": row["id"], "parts": msgspec.json.encode(after).decode(), "lost": lost},
        )
        closure = await read_closure(unit, row["id"])
        await journal.record(
            unit,
            "places.closure_placed",
            params={"streets": ", ".join(closure.streets[:3]), "lost": lost},
            changes=[_change(closure, {"lost": row["lost"]}, {"lost": lost})],
        )
        await _touched(unit, closure)
    return changed


def _edges(graph: Graph, new: CloseRoad) -> matching.Closed:
    if isinstance(new.drawn, DrawnArea):
        if new.direction != "both":
            raise wrong_fields(
                Fault("direction", "area_has_none", "an area is closed in both directions")
            )
        found = matching.of_area(graph, _polygon(new.drawn))
    elif isinstance(new.drawn, DrawnLine):
        line = shapely.linestrings(new.drawn.coordinates)
        if shapely.length(line) == 0:
            raise wrong_fields(Fault("drawn", "no_line", "a line has two different ends"))
        found = matching.of_line(graph, line)
    else:
        found = matching.NOTHING
    whole = matching.of_streets(graph, new.streets)
    missing = [s for s in new.streets if s not in graph.streets_by_id]
    if missing:
        raise wrong_fields(
            Fault("streets", "unknown_street", f"there is no street {missing[0]} on the base map")
        )
    edges = np.concatenate([found.edges, whole.edges])
    edges, first = np.unique(edges, return_index=True)
    return matching.Closed(edges, np.concatenate([found.along, whole.along])[first])


def _polygon(drawn: DrawnArea) -> shapely.Geometry:
    shell, *holes = drawn.coordinates
    area = shapely.make_valid(shapely.Polygon(shell, holes))
    if shapely.area(area) == 0:
        raise wrong_fields(Fault("drawn", "no_area", "an area has three different corners"))
    return area


def _demand_span(starts: datetime, ends: datetime | None, now: datetime) -> None:
    if (fault := clock.fault_of(starts)) is not None:
        raise wrong_fields(Fault("starts", fault, clock.FAULTS[fault]))
    if ends is None:
        return
    if (fault := clock.fault_of(ends)) is not None:
        raise wrong_fields(Fault("ends", fault, clock.FAULTS[fault]))
    if ends <= max(starts, now):
        raise wrong_fields(
            Fault("ends", "not_after", "the end lies after the start and in the future")
        )


async def _touched(unit: Unit, closure: RoadClosure) -> None:
    keys = tuple(f"{code}/{closure.trade}" for code in closure.municipalities)
    await live.touched(unit, TOPIC, str(closure.id), keys)


def _change(closure: RoadClosure, before: Any, after: Any) -> Change:
    scope = " ".join(f"{code}/{closure.trade}" for code in closure.municipalities)
    return Change(OBJECT, str(closure.id), before, after, scope)


def _title(closure: RoadClosure) -> str:
    lon, lat = closure.point
    return ", ".join(closure.streets)[:200] or f"{lat:.5f}, {lon:.5f}"


def _no_closure(closure: UUID) -> NotFound:
    return NotFound("closure_not_found", f"There is no closure {closure}.", {"id": str(closure)})


def _uuids(ids: Collection[str]) -> list[UUID]:
    found: list[UUID] = []
    for id_ in ids:
        try:
            found.append(UUID(id_))
        except ValueError:
            continue
    return found


async def composed(unit: Unit, rows: Sequence[Any]) -> list[RoadClosure]:
    """Rows of the table as lists show them."""
    return [_shown(row._mapping) for row in rows]


def in_state(state: str) -> ColumnElement[bool]:
    """The condition of being planned, active or over, as `rules.state_of` says."""
    now = clock.now()
    over = or_(CLOSURE.c.ended.is_not(None), CLOSURE.c.ends <= now)
    if state == "over":
        return func.coalesce(over, false())
    open_ = not_(func.coalesce(over, false()))
    begun = CLOSURE.c.starts <= now
    return and_(open_, begun if state == "active" else not_(begun))


def _shown(row: Mapping[Any, Any]) -> RoadClosure:
    values = {name: row[name] for name in row if name in RoadClosure.__struct_fields__}
    values["parts"] = [list(part.line) for part in read_parts(row["parts"])]
    values["point"] = (row["lon"], row["lat"])
    values["state"] = rules.state_of(row["starts"], row["ends"], row["ended"], clock.now())
    return RoadClosure(**values)
