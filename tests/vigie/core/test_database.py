"""The unit of work on a real PostgreSQL."""

import pytest
from sqlalchemy import text

from vigie.core.bus import Bus
from vigie.core.database import RUNTIME_ROLE, Database


async def test_runs_as_the_runtime_role(database: Database) -> None:
    async with database.unit() as unit:
        row = (await unit.execute(text("select current_user"))).scalar_one()
    assert row == RUNTIME_ROLE


async def test_after_commit_runs_only_when_it_commits(database: Database) -> None:
    told: list[str] = []
    with pytest.raises(ZeroDivisionError):
        async with database.unit() as unit:
            unit.after_commit(lambda: told.append("never"))
            raise ZeroDivisionError
    async with database.unit() as unit:
        unit.after_commit(lambda: told.append("once"))
    assert told == ["once"]


async def test_the_bus_answers(bus: Bus) -> None:
    assert bus.connected
