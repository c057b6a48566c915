"""`verify` names what was tampered with by the database's own superuser."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.conftest import NewRuntime
from vigie.core import clock
from vigie.core.database import Database
from vigie.core.errors import Invalid
from vigie.core.ids import uuid7
from vigie.core.journal import Change, Personal, erase_personal, read_entry, record, retire, verify
from vigie.core.journal.digests import positions
from vigie.core.journal.keys import Head, export, exported, signing_key
from vigie.core.journal.model import Finding, Report
from vigie.core.journal.rules import GENESIS, Header, personal_digest
from vigie.core.journal.sealer import ChainBroken, reconcile, seal
from vigie.core.journal.sequencer import LEADER, assign
from vigie.core.leader import lead
from vigie.core.runtime import Runtime, database_owner_url
from vigie.core.scope import EVERYTHING, Grant, Principal

ANNE = Principal(uuid7(), "anne", "user", (Grant("operator"),))
Owner = psycopg.AsyncConnection[Any]


class Journal:
    """A small sealed journal: three blocks of two acts."""

    def __init__(self, runtime: Runtime, owner: Owner) -> None:
        self.runtime = runtime
        self.owner = owner
        self.entries: list[UUID] = []

    async def act(self, number: int) -> UUID:
        async with self.runtime.database.unit(ANNE, EVERYTHING) as unit:
            entry = await record(
                unit,
                "test.act",
                params={"n": number, "level": 0.1 + number},
                changes=[Change("asset", str(i), {"l": 1}, {"l": 2.50}) for i in range(3)],
                reason=f"because {number}",
                personal={"caller": Personal("Zoé", "person:7")},
            )
        self.entries.append(entry)
        return entry

    async def sequence(self) -> None:
        async with lead(self.runtime.database, LEADER, "test") as leadership:
            while await assign(self.runtime.database, leadership):
                pass

    async def seal(self) -> None:
        await self.sequence()
        root = self.runtime.settings.root
        while head := await seal(self.runtime.database, None, signing_key(root)):
            export(root, [head])

    async def verify(self) -> Report:
        return await verify(self.runtime.database, self.runtime.settings.root)

    async def sql(self, statement: str, *arguments: Any) -> None:
        await self.owner.execute(statement, arguments)  # type: ignore[arg-type]


@pytest.fixture
async def journal(new_runtime: NewRuntime) -> Any:
    runtime = await new_runtime()
    url = database_owner_url(runtime.settings)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as owner:
        made = Journal(runtime, owner)
        for block in range(3):
            await made.act(2 * block)
            await made.act(2 * block + 1)
            await made.seal()
        yield made


async def test_an_untouched_journal_is_whole(journal: Journal) -> None:
    await journal.act(6)
    report = await journal.verify()
    assert report.whole, report.findings
    assert (report.blocks, report.sealed) == (3, 6)
    await journal.sequence()
    report = await journal.verify()
    assert report.whole
    assert (report.entries, report.changes, report.sealed) == (7, 21, 6)


async def test_a_block_sealed_meanwhile_is_no_finding(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module("vigie.core.journal.verify")

    async def positions_with_a_sealer_at_work(*arguments: Any) -> Any:
        if len(journal.entries) == 6:
            await journal.act(6)
            await journal.seal()
        return await positions(*arguments)

    monkeypatch.setattr(module, "positions", positions_with_a_sealer_at_work)
    report = await journal.verify()
    assert report.whole, report.findings
    assert (report.blocks, report.sealed) == (3, 6)


Tamper = Callable[[Journal], Awaitable[None]]
E = "where id = %s"

EDITS: dict[str, str] = {
    "act": f"update journal.entry set act = 'x' {E}",
    "params": f"update journal.entry set params = params || '{{\"n\": 9}}' {E}",
    "occurred": f"update journal.entry set occurred = occurred + interval '1 microsecond' {E}",
    "recorded": f"update journal.entry set recorded = recorded + interval '1 microsecond' {E}",
    "moved to another month": f"update journal.entry set recorded = '2001-01-01' {E}",
    "actor": f"update journal.entry set actor_id = gen_random_uuid() {E}",
    "role": f"update journal.entry set role = 'administrator' {E}",
    "digests": f"update journal.entry set personal = '{{}}' {E}",
    "scopes": f"update journal.entry set scopes = '{{a/b}}' {E}",
    "a change": "update journal.change set after = '1' where ordinal = 1 and entry = %s",
    "a change deleted": "delete from journal.change where ordinal = 2 and entry = %s",
    "a change added": "insert into journal.change (entry, recorded, ordinal, object_type,"
    " object_id) select id, recorded, 99, 'asset', '1' from journal.entry where id = %s",
}


@pytest.mark.parametrize("what", EDITS)
async def test_names_an_edited_entry(journal: Journal, what: str) -> None:
    await journal.sql(EDITS[what], journal.entries[2])
    found = (await journal.verify()).findings
    assert Finding("entry_edited", 3, journal.entries[2], 2) in found
    assert {f.entry for f in found} == {journal.entries[2]}


async def test_names_a_deleted_entry(journal: Journal) -> None:
    await journal.sql("delete from journal.entry where id = %s", journal.entries[2])
    found = (await journal.verify()).findings
    assert Finding("entry_missing", 3, journal.entries[2], 2) in found


async def test_names_a_deleted_entry_without_a_trace(journal: Journal) -> None:
    for table, column in (
        ("entry", "id"),
        ("change", "entry"),
        ("personal", "entry"),
        ("position", "entry"),
    ):
        await journal.sql(f"delete from journal.{table} where {column} = %s", journal.entries[3])
    assert (await journal.verify()).findings == [Finding("position_missing", 4, None, 2)]


async def test_names_an_added_entry(journal: Journal) -> None:
    copied = (
        "insert into journal.entry (id, recorded, occurred, act, actor_kind)"
        " values (%s, now(), now(), 'test.forged', 'system')"
    )
    forged, placed = uuid7(), uuid7()
    await journal.sql(copied, forged)
    await journal.sql(copied, placed)
    await journal.sql("insert into journal.position values (3, %s, now())", placed)
    await journal.sql(
        "insert into journal.change (entry, recorded, ordinal, object_type, object_id)"
        " values (%s, now(), 0, 'asset', '1')",
        stray := uuid7(),
    )
    found = (await journal.verify()).findings
    assert {f.code for f in found} == {"entry_added", "change_added"}
    assert {f.entry for f in found if f.code == "entry_added"} == {forged, placed}
    assert {f.entry for f in found if f.code == "change_added"} == {stray}


async def test_names_a_dropped_last_block(journal: Journal) -> None:
    await journal.sql("delete from journal.block where number = 3")
    found = (await journal.verify()).findings
    assert found == [Finding("block_dropped", 6, None, 3)]
    root = journal.runtime.settings.root
    with pytest.raises(ChainBroken):
        await reconcile(journal.runtime.database, root, signing_key(root))


async def test_names_a_block_dropped_in_the_middle(journal: Journal) -> None:
    await journal.sql("delete from journal.block where number = 2")
    codes = {(f.code, f.block) for f in (await journal.verify()).findings}
    assert ("block_missing", 2) in codes


async def test_names_an_altered_block(journal: Journal) -> None:
    await journal.sql("update journal.block set sealed = sealed + interval '1 h' where number = 2")
    found = (await journal.verify()).findings
    assert [(f.code, f.block) for f in found] == [("block_altered", 2)]


@pytest.mark.parametrize("with_a_key", [False, True])
async def test_names_a_chain_recomputed_by_sql(journal: Journal, with_a_key: bool) -> None:
    """The forger knows every rule, edits an act, and makes all digests fit; at best signs with
    a key of their own."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from vigie.core.journal import digests

    await journal.sql("update journal.entry set act = 'x' where id = %s", journal.entries[0])
    cursor = await journal.owner.execute(
        "select number, first, last, month, digests, previous, sealed, key from journal.block"
        " order by number"
    )
    previous = GENESIS
    with TemporaryDirectory() as folder:
        other = signing_key(Path(folder))
        for row in await cursor.fetchall():
            rows = await digests.positions(journal.owner, row[1], row[2], 100)
            async with journal.owner.transaction():
                await digests.digest(journal.owner, rows)
            header = Header(
                *row[:4],
                b"".join(r.digest or b"" for r in rows),
                previous,
                row[6],
                other.id if with_a_key else row[7],
            )
            previous = header.digest()
            await journal.sql(
                "update journal.block set digests = %s, previous = %s, digest = %s, key = %s"
                " where number = %s",
                header.digests,
                header.previous,
                previous,
                header.key,
                header.number,
            )
            if with_a_key:
                await journal.sql(
                    "update journal.block set signature = %s where number = %s",
                    other.sign(previous),
                    header.number,
                )
    found = {(f.code, f.block) for f in (await journal.verify()).findings}
    assert found == {
        (code, block) for code in ("signature_wrong", "head_differs") for block in (1, 2, 3)
    }


