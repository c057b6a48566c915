"""Writing acts: kept whole, in the act's own transaction, never changed by the runtime."""

import time
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from vigie.core import journal
from vigie.core.bus import Bus, Wakeup
from vigie.core.database import Database
from vigie.core.errors import Invalid
from vigie.core.ids import uuid7
from vigie.core.journal import Change, Personal
from vigie.core.runtime import Runtime
from vigie.core.scope import EVERYTHING, Grant, Principal

ANNE = Principal(uuid7(), "anne", "user", (Grant("operator", "21231", "lighting"),))


async def _one(database: Database, entry: UUID) -> dict[str, object]:
    async with database.unit() as unit:
        row = await unit.execute(text("select * from journal.entry where id = :id"), {"id": entry})
        return dict(row.mappings().one())


async def test_keeps_who_when_why_and_what(database: Database) -> None:
    async with database.unit(ANNE, EVERYTHING, request_id="r-1") as unit:
        entry = await journal.record(
            unit,
            "control.commanded",
            params={"level": 40, "note": "a\\u0000b"},
            changes=[
                Change("asset", "1", {"level": 10}, {"level": 40}, "21231/lighting"),
                Change("asset", "2", None, {"level": 40}, "21054/lighting"),
            ],
            reason="Too dark\nbehind the 'school' \\ gate",
            personal={"caller": Personal("Zoé", "person:7")},
        )
    row = await _one(database, entry)
    assert row["act"] == "control.commanded"
    assert row["actor_id"] == ANNE.id
    assert row["actor_name"] == ""
    assert row["role"] == "operator"
    assert row["request_id"] == "r-1"
    assert row["scopes"] == ["21054/lighting", "21231/lighting"]
    assert row["changes"] == 2
    assert set(row["personal"]) == {"reason", "actor", "caller"}  # type: ignore[call-overload]
    async with database.unit() as unit:
        kept = await unit.execute(
            text("select field, subject, value from journal.personal where entry = :e"),
            {"e": entry},
        )
        assert {tuple(r) for r in kept} == {
            ("reason", f"user:{ANNE.id}", "Too dark\nbehind the 'school' \\ gate"),
            ("actor", f"user:{ANNE.id}", "anne"),
            ("caller", "person:7", "Zoé"),
        }


async def test_an_act_rolled_back_never_was(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.unit() as unit:
            entry = await journal.record(unit, "test.never", changes=[Change("asset", "1")] * 60)
            raise ZeroDivisionError
    async with database.unit() as unit:
        for table in ("change", "pending", "personal"):
            found = await unit.execute(
                text(f"select count(*) from journal.{table} where entry = :e"), {"e": entry}
            )
            assert found.scalar_one() == 0


async def test_a_long_list_goes_by_copy(database: Database) -> None:
    awkward = 'tab\t, newline\n, backslash \\N, "quote", é'
    changes = [
        Change("asset", f"{number}", {"level": 0.1 * number, "note": awkward}, {"level": 70})
        for number in range(34_000)
    ]
    async with database.unit() as unit:
        started = time.perf_counter()
        entry = await journal.record(unit, "test.large", changes=changes)
        print(f"34,000 changes in {time.perf_counter() - started:.2f} s")
        row = await unit.execute(
            text(
                "select count(*), min(before->>'note'), max(before->>'note'), max(ordinal)"
                " from journal.change where entry = :e"
            ),
            {"e": entry},
        )
        assert tuple(row.one()) == (34_000, awkward, awkward, 33_999)


@pytest.mark.parametrize(
    "statement",
    [
        "update journal.entry set act = 'x'",
        "delete from journal.entry",
        "truncate journal.entry",
        "update journal.change set after = null",
        "delete from journal.change",
        "update journal.position set position = 1",
        "delete from journal.position",
        "update journal.block set digest = ''",
        "delete from journal.block",
        "update journal.personal set value = ''",
        "delete from journal.entry_other",
        "drop table journal.entry_other",
        "select journal.drop_month('2020-01-01')",
    ],
)
async def test_the_runtime_cannot_rewrite_it(database: Database, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        async with database.unit() as unit:
            await unit.execute(text(statement))


async def test_refuses_what_postgresql_cannot_keep(database: Database) -> None:
    for arguments in ({"reason": "a\0b"}, {"params": {"k": "\0"}}):
        with pytest.raises(Invalid) as refused:
            async with database.unit() as unit:
                await journal.record(unit, "test.nul", **arguments)
        assert refused.value.code == "nul_character"


async def test_wakes_the_sequencer_after_the_commit(runtime: Runtime, bus: Bus) -> None:
    heard = await Wakeup().on(bus, "wake.journal")
    await bus.client.flush()
    async with runtime.database.unit() as unit:
        await journal.record(unit, "test.wake")
        await journal.record(unit, "test.wake")
    started = time.perf_counter()
    await heard.wait(5)
    assert time.perf_counter() - started < 4


async def test_months_are_made_ahead_and_strays_are_kept(
    database: Database, owner: psycopg.AsyncConnection
) -> None:
    async with database.unit() as unit:
        made = await unit.execute(text("select journal.ensure_months(current_date + 365, 2)"))
        assert made.scalar_one() == 8
        again = await unit.execute(text("select journal.ensure_months(current_date + 365, 2)"))
        assert again.scalar_one() == 0
