"""Urgent before bulk, small before large, from the claim to the way down."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.vigie.control.conftest import ANNE, EVERYTHING, Lights
from vigie.access_points.kinds import RETRACTABLE_BOLLARD
from vigie.control import Command, RequestCommand, request_command, sender
from vigie.core.runtime import Runtime
from vigie.core.scope import SYSTEM
from vigie.core.tasks import end
from vigie.gateways.clients import OutCommand

pytestmark = pytest.mark.usefixtures("quiet")


class SlowOutlet:
    """A way down whose bulk waits at the first slice until it is let go."""

    def __init__(self) -> None:
        self.verbs: list[str] = []
        self.sizes: list[int] = []
        self.busy, self.go, self.urgent = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def send(self, orders: Sequence[OutCommand], /) -> None:
        self.sizes.append(len(orders))
        self.verbs += [order.verb for order in orders]
        if orders[0].verb == "lower":
            self.urgent.set()
        else:
            self.busy.set()
            await self.go.wait()


async def ask(runtime: Runtime, verb: str, assets: list[int], **params: float) -> Command:
    async with runtime.database.unit(ANNE, EVERYTHING) as unit:
        asked = RequestCommand(verb, dict(params), "why", assets=assets)
        return await request_command(unit, asked)


async def test_an_urgent_order_overtakes_a_large_one_on_its_way(
    runtime: Runtime, lights: Lights
) -> None:
    lamps = await lights.add(600)
    (bollard,) = await lights.add(1, kind="RetractableBollard", trade="access_points")
    await lights.report(bollard, RETRACTABLE_BOLLARD, barrier=0, presence=0)
    outlet = SlowOutlet()
    tasks = [
        asyncio.create_task(sender.run(runtime, outlet)),
        asyncio.create_task(sender.run_urgent(runtime, outlet)),
    ]
    try:
        await ask(runtime, "set_dimming_level", lamps, level=40.0)
        async with asyncio.timeout(20):
            await outlet.busy.wait()
            # The first slice of the large one is on its way, and stays there.
            await ask(runtime, "lower", [bollard])
            await outlet.urgent.wait()
            assert outlet.verbs.index("lower") == sender.SLICE
            outlet.go.set()
            while len(outlet.verbs) < 601:
                await asyncio.sleep(0.01)
        assert max(outlet.sizes) == sender.SLICE
    finally:
        await end(tasks)


async def test_few_go_before_many_and_neither_waits_for_ever(
    runtime: Runtime, lights: Lights
) -> None:
    many, few = await lights.add(300), await lights.add(3)
    outlet = SlowOutlet()
    outlet.go.set()
    large = await ask(runtime, "set_dimming_level", many, level=40.0)
    small = await ask(runtime, "set_dimming_level", few, level=50.0)
    orders: list[OutCommand] = []

    class Recording(SlowOutlet):
        async def send(self, some: Sequence[OutCommand], /) -> None:
            orders.extend(some)

    assert await sender.send_due(runtime, 50, outlet=Recording()) == 53
    assert [order.id for order in orders] == [small.id] * 3 + [large.id] * 50


async def test_parameters_go_down_as_words_and_flags(runtime: Runtime, lights: Lights) -> None:
    """What people write is what equipment reads; what is wanted of a point is its stored value."""
    (bollard,) = await lights.add(1, kind="RetractableBollard", trade="access_points")
    await lights.report(bollard, RETRACTABLE_BOLLARD, barrier=1, presence=0)
    async with runtime.database.unit(SYSTEM, EVERYTHING) as unit:
        asked = RequestCommand("set_mode", {"mode": "forced_closed"}, "why", assets=[bollard])
        command = await request_command(unit, asked)
    orders: list[OutCommand] = []

    class Recording(SlowOutlet):
        async def send(self, some: Sequence[OutCommand], /) -> None:
            orders.extend(some)

    await sender.send_due(runtime, outlet=Recording())
    assert [order.params for order in orders] == [{"mode": "forced_closed"}]
    row = await lights.owner.execute(
        "select c.wanted->'mode'->0, i.desired from control.command c, twin.intent i"
        " where c.id = %s and i.asset = %s and i.function = 'mode'",
        [command.id, bollard],
    )
    assert await row.fetchone() == (2.0, 2.0)
