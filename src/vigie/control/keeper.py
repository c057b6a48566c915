"""Keeps count: ends what expired, closes commands, tells screens how far they came."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.control.evidence import observe
from vigie.control.model import Evidence
from vigie.control.rules import GRACE_S, OPEN, STATES
from vigie.control.targets import PROGRESS
from vigie.control.topics import COMMANDS
from vigie.core import journal, live
from vigie.core.bus import Wakeup
from vigie.core.database import Unit
from vigie.core.journal import Change
from vigie.core.runtime import Runtime
from vigie.twin.telemetry import Evidence as Reading
from vigie.twin.telemetry import clear_pending, read_state

ENDED = "control.ended"
_AT_ONCE = 5_000
# Screens are told at most this often of all commands together.
_EVERY_S = 0.25
_LATE_EVERY = 20

_EXPIRE = text(
    "with due as (select t.command, t.asset from control.target t"
    " join control.command c on c.id = t.command"
    " where c.ended_at is null and t.ended_at is null"
    " and c.expires_at < vigie.now() - make_interval(secs => :grace)"
    " order by t.asset limit :many for update of t skip locked)"
    " update control.target t set state = 'timed_out', ended_at = vigie.now(),"
    " next_send = null from due where t.command = due.command and t.asset = due.asset"
    " returning t.asset, t.function, t.watch"
)
# One keeper at a time folds what moved.
_TAKE_TURN = text("select pg_try_advisory_xact_lock(7710433)")
_TAKE_MOVED = text(
    "with taken as (delete from control.moved where id in"
    " (select id from control.moved order by id limit :many) returning command, scope, state, n)"
    " select command, scope, state, sum(n) as n from taken group by command, scope, state"
)
_COMMANDS = text(
    "select id, total, parts, pairs, entry, verb, ended_at from control.command"
    " where id = any(:ids) order by id for update"
)
_LAST = text("select max(ended_at) from control.target where command = :id")
_UPDATE = text(
    "update control.command set counts = cast(:counts as jsonb), parts = cast(:parts as jsonb),"
    " ended_at = :ended where id = :id"
)
_MISSED = text(
    "select asset, state, error, municipality || '/' || trade as scope from control.target"
    " where command = :id and state <> 'confirmed' order by asset"
)
_UNANSWERED = text(
    "select t.asset, c.wanted from control.target t join control.command c on c.id = t.command"
    " where t.watch and t.state = 'timed_out'"
    " and t.ended_at > vigie.now() - interval '1 hour' order by t.ended_at desc limit 1000"
)


class Progress(msgspec.Struct, frozen=True):
    """How far a command came; `parts`: the same by scope key."""

    id: UUID
    counts: dict[str, int]
    total: int
    ended_at: Any
    parts: dict[str, dict[str, int]]


async def expire(unit: Unit, many: int = _AT_ONCE) -> int:
    """End what waited past its command's expiry and a short grace; how many."""
    rows = (await unit.execute(_EXPIRE, {"grace": GRACE_S, "many": many})).fetchall()
    await _settle(unit, rows)
    return len(rows)


async def _settle(unit: Unit, rows: Sequence[Any]) -> None:
    """No order waits any more at these (asset, function)."""
    ended: dict[str, list[int]] = {}
    for row in rows:
        # What waited for a second person wanted nothing yet: another order may wait there.
        if not row.watch:
            continue
        ended.setdefault(row.function, []).append(row.asset)
    for function, assets in ended.items():
        await clear_pending(unit, sorted(assets), function)


