"""Events on the real database: stored once, listed in scope, personal ones apart and erasable."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from sqlalchemy import text

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from vigie.core.errors import NotFound
from vigie.core.web import build_app
from vigie.twin import events, kinds
from vigie.twin.events import Event, read, sweep
from vigie.twin.kinds import Choice, Kind, Text
from vigie.twin.kinds import Event as Happening

API = "/api/v1"
NOW = datetime.now(UTC).replace(microsecond=250_000)
KIND = Kind(
    "Streetlight",
    "lighting",
    events=(
        Happening("forced", abnormal=True),
        Happening("opened", (Choice("by", ("key", "remote")),), keep_days=5),
        Happening("badge_read", (Text("badge", 20),), personal=True, keep_days=30),
    ),
)


@pytest.fixture(autouse=True)
def doors():
    with kinds.instead([KIND]):
        yield


async def door(database, municipality="21231"):
    async with database.unit() as unit:
        found = await unit.execute(
            text(
                "insert into twin.asset (token, kind, trade, source, source_id, name, lon, lat,"
                " mercator, municipality) values (:t, 'Streetlight', 'lighting', 'test', :t,"
                " 'Porte Guillaume', 5, 47, point(0, 0), :m) returning id"
            ),
            {"t": f"d{random.randrange(10**12)}", "m": municipality},
        )
        return found.scalar_one()


async def put(database, *some):
    async with database.unit() as unit:
        return await events.store(unit, some)


def event(asset, name, seconds=0, id_="", **fields):
    return Event(asset, NOW + timedelta(seconds=seconds), NOW, name, fields, id_)


async def test_an_event_is_stored_once_whatever_comes_again(city):
    asset = await door(city.database)
    first = await put(city.database, event(asset, "forced"), event(asset, "forced"))
    assert (len(first.fresh), first.repeated) == (1, 1)
    again = await put(
        city.database, event(asset, "forced"), event(asset, "forced", 1),
        event(asset, "opened", 1, "9", by="key"),
    )  # fmt: skip
    assert (len(again.fresh), again.repeated) == (2, 1)
    with pytest.raises(RuntimeError):
        async with city.database.unit() as unit:
            await events.store(unit, [event(asset, "forced", 2)])
            raise RuntimeError
    assert len((await put(city.database, event(asset, "forced", 2))).fresh) == 1


async def test_two_writers_of_the_same_events_store_them_once(city):
    asset = await door(city.database)
    batch = [event(asset, "forced", n, str(n)) for n in range(30)]
    mixed = [random.sample(batch, k=30) for _ in range(4)]
    done = await asyncio.gather(*(put(city.database, *some) for some in mixed))
    assert sum(len(stored.fresh) for stored in done) == 30


async def test_what_a_gateway_hands_over_is_the_same(city):
    asset = await door(city.database)
    async with city.database.unit() as unit:
        stored = await events.receive(unit, [event(asset, "forced", 0, "77")])
    assert len(stored.fresh) == 1
    assert (await put(city.database, event(asset, "forced", 0, "77"))).repeated == 1


async def test_what_no_kind_declares_is_kept_apart(city):
    asset = await door(city.database)
    stored = await put(
        city.database,
        event(asset, "exploded"),
        event(asset, "opened", by="magic"),
        event(asset, "opened", how="x"),
        event(asset, "forced", 10**6),
        event(10**9, "forced", a="nul \0 here"),
    )
    assert [r.code for r in stored.refused] == [
        "unknown_event", "wrong_field", "unknown_field", "at_future", "unknown_asset",
    ]  # fmt: skip
    async with city.database.unit() as unit:
        kept = await unit.execute(
            text("select count(*) from twin.event_refused where asset in (:a, 1000000000)"),
            {"a": asset},
        )
        assert kept.scalar_one() == 5


async def test_over_http_in_scope_and_personal_ones_with_a_reason(city):
    asset, other = await door(city.database), await door(city.database, "21617")
    await put(
        city.database,
        event(asset, "forced", 10, "1"),
        event(asset, "opened", 11, "2", by="remote"),
        event(asset, "badge_read", 12, "3", badge="B-77"),
        event(other, "badge_read", 13, "4", badge="B-77"),
    )
    app = build_app(city, ROUTES, PERMISSIONS, ROLES)
    ines = await person(app, city, "ines", "operator@21231/lighting")
    vera = await person(app, city, "vera", "viewer")
    ada = await person(app, city, "ada", "administrator")

    listed = (await ines.get(f"{API}/assets/{asset}/events")).json()
    assert [(e["name"], e["fields"]) for e in listed["items"]] == [
        ("badge_read", {}), ("opened", {"by": "remote"}), ("forced", {}),
    ]  # fmt: skip
    assert (await ines.get(f"{API}/assets/{other}/events")).status_code == 404
    seen = (await ines.get(f"{API}/events", params={"filter": "name:badge_read"})).json()
    assert [e["asset"] for e in seen["items"]] == [asset]
    abnormal = await vera.get(f"{API}/events", params={"filter": f"abnormal:yes asset:{asset}"})
    assert [e["name"] for e in abnormal.json()["items"]] == ["forced"]
    words = await vera.get(f"{API}/events", params={"filter": f"remote asset:{asset}"})
    assert [e["name"] for e in words.json()["items"]] == ["opened"]
    table = await vera.get(f"{API}/events.csv", params={"filter": f"asset:{asset}"})
    assert "B-77" not in table.text
    assert table.text.count("\n") == 4

    path = f"{API}/events/{listed['items'][0]['key']}/personal"
    why = {"reason": "theft of 28 November"}
    assert (await ines.get(path)).status_code == 422
    assert (await vera.get(path, params=why)).status_code == 403
    assert (await ines.get(path, params=why)).json()["fields"] == {"badge": "B-77"}
    hidden = (await ada.get(f"{API}/assets/{other}/events")).json()["items"][0]["key"]
    outside = await ines.get(f"{API}/events/{hidden}/personal", params=why)
    assert (outside.status_code, outside.json()["code"]) == (404, "no_event")

    order = {"field": "badge", "value": "B-77", "reason": "asked by the holder"}
    assert (await ines.post(f"{API}/events/erase", json=order)).status_code == 403
    assert (await ada.post(f"{API}/events/erase", json=order)).json() == {"erased": 2}
    assert (await ines.get(path, params=why)).status_code == 404
    still = (await ines.get(f"{API}/assets/{asset}/events")).json()
    assert len(still["items"]) == 3, "that it happened stays"
    async with city.database.unit() as unit:
        acts = await unit.execute(
            text("select act, params::text from journal.entry where act like 'twin.event%'"
                 " order by recorded")
        )  # fmt: skip
        written = [tuple(row) for row in acts]
        assert [act for act, _ in written] == ["twin.event_personal_read", "twin.events_erased"]
        assert not any("B-77" in params for _, params in written)


async def test_events_are_kept_as_long_as_their_kind_says(city):
    asset = await door(city.database)
    await put(
        city.database,
        event(asset, "opened", -6 * 86400, by="key"),
        event(asset, "opened", -4 * 86400, by="key"),
        event(asset, "badge_read", -20 * 86400, badge="old"),
        event(asset, "badge_read", badge="new"),
    )
    assert await sweep.sweep(city.database, NOW, 400) is False
    async with city.database.unit() as unit:
        page = await events.events_of(unit, asset, read.ListQuery(limit=10))
        assert [e.name for e in page.items] == ["badge_read", "opened", "badge_read"]
        assert page.items[1].at == NOW - timedelta(days=4), "openings are kept for 5 days"
    await sweep.sweep(city.database, NOW + timedelta(days=12), 400)
    async with city.database.unit() as unit:
        (new,) = (await events.events_of(unit, asset, read.ListQuery(limit=10))).items
        assert (await events.read_personal(unit, new.key, "test")).fields == {"badge": "new"}
        with pytest.raises(NotFound):
            await events.read_personal(unit, page.items[2].key, "test")
        left = await unit.execute(text("select count(*) from twin.event_personal"))
        assert left.scalar_one() == 1


async def test_screens_hold_the_newest_and_hear_what_falls_out(city, monkeypatch):
    for module in ("store", "read"):
        monkeypatch.setattr(import_module(f"vigie.twin.events.{module}"), "SHOWN", 3)
    asset = await door(city.database)
    keys = []
    for n in range(5):
        keys += (await put(city.database, event(asset, "forced", 100 + n, str(n)))).fresh
    async with city.database.unit() as unit:
        (topic,) = events.TOPICS
        rows = await topic.load(unit, None)
        assert [row.id for row in rows] == [str(key) for key in reversed(keys[2:])]
        assert {row.scope for row in rows} == {"21231/lighting"}
        assert await topic.load(unit, [str(keys[0])]) == []
        touched = await unit.execute(
            text("select id from core.live_touch where topic = 'twin.events' order by n desc")
        )
        ids = list(touched.scalars())
    assert str(keys[4]) in ids
    assert str(keys[1]) in ids[:25], "it fell out of the newest"
