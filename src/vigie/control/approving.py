"""The second person: an order that demands one waits at its targets until they approve or refuse.

The request for them is one of core.access.approvals, and may be answered there as well: a reaction
then does here what `approve` and `refuse` do at once.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from vigie.control import targets
from vigie.control.interlocks import find_refusals
from vigie.control.model import Command
from vigie.control.read import count_now, read_command
from vigie.control.rules import lane_of
from vigie.control.selection import Chosen, changes_of, read_again, specified
from vigie.core import access, clock, journal
from vigie.core.access import NewApproval
from vigie.core.database import Unit
from vigie.core.errors import Conflict, VigieError
from vigie.core.journal import Change, Entry, Reaction

ACT = "control.command"
APPROVED = "control.approved"
DISAPPROVED = "control.disapproved"

_ROW = text("select id, verb, params, total, lasts_s, approval from control.command where id = :id")
_OF_APPROVAL = text("select id from control.command where approval = :approval")
_HOLDS = text("update control.command set expires_at = :expires where id = :id")
_REFUSE = text(
    "with held as (select command, asset from control.target"
    " where command = :id and state = 'awaiting_approval' order by asset for update)"
    " update control.target t set state = 'cancelled', ended_at = :at"
    " from held h where t.command = h.command and t.asset = h.asset"
    " returning t.asset, t.municipality || '/' || t.trade as scope"
)


async def ask(
    unit: Unit, command: UUID, verb: str, params: dict[str, Any], chosen: list[Chosen], reason: str
) -> UUID:
    """Ask for a second person who may command all of it; the request's id."""
    municipalities = {asset.municipality for asset in chosen}
    trades = {asset.trade for asset in chosen}
    request = await access.ask(
        unit,
        unit.house.catalogue,
        NewApproval(
            ACT,
            ACT,
            str(command),
            {"verb": verb, "params": params, "total": len(chosen)},
            "control.command",
            municipalities.pop() if len(municipalities) == 1 else "",
            trades.pop() if len(trades) == 1 else "",
            reason=reason,
        ),
    )
    return request.id


async def approve(unit: Unit, command: UUID) -> Command:
    """Agree to somebody else's order: it goes out where no interlock refuses it by now.

    Raises NotFound, Forbidden for one's own order, Conflict when nothing of it waits any more.
    """
    return await _decide(unit, command, "approved")


async def refuse(unit: Unit, command: UUID) -> Command:
    """Refuse somebody else's order: what waits of it is taken back. Raises as `approve` does."""
    return await _decide(unit, command, "refused")


async def withdraw(unit: Unit, command: UUID) -> None:
    """What waited is taken back: nobody need answer any more. Only its asker withdraws a request;
    that of others runs out."""
    row = (await unit.execute(_ROW, {"id": command})).one()
    if row.approval is None:
        return
    try:
        async with unit.attempt():
            await access.decide(unit, unit.house.catalogue, row.approval, "withdrawn")
    except VigieError:
        return


async def _decide(unit: Unit, command: UUID, decision: str) -> Command:
    before = await read_command(unit, command)
    if before.approval is None or not await targets.waiting(unit, command):
        raise Conflict(
            "nothing_to_approve",
            "Nothing of this command waits for a second person.",
            {"command": str(command)},
        )
    await access.decide(unit, unit.house.catalogue, before.approval, decision)
    await (_let_go(unit, command) if decision == "approved" else _take_back(unit, command))
    return await count_now(unit, before, clock.now())


async def _let_go(unit: Unit, command: UUID) -> None:
    ids = await targets.waiting(unit, command)
    if not ids:
        return
    row = (await unit.execute(_ROW, {"id": command})).one()
    order = specified(row.verb, row.params)
    chosen = await read_again(unit, order, ids)
    refused = await find_refusals(unit, order.command, row.params, [a.id for a in chosen])
    now = clock.now()
    going = targets.Going(command, order, now, lane_of(order.command, row.total))
    free = await targets.release(unit, going, chosen, refused)
    await journal.record(
        unit,
        APPROVED,
        params={"command": command, "verb": row.verb, "params": row.params, "total": len(free)},
        changes=changes_of(free, order.wanted),
        scopes=sorted({asset.scope for asset in chosen}),
        occurred=now,
    )
    await unit.execute(_HOLDS, {"id": command, "expires": now + timedelta(seconds=row.lasts_s)})


async def _take_back(unit: Unit, command: UUID) -> None:
    now = clock.now()
    rows = (await unit.execute(_REFUSE, {"id": command, "at": now})).fetchall()
    if not rows:
        return
    await journal.record(
        unit,
        DISAPPROVED,
        params={"command": command, "total": len(rows)},
        changes=[
            Change("twin.asset", str(row.asset), None, {"command": "cancelled"}, row.scope)
            for row in rows
        ],
        occurred=now,
    )
    unit.wake(targets.PROGRESS)


async def _follow(unit: Unit, entry: Entry) -> None:
    """Decided at /approvals: the same as deciding here. What is done already is not done again."""
    if entry.params.get("act") != ACT:
        return
    found = await unit.execute(_OF_APPROVAL, {"approval": entry.params["approval"]})
    command = found.scalar_one_or_none()
    if command is None:
        return
    approved = entry.params["decision"] == "approved"
    await (_let_go(unit, command) if approved else _take_back(unit, command))


REACTIONS = (
    Reaction("control.approvals", frozenset({"access.approval_decided"}), _follow, from_now=False),
)
