"""From a device's PUBLISH to state, through the real broker, login and all."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import text

from tests.support import ingest
from tests.support.mqtt import connect, issue
from tests.support.mqtt import running as gateway_running


async def test_what_is_acknowledged_is_stored(city: Any, run: Callable[..., Any]) -> None:
    runtime = city.runtime
    async with gateway_running(runtime) as gateway, run(ingest.services(runtime)):
        client = await issue(runtime, gateway)
        async with runtime.database.unit() as unit:
            await unit.execute(
                text(
                    "update gateways.device set client = (select id from gateways.client"
                    " where token = :token) where asset = :asset"
                ),
                {"token": client.token, "asset": city.assets["d4"]},
            )
        await runtime.bus.publish("gateways.changed")
        async with await connect(runtime, client) as connection:
            topic = f"up/{client.shard}/{client.token}/reading"
            for n in range(20):
                payload = msgspec.json.encode(city.reading("d4", n, at=30 - n))
                await connection.publish(topic, payload)
        await city.drained()
    rows = await city.rows(
        "select n from twin.history where device = :d order by n", d=city.assets["d4"]
    )
    assert [row.n for row in rows] == list(range(20))
    assert (await city.state("d4")).n == 19
    messages = await city.scalar(
        "select messages from gateways.presence p join gateways.client c on c.id = p.client"
        " where c.token = :t",
        t=client.token,
    )
    assert 0 < messages <= 20
