"""Acts that a reaction gave up on: listed, tried again or dismissed by people, over HTTP; reactions
that are not declared any more hold nothing up."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import text

from tests.conftest import NewRuntime
from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from tests.vigie.core.journal.test_order import _register, _sequence
from tests.vigie.core.journal.test_verify import Journal, _months_ago
from vigie.core import clock, journal
from vigie.core.database import Database, Unit
from vigie.core.errors import Conflict
from vigie.core.journal import Entry, Reaction, list_parked, retry_parked, services
from vigie.core.journal.dispatcher import retire_undeclared
from vigie.core.journal.reactions import step, step_parked
from vigie.core.runtime import Runtime, database_owner_url
from vigie.core.tasks import end
from vigie.core.web import build_app

PARKED = "/api/v1/journal/parked"


class Fragile:
    """A reaction that fails until it is mended."""

    def __init__(self, runtime: Runtime, name: str) -> None:
        self.runtime = runtime
        self.error: Exception | None = ValueError("cannot")
        self.done: list[Any] = []
        self.reaction = Reaction(name, frozenset({f"test.{name}"}), self.handle, tries=1)

    async def handle(self, unit: Unit, entry: Entry) -> None:
        if self.error is not None:
            raise self.error
        self.done.append(entry.id)

    async def park(self) -> int:
        """Have one act parked; its position."""
        await _register(self.runtime, self.reaction)
        async with self.runtime.database.unit() as unit:
            await journal.record(unit, f"test.{self.reaction.name}", scopes=["21231/lighting"])
        await _sequence(self.runtime.database)
        while await step(self.runtime, self.reaction):
            pass
        async with self.runtime.database.unit() as unit:
            (parked,) = await list_parked(unit, self.reaction.name)
        return parked.position


@pytest_asyncio.fixture(loop_scope="session")
async def fragile(runtime: Runtime, request: pytest.FixtureRequest) -> AsyncIterator[Fragile]:
    yield Fragile(runtime, request.node.name)


async def test_an_administrator_lists_and_retries_over_http(
    runtime: Runtime, database: Database, fragile: Fragile
) -> None:
    position = await fragile.park()
    name = fragile.reaction.name
    app = build_app(runtime, ROUTES, PERMISSIONS, ROLES)
    at = f"{PARKED}/{name}/{position}"
    async with await person(app, runtime, "chief", "administrator") as http:
        listed = (await http.get(PARKED, params={"reaction": name})).json()
        assert [(p["position"], p["retry"]) for p in listed["items"]] == [(position, False)]
        asked = await http.post(f"{at}/retry")
        assert (asked.status_code, asked.json()["retry"]) == (202, True)
        assert await step_parked(runtime, fragile.reaction)
        listed = (await http.get(PARKED, params={"reaction": name})).json()
        assert [(p["tries"], p["retry"]) for p in listed["items"]] == [(2, False)], "failed again"
        fragile.error = None
        assert (await http.post(f"{at}/retry")).status_code == 202
        assert await step_parked(runtime, fragile.reaction)
        assert len(fragile.done) == 1
        assert (await http.post(f"{at}/retry")).status_code == 404
    told = await _acts(database, "journal.reaction_retried", name)
    assert [act["position"] for act in told] == [position, position]


async def test_an_act_is_dismissed_with_a_reason(
    runtime: Runtime, database: Database, fragile: Fragile
) -> None:
    position = await fragile.park()
    name = fragile.reaction.name
    app = build_app(runtime, ROUTES, PERMISSIONS, ROLES)
    at = f"{PARKED}/{name}/{position}/dismiss"
    async with await person(app, runtime, "dismisser", "administrator") as http:
        assert (await http.post(at, json={})).status_code == 422
        assert (await http.post(at, json={"reason": ""})).status_code == 422
        done = await http.post(at, json={"reason": "Done by hand"})
        assert done.status_code == 200, done.text
    async with database.unit() as unit:
        assert await list_parked(unit, name) == []
    (told,) = await _acts(database, "journal.reaction_dismissed", name)
    assert "ValueError: cannot" in told["error"]


async def test_only_who_sees_the_act_may_have_it_tried_again(
    runtime: Runtime, fragile: Fragile
) -> None:
    position = await fragile.park()
    app = build_app(runtime, ROUTES, PERMISSIONS, ROLES)
    at = f"{PARKED}/{fragile.reaction.name}/{position}"
    async with await person(app, runtime, "mayor", "administrator@21166") as http:
        assert (await http.get(PARKED)).json()["items"] == []
        assert (await http.post(f"{at}/retry")).status_code == 404
        assert (await http.post(f"{at}/dismiss", json={"reason": "x"})).status_code == 404
    async with await person(app, runtime, "night", "operator") as http:
        assert (await http.get(PARKED)).status_code == 403
        assert (await http.post(f"{at}/retry")).status_code == 403
    async with runtime.database.unit() as unit:
        assert len(await list_parked(unit, fragile.reaction.name)) == 1


async def test_the_runner_takes_a_retry_up_by_itself(runtime: Runtime, fragile: Fragile) -> None:
    position = await fragile.park()
    fragile.error = None
    tasks = [asyncio.create_task(s()) for s in services(runtime, [fragile.reaction]).values()]
    try:
        async with runtime.database.unit() as unit:
            await retry_parked(unit, fragile.reaction.name, position)
        for _ in range(400):
            if fragile.done:
                break
            await asyncio.sleep(0.05)
        assert len(fragile.done) == 1
    finally:
        await end(tasks)


async def test_a_statement_that_always_times_out_is_the_handlers_fault(
    runtime: Runtime, fragile: Fragile
) -> None:
    """It would be tried for ever as if the database were away, and nothing after it."""

    async def slow(unit: Unit, entry: Entry) -> None:
        await unit.execute(text("set local statement_timeout = '20ms'"))
        await unit.execute(text("select pg_sleep(5)"))

    fragile.reaction = Reaction(fragile.reaction.name, fragile.reaction.acts, slow, tries=1)
    await fragile.park()
    async with runtime.database.unit() as unit:
        (parked,) = await list_parked(unit, fragile.reaction.name)
    assert "QueryCanceled" in parked.error


async def test_a_reaction_that_is_not_declared_any_more_is_retired(
    runtime: Runtime, fragile: Fragile
) -> None:
    position = await fragile.park()
    name = fragile.reaction.name
    async with runtime.database.unit() as unit:
        declared = set((await unit.execute(text("select reaction from journal.cursor"))).scalars())
        assert await retire_undeclared(unit, declared - {name}) == [name]
        assert await retire_undeclared(unit, declared - {name}) == []
        with pytest.raises(Conflict, match="only be dismissed"):
            await retry_parked(unit, name, position)
    await _register(runtime, fragile.reaction)
    async with runtime.database.unit() as unit:
        assert (await retry_parked(unit, name, position)).retry


async def _acts(database: Database, act: str, reaction: str) -> list[dict[str, Any]]:
    async with database.unit() as unit:
        rows = await unit.execute(
            text("select params from journal.entry where act = :act"
                 " and params->>'reaction' = :reaction order by recorded"),
            {"act": act, "reaction": reaction},
        )  # fmt: skip
        return list(rows.scalars())


async def test_retention_waits_for_reactions_that_run_and_for_no_other(
    new_runtime: NewRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = await new_runtime()
    owner_url = database_owner_url(runtime.settings)
    async with await psycopg.AsyncConnection.connect(owner_url, autocommit=True) as owner:
        ledger = Journal(runtime, owner)
        await ledger.sql("select journal.ensure_months((now() - interval '70 days')::date, 4)")
        past = _months_ago(clock.now(), 2)
        fragile = Fragile(runtime, "held")
        with monkeypatch.context() as then:
            then.setattr(clock, "now", lambda: past)
            await ledger.act(0)
            position = await fragile.park()
        await ledger.act(1)
        await ledger.seal()
        await ledger.sql("insert into journal.cursor (reaction, position) values ('renamed', 0)")
        owner_database = Database(owner_url, pool=1)

        async def retire() -> list[Any]:
            return await journal.retire(owner_database, (past + timedelta(days=40)).date())

        try:
            with pytest.raises(Exception, match="not read yet by the reaction renamed"):
                await retire()
            async with runtime.database.unit() as unit:
                await retire_undeclared(unit, {"held"})
            with pytest.raises(Exception, match="parked: have held try again"):
                await retire()
            async with runtime.database.unit() as unit:
                await journal.dismiss_parked(unit, "held", position, "not needed")
            assert past.date().replace(day=1) in await retire()
        finally:
            await owner_database.close()
