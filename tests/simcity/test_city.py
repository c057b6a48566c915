import asyncio
import json
import sqlite3
import sys
from pathlib import Path

import msgspec
from typer.testing import CliRunner

from simcity import control
from simcity.cli import app
from simcity.faults import NAMES, Fault
from simcity.provisioning import Broker
from simcity.run import City, Options
from tests.simcity.helpers import Nats, Platform, free_port, provisioning, running, until

QUIET = Options(interval=60.0, batch=0, connect_within=0.0)
BUSY = Options(interval=0.2, batch=0, connect_within=0.0)


async def test_every_device_reports_within_the_interval(
    broker: Nats, platform: Platform, tmp_path: Path
) -> None:
    async with running(provisioning(broker.broker), tmp_path, BUSY):
        await until(lambda: len({r["device"] for r in platform.readings}) == 22)
    by_device = {r["device"]: r for r in platform.readings}
    lamp, cabinet = by_device["gwAL0"]["values"], by_device["gwAC"]["values"]
    assert list(lamp) == [
        "dimmingLevel",
        "activePower",
        "activeEnergy",
        "operatingHours",
        "supplyVoltage",
        "temperature",
        "lampFailure",
        "supplyLoss",
    ]
    assert 200 < lamp["supplyVoltage"] < 260
    assert list(cabinet) == [
        "activePower",
        "activeEnergy",
        "supplyVoltage",
        "doorOpen",
        "supplyLoss",
        "contactor",
        "breakerTripped",
    ]


async def test_batches_hold_at_most_so_many_readings(
    broker: Nats, platform: Platform, tmp_path: Path
) -> None:
    options = Options(interval=0.3, batch=4, connect_within=0.0)
    async with running(provisioning(broker.broker), tmp_path, options):
        await until(lambda: len({r["device"] for r in platform.readings}) == 22)
    sizes = {len(m) if isinstance(m, list) else 1 for m in platform.messages}
    assert sizes == {4, 3}  # eleven devices a gateway


async def test_numbers_rise_without_gap_and_a_restart_raises_boot(
    broker: Nats, platform: Platform, tmp_path: Path
) -> None:
    for _ in range(2):
        async with running(provisioning(broker.broker), tmp_path, BUSY) as city:
            await asyncio.sleep(0.7)
            assert await city.drain(5)
        await asyncio.sleep(0.1)
    for boot in (0, 1):
        numbers = [
            r["n"] for r in platform.readings if r["device"] == "gwBL3" and r["boot"] == boot
        ]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= 2


async def test_a_command_is_received_done_and_shown(
    broker: Nats, platform: Platform, tmp_path: Path
) -> None:
    async with running(provisioning(broker.broker), tmp_path, QUIET) as city:
        await platform.command("gwAL1", level=43)
        await until(lambda: platform.answers("gwAL1") == ["received", "done"])
        await until(lambda: any(r["device"] == "gwAL1" for r in platform.readings))
        shown = next(r for r in platform.readings if r["device"] == "gwAL1")
        assert shown["values"]["dimmingLevel"] == 43
        assert shown["values"]["activePower"] > 15
        assert city.levels()["gwAL1"] == 43
        assert city.stats.executed == 1


