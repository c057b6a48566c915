"""Interlocks: pure rules that refuse and explain; what becomes of a refused target."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.rooms import every_interlock
from tests.vigie.control.conftest import ANNE, EVERYTHING, Lights
from vigie.access_points.interlocks import bollard_moving, bollard_presence
from vigie.access_points.kinds import RETRACTABLE_BOLLARD
from vigie.control import (
    Command,
    Facts,
    PreviewCommand,
    RequestCommand,
    Seen,
    list_targets,
    preview_command,
    read_command,
    request_command,
)
from vigie.control.interlocks import Interlock, Refusal, judge, missing
from vigie.control.keeper import keep
from vigie.core import clock
from vigie.core.database import Database
from vigie.core.errors import TooLarge
from vigie.core.runtime import Runtime
from vigie.core.scope import Principal
from vigie.traffic.interlocks import signals_safe
from vigie.twin import kinds

pytestmark = pytest.mark.usefixtures("quiet")
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
RAISED, LOWERED, MOVING = 0, 1, 2


def facts(
    values: dict[str, Any], age_s: float = 10, near: tuple[Seen, ...] = (), **params: Any
) -> Facts:
    seen = Seen(1, "X", NOW - timedelta(seconds=age_s), values)
    return Facts("x", params, NOW, seen, None, near)


def code(refusal: Refusal | None) -> str | None:
    return None if refusal is None else refusal.code


def test_a_bollard_is_not_raised_under_a_vehicle_nor_blindly() -> None:
    assert code(bollard_presence(facts({"presence": False}))) is None
    assert code(bollard_presence(facts({"presence": True}))) == "vehicle_present"
    assert code(bollard_presence(facts({}))) == "evidence_missing"
    assert code(bollard_presence(facts({"presence": False}, age_s=400))) == "evidence_old"
    assert code(bollard_presence(facts({"presence": True}, mode="forced_open"))) is None
    assert code(bollard_presence(facts({"presence": True}, mode="automatic"))) == "vehicle_present"


def test_a_bollard_is_not_turned_back_while_it_moves() -> None:
    assert code(bollard_moving(facts({"barrier": "moving"}))) == "still_moving"
    assert code(bollard_moving(facts({"barrier": "raised"}))) is None
    assert code(bollard_moving(facts({}))) is None, "help must get through"


def test_a_junction_is_not_switched_while_somebody_works_at_it() -> None:
    well = {"mode": "flashing", "doorOpen": False}
    dark = (Seen(7, "SignalGroup", NOW, {"lampFault": True}),)
    assert code(signals_safe(facts(well, mode="normal"))) is None
    assert code(signals_safe(facts(well | {"doorOpen": True}, mode="all_red"))) == "cabinet_open"
    assert code(signals_safe(facts({"mode": "normal"}, mode="all_red"))) == "evidence_missing"
    assert code(signals_safe(facts(well, age_s=200, mode="normal"))) == "evidence_old"
    refused = signals_safe(facts(well, near=dark, mode="normal"))
    assert refused == Refusal("lamps_faulty", {"groups": [7]})
    assert code(signals_safe(facts(well, near=dark, mode="flashing"))) is None


def test_the_first_that_refuses_is_told_and_a_missing_one_refuses() -> None:
    passes, refuses = Interlock("a", lambda _: None), Interlock("b", missing)
    found = judge([passes, refuses, Interlock("c", missing)], facts({}))
    assert found is not None
    assert found.error == {"code": "interlock:b", "reason": "interlock_missing"}
    assert judge([passes], facts({})) is None


def test_every_interlock_that_a_command_names_is_declared() -> None:
    named = {name for command in kinds.commands().values() for name in command.interlocks}
    assert {"bollard_presence", "bollard_moving", "signals_safe"} <= named
    assert named <= set(every_interlock())


async def bollards(lights: Lights, *presence: float | None) -> list[int]:
    ids = await lights.add(len(presence), kind="RetractableBollard", trade="access_points")
    for asset, present in zip(ids, presence, strict=True):
        if present is not None:
            await lights.report(asset, RETRACTABLE_BOLLARD, barrier=LOWERED, presence=present)
    return ids


def fresh() -> Principal:
    return Principal(ANNE.id, ANNE.name, "user", ANNE.grants, fresh=clock.now())


async def ask(database: Database, verb: str, assets: list[int], **params: Any) -> Command:
    async with database.unit(fresh(), EVERYTHING) as unit:
        return await request_command(unit, RequestCommand(verb, params, "why", assets=assets))


async def test_a_refused_target_ends_and_the_others_go(runtime: Runtime, lights: Lights) -> None:
    database = runtime.database
    free, taken, unknown = ids = await bollards(lights, 0, 1, None)
    lowered = await ask(database, "lower", [taken])
    command = await ask(database, "raise", ids)
    assert {s: n for s, n in command.counts.items() if n} == {"requested": 1, "refused": 2}
    async with database.unit() as unit:
        found = {t.asset.id: t for t in (await list_targets(unit, command.id)).items}
        earlier = (await list_targets(unit, lowered.id)).items[0]
    assert earlier.state == "requested", "an order that was refused supersedes nothing"
    assert found[free].state == "requested"
    for asset, reason in ((taken, "vehicle_present"), (unknown, "evidence_missing")):
        target = found[asset]
        assert (target.state, target.retryable) == ("refused", False)
        assert target.error is not None
        assert target.error.code == "interlock:bollard_presence"
        assert target.error.params == {"reason": reason}
        assert target.ended_at is not None
    wanted = await lights.owner.execute(
        "select asset from twin.intent where pending and asset = any(%s) order by asset", [ids]
    )
    assert await wanted.fetchall() == [(free,), (taken,)], "of the taken one: that it be lowered"


async def test_a_command_that_is_refused_everywhere_closes(
    runtime: Runtime, lights: Lights
) -> None:
    command = await ask(runtime.database, "raise", await bollards(lights, 1, 1))
    await keep(runtime)
    async with runtime.database.unit() as unit:
        ended = await read_command(unit, command.id)
    assert ended.ended_at is not None
    assert ended.counts["refused"] == 2


async def test_a_preview_says_who_would_refuse_and_commands_nothing(
    runtime: Runtime, lights: Lights
) -> None:
    free, taken = ids = await bollards(lights, 0, 1)
    async with runtime.database.unit(ANNE, EVERYTHING) as unit:
        asked = PreviewCommand("set_mode", {"mode": "forced_closed"}, assets=ids)
        preview = await preview_command(unit, asked)
        more = PreviewCommand("set_mode", {"mode": "forced_closed"}, assets=[free])
        assert (await preview_command(unit, more)).refused == 0
    assert (preview.total, preview.by_kind) == (2, {"RetractableBollard": 2})
    assert preview.demands == ["reason", "login"]
    assert preview.refused == 1
    (refusal,) = preview.refusals
    assert (refusal.code, refusal.reason) == ("interlock:bollard_presence", "vehicle_present")
    assert (refusal.count, refusal.assets) == (1, [taken])
    rows = await lights.owner.execute(
        "select count(*) from control.target where asset = any(%s)", [ids]
    )
    assert await rows.fetchone() == (0,)


async def test_too_many_to_look_at_are_refused_before_anything_is_read(
    runtime: Runtime, lights: Lights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vigie.control.interlocks.MOST_CHECKED", 2)
    ids = await bollards(lights, 0, 0, 0)
    with pytest.raises(TooLarge) as refused:
        await ask(runtime.database, "raise", ids)
    assert refused.value.code == "too_many_interlocked"
