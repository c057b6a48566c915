"""Storing events, in the caller's transaction. Idempotent: (asset, at, id) names an event."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import clock, live
from vigie.core.database import Unit
from vigie.twin import kinds
from vigie.twin.days import ensure, utc_day
from vigie.twin.events import declared, rules
from vigie.twin.events.model import Event, Happened, RefusedEvent, StoredEvents

TOPIC = "twin.events"
SHOWN = 200
"""The newest ones that screens keep."""
WAKE = "events"

_ASSETS = text(
    """
    select id, kind, coalesce(nullif(name, ''), source_id) as name, municipality, trade
    from twin.asset
    where id = any(:ids)
    """
)
_INSERT = text(
    """
    insert into twin.event (key, at, recorded, asset, id, name, kind, asset_name, municipality,
     trade, personal, abnormal, fields, folded)
    select key, at, recorded, asset, id, name, kind, asset_name, municipality, trade, personal,
     abnormal, fields::jsonb, folded
    from unnest(cast(:key as uuid[]), cast(:at as timestamptz[]), cast(:recorded as timestamptz[]),
     cast(:asset as int[]), cast(:id as text[]), cast(:name as text[]), cast(:kind as text[]),
     cast(:asset_name as text[]), cast(:municipality as text[]), cast(:trade as text[]),
     cast(:personal as boolean[]), cast(:abnormal as boolean[]), cast(:fields as text[]),
     cast(:folded as text[]))
     row (key, at, recorded, asset, id, name, kind, asset_name, municipality, trade, personal,
      abnormal, fields, folded)
    on conflict (at, key) do nothing
    returning key
    """
)
_INSERT_PERSONAL = text(
    """
    insert into twin.event_personal (key, at, expires, municipality, trade, fields)
    select key, at, expires, municipality, trade, fields::jsonb
    from unnest(cast(:key as uuid[]), cast(:at as timestamptz[]), cast(:expires as timestamptz[]),
     cast(:municipality as text[]), cast(:trade as text[]), cast(:fields as text[]))
     row (key, at, expires, municipality, trade, fields)
    on conflict (at, key) do nothing
    """
)
_REFUSE = text(
    """
    insert into twin.event_refused (asset, recorded, at, code, name, fields)
    values (:asset, :recorded, :at, :code, :name, cast(:fields as jsonb))
    """
)
# Those that the new ones push out of the newest: screens are to drop them.
_FALLEN = text(
    """
    select key, municipality, trade
    from twin.event
    order by at desc, key desc
    limit :many offset :shown
    """
)


class Row(msgspec.Struct):
    """An event that is as its kind declares it, as it is stored."""

    key: UUID
    event: Event
    id: str
    asset: Any
    declared: kinds.Event
    fields: dict[str, Any]


async def store(unit: Unit, events: Sequence[Event]) -> StoredEvents:
    """Write a batch; what was stored before changes nothing. True once the unit commits.

    What its kind does not declare so is kept apart and named in `refused`.
    """
    result = StoredEvents()
    found = await unit.execute(_ASSETS, {"ids": sorted({event.asset for event in events})})
    assets = {row.id: row for row in found}
    rows: dict[UUID, Row] = {}
    for event in events:
        row = _row(event, assets.get(event.asset))
        if isinstance(row, str):
            result.refused.append(RefusedEvent(event, row))
        elif row.key in rows:
            result.repeated += 1
        else:
            rows[row.key] = row
    await _keep_refused(unit, result.refused)
    # In one order, so that two writers of the same events never wait for each other in turn.
    fresh = await _insert(unit, sorted(rows.values(), key=lambda row: (row.event.at, row.key)))
    await _insert_personal(unit, fresh)
    result.fresh = [row.key for row in fresh]
    result.repeated += len(rows) - len(fresh)
    await _show(unit, fresh)
    return result


async def receive(unit: Unit, happened: Sequence[Happened], /) -> StoredEvents:
    """The same for events as a gateway hands them over: what the way in is bound to."""
    return await store(
        unit,
        [Event(e.asset, e.at, e.recorded, e.name, e.fields, e.id) for e in happened],
    )


def _row(event: Event, asset: Any) -> Row | str:
    """An event as it is stored, or the code of why it is not."""
    if asset is None:
        return "unknown_asset"
    fault = rules.time_fault(event.at, clock.now())
    if fault is not None:
        return fault
    known = declared.event_of(asset.kind, event.name)
    if known is None:
        return "unknown_event"
    fields = rules.checked(known, event.fields)
    if isinstance(fields, str):
        return fields
    id_ = rules.name_of(event).replace("\0", "")[:200]
    return Row(rules.key_of(event.asset, event.at, id_), event, id_, asset, known, fields)


async def _insert(unit: Unit, rows: Sequence[Row]) -> list[Row]:
    """Those that were not there."""
    if not rows:
        return []
    await ensure(unit, "event", {utc_day(row.event.at) for row in rows})
    shown: list[dict[str, Any]] = [{} if row.declared.personal else row.fields for row in rows]
    done = await unit.execute(
        _INSERT,
        {
            "key": [row.key for row in rows],
            "at": [row.event.at for row in rows],
            "recorded": [row.event.recorded for row in rows],
            "asset": [row.event.asset for row in rows],
            "id": [row.id for row in rows],
            "name": [row.event.name for row in rows],
            "kind": [row.asset.kind for row in rows],
            "asset_name": [row.asset.name for row in rows],
            "municipality": [row.asset.municipality for row in rows],
            "trade": [row.asset.trade for row in rows],
            "personal": [row.declared.personal for row in rows],
            "abnormal": [row.declared.abnormal for row in rows],
            "fields": [_json(fields) for fields in shown],
            "folded": [
                rules.folded(row.event, row.asset.name, fields)
                for row, fields in zip(rows, shown, strict=True)
            ],
        },
    )
    new = set(done.scalars())
    return [row for row in rows if row.key in new]


async def _insert_personal(unit: Unit, fresh: Sequence[Row]) -> None:
    rows = [row for row in fresh if row.declared.personal]
    if not rows:
        return
    await ensure(unit, "event_personal", {utc_day(row.event.at) for row in rows})
    await unit.execute(
        _INSERT_PERSONAL,
        {
            "key": [row.key for row in rows],
            "at": [row.event.at for row in rows],
            "expires": [row.event.at + timedelta(days=row.declared.keep_days) for row in rows],
            "municipality": [row.asset.municipality for row in rows],
            "trade": [row.asset.trade for row in rows],
            "fields": [_json(row.fields) for row in rows],
        },
    )


async def _keep_refused(unit: Unit, refused: Sequence[RefusedEvent]) -> None:
    if not refused:
        return
    await ensure(unit, "event_refused", {utc_day(r.event.recorded) for r in refused})
    await unit.execute(
        _REFUSE,
        [
            {
                "asset": r.event.asset,
                "recorded": r.event.recorded,
                "at": r.event.at,
                "code": r.code,
                "name": r.event.name.replace("\0", "")[:100],
                "fields": _json(r.event.fields).replace("\\u0000", ""),
            }
            for r in refused
        ],
    )


async def _show(unit: Unit, fresh: Sequence[Row]) -> None:
    """Tell the screens of the newest ones, and which fell out of them."""
    if not fresh:
        return
    newest = sorted(fresh, key=lambda row: (row.event.at, row.key))[-SHOWN:]
    fallen = await unit.execute(_FALLEN, {"shown": SHOWN, "many": min(len(fresh), SHOWN) + 20})
    await live.touched_all(
        unit,
        TOPIC,
        [
            *_touches((row.key, row.asset.municipality, row.asset.trade) for row in newest),
            *_touches((row.key, row.municipality, row.trade) for row in fallen),
        ],
    )
    unit.wake(WAKE)


def _touches(rows: Iterable[tuple[UUID, str, str]]) -> list[live.Touched]:
    return [
        live.Touched(str(key), (f"{municipality}/{trade}",)) for key, municipality, trade in rows
    ]


def _json(fields: Any) -> str:
    return msgspec.json.encode(fields).decode()
