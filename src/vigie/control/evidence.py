"""What the field says of commands: acknowledgements and readings, in the ingest's transaction.

Set-wise: one look, one write, whatever the batch; one look alone when nothing is open.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.control.model import Ack, Evidence
from vigie.control.rules import (
    INTERLOCK,
    OPEN,
    TABLE,
    Event,
    Target,
    Wanted,
    apply,
    note_shown,
    proves,
)
from vigie.control.targets import PROGRESS
from vigie.core import clock
from vigie.core.database import Unit
from vigie.twin.telemetry import clear_pending

_EVENTS: dict[str, Event] = {
    "received": "received",
    "done": "done",
    "refused": "refused",
    "failed": "failed",
}
_COLUMNS = (
    "t.command, t.asset, t.function, t.state, t.already, t.sent_at, t.delivered_at, t.ended_at,"
    " t.next_send, t.watch, t.error, t.late, t.shown"
)
# Whoever waits for locks on several targets takes them in one statement, in order of asset: here
# all that a batch answers, in a request all that it supersedes. The others skip what is locked.
# So nobody waits in a circle.
_HOLD = text(
    "select count(*) from (select 1 from control.target t"
    " join unnest(cast(:commands as uuid[]), cast(:assets as int[])) as a (command, asset)"
    " on a.command = t.command and a.asset = t.asset"
    " order by t.asset, t.command for update of t) held"
)
_ANSWERED = text(
    f"select {_COLUMNS} from control.target t"  # noqa: S608
    " join unnest(cast(:commands as uuid[]),"
    " cast(:assets as int[])) as a (command, asset) on a.command = t.command and a.asset = t.asset"
    " order by t.asset, t.command for update of t"
)
_WATCHED = text(
    f"select {_COLUMNS}, c.wanted from control.target t"  # noqa: S608
    " join control.command c on c.id = t.command"
    " where t.watch and t.asset = any(:assets) and t.sent_at is not null"
    " order by t.asset for update of t skip locked"
)
_WRITE = text(
    "update control.target t set state = n.state, delivered_at = n.delivered,"
    " ended_at = n.ended, next_send = n.next, watch = n.watch,"
    " error = cast(n.error as jsonb), late = cast(n.late as jsonb), shown = n.shown"
    " from unnest(cast(:commands as uuid[]), cast(:assets as int[]), cast(:states as text[]),"
    " cast(:delivered as timestamptz[]), cast(:ended as timestamptz[]),"
    " cast(:next as timestamptz[]), cast(:watch as boolean[]), cast(:errors as text[]),"
    " cast(:late as text[]), cast(:shown as timestamptz[]))"
    " as n (command, asset, state, delivered, ended, next, watch, error, late, shown)"
    " where t.command = n.command and t.asset = n.asset"
)

_ALIKE = text(
    "update control.target set state = :state, delivered_at = coalesce(delivered_at, :now),"
    " ended_at = :ended, next_send = :next, watch = :watch"
    " where command = :command and asset = any(:assets) and state = any(:from)"
    " returning asset, function"
)
_PLAIN = {"received", "done"}
_ALIKE_FROM = 20

_Key = tuple[UUID, int]


async def acknowledge(unit: Unit, acks: Sequence[Ack]) -> list[Ack]:
    """Take what devices answered; those that answer no known command are given back."""
    by_target: dict[_Key, list[Ack]] = {}
    for ack in acks:
        by_target.setdefault((ack.command, ack.asset), []).append(ack)
    if not by_target:
        return []
    now = clock.now()
    if len(by_target) > 1:
        await unit.execute(
            _HOLD,
            {"commands": [key[0] for key in by_target], "assets": [key[1] for key in by_target]},
        )
    for key in await _acknowledge_alike(unit, by_target, now):
        del by_target[key]
    return await _acknowledge_each(unit, by_target, now) if by_target else []


async def _acknowledge_alike(
    unit: Unit, by_target: Mapping[_Key, list[Ack]], now: datetime
) -> list[_Key]:
    """The plain answers to a large command, one statement for all that answer alike; those taken.

    Only targets that the answer moves on are taken: copies, late and odd answers are not.
    """
    alike: dict[tuple[UUID, Event], list[int]] = {}
    for (command, asset), answers in by_target.items():
        events = {ack.status for ack in answers}
        if events <= _PLAIN:
            event: Event = "done" if "done" in events else "received"
            alike.setdefault((command, event), []).append(asset)
    taken: list[_Key] = []
    ended: dict[str, list[int]] = {}
    for (command, event), assets in alike.items():
        if len(assets) < _ALIKE_FROM:
            continue
        sample = Target("sent")
        apply(sample, event, now)
        moved = await unit.execute(
            _ALIKE,
            {
                "command": command,
                "assets": assets,
                "from": [state for state in OPEN if TABLE[state, event] == sample.state],
                "state": sample.state,
                "now": now,
                "ended": sample.ended_at,
                "next": sample.next_send,
                "watch": sample.watch,
            },
        )
        done = moved.fetchall()
        taken += [(command, row.asset) for row in done]
        if sample.ended_at is not None:
            for row in done:
                ended.setdefault(row.function, []).append(row.asset)
    for function, assets in ended.items():
        # Of the plain answers only `done` ends a target: the lamp did it.
        await clear_pending(unit, sorted(assets), function, shown=True)
    if taken:
        unit.wake(PROGRESS)
    return taken


async def _acknowledge_each(
    unit: Unit, by_target: Mapping[_Key, list[Ack]], now: datetime
) -> list[Ack]:
    rows = await unit.execute(
        _ANSWERED,
        {"commands": [key[0] for key in by_target], "assets": [key[1] for key in by_target]},
    )
    targets = {(row.command, row.asset): _target(row) for row in rows}
    changed: dict[_Key, Target] = {}
    unknown: list[Ack] = []
    for key, answers in by_target.items():
        target = targets.get(key)
        if target is None:
            unknown += answers
            continue
        for ack in answers:
            if apply(target, _EVENTS[ack.status], now, _detail(ack)):
                changed[key] = target
    await _write(unit, changed, now)
    return unknown


async def observe(unit: Unit, stored: Sequence[Evidence]) -> int:
    """Take what stored readings show; how many targets it moved on. A target that someone else is
    writing just now is passed over: its next reading tells the same.

    Only readings taken after the command was sent count: an older one shows an older will.
    """
    if not stored:
        return 0
    rows = (
        await unit.execute(_WATCHED, {"assets": list({evidence.asset for evidence in stored})})
    ).fetchall()
    if not rows:
        return 0
    # An asset is watched for one command a function.
    watched: dict[int, list[tuple[UUID, Target, Wanted]]] = {}
    for row in rows:
        watched.setdefault(row.asset, []).append((row.command, _target(row), row.wanted))
    changed: dict[_Key, Target] = {}
    moved: set[_Key] = set()
    now = clock.now()
    for evidence in stored:
        for command, target, wanted in watched.get(evidence.asset, ()):
            key = (command, evidence.asset)
            if note_shown(target, wanted, evidence.values, evidence.at):
                changed[key] = target
            if (
                target.sent_at is not None
                and evidence.at >= target.sent_at
                and proves(target, wanted, evidence.values)
                and apply(target, "shown", now, {"measured": evidence.at})
            ):
                changed[key] = target
                moved.add(key)
    await _write(unit, changed, now)
    return len(moved)


def _target(row: Any) -> Target:
    return Target(
        row.state,
        row.already,
        row.sent_at,
        row.delivered_at,
        row.ended_at,
        row.next_send,
        row.watch,
        row.error,
        row.late,
        row.shown,
        row.function,
    )


def _detail(ack: Ack) -> dict[str, Any]:
    detail: dict[str, Any] = {"answered": ack.at}
    if ack.code:
        # An interlock of the platform's is told by its prefix, which devices may not use.
        detail["code"] = ack.code.removeprefix(INTERLOCK)
    if ack.detail:
        detail["detail"] = ack.detail.replace("\0", "\ufffd")
    return detail


async def _write(unit: Unit, changed: Mapping[_Key, Target], now: datetime) -> None:
    if not changed:
        return
    targets = list(changed.values())
    await unit.execute(
        _WRITE,
        {
            "commands": [key[0] for key in changed],
            "assets": [key[1] for key in changed],
            "states": [target.state for target in targets],
            "delivered": _times(target.delivered_at for target in targets),
            "ended": _times(target.ended_at for target in targets),
            "next": _times(target.next_send for target in targets),
            "watch": [target.watch for target in targets],
            "errors": [_json(target.error) for target in targets],
            "late": [_json(target.late) for target in targets],
            "shown": _times(target.shown for target in targets),
        },
    )
    # Not those that only kept late evidence: another command may wait at the same asset.
    ended: dict[tuple[str, bool], list[int]] = {}
    for key, target in changed.items():
        if target.ended_at == now:
            settled = (target.function, target.state == "confirmed")
            ended.setdefault(settled, []).append(key[1])
    for (function, shown), assets in ended.items():
        await clear_pending(unit, sorted(assets), function, shown=shown)
    unit.wake(PROGRESS)


def _times(values: Any) -> list[datetime | None]:
    return list(cast("list[datetime | None]", values))


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
