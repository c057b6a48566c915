"""An installation of an older revision, with its data, becomes one of today: nothing is lost."""

import asyncio
import gzip
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from tests.conftest import Engines
from vigie import places
from vigie.app import every_room
from vigie.control import list_commands
from vigie.core import journal
from vigie.core.database import Database
from vigie.core.engines.postgres import LOGIN, OWNER, binaries
from vigie.core.ids import token
from vigie.core.migrate import migrate
from vigie.core.scope import EVERYTHING, Grant, Principal

OLD = Path(__file__).parents[1] / "data" / "old"
Rows = dict[str, list[dict[str, Any]]]
# What a migration writes again on purpose: the revision itself, and folded text to search in.
REWRITTEN = {
    "core.revision": {"version_num"},
    "twin.asset": {"folded"},
    "places.street": {"folded"},
    # Counted anew from the targets, by scope.
    "control.command": {"parts"},
}


async def _everything(owner: psycopg.AsyncConnection) -> Rows:
    """Every row of every table, as JSON; a partitioned table once."""
    found = await owner.execute(
        "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p') and not c.relispartition"
        " and n.nspname not in ('pg_catalog', 'information_schema') order by 1, 2"
    )
    rows: Rows = {}
    for schema, name in await found.fetchall():
        table = sql.Identifier(schema, name)
        listed = await owner.execute(sql.SQL("select to_jsonb(t)::text from {} t").format(table))
        rows[f"{schema}.{name}"] = [msgspec.json.decode(row) for (row,) in await listed.fetchall()]
    return rows


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def upgraded(
    engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Any]:
    """The old installation migrated to head: database, `var`, what was there, what is there."""
    name = "old_" + token(length=10).lower()
    await engines.administer(f"create database {name} template template0")
    dump = gzip.decompress((OLD / "b08f3b8.sql.gz").read_bytes())
    done = await asyncio.to_thread(
        subprocess.run,
        [str(binaries() / "psql"), "--no-psqlrc", "-q", "-v", "ON_ERROR_STOP=1",
         engines.url(name, OWNER)],
        input=dump, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    var = tmp_path_factory.mktemp("old") / "var"
    (var / "secrets").mkdir(parents=True, mode=0o700)
    for file in ("journal-heads.jsonl", "journal-key.pem"):
        shutil.copyfile(OLD / file, var / file)
    shutil.copyfile(OLD / "journal.key", var / "secrets" / "journal.key")
    (var / "secrets" / "journal.key").chmod(0o600)
    async with await psycopg.AsyncConnection.connect(
        engines.url(name, OWNER), autocommit=True
    ) as owner:
        before = await _everything(owner)
        await asyncio.to_thread(migrate, engines.url(name, OWNER), LOGIN, every_room())
        after = await _everything(owner)
    database = Database(engines.url(name), pool=2)
    try:
        yield database, var, before, after
    finally:
        await database.close()
        await engines.administer(f"drop database if exists {name} with (force)")


def test_the_old_installation_had_something_to_lose(upgraded: Any):
    _, _, before, _ = upgraded
    filled = {name for name, rows in before.items() if rows}
    assert {"twin.asset", "control.target", "journal.entry", "access.account"} <= filled
    assert len(before["journal.block"]) >= 2


def test_every_row_is_still_there_with_what_it_said(upgraded: Any):
    _, _, before, after = upgraded
    lost: list[str] = []
    for table, rows in before.items():
        if not rows:
            continue
        kept = set(rows[0]) - REWRITTEN.get(table, set())
        if table not in after or not after[table]:
            lost.append(f"the table {table} is gone, or empty")
        elif gone := kept - set(after[table][0]):
            lost.append(f"{table} has lost the columns {sorted(gone)}")
        else:
            now = {_part(row, kept) for row in after[table]}
            lost += [f"{table}: {row}" for row in rows if _part(row, kept) not in now]
    assert not lost


def _part(row: dict[str, Any], names: set[str]) -> bytes:
    return msgspec.json.encode({name: row[name] for name in names}, order="sorted")


async def test_the_journal_is_whole_and_goes_on(upgraded: Any):
    database, var, before, _ = upgraded
    report = await journal.verify(database, var)
    assert report.whole, report.findings
    assert report.entries == len(before["journal.entry"])
    assert report.blocks == len(before["journal.block"])
    async with database.unit() as unit:
        await journal.record(unit, "test.after", params={"since": "the upgrade"})
    report = await journal.verify(database, var)
    assert report.whole, report.findings


async def test_old_data_is_read_by_todays_verbs(upgraded: Any):
    database, _, before, _ = upgraded
    who = Principal(None, "anne", "user", (Grant("administrator"),))
    async with database.unit(who, EVERYTHING) as unit:
        commands = await list_commands(unit)
        assert len(commands.items) == len(before["control.command"])
        assert (await places.read_territory(unit)).name == "Dijon métropole"
        acts = await journal.list_entries(unit, journal.Filter(acts=("test.act",)))
        assert len(acts.items) == 6
        assert {change.scope for act in acts.items for change in act.changes} == {"21231/lighting"}
        assert acts.items[0].reason is not None
        assert acts.items[0].personal == {"caller": "Zoé"}


async def test_the_runtime_may_do_no_more_than_in_a_new_installation(upgraded: Any):
    database, _, _, _ = upgraded
    for statement in ("update journal.entry set act = ''", "delete from logbook.entry"):
        with pytest.raises(Exception, match="permission denied"):
            async with database.unit() as unit:
                await (await unit.raw()).execute(statement)
