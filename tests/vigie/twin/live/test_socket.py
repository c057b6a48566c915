"""The live WebSocket on a real port, fed as ingest feeds it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import text
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.web import PASSWORD, account, log_in
from vigie.core.access import PERMISSIONS, Permission
from vigie.core.access.api import ROUTES
from vigie.core.engines import free_port
from vigie.core.runtime import Runtime
from vigie.core.scope import EVERYTHING
from vigie.core.tasks import end
from vigie.core.web import build_app, serve
from vigie.twin import live
from vigie.twin.kinds import STREETLIGHT
from vigie.twin.live import api as live_api
from vigie.twin.live import loading
from vigie.twin.live.hub import MOST_WAITING, Client, Hub
from vigie.twin.telemetry import clear_pending, set_desired

READ = Permission("twin.read", "See.", ("operator", "viewer", "administrator"))


class World:
    """An api process, its lights and a hand that plays the ingest."""

    def __init__(self, process: Runtime, browser: httpx.AsyncClient) -> None:
        self.process = process
        self.browser = browser
        self.lights: dict[str, list[int]] = {}
        self.commits = {0: 0, 1: 0}

    async def add(self, municipality: str, count: int) -> None:
        async with self.process.database.unit() as unit:
            made = await unit.execute(
                text(
                    "insert into twin.asset (token, kind, trade, source, source_id, lon, lat,"
                    " mercator, municipality) select :m || '-' || :start + i, 'Streetlight',"
                    " 'lighting', 'test', :m || '-' || :start + i, 5, 47, point(0, 0), :m"
                    " from generate_series(1, :count) i returning id"
                ),
                {"m": municipality, "count": count, "start": time.monotonic_ns() % 10**9},
            )
            self.lights.setdefault(municipality, []).extend(row[0] for row in made)

    async def store(
        self, lane: int, ids: list[int], level: float, *, tell: bool = True, power: float = 30
    ) -> None:
        """What ingest does: write, then tell."""
        at = time.time_ns() // 1000
        vals = np.full((len(ids), 8), np.nan)
        vals[:, 0], vals[:, 1] = level, power
        async with self.process.database.unit() as unit:
            await unit.execute(
                text(
                    "insert into twin.state (asset, n, at, recorded, boot, vals)"
                    " select a, 1, to_timestamp(:at), now(), 1, :vals"
                    " from unnest(cast(:ids as int[])) a"
                    " on conflict (asset) do update set at = excluded.at, vals = excluded.vals"
                ),
                {"ids": ids, "at": at / 1e6, "vals": list(vals[0])},
            )
            await unit.execute(
                text(
                    "insert into twin.ingest (lane, commits) values (:lane, 1) on conflict (lane)"
                    " do update set commits = twin.ingest.commits + 1"
                ),
                {"lane": lane},
            )
        self.commits[lane] += 1
        if tell:
            await self.tell(
                lane, (np.array(ids), np.full(len(ids), at), vals), self.commits[lane] - 1
            )

    async def tell(self, lane: int, rows: Any = None, previous: int | None = None) -> None:
        commit = self.commits[lane]
        await self.process.bus.publish(
            live.subject(lane),
            live.encode_delta(
                lane, commit, previous=commit if previous is None else previous,
                sent_ms=1, lag_s=0.1, newest_us=1, rows=rows,
            ),
        )  # fmt: skip

    async def cookie(self, username: str, *grants: str) -> str:
        self.browser.cookies.clear()
        first = await account(self.process.database, username, *grants)
        await log_in(self.browser, username, first)
        body = {"current": first, "new": PASSWORD}
        done = await self.browser.post("/api/v1/session/password", json=body)
        assert done.status_code == 200
        return "; ".join(f"{k}={v}" for k, v in self.browser.cookies.items())

    @contextlib.asynccontextmanager
    async def screen(self, cookie: str) -> AsyncIterator[Any]:
        address = f"ws://127.0.0.1:{self.process.settings.http_port}/api/v1/live"
        async with connect(
            address, additional_headers={"Cookie": cookie}, proxy=None, max_size=None
        ) as socket:
            yield Screen(socket)


class Screen:
    """What a console does with frames."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.pictures: dict[str, Any] = {}
        self.frames: list[Any] = []
        self.live: bool | None = None
        self.snapshots = 0

    async def ask(self, op: str, **more: Any) -> None:
        await self.socket.send(msgspec.json.encode({"op": op, **more}).decode())

    async def until(self, found: Any, within_s: float = 30) -> None:
        """Read frames until something holds."""
        deadline = time.monotonic() + within_s
        while not found(self):
            left = deadline - time.monotonic()
            assert left > 0, self.frames[-3:]
            frame = msgspec.json.decode(await asyncio.wait_for(self.socket.recv(), left))
            self.frames.append(frame)
            if frame["op"] == "heartbeat":
                self.live = frame["live"]
            for item in frame.get("items", ()):
                self.take(item)

    def take(self, item: Any) -> None:
        if item["op"] == "snapshot":
            self.snapshots += 1
            self.pictures[item["channel"]] = item
        elif item["op"] == "delta":
            picture = self.pictures[item["channel"]]
            assert item["prev"] == picture["seq"]
            picture["seq"] = item["seq"]
            for index, light in enumerate(item["id"]):
                row = picture["id"].index(light)
                for key in ("at", "dimmingLevel", "activePower", "flags"):
                    picture[key][row] = item[key][index]

    def level(self, channel: str, light: int) -> Any:
        picture = self.pictures.get(channel)
        if picture is None or light not in picture["id"]:
            return None
        return picture["dimmingLevel"][picture["id"].index(light)]

    def flags(self, channel: str, light: int) -> int:
        picture = self.pictures[channel]
        return picture["flags"][picture["id"].index(light)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(runtime: Runtime) -> AsyncIterator[World]:
    settings = msgspec.structs.replace(runtime.settings, http_port=free_port())
    process = Runtime(settings, "api", runtime.database, runtime.bus)
    app = build_app(process, [*ROUTES, *live_api.ROUTES], [*PERMISSIONS, READ])
    services = [serve(process, app), *(make() for make in live.services(process).values())]
    tasks = [asyncio.create_task(service) for service in services]
    base = f"http://127.0.0.1:{settings.http_port}"
    try:
        async with httpx.AsyncClient(base_url=base) as browser:
            for _ in range(1500):
                with contextlib.suppress(httpx.TransportError):
                    if (await browser.get("/healthz")).status_code == 200:
                        break
                await asyncio.sleep(0.02)
            made = World(process, browser)
            await made.add("21231", 30)
            await made.add("21166", 5)
            await process.bus.publish("twin.changed")
            await asyncio.sleep(1)
            yield made
    finally:
        process.stopping.set()
        await end(tasks[1:])
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_snapshot_then_deltas(world: World) -> None:
    dijon = world.lights["21231"]
    cookie = await world.cookie("ada", "operator")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=None)
        await screen.until(lambda s: len(s.pictures) == 2)
        assert screen.frames[0]["op"] == "hello"
        assert screen.frames[0]["kinds"]["Streetlight"][:2] == ["dimmingLevel", "activePower"]
        assert len(screen.pictures["21231/lighting"]["id"]) == 30
        await world.store(0, dijon[:10], 40)
        await world.store(1, dijon[10:], 60)
        await screen.until(
            lambda s: (
                s.level("21231/lighting", dijon[0]) == 40
                and s.level("21231/lighting", dijon[29]) == 60
            )
        )
        assert screen.snapshots == 2
        await world.tell(0)
        await world.tell(1)
        await screen.until(lambda s: s.live)


