"""Positions and reactions: every act once, in the order it became visible, none lost."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from vigie.core import journal
from vigie.core.database import Database, Unit
from vigie.core.errors import Conflict, NotFound
from vigie.core.journal import Entry, Reaction, list_parked, retry_parked, services
from vigie.core.journal.dispatcher import register
from vigie.core.journal.reactions import step, step_parked
from vigie.core.journal.sequencer import LEADER, assign
from vigie.core.leader import lead
from vigie.core.runtime import Runtime
from vigie.core.tasks import end


async def _sequence(database: Database) -> None:
    async with lead(database, LEADER, "test") as leadership:
        while await assign(database, leadership):
            pass


async def _register(runtime: Runtime, reaction: Reaction) -> None:
    async with runtime.database.unit() as unit:
        await register(unit, reaction)


async def _positions(database: Database, entries: list[UUID]) -> list[int]:
    async with database.unit() as unit:
        rows = await unit.execute(
            text("select entry, position from journal.position where entry = any(:e)"),
            {"e": entries},
        )
        found = {row.entry: row.position for row in rows}
    return [found[entry] for entry in entries]


async def test_reverse_commits_both_reach_reactions(runtime: Runtime) -> None:
    seen: list[UUID] = []

    async def handle(unit: Unit, entry: Entry) -> None:
        seen.append(entry.id)

    reaction = Reaction("reverse", frozenset({"test.reverse"}), handle)
    await _register(runtime, reaction)
    database = runtime.database
    async with database.unit() as early:
        first = await journal.record(early, "test.reverse")
        async with database.unit() as late:
            second = await journal.record(late, "test.reverse")
        await _sequence(database)
        while await step(runtime, reaction):
            pass
        assert seen == [second]
    await _sequence(database)
    while await step(runtime, reaction):
        pass
    assert seen == [second, first]
    one, other = await _positions(database, [second, first])
    assert other == one + 1


async def test_positions_have_no_gap_under_concurrency(runtime: Runtime) -> None:
    async def act(number: int) -> None:
        try:
            async with runtime.database.unit() as unit:
                await journal.record(unit, "test.many")
                if number % 7 == 0:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    async def acts(start: int) -> None:
        for number in range(start, start + 40):
            await act(number)

    await asyncio.gather(*(acts(40 * lane) for lane in range(4)), _sequence(runtime.database))
    await _sequence(runtime.database)
    async with runtime.database.unit() as unit:
        row = await unit.execute(
            text(
                "select count(*), count(distinct position), min(position), max(position),"
                " (select count(*) from journal.entry), (select count(*) from journal.pending)"
                " from journal.position"
            )
        )
        count, distinct, least, most, entries, pending = row.one()
    assert count == distinct == most == entries
    assert (least, pending) == (1, 0)


async def test_a_deposed_sequencer_writes_nothing(runtime: Runtime) -> None:
    database = runtime.database
    async with database.unit() as unit:
        await journal.record(unit, "test.fence")
    async with lead(database, LEADER, "old") as old:
        async with database.unit() as unit:
            await unit.execute(
                text("update core.leader set epoch = epoch + 1 where name = :n"), {"n": LEADER}
            )
        with pytest.raises(Conflict, match="Another process leads"):
            await assign(database, old)
    await _sequence(database)


async def test_effect_and_cursor_commit_together_and_failures_are_parked(
    runtime: Runtime,
) -> None:
    database = runtime.database
    mended = False

    async def handle(unit: Unit, entry: Entry) -> None:
        await journal.record(unit, "test.effect", params={"of": entry.params["n"]})
        if entry.params["n"] == 1 and not mended:
            raise ValueError("cannot")

    reaction = Reaction("parking", frozenset({"test.cause"}), handle, tries=3)
    await _register(runtime, reaction)
    for number in range(3):
        async with database.unit() as unit:
            await journal.record(unit, "test.cause", params={"n": number})
    await _sequence(database)
    for _ in range(20):
        await step(runtime, reaction)
        async with database.unit() as unit:
            await unit.execute(text("update journal.cursor set next_try = null"))
    assert await _effects(database) == [0, 2]
    async with database.unit() as unit:
        (parked,) = await list_parked(unit, "parking")
    assert parked.tries == 3
    assert "ValueError: cannot" in parked.error
    mended = True
    assert not await step_parked(runtime, reaction), "nobody asked for it yet"
    async with database.unit() as unit:
        asked = await retry_parked(unit, "parking", parked.position)
    assert (asked.entry, asked.retry) == (parked.entry, True)
    assert await step_parked(runtime, reaction)
    assert await _effects(database) == [0, 1, 2]
    with pytest.raises(NotFound):
        async with database.unit() as unit:
            await retry_parked(unit, "parking", parked.position)


async def _effects(database: Database) -> list[int]:
    async with database.unit() as unit:
        rows = await unit.execute(
            text("select cast(params->>'of' as int) from journal.entry where act = 'test.effect'")
        )
        return sorted(rows.scalars())


async def test_a_failing_reaction_waits_before_its_next_try(runtime: Runtime) -> None:
    tries = 0

    async def handle(unit: Unit, entry: Entry) -> None:
        nonlocal tries
        tries += 1
        raise ValueError

    reaction = Reaction("waiting", frozenset({"test.wait"}), handle)
    await _register(runtime, reaction)
    async with runtime.database.unit() as unit:
        await journal.record(unit, "test.wait")
    await _sequence(runtime.database)
    for _ in range(5):
        await step(runtime, reaction)
    assert tries == 1


async def test_two_processes_handle_each_act_once(runtime: Runtime) -> None:
    seen: list[int] = []

    async def handle(unit: Unit, entry: Entry) -> None:
        seen.append(entry.params["n"])
        await asyncio.sleep(0)

    reaction = Reaction("twice", frozenset({"test.twice"}), handle)
    await _register(runtime, reaction)
    for number in range(20):
        async with runtime.database.unit() as unit:
            await journal.record(unit, "test.twice", params={"n": number})
    await _sequence(runtime.database)

    async def work() -> None:
        for _ in range(60):
            await step(runtime, reaction)

    await asyncio.gather(work(), work())
    assert seen == list(range(20))


async def test_the_services_run_end_to_end(runtime: Runtime) -> None:
    done = asyncio.Event()

    async def handle(unit: Unit, entry: Entry) -> None:
        done.set()

    reaction = Reaction("service", frozenset({"test.service"}), handle)
    tasks = [asyncio.create_task(run()) for run in services(runtime, [reaction]).values()]
    try:
        await asyncio.sleep(0.3)
        async with runtime.database.unit() as unit:
            await journal.record(unit, "test.service")
        await asyncio.wait_for(done.wait(), 30)
        assert runtime.component("sequencer").status == "ok"
    finally:
        await end(tasks)


def test_two_reactions_may_not_share_a_name(runtime: Runtime) -> None:
    async def handle(unit: Unit, entry: Entry) -> None: ...

    same = Reaction("same", None, handle)
    with pytest.raises(ValueError, match="same"):
        services(runtime, [same, same])
