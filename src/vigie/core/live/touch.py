"""Which rows changed, in the order of transactions.

A touch is written in the transaction that changed the row, so it is there exactly when the change
is. Readers ask for the touches of transactions that were not over at their last look, `since`;
NATS only wakes them, and a lost message makes a screen up to a second later, never wrong.

`n` tells the touches apart: a transaction that stays open for long holds `since` back, and what it
holds back is not read twice.
"""

from collections import deque
from collections.abc import Iterable

import msgspec
from sqlalchemy import text

from vigie.core.database import Unit

WAKE = "live"
# Touches are kept this long after their transaction ended. A reader that was away for half of it
# reads everything instead.
KEPT_S = 120.0
AWAY_S = KEPT_S / 2
_MOST_AT_ONCE = 20_000

_INSERT = text(
    "insert into core.live_touch (topic, id, scopes, compartment)"
    " values (:topic, :id, :scopes, :compartment)"
)
_NOW = text(
    "select pg_snapshot_xmin(pg_current_snapshot())::text as horizon,"
    " extract(epoch from clock_timestamp())::float8 as at"
)
_SINCE = text(
    """
    select n, topic, id, scopes, compartment, changed::text::bigint as transaction
    from core.live_touch
    where changed >= cast(:since as xid8)
    and n <> all (cast(:seen as bigint[]))
    order by n
    limit :many
    """
)
_NUMBERS = text(
    "select n, changed::text::bigint as transaction from core.live_touch"
    " where changed >= cast(:since as xid8)"
)
# Those of the future are from before this database was restored into another cluster.
_PRUNE = text(
    """
    delete from core.live_touch
    where changed < cast(:before as xid8)
    or changed >= pg_snapshot_xmax(pg_current_snapshot())
    """
)


class Touched(msgspec.Struct, frozen=True):
    """A row that changed, and where it lies (see Row)."""

    id: str
    scopes: tuple[str, ...] = ()
    compartment: str = ""


async def touched(
    unit: Unit, topic: str, row: object, scope: str | Iterable[str] = "", compartment: str = ""
) -> None:
    """Tell the screens, once this unit is committed, that a row of a topic changed, came or went.

    `scope` and `compartment` are the row's own. When it moves from one part of the city to another,
    name both: whoever sees either is to look again.
    """
    await touched_all(unit, topic, [Touched(str(row), scope_keys(scope), compartment)])


async def touched_all(unit: Unit, topic: str, rows: Iterable[Touched]) -> None:
    """The same for several rows at once."""
    values = [
        {
            "topic": topic,
            "id": row.id,
            "scopes": list(row.scopes),
            "compartment": row.compartment,
        }
        for row in rows
    ]
    if values:
        await unit.execute(_INSERT, values)
        unit.wake(WAKE)


def scope_keys(scope: str | Iterable[str]) -> tuple[str, ...]:
    """A row's scope as keys; none for a row of no place."""
    if isinstance(scope, str):
        return (scope,) if scope else ()
    return tuple(scope)


class Position(msgspec.Struct, frozen=True):
    """Where a reader stands: it has read the transactions before the horizon, and some touches of
    later ones (number → transaction)."""

    horizon: str
    at: float
    seen: dict[int, int]


class Cursor:
    """How far one reader has read the touches."""

    def __init__(self) -> None:
        self._position: Position | None = None

    async def read(self, unit: Unit) -> tuple[Position, dict[str, list[Touched]] | None]:
        """What was touched since the last position, by topic; None when everything is to be read
        instead: the first time, after a long absence, or when too much was touched.

        Call `advance` with the new position once what was read is put to use. The rows themselves
        are to be read after this, in the same unit: they are then at least as new as the touches.
        """
        now = (await unit.execute(_NOW)).one()
        horizon = int(now.horizon)
        last = self._position
        if last is not None and 0 <= now.at - last.at < AWAY_S:
            found = (
                await unit.execute(
                    _SINCE,
                    {"since": last.horizon, "seen": list(last.seen), "many": _MOST_AT_ONCE},
                )
            ).fetchall()
            if len(found) < _MOST_AT_ONCE:
                seen = last.seen | {row.n: row.transaction for row in found}
                seen = {n: transaction for n, transaction in seen.items() if transaction >= horizon}
                by_topic: dict[str, list[Touched]] = {}
                for row in found:
                    by_topic.setdefault(row.topic, []).append(
                        Touched(row.id, tuple(row.scopes), row.compartment)
                    )
                return Position(now.horizon, now.at, seen), by_topic
        later = await unit.execute(_NUMBERS, {"since": now.horizon})
        return Position(now.horizon, now.at, {row.n: row.transaction for row in later}), None

    def advance(self, position: Position) -> None:
        """Everything up to there was put to use."""
        self._position = position


class Pruner:
    """Deletes touches that every reader has read."""

    def __init__(self) -> None:
        self._horizons: deque[tuple[float, str]] = deque()

    async def prune(self, unit: Unit) -> int:
        """Delete those whose transaction had ended KEPT_S ago; how many."""
        now = (await unit.execute(_NOW)).one()
        self._horizons.append((now.at, now.horizon))
        before = "0"
        while self._horizons and now.at - self._horizons[0][0] >= KEPT_S:
            before = self._horizons.popleft()[1]
        return (await unit.execute(_PRUNE, {"before": before})).rowcount