async def test_a_lost_delta_is_noticed_and_healed(world: World) -> None:
    dijon = world.lights["21231"]
    cookie = await world.cookie("bea", "operator")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=["21231/lighting"])
        await screen.until(lambda s: s.pictures)
        await world.store(0, dijon[:3], 11, tell=False)
        await world.store(0, dijon[3:5], 12)
        await screen.until(
            lambda s: (
                s.level("21231/lighting", dijon[0]) == 11
                and s.level("21231/lighting", dijon[4]) == 12
            )
        )
        await world.store(1, dijon[5:7], 13, tell=False)
        await world.tell(1)
        await screen.until(lambda s: s.level("21231/lighting", dijon[6]) == 13)
        assert screen.snapshots == 1


async def test_silence_is_not_live(world: World) -> None:
    cookie = await world.cookie("cleo", "viewer")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=None)
        for lane in (0, 1):
            await world.tell(lane)
        await screen.until(lambda s: s.live is True)
        await screen.until(lambda s: s.live is False)


async def test_commands_show_at_once(world: World) -> None:
    light = world.lights["21231"][20]
    await world.store(0, [light], 10)
    cookie = await world.cookie("dora", "operator")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=None)
        await screen.until(lambda s: s.level("21231/lighting", light) == 10)
        async with world.process.database.unit() as unit:
            await set_desired(unit, [light], 80)
        await screen.until(lambda s: s.flags("21231/lighting", light) == 16)
        async with world.process.database.unit() as unit:
            await clear_pending(unit, [light])
        await screen.until(lambda s: s.flags("21231/lighting", light) == 8)
        await world.store(0, [light], 80)
        await screen.until(lambda s: s.flags("21231/lighting", light) == 0)


