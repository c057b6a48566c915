"""The verbs of control: ask, take back."""

import hashlib
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.control.model import Command, RequestCommand
from vigie.control.read import count_now, read_command
from vigie.control.rules import STATES, Wanted
from vigie.control.selection import Chosen, choose, specified
from vigie.control.topics import COMMANDS
from vigie.core import clock, journal, live
from vigie.core.database import Unit
from vigie.core.errors import Conflict
from vigie.core.ids import uuid7
from vigie.core.journal import Change
from vigie.twin.telemetry import clear_pending, set_desired

COMMANDED = "control.commanded"
CANCELLED = "control.cancelled"
SENDER = "commands"
PROGRESS = "control"
# One request at a time: two for the same lamp would each miss what the other supersedes.
_LOCK = text("select pg_advisory_xact_lock(7710430)")
# Of one person one request waits for that lock: whoever else commands waits for one command of
# theirs, not for as many as they have connections.
_TURN = text("select pg_advisory_xact_lock(7710431, hashtext(:who))")

_SAME_KEY = text(
    "select id, digest from control.command where key = :key"
    " and coalesce(requested_by, '00000000-0000-0000-0000-000000000000')"
    " = coalesce(cast(:by as uuid), '00000000-0000-0000-0000-000000000000')"
)
_COMMAND = text(
    "insert into control.command (id, verb, params, wanted, requested_by, requested_at,"
    " expires_at, entry, total, counts, parts, municipalities, trades, pairs, key, digest)"
    " values (:id, :verb, cast(:params as jsonb), cast(:wanted as jsonb), :by, :at, :expires,"
    " :entry, :total, cast(:counts as jsonb), cast(:parts as jsonb), :municipalities, :trades,"
    " :pairs, :key, :digest)"
    " on conflict (coalesce(requested_by, '00000000-0000-0000-0000-000000000000'), key)"
    " where key is not null do nothing"
)
_SUPERSEDE = text(
    "with held as (select command, asset from control.target where watch and asset = any(:assets)"
    " and function = :function"
    " order by asset for update)"
    " update control.target t set watch = false, next_send = null,"
    " state = case when t.ended_at is null then 'superseded' else t.state end,"
    " ended_at = coalesce(t.ended_at, :at)"
    " from held h where t.command = h.command and t.asset = h.asset"
)
_TARGETS = text(
    "insert into control.target"
    " (command, asset, function, municipality, trade, already, next_send)"
    " select :id, asset, :function, municipality, trade, already, :at"
    " from unnest(cast(:assets as int[]), cast(:municipalities as text[]),"
    " cast(:trades as text[]), cast(:already as boolean[]))"
    " as n (asset, municipality, trade, already)"
)
_CANCEL = text(
    "with held as (select command, asset from control.target"
    " where command = :id and ended_at is null order by asset for update)"
    " update control.target t set state = 'cancelled', ended_at = :at, next_send = null,"
    " watch = false from held h where t.command = h.command and t.asset = h.asset"
    " returning t.asset, t.function, t.municipality || '/' || t.trade as scope"
)