async def test_names_a_personal_value_edited_added_or_lost(journal: Journal) -> None:
    edited, added, lost = journal.entries[:3]
    await journal.sql(
        "update journal.personal set value = 'x' where entry = %s and field = 'reason'", edited
    )
    await journal.sql(
        "insert into journal.personal select entry, recorded, 'note', '', 'x', 'x'"
        " from journal.personal where entry = %s limit 1",
        added,
    )
    await journal.sql("delete from journal.personal where entry = %s and field = 'actor'", lost)
    found = (await journal.verify()).findings
    assert {(f.code, f.entry, f.detail) for f in found} == {
        ("personal_edited", edited, "reason"),
        ("personal_added", added, "note"),
        ("personal_missing", lost, "actor"),
    }


async def test_erasing_a_person_leaves_it_whole(journal: Journal) -> None:
    database = journal.runtime.database
    async with database.unit() as unit:
        # Six reasons and six names.
        assert await erase_personal(unit, subject=f"user:{ANNE.id}") == 12
    async with database.unit() as unit:
        assert await erase_personal(unit, entry=journal.entries[0], fields=["caller"]) == 1
    report = await journal.verify()
    assert report.whole, report.findings
    assert report.erased == 13
    await journal.seal()
    assert (await journal.verify()).whole
    async with database.unit() as unit:
        entry = await read_entry(unit, journal.entries[0])
    assert (entry.reason, entry.actor.name, entry.personal) == (None, None, {})
    assert entry.erased == ["actor", "caller", "reason"]
    cursor = await journal.owner.execute(
        "select count(*) from journal.personal where value in ('anne', 'because 1')"
    )
    assert await cursor.fetchone() == (0,)
    with pytest.raises(Invalid):
        async with database.unit() as unit:
            await erase_personal(unit)


