"""Every list of the house, over HTTP: sorted by what it says that it can be, page by page."""

import re
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from vigie.core import journal
from vigie.core.runtime import Runtime
from vigie.core.web import build_app

ASSETS = """
insert into twin.asset (token, kind, trade, source, source_id, name, municipality, street,
 lon, lat, mercator, installed)
select 't' || n, case when n % 2 = 0 then 'Streetlight' else 'StreetlightControlCabinet' end,
 'lighting', 'x', 's' || n, case when n % 3 = 0 then '' else 'L' || n % 4 end,
 case when n % 2 = 0 then '21231' else '21166' end, 'Rue ' || n % 5, 5, 47, point(0, 0),
 case when n % 4 = 0 then null else date '2020-01-01' + n % 3 end
from generate_series(1, 23) as n;
"""
OTHERS = """
insert into gateways.client (token, name, kind, shard, secret_sha256, municipality, trade)
select 'g' || n, 'G' || n % 4, 'site', 0, sha256('x'), '21231', 'lighting'
from generate_series(1, 11) as n;
insert into gateways.presence (client, online, last_seen, messages)
select id, id % 2 = 0, case when id % 3 = 0 then null else now() + id % 2 * interval '1 s' end, id
from gateways.client where id % 4 <> 0;
insert into gateways.quarantine (source, topic, code, payload, size, asset, municipality, trade)
select 'g' || n % 3, 't', 'c' || n % 2, 'x', n % 4, null, '21231', 'lighting'
from generate_series(1, 13) as n;
insert into control.command (id, verb, params, wanted, requested_at, expires_at, entry, total,
 counts, ended_at, municipalities, trades, pairs, digest)
select ('00000000-0000-0000-0000-0000000000' || lpad(n::text, 2, '0'))::uuid, 'v' || n % 2, '{}',
 '{}', timestamptz '2026-11-23 12:00Z' + n % 3 * interval '1 s', now(), gen_random_uuid(), 1, '{}',
 case when n % 2 = 0 then now() end, '{21231}', '{lighting}', '{21231/lighting}', 'x'
from generate_series(1, 12) as n;
insert into control.target
 (command, asset, function, lane, municipality, trade, state, watch, sent_at)
select '00000000-0000-0000-0000-000000000001', id, 'level', 2, municipality, trade,
 case when id % 2 = 0 then 'sent' else 'failed' end, false, case when id % 3 = 0 then now() end
from twin.asset;
"""
TARGETS = "/commands/00000000-0000-0000-0000-000000000001/targets"
LISTS = {
    "/assets": ("id", "name", "kind", "trade", "municipality", "street", "source", "source_id",
                "installed", "commissioned", "retired", "manufacturer", "model"),
    "/commands": ("requested_at", "expires_at", "ended_at", "verb"),
    TARGETS: ("asset", "name", "state", "attempts", "sent_at", "delivered_at", "ended_at"),
    "/gateways": ("name", "kind", "municipality", "online", "last_seen", "messages",
                  "quarantined", "refused"),
    "/quarantine": ("id", "received", "source", "code", "size"),
    "/journal": ("recorded",),
    "/journal/parked": ("reaction", "position", "tries", "parked"),
}  # fmt: skip
COUNTS = {"/assets": 23, "/commands": 12, TARGETS: 23, "/gateways": 11, "/quarantine": 13}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(runtime: Runtime, owner: psycopg.AsyncConnection) -> Any:
    await owner.execute(ASSETS)
    await owner.execute(OTHERS)
    async with runtime.database.unit() as unit:
        for n in range(9):
            await journal.record(unit, "test.listed", params={"n": n})
    await owner.execute(
        "insert into journal.parked (reaction, position, entry, tries, error)"
        " select 'r' || n % 2, n / 2, e.id, n % 3, 'x' from generate_series(1, 9) n,"
        " lateral (select id from journal.entry limit 1) e"
    )
    return build_app(runtime, ROUTES, PERMISSIONS, ROLES)


async def _joined(http: Any, path: str, sort: str) -> list[Any]:
    found: list[Any] = []
    cursor = None
    while True:
        asked = {"sort": sort, "limit": 4} | ({"cursor": cursor} if cursor else {})
        answer = await http.get(f"/api/v1{path}", params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


def _shown(item: dict[str, Any], name: str) -> Any:
    """What an item shows of a field that lists are sorted by."""
    if name in ("installed", "commissioned", "retired", "manufacturer", "model"):
        return item["lifecycle"][name]
    if "asset" in item and isinstance(item["asset"], dict) and name in ("asset", "name"):
        return item["asset"]["id" if name == "asset" else "name"]
    return item[name]


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_is_sorted_by_what_it_says_page_by_page(
    app: Any, runtime: Runtime, path: str
) -> None:
    name = "a" + re.sub(r"\W", "", path)[:20]
    async with await person(app, runtime, name, "administrator") as http:
        for name in LISTS[path]:
            for down in (False, True):
                found = await _joined(http, path, f"{'-' if down else ''}{name}")
                assert len(found) == COUNTS.get(path, len(found)), (name, down)
                assert len(found) >= 9
                keys = [str(item) for item in found]
                assert len(set(keys)) == len(keys), "no row twice"
                values = [_shown(item, name) for item in found]
                there = [value for value in values if value is not None]
                assert values == there + [None] * (len(values) - len(there)), "nulls last"
                assert there == sorted(there, reverse=down), (name, down)
        refused = await http.get(f"/api/v1{path}", params={"sort": "nonsense"})
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_sort")
        for name in LISTS[path]:
            assert name in refused.json()["detail"]


@pytest.mark.parametrize(
    ("path", "filter_", "count"),
    [
        ("/assets", "kind:Streetlight", 11),
        ("/commands", "open:yes", 6),
        ("/gateways", "online:yes", 3),
        ("/quarantine", "code:c0", 6),
    ],
)
async def test_downloads_hold_what_the_filter_finds(
    app: Any, runtime: Runtime, path: str, filter_: str, count: int
) -> None:
    async with await person(app, runtime, "d" + path.strip("/"), "administrator") as http:
        listed = (await http.get(f"/api/v1{path}", params={"filter": filter_})).json()
        assert len(listed["items"]) == count
        assert listed["total"] == count
        taken = await http.get(f"/api/v1{path}.csv", params={"filter": filter_, "lang": "fr"})
        assert len(taken.text.splitlines()) == count + 1
        taken = await http.get(f"/api/v1{path}.xlsx", params={"filter": filter_})
        assert taken.content[:2] == b"PK"


async def test_a_sorted_list_shows_no_more_than_ones_scope(app: Any, runtime: Runtime) -> None:
    async with await person(app, runtime, "narrow", "viewer@21166") as http:
        found = await _joined(http, "/assets", "-name")
        assert {item["municipality"] for item in found} == {"21166"}
        assert len(found) == 12
