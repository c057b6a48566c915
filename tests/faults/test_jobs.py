"""Workers are killed with -9 in the middle of their jobs: nothing is lost, what is inside happens
exactly once, what is outside at least once, and a repetition says that it is one."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from tests.support import worker
from vigie.core import jobs
from vigie.core.database import Database
from vigie.core.settings import Settings

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
ROOT = Path(__file__).parents[2]
MANY = 6
SAY = """
select name, state, attempt, count(*) from core.job group by 1, 2, 3 order by 1, 2, 3
"""


def start(settings: Settings, log: Path, slow_s: float) -> subprocess.Popen[bytes]:
    """A worker of its own process."""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("VIGIE_")},
        "VIGIE_VAR": settings.var,
        "VIGIE_DATABASE_URL": settings.database_url,
        "VIGIE_NATS_PORT": str(settings.nats_port),
        "VIGIE_TEST_LOG": str(log),
        "VIGIE_TEST_SLOW": str(slow_s),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.worker"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )


def lines(log: Path) -> list[list[str]]:
    """What jobs said so far."""
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


async def test_killed_workers_lose_nothing(
    settings: Settings, database: Database, owner: psycopg.AsyncConnection, tmp_path: Path
):
    await owner.execute("create table effect (number int)")
    await owner.execute("grant insert on effect to vigie_runtime")
    log = tmp_path / "log"
    async with database.unit() as unit:
        for number in range(MANY):
            await jobs.defer(unit, worker.OUTSIDE, worker.Task(number))
            await jobs.defer(unit, worker.INSIDE, worker.Task(number))
    # The first worker is slow, and killed once jobs of both kinds are in their middle.
    process = start(settings, log, 60)
    try:
        async with asyncio.timeout(60):
            while {kind for kind, *_ in lines(log)} != {"outside", "inside"}:
                assert process.poll() is None, "the worker ended by itself"
                await asyncio.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    interrupted = {(kind, number) for kind, number, *_ in lines(log)}
    assert await (await owner.execute("select count(*) from effect")).fetchone() == (0,)
    process = start(settings, log, 0)
    try:
        async with asyncio.timeout(60):
            while True:
                row = await owner.execute("select count(*) from core.job where state <> 'done'")
                if await row.fetchone() == (0,):
                    break
                await asyncio.sleep(0.1)
    except TimeoutError:
        found = await (await owner.execute(SAY)).fetchall()
        pytest.fail(f"not all were run: {found}")
    finally:
        process.kill()
        process.wait()
    effects = await (await owner.execute("select number from effect")).fetchall()
    assert sorted(effects) == [(number,) for number in range(MANY)]
    sent = [(number, attempt) for kind, number, *attempts in lines(log) for attempt in attempts
            if kind == "outside"]  # fmt: skip
    assert {number for number, _ in sent} == {str(number) for number in range(MANY)}
    # Each repetition says which attempt it is; what was not interrupted was sent once.
    assert max(Counter(sent).values()) == 1
    twice = {number for number, attempt in sent if attempt == "2"}
    assert twice == {number for kind, number in interrupted if kind == "outside"}
    assert twice
