"""Sends what is due, and again until it is answered or expires.

A target is marked sent, with the time of its next sending, before anything leaves: a process killed
in between has promised to send again, and devices carry out an id once. Several processes may run
this: rows are claimed with `skip locked`.

Urgent orders have a claim loop of their own, so that none waits for what is claimed or published of
a large one; of the others those to a few go before those to many, each round takes of both.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from vigie.control.rules import FEW, LANES, MANY, PACE, PAUSES_S, RESEND_DELIVERED_S, URGENT
from vigie.control.targets import PROGRESS, SENDER, URGENT_SENDER
from vigie.core import clock
from vigie.core.bus import Wakeup
from vigie.core.database import Unit
from vigie.core.errors import Unavailable
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.gateways.clients import OutCommand, Outlet, Outlets, carriers
from vigie.twin.telemetry import clear_pending

log = logger(__name__)
AT_ONCE = 2_000
SLICE = 250
"""Orders that leave together: between two slices others have their turn."""

_CLAIM = text(
    "with due as ("
    " select t.command, t.asset, c.total from control.target t"
    " join control.command c on c.id = t.command"
    " where t.lane = :lane and t.next_send <= clock_timestamp() and c.expires_at > vigie.now()"
    " order by t.next_send limit :many for update of t skip locked)"
    " update control.target t set attempts = least(t.attempts + 1, 32000),"
    " state = case t.state when 'requested' then 'sent' else t.state end,"
    " sent_at = coalesce(t.sent_at, vigie.now()),"
    " next_send = clock_timestamp() + make_interval(secs => case t.state when 'delivered'"
    " then :delivered else (cast(:pauses as float8[]))[least(t.attempts + 1, :longest)] end"
    " + due.total / :pace)"
    " from due, twin.asset a"
    " where t.command = due.command and t.asset = due.asset and a.id = t.asset"
    " returning t.command, t.asset, t.function, a.token"
)
_FACTS = text(
    "select id, verb, params, requested_at, expires_at from control.command where id = any(:ids)"
)
_UNREACHABLE = text(
    "update control.target t set state = 'failed', ended_at = :at, next_send = null,"
    " watch = false, sent_at = null, error = cast(:error as jsonb)"
    " from unnest(cast(:commands as uuid[]), cast(:assets as int[])) as n (command, asset)"
    " where t.command = n.command and t.asset = n.asset and t.ended_at is null"
)


async def claim(unit: Unit, lane: int, many: int = AT_ONCE) -> tuple[int, list[OutCommand]]:
    """Mark what is due in a lane as sent; how many were claimed, and what to publish once
    committed.

    What no gateway carries fails here and says so.
    """
    rows = (
        await unit.execute(
            _CLAIM,
            {
                "many": many,
                "lane": lane,
                "delivered": RESEND_DELIVERED_S,
                "pauses": list(PAUSES_S),
                "longest": len(PAUSES_S),
                "pace": PACE,
            },
        )
    ).fetchall()
    if not rows:
        return 0, []
    unit.wake(PROGRESS)
    facts = {
        row.id: row
        for row in await unit.execute(_FACTS, {"ids": list({row.command for row in rows})})
    }
    carried = await carriers(unit, [row.asset for row in rows])
    await _fail(unit, [row for row in rows if row.asset not in carried])
    orders: list[OutCommand] = []
    for row in rows:
        carrier = carried.get(row.asset)
        if carrier is None:
            continue
        fact = facts[row.command]
        orders.append(
            OutCommand(
                carrier.protocol,
                carrier.token,
                carrier.ref or row.token,
                row.command,
                fact.verb,
                fact.params,
                fact.requested_at,
                fact.expires_at,
            )
        )
    return len(rows), orders


async def _fail(unit: Unit, rows: Sequence[Any]) -> None:
    if rows:
        await unit.execute(
            _UNREACHABLE,
            {
                "at": clock.now(),
                "error": '{"code": "no_gateway"}',
                "commands": [row.command for row in rows],
                "assets": [row.asset for row in rows],
            },
        )
        ended: dict[str, list[int]] = {}
        for row in rows:
            ended.setdefault(row.function, []).append(row.asset)
        for function, assets in ended.items():
            await clear_pending(unit, sorted(assets), function)


async def send_due(
    runtime: Runtime,
    many: int = AT_ONCE,
    lanes: Sequence[int] = LANES,
    outlet: Outlet | None = None,
) -> int:
    """Claim, commit, publish, lane by lane; how many were claimed. Raises Unavailable when an
    engine is away: what was claimed is sent again later."""
    outlet = outlet or Outlets(runtime)
    total = 0
    for lane in lanes:
        async with runtime.database.unit() as unit:
            claimed, orders = await claim(unit, lane, many)
        total += claimed
        for start in range(0, len(orders), SLICE):
            await outlet.send(orders[start : start + SLICE])
            await asyncio.sleep(0)
    return total


async def run(runtime: Runtime, outlet: Outlet | None = None) -> None:
    """The service: what is not urgent."""
    await _run(runtime, "command-sender", SENDER, (FEW, MANY), outlet)


async def run_urgent(runtime: Runtime, outlet: Outlet | None = None) -> None:
    """The service: urgent orders alone."""
    await _run(runtime, "urgent-command-sender", URGENT_SENDER, (URGENT,), outlet)


async def _run(
    runtime: Runtime, name: str, waker: str, lanes: Sequence[int], outlet: Outlet | None
) -> None:
    """On every wake-up, and twice a second for what is sent again."""
    component = runtime.component(name)
    wakeup = await Wakeup().on(runtime.bus, f"wake.{waker}")
    try:
        while True:
            try:
                claimed = await send_due(runtime, AT_ONCE, lanes, outlet)
                component.set("ok")
            except Unavailable as away:
                log.warning("commands_not_sent", cause=away.detail)
                component.set("degraded", away.code)
                claimed = 0
            if claimed < AT_ONCE:
                await wakeup.wait(0.5)
    finally:
        await wakeup.close()
