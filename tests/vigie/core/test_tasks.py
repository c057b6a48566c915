"""Tasks end, even those that let one cancellation pass."""

import asyncio
import contextlib

from vigie.core import tasks
from vigie.core.tasks import end


async def test_a_swallowed_cancellation_is_asked_again(monkeypatch) -> None:
    monkeypatch.setattr(tasks, "_AGAIN_S", 0.01)
    swallowed = 0

    async def deaf() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if swallowed == 2:
                    raise
                swallowed += 1

    async def broken() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        raise ValueError("on its way out")

    started = [asyncio.create_task(deaf()), asyncio.create_task(broken())]
    await asyncio.sleep(0)
    await end(started)
    assert swallowed == 2
    assert all(task.done() for task in started)


async def test_nothing_to_end() -> None:
    await end([])
