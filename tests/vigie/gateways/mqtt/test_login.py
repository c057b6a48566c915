"""Who may log in by MQTT, and what the broker then lets them do."""

import asyncio
from collections.abc import AsyncIterator

import nats
import pytest
import pytest_asyncio

from tests.support.mqtt import connect, issue, running
from vigie.core import ids
from vigie.core.runtime import Runtime
from vigie.gateways.clients import revoke, rotate_secret
from vigie.gateways.ingest import ask
from vigie.gateways.mqtt import MqttGateway
from vigie.gateways.mqtt.streams import STREAM, UPWARD
from vigie.gateways.mqtt.wire import Connection, Refused, publish, subscribe
from vigie.gateways.mqtt.wire import connect as connect_packet


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(runtime: Runtime) -> AsyncIterator[MqttGateway]:
    async with running(runtime) as made:
        yield made


async def test_a_client_publishes_on_its_own_topic_and_hears_its_commands(
    runtime: Runtime, gateway: MqttGateway
) -> None:
    client = await issue(runtime, gateway)
    async with await connect(runtime, client) as connection:
        await connection.publish(f"up/{client.shard}/{client.token}/reading", b"{}")
        connection.writer.write(subscribe(f"down/{client.token}/#", 2))
        assert (await connection.receive())[1] == b"\x00\x02\x00"
        await runtime.bus.publish(f"down.{client.token}.lamp.command", b"order")
        kind, body = await asyncio.wait_for(connection.receive(), 30)
        assert kind & 0xF0 == 0x30
        assert body.endswith(b"order")


async def test_no_client_makes_a_reader_of_the_stream(
    runtime: Runtime, gateway: MqttGateway
) -> None:
    client = await issue(runtime, gateway)
    async with await connect(runtime, client) as connection:
        connection.writer.write(subscribe(f"down/{client.token}/#", 2, qos=1))
        assert (await connection.receive())[1] == b"\x00\x02\x80"
        # The broker makes the subscription's reader, finds that it may not, and takes it away after
        # it has answered: what counts is that none stays.
        ours = {UPWARD.reader(shard) for shard in range(runtime.settings.shards)}
        for _ in range(100):
            readers = await ask(runtime.bus, f"$JS.API.CONSUMER.NAMES.{STREAM}", {})
            if set(readers["consumers"]) == ours:
                break
            await asyncio.sleep(0.1)
        assert set(readers["consumers"]) == ours


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "guess"}, "wrong_secret"),
        ({"password": ""}, "wrong_secret"),
        ({"user": "nobody", "client": "nobody"}, "unknown_client"),
        ({"client": "another"}, "wrong_client_id"),
        ({"user": "canary_x", "client": "canary_x"}, "wrong_secret"),
    ],
)
async def test_a_wrong_login_is_refused(
    runtime: Runtime, gateway: MqttGateway, changes: dict[str, str], reason: str
) -> None:
    client = await issue(runtime, gateway)
    before = gateway.callout.denied
    with pytest.raises(Refused) as refused:
        await connect(runtime, client, **changes)
    assert refused.value.code == 5
    assert gateway.callout.denied == before + 1
    assert any(code == reason for _, _, code in gateway.refusals._counts)


async def test_a_devices_credential_opens_no_other_door(
    runtime: Runtime, gateway: MqttGateway
) -> None:
    client = await issue(runtime, gateway)
    with pytest.raises(nats.errors.Error):
        await nats.connect(
            f"nats://{client.token}:{client.secret}@127.0.0.1:{runtime.settings.nats_port}",
            allow_reconnect=False,
            connect_timeout=3,
        )


@pytest.mark.parametrize("topic", ["down/{other}/#", "#", "up/#", "$SYS/#", "down/#", "+/{other}"])
async def test_anothers_topics_cannot_be_heard(
    runtime: Runtime, gateway: MqttGateway, topic: str
) -> None:
    client, other = await issue(runtime, gateway), await issue(runtime, gateway)
    async with await connect(runtime, client) as connection:
        connection.writer.write(subscribe(topic.format(other=other.token), 7))
        try:
            kind, body = await asyncio.wait_for(connection.receive(), 30)
        except OSError:
            return
        assert (kind, body) == (0x90, b"\x00\x07\x80")


