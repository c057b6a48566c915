"""Trackers at the doors of a real process: logged in, stored before they are acknowledged, and
nothing taken from those who are not who they say."""

import asyncio
import contextlib
import json
import random
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest
from sqlalchemy import text

from tests.support import trackers as sent
from tests.support.direct import Direct
from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from vigie import places
from vigie.core import clock
from vigie.core.errors import Invalid, SetupError, Unavailable
from vigie.core.runtime import Runtime
from vigie.core.web import build_app
from vigie.gateways.positions import trackers
from vigie.gateways.positions.door import Door, Limits
from vigie.gateways.positions.registry import Registry
from vigie.gateways.positions.services import TALKS, services
from vigie.gateways.positions.trackers import TrackerNew
from vigie.twin import track

API = "/api/v1"
NOW = datetime.now(UTC).replace(microsecond=0)
MS = int(NOW.timestamp() * 1000)


@pytest.fixture(scope="module")
async def city(runtime):
    async with runtime.database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    return runtime


async def vehicle(database, municipality="21231"):
    async with database.unit() as unit:
        found = await unit.execute(
            text(
                "insert into twin.asset (token, kind, trade, source, source_id, name, lon, lat,"
                " mercator, municipality) values (:t, 'Vehicle', 'operations', 'test', :s,"
                " 'Van', 5, 47, point(0, 0), :m) returning id, token, source_id"
            ),
            {"t": f"v{random.randrange(10**12)}", "s": str(random.randrange(10**9)),
             "m": municipality},
        )  # fmt: skip
        return found.one()


async def enrolled(city, protocol, identity=""):
    asset = await vehicle(city.database)
    async with city.database.unit() as unit:
        issued = await trackers.enrol(
            unit, city.bus, TrackerNew(asset=asset.id, protocol=protocol, identity=identity), 2
        )
    return asset, issued


@contextlib.asynccontextmanager
async def door(city, name, accept=None, limits=None):
    made = Door(
        city, name, 0, TALKS[name], Registry(city.database), accept or Direct(city.database), limits
    )
    task = asyncio.create_task(made.keep())
    try:
        await asyncio.wait_for(made.ready.wait(), 10)
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def connected(made):
    return await asyncio.open_connection("127.0.0.1", made.port)


async def answer(reader, size):
    return await asyncio.wait_for(reader.readexactly(size), 20)


async def said(reader):
    return json.loads(await asyncio.wait_for(reader.readline(), 20))


async def ended(reader):
    try:
        return await asyncio.wait_for(reader.read(), 20) == b""
    except ConnectionError:
        return True


async def positions(city, asset):
    async with city.database.unit() as unit:
        found = await track.read_track(
            unit, asset.id, NOW - timedelta(days=2), clock.now() + timedelta(hours=1), reason="test"
        )
    return [t for feature in found.features for t in feature.properties.t]


