"""Writing what an order wants of its targets: the older orders for the same function give way."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.control.interlocks import Refused
from vigie.control.rules import URGENT
from vigie.control.selection import Chosen, Order
from vigie.core.database import Unit
from vigie.twin.telemetry import set_desired

SENDER = "commands"
URGENT_SENDER = "commands-urgent"
PROGRESS = "control"

# Of the order's own only those that wait for a second person; of others those still watched.
_SUPERSEDE = text(
    "with held as (select command, asset from control.target where watch and asset = any(:assets)"
    " and function = :function"
    " order by asset for update)"
    " update control.target t set watch = false, next_send = null,"
    " state = case when t.ended_at is null then 'superseded' else t.state end,"
    " ended_at = coalesce(t.ended_at, :at)"
    " from held h where t.command = h.command and t.asset = h.asset"
)
_INSERT = text(
    "insert into control.target (command, asset, function, municipality, trade, already, lane,"
    " state, watch, next_send, ended_at, error)"
    " select :id, n.asset, :function, n.municipality, n.trade, n.already, :lane, n.state,"
    " n.state = 'requested', case when n.state = 'requested' then cast(:at as timestamptz) end,"
    " case when n.state = 'refused' then cast(:at as timestamptz) end, cast(n.error as jsonb)"
    " from unnest(cast(:assets as int[]), cast(:municipalities as text[]),"
    " cast(:trades as text[]), cast(:already as boolean[]), cast(:states as text[]),"
    " cast(:errors as text[]))"
    " as n (asset, municipality, trade, already, state, error)"
)
_HOLD_WAITING = text(
    "select t.asset from control.target t"
    " where t.asset = any(:assets) and t.function = :function"
    " and (t.watch or (t.command = :id and t.state = 'awaiting_approval'))"
    " order by t.asset, t.command for update"
)
_STILL_WAITING = text(
    "select asset from control.target where command = :id and state = 'awaiting_approval'"
    " order by asset"
)
_RELEASE = text(
    "update control.target t set state = 'requested', watch = true, next_send = :at,"
    " already = n.already"
    " from unnest(cast(:assets as int[]), cast(:already as boolean[])) as n (asset, already)"
    " where t.command = :id and t.asset = n.asset and t.state = 'awaiting_approval'"
)
_REFUSE = text(
    "update control.target t set state = 'refused', ended_at = :at, error = cast(n.error as jsonb)"
    " from unnest(cast(:assets as int[]), cast(:errors as text[])) as n (asset, error)"
    " where t.command = :id and t.asset = n.asset and t.state = 'awaiting_approval'"
)
# Looked at by the keeper although nothing moved.
_LOOK = text(
    "insert into control.moved (command, scope, state, n) values (:id, :scope, 'refused', 0)"
)


class Going(msgspec.Struct, frozen=True):
    """An order on its way to targets: its id, what it is, since when, by which lane."""

    id: UUID
    order: Order
    at: datetime
    lane: int


async def write(
    unit: Unit, going: Going, chosen: Sequence[Chosen], refused: Mapping[int, Refused], *,
    waits: bool,
) -> None:  # fmt: skip
    """Write the targets of a new order: those that an interlock refused end at once; the others go
    out, or wait for a second person and leave older orders alone until then."""
    free = [asset for asset in chosen if asset.id not in refused]
    if free and not waits:
        await _take_over(unit, going, free)
    await unit.execute(
        _INSERT,
        {
            "id": going.id,
            "at": going.at,
            "function": going.order.command.function,
            "lane": going.lane,
            "assets": [asset.id for asset in chosen],
            "municipalities": [asset.municipality for asset in chosen],
            "trades": [asset.trade for asset in chosen],
            "already": [asset.already for asset in chosen],
            "states": [
                "refused" if asset.id in refused
                else "awaiting_approval" if waits else "requested"
                for asset in chosen
            ],
            "errors": [_error(refused.get(asset.id)) for asset in chosen],
        },
    )  # fmt: skip
    if not free:
        await unit.execute(_LOOK, {"id": going.id, "scope": chosen[0].scope})
    wake(unit, going.lane)


async def waiting(unit: Unit, command: UUID) -> list[int]:
    """The targets that wait for a second person."""
    return list((await unit.execute(_STILL_WAITING, {"id": command})).scalars())


async def release(
    unit: Unit, going: Going, chosen: Sequence[Chosen], refused: Mapping[int, Refused]
) -> list[Chosen]:
    """Let targets go that waited for a second person; those that do. `chosen` is held."""
    await unit.execute(
        _HOLD_WAITING,
        {
            "id": going.id,
            "assets": [asset.id for asset in chosen],
            "function": going.order.command.function,
        },
    )
    still = set(await waiting(unit, going.id))
    free = [asset for asset in chosen if asset.id in still and asset.id not in refused]
    stopped = [asset for asset in chosen if asset.id in still and asset.id in refused]
    if stopped:
        await unit.execute(
            _REFUSE,
            {
                "id": going.id,
                "at": going.at,
                "assets": [asset.id for asset in stopped],
                "errors": [_error(refused[asset.id]) for asset in stopped],
            },
        )
    if free:
        await _take_over(unit, going, free)
        await unit.execute(
            _RELEASE,
            {
                "id": going.id,
                "at": going.at,
                "assets": [asset.id for asset in free],
                "already": [asset.already for asset in free],
            },
        )
    wake(unit, going.lane)
    return free


async def _take_over(unit: Unit, going: Going, free: Sequence[Chosen]) -> None:
    """Older orders for the function give way, and the twin keeps what is wanted now."""
    order, assets = going.order, [asset.id for asset in free]
    function = order.command.function
    await unit.execute(_SUPERSEDE, {"assets": assets, "function": function, "at": going.at})
    value = None if order.principal is None else order.wanted[order.principal][0]
    await set_desired(unit, assets, function, value)


def wake(unit: Unit, lane: int) -> None:
    """Something goes out, and counts move."""
    unit.wake(URGENT_SENDER if lane == URGENT else SENDER)
    unit.wake(PROGRESS)


def _error(refused: Refused | None) -> str | None:
    return None if refused is None else msgspec.json.encode(refused.error).decode()
