"""Reading commands and their targets. A command is seen by whoever may see one of its targets
(row level security on both tables); its targets outside that scope are neither listed nor
counted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.control.model import Command, Requester, TargetAsset, TargetError, TargetState
from vigie.control.rules import OPEN, STATES
from vigie.core.database import Unit
from vigie.core.errors import Invalid, NotFound
from vigie.core.journal import who_and_why
from vigie.core.paging import Cursor, Page
from vigie.core.scope import counted

COMMANDS = Cursor("commands", datetime, UUID)
TARGETS = Cursor("commands.targets", int)
_COLUMNS = (
    "id, verb, params, requested_by, requested_at, expires_at, total, counts, parts, ended_at,"
    " entry"
)


async def read_command(unit: Unit, command: UUID) -> Command:
    """One command. Raises NotFound when it is not, or none of its targets is in sight."""
    rows = (
        await unit.execute(
            text(f"select {_COLUMNS} from control.command where id = :id"),  # noqa: S608
            {"id": command},
        )
    ).fetchall()
    if not rows:
        raise NotFound(
            "command_not_found", f"There is no command {command}.", {"command": str(command)}
        )
    return (await _complete(unit, rows))[0]


async def count_now(unit: Unit, command: Command, now: datetime) -> Command:
    """A command as its targets in sight stand at this moment; the kept counts follow within a
    second. `ended_at` moves only when all of its targets are in sight."""
    rows = (
        await unit.execute(
            text(
                "select t.state, count(*) as n, c.total from control.target t"
                " join control.command c on c.id = t.command where c.id = :id"
                " group by t.state, c.total"
            ),
            {"id": command.id},
        )
    ).all()
    counts = dict.fromkeys(STATES, 0) | {row.state: row.n for row in rows}
    in_sight = bool(rows) and sum(counts.values()) == rows[0].total
    whole = in_sight and not any(counts[state] for state in OPEN)
    ended_at = command.ended_at or (now if whole else None)
    return msgspec.structs.replace(command, counts=counts, ended_at=ended_at)


async def list_commands(
    unit: Unit, *, open_: bool | None = None, cursor: str | None = None, limit: int = 100
) -> Page[Command]:
    """Commands in sight, newest first; only open or only ended ones when asked."""
    conditions = ["true"]
    if open_ is not None:
        conditions.append("ended_at is null" if open_ else "ended_at is not null")
    after = COMMANDS.decode(cursor)
    if after:
        conditions.append("(requested_at, id) < (:at, :id)")
    rows = await unit.execute(
        text(
            f"select {_COLUMNS} from control.command where {' and '.join(conditions)}"  # noqa: S608
            " order by requested_at desc, id desc limit :limit"
        ),
        {
            "limit": limit + 1,
            "at": after[0] if after else None,
            "id": after[1] if after else None,
        },
    )
    commands = await _complete(unit, rows.fetchall())
    return COMMANDS.page(commands, limit, key=lambda command: (command.requested_at, command.id))


async def list_targets(
    unit: Unit,
    command: UUID,
    *,
    state: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[TargetState]:
    """How far a command came at each piece of equipment in sight, by asset. Raises NotFound for
    the command, Invalid for a state there is not."""
    if state is not None and state not in STATES:
        raise Invalid(
            "unknown_state",
            f"There is no state {state[:64]!r}; there are {', '.join(STATES)}.",
            errors=[{"field": "state", "code": "unknown", "message": "no such state"}],
        )
    await read_command(unit, command)
    after = TARGETS.decode(cursor)
    rows = (
        await unit.execute(
            text(
                "select t.*, coalesce(nullif(a.name, ''), a.source_id, '') as name,"
                " coalesce(a.token, '') as token from control.target t"
                " left join twin.asset a on a.id = t.asset"
                " where t.command = :command and t.asset > :after"
                " and (cast(:state as text) is null or t.state = :state)"
                " order by t.asset limit :limit"
            ),
            {
                "command": command,
                "after": after[0] if after else 0,
                "state": state,
                "limit": limit + 1,
            },
        )
    ).fetchall()
    targets = [_target(row) for row in rows]
    return TARGETS.page(targets, limit, key=lambda target: (target.asset.id,))


async def _complete(unit: Unit, rows: Sequence[Any]) -> list[Command]:
    told = await who_and_why(unit, [row.entry for row in rows])
    made: list[Command] = []
    for row in rows:
        name, reason = told.get(row.entry, (None, None))
        total, counts = row.total, row.counts
        if not unit.scope.everything:
            counts = counted(row.parts, unit.scope)
            total = counts.total()
        made.append(
            Command(
                row.id,
                row.verb,
                row.params,
                Requester(row.requested_by, name),
                row.requested_at,
                row.expires_at,
                reason,
                total,
                {state: counts.get(state, 0) for state in STATES},
                row.ended_at,
                row.entry,
            )
        )
    return made


def _target(row: Any) -> TargetState:
    error = None
    if row.error is not None:
        params = {name: value for name, value in row.error.items() if name != "code"}
        error = TargetError(row.error["code"], params)
    return TargetState(
        TargetAsset(row.asset, row.name, row.token),
        row.state,
        row.attempts,
        row.sent_at,
        row.delivered_at,
        row.ended_at,
        error,
        row.late is not None,
        row.late,
        row.shown,
    )