async def count(unit: Unit) -> list[Progress]:
    """Add what moved to the commands' counts, close those without an open target; those that moved.

    Nothing is counted anew: what a round costs depends on what moved, not on what is open.
    """
    if not (await unit.execute(_TAKE_TURN)).scalar_one():
        return []
    moves: dict[UUID, dict[str, Counter[str]]] = {}
    for row in await unit.execute(_TAKE_MOVED, {"many": _AT_ONCE}):
        moves.setdefault(row.command, {}).setdefault(row.scope, Counter())[row.state] = row.n
    if not moves:
        return []
    progress: list[Progress] = []
    for command in (await unit.execute(_COMMANDS, {"ids": list(moves)})).fetchall():
        parts = add_moves(command.parts, moves[command.id])
        counts: dict[str, int] = dict.fromkeys(STATES, 0)
        for states in parts.values():
            for state, n in states.items():
                counts[state] += n
        ended_at = command.ended_at
        closes = ended_at is None and not any(counts[state] for state in OPEN)
        if closes:
            ended_at = (await unit.execute(_LAST, {"id": command.id})).scalar_one()
        await unit.execute(
            _UPDATE,
            {
                "id": command.id,
                "counts": msgspec.json.encode(counts).decode(),
                "parts": msgspec.json.encode(parts).decode(),
                "ended": ended_at,
            },
        )
        if closes:
            await _close(unit, command, counts, ended_at)
        await live.touched(unit, COMMANDS, command.id, command.pairs)
        progress.append(Progress(command.id, counts, command.total, ended_at, parts))
    return progress


def add_moves(
    parts: Mapping[str, Mapping[str, int]], moves: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    """Counts by scope key and state, with what moved added; what came to nothing is left out."""
    whole: dict[str, dict[str, int]] = {}
    for scope in {**parts, **moves}:
        states = Counter(parts.get(scope, {}))
        states.update(moves.get(scope, {}))
        whole[scope] = {state: n for state, n in states.items() if n}
    return whole


async def _close(unit: Unit, command: Any, counts: dict[str, int], ended_at: Any) -> None:
    missed: list[Any] = []
    if counts["confirmed"] < command.total:
        missed = list((await unit.execute(_MISSED, {"id": command.id})).fetchall())
    await journal.record(
        unit,
        ENDED,
        params={
            "command": command.id,
            "requested": command.entry,
            "verb": command.verb,
            "counts": {state: n for state, n in counts.items() if n},
        },
        changes=[
            Change(
                "twin.asset",
                str(row.asset),
                None,
                {"command": row.state, **({"error": row.error["code"]} if row.error else {})},
                row.scope,
            )
            for row in missed
        ],
        scopes=command.pairs,
        occurred=ended_at,
    )


async def look_for_late(unit: Unit) -> int:
    """Where a command timed out, does the state known since show it done after all?"""
    rows = (await unit.execute(_UNANSWERED)).fetchall()
    if not rows:
        return 0
    evidence: list[Evidence] = []
    states = await read_state(unit, list({row.asset for row in rows}))
    for row in rows:
        state = states.get(row.asset)
        if state is None:
            continue
        # As old as the oldest of what was wanted; what else the lamp measures does not matter.
        values = {name: state.values[name] for name in row.wanted if name in state.values}
        times = [value.at for value in values.values() if value.at is not None]
        if times:
            shown = {name: v.value for name, v in values.items() if v.value is not None}
            evidence.append(Reading(state.asset, shown, min(times)))
    return await observe(unit, evidence)


async def keep(runtime: Runtime, *, late: bool = False) -> list[Progress]:
    """One round; the commands that moved."""
    async with runtime.database.unit() as unit:
        await expire(unit)
        if late:
            await look_for_late(unit)
        return await count(unit)


async def run(runtime: Runtime) -> None:
    """The service: on every wake-up, and once a second for what expires."""
    component = runtime.component("command-keeper")
    wakeup = await Wakeup().on(runtime.bus, f"wake.{PROGRESS}")
    rounds = 0
    try:
        while True:
            rounds += 1
            await keep(runtime, late=rounds % _LATE_EVERY == 0)
            component.set("ok")
            await asyncio.sleep(_EVERY_S)
            await wakeup.wait(1.0 - _EVERY_S)
    finally:
        await wakeup.close()
