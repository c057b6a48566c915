"""Telling acts: in scope, newest first, filtered, in pages; over HTTP as well."""

from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import client, person
from vigie.core import journal
from vigie.core.database import Database
from vigie.core.errors import Invalid, NotFound
from vigie.core.ids import uuid7
from vigie.core.journal import (
    Change,
    Filter,
    list_entries,
    list_object,
    read_changes,
    read_entry,
    who_and_why,
)
from vigie.core.runtime import Runtime
from vigie.core.scope import EVERYTHING, NOTHING, Grant, Principal, Scope
from vigie.core.web import build_app

ANNE = Principal(uuid7(), "anne", "user", (Grant("operator"),))
BRUNO = Principal(uuid7(), "bruno", "user", (Grant("operator", "21166", "lighting"),))


async def act(database: Database, name: str, *changes: Change, **more: object) -> object:
    async with database.unit(ANNE, EVERYTHING) as unit:
        return await journal.record(unit, name, changes=list(changes), **more)  # type: ignore[arg-type]


async def names(database: Database, scope: Scope, wanted: Filter, who: Principal = BRUNO):
    async with database.unit(who, scope) as unit:
        return [entry.params.get("n") for entry in (await list_entries(unit, wanted)).items]


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (EVERYTHING, [3, 2, 1, 0]),
        (Scope(pairs=frozenset({"21166/lighting"})), [2, 1]),
        (Scope(municipalities=frozenset({"21166"})), [2, 1]),
        (Scope(trades=frozenset({"traffic"})), [3]),
        (NOTHING, []),
    ],
)
async def test_shows_what_touches_the_scope(
    database: Database, scope: Scope, seen: list[int]
) -> None:
    room = uuid4().hex
    await act(database, f"{room}.a", Change("x", "1", scope="21231/lighting"), params={"n": 0})
    await act(
        database,
        f"{room}.a",
        Change("x", "1", scope="21231/lighting"),
        Change("x", "2", scope="21166/lighting"),
        params={"n": 1},
    )
    await act(database, f"{room}.a", params={"n": 2}, scopes=["21166/lighting"])
    await act(database, f"{room}.a", Change("x", "3", scope="21231/traffic"), params={"n": 3})
    assert await names(database, scope, Filter(acts=(room,))) == seen
    assert await names(database, scope, Filter(acts=(room,)), ANNE) == [3, 2, 1, 0], "one's own"


async def test_shows_of_an_act_what_is_in_scope(database: Database) -> None:
    scope = Scope(pairs=frozenset({"21166/lighting"}))
    entry = await act(
        database,
        "test.mixed",
        *(Change("x", str(i), None, i, f"{21166 if i % 2 else 21231}/lighting") for i in range(90)),
        params={"total": 90, "verb": "x"},
    )
    async with database.unit(BRUNO, scope) as unit:
        told = await read_entry(unit, entry)
        page = await read_changes(unit, entry, limit=30)
        rest = await read_changes(unit, entry, limit=30, cursor=page.next)
        of_one = (await list_object(unit, "x", "1", limit=1)).items[0]
    assert (told.changes_count, len(told.changes)) == (45, 20), "not those of others"
    assert (page.total, of_one.changes_count) == (45, 45)
    assert told.params == of_one.params == {"verb": "x"}
    seen = [int(change.object_id) for change in (*page.items, *rest.items)]
    assert seen == list(range(1, 90, 2))
    assert rest.next is None
    async with database.unit(BRUNO, NOTHING) as unit:
        with pytest.raises(NotFound):
            await read_entry(unit, entry)
    for who, sees in ((ANNE, scope), (BRUNO, EVERYTHING)):
        async with database.unit(who, sees) as unit:
            told = await read_entry(unit, entry)
        assert (told.changes_count, told.params["total"]) == (90, 90)


async def test_counts_the_changes_of_old_acts(
    database: Database, owner: psycopg.AsyncConnection
) -> None:
    entry = await act(
        database,
        "test.old",
        *(Change("x", str(i), None, i, f"2116{i % 3}/lighting") for i in range(7)),
    )
    await owner.execute("update journal.entry set tally = null where id = %s", [entry])
    async with database.unit(BRUNO, Scope(pairs=frozenset({"21160/lighting"}))) as unit:
        assert (await read_entry(unit, entry)).changes_count == 3


