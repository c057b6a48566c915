"""A few lights behind two clients, and their messages as the broker stores them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from nats.aio.client import Client
from sqlalchemy import text

from vigie.core.runtime import Runtime
from vigie.core.tasks import end
from vigie.gateways.ingest import ask
from vigie.gateways.mqtt.messages import PREFIX
from vigie.gateways.mqtt.streams import STREAM, ensure_streams

HEADERS = {"Nmqtt-Pub": "1"}


@dataclass
class City:
    """Lights d1…dN, odd ones behind client c1 (lane 1), even ones behind c0 (lane 0)."""

    runtime: Runtime
    assets: dict[str, int] = field(default_factory=dict)
    sent: int = 0

    @property
    def client(self) -> Client:
        return self.runtime.bus.client

    async def build(self, lights: int = 10) -> "City":
        """Registry, stream, readers; the stream empty."""
        await ensure_streams(self.runtime.bus, self.runtime.settings)
        for shard in range(2):
            await ask(self.runtime.bus, f"$JS.API.CONSUMER.DELETE.{STREAM}.ingest-{shard}", {})
        await ask(self.runtime.bus, f"$JS.API.STREAM.PURGE.{STREAM}", {})
        await ensure_streams(self.runtime.bus, self.runtime.settings)
        async with self.runtime.database.unit() as unit:
            for shard in range(2):
                await unit.execute(
                    text(
                        "insert into gateways.client (token, name, kind, shard, secret_sha256,"
                        " trade) values (:token, :token, 'site', :shard, sha256(''), 'lighting')"
                    ),
                    {"token": f"c{shard}", "shard": shard},
                )
            for number in range(1, lights + 1):
                await self.add_light(unit, number)
        return self

    async def add_light(self, unit: Any, number: int) -> int:
        """One light more."""
        made = await unit.execute(
            text(
                "insert into twin.asset (token, kind, trade, source, source_id, lon, lat, mercator,"
                " municipality) values (:token, 'Streetlight', 'lighting', 'test', :token, 5, 47,"
                " point(0, 0), :municipality) returning id"
            ),
            {"token": f"d{number}", "municipality": "21231" if number % 3 else "21166"},
        )
        asset = made.scalar_one()
        await unit.execute(
            text(
                "insert into gateways.device select :asset, id from gateways.client"
                " where token = :client"
            ),
            {"asset": asset, "client": f"c{number % 2}"},
        )
        self.assets[f"d{number}"] = asset
        return asset

    async def send(
        self, payload: Any, client: str = "c1", shard: int = 1, channel: str = "reading"
    ) -> None:
        """Have a message stored in the stream, as the broker does for a QoS 1 publish."""
        data = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        subject = f"{PREFIX}up.{shard}.{client}.{channel}"
        answer = await self.client.request(subject, data, timeout=10, headers=HEADERS)
        assert b'"error"' not in answer.data, answer.data
        self.sent += 1

    async def scalar(self, statement: str, **values: Any) -> Any:
        """One value of the database."""
        async with self.runtime.database.unit() as unit:
            return (await unit.execute(text(statement), values)).scalar()

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Rows of the database."""
        async with self.runtime.database.unit() as unit:
            return list((await unit.execute(text(statement), values)).all())

    async def state(self, device: str) -> Any:
        """The row of a light's latest state."""
        rows = await self.rows(
            "select n, boot, vals, ats from twin.state where asset = :a", a=self.assets[device]
        )
        return rows[0]

    async def waiting(self) -> int:
        """Messages in the stream."""
        answer = await ask(self.runtime.bus, f"$JS.API.STREAM.INFO.{STREAM}", {})
        return answer["state"]["messages"]

    async def drained(self, within_s: float = 60) -> None:
        """Wait until every message was stored and acknowledged."""
        deadline = time.monotonic() + within_s
        while await self.waiting():
            assert time.monotonic() < deadline, "the stream was not drained"
            await asyncio.sleep(0.05)

    @staticmethod
    def reading(device: str = "d1", n: int = 0, **more: Any) -> dict[str, Any]:
        """A reading of now; `at` may be a datetime or seconds ago."""
        at = more.pop("at", 0)
        if not isinstance(at, datetime):
            at = datetime.now(UTC) - timedelta(seconds=at)
        return {
            "device": device,
            "boot": more.pop("boot", 1),
            "n": n,
            "at": at.isoformat(timespec="milliseconds"),
            "values": more.pop("values", {"dimmingLevel": 40, "activePower": 31.5}),
            **more,
        }


@contextlib.asynccontextmanager
async def running(
    services: dict[str, Callable[[], Awaitable[None]]],
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Services, until the block ends."""
    tasks = [asyncio.create_task(service()) for service in services.values()]
    try:
        yield tasks
    finally:
        await end(tasks)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(runtime: Runtime) -> City:
    """Ten lights of this module's database."""
    return await City(runtime).build()


@pytest.fixture(scope="session")
def run() -> Callable[..., Any]:
    """`async with run(services)`."""
    return running
