"""Requests at the same time: who waits for whom, and that nothing is lost between them."""

import asyncio
import random
from typing import Any

import pytest
from sqlalchemy import text

from tests.vigie.control.conftest import ANNE, BRUNO, CHENOVE, CHENOVE_ONLY, EVERYTHING, Lights
from vigie.access_points.kinds import RETRACTABLE_BOLLARD
from vigie.control import Command, RequestCommand, cancel_command, list_targets, request_command
from vigie.core.database import Database
from vigie.core.errors import Conflict
from vigie.core.runtime import Runtime
from vigie.core.scope import Principal

pytestmark = pytest.mark.usefixtures("quiet")


async def ask(
    database: Database, verb: str, assets: list[int], who: Principal = ANNE, **params: Any
) -> Command:
    async with database.unit(who, EVERYTHING) as unit:
        return await request_command(unit, RequestCommand(verb, params, "why", assets=assets))


async def states(database: Database, command: Command) -> dict[int, str]:
    async with database.unit() as unit:
        page = await list_targets(unit, command.id, limit=1000)
    return {target.asset.id: target.state for target in page.items}


async def waiting(database: Database, which: str) -> int:
    async with database.unit() as unit:
        found = await unit.execute(
            text(f"select count(*) from pg_locks where not granted and {which}")
        )
        return found.scalar_one()


async def until(database: Database, which: str, count: int) -> None:
    async with asyncio.timeout(20):
        while await waiting(database, which) < count:
            await asyncio.sleep(0.02)


async def test_what_is_urgent_waits_for_no_large_request(runtime: Runtime, lights: Lights) -> None:
    """The same person's large request is in its transaction: a bollard is lowered, and another
    person's lamp dimmed, before it ends."""
    database = runtime.database
    lamps = await lights.add(3_000, "21355")
    (bollard,) = await lights.add(1, kind="RetractableBollard", trade="access_points")
    await lights.report(bollard, RETRACTABLE_BOLLARD, barrier=0, presence=0)
    (other,) = await lights.add(1, CHENOVE)
    async with database.unit(ANNE, EVERYTHING) as unit:
        asked = RequestCommand("set_dimming_level", {"level": 40.0}, "dark", assets=lamps)
        large = await request_command(unit, asked)
        async with asyncio.timeout(30):
            urgent = await ask(database, "lower", [bollard])
            async with database.unit(BRUNO, CHENOVE_ONLY) as theirs:
                asked = RequestCommand("set_dimming_level", {"level": 50.0}, "x", assets=[other])
                small = await request_command(theirs, asked)
        assert urgent.urgent
        assert not large.urgent
    assert await states(database, urgent) == {bollard: "requested"}
    assert (await states(database, small))[other] == "requested"
    assert large.total == 3_000


async def test_of_two_for_the_same_lamp_one_waits_and_supersedes(
    database: Database, lights: Lights
) -> None:
    """Interleaved at the worst moment: the first has written everything and not committed."""
    ids = await lights.add(20)
    async with database.unit(ANNE, EVERYTHING) as unit:
        asked = RequestCommand("set_dimming_level", {"level": 10.0}, "x", assets=ids[:15])
        first = await request_command(unit, asked)
        second = asyncio.create_task(ask(database, "set_dimming_level", ids[5:], BRUNO, level=20.0))
        await until(database, "locktype in ('transactionid', 'tuple')", 1)
        assert not second.done()
    later = await second
    assert await states(database, first) == {
        asset: "superseded" if asset in ids[5:] else "requested" for asset in ids[:15]
    }
    assert set((await states(database, later)).values()) == {"requested"}


async def test_a_request_that_fails_takes_nothing_back(database: Database, lights: Lights) -> None:
    ids = await lights.add(3)
    first = await ask(database, "set_dimming_level", ids, level=10.0)
    with pytest.raises(RuntimeError):
        async with database.unit(ANNE, EVERYTHING) as unit:
            asked = RequestCommand("set_dimming_level", {"level": 70.0}, "x", assets=ids)
            await request_command(unit, asked)
            raise RuntimeError("the disk is gone")
    assert set((await states(database, first)).values()) == {"requested"}
    desired = await lights.owner.execute(
        "select distinct desired, pending from twin.intent where asset = any(%s)", [ids]
    )
    assert await desired.fetchall() == [(10.0, True)]


@pytest.mark.parametrize("seed", range(3))
async def test_overlapping_requests_leave_one_wish_each(
    database: Database, lights: Lights, seed: int
) -> None:
    """People command overlapping lights all at once, and take some back. Afterwards each light has
    at most one open order, it is the one whose wish the twin keeps, and no deadlock came about."""
    dice = random.Random(seed)
    ids = await lights.add(30)
    made: list[Command] = []

    async def one(who: Principal, level: float) -> None:
        chosen = dice.sample(ids, dice.randint(1, 25))
        await asyncio.sleep(dice.random() * 0.05)
        made.append(await ask(database, "set_dimming_level", chosen, who, level=level))
        if dice.random() < 0.3:
            try:
                async with database.unit(who, EVERYTHING) as unit:
                    await cancel_command(unit, dice.choice(made).id, "no")
            except Conflict:
                pass

    async with asyncio.timeout(120):
        await asyncio.gather(*(one((ANNE, BRUNO)[n % 2], float(n)) for n in range(12)))
    rows = await lights.owner.execute(
        "select t.asset, t.ended_at is null as open, t.watch, (c.params->>'level')::float8,"
        " i.desired, i.pending from control.target t join control.command c on c.id = t.command"
        " join twin.intent i on i.asset = t.asset and i.function = t.function"
        " where t.asset = any(%s)",
        [ids],
    )
    found = await rows.fetchall()
    open_at = [row[0] for row in found if row[1]]
    assert len(open_at) == len(set(open_at))
    for _asset, is_open, watch, level, desired, pending in found:
        assert watch == is_open
        if is_open:
            assert (desired, pending) == (level, True)


async def test_of_one_person_one_large_request_works_at_a_time(
    database: Database, lights: Lights
) -> None:
    """Else their ten requests for one lamp would hold ten connections of everyone's."""
    (dijon,) = await lights.add(1)
    async with database.unit() as busy:
        await busy.execute(
            text("insert into control.function values (:asset, 'level')"), {"asset": dijon}
        )
        first = asyncio.create_task(ask(database, "set_dimming_level", [dijon], level=1.0))
        await until(database, "locktype in ('transactionid', 'tuple')", 1)
        second = asyncio.create_task(ask(database, "set_dimming_level", [dijon], level=2.0))
        await until(database, "locktype = 'advisory'", 1)
        third = asyncio.create_task(ask(database, "set_dimming_level", [dijon], BRUNO, level=3.0))
        await until(database, "locktype in ('transactionid', 'tuple')", 2)
        assert await waiting(database, "locktype = 'advisory'") == 1
    await asyncio.gather(first, second, third)
