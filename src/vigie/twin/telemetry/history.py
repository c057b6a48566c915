"""Reading history: one metric of one asset, raw for a day, in buckets beyond."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from vigie.core.clock import epoch_ms
from vigie.core.database import Unit
from vigie.core.errors import Fault, NotFound, wrong_fields
from vigie.twin import kinds
from vigie.twin.kinds import Kind, Point
from vigie.twin.telemetry.model import Series

SECOND = "(date_part('epoch', {at} - timestamptz '2000-01-01 00:00:00+00')::int4)"
"""The indexed form of a time (migration 0006): write it exactly so, or no index is used."""

RAW_SPAN = timedelta(hours=24)
_RAW_MOST = 5_000
_LONGEST = timedelta(days=3660)
_STEPS = (
    (60, "min1"), (300, "min5"), (600, "min10"), (900, "min15"), (1800, "min30"),
    (3600, "hour1"), (7200, "hour2"), (10800, "hour3"), (21600, "hour6"), (43200, "hour12"),
    (86400, "day1"), (7 * 86400, "day7"), (28 * 86400, "day28"),
)  # fmt: skip

_VALUE = "h.vals[array_position(s.metrics, :metric)]"
# NaN: the message was stored under its kind's whole set and says nothing of this metric.
_ROWS = f"""
from twin.history h join twin.metric_set s on s.id = h.set and s.metrics @> array[:metric]
where h.device = :asset and h.at >= :start and h.at < :end
and {SECOND.format(at="h.at")} between {SECOND.format(at="cast(:start as timestamptz)")} - 1
and {SECOND.format(at="cast(:end as timestamptz)")} + 1
and {_VALUE} <> 'NaN'
"""
_RAW = text(f"select h.at, {_VALUE} as v {_ROWS} order by h.at limit {_RAW_MOST + 1}")
_BUCKETS = text(
    f"""
select date_bin(make_interval(secs => :step), at, timestamptz '2000-01-01 00:00:00+00') as bucket,
 avg(v) as mean, min(v) as low, max(v) as high
from (select h.at, {_VALUE}::float8 as v {_ROWS}) told group by bucket order by bucket
"""  # noqa: S608
)


async def read_history(
    unit: Unit, asset: int, metric: str, start: datetime, end: datetime, points: int
) -> Series:
    """One metric between two times, in about `points` points when the span is over a day.

    Raises NotFound (no such asset for this principal), Invalid (no such metric, bad span).
    """
    kind = await _kind(unit, asset)
    declared = kind.point(metric)
    if declared is None:
        raise wrong_fields(
            Fault("metric", "unknown_metric", "no such metric"),
            code="unknown_metric",
            detail=f"A {kind.name} has no metric {metric!r}.",
            params={"metric": metric, "kind": kind.name},
        )
    if not timedelta(0) < end - start <= _LONGEST:
        raise wrong_fields(
            Fault("from", "bad_span", "not before to"),
            code="bad_span",
            detail="`from` must be before `to`, by ten years at most.",
        )
    values: dict[str, Any] = {"asset": asset, "metric": metric, "start": start, "end": end}
    if end - start <= RAW_SPAN:
        rows = (await unit.execute(_RAW, values)).mappings().all()
        if len(rows) <= _RAW_MOST:
            return Series(
                metric,
                declared.unit,
                "raw",
                [epoch_ms(row["at"]) for row in rows],
                [row["v"] for row in rows],
            )
    return await _buckets(unit, declared, values, step_for(end - start, points))


def step_for(span: timedelta, points: int) -> tuple[int, str]:
    """The finest bucket that gives no more than `points` of them."""
    wanted = span.total_seconds() / max(points, 1)
    return next((step for step in _STEPS if step[0] >= wanted), _STEPS[-1])


async def _buckets(
    unit: Unit, metric: Point, values: dict[str, Any], step: tuple[int, str]
) -> Series:
    rows = (await unit.execute(_BUCKETS, values | {"step": step[0]})).mappings().all()
    return Series(
        metric.name,
        metric.unit,
        step[1],
        [epoch_ms(row["bucket"]) for row in rows],
        [round(row["mean"], 4) for row in rows],
        [row["low"] for row in rows],
        [row["high"] for row in rows],
    )


async def _kind(unit: Unit, asset: int) -> Kind:
    found = await unit.execute(text("select kind from twin.asset where id = :id"), {"id": asset})
    kind = kinds.kind(found.scalar() or "")
    if kind is None:
        raise NotFound("not_found", f"There is no equipment {asset}.")
    return kind
