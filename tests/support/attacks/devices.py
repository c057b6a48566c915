"""One device, with a login of its own or without, that does what it should not."""

import asyncio
import itertools
import secrets

import msgspec

from tests.support.attacks import Target
from vigie.core import clock
from vigie.gateways.mqtt import wire

BATCH = 500


async def _log_in(target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await target.connect(target.mqtt_port)
    writer.write(wire.connect(target.client, target.client, target.secret))
    async with asyncio.timeout(10):
        answer = await reader.readexactly(4)
    if answer[3] != 0:
        writer.close()
        raise wire.Refused(answer[3])
    return reader, writer


async def _pour(target: Target, payloads: list[bytes], channel: str = "reading") -> None:
    """Publish these round and round at full speed, and log in again whenever thrown out."""
    topic = f"up/{target.shard}/{target.client}/{channel}"

    async def once() -> str:
        reader, writer = await _log_in(target)
        target.tally["logged in"] += 1

        async def read() -> None:
            while await reader.read(65_536):
                pass
            raise ConnectionResetError

        async def write() -> None:
            for number, payload in enumerate(itertools.cycle(payloads)):
                writer.write(wire.publish(topic, payload, number % 65_535 + 1))
                await writer.drain()
                target.tally["published"] += 1

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(read())
                group.create_task(write())
        finally:
            writer.close()
        return "ended"

    await target.repeat(1, once)


def _readings(target: Target, count: int, boot: int) -> list[dict[str, object]]:
    at = clock.rfc3339(clock.now())
    devices = itertools.cycle(target.devices)
    return [
        {"device": next(devices), "boot": boot, "n": n, "at": at, "values": {"dimmingLevel": n % 9}}
        for n in range(count)
    ]


def _batches(readings: list[dict[str, object]]) -> list[bytes]:
    return [msgspec.json.encode(list(part)) for part in _parts(readings)]


def _parts(readings: list[dict[str, object]]) -> list[list[dict[str, object]]]:
    return [readings[start : start + BATCH] for start in range(0, len(readings), BATCH)]


async def readings_at_full_speed(target: Target) -> None:
    """Valid readings, one a message, as fast as the line takes them."""
    readings = _readings(target, 20_000, boot=secrets.randbelow(30_000))
    await _pour(target, [msgspec.json.encode(reading) for reading in readings])


async def batches_at_full_speed(target: Target) -> None:
    """Valid batches of five hundred readings as fast as the line takes them."""
    await _pour(target, _batches(_readings(target, 100_000, boot=secrets.randbelow(30_000))))


async def refused_readings_at_full_speed(target: Target) -> None:
    """Batches whose every reading is refused with a reason of its own."""
    readings = [
        reading | {"device": secrets.token_hex(6), "values": {f"m{n % 97}": "x"}}
        for n, reading in enumerate(_readings(target, 20_000, boot=1))
    ]
    await _pour(target, _batches(readings))


async def nonsense_at_full_speed(target: Target) -> None:
    """Payloads that are no JSON, too deep or too large; the last closes the line each time."""
    payloads = [b"[" * 60_000, b"\xff" * 60_000, b"x" * 900_000, b"", b"{}"] * 20
    await _pour(target, [*payloads, b"x" * 20_000_000])


async def wrong_secrets(target: Target) -> None:
    """Device logins with wrong secrets, fifty at a time."""

    async def once() -> str:
        reader, writer = await target.connect(target.mqtt_port)
        try:
            writer.write(wire.connect(target.client, target.client, secrets.token_hex(20)))
            async with asyncio.timeout(30):
                return f"connack {(await reader.readexactly(4))[3]}"
        finally:
            writer.close()

    await target.repeat(50, once)


async def long_client_ids(target: Target) -> None:
    """Device logins whose every field has sixty thousand letters."""
    long = "c" * 60_000

    async def once() -> str:
        reader, writer = await target.connect(target.mqtt_port)
        try:
            writer.write(wire.connect(secrets.token_hex(4) + long, long, long))
            async with asyncio.timeout(30):
                return f"connack {(await reader.readexactly(4))[3]}"
        finally:
            writer.close()

    await target.repeat(20, once)


async def taking_over_from_itself(target: Target) -> None:
    """The same device logs in from twenty places at once, each throwing out the last."""

    async def once() -> str:
        reader, writer = await _log_in(target)
        try:
            writer.write(wire.subscribe(f"down/{target.client}/#"))
            async with asyncio.timeout(30):
                while await reader.read(1024):
                    pass
            return "thrown out"
        finally:
            writer.close()

    await target.repeat(20, once)


async def connections_without_login(target: Target) -> None:
    """Two thousand lines to the broker on which nobody logs in."""
    held: list[asyncio.StreamWriter] = []

    async def once() -> str:
        if len(held) >= 2_000:
            await asyncio.Event().wait()
        _, writer = await target.connect(target.mqtt_port)
        writer.write(b"\x10")
        held.append(writer)
        return "opened"

    await target.repeat(50, once)


ATTACKS = [
    readings_at_full_speed,
    batches_at_full_speed,
    refused_readings_at_full_speed,
    nonsense_at_full_speed,
    wrong_secrets,
    long_client_ids,
    taking_over_from_itself,
    connections_without_login,
]
