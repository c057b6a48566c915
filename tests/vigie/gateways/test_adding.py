"""docs/adding-a-gateway.md, followed to the letter: its package installed, its device stored and
commanded; the product untouched."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import NewRuntime
from tests.support import ingest
from tests.support.line import LineDevice, blocks, write_package
from vigie import app as composition
from vigie.core import clock
from vigie.core.engines import free_port
from vigie.core.ids import uuid7
from vigie.core.rooms import Rooms, loaded
from vigie.core.runtime import Runtime
from vigie.core.tasks import end
from vigie.gateways import clients
from vigie.gateways.clients import OutCommand, Outlets, adapters
from vigie.gateways.ingest import ACCEPTED_STREAM, ask


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    """Every room once the package of the page is installed."""
    write_package(tmp_path)
    sys.path.insert(0, str(tmp_path))
    composition.every_room.cache_clear()
    try:
        yield composition.every_room()
    finally:
        sys.path.remove(str(tmp_path))
        for name in [name for name in sys.modules if name.startswith("vigie_line")]:
            del sys.modules[name]
        composition.every_room.cache_clear()


async def test_a_gateway_comes_in_by_an_entry_point(
    rooms: Rooms, new_runtime: NewRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("VIGIE_LINE_PORT", str(port))
    bare = await new_runtime()
    runtime = Runtime(bare.settings, "gateways", bare.database, bare.bus, rooms)
    assert adapters(runtime)["line"].maturity == "experimental"
    acks: list[Any] = []

    async def acknowledge(_unit: Any, answered: Any) -> None:
        acks.extend(answered)

    # All of the process but MQTT, whose door is not asked here.
    parts = [loaded(rooms.named(n).services["gateways"])(runtime) for n in ("ingest", "line")]
    running = [asyncio.create_task(s()) for part in parts for s in part.values()]
    lanes = ingest.services(runtime, streams=(ACCEPTED_STREAM,), acknowledge=acknowledge)
    try:
        async with runtime.database.unit() as unit:
            asset = (
                await unit.execute(
                    text(
                        "insert into twin.asset (token, kind, trade, source, source_id, lon, lat,"
                        " mercator, municipality) values ('lamp', 'Streetlight', 'lighting',"
                        " 'test', 'lamp', 5, 47, point(0, 0), '21231') returning id"
                    )
                )
            ).scalar_one()
            names = {"clients": clients, "unit": unit, "runtime": runtime}
            body = "\n".join(f"    {line}" for line in blocks()["issue.py"].splitlines())
            exec(f"async def issue():\n{body}\n    return issued", names)
            issued = await names["issue"]()  # type: ignore[operator]
            await clients.bind(unit, runtime.bus, issued.token, [asset], {asset: "L1"})
        with contextlib.suppress(Exception):
            await ask(runtime.bus, f"$JS.API.STREAM.PURGE.{ACCEPTED_STREAM.name}", {})
        running += [asyncio.create_task(s()) for s in lanes.values()]

        device = LineDevice(port, issued.token, issued.secret)
        await device.connect()
        at = int(clock.now().timestamp() * 1000)
        assert await device.say(f"R L1 {at} dimmingLevel=40 activePower=31.5") == "OK"
        assert await device.say(f"R L1 {at}") == "NO message_invalid"
        async with asyncio.timeout(60):
            while True:
                async with runtime.database.unit() as unit:
                    found = await unit.execute(text("select vals from twin.history"))
                    if (rows := found.all()) and rows[0].vals == [40.0, 31.5]:
                        break
                await asyncio.sleep(0.05)

        async with runtime.database.unit() as unit:
            carrier = (await clients.carriers(unit, [asset]))[asset]
        assert (carrier.protocol, carrier.ref) == ("line", "L1")
        now = clock.now()
        order = OutCommand(
            carrier.protocol, carrier.token, carrier.ref or "", uuid7(), "set_dimming_level",
            {"level": 20}, now, now + timedelta(minutes=1),
        )  # fmt: skip
        await Outlets(runtime).send([order])
        assert await device.line() == f'O {order.id} L1 set_dimming_level {{"level":20}}'
        assert await device.say(f"A {order.id} L1 {at} done") == "OK"
        async with asyncio.timeout(60):
            while not acks:
                await asyncio.sleep(0.05)
        assert (acks[0].command, acks[0].asset, acks[0].status) == (order.id, asset, "done")

        # Revoked: cut at once, and let in no more.
        async with runtime.database.unit() as unit:
            await clients.revoke(unit, runtime.bus, issued.token)
        assert await device.line() == ""
        with pytest.raises(AssertionError):
            await device.connect(within_s=0.5)
    finally:
        await end(running)
