"""Devices and the gateways role, for tests that speak MQTT."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from vigie.core.runtime import Runtime
from vigie.core.tasks import end
from vigie.gateways.clients import issue_client
from vigie.gateways.clients.model import Issued
from vigie.gateways.mqtt import MqttGateway
from vigie.gateways.mqtt.wire import Connection


@contextlib.asynccontextmanager
async def running(runtime: Runtime, log: Path | None = None) -> AsyncIterator[MqttGateway]:
    """The gateways role's MQTT adapter, ready; `log` is the broker's."""
    gateway = MqttGateway(runtime)
    if log:
        gateway.broker_log.path = log
    tasks = [asyncio.create_task(service()) for service in gateway.services().values()]
    try:
        await asyncio.wait_for(gateway.ready.wait(), 30)
        yield gateway
    finally:
        await end(tasks)
        await gateway.close()


async def issue(
    runtime: Runtime, gateway: MqttGateway, name: str = "site", assets: list[int] | None = None
) -> Issued:
    """A client whose login is known to the callout."""
    async with runtime.database.unit() as unit:
        client = await issue_client(
            unit,
            runtime.bus,
            name=name,
            kind="site",
            shards=runtime.settings.shards,
            municipality="21231",
            assets=assets or [],
        )
    async with asyncio.timeout(30):
        while gateway.book.get(client.token) is None:
            await asyncio.sleep(0.01)
    return client


async def connect(runtime: Runtime, issued: Issued, **changes: str) -> Connection:
    """Log in as a client; `changes` replace its client id, user or password."""
    options = {"client": issued.token, "password": issued.secret, "user": issued.token} | changes
    return await Connection.open("127.0.0.1", runtime.settings.mqtt_port, **options)