async def test_what_is_published_on_anothers_topic_reaches_nobody(
    runtime: Runtime, gateway: MqttGateway
) -> None:
    client, other = await issue(runtime, gateway), await issue(runtime, gateway)
    heard: list[bytes] = []
    subscription = await runtime.bus.client.subscribe(f"*.*.{other.token}.>")
    stream = await runtime.bus.client.subscribe("$MQTT.msgs.>")
    async with await connect(runtime, client) as connection:
        for qos in (0, 1):
            connection.writer.write(
                publish(f"up/{other.shard}/{other.token}/reading", b"x", 9, qos=qos)
            )
        await asyncio.sleep(0.3)
    for one in (subscription, stream):
        while one.pending_msgs:
            heard.append((await one.next_msg()).data)
        await one.unsubscribe()
    assert heard == []


async def test_a_revoked_client_is_cut_at_once_and_stays_out(
    runtime: Runtime, gateway: MqttGateway
) -> None:
    client = await issue(runtime, gateway)
    connection = await connect(runtime, client)
    async with runtime.database.unit() as unit:
        await revoke(unit, runtime.bus, client.token, "stolen")
    with pytest.raises(OSError):
        await asyncio.wait_for(connection.receive(), 30)
    with pytest.raises(Refused):
        await connect(runtime, client)


async def test_a_rotated_secret_replaces_the_old_one(
    runtime: Runtime, gateway: MqttGateway
) -> None:
    client = await issue(runtime, gateway)
    connection = await connect(runtime, client)
    async with runtime.database.unit() as unit:
        secret = await rotate_secret(unit, runtime.bus, client.token)
    with pytest.raises(OSError):
        await asyncio.wait_for(connection.receive(), 30)
    with pytest.raises(Refused):
        await connect(runtime, client)
    await (await connect(runtime, client, password=secret.secret)).close()


async def test_presence_follows_the_connections(runtime: Runtime, gateway: MqttGateway) -> None:
    client = await issue(runtime, gateway)

    async def online(wanted: bool) -> None:
        from vigie.gateways.clients import read_gateway

        async with asyncio.timeout(30):
            while True:
                async with runtime.database.unit() as unit:
                    if (await read_gateway(unit, client.token)).online is wanted:
                        return
                await asyncio.sleep(0.1)

    async with await connect(runtime, client):
        await online(True)
    await online(False)


async def test_a_storm_of_logins_is_served(runtime: Runtime, gateway: MqttGateway) -> None:
    clients = [await issue(runtime, gateway, f"storm {ids.token()}") for _ in range(60)]
    await asyncio.sleep(0.2)
    connections = await asyncio.gather(*[connect(runtime, client) for client in clients])
    await asyncio.gather(*[connection.close() for connection in connections])


async def test_a_kept_session_brings_no_old_command(runtime: Runtime, gateway: MqttGateway) -> None:
    """Clean session 0 is let in: the broker remembers the subscription, and nothing else."""
    client = await issue(runtime, gateway)

    async def login() -> tuple[Connection, int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", runtime.settings.mqtt_port)
        # The flags of CONNECT without "clean session".
        packet = bytearray(connect_packet(client.token, client.token, client.secret))
        packet[9] &= ~0x02
        writer.write(bytes(packet))
        connection = Connection(reader, writer)
        kind, body = await asyncio.wait_for(connection.receive(), 30)
        assert (kind, body[1]) == (0x20, 0)
        return connection, body[0]

    first, present = await login()
    assert present == 0
    async with first:
        first.writer.write(subscribe(f"down/{client.token}/#", 2))
        assert (await first.receive())[1] == b"\x00\x02\x00"
    await asyncio.sleep(0.3)
    await runtime.bus.publish(f"down.{client.token}.lamp.command", b"while away")
    second, present = await login()
    assert present == 1
    async with second:
        await runtime.bus.publish(f"down.{client.token}.lamp.command", b"now")
        _, body = await asyncio.wait_for(second.receive(), 30)
        assert body.endswith(b"now")
