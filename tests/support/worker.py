"""A worker process with jobs that can be killed in the middle: `python -m tests.support.worker`.

Jobs say in the file `VIGIE_TEST_LOG` what they did; the first attempts are slow enough to be hit.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import text

from vigie.core.database import Unit
from vigie.core.jobs import Claimed, Job
from vigie.core.jobs.runner import Runner
from vigie.core.rooms import Room, Rooms
from vigie.core.runtime import Runtime
from vigie.core.settings import load

LOG = Path(os.environ.get("VIGIE_TEST_LOG", "/dev/null"))
SLOW_S = float(os.environ.get("VIGIE_TEST_SLOW", "0"))


class Task(msgspec.Struct, frozen=True):
    """Which one."""

    number: int


def say(line: str) -> None:
    """One line of the log, whole."""
    with LOG.open("a", encoding="utf-8") as log:
        log.write(line + "\n")


async def outside(_runtime: Runtime, claimed: Claimed) -> None:
    """An outside call: what was sent stays sent, however this ends."""
    say(f"outside {claimed.payload.number} {claimed.attempt}")
    await asyncio.sleep(SLOW_S)


async def inside(unit: Unit, task: Task) -> None:
    """An effect in the job's own transaction."""
    await unit.execute(text("insert into effect values (:n)"), {"n": task.number})
    say(f"inside {task.number}")
    await asyncio.sleep(SLOW_S)


_SHORT: dict[str, Any] = {"payload": Task, "lease_s": 1.0, "tries": 9, "concurrency": 3}
OUTSIDE = Job("trial.outside", outside, **_SHORT)
INSIDE = Job("trial.inside", inside, inside=True, **_SHORT)
JOBS = (OUTSIDE, INSIDE)
ROOMS = Rooms([Room(name="trial", floor="base", jobs=f"{__name__}:JOBS")])


async def main() -> None:
    """Run until killed."""
    runtime = await Runtime.open(load(), "jobs", ROOMS)
    await runtime.run({"jobs": Runner(runtime).run})


if __name__ == "__main__":
    asyncio.run(main())
