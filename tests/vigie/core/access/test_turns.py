"""The queue in front of slow work: bounded, recognised sources first, no turn lost."""

import asyncio

import pytest

from vigie.core.access.turns import Turns
from vigie.core.errors import Unavailable


def small() -> Turns:
    return Turns(at_once=2, waiting=4, of_one_stranger=3, of_one_recognised=2)


class Line:
    """Sources that want a turn, hold it until told to go, and the order in which they got it."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.order: list[str] = []
        self.go: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def enter(self, name: str, source: str, *, recognised: bool = False) -> None:
        self.go[name] = asyncio.Event()

        async def hold() -> None:
            async with self.turns.turn(source, recognised=recognised):
                self.order.append(name)
                await self.go[name].wait()

        self.tasks[name] = asyncio.create_task(hold())
        await asyncio.sleep(0)

    async def leave(self, *names: str) -> None:
        for name in names:
            self.go[name].set()
            await self.tasks[name]
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def refused(self, name: str) -> bool:
        task = self.tasks[name]
        return task.done() and isinstance(task.exception(), Unavailable)


async def test_few_at_once_and_recognised_sources_first() -> None:
    line = Line(small())
    for name in ("a", "b", "c", "d"):
        await line.enter(name, "one address")
    await line.enter("e", "a browser", recognised=True)
    assert line.order == ["a", "b"]
    await line.leave("b")
    assert line.order == ["a", "b", "e"]
    await line.leave("a", "e", "c", "d")
    assert line.order == ["a", "b", "e", "c", "d"]


async def test_a_full_queue_refuses_with_the_time_to_come_back() -> None:
    line = Line(small())
    for i in range(5):
        await line.enter(f"x{i}", "x")
    assert not line.refused("x4")
    await line.enter("x5", "x")
    assert line.refused("x5"), "one source has its share"
    await line.enter("y", "y")
    assert not line.refused("y")
    await line.enter("z", "z")
    assert line.refused("z"), "all together have a bound"
    error = line.tasks["z"].exception()
    assert isinstance(error, Unavailable)
    assert (error.status, error.retry_after_s) == (503, 5)
    await line.enter("browser", "browser", recognised=True)
    assert not line.refused("browser")
    await line.leave("x0", "x1", "browser", "x2", "x3", "x4", "y")
    # All room is back.
    for i in range(5):
        await line.enter(f"again{i}", "x")
    await line.leave(*(f"again{i}" for i in range(5)))


@pytest.mark.parametrize("at_the_same_moment", [False, True])
async def test_a_turn_is_not_lost_with_who_gave_up(at_the_same_moment: bool) -> None:
    line = Line(small())
    for name in ("a", "b", "c", "d"):
        await line.enter(name, name)
    if at_the_same_moment:
        line.go["a"].set()
        while not line.tasks["a"].done():
            await asyncio.sleep(0)
    line.tasks["c"].cancel()
    await asyncio.wait([line.tasks["c"]])
    if not at_the_same_moment:
        await line.leave("a")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await line.leave("b", "d")
    await line.enter("e", "e")
    await line.enter("f", "f")
    assert {"e", "f"} <= set(line.order)
    await line.leave("e", "f")


async def test_who_waits_too_long_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigie.core.access.turns.LONGEST_WAIT_S", 0.01)
    line = Line(small())
    for name in ("a", "b", "c"):
        await line.enter(name, name)
    await asyncio.wait([line.tasks["c"]])
    assert line.refused("c")
    await line.leave("a", "b")
