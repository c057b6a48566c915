"""What screens see live of commands: those under way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.control.rules import STATES
from vigie.core.database import Unit
from vigie.core.live import Row, RowTopic
from vigie.core.scope import Scope, counted

COMMANDS = "control.commands"
_MOST = 1_000

_OPEN = text(
    """
    select id, verb, params, requested_at, expires_at, total, counts, parts, pairs
    from control.command
    where ended_at is null
    and (cast(:ids as uuid[]) is null or id = any(cast(:ids as uuid[])))
    order by requested_at desc
    limit :many
    """
)


class OpenCommand(msgspec.Struct, frozen=True):
    """A command under way, as a screen sees it."""

    verb: str
    params: dict[str, Any]
    requested_at: datetime
    expires_at: datetime
    total: int
    counts: dict[str, int]


class _Whole(msgspec.Struct, frozen=True):
    """The same with its counts by scope key."""

    command: OpenCommand
    parts: dict[str, dict[str, int]]


async def load(unit: Unit, ids: Sequence[str] | None) -> list[Row]:
    """The commands under way, or those of these that are."""
    wanted = None if ids is None else [UUID(id_) for id_ in ids]
    rows = await unit.execute(_OPEN, {"ids": wanted, "many": _MOST + 1})
    return [
        Row(
            str(row.id),
            tuple(row.pairs),
            _Whole(
                OpenCommand(
                    row.verb, row.params, row.requested_at, row.expires_at, row.total,
                    {state: row.counts.get(state, 0) for state in STATES},
                ),
                row.parts,
            ),
        )
        for row in rows
    ]  # fmt: skip


def shown(whole: _Whole, scope: Scope) -> OpenCommand:
    """Whoever sees a part of the city hears of that part, and of its counts alone."""
    if scope.everything:
        return whole.command
    counts = counted(whole.parts, scope)
    return msgspec.structs.replace(
        whole.command,
        total=counts.total(),
        counts={state: counts[state] for state in STATES},
    )


TOPICS = [
    RowTopic(name=COMMANDS, permission="control.read", load=load, shown=shown, most=_MOST),
]
