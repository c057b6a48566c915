"""Metric sets: the names of a message's values, written once and named by number ever after.

A row of history keeps the number of its set and nothing else of its names, so a number must mean
the same for ever. Only numbers on disk are cached: one given in a unit that rolls back is given
again, to another set. The numbers are a smallint (decision 11): once `OWN_SETS` are given, a
message with names not seen together before is stored under its kind's whole set, with NaN for what
it does not say.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text

from vigie.core.database import Unit
from vigie.core.errors import Unavailable
from vigie.twin.kinds import Kind
from vigie.twin.telemetry.model import MetricSet

Names = tuple[str, ...]
OWN_SETS = 24_000
"""Numbers up to here go to any set; the rest is kept for the whole sets of kinds to come."""
LAST = 32_767
_MOST = 20_000
_LOCK = text("select pg_advisory_xact_lock(7710421)")
_FIND = text("select id from twin.metric_set where metrics = :metrics")
_GIVE = text(
    """
    insert into twin.metric_set (id, metrics)
    select coalesce(max(id), 0) + 1, cast(:metrics as text[])
    from twin.metric_set
    having coalesce(max(id), 0) < :most
    returning id
    """
)
_COUNT = text("select coalesce(max(id), 0) from twin.metric_set")


class MetricSets:
    """The sets this process met. Names come in any order; stored ones are in slot order, so a kind
    of m metrics has at most 2^m sets."""

    def __init__(self) -> None:
        self._cached: dict[tuple[str, Names], MetricSet] = {}
        self._ids: dict[Names, int] = {}
        self.version = 0
        """Moves when cached sets were dropped: what was drawn from them must be, too."""

    def get(self, kind: Kind, names: Names) -> MetricSet | None:
        """The set of a message; None when it must be asked of the database first."""
        return self._cached.get((kind.name, names))

    async def learn(self, unit: Unit, wanted: Iterable[tuple[Kind, Names]]) -> None:
        """Give each set its number, now and for all processes; `get` has it once the unit is
        committed. Raises Unavailable when no number is left for a kind."""
        ids: dict[Names, int] = {}
        found: dict[tuple[str, Names], MetricSet] = {}
        for kind, names in wanted:
            slots = _slots(kind, names)
            metrics = tuple(kind.points[slot].name for slot in sorted(slots))
            whole = tuple(metric.name for metric in kind.points)
            fill: tuple[int, ...] | None = None
            number = self._ids.get(metrics) or ids.get(metrics)
            if number is None:
                number = await _number(unit, metrics, LAST if metrics == whole else OWN_SETS)
                if number is not None:
                    ids[metrics] = number
            if number is None:
                number = await _number(unit, whole, LAST)
                if number is None:
                    raise _none_left(kind)
                fill = tuple(sorted(slots))
            order = tuple(sorted(range(len(slots)), key=slots.__getitem__))
            found[kind.name, names] = MetricSet(
                number,
                kind,
                metrics,
                tuple(sorted(slots)),
                None if order == tuple(range(len(order))) else order,
                None if fill is None else len(whole),
            )
        unit.after_commit(lambda: self._keep(ids, found))

    def forget(self) -> None:
        """Trust nothing but the database: it may be another than the one that gave the numbers."""
        self._cached.clear()
        self._ids.clear()
        self.version += 1

    def _keep(self, ids: dict[Names, int], found: dict[tuple[str, Names], MetricSet]) -> None:
        if len(self._cached) > _MOST:
            self._cached.clear()
        self._ids |= ids
        self._cached |= found


async def numbers_given(unit: Unit) -> int:
    """How many numbers were given to sets; from `OWN_SETS` on, messages are padded."""
    return int((await unit.execute(_COUNT)).scalar_one())


def _slots(kind: Kind, names: Names) -> list[int]:
    slots: list[int] = []
    for name in names:
        slot = kind.slot(name)
        if slot is None:
            raise ValueError(f"{kind.name} has no metric {name}")
        slots.append(slot)
    return slots


async def _number(unit: Unit, metrics: Names, most: int) -> int | None:
    """The number of a set, given now if need be; None when `most` are given. Numbers are given one
    at a time and in a row: a unit that rolls back costs none."""
    values: dict[str, Any] = {"metrics": list(metrics)}
    number = (await unit.execute(_FIND, values)).scalar()
    if number is None:
        await unit.execute(_LOCK)
        number = (await unit.execute(_FIND, values)).scalar()
    if number is None:
        number = (await unit.execute(_GIVE, values | {"most": most})).scalar()
    return None if number is None else int(number)


def _none_left(kind: Kind) -> Unavailable:
    return Unavailable(
        "metric_sets_exhausted",
        f"No number is left for the metrics of {kind.name}: {LAST} sets are in use.",
        {"kind": kind.name, "most": LAST},
    )
