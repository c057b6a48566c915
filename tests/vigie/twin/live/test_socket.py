"""The lights on the live WebSocket, on a real port, fed as ingest feeds them."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import text
from websockets.exceptions import ConnectionClosed

from tests.support.live import Api, live_api
from tests.support.web import account
from vigie.app import every_room
from vigie.core.access import users
from vigie.core.access.logins import Logins
from vigie.core.access.model import GrantInput, UserPatch
from vigie.core.live import api as socket_api
from vigie.core.live.client import MOST_WAITING, Client
from vigie.core.live.hub import Hub
from vigie.core.runtime import Runtime
from vigie.core.scope import EVERYTHING
from vigie.lighting.kinds import STREETLIGHT
from vigie.twin import live
from vigie.twin.live import loading
from vigie.twin.live.service import Equipment
from vigie.twin.telemetry import StatePart, clear_pending, set_desired

EVERYWHERE = {"twin.read": EVERYTHING}
DIJON, CHENOVE = (f"{insee}/lighting/Streetlight" for insee in ("21231", "21166"))


class World(Api):
    """An api process, its lights and a hand that plays the ingest."""

    def __init__(self, api: Api) -> None:
        super().__init__(api.process, api.browser)
        self.lights: dict[str, list[int]] = {}
        self.commits = dict.fromkeys(api.process.settings.lanes, 0)

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
            none = np.zeros(len(ids), np.bool_)
            told = StatePart(STREETLIGHT, np.array(ids), np.full(len(ids), at), vals, none)
            await self.tell(lane, [told], self.commits[lane] - 1)

    async def tell(
        self, lane: int, parts: Sequence[StatePart] = (), previous: int | None = None
    ) -> None:
        commit = self.commits[lane]
        await self.process.bus.publish(
            live.subject(lane),
            live.encode_delta(
                lane, commit, previous=commit if previous is None else previous,
                sent_ms=1, lag_s=0.1, newest_us=1, parts=parts,
            ),
        )  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(runtime: Runtime) -> AsyncIterator[World]:
    def keep(process: Runtime) -> Any:
        return [make() for make in live.services(process).values()]

    async with live_api(runtime, every_room(), keep) as api:
        made = World(api)
        await made.add("21231", 30)
        await made.add("21166", 5)
        await made.process.bus.publish("twin.changed")
        await asyncio.sleep(1)
        yield made


async def test_snapshot_then_deltas(world: World) -> None:
    dijon = world.lights["21231"]
    cookie = await world.cookie("ada", "operator")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=None)
        await screen.until(lambda s: len(s.pictures) == 2)
        assert screen.frames[0]["op"] == "hello"
        assert screen.frames[0]["kinds"]["Streetlight"][:2] == ["dimmingLevel", "activePower"]
        assert len(screen.pictures[DIJON]["id"]) == 30
        await world.store(0, dijon[:10], 40)
        await world.store(1, dijon[10:], 60)
        await screen.until(
            lambda s: s.level(DIJON, dijon[0]) == 40 and s.level(DIJON, dijon[29]) == 60
        )
        assert screen.snapshots == 2
        for lane in world.commits:
            await world.tell(lane)
        await screen.until(lambda s: s.live)


async def test_a_lost_delta_is_noticed_and_healed(world: World) -> None:
    dijon = world.lights["21231"]
    cookie = await world.cookie("bea", "operator")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=[DIJON])
        await screen.until(lambda s: s.pictures)
        await world.store(0, dijon[:3], 11, tell=False)
        await world.store(0, dijon[3:5], 12)
        await screen.until(
            lambda s: s.level(DIJON, dijon[0]) == 11 and s.level(DIJON, dijon[4]) == 12
        )
        await world.store(1, dijon[5:7], 13, tell=False)
        await world.tell(1)
        await screen.until(lambda s: s.level(DIJON, dijon[6]) == 13)
        assert screen.snapshots == 1


async def test_silence_is_not_live(world: World) -> None:
    cookie = await world.cookie("cleo", "viewer")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=None)
        for lane in world.commits:
            await world.tell(lane)
        await screen.until(lambda s: s.live is True)
        await screen.until(lambda s: s.live is False)


async def test_commands_show_at_once(world: World) -> None:
    light = world.lights["21231"][20]
    await world.store(0, [light], 10)
    cookie = await world.cookie("dora", "operator")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=None)
        await screen.until(lambda s: s.level(DIJON, light) == 10)
        async with world.process.database.unit() as unit:
            await set_desired(unit, [light], "level", 80)
        await screen.until(lambda s: s.flags(DIJON, light) == 16)
        async with world.process.database.unit() as unit:
            await clear_pending(unit, [light], "level")
        await screen.until(lambda s: s.flags(DIJON, light) == 8)
        await world.store(0, [light], 80)
        await screen.until(lambda s: s.flags(DIJON, light) == 0)


async def test_what_was_shown_may_change_by_itself(world: World) -> None:
    """A lamp that did as told and follows its own programme later is no surprise."""
    light = world.lights["21231"][21]
    await world.store(0, [light], 80)
    async with world.process.database.unit() as unit:
        await set_desired(unit, [light], "level", 40)
    await world.store(0, [light], 40)
    async with world.process.database.unit() as unit:
        await clear_pending(unit, [light], "level", shown=True)
    await world.store(0, [light], 0)
    cookie = await world.cookie("dalia", "operator")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=None)
        await screen.until(lambda s: s.level(DIJON, light) == 0)
        await screen.until(lambda s: s.flags(DIJON, light) == 0)
        async with world.process.database.unit() as unit:
            await set_desired(unit, [light], "level", 60)
            await clear_pending(unit, [light], "level")
        await screen.until(lambda s: s.flags(DIJON, light) == 8)


async def test_a_number_too_small_for_the_picture_does_not_spoil_it(world: World) -> None:
    measured, wanted = world.lights["21231"][22:24]
    await world.store(0, [measured], 5e-324)
    async with world.process.database.unit() as unit:
        await set_desired(unit, [wanted], "level", 5e-324)
        _, _, columns = (await loading.load(unit))[STREETLIGHT.name]
        await clear_pending(unit, [wanted], "level", shown=True)
    slot = STREETLIGHT.slot("dimmingLevel")
    assert columns.vals[columns.id == measured, slot] == 0
    assert columns.desired[columns.id == wanted, 0] == 0


async def test_only_what_is_granted(world: World) -> None:
    cookie = await world.cookie("elsa", "operator@21166/lighting")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=[DIJON, CHENOVE, "x"])
        await screen.until(
            lambda s: len([f for f in s.frames if f["op"] == "error"]) == 2 and s.pictures
        )
        assert set(screen.pictures) == {CHENOVE}
        errors = {f["channel"]: f["code"] for f in screen.frames if f["op"] == "error"}
        assert errors == {DIJON: "not_found", "x": "not_found"}
        await screen.ask("resync", channel=DIJON)
        await screen.until(lambda s: len([f for f in s.frames if f.get("channel") == DIJON]) == 2)
        await world.store(0, world.lights["21231"][:1], 99)
        await world.store(0, world.lights["21166"][:1], 98)
        await screen.until(lambda s: s.level(CHENOVE, world.lights["21166"][0]) == 98)
        named = {item["channel"] for item in screen.items() if "channel" in item}
        assert named == {CHENOVE}


async def test_a_narrowed_grant_takes_its_lights_off_the_screen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_api, "_STILL_EVERY_S", 600.0)
    await account(world.process.database, "chief", "administrator")
    cookie = await world.cookie("fred", "operator")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=None)
        await screen.until(lambda s: {DIJON, CHENOVE} <= set(s.pictures))
        async with world.process.database.unit() as unit:
            found = text("select id from access.account where username = 'fred'")
            fred = (await unit.execute(found)).scalar_one()
            patch = UserPatch(grants=[GrantInput(role="operator", municipality="21166")])
            await users.update_user(unit, Logins.of(world.process), fred, patch)
        await screen.until(lambda s: set(s.pictures) == {CHENOVE})
        assert {"op": "drop", "channel": DIJON} in screen.items()
        frames = len(screen.frames)
        await world.store(0, world.lights["21231"][:1], 71)
        await world.store(0, world.lights["21166"][:1], 72)
        await screen.until(lambda s: s.level(CHENOVE, world.lights["21166"][0]) == 72)
        items = [item for frame in screen.frames[frames:] for item in frame.get("items", ())]
        assert {item["channel"] for item in items} == {CHENOVE}


async def test_new_lights_come_as_a_snapshot(world: World) -> None:
    cookie = await world.cookie("flora", "operator")
    async with world.screen(cookie) as screen:
        await screen.ask("subscribe", channels=None)
        await screen.until(lambda s: len(s.pictures) == 2)
        await world.add("21355", 2)
        await world.process.bus.publish("twin.changed")
        await screen.until(lambda s: "21355/lighting/Streetlight" in s.pictures)
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
        channel = DIJON
        asks = {"op": "resync", "channel": channel} if self.asked > 1 else {"op": "subscribe"}
        return msgspec.json.encode(asks).decode()


async def test_who_asks_and_does_not_read_is_heard_once(world: World) -> None:
    hub, client, socket = Hub.of(world.process), Client(EVERYWHERE), Greedy()
    hearing = asyncio.create_task(socket_api._hear(socket, hub, client))  # type: ignore[arg-type]
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
    client = Client(EVERYWHERE)
    hub.subscribe(client, None)
    while client.take() is not None:
        pass
    ids = np.array(world.lights["21231"][:1], np.int32)
    for level in range(MOST_WAITING + 5):
        Equipment.of(world.process).feed.model.apply(
            STREETLIGHT.name, ids, np.array([level]), np.full((1, 8), level, np.float32)
        )
        hub.tick()
    assert client.lagging
    assert client.take() == '{"op":"lagging"}', "it is told"
    assert not client.waiting
    hub.catch_up(client)
    frame = client.take()
    assert frame is not None
    assert '"snapshot"' in frame
    hub.leave(client)