async def test_filters_by_act_person_object_and_words(database: Database) -> None:
    room = uuid4().hex
    one, two = uuid4().hex, uuid4().hex
    await act(database, f"{room}.one", Change("x", one), reason="Éclairage rue Monge")
    await act(database, f"{room}.two", Change("y", two), reason="Panne du poste")

    async def found(filter_: str) -> list[str]:
        wanted = Filter(acts=(room,), text=filter_)
        async with database.unit() as unit:
            return [e.act.partition(".")[2] for e in (await list_entries(unit, wanted)).items]

    assert await found("actor:anne") == ["two", "one"]
    assert await found("actor:bruno") == []
    assert await found(f"object:x/{one}") == ["one"]
    assert await found(f"object:x/{one},y/{two}") == ["two", "one"]
    assert await found("monge") == ["one"]
    assert await found("poste panne") == ["two"]
    assert await found("poste monge") == []
    with pytest.raises(Invalid):
        await found("colour:blue")


async def test_an_object_out_of_sight_finds_no_act(database: Database) -> None:
    room, here, there = uuid4().hex, uuid4().hex, uuid4().hex
    await act(
        database,
        f"{room}.a",
        Change("x", here, scope="21166/lighting"),
        Change("x", there, scope="21231/lighting"),
        params={"n": 1},
    )
    seen = Scope(pairs=frozenset({"21166/lighting"}))
    wanted = [Filter(acts=(room,), text=f"object:x/{one}") for one in (here, there)]
    assert [await names(database, seen, one) for one in wanted] == [[1], []]
    assert [await names(database, EVERYTHING, one) for one in wanted] == [[1], [1]]


async def test_pages_go_on_where_they_stopped(database: Database) -> None:
    room, thing = uuid4().hex, uuid4().hex
    for number in range(7):
        await act(database, f"{room}.a", Change("x", thing, None, number), params={"n": number})
    seen: list[int] = []
    of_thing: list[int] = []
    cursor = other = None
    async with database.unit() as unit:
        while True:
            page = await list_entries(unit, Filter(acts=(room,)), cursor=cursor, limit=3)
            seen += [entry.params["n"] for entry in page.items]
            objects = await list_object(unit, "x", thing, cursor=other, limit=3)
            of_thing += [entry.changes[0].after for entry in objects.items]
            cursor, other = page.next, objects.next
            if cursor is None:
                break
    assert seen == of_thing == [6, 5, 4, 3, 2, 1, 0]


async def test_who_and_why_for_other_rooms(database: Database) -> None:
    entry = await act(database, "test.why", reason="because")
    async with database.unit(BRUNO, NOTHING) as unit:
        assert await who_and_why(unit, [entry]) == {entry: ("anne", "because")}
        assert await who_and_why(unit, []) == {}


async def test_over_http(runtime: Runtime) -> None:
    app = build_app(runtime, ROUTES, PERMISSIONS, ROLES)
    entry = await act(runtime.database, "test.http", Change("x", "1", None, {"l": 1}), reason="why")
    auditor = await person(app, runtime, "auditeur", "auditor")
    other = await person(app, runtime, "chenove", "operator@21166")
    viewer = await person(app, runtime, "spectateur", "viewer")
    nobody = client(app)
    page = (await auditor.get("/api/v1/journal", params={"act": "test.http"})).json()
    told = page["items"][0]
    assert told["id"] == str(entry)
    assert told["actor"]["name"] == "anne"
    assert (told["reason"], told["changes_count"]) == ("why", 1)
    assert told["recorded"].endswith("Z")
    changes = (await auditor.get(f"/api/v1/journal/{entry}/changes")).json()
    assert changes["items"][0]["after"] == {"l": 1}
    filtered = await auditor.get("/api/v1/journal", params={"filter": "act:test.http why"})
    assert len(filtered.json()["items"]) == 1
    assert (await other.get(f"/api/v1/journal/{entry}")).status_code == 404
    assert (await viewer.get("/api/v1/journal")).status_code == 403
    assert (await nobody.get("/api/v1/journal")).status_code == 401
    bad = await auditor.get("/api/v1/journal", params={"filter": "x:1"})
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_filter")


async def test_a_day_is_the_citys(database: Database) -> None:
    room = uuid4().hex
    # 00:30 in Paris on the 24th is still the 23rd in UTC.
    night = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    await act(database, f"{room}.a", params={"n": 1}, occurred=night)

    async def paris(_unit: object) -> ZoneInfo:
        return ZoneInfo("Europe/Paris")

    database.zone_of = paris
    try:
        for day, found in (("2026-11-23", []), ("2026-11-24", [1])):
            wanted = Filter(acts=(room,), text=f"occurred:{day}")
            assert await names(database, EVERYTHING, wanted, ANNE) == found
    finally:
        database.zone_of = None
