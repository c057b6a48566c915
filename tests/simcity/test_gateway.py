import asyncio
import json
import os
import signal
import sqlite3
from pathlib import Path

import nats

from simcity.gateway import Gateway, Message
from simcity.provisioning import GatewaySpec
from simcity.run import Options
from simcity.stats import Stats
from tests.simcity.helpers import Nats, provisioning, running, until

LOAD = Options(rate=800, batch=0, brief=True, connect_within=0.0, window=64)


async def stored(server: Nats) -> list[tuple[str, int, int]]:
    """Every message the broker stored, as (device, boot, n)."""
    client = await nats.connect(server.url)
    found: list[tuple[str, int, int]] = []
    subscription = await client.jetstream().pull_subscribe_bind("witness", "$MQTT_msgs")
    while True:
        try:
            batch = await subscription.fetch(500, timeout=0.5)
        except TimeoutError:
            break
        for message in batch:
            body = json.loads(message.data)
            found.append((body["device"], body["boot"], body["n"]))
            await message.ack()
    await client.close()
    return found


async def keep_everything(server: Nats) -> None:
    client = await nats.connect(server.url)
    await client.jetstream().add_consumer(
        "$MQTT_msgs",
        durable_name="witness",
        filter_subject="$MQTT.msgs.up.>",
        ack_policy="explicit",
        max_ack_pending=100_000,
    )
    await client.close()


async def test_what_was_acknowledged_survives_a_killed_broker(
    own_broker: Nats, tmp_path: Path
) -> None:
    ledger = tmp_path / "l.sqlite"
    async with running(provisioning(own_broker.broker, 50), tmp_path, LOAD, ledger) as city:
        await keep_everything(own_broker)
        await asyncio.sleep(0.7)
        own_broker.kill()
        await asyncio.sleep(0.5)
        before = city.stats.acknowledged
        own_broker.start()
        await until(lambda: city.stats.connected == 2)
        await until(lambda: city.stats.acknowledged > before + 500)
        assert await city.drain(10)
        assert city.stats.reconnects >= 2
        assert city.stats.dropped == 0
    acknowledged = set(
        sqlite3.connect(ledger).execute("SELECT device, boot, n FROM acknowledged_message")
    )
    kept = await stored(own_broker)
    first_n = {device: min(n for d, _, n in kept if d == device) for device, _, _ in kept}
    expected = {key for key in acknowledged if key[2] >= first_n[key[0]]}
    assert expected <= set(kept)
    assert len(acknowledged) == city.stats.readings_acknowledged > 1000
    numbers = sorted(n for device, _, n in acknowledged if device == "gwAL7")
    assert numbers == list(range(len(numbers)))


async def test_a_stopped_broker_is_waited_for(own_broker: Nats, tmp_path: Path) -> None:
    async with running(provisioning(own_broker.broker), tmp_path, LOAD) as city:
        assert own_broker.process is not None
        os.kill(own_broker.process.pid, signal.SIGSTOP)
        await asyncio.sleep(0.6)
        assert max(len(gateway.in_flight) for gateway in city.gateways) == LOAD.window
        os.kill(own_broker.process.pid, signal.SIGCONT)
        assert await city.drain(10)
        assert city.stats.acknowledged == city.stats.published


async def test_a_full_store_forgets_the_oldest_readings(own_broker: Nats) -> None:
    stats = Stats()
    spec = GatewaySpec("gwA", "secret-gwA", 0, ())
    gateway = Gateway(
        spec, own_broker.broker, stats, window=4, store=10, on_command=lambda *_: None
    )
    for n in range(25):
        gateway.offer(Message(b"%d" % n, 2, None))
    assert [message.payload for message in gateway.store] == [b"%d" % n for n in range(15, 25)]
    assert stats.dropped == 30
    gateway.start(0)
    await until(lambda: gateway.idle)
    assert stats.acknowledged == 10
    await gateway.stop()


async def test_a_refused_gateway_keeps_trying_and_says_so(own_broker: Nats) -> None:
    stats = Stats()
    spec = GatewaySpec("gwA", "wrong", 0, ())
    gateway = Gateway(spec, own_broker.broker, stats, on_command=lambda *_: None)
    gateway.start(0)
    await until(lambda: stats.refused >= 2)
    assert not gateway.connected
    await gateway.stop()
