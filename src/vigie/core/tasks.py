"""Ending tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

_AGAIN_S = 3.0


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until all have ended; what they raise is dropped.

    Asked once, a task may go on: `asyncio.wait_for` of Python 3.11, which libraries use too,
    swallows a cancellation that comes in the moment in which what it waits for ends. So those
    that remain are asked again; what they still have to put in order has a while in between.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=_AGAIN_S)
        for task in ended:
            if not task.cancelled():
                task.exception()
