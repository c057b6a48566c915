"""Metric sets: the names of a message's values, written once and named by number ever after."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text

from vigie.core.database import Unit
from vigie.twin.kinds import Kind
from vigie.twin.telemetry.model import MetricSet

Names = tuple[str, ...]
_MOST = 20_000


class MetricSets:
    """The sets this process met. Names come in any order; stored ones are in slot order, so a kind
    of m metrics has at most 2^m sets."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Names], MetricSet] = {}
        self._ids: dict[Names, int] = {}

    def get(self, kind: Kind, names: Names) -> MetricSet | None:
        """The set of a message; None when it must be asked of the database first."""
        return self._known.get((kind.name, names))

    async def learn(self, unit: Unit, wanted: Iterable[tuple[Kind, Names]]) -> None:
        """Give each set its number, now and for all processes."""
        wanted = list(wanted)
        if len(self._known) > _MOST:
            self._known.clear()
        for kind, names in wanted:
            slots = _slots(kind, names)
            metrics = tuple(kind.metrics[slot].name for slot in sorted(slots))
            if metrics not in self._ids:
                self._ids[metrics] = await _number(unit, metrics)
            order = tuple(sorted(range(len(slots)), key=slots.__getitem__))
            self._known[kind.name, names] = MetricSet(
                self._ids[metrics],
                kind,
                metrics,
                tuple(sorted(slots)),
                None if order == tuple(range(len(order))) else order,
            )

    def forget(self) -> None:
        """Numbers learned in a transaction that did not commit mean nothing."""
        self._known.clear()
        self._ids.clear()


def _slots(kind: Kind, names: Names) -> list[int]:
    slots: list[int] = []
    for name in names:
        slot = kind.slot(name)
        if slot is None:
            raise ValueError(f"{kind.name} has no metric {name}")
        slots.append(slot)
    return slots


async def _number(unit: Unit, metrics: Names) -> int:
    values: dict[str, Any] = {"metrics": list(metrics)}
    found = await unit.execute(
        text("select id from twin.metric_set where metrics = :metrics"), values
    )
    number = found.scalar()
    if number is None:
        made = await unit.execute(
            text(
                "insert into twin.metric_set (metrics) values (:metrics)"
                " on conflict (metrics) do update set metrics = excluded.metrics returning id"
            ),
            values,
        )
        number = made.scalar_one()
    return int(number)
