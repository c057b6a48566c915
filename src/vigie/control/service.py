"""The verbs of control: ask, look ahead, take back."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.control import approving, targets
from vigie.control.interlocks import Refused, find_refusals
from vigie.control.model import (
    Command,
    CommandPreview,
    CommandRefusal,
    PreviewCommand,
    RequestCommand,
)
from vigie.control.read import count_now, read_command
from vigie.control.rules import STATES, URGENT, demands_of, lane_of
from vigie.control.selection import Chosen, changes_of, choose, specified
from vigie.control.topics import COMMANDS
from vigie.core import access, clock, journal, live
from vigie.core.access import demand_fresh
from vigie.core.database import Unit
from vigie.core.errors import Conflict, TooLarge
from vigie.core.ids import uuid7
from vigie.core.journal import Change
from vigie.twin.telemetry import clear_pending

COMMANDED = "control.commanded"
CANCELLED = "control.cancelled"
MOST_APPROVED = 1_000
"""Equipment that one order for two people goes to at most."""
_SHOWN = 20
# Of one person one request works at a time, and one urgent beside it: whoever else commands the
# same equipment waits for one command of theirs, not for as many as they have connections.
_TURN = text("select pg_advisory_xact_lock(:lane, hashtext(:who))")
_BULK_TURN, _URGENT_TURN = 7710431, 7710432

_SAME_KEY = text(
    "select id, digest from control.command where key = :key"
    " and coalesce(requested_by, '00000000-0000-0000-0000-000000000000')"
    " = coalesce(cast(:by as uuid), '00000000-0000-0000-0000-000000000000')"
)
_COMMAND = text(
    "insert into control.command (id, verb, params, wanted, requested_by, requested_at,"
    " expires_at, lasts_s, entry, total, counts, parts, municipalities, trades, pairs, key, digest,"
    " urgent, approval)"
    " values (:id, :verb, cast(:params as jsonb), cast(:wanted as jsonb), :by, :at, :expires,"
    " :lasts, :entry, :total, cast(:counts as jsonb), cast(:parts as jsonb), :municipalities,"
    " :trades, :pairs, :key, :digest, :urgent, :approval)"
    " on conflict (coalesce(requested_by, '00000000-0000-0000-0000-000000000000'), key)"
    " where key is not null do nothing"
)
_CANCEL = text(
    "with held as (select command, asset, watch from control.target"
    " where command = :id and ended_at is null order by asset for update)"
    " update control.target t set state = 'cancelled', ended_at = :at, next_send = null,"
    " watch = false from held h where t.command = h.command and t.asset = h.asset"
    " returning t.asset, t.function, t.municipality || '/' || t.trade as scope, h.watch as watched"
)


async def request_command(
    unit: Unit, asked: RequestCommand, *, idempotency_key: str | None = None
) -> Command:
    """Ask something of some equipment: one act, whatever their number. Older commands to the same
    function of the same equipment that are still open end as superseded; where an interlock refuses
    the target ends as refused. A command that demands a second person waits for them.

    The same key again answers with the same command. Raises NotFound when an asset is not in
    sight, Invalid when the verb, a parameter or the selection is wrong, Forbidden when it demands a
    fresh login, Conflict when the key was used for something else; nothing is commanded then.
    """
    order = specified(asked.verb, asked.params)
    digest = hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).digest()
    turn = _URGENT_TURN if order.command.urgent else _BULK_TURN
    await unit.execute(_TURN, {"lane": turn, "who": str(unit.principal.person)})
    if idempotency_key is not None:
        earlier = await _same_key(unit, idempotency_key, digest)
        if earlier is not None:
            return await read_command(unit, earlier)
    if order.command.demands != "reason":
        demand_fresh(unit)
    # The platform itself asks nobody.
    waits = order.command.demands == "second" and unit.principal.kind != "system"
    chosen = await choose(unit, asked, order, hold=not waits)
    refused = await find_refusals(unit, order.command, asked.params, [asset.id for asset in chosen])
    free = [asset for asset in chosen if asset.id not in refused]
    now, command = clock.now(), uuid7()
    lasts = timedelta(seconds=asked.expires_in_s)
    approval = None
    if waits and free:
        if len(free) > MOST_APPROVED:
            raise TooLarge(
                "too_many_to_approve",
                f"{asked.verb} needs a second person, and goes to {MOST_APPROVED} assets at most.",
                {"limit": MOST_APPROVED, "verb": asked.verb},
            )
        lasts_until = now + access.LASTS
        approval = await approving.ask(unit, command, asked.verb, asked.params, free, asked.reason)
    else:
        lasts_until = now + lasts
    entry = await journal.record(
        unit,
        COMMANDED,
        params={"command": command, "verb": asked.verb, "params": asked.params,
                "total": len(chosen)}
        | ({"approval": approval} if approval else {}),
        changes=_waiting(free) if approval else changes_of(free, order.wanted),
        scopes=sorted({asset.scope for asset in chosen}),
        reason=asked.reason,
        occurred=now,
    )  # fmt: skip
    state = "awaiting_approval" if approval else "requested"
    parts = _parts(chosen, refused, state)
    counts: Counter[str] = Counter()
    for states in parts.values():
        counts.update(states)
    lane = lane_of(order.command, len(chosen))
    written = await unit.execute(
        _COMMAND,
        {
            "id": command,
            "verb": asked.verb,
            "params": msgspec.json.encode(asked.params).decode(),
            "wanted": msgspec.json.encode(order.wanted).decode(),
            "by": unit.principal.id,
            "at": now,
            "expires": lasts_until,
            "lasts": asked.expires_in_s,
            "entry": entry,
            "total": len(chosen),
            "counts": msgspec.json.encode({s: counts[s] for s in STATES}).decode(),
            "parts": msgspec.json.encode(parts).decode(),
            "municipalities": sorted({asset.municipality for asset in chosen}),
            "trades": sorted({asset.trade for asset in chosen}),
            "pairs": sorted(parts),
            "key": idempotency_key,
            "digest": digest,
            "urgent": lane == URGENT,
            "approval": approval,
        },
    )
    if not written.rowcount:
        # Used for equipment that is out of the person's scope by now: `_same_key` cannot see it.
        raise _key_reused()
    going = targets.Going(command, order, now, lane)
    await targets.write(unit, going, chosen, refused, waits=approval is not None)
    await live.touched(unit, COMMANDS, command, sorted(parts))
    return await read_command(unit, command)


async def preview_command(unit: Unit, asked: PreviewCommand) -> CommandPreview:
    """What a command would do just now; nothing is written. Raises as `request_command` does for a
    faulty request."""
    order = specified(asked.verb, asked.params)
    chosen = await choose(unit, asked, order)
    refused = await find_refusals(unit, order.command, asked.params, [asset.id for asset in chosen])
    return CommandPreview(
        len(chosen),
        dict(Counter(asset.kind for asset in chosen)),
        len(refused),
        _refusals(refused),
        demands_of(order.command),
        lane_of(order.command, len(chosen)) == URGENT,
    )


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
    # What waited for a second person wanted nothing yet: another order may wait there.
    watched = sorted(row.asset for row in rows if row.watched)
    await clear_pending(unit, watched, rows[0].function)
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
    unit.wake(targets.PROGRESS)
    after = await count_now(unit, before, now)
    if before.approval is not None and before.requested_by.id == unit.principal.person:
        await approving.withdraw(unit, command)
    return after


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


def _waiting(chosen: Sequence[Chosen]) -> list[Change]:
    return [
        Change("twin.asset", str(asset.id), None, {"command": "awaiting_approval"}, asset.scope)
        for asset in chosen
    ]


def _parts(
    chosen: Sequence[Chosen], refused: Mapping[int, Refused], state: str
) -> dict[str, dict[str, int]]:
    """How many targets are in which state, by scope key."""
    parts: dict[str, Counter[str]] = {}
    for asset in chosen:
        parts.setdefault(asset.scope, Counter())["refused" if asset.id in refused else state] += 1
    return {key: dict(states) for key, states in parts.items()}


def _refusals(refused: Mapping[int, Refused]) -> list[CommandRefusal]:
    groups: dict[tuple[str, str], list[int]] = {}
    for asset, why in refused.items():
        groups.setdefault((why.error["code"], why.refusal.code), []).append(asset)
    return [
        CommandRefusal(code, reason, len(assets), sorted(assets)[:_SHOWN])
        for (code, reason), assets in sorted(groups.items())
    ]
