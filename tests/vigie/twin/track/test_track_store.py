"""Positions on the real database: stored once, in any order; read with a reason, in scope."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from vigie.core import clock
from vigie.core.web import build_app
from vigie.twin import days, track
from vigie.twin.track import Position
from vigie.twin.track.model import TrackLine, TrackPoint

API = "/api/v1"
START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)


async def vehicle(database, municipality="21231", trade="lighting"):
    async with database.unit() as unit:
        found = await unit.execute(
            text(
                "insert into twin.asset (token, kind, trade, source, source_id, name, lon, lat,"
                " mercator, municipality) values (:t, 'Streetlight', :trade, 'test', :t, 'V <1>',"
                " 5, 47, point(0, 0), :m) returning id"
            ),
            {"t": f"v{random.randrange(10**12)}", "m": municipality, "trade": trade},
        )
        return found.scalar_one()


def at(asset, seconds, lon=5.04, lat=47.32, **more):
    us = int(START.timestamp() * 1e6) + int(seconds * 1e6)
    return Position(asset, us, us + 1_500_000, lon, lat, **more)


async def put(database, positions):
    async with database.unit() as unit:
        return await track.store(unit, positions)


async def read(database, asset, **more):
    async with database.unit() as unit:
        return await track.read_track(
            unit, asset, START - timedelta(hours=1), clock.now(), reason="a test", **more
        )


async def test_a_position_comes_back_as_it_was(city):
    asset = await vehicle(city.database)
    stored = await put(
        city.database,
        [at(asset, 0.123, 5.0412345, 47.3212345, speed_m_s=8.33, heading_deg=271.2,
            accuracy_m=4.2)],
    )  # fmt: skip
    assert (stored.fresh, stored.repeated, stored.late) == (1, 0, 0)
    newest = stored.newest[0]
    assert (newest.longitude, newest.speed, newest.heading) == (5.0412345, 8.33, 271.2)
    found = await read(city.database, asset)
    (feature,) = found.features
    assert feature.geometry.coordinates == (5.0412345, 47.3212345)
    assert feature.properties.t == [int(START.timestamp() * 1000) + 123]
    assert (feature.properties.speed, feature.properties.heading) == ([8.33], [271.2])


async def test_the_newest_position_has_its_municipality(city):
    asset = await vehicle(city.database, "21617")
    await put(city.database, [at(asset, 0)])
    async with city.database.unit() as unit:
        now = await track.position_now(unit, asset)
        assert (now.municipality, now.point) == ("21231", (5.04, 47.32))
    # A few metres are not looked up again; where nothing is, there is no municipality.
    await put(city.database, [at(asset, 3000, 6.04, 47.32)])
    async with city.database.unit() as unit:
        assert (await track.position_now(unit, asset)).municipality == ""


async def test_any_order_and_number_of_copies_gives_the_same_track(city):
    moves = [(n * 10, 5.04 + n * 1e-4) for n in range(30)]
    rng = random.Random(7)
    tracks = []
    for _ in range(4):
        asset = await vehicle(city.database)
        sent = [at(asset, seconds, lon) for seconds, lon in moves]
        sent += rng.choices(sent, k=20)
        rng.shuffle(sent)
        fresh = 0
        for start in range(0, len(sent), 7):
            fresh += (await put(city.database, sent[start : start + 7])).fresh
        assert fresh == len(moves)
        found = await read(city.database, asset)
        tracks.append([(f.geometry.coordinates, f.properties.t) for f in found.features])
        async with city.database.unit() as unit:
            assert (await track.position_now(unit, asset)).point == (5.0429, 47.32)
    assert all(one == tracks[0] for one in tracks)


async def test_a_batch_that_was_rolled_back_is_stored_when_it_comes_again(city):
    asset = await vehicle(city.database)
    with pytest.raises(RuntimeError):
        async with city.database.unit() as unit:
            await track.store(unit, [at(asset, 0)])
            raise RuntimeError
    assert (await put(city.database, [at(asset, 0)])).fresh == 1
    assert (await put(city.database, [at(asset, 0)])).repeated == 1


async def test_two_writers_of_the_same_positions_store_them_once(city):
    asset, other = await vehicle(city.database), await vehicle(city.database)
    batch = [at(a, n * 10, 5.04 + n * 1e-4) for n in range(20) for a in (asset, other)]
    done = await asyncio.gather(*(put(city.database, batch) for _ in range(4)))
    assert sum(stored.fresh for stored in done) == 40
    assert (await read(city.database, asset)).positions == 20


async def test_what_a_gateway_hands_over_is_the_same(city):
    asset = await vehicle(city.database)
    reported = SimpleNamespace(
        asset=asset, at=START, recorded=START + timedelta(seconds=2), lon=5.04, lat=47.32,
        altitude=240.0, speed_m_s=3.0, heading_deg=None, accuracy_m=None, satellites=7, valid=True,
    )  # fmt: skip
    async with city.database.unit() as unit:
        assert (await track.receive(unit, [reported])).fresh == 1
    assert (await put(city.database, [at(asset, 0)])).repeated == 1


async def test_the_watch_opens_days_and_packs_those_that_are_over(city):
    asset = await vehicle(city.database)
    await put(city.database, [at(asset, -3 * 86400)])
    running = asyncio.create_task(track.services(city)["tracks"]())
    component = city.component("tracks")
    try:
        async with asyncio.timeout(30):
            while component.status != "ok":
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
    packed = (START - timedelta(days=3)).date()
    assert await days.pack(city.database, packed) is False, "it is done"
    assert (await put(city.database, [at(asset, -3 * 86400 + 5)])).late == 0
    async with city.database.unit() as unit:
        opened = await unit.execute(
            text("select to_regclass('twin.track_' || to_char(now() + '3 days', 'YYYYMMDD'))")
        )
        assert opened.scalar_one() is not None


async def test_a_jump_is_stored_flagged_and_does_not_move_it(city):
    asset = await vehicle(city.database)
    stored = await put(city.database, [at(asset, 0), at(asset, 10, lat=48.0), at(asset, 20)])
    assert (stored.fresh, stored.jumps) == (3, 1)
    again = await put(city.database, [at(asset, 10, lat=48.0)])
    assert (again.fresh, again.repeated) == (0, 1)
    found = await read(city.database, asset)
    assert [(type(f.geometry), f.properties.jump) for f in found.features] == [
        (TrackLine, False),
        (TrackPoint, True),
    ]


async def test_what_is_no_fix_is_kept_apart(city):
    asset = await vehicle(city.database)
    stored = await put(
        city.database,
        [at(asset, 0, valid=False), at(asset, 1, 0.0, 0.0), at(asset, 2, 200.0),
         at(10**9 // 2, 3), at(asset, -90 * 86400), Position(asset, 2**62, 0, 5, 47)],
    )  # fmt: skip
    codes = [refusal.code for refusal in stored.refused]
    assert sorted(codes) == [
        "at_future", "at_past", "no_fix", "no_fix", "out_of_bounds", "unknown_asset",
    ]  # fmt: skip
    assert (stored.fresh, stored.newest) == (0, [])
    async with city.database.unit() as unit:
        kept = await unit.execute(
            text("select code from twin.track_refused where asset = :a"), {"a": asset}
        )
        assert len(kept.all()) == 5
    assert (await read(city.database, asset)).features == []


async def test_gaps_are_gaps_and_lines_are_simplified_on_demand(city):
    asset = await vehicle(city.database)
    line = [at(asset, n * 10, 5.04 + n * 1e-4) for n in range(50)]
    await put(city.database, [*line, at(asset, 2000, 5.05), at(asset, 2010, 5.0501)])
    found = await read(city.database, asset, tolerance_m=5)
    assert [len(f.geometry.coordinates) for f in found.features] == [2, 2]
    assert (found.positions, found.shown) == (52, 4)
    assert found.features[0].properties.length_m == pytest.approx(370, abs=10)


async def test_a_position_takes_60_bytes_with_its_index_once_its_day_is_packed(city, owner):
    """300 vehicles that report in turn: the promise of the migration, measured."""
    day = date(2001, 1, 1)
    async with city.database.unit() as unit:
        await days.Days().open(unit, "track", [day])
    await owner.execute(
        """
        insert into twin.track
        select 366 * 86400 + tick * 10, 900000 + asset, 50400000 + tick, 473200000, 12, 830, 900, 40
        from generate_series(0, 999) tick, generate_series(1, 300) asset
        order by tick, asset
        """
    )
    size = (
        "select pg_relation_size('twin.track_20010101')::float8 / 300000,"
        " pg_indexes_size('twin.track_20010101')::float8 / 300000"
    )
    heap, index = await (await owner.execute(size)).fetchone()
    assert heap + index < 66, (heap, index)
    assert await days.pack(city.database, day) is True
    assert await days.pack(city.database, day) is False, "once"
    heap, index = await (await owner.execute(size)).fetchone()
    assert heap + index < 59.5, (heap, index)
    assert await days.drop_before(city.database, "track", day + timedelta(days=1)) == 1


async def test_what_comes_while_a_day_is_packed_is_in_it(city, owner):
    """A writer is still open when the copy begins, and another one writes meanwhile."""
    first, late, last = [await vehicle(city.database) for _ in range(3)]
    day, seconds = (START - timedelta(days=5)).date(), -5 * 86400
    await put(city.database, [at(first, seconds)])
    async with city.database.unit() as unit:
        await track.store(unit, [at(late, seconds)])
        packing = asyncio.create_task(days.pack(city.database, day))
        await asyncio.sleep(0.3)
        assert not packing.done(), "it waits for the writer"
    # It waits for a moment only, and then leaves the day as it was.
    done = await packing
    if done is None:
        done = await days.pack(city.database, day)
    assert done is True
    await put(city.database, [at(last, seconds)])
    for asset in (first, late, last):
        async with city.database.unit() as unit:
            found = await track.read_track(
                unit, asset, START - timedelta(days=6), START, reason="a test"
            )
        assert found.positions == 1
    assert (await put(city.database, [at(late, seconds)])).repeated == 1


async def test_over_http_with_a_reason_and_in_scope(city):
    asset = await vehicle(city.database)
    other = await vehicle(city.database, "21617")
    await put(
        city.database,
        [at(a, 7000 + n * 10, 5.04 + n * 1e-4) for n in range(5) for a in (asset, other)],
    )
    app = build_app(city, ROUTES, PERMISSIONS, ROLES)
    dijon = await person(app, city, "ines", "operator@21231/lighting")
    viewer = await person(app, city, "vera", "viewer")
    path = f"{API}/assets/{asset}/track"
    why = {"reason": "lost van"}
    assert (await dijon.get(path)).status_code == 422, "without a reason"
    assert (await viewer.get(path, params=why)).status_code == 403
    assert (await dijon.get(f"{API}/assets/{other}/track", params=why)).status_code == 404
    found = await dijon.get(path, params=why)
    assert found.status_code == 200, found.text
    assert found.json()["type"] == "FeatureCollection"
    assert len(found.json()["features"][0]["geometry"]["coordinates"]) == 5
    bad = await dijon.get(path, params=why | {"from": "2001-01-01T00:00:00Z"})
    assert (bad.status_code, bad.json()["code"]) == (422, "track_bad_span")
    table = await dijon.get(f"{path}.csv", params=why)
    assert table.text.splitlines()[0].startswith("at,lon,lat")
    assert table.text.count("\n") == 6
    gpx = await dijon.get(f"{path}.gpx", params=why)
    assert gpx.text.count("<trkpt") == 5
    assert "V &lt;1&gt;" in gpx.text
    trails = await dijon.get(f"{API}/tracks/trails", params=why | {"minutes": 240})
    seen = {f["properties"]["asset"] for f in trails.json()["features"]}
    assert asset in seen
    assert other not in seen
    here = await viewer.get(f"{API}/assets/{asset}/position")
    assert here.json()["municipality"] == "21231"
    assert (await dijon.get(f"{API}/assets/{other}/position")).status_code == 404
    async with city.database.unit() as unit:
        acts = await unit.execute(
            text(
                "select e.act, p.value from journal.entry e join journal.personal p"
                " on p.entry = e.id and p.field = 'reason' where e.act like 'twin.tra%'"
                " and e.params->>'asset' = :a order by e.recorded"
            ),
            {"a": str(asset)},
        )
        assert [tuple(row) for row in acts] == [
            ("twin.track_read", "lost van"),
            ("twin.track_exported", "lost van"),
            ("twin.track_exported", "lost van"),
        ]


async def test_days_are_dropped_whole_when_their_time_is_over(city):
    async with city.database.unit() as unit:
        await days.Days().open(unit, "track", [date(2002, 3, 4)])
    dropped = await days.drop_before(city.database, "track", date(2002, 3, 5))
    assert dropped == 1
    assert (await put(city.database, [at(await vehicle(city.database), 0)])).fresh == 1