async def request_command(
    unit: Unit, asked: RequestCommand, *, idempotency_key: str | None = None
) -> Command:
    """Ask something of some equipment: one act, whatever their number; older commands to the same
    function of the same equipment that are still open end as superseded.

    The same key again answers with the same command. Raises NotFound when an asset is not in
    sight, Invalid when the verb, a parameter or the selection is wrong, Conflict when the key was
    used for something else; nothing is commanded then.
    """
    order = specified(asked.verb, asked.params)
    function, wanted = order.command.function, order.wanted
    digest = hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).digest()
    await unit.execute(_TURN, {"who": str(unit.principal.owner or unit.principal.id)})
    await unit.execute(_LOCK)
    if idempotency_key is not None:
        known = await _same_key(unit, idempotency_key, digest)
        if known is not None:
            return await read_command(unit, known)
    chosen = await choose(unit, asked, order)
    now = clock.now()
    made = uuid7()
    entry = await journal.record(
        unit,
        COMMANDED,
        params={"command": made, "verb": asked.verb, "params": asked.params, "total": len(chosen)},
        changes=_changes(chosen, wanted),
        reason=asked.reason,
        occurred=now,
    )
    counts = dict.fromkeys(STATES, 0) | {"requested": len(chosen)}
    parts = Counter(asset.scope for asset in chosen)
    written = await unit.execute(
        _COMMAND,
        {
            "id": made,
            "verb": asked.verb,
            "params": msgspec.json.encode(asked.params).decode(),
            "wanted": msgspec.json.encode(wanted).decode(),
            "by": unit.principal.id,
            "at": now,
            "expires": now + timedelta(seconds=asked.expires_in_s),
            "entry": entry,
            "total": len(chosen),
            "counts": msgspec.json.encode(counts).decode(),
            "parts": msgspec.json.encode({k: {"requested": n} for k, n in parts.items()}).decode(),
            "municipalities": sorted({asset.municipality for asset in chosen}),
            "trades": sorted({asset.trade for asset in chosen}),
            "pairs": sorted(parts),
            "key": idempotency_key,
            "digest": digest,
        },
    )
    if not written.rowcount:
        # Used for equipment that is out of the person's scope by now: `_same_key` cannot see it.
        raise _key_reused()
    await _write_targets(unit, made, now, function, chosen)
    value = None if order.principal is None else wanted[order.principal][0]
    await set_desired(unit, [asset.id for asset in chosen], function, value)
    await live.touched(unit, COMMANDS, made, sorted(parts))
    unit.wake(SENDER)
    unit.wake(PROGRESS)
    return await read_command(unit, made)


async def cancel_command(unit: Unit, command: UUID, reason: str) -> Command:
    """Take a command back where it has not ended: it is not sent again, and what equipment still
    answers is kept as late. Of a command that reaches beyond the caller's scope, the part inside
    is taken back. Answers with the command as it stands then.

    Raises NotFound, or Conflict when nothing is open any more.
    """
    before = await read_command(unit, command)
    now = clock.now()
    rows = (await unit.execute(_CANCEL, {"id": command, "at": now})).fetchall()
    if not rows:
        raise Conflict(
            "command_ended",
            "This command has ended: send a new one.",
            {"command": str(command)},
        )
    await clear_pending(unit, sorted(row.asset for row in rows), rows[0].function)
    await journal.record(
        unit,
        CANCELLED,
        params={"command": command, "verb": before.verb, "total": len(rows)},
        changes=[
            Change("twin.asset", str(row.asset), None, {"command": "cancelled"}, row.scope)
            for row in rows
        ],
        reason=reason,
        occurred=now,
    )
    unit.wake(PROGRESS)
    return await count_now(unit, before, now)


async def _same_key(unit: Unit, key: str, digest: bytes) -> UUID | None:
    row = (await unit.execute(_SAME_KEY, {"key": key, "by": unit.principal.id})).one_or_none()
    if row is None:
        return None
    if bytes(row.digest) != digest:
        raise _key_reused(command=str(row.id))
    return row.id


def _key_reused(**params: str) -> Conflict:
    return Conflict(
        "idempotency_key_reused",
        "This Idempotency-Key was used for another command: choose a new one.",
        dict(params),
    )


def _changes(chosen: list[Chosen], wanted: Wanted) -> list[Change]:
    after = {metric: value for metric, (value, _within) in wanted.items()}
    metric = next(iter(wanted), None)
    return [
        Change(
            "twin.asset",
            str(asset.id),
            None if metric is None or asset.desired is None else {metric: asset.desired},
            after,
            asset.scope,
        )
        for asset in chosen
    ]


async def _write_targets(
    unit: Unit, made: UUID, now: datetime, function: str, chosen: list[Chosen]
) -> None:
    assets = [asset.id for asset in chosen]
    await unit.execute(_SUPERSEDE, {"assets": assets, "function": function, "at": now})
    await unit.execute(
        _TARGETS,
        {
            "id": made,
            "at": now,
            "function": function,
            "assets": assets,
            "municipalities": [asset.municipality for asset in chosen],
            "trades": [asset.trade for asset in chosen],
            "already": [asset.already for asset in chosen],
        },
    )
