"""The sign of life of a process, and what to do when there is none.

The supervisor gives each role a pipe, and the role's event loop writes a byte into it each second:
a thread that computes or waits beside the loop is well, a loop that does not turn is not. The pipe
needs neither engine, since either may be what everybody waits for.

Silence is counted in the supervisor's own looks, one a second, never in time that passed: when the
machine slept, or the supervisor was stopped itself, nobody was silent for longer than one look.
"""

import asyncio
import contextlib
import faulthandler
import os
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from vigie.core.engines.secrets import append_to
from vigie.core.tasks import end

T = TypeVar("T")
# Not settings: the supervisor gives them to its children.
PIPE = "SUPERVISOR_PIPE"
STACK = "SUPERVISOR_STACK"
EVERY_S = 1.0


class Silence:
    """How many looks in a row found no sign of life."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._looks = 0
        self._seen = False

    def look(self, alive: bool) -> bool:
        """Count one look; True once it was silent for too long.

        Until its first sign a process is given twice as long: it is still starting."""
        if alive:
            self._looks, self._seen = 0, True
            return False
        self._looks += 1
        return self._looks * EVERY_S > (self._most if self._seen else 2 * self._most)

    def restart(self) -> None:
        """Another process has taken its place."""
        self._looks, self._seen = 0, False


async def beating(work: Coroutine[Any, Any, T]) -> T:
    """Run the work of a process and give signs of life meanwhile, if a supervisor wants them."""
    _answer_with_stacks()
    pipe = os.environ.pop(PIPE, "")
    if not pipe:
        return await work
    os.set_inheritable(int(pipe), False)
    beat = asyncio.create_task(_beat(int(pipe)), name="heartbeat")
    try:
        return await work
    finally:
        await end([beat])


def _answer_with_stacks() -> None:
    """On SIGQUIT, write what each thread does; faulthandler can even when the loop is stuck."""
    path = os.environ.get(STACK)
    if path is None:
        faulthandler.register(signal.SIGQUIT, all_threads=True)
    else:
        # Open for as long as the process lives: there may be no file left when it is needed.
        faulthandler.register(signal.SIGQUIT, file=append_to(Path(path)), all_threads=True)


async def _beat(pipe: int) -> None:
    while True:
        # A full pipe: the supervisor does not look just now, and will find enough.
        with contextlib.suppress(OSError):
            os.write(pipe, b".")
        await asyncio.sleep(EVERY_S)
