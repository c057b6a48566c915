"""Reading the latest state, and telling what a command wants of it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from vigie.core import clock
from vigie.core.database import Unit
from vigie.twin import kinds
from vigie.twin.kinds import Kind
from vigie.twin.model import Value
from vigie.twin.telemetry.model import AssetState, Wanted

INTENT = "intent"
"""Woken (`wake.intent`) when what is wanted of equipment changes."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_READ = text(
    """
    select a.id, a.kind, s.at, s.vals,
     case when s.ats is not null
      then array(select date_part('epoch', told) from unnest(s.ats) told) end as times,
     (select jsonb_agg(jsonb_build_array(i.function, i.desired, i.pending, i.shown))
      from twin.intent i where i.asset = a.id) as wanted
    from twin.asset a
    left join twin.state s on s.asset = a.id
    where a.id = any(:ids)
    """
)


async def read_state(unit: Unit, assets: Sequence[int]) -> dict[int, AssetState]:
    """The latest state of the assets that this principal may see."""
    rows = (await unit.execute(_READ, {"ids": list(assets)})).mappings().all()
    now = clock.now()
    return {
        row["id"]: AssetState(
            row["id"],
            row["at"],
            _values(row["kind"], row["at"], row["vals"], row["times"], now),
            {
                function: Wanted(value, pending, shown)
                for function, value, pending, shown in row["wanted"] or ()
            },
        )
        for row in rows
    }


async def set_desired(
    unit: Unit, assets: Iterable[int], function: str, value: float | None
) -> None:
    """An order wants this of a function of these assets (the value of the point that shows it, None
    when nothing does), and waits for evidence."""
    await unit.execute(
        text(
            """
            insert into twin.intent (asset, function, desired, pending)
            select asset, :function, cast(:value as float8), true
            from unnest(cast(:assets as int[])) asset order by asset
            on conflict (asset, function) do update set desired = excluded.desired, pending = true,
             shown = false, changed = pg_current_xact_id()
            """
        ),
        {"assets": list(assets), "function": function, "value": value},
    )
    unit.wake(INTENT)


async def clear_pending(
    unit: Unit, assets: Iterable[int], function: str, *, shown: bool = False
) -> None:
    """No order for this function waits for these assets any more; what was wanted stays known.
    Where they have `shown` it, what they do later by their own programme is no surprise."""
    await unit.execute(
        text(
            "update twin.intent set pending = false, shown = :shown,"
            " changed = pg_current_xact_id()"
            " where asset = any(:assets) and function = :function and pending"
        ),
        {"assets": list(assets), "function": function, "shown": shown},
    )
    unit.wake(INTENT)


def is_stale(kind: Kind, slot: int, at: datetime, now: datetime) -> bool:
    """True when a value is older than its kind promises; what is told on change never is."""
    promise = kind.points[slot].promise_s
    return promise is not None and (now - at).total_seconds() > promise


def _values(
    name: str,
    at: datetime | None,
    vals: list[float] | None,
    times: list[float] | None,
    now: datetime,
) -> dict[str, Value]:
    kind = kinds.kind(name)
    if kind is None or at is None or vals is None:
        return {}
    told: dict[str, Value] = {}
    for slot, metric in enumerate(kind.points[: len(vals)]):
        value: Any = vals[slot]
        if value != value:
            continue
        when = at if times is None else _EPOCH + timedelta(seconds=times[slot])
        told[metric.name] = Value(value, when, metric.unit, is_stale(kind, slot, when, now))
    return told
