"""No change is missed, whatever order transactions end in; and none is read twice."""

from typing import Any

import pytest
from sqlalchemy import text

from vigie.core import live
from vigie.core.live import touch
from vigie.core.live.touch import Cursor, Pruner
from vigie.core.runtime import Runtime

NewRuntime = Any


async def read(runtime: Runtime, cursor: Cursor) -> list[str] | None:
    """One round of a reader."""
    async with runtime.database.unit() as unit:
        position, found = await cursor.read(unit)
    cursor.advance(position)
    return None if found is None else [one.id for one in found.get("trial", [])]


async def test_a_late_committer_is_read_and_the_others_once(runtime: Runtime) -> None:
    cursor = Cursor()
    assert await read(runtime, cursor) is None, "the first time everything is read"
    async with runtime.database.unit() as early:
        await live.touched(early, "trial", "early", "21231/lighting")
        async with runtime.database.unit() as late:
            await live.touched(late, "trial", "late", "21231/lighting")
        assert await read(runtime, cursor) == ["late"]
        assert await read(runtime, cursor) == [], "though the early one holds the horizon back"
    assert await read(runtime, cursor) == ["early"]
    assert await read(runtime, cursor) == []


async def test_a_change_undone_was_never_touched(runtime: Runtime) -> None:
    cursor = Cursor()
    await read(runtime, cursor)
    with pytest.raises(ZeroDivisionError):
        async with runtime.database.unit() as unit:
            await live.touched(unit, "trial", "undone")
            raise ZeroDivisionError
    assert await read(runtime, cursor) == []


async def test_a_round_that_failed_is_read_again(runtime: Runtime) -> None:
    cursor = Cursor()
    await read(runtime, cursor)
    async with runtime.database.unit() as unit:
        await live.touched(unit, "trial", "again")
    async with runtime.database.unit() as unit:
        await cursor.read(unit)
    assert await read(runtime, cursor) == ["again"]


async def test_after_a_long_absence_everything_is_read(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = Cursor()
    await read(runtime, cursor)
    monkeypatch.setattr(touch, "AWAY_S", 0.0)
    assert await read(runtime, cursor) is None


async def test_too_many_touches_are_read_as_everything(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = Cursor()
    await read(runtime, cursor)
    monkeypatch.setattr(touch, "_MOST_AT_ONCE", 2)
    async with runtime.database.unit() as held_back:
        await live.touched(held_back, "trial", "holds the horizon")
        async with runtime.database.unit() as unit:
            await live.touched_all(unit, "trial", [live.Touched(str(n)) for n in range(3)])
        assert await read(runtime, cursor) is None
        assert await read(runtime, cursor) == [], "once"


async def test_what_everybody_has_read_is_deleted(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def kept() -> int:
        async with runtime.database.unit() as unit:
            count = text("select count(*) from core.live_touch where id in ('old', 'open')")
            return (await unit.execute(count)).scalar_one()

    async def prune(pruner: Pruner) -> None:
        async with runtime.database.unit() as unit:
            await pruner.prune(unit)

    pruner = Pruner()
    async with runtime.database.unit() as open_:
        await live.touched(open_, "trial", "open")
        async with runtime.database.unit() as unit:
            await live.touched(unit, "trial", "old")
        await prune(pruner)
        assert await kept() == 1, "not before its time"
    monkeypatch.setattr(touch, "KEPT_S", 0.0)
    await prune(pruner)
    assert await kept() == 0


async def test_touches_of_another_cluster_are_deleted(runtime: Runtime, owner: Any) -> None:
    """A database restored elsewhere: transactions there have smaller numbers."""
    await owner.execute(
        "insert into core.live_touch (topic, id, scopes, compartment, changed)"
        " values ('trial', 'restored', '{}', '', '18446744073709551000')"
    )
    async with runtime.database.unit() as unit:
        await Pruner().prune(unit)
        left = await unit.execute(text("select 1 from core.live_touch where id = 'restored'"))
        assert left.first() is None
