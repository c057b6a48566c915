"""What happens while a part is away: devices that are connected go on, and nothing is forgotten."""

import asyncio

import pytest
from sqlalchemy import text

from tests.conftest import Engines, NewRuntime
from tests.support.mqtt import connect, issue, running
from vigie.core.ids import token
from vigie.gateways.clients import read_gateway
from vigie.gateways.ingest import admits
from vigie.gateways.mqtt import MqttGateway, check_server
from vigie.gateways.mqtt.canary import sing
from vigie.gateways.mqtt.rules import read_log_line
from vigie.gateways.mqtt.wire import Refused, publish


async def test_without_the_login_check_nobody_new_comes_and_nobody_is_cut(
    new_runtime: NewRuntime,
) -> None:
    runtime = await new_runtime()
    async with running(runtime) as gateway:
        client = await issue(runtime, gateway)
        connection = await connect(runtime, client)
    # The broker waits its ten seconds for an answer that does not come.
    with pytest.raises((Refused, OSError, TimeoutError)):
        await connect(runtime, client, client=token())
    await connection.publish(f"up/{client.shard}/{client.token}/reading", b"{}")
    await connection.close()
    async with running(runtime), await connect(runtime, client) as connection:
        await connection.publish(f"up/{client.shard}/{client.token}/reading", b"{}")


async def test_two_processes_share_the_logins(new_runtime: NewRuntime) -> None:
    runtime = await new_runtime()
    async with running(runtime) as one, running(runtime) as two:
        clients = [await issue(runtime, one) for _ in range(20)]
        async with asyncio.timeout(30):
            while two.book.get(clients[-1].token) is None:
                await asyncio.sleep(0.01)
        for client in clients:
            await (await connect(runtime, client)).close()
        assert one.callout.allowed > 0
        assert two.callout.allowed > 0


async def test_a_refusal_is_counted_for_its_client(
    new_runtime: NewRuntime, engines: Engines
) -> None:
    runtime = await new_runtime()
    async with running(runtime, engines.nats.log) as gateway:
        client = await issue(runtime, gateway)
        async with asyncio.timeout(30):
            while gateway.broker_log._file is None:
                await asyncio.sleep(0.05)
        async with await connect(runtime, client) as connection:
            for _ in range(3):
                connection.writer.write(publish("up/0/another/reading", b"{}"))
            await asyncio.sleep(0.1)
        async with asyncio.timeout(30):
            while (await read(gateway, client.token)).refused != 3:
                await asyncio.sleep(0.1)


async def read(gateway: MqttGateway, client: str):  # type: ignore[no-untyped-def]
    async with gateway.runtime.database.unit() as unit:
        return await read_gateway(unit, client)


async def test_a_silent_gateway_is_a_fault(new_runtime: NewRuntime) -> None:
    runtime = await new_runtime()
    async with running(runtime) as gateway:
        client = await issue(runtime, gateway)
        async with await connect(runtime, client):
            async with asyncio.timeout(30):
                while not (await read(gateway, client.token)).online:
                    await asyncio.sleep(0.05)
            await gateway.presence._watch()
            assert runtime.component("presence").status == "ok"
        async with asyncio.timeout(30):
            while (await read(gateway, client.token)).online:
                await asyncio.sleep(0.05)
        async with runtime.database.unit() as unit:
            await unit.execute(
                text("update gateways.presence set since = now() - interval '2 minutes'")
            )
        await gateway.presence._watch()
        component = runtime.component("presence")
        assert (component.status, component.code) == ("degraded", "gateways_silent")
        assert component.params["first"] == [client.token]


async def test_the_check_of_a_server(new_runtime: NewRuntime) -> None:
    runtime = await new_runtime()
    async with running(runtime):
        found = {one.name: one.status for one in await check_server(runtime)}
    assert found["canary"] == found["jetstream"] == found["stream"] == "ok"


async def test_a_canary_that_is_not_heard_is_named(new_runtime: NewRuntime) -> None:
    runtime = await new_runtime()
    async with running(runtime):
        pass
    with pytest.raises(Exception, match="does not keep what devices send"):
        await sing(runtime.bus, runtime.settings, timeout_s=1)


def test_admission_has_two_thresholds() -> None:
    assert [admits(True, share) for share in (0, 0.5, 0.79, 0.8, 1)] == [True] * 3 + [False] * 2
    assert [admits(False, share) for share in (0, 0.49, 0.5, 0.79, 1)] == [True] * 2 + [False] * 3


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('[1] 2026/11/23 01:04:22.810812 [ERR] 127.0.0.1:4 - mid:16 - "abc" - '
         'Publish Violation - Subject "up.0.x.reading"', "publish_forbidden"),
        ('[1] 2026/11/23 01:04:22.810812 [ERR] [::1]:4 - mid:16 - "abc" - JetStream failed a '
         'pipelined QoS1/2 operation (pi=9): maximum bytes exceeded (10077)', "stream_full"),
        ('[1] 2026/11/23 01:04:22.810812 [ERR] 127.0.0.1:4 - mid:16 - authentication error', None),
        ('[1] 2026/11/23 01:04:22.810812 [WRN] 127.0.0.1:4 - mid:16 - "abc" - '
         'Readloop processing time: 10s', None),
        ('[1] 2026/11/23 01:04:22.810812 [ERR] 127.0.0.1:4 - cid:16 - "abc" - Publish Violation',
         None),
        ("[1] 2026/11/23 01:04:22.810812 [INF] Server is ready", None),
    ],
)  # fmt: skip
def test_lines_of_the_brokers_log(line: str, code: str | None) -> None:
    refusal = read_log_line(line)
    assert (refusal.code if refusal else None) == code