async def test_a_repeated_copy_is_answered_again_but_carried_out_once(
    broker: Nats, platform: Platform, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    async with running(provisioning(broker.broker), tmp_path, QUIET, ledger) as city:
        await platform.command("gwAL1", "same", 30)
        await until(lambda: len(platform.answers("gwAL1")) == 2)
        await platform.command("gwAL1", "other", 60)
        await until(lambda: len(platform.answers("gwAL1")) == 4)
        await platform.command("gwAL1", "same", 30)
        await until(lambda: len(platform.answers("gwAL1")) == 6)
        assert city.levels()["gwAL1"] == 60
    rows = sqlite3.connect(ledger).execute("SELECT id, level, status FROM executed_command")
    assert sorted(rows) == [("other", 60, "done"), ("same", 30, "done")]


async def test_a_restarted_gateway_remembers_with_its_ledger(
    broker: Nats, platform: Platform, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    async with running(provisioning(broker.broker), tmp_path, QUIET, ledger):
        await platform.command("gwAL1", "same", 30)
        await until(lambda: len(platform.answers("gwAL1")) == 2)
    async with running(provisioning(broker.broker), tmp_path, QUIET, ledger) as city:
        assert city.levels()["gwAL1"] == 30
        await platform.command("gwAL1", "same", 30)
        await until(lambda: len(platform.answers("gwAL1")) == 4)
        assert city.stats.executed == 0


async def test_expired_and_malformed_commands_are_ignored(
    broker: Nats, platform: Platform, tmp_path: Path
) -> None:
    async with running(provisioning(broker.broker), tmp_path, QUIET) as city:
        await platform.command("gwAL1", "late", expires_in=-1)
        await platform.command("gwAL2", "text", also={"expires_at": "yesterday"})
        await platform.command("gwAL3", "other", also={"device": "gwAL4"})
        await until(lambda: city.stats.commands == 3)
        await asyncio.sleep(0.1)
        assert platform.acks == []
        assert (city.stats.expired, city.stats.malformed) == (1, 2)


async def test_faults_answer_as_they_are_said_to(
    broker: Nats, platform: Platform, tmp_path: Path
) -> None:
    async with running(provisioning(broker.broker), tmp_path, QUIET) as city:
        for lamp, fault in enumerate(Fault):
            city.set_fault(f"gwBL{lamp}", fault)
            await platform.command(f"gwBL{lamp}", "c", 43)
        await platform.command("gwBC", "c", 43)
        await platform.command("gwBL9", "c", 101)
        await until(lambda: len(platform.acks) == 12)
        answers = [platform.answers(f"gwBL{lamp}")[-1:] for lamp in range(5)]
        assert answers == [["done"], [], ["refused"], ["failed"], ["failed"]]
        assert platform.answers("gwBC") == ["received", "refused"]
        assert {a["code"] for a in platform.acks if a["device"] == "gwBL9" and "code" in a} == {
            "out_of_range"
        }
        levels = city.levels()
        assert levels["gwBL0"] == 43
        assert levels["gwBL3"] == levels["gwBL4"] == 0
        await until(lambda: any(r["device"] == "gwBL4" for r in platform.readings))
        lost = next(r for r in platform.readings if r["device"] == "gwBL4")["values"]
        assert (lost["supplyLoss"], lost["activePower"], lost["supplyVoltage"]) == (1, 0, 0)


async def test_the_control_socket(broker: Nats, tmp_path: Path) -> None:
    path, end = tmp_path / "control", asyncio.Event()
    async with (
        running(provisioning(broker.broker), tmp_path, BUSY, tmp_path / "l.sqlite") as city,
        control.serve(city, path, end),
    ):
        await control.ask(path, {"op": "fault", "device": "gwAL0", "mode": "silent"})
        assert city.fleet.fault[0] == Fault.SILENT
        drained = await control.ask(path, {"op": "drain", "timeout": 5})
        assert drained["ok"]
        assert drained["drained"]
        stats = await control.ask(path, {"op": "stats"})
        assert stats["acknowledged"] == stats["published"] > 0
        assert stats["paused"]
        count = sqlite3.connect(tmp_path / "l.sqlite").execute("SELECT count(*) FROM acknowledged")
        assert count.fetchone()[0] == stats["readings_acknowledged"]
        await control.ask(path, {"op": "resume"})
        await until(lambda: city.stats.published > stats["published"])
        levels = await control.ask(path, {"op": "levels", "devices": ["gwAL1"]})
        assert list(levels["levels"]) == ["gwAL1"]
        await control.ask(path, {"op": "write"})
        lamps = sqlite3.connect(tmp_path / "l.sqlite").execute("SELECT count(*) FROM lamp_level")
        assert lamps.fetchone()[0] == 20
        for wrong in ({"op": "fly"}, {"op": "fault", "device": "gwAC", "mode": "lampFailure"}, {}):
            assert not (await control.ask(path, wrong))["ok"]
        await control.ask(path, {"op": "stop"})
        assert end.is_set()


async def test_the_command_line_as_load_generator(broker: Nats, tmp_path: Path) -> None:
    file = tmp_path / "provisioning.json"
    file.write_bytes(msgspec.json.encode(provisioning(broker.broker, lights=50)))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simcity", "run", "--provisioning", file),
        *("--ledger", tmp_path / "l.sqlite", "--rate", "500", "--duration", "2"),
        *("--slice", "1/2"),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    stats = json.loads(out)
    assert process.returncode == 0
    assert stats["devices"] == 51
    assert 700 <= stats["published"] <= 1000
    assert stats["acknowledged"] == stats["published"] == stats["readings_acknowledged"]
    summary = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simcity", "ledger", tmp_path / "l.sqlite", "--summary"),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await summary.communicate()
    seen = json.loads(out)
    assert seen["acknowledged"] == stats["acknowledged"]
    assert seen["acknowledged_twice"] == 0


def test_the_faults_of_a_seed_can_be_listed(broker: Nats, tmp_path: Path) -> None:
    file = tmp_path / "provisioning.json"
    given = provisioning(broker.broker, lights=50)
    file.write_bytes(msgspec.json.encode(given))
    options = ["faults", "--provisioning", str(file), "--seed", "3", "--failure-rate", "0.2"]
    listed = [
        line.split("\t") for line in CliRunner().invoke(app, options).output.strip().splitlines()
    ]
    city = City(given, Options(seed=3, failure_rate=0.2), tmp_path / "boot", None)
    expected = [
        [device.device, device.source_id, NAMES[Fault(fault)]]
        for device, fault in zip(city.devices, city.fleet.fault.tolist(), strict=False)
        if fault
    ]
    assert sorted(listed) == sorted(expected)
    assert 8 <= len(listed) <= 35


async def test_it_ends_on_request_and_at_once_when_nothing_answers(tmp_path: Path) -> None:
    file = tmp_path / "provisioning.json"
    file.write_bytes(msgspec.json.encode(provisioning(Broker("127.0.0.1", free_port()))))
    socket = tmp_path / "control"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simcity", "run", "--provisioning", file, "--control", socket),
        stdout=asyncio.subprocess.PIPE,
    )
    await until(socket.exists, 20)
    said = await asyncio.to_thread(CliRunner().invoke, app, ["ask", str(socket), '{"op":"stop"}'])
    assert json.loads(said.output) == {"ok": True}
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert json.loads(out)["published"] == 0
