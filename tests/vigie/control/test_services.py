"""The services together: lamps that answer over NATS, people who change their mind, all at once."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
import pytest
from nats.aio.msg import Msg

from tests.vigie.control.conftest import ANNE, EVERYTHING, Ack, Lights, reading
from vigie.control import (
    RequestCommand,
    acknowledge,
    cancel_command,
    list_targets,
    observe,
    read_command,
    request_command,
    services,
)
from vigie.control.rules import ENDED
from vigie.core.errors import Conflict
from vigie.core.runtime import Runtime
from vigie.core.tasks import end

pytestmark = pytest.mark.usefixtures("quiet")


@asynccontextmanager
async def running(runtime: Runtime) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(service()) for service in services(runtime).values()]
    try:
        yield
        for task in tasks:
            assert not task.done(), task.exception()
    finally:
        await end(tasks)


class Lamps:
    """Devices that hear their commands and answer in batches, as one lane of ingest."""

    def __init__(self, runtime: Runtime, seed: int) -> None:
        self.runtime = runtime
        self.dice = random.Random(seed)
        self.assets: dict[str, int] = {}
        self.answers: list[Ack] = []
        self.executed: set[tuple[UUID, int]] = set()
        self.levels: dict[int, float] = {}

    async def know(self, lights: Lights, ids: list[int]) -> None:
        cursor = await lights.owner.execute(
            "select token, id from twin.asset where id = any(%s)", [ids]
        )
        self.assets = dict(await cursor.fetchall())  # type: ignore[arg-type]

    async def hear(self, message: Msg) -> None:
        order = msgspec.json.decode(message.data)
        asset = self.assets.get(order["device"])
        if asset is None or self.dice.random() < 0.2:
            return
        command = UUID(order["id"])
        answers = [Ack(command, asset, "received")]
        if self.dice.random() < 0.9:
            status = "done" if self.dice.random() < 0.9 else "refused"
            answers.append(Ack(command, asset, status, None if status == "done" else "interlock"))
            if status == "done":
                self.executed.add((command, asset))
                self.levels[asset] = order["params"]["level"]
        self.dice.shuffle(answers)
        self.answers += answers * self.dice.choice((1, 1, 2))

    async def lane(self, lights: Lights) -> None:
        while True:
            await asyncio.sleep(0.02)
            batch, self.answers = self.answers, []
            levels = dict(self.levels)
            for asset, level in levels.items():
                await lights.shows([asset], level)
            async with self.runtime.database.unit() as unit:
                await acknowledge(unit, batch)
                await observe(unit, [reading(asset, level) for asset, level in levels.items()])


async def test_a_storm_ends_truthfully(runtime: Runtime, lights: Lights) -> None:
    database = runtime.database
    ids = await lights.add(60)
    lamps = Lamps(runtime, 7)
    lamps.levels = dict.fromkeys(ids, -1.0)
    await lamps.know(lights, ids)
    heard = await runtime.bus.subscribe("down.>", lamps.hear)
    commands: list[UUID] = []

    async def person(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(8):
            chosen = dice.sample(ids, dice.randint(1, 50))
            asked = RequestCommand(
                "set_dimming_level",
                {"level": float(dice.randint(0, 100))},
                "storm",
                assets=chosen,
                expires_in_s=2,
            )
            async with database.unit(ANNE, EVERYTHING) as unit:
                commands.append((await request_command(unit, asked)).id)
            await asyncio.sleep(dice.random() * 0.1)
            if dice.random() < 0.3:
                try:
                    async with database.unit(ANNE, EVERYTHING) as unit:
                        await cancel_command(unit, dice.choice(commands), "no")
                except Conflict:
                    pass

    async with running(runtime):
        lane = asyncio.create_task(lamps.lane(lights))
        await asyncio.gather(*(person(seed) for seed in range(3)))
        for _ in range(300):
            await asyncio.sleep(0.1)
            async with database.unit() as unit:
                read = [await read_command(unit, command) for command in commands]
            if all(command.ended_at for command in read):
                break
        assert not lane.done(), lane.exception()
        await end([lane])
    await heard.unsubscribe()
    async with database.unit() as unit:
        for command in read:
            page = await list_targets(unit, command.id, limit=1000)
            by_state = {state: n for state, n in command.counts.items() if n}
            assert command.ended_at is not None, by_state
            assert sum(by_state.values()) == command.total == len(page.items)
            for target in page.items:
                assert target.state in ENDED
                if target.state == "confirmed":
                    assert (command.id, target.asset.id) in lamps.executed
                assert by_state[target.state] > 0
    pending = await lights.owner.execute(
        "select count(*) from twin.intent where pending and asset = any(%s)", [ids]
    )
    assert await pending.fetchone() == (0,)