async def test_osmand_to_track_and_back_over_http(city):
    asset, issued = await enrolled(city, "osmand")
    params = {"id": issued.token, "lat": 47.3216, "lon": 5.0415, "speed": 8.3}
    async with door(city, "osmand") as made, httpx.AsyncClient() as app:
        url = f"http://127.0.0.1:{made.port}/"
        assert (await app.get(url, params=params)).status_code == 401, "without its key"
        params["key"] = issued.secret
        at = MS - 60_000
        for _ in range(2):
            got = await app.get(url, params=params | {"timestamp": str(at // 1000)})
            assert (got.status_code, got.content) == (200, b"")
        form = await app.post(url, data=params | {"timestamp": str(at + 10_000), "lat": "47.322"})
        assert form.status_code == 200
        plug_in = {
            "device_id": issued.token,
            "location": {"timestamp": (at + 20_000) / 1000,
                         "coords": {"latitude": 47.3225, "longitude": 5.0416}},
        }  # fmt: skip
        key = {"Authorization": f"Bearer {issued.secret}"}
        assert (await app.post(url, json=plug_in, headers=key)).status_code == 200
        bad = await app.get(url, params=params | {"lat": "x"})
        assert (bad.status_code, bad.json()["code"]) == (400, "wrong_value")
    assert await positions(city, asset) == [at, at + 10_000, at + 20_000]
    web = build_app(city, ROUTES, PERMISSIONS, ROLES)
    ines = await person(web, city, "ines", "operator@21231")
    got = await ines.get(f"{API}/assets/{asset.id}/track", params={"reason": "where is it"})
    assert len(got.json()["features"][0]["geometry"]["coordinates"]) == 3


async def test_nothing_is_acknowledged_that_was_not_stored(city):
    asset, issued = await enrolled(city, "osmand", f"app-{random.randrange(10**9)}")
    away = True

    class Sometimes(Direct):
        async def __call__(self, messages, /):
            if away:
                raise Unavailable("engine_away", "The database is away.")
            await super().__call__(messages)

    params = {"id": issued.token, "key": issued.secret, "lat": 47.32, "lon": 5.04,
              "timestamp": MS // 1000}  # fmt: skip
    async with (
        door(city, "osmand", Sometimes(city.database)) as made,
        httpx.AsyncClient() as app,
    ):
        url = f"http://127.0.0.1:{made.port}/"
        got = await app.get(url, params=params)
        assert (got.status_code, got.headers["retry-after"]) == (503, "10")
        assert await positions(city, asset) == []
        away = False
        assert (await app.get(url, params=params)).status_code == 200
    assert await positions(city, asset) == [MS]


def avl(*seconds):
    return sent.avl(
        [(MS + s * 1000, 50_400_000 + s * 100, 473_200_000, 240, 90, 9, 36, {}) for s in seconds]
    )


async def test_teltonika_logs_in_and_is_answered_when_stored(city):
    imei = str(random.randrange(10**14, 10**15))
    asset, _ = await enrolled(city, "teltonika", imei)
    async with door(city, "teltonika") as made:
        reader, writer = await connected(made)
        writer.write(b"\x00\x0f" + imei.encode())
        assert await answer(reader, 1) == b"\x01"
        writer.write(avl(-30, -20))
        assert await answer(reader, 4) == b"\x00\x00\x00\x02"
        assert await positions(city, asset) == [MS - 30_000, MS - 20_000]
        frame = avl(-20, -10)
        writer.write(b"\xff" + frame[:20])
        await writer.drain()
        writer.write(frame[20:])
        assert await answer(reader, 4) == b"\x00\x00\x00\x02"
        assert len(await positions(city, asset)) == 3, "a record sent again is the same one"
        writer.write(frame[:-1] + bytes([frame[-1] ^ 1]))
        assert await ended(reader), "after a wrong CRC nobody knows where a frame begins"
        assert made.counts == {"accepted": 4, "crc": 1}
        writer.close()


async def test_a_killed_way_in_acknowledges_nothing_and_loses_nothing(city):
    """The transaction is broken off in the middle, as kill -9 does; the device sends again."""
    imei = str(random.randrange(10**14, 10**15))
    asset, _ = await enrolled(city, "teltonika", imei)

    class Broken(Direct):
        tries = 0

        async def __call__(self, messages, /):
            self.tries += 1
            if self.tries == 1:
                async with city.database.unit() as unit:
                    await track.store(
                        unit,
                        [track.Position(asset.id, m.at * 1000, MS * 1000, m.lon, m.lat)
                         for m in messages],
                    )  # fmt: skip
                    raise Unavailable("engine_away", "killed")
            await super().__call__(messages)

    async with door(city, "teltonika", Broken(city.database)) as made:
        for attempt in range(2):
            reader, writer = await connected(made)
            writer.write(b"\x00\x0f" + imei.encode())
            assert await answer(reader, 1) == b"\x01"
            writer.write(avl(-5))
            if attempt == 0:
                assert await ended(reader)
                assert await positions(city, asset) == []
            else:
                assert await answer(reader, 4) == b"\x00\x00\x00\x01"
            writer.close()
    assert await positions(city, asset) == [MS - 5_000]


async def test_unknown_and_removed_trackers_are_refused(city):
    imei = str(random.randrange(10**14, 10**15))
    _, issued = await enrolled(city, "teltonika", imei)
    async with city.database.unit() as unit:
        await trackers.remove(unit, city.bus, issued.token, "sold")
    async with door(city, "teltonika") as made:
        for login in (imei, "999999999999999"):
            reader, writer = await connected(made)
            writer.write(b"\x00\x0f" + login.encode())
            assert await answer(reader, 1) == b"\x00"
            assert await ended(reader)
            writer.close()
        reader, writer = await connected(made)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await ended(reader)
        writer.close()


async def test_nmea_with_a_login_line(city):
    asset, issued = await enrolled(city, "nmea")
    stamp = NOW - timedelta(seconds=90)
    rmc = sent.summed(f"GPRMC,{stamp:%H%M%S},A,4719.200,N,00502.400,E,010.0,084.4,{stamp:%d%m%y},,")
    async with door(city, "nmea") as made:
        reader, writer = await connected(made)
        writer.write(f"login {issued.token} wrong\r\n".encode())
        assert await asyncio.wait_for(reader.readline(), 20) == b"refused\r\n"
        writer.close()
        reader, writer = await connected(made)
        writer.write(f"login {issued.token} {issued.secret}\r\n".encode())
        assert await asyncio.wait_for(reader.readline(), 20) == b"ok\r\n"
        writer.write(b"$noise\r\n\r\n" + rmc)
        await writer.drain()
        async with asyncio.timeout(20):
            while not made.counts["accepted"]:
                await asyncio.sleep(0.02)
        writer.write(b"x\r\n" * 30)
        assert await ended(reader), "no receiver"
        writer.close()
    assert await positions(city, asset) == [int(stamp.timestamp() * 1000)]


async def test_radios_behind_a_gateway(city):
    asset, issued = await enrolled(city, "radio")
    async with door(city, "radio") as made:
        reader, writer = await connected(made)
        writer.write(json.dumps({"login": issued.token, "secret": issued.secret}).encode() + b"\n")
        assert await said(reader) == {"ok": True}
        for line in (
            {"n": 1, "type": "position", "radio": asset.token, "lat": 47.32, "lon": 5.04},
            {"n": 2, "type": "position", "radio": "nobody's", "lat": 47.32, "lon": 5.04},
            {"n": 3, "type": "position", "radio": asset.source_id, "lat": 147},
            {"n": 4, "type": "status", "radio": asset.source_id, "code": 4},
        ):
            writer.write(json.dumps(line).encode() + b"\n")
        writer.write(b"\xff\xfe\n")
        assert await said(reader) == {"ack": 1}
        assert (await said(reader))["error"] == "unknown_device"
        refused = await said(reader)
        assert (refused["n"], refused["error"]) == (3, "wrong_value")
        assert await said(reader) == {"ack": 4}
        assert (await said(reader))["error"] == "not_json"
        writer.write(b"y" * 20_000 + b"\n")
        assert await ended(reader)
        writer.close()
    assert len(await positions(city, asset)) == 1


async def test_nobody_holds_a_door(city):
    limits = Limits(connections=3, per_address=2, login_s=0.3, idle_s=0.3, piece_s=0.3)
    async with door(city, "radio", limits=limits) as made:
        silent = [await connected(made) for _ in range(2)]
        await asyncio.sleep(0.05)
        reader, writer = await connected(made)
        assert await ended(reader), "a third of this address"
        writer.close()
        for reader, writer in silent:
            assert await ended(reader), "they never logged in"
            writer.close()
        reader, writer = await connected(made)
        writer.write(b'{"log')
        assert await ended(reader), "half a line"
        writer.close()
        assert made.counts["full"] == 1


async def test_http_that_is_none_is_refused(city):
    limits = Limits(login_s=2)
    async with door(city, "osmand", limits=limits) as made:
        for request in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40),
            b"GET /?" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 90000\r\n\r\n" + b"a" * 20_000,
            b"PUT / HTTP/1.1\r\nConnection: close\r\n\r\n",
            b"GET / HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        ):
            reader, writer = await connected(made)
            writer.write(request)
            with contextlib.suppress(ConnectionError):
                assert b" 400 " in (await asyncio.wait_for(reader.read(), 20))[:20]
            writer.close()


async def test_doors_are_closed_unless_a_port_is_set(city):
    assert services(city) == {}
    opened = msgspec.structs.replace(
        city.settings, positions_osmand_port=5055, positions_radio_port=5057
    )
    other = Runtime(opened, "test", city.database, city.bus, city.rooms)
    assert set(services(other)) == {"positions-osmand", "positions-radio"}


async def test_a_port_that_is_taken_is_said_so(city):
    async with door(city, "nmea") as made:
        second = Door(city, "nmea", made.port, TALKS["nmea"], None, None)
        with pytest.raises(SetupError, match="VIGIE_POSITIONS_NMEA_PORT"):
            await second.keep()


async def test_a_radio_gateway_speaks_for_its_radios_and_no_other(city):
    one, two, stranger = [await vehicle(city.database) for _ in range(3)]
    async with city.database.unit() as unit:
        new = TrackerNew(asset=one.id, protocol="radio", others=[two.id])
        issued = await trackers.enrol(unit, city.bus, new, 2)
    async with door(city, "radio") as made:
        reader, writer = await connected(made)
        writer.write(json.dumps({"login": issued.token, "secret": issued.secret}).encode() + b"\n")
        assert await said(reader) == {"ok": True}
        for n, radio in enumerate((one, two, stranger)):
            line = {"n": n, "type": "position", "radio": radio.token, "lat": 47.3, "lon": 5.0}
            writer.write(json.dumps(line).encode() + b"\n")
        assert [await said(reader), await said(reader)] == [{"ack": 0}, {"ack": 1}]
        assert (await said(reader))["error"] == "unknown_device"
        writer.close()
    assert await positions(city, stranger) == []
    async with city.database.unit() as unit:
        with pytest.raises(Invalid):
            await trackers.enrol(
                unit, city.bus, TrackerNew(asset=one.id, protocol="nmea", others=[two.id]), 2
            )


async def test_trackers_over_http(city):
    inside, outside = await vehicle(city.database), await vehicle(city.database, "21617")
    app = build_app(city, ROUTES, PERMISSIONS, ROLES)
    ada = await person(app, city, "ada", "administrator")
    bob = await person(app, city, "bob", "operator@21231")
    imei = str(random.randrange(10**14, 10**15))
    new = {"asset": inside.id, "protocol": "teltonika", "identity": imei}
    assert (await bob.post(f"{API}/trackers", json=new)).status_code == 403
    made = await ada.post(f"{API}/trackers", json=new)
    assert made.status_code == 201, made.text
    issued = made.json()
    twice = await ada.post(f"{API}/trackers", json=new)
    assert (twice.status_code, twice.json()["code"]) == (409, "tracker_taken")
    none = await ada.post(f"{API}/trackers", json=new | {"identity": "IMEI 7"})
    assert (none.status_code, none.json()["code"]) == (422, "tracker_identity")
    other = {"asset": outside.id, "protocol": "osmand"}
    assert (await ada.post(f"{API}/trackers", json=other)).status_code == 201
    seen = (await bob.get(f"{API}/trackers")).json()["items"]
    assert {t["municipality"] for t in seen} == {"21231"}
    assert imei in {t["identity"] for t in seen}
    path = f"{API}/trackers/{issued['token']}"
    assert (await ada.delete(path, params={"reason": "sold"})).status_code == 204
    assert (await ada.delete(path, params={"reason": "sold"})).status_code == 404
    again = await ada.post(f"{API}/trackers", json=new)
    assert again.status_code == 201, "its number is free"
