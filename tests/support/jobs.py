"""Running deferred work in process."""

import asyncio

from sqlalchemy import text

from vigie.core.jobs.runner import Runner
from vigie.core.runtime import Runtime

_OPEN = text(
    "select count(*) from core.job where state in ('waiting', 'running')"
    " and due < now() + interval '1 second' and (held is null or held < now())"
)


async def drain(runtime: Runtime, within_s: float = 20.0) -> None:
    """Run what is due until nothing is; retries that pause longer than a second are left."""
    runner = Runner(runtime)
    async with asyncio.timeout(within_s):
        while True:
            await runner.start_due()
            if runner.running:
                await asyncio.wait(list(runner.running))
                continue
            async with runtime.database.unit() as unit:
                if not (await unit.execute(_OPEN)).scalar_one():
                    return
            await asyncio.sleep(0.05)
