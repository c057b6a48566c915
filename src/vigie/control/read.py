"""Reading commands and their targets. A command is seen by whoever may see one of its targets
(row level security on both tables); its targets outside that scope are neither listed nor
counted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from vigie.control.model import (
    Command,
    Requester,
    TargetAsset,
    TargetError,
    TargetState,
)
from vigie.control.rules import OPEN, STATES, is_retryable
from vigie.core import filters
from vigie.core.database import Unit
from vigie.core.errors import Fault, NotFound, wrong_fields
from vigie.core.journal import who_and_why
from vigie.core.lists import Column as Shown
from vigie.core.lists import Listing, ListQuery
from vigie.core.paging import Page
from vigie.core.scope import counted
from vigie.twin import kinds

_META = MetaData()
_COMMAND = Table(
    "command",
    _META,
    Column("id", Uuid, primary_key=True),
    Column("verb", Text, nullable=False),
    Column("params", JSONB),
    Column("requested_by", Uuid),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("total", Integer),
    Column("counts", JSONB),
    Column("parts", JSONB),
    Column("ended_at", DateTime(timezone=True)),
    Column("entry", Uuid),
    Column("urgent", Boolean),
    Column("approval", Uuid),
    schema="control",
)
_TARGET = Table(
    "target",
    _META,
    Column("command", Uuid, nullable=False),
    Column("asset", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("sent_at", DateTime(timezone=True)),
    Column("delivered_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("error", JSONB),
    Column("late", JSONB),
    Column("shown", DateTime(timezone=True)),
    schema="control",
).alias("t")
_ASSET = Table(
    "asset",
    _META,
    Column("id", Integer, primary_key=True),
    Column("name", Text),
    Column("source_id", Text),
    Column("token", Text),
    schema="twin",
).alias("a")
_NAME = func.coalesce(func.nullif(_ASSET.c.name, ""), _ASSET.c.source_id, "", type_=Text)
_OPEN = {"yes": _COMMAND.c.ended_at.is_(None), "no": _COMMAND.c.ended_at.is_not(None)}
_COLUMNS = (
    "id, verb, params, requested_by, requested_at, expires_at, total, counts, parts, ended_at,"
    " entry, urgent, approval"
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
    unit: Unit,
    *,
    open_: bool | None = None,
    filter_: str = "",
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Command]:
    """Commands in sight, newest first; only open or only ended ones when asked."""
    where = [] if open_ is None else [_OPEN["yes" if open_ else "no"]]
    query = ListQuery(filter_, sort, cursor, limit)
    return await COMMANDS.page(unit, query, where=where, bound=f"{open_}")


async def list_targets(
    unit: Unit,
    command: UUID,
    *,
    state: str | None = None,
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[TargetState]:
    """How far a command came at each piece of equipment in sight, by asset. Raises NotFound for
    the command, Invalid for a state there is not."""
    if state is not None and state not in STATES:
        raise wrong_fields(
            Fault("state", "unknown", "no such state"),
            code="unknown_state",
            detail=f"There is no state {state[:64]!r}; there are {', '.join(STATES)}.",
        )
    await read_command(unit, command)
    where = [_TARGET.c.command == command]
    if state is not None:
        where.append(_TARGET.c.state == state)
    query = ListQuery("", sort, cursor, limit)
    return await TARGETS.page(unit, query, where=where, bound=f"{command} {state}")


async def _complete(unit: Unit, rows: Sequence[Any]) -> list[Command]:
    authors = await who_and_why(unit, [row.entry for row in rows])
    commands: list[Command] = []
    for row in rows:
        name, reason = authors.get(row.entry, (None, None))
        total, counts = row.total, row.counts
        if not unit.scope.everything:
            counts = counted(row.parts, unit.scope)
            total = counts.total()
        commands.append(
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
                row.urgent,
                row.approval,
            )
        )
    return commands


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
        is_retryable(row.state, row.error),
    )


async def _fields(unit: Unit) -> filters.Fields:
    zone = await unit.zone()
    return filters.Fields(
        filters.Choice("verb", _COMMAND.c.verb, kinds.commands()),
        filters.Choice("open", None, _OPEN, pick=_OPEN.__getitem__),
        filters.Time("requested_at", _COMMAND.c.requested_at, zone),
        filters.Time("ended_at", _COMMAND.c.ended_at, zone),
    )


COMMANDS = Listing(
    "control.commands",
    _COMMAND,
    compose=_complete,
    fields=_fields,
    # Not by how many targets: the total counts some that the reader may not see.
    sorts={name: _COMMAND.c[name] for name in ("requested_at", "expires_at", "ended_at", "verb")},
    default="-requested_at",
    key=_COMMAND.c.id,
    export=(
        Shown("requested_at", en="Requested", fr="Demandée"),
        Shown("verb", en="Command", fr="Commande"),
        Shown("params", en="Parameters", fr="Paramètres"),
        Shown("requested_by", lambda c: c.requested_by.name, en="By", fr="Par"),
        Shown("reason", en="Reason", fr="Motif"),
        Shown("total", en="Equipment", fr="Équipements"),
        *(Shown(state, lambda c, s=state: c.counts[s]) for state in STATES),
        Shown("ended_at", en="Ended", fr="Terminée"),
        Shown("id"),
    ),
)
TARGETS = Listing(
    "control.targets",
    _TARGET.outerjoin(_ASSET, _ASSET.c.id == _TARGET.c.asset),
    row=_target,
    select=[*_TARGET.c, _NAME.label("name"), func.coalesce(_ASSET.c.token, "").label("token")],
    fields=filters.Fields(),
    sorts={
        "asset": _TARGET.c.asset,
        "name": _NAME,
        **{
            name: _TARGET.c[name]
            for name in ("state", "attempts", "sent_at", "delivered_at", "ended_at")
        },
    },
    default="asset",
    key=_TARGET.c.asset,
)