def test_the_digest_left_behind_tells_nothing_without_its_salt() -> None:
    plain = hashlib.sha256(b"anne").hexdigest()
    digests = {personal_digest(uuid7().bytes, "actor", "anne") for _ in range(50)}
    assert len(digests) == 50
    assert plain not in digests


async def test_a_crash_between_database_and_file_is_mended(journal: Journal) -> None:
    root = journal.runtime.settings.root
    await journal.act(6)
    await journal.sequence()
    assert await seal(journal.runtime.database, None, signing_key(root)) is not None
    with (root / "journal-heads.jsonl").open("ab") as file:
        file.write(b'{"block": 4, "la')
    assert await reconcile(journal.runtime.database, root, signing_key(root)) == 4
    assert [head.block for head in exported(root)] == [1, 2, 3, 4]
    assert (await journal.verify()).whole


async def test_a_block_of_a_forger_is_never_exported(journal: Journal) -> None:
    root = journal.runtime.settings.root
    await journal.sql(
        "insert into journal.block select 4, 7, 7, month, digests, digest, 'x', now(), key, 'x'"
        " from journal.block where number = 3"
    )
    with pytest.raises(ChainBroken):
        await reconcile(journal.runtime.database, root, signing_key(root))
    assert [head.block for head in exported(root)] == [1, 2, 3]


async def test_a_forged_head_is_named(journal: Journal) -> None:
    root = journal.runtime.settings.root
    export(root, [Head(9, 99, "00", clock.now(), "x", "x")])
    found = (await journal.verify()).findings
    assert found == [Finding("block_dropped", 99, None, 9)]


async def test_retention_drops_whole_months_and_keeps_headers(
    new_runtime: NewRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = await new_runtime()
    owner_url = database_owner_url(runtime.settings)
    async with await psycopg.AsyncConnection.connect(owner_url, autocommit=True) as owner:
        journal = Journal(runtime, owner)
        await journal.sql("select journal.ensure_months((now() - interval '70 days')::date, 4)")
        today = clock.now()
        past = today.replace(day=15) - (today.replace(day=15) - _months_ago(today, 2))
        with monkeypatch.context() as then:
            then.setattr(clock, "now", lambda: past)
            await journal.act(0)
            await journal.act(1)
        await journal.act(2)
        await journal.seal()
        owner_database = Database(owner_url, pool=1)
        try:
            gone = await retire(owner_database, today.date(), reason="kept long enough")
        finally:
            await owner_database.close()
        assert past.date().replace(day=1) in gone
        cursor = await owner.execute("select count(*) from journal.entry where act = 'test.act'")
        assert await cursor.fetchone() == (1,)
        report = await journal.verify()
        assert report.whole, report.findings
        assert past.date().replace(day=1) in report.retired
        await journal.seal()
        assert (await journal.verify()).whole
        # The same without the act of retention is a loss.
        await journal.sql(
            "update journal.entry set act = 'x' where act = %s", "journal.month_retired"
        )
        assert "month_missing" in {f.code for f in (await journal.verify()).findings}


def _months_ago(instant: datetime, months: int) -> datetime:
    month = instant.year * 12 + instant.month - 1 - months
    return datetime(month // 12, month % 12 + 1, 15, 12, tzinfo=UTC)


async def test_a_month_not_sealed_is_not_dropped(journal: Journal) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="has not ended"):
        await journal.sql("select journal.drop_month(%s)", date.today().replace(day=1))
