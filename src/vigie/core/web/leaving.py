"""A read ends when its client leaves: nobody waits for it, and its statement costs the others."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from litestar import Request

from vigie.core.errors import Unavailable
from vigie.core.tasks import end


class ClientLeft(Exception):
    """Nobody is there to be answered."""


@contextlib.asynccontextmanager
async def reading(request: Request[Any, Any, Any], seconds: float) -> AsyncGenerator[None, None]:
    """Run a read until its client leaves (ClientLeft) or its time is over (Unavailable).

    Both cancel what runs: the driver then cancels the statement in the database. Not for acts:
    once sent they go through, whether or not the client stays for the answer."""
    left = False
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:

            async def watch() -> None:
                nonlocal left
                while (await request.receive())["type"] != "http.disconnect":
                    pass
                left = True
                deadline.reschedule(asyncio.get_running_loop().time())

            watcher = asyncio.create_task(watch(), name="client-leaves")
            try:
                yield
            finally:
                await end([watcher])
    except TimeoutError as error:
        if left:
            raise ClientLeft from error
        if not deadline.expired():
            raise
        raise Unavailable(
            "request_timed_out",
            f"This took longer than the {seconds:g} s that a read may: ask for less, or try again "
            "later.",
            {"seconds": seconds},
            retry_after_s=5,
        ) from error