async def test_what_was_shown_may_change_by_itself(world: World) -> None:
    """A lamp that did as told and follows its own programme later is no surprise."""
    light = world.lights["21231"][21]
    await world.store(0, [light], 80)
    async with world.process.database.unit() as unit:
        await set_desired(unit, [light], 40)
    await world.store(0, [light], 40)
    async with world.process.database.unit() as unit:
        await clear_pending(unit, [light], shown=True)
    await world.store(0, [light], 0)
    cookie = await world.cookie("dalia", "operator")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=None)
        await screen.until(lambda s: s.level("21231/lighting", light) == 0)
        await screen.until(lambda s: s.flags("21231/lighting", light) == 0)
        async with world.process.database.unit() as unit:
            await set_desired(unit, [light], 60)
            await clear_pending(unit, [light])
        await screen.until(lambda s: s.flags("21231/lighting", light) == 8)


async def test_a_number_too_small_for_the_picture_does_not_spoil_it(world: World) -> None:
    measured, wanted = world.lights["21231"][22:24]
    await world.store(0, [measured], 5e-324)
    async with world.process.database.unit() as unit:
        await set_desired(unit, [wanted], 5e-324)
        _, columns = await loading.load(unit)
        await clear_pending(unit, [wanted], shown=True)
    slot = STREETLIGHT.slot("dimmingLevel")
    assert columns.vals[columns.id == measured, slot] == 0
    assert columns.desired[columns.id == wanted] == 0


