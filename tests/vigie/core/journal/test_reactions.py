"""Reactions say who acts and why, end where they would loop, and are looked after together."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import event, text

from tests.conftest import NewRuntime
from tests.vigie.core.journal.test_order import _register, _sequence
from tests.vigie.core.journal.test_verify import Journal
from vigie.core import journal
from vigie.core.database import Database, Unit
from vigie.core.journal import Change, Entry, Filter, Reaction, list_entries, list_parked
from vigie.core.journal.dispatcher import Dispatcher
from vigie.core.journal.reactions import step, step_parked
from vigie.core.journal.rules import MOST_CHAIN, NO_CHANGES, EntryFacts, entry_digest
from vigie.core.runtime import Runtime, database_owner_url
from vigie.core.scope import EVERYTHING, Principal, Scope
from vigie.core.tasks import end


async def _act(database: Database, act: str, **more: Any) -> UUID:
    async with database.unit() as unit:
        return await journal.record(unit, act, **more)


async def _entry(database: Database, act: str) -> Entry:
    async with database.unit() as unit:
        (entry,) = (await list_entries(unit, Filter(acts=(act,)))).items
        return entry


async def test_what_a_reaction_does_names_its_cause_and_its_rule(runtime: Runtime) -> None:
    async def handle(unit: Unit, entry: Entry) -> None:
        await journal.record(unit, "test.named_effect")

    reaction = Reaction("test.namer", frozenset({"test.named"}), handle)
    await _register(runtime, reaction)
    cause = await _act(runtime.database, "test.named")
    await _sequence(runtime.database)
    assert await step(runtime, reaction)
    effect = await _entry(runtime.database, "test.named_effect")
    assert (effect.caused_by, effect.chain) == (cause, 1)
    assert (effect.actor.kind, effect.actor.name) == ("rule", "test.namer")
    async with runtime.database.unit() as unit:
        found = await list_entries(unit, Filter(text=f"caused_by:{cause}"))
    assert [entry.id for entry in found.items] == [effect.id]


async def test_a_cause_outside_the_readers_scope_stays_unnamed(runtime: Runtime) -> None:
    async def handle(unit: Unit, entry: Entry) -> None:
        await journal.record(unit, "test.seen_effect", scopes=["21166/lighting"])

    reaction = Reaction("test.seen", frozenset({"test.unseen"}), handle)
    await _register(runtime, reaction)
    await _act(runtime.database, "test.unseen", scopes=["21231/police"])
    await _sequence(runtime.database)
    await step(runtime, reaction)
    reader = Principal(uuid4(), "reader", "user")
    scope = Scope(pairs=frozenset({"21166/lighting"}))
    async with runtime.database.unit(reader, scope) as unit:
        (effect,) = (await list_entries(unit, Filter(acts=("test.seen_effect",)))).items
    assert effect.caused_by is None


async def test_two_reactions_that_answer_each_other_are_parked(runtime: Runtime) -> None:
    async def answer(unit: Unit, entry: Entry) -> None:
        await journal.record(unit, "test.pong" if entry.act == "test.ping" else "test.ping")

    both = [
        Reaction("test.ping", frozenset({"test.ping"}), answer),
        Reaction("test.pong", frozenset({"test.pong"}), answer),
    ]
    for reaction in both:
        await _register(runtime, reaction)
    await _act(runtime.database, "test.ping")
    for _ in range(2 * MOST_CHAIN):
        await _sequence(runtime.database)
        for reaction in both:
            await step(runtime, reaction)
    async with runtime.database.unit() as unit:
        (parked,) = [
            p for name in ("test.ping", "test.pong") for p in await list_parked(unit, name)
        ]
        count = await unit.execute(
            text("select count(*) from journal.entry where act in ('test.ping', 'test.pong')")
        )
        assert count.scalar_one() == MOST_CHAIN + 1
    assert parked.error.startswith("chain_too_long")
    async with runtime.database.unit() as unit:
        await journal.retry_parked(unit, parked.reaction, parked.position)
    reaction = next(r for r in both if r.name == parked.reaction)
    assert await step_parked(runtime, reaction), "who asks for it gets it, once"
    async with runtime.database.unit() as unit:
        assert await list_parked(unit, parked.reaction) == []


async def test_a_handler_reaches_every_change(runtime: Runtime) -> None:
    seen: list[str] = []

    async def handle(unit: Unit, entry: Entry) -> None:
        assert len(entry.changes) == 20
        seen.extend([change.object_id async for change in journal.changes_of(unit, entry)])

    reaction = Reaction("test.all", frozenset({"test.many_changes"}), handle)
    await _register(runtime, reaction)
    changes = [Change("thing", str(n), None, {"n": n}) for n in range(2345)]
    await _act(runtime.database, "test.many_changes", changes=changes)
    await _sequence(runtime.database)
    await step(runtime, reaction)
    assert seen == [str(n) for n in range(2345)]


async def test_a_reaction_with_a_scope_acts_and_sees_within_it(runtime: Runtime) -> None:
    seen: list[tuple[int, Scope, int]] = []

    async def handle(unit: Unit, entry: Entry) -> None:
        seen.append((entry.params["n"], unit.scope, entry.changes_count))

    scope = Scope(municipalities=frozenset({"21231"}))
    reaction = Reaction("test.scoped", frozenset({"test.scope"}), handle, scope=scope)
    await _register(runtime, reaction)
    await _act(runtime.database, "test.scope", params={"n": 1}, scopes=["21166/lighting"])
    changes = [Change("x", "1", None, 1, "21231/lighting"), Change("x", "2", None, 1, "21166/x")]
    await _act(runtime.database, "test.scope", params={"n": 2}, changes=changes)
    await _sequence(runtime.database)
    assert await step(runtime, reaction)
    assert seen == [(2, scope, 1)]
    catalogue = runtime.house.catalogue
    assert catalogue.scope_for(reaction.principal, "twin.change") == scope
    everything = Reaction("test.everything", None, handle).principal
    for permission in catalogue.permissions:
        assert catalogue.scope_for(everything, permission) == EVERYTHING


async def test_it_starts_from_now_unless_it_says_otherwise(runtime: Runtime) -> None:
    seen: list[str] = []

    def handler(name: str) -> Any:
        async def handle(unit: Unit, entry: Entry) -> None:
            seen.append(f"{name} {entry.params['n']}")

        return handle

    now = Reaction("test.now", frozenset({"test.past"}), handler("now"))
    all_ = Reaction("test.all_past", frozenset({"test.past"}), handler("all"), from_now=False)
    await _act(runtime.database, "test.past", params={"n": 1})
    await _sequence(runtime.database)
    for reaction in (now, all_):
        await _register(runtime, reaction)
    await _act(runtime.database, "test.past", params={"n": 2})
    await _sequence(runtime.database)
    for reaction in (now, all_):
        while await step(runtime, reaction):
            pass
    assert seen == ["now 2", "all 1", "all 2"]


async def test_many_acts_share_a_transaction_and_one_failure_costs_only_itself(
    runtime: Runtime,
) -> None:
    seen: list[int] = []

    async def handle(unit: Unit, entry: Entry) -> None:
        if entry.params["n"] == 3:
            raise ValueError("three")
        seen.append(entry.params["n"])
        await journal.record(unit, "test.batch_effect", params=entry.params)

    reaction = Reaction("test.batch", frozenset({"test.batch"}), handle, tries=1)
    await _register(runtime, reaction)
    for n in range(6):
        await _act(runtime.database, "test.batch", params={"n": n})
    await _sequence(runtime.database)
    while await step(runtime, reaction):
        pass
    assert seen == [0, 1, 2, 4, 5]
    async with runtime.database.unit() as unit:
        assert len(await list_parked(unit, "test.batch")) == 1
        rows = await unit.execute(
            text("select cast(params->>'n' as int) from journal.entry"
                 " where act = 'test.batch_effect'")
        )  # fmt: skip
        assert sorted(rows.scalars()) == [0, 1, 2, 4, 5]


async def test_a_look_costs_the_same_for_two_reactions_as_for_fifty(
    new_runtime: NewRuntime,
) -> None:
    async def handle(unit: Unit, entry: Entry) -> None: ...

    async def statements(many: int) -> int:
        runtime = await new_runtime()
        reactions = [Reaction(f"test.r{n}", frozenset({"test.no"}), handle) for n in range(many)]
        dispatcher = Dispatcher(runtime, reactions)
        for reaction in reactions:
            await _register(runtime, reaction)
        await _act(runtime.database, "test.unrelated")
        await _sequence(runtime.database)
        count = 0

        def counting(*_: Any) -> None:
            nonlocal count
            count += 1

        engine = runtime.database._engine.sync_engine
        event.listen(engine, "before_cursor_execute", counting)
        await dispatcher.look()
        event.remove(engine, "before_cursor_execute", counting)
        async with runtime.database.unit() as unit:
            lag = await unit.execute(
                text("select count(*) from journal.cursor where reaction like 'test.r%' and"
                     " position < (select max(position) from journal.position)")
            )  # fmt: skip
            assert lag.scalar_one() == 0
        return count

    assert await statements(2) == await statements(50)


async def test_a_slow_reaction_does_not_hold_up_the_others(new_runtime: NewRuntime) -> None:
    runtime = await new_runtime()
    release, done = asyncio.Event(), asyncio.Event()

    async def slow(unit: Unit, entry: Entry) -> None:
        await release.wait()

    async def quick(unit: Unit, entry: Entry) -> None:
        done.set()

    reactions = [
        Reaction("test.slow", frozenset({"test.go"}), slow),
        Reaction("test.quick", frozenset({"test.go"}), quick),
    ]
    for reaction in reactions:
        await _register(runtime, reaction)
    task = asyncio.create_task(Dispatcher(runtime, reactions).run())
    try:
        await _act(runtime.database, "test.go")
        await _sequence(runtime.database)
        await asyncio.wait_for(done.wait(), 30)
    finally:
        release.set()
        await end([task])


async def test_a_backlog_is_worked_off_while_others_go_on(new_runtime: NewRuntime) -> None:
    runtime = await new_runtime()
    seen: list[int] = []
    fresh, caught_up = asyncio.Event(), asyncio.Event()

    async def late(unit: Unit, entry: Entry) -> None:
        seen.append(entry.params["n"])
        if len(seen) == 120:
            caught_up.set()

    async def current(unit: Unit, entry: Entry) -> None:
        fresh.set()

    async with runtime.database.unit() as unit:
        for n in range(1200):
            act = "test.old" if n % 10 == 0 else "test.other"
            await journal.record(unit, act, params={"n": n})
    await _sequence(runtime.database)
    reactions = [
        Reaction("test.late", frozenset({"test.old"}), late, from_now=False),
        Reaction("test.current", frozenset({"test.new"}), current),
    ]
    for reaction in reactions:
        await _register(runtime, reaction)
    task = asyncio.create_task(Dispatcher(runtime, reactions).run())
    try:
        await _act(runtime.database, "test.new")
        await _sequence(runtime.database)
        await asyncio.wait_for(asyncio.gather(fresh.wait(), caught_up.wait()), 60)
    finally:
        await end([task])
    assert seen == list(range(0, 1200, 10))


def test_only_what_a_reaction_did_is_digested_in_the_second_form() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    plain = EntryFacts(
        UUID(int=1), at, at, "a.b", "user", None, "", "", "r", "{}", "{}", ["21231/x"], 0
    )
    before = "c814c5eef3c4d1fb1152c95d73a8fbb9f171667c60e5c2e48dcda878a634309b"
    assert entry_digest(1, plain, NO_CHANGES).hex() == before
    caused = EntryFacts(*(getattr(plain, f) for f in plain.__struct_fields__[:-2]), UUID(int=2), 1)
    longer = EntryFacts(*(getattr(plain, f) for f in plain.__struct_fields__[:-2]), UUID(int=2), 2)
    digests = {entry_digest(1, e, NO_CHANGES) for e in (plain, caused, longer)}
    assert len(digests) == 3


@pytest.mark.parametrize("tampering", ["caused_by = null, chain = 0", "chain = 3"])
async def test_a_cause_that_is_altered_is_found(new_runtime: NewRuntime, tampering: str) -> None:
    runtime = await new_runtime()

    async def handle(unit: Unit, entry: Entry) -> None:
        await journal.record(unit, "test.effect")

    reaction = Reaction("test.sealed", frozenset({"test.cause"}), handle)
    await _register(runtime, reaction)
    await _act(runtime.database, "test.cause")
    await _sequence(runtime.database)
    await step(runtime, reaction)
    async with await psycopg.AsyncConnection.connect(
        database_owner_url(runtime.settings), autocommit=True
    ) as owner:
        ledger = Journal(runtime, owner)
        await ledger.seal()
        report = await journal.verify(runtime.database, runtime.settings.root)
        assert (report.whole, report.sealed) == (True, 2)
        await ledger.sql(f"update journal.entry set {tampering} where act = 'test.effect'")
        report = await journal.verify(runtime.database, runtime.settings.root)
        assert [finding.code for finding in report.findings] == ["entry_edited"]
