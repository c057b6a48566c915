"""A real broker, and the platform's side of the contract as thin as can be."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simcity.provisioning import Broker, Device, GatewaySpec, Provisioning
from simcity.run import City, Options

NATS_SERVER = Path(sys.executable).parent / "nats-server"
GATEWAYS = ("gwA", "gwB", "gwC")
CONFIG = """
server_name: simcity-test
host: 127.0.0.1
port: {nats}
jetstream {{ store_dir: "{store}" }}
mqtt {{ host: 127.0.0.1, port: {mqtt} }}
authorization {{ users: [ {{user: platform, password: platform}}, {users} ] }}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Nats:
    """A real nats-server with an MQTT listener, which tests may kill and start again."""

    folder: Path
    port: int = field(default_factory=free_port)
    mqtt: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        users = ", ".join(f'{{user: {g}, password: "secret-{g}"}}' for g in GATEWAYS)
        config = self.folder / "nats.conf"
        config.write_text(
            CONFIG.format(nats=self.port, mqtt=self.mqtt, store=self.folder / "js", users=users)
        )
        log = (self.folder / "nats.log").open("ab")
        self.process = subprocess.Popen([NATS_SERVER, "-c", config], stdout=log, stderr=log)
        for port in (self.port, self.mqtt):
            end = time.monotonic() + 10
            while time.monotonic() < end:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.02)
            else:
                raise RuntimeError((self.folder / "nats.log").read_text())

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def url(self) -> str:
        return f"nats://platform:platform@127.0.0.1:{self.port}"

    @property
    def broker(self) -> Broker:
        return Broker("127.0.0.1", self.mqtt)


def lamps(gateway: str, count: int) -> tuple[Device, ...]:
    return tuple(
        Device(f"{gateway}L{i}", "Streetlight", f"{gateway}-{i}", 5.04 + i / 1e4, 47.32, 50.0)
        for i in range(count)
    )


def provisioning(broker: Broker, lights: int = 10, gateways: int = 2) -> Provisioning:
    specs = []
    for shard, token in enumerate(GATEWAYS[:gateways]):
        cabinet = Device(f"{token}C", "StreetlightControlCabinet", f"{token}-C", 5.04, 47.32)
        specs.append(GatewaySpec(token, f"secret-{token}", shard, (*lamps(token, lights), cabinet)))
    return Provisioning(broker, tuple(specs))


@contextlib.asynccontextmanager
async def running(
    provisioning: Provisioning, folder: Path, options: Options, ledger: Path | None = None
) -> AsyncIterator[City]:
    city = City(provisioning, options, folder / "boot", ledger)
    life = asyncio.create_task(city.run())
    try:
        await until(lambda: city.stats.connected == len(city.gateways) or life.done())
        yield city
    finally:
        city.stop.set()
        await life


async def until(condition: Any, timeout: float = 60.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "waited too long"
        await asyncio.sleep(0.01)


class Platform:
    """The platform's side of the contract, as thin as can be."""

    def __init__(self, client: Any):
        self._client = client
        self.readings: list[dict[str, Any]] = []
        self.messages: list[Any] = []
        self.acks: list[dict[str, Any]] = []

    async def listen(self) -> None:
        async def hear(message: Any) -> None:
            body = json.loads(message.data)
            if message.subject.endswith(".reading"):
                self.messages.append(body)
            into = self.readings if message.subject.endswith(".reading") else self.acks
            into.extend(body if isinstance(body, list) else [body])

        await self._client.subscribe("up.>", cb=hear)
        await self._client.flush()

    async def command(
        self,
        device: str,
        id_: str = "c1",
        level: Any = 43,
        expires_in: float = 60.0,
        also: dict[str, Any] | None = None,
    ) -> None:
        client = device[:3]
        body = {
            "id": id_,
            "device": device,
            "verb": "set_dimming_level",
            "params": {"level": level},
            "issued_at": int(time.time() * 1000),
            "expires_at": int((time.time() + expires_in) * 1000),
        } | (also or {})
        await self._client.publish(f"down.{client}.{device}.command", json.dumps(body).encode())

    def answers(self, device: str) -> list[str]:
        return [ack["status"] for ack in self.acks if ack["device"] == device]


def city_devices(folder: Path, token: Any = lambda id_: id_) -> list[Device]:
    """The equipment of a drawn city, as a provisioning file would list it."""
    city = tomllib.loads((folder / "city.toml").read_text("utf-8"))
    found: list[Device] = []
    for source in city["equipment"]:
        for feature in json.loads((folder / source["file"]).read_text("utf-8"))["features"]:
            id_ = feature["properties"]["source_id"]
            lon, lat = feature["geometry"]["coordinates"]
            power = feature["properties"].get("power")
            found.append(Device(token(id_), source["kind"], id_, lon, lat, power))
    return found