async def test_only_what_is_granted(world: World) -> None:
    cookie = await world.cookie("elsa", "operator@21166/lighting")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=["21231/lighting", "21166/lighting", "x"])
        await screen.until(
            lambda s: len([f for f in s.frames if f["op"] == "error"]) == 2 and s.pictures
        )
        assert set(screen.pictures) == {"21166/lighting"}
        errors = {f["channel"]: f["code"] for f in screen.frames if f["op"] == "error"}
        assert errors == {"21231/lighting": "not_found", "x": "not_found"}
        await screen.ask("resync", channel="21231/lighting")
        await screen.until(
            lambda s: len([f for f in s.frames if f.get("channel") == "21231/lighting"]) == 2
        )
        await world.process.bus.publish(
            "event.command",
            b'{"id":"1","counts":{"sent":3},"total":3,"parts":{"21231/lighting":{"sent":3}}}',
        )
        await world.process.bus.publish(
            "event.command",
            b'{"id":"2","counts":{"sent":4,"confirmed":3,"failed":0},"total":7,"parts":'
            b'{"21166/lighting":{"sent":1,"confirmed":1},"21231/lighting":{"sent":3,"confirmed":2}}}',
        )
        await world.store(0, world.lights["21231"][:1], 99)
        await world.store(0, world.lights["21166"][:1], 98)
        await screen.until(lambda s: s.level("21166/lighting", world.lights["21166"][0]) == 98)
        await screen.until(
            lambda s: [i for f in s.frames for i in f.get("items", ()) if i.get("id") == "2"]
        )
        items = [item for frame in screen.frames for item in frame.get("items", ())]
        assert not [item for item in items if item.get("id") == "1"]
        assert {item["channel"] for item in items if "channel" in item} == {"21166/lighting"}
        events = [item for item in items if item["op"] == "event"]
        part = {"counts": {"sent": 1, "confirmed": 1, "failed": 0}, "total": 2}
        assert events == [{"op": "event", "topic": "command", "id": "2", **part}], "its part alone"


async def test_new_lights_come_as_a_snapshot(world: World) -> None:
    cookie = await world.cookie("flora", "operator")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=None)
        await screen.until(lambda s: len(s.pictures) == 2)
        await world.add("21355", 2)
        await world.process.bus.publish("twin.changed")
        await screen.until(lambda s: "21355/lighting" in s.pictures)
        assert screen.snapshots == 3


@pytest.mark.parametrize(("frame", "code"), [("{", 4400), ('{"op":"dance"}', 4400)])
async def test_bad_frames_close(world: World, frame: str, code: int) -> None:
    cookie = await world.cookie(f"gina{len(frame)}", "operator")
    async with world.screen(cookie) as screen:
        await screen.socket.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(screen.socket.recv(), 5)
        assert closed.value.rcvd.code == code


async def test_logout_closes(world: World) -> None:
    cookie = await world.cookie("hana", "operator")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=None)
        await screen.until(lambda s: s.pictures)
        await world.browser.delete("/api/v1/session")
        with pytest.raises(ConnectionClosed) as closed:
            await screen.until(lambda s: False, 12)
        assert closed.value.rcvd.code == 4401


class Greedy:
    """A socket that asks for everything anew as fast as it is heard, and reads nothing."""

    def __init__(self) -> None:
        self.asked = 0

    async def receive_data(self, mode: str) -> str:
        self.asked += 1
        channel = "21231/lighting"
        asks = {"op": "resync", "channel": channel} if self.asked > 1 else {"op": "subscribe"}
        return msgspec.json.encode(asks).decode()


async def test_who_asks_and_does_not_read_is_heard_once(world: World) -> None:
    hub, client, socket = Hub.of(world.process), Client(EVERYTHING), Greedy()
    hearing = asyncio.create_task(live_api._hear(socket, hub, client))  # type: ignore[arg-type]
    try:
        for round_ in (1, 2, 3):
            while not client.waiting:
                await asyncio.sleep(0)
            for _ in range(100):
                await asyncio.sleep(0)
            assert socket.asked == round_
            while client.take() is not None:
                pass
    finally:
        hub.leave(client)
        hearing.cancel()


async def test_a_slow_client_gets_a_snapshot_instead_of_a_queue(world: World) -> None:
    hub = Hub.of(world.process)
    client = Client(EVERYTHING)
    hub.subscribe(client, None)
    while client.take() is not None:
        pass
    ids = np.array(world.lights["21231"][:1], np.int32)
    for level in range(MOST_WAITING + 5):
        hub.feed.model.apply(ids, np.array([level]), np.full((1, 8), level, np.float32))
        hub.tick()
    assert client.lagging
    hub.catch_up(client)
    frame = client.take()
    assert frame is not None
    assert '"snapshot"' in frame
    hub.leave(client)
