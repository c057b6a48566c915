"""How fast the ingest drains the broker's stream, beside the engines' own limits, in one run.

    python bench/ingest.py [--messages 200000] [--devices 34000] [--processes 1] [--batch 1]

Messages are put into the stream beforehand, so that only the draining is measured: one message is
one QoS 1 PUBLISH of one device with three values. The whole way, load generator included, is
bench/run.py.
"""

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import msgspec
import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from vigie.core.bus import Bus  # noqa: E402
from vigie.core.engines import NatsEngine, PostgresEngine, free_port  # noqa: E402
from vigie.core.engines.postgres import LOGIN, OWNER  # noqa: E402
from vigie.core.migrate import migrate  # noqa: E402
from vigie.core.settings import Settings  # noqa: E402
from vigie.gateways.mqtt.streams import PREFIX, STREAM, ensure_streams, stream_state  # noqa: E402

TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")
SHARDS = 2


def cpu_us(pid: int) -> float:
    """Processor time of a process and its children so far."""
    total = 0.0
    for entry in [pid, *children(pid)]:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) * TICK_US
            if entry == pid:
                total += (int(fields[13]) + int(fields[14])) * TICK_US
    return total


def children(pid: int) -> list[int]:
    """Direct children of a process."""
    with contextlib.suppress(OSError):
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def rss_mib(pid: int) -> float:
    """Memory of one process."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20
    return 0.0


class Bench:
    """Engines of its own, a city of bare devices."""

    def __init__(self, root: Path, arguments: argparse.Namespace) -> None:
        self.root = root
        self.devices: int = arguments.devices
        self.messages: int = arguments.messages
        self.processes: int = arguments.processes
        self.batch: int = arguments.batch
        self.postgres = PostgresEngine(root, free_port())
        self.nats = NatsEngine(root, port=free_port(), mqtt_host="127.0.0.1", mqtt_port=free_port())
        self.clients = max(1, self.devices // 300)
        self.round = 0

    def settings(self) -> Settings:
        return Settings(
            var=str(self.root),
            postgres_port=self.postgres.port,
            nats_port=self.nats.port,
            mqtt_port=self.nats.mqtt_port,
            shards=SHARDS,
            stream_max_bytes=8_000_000_000,
        )

    async def start(self) -> Bus:
        await asyncio.gather(self.postgres.start(), self.nats.start())
        await asyncio.to_thread(migrate, self.postgres.url(OWNER), LOGIN)
        with psycopg.connect(self.postgres.url(OWNER)) as connection:
            connection.execute(
                "insert into twin.asset (id, token, kind, trade, source, source_id, lon, lat,"
                " mercator, municipality) select i, 'device' || i, 'Streetlight', 'lighting',"
                " 'bench', i::text, 5, 47, point(0, 0), '21231' from generate_series(1, %s) i",
                [self.devices],
            )
            connection.execute(
                "insert into gateways.client (id, token, name, kind, shard, secret_sha256, trade)"
                " select i, 'client' || i, i::text, 'site', i %% %s, sha256(''), 'lighting'"
                " from generate_series(0, %s) i",
                [SHARDS, self.clients - 1],
            )
            connection.execute(
                "insert into gateways.device select id, id %% %s from twin.asset", [self.clients]
            )
            connection.commit()
            connection.execute("analyze twin.asset, gateways.device, gateways.client")
        bus = await Bus.connect(self.nats.url(), "bench")
        await ensure_streams(bus, self.settings())
        return bus

    async def stop(self) -> None:
        await asyncio.gather(self.nats.stop(), self.postgres.stop())

    def frames(self) -> list[bytes]:
        """One message a device in turn, as the broker stores them."""
        self.round += 1
        order = list(range(1, self.devices + 1))
        random.Random(self.round).shuffle(order)
        frames: list[bytes] = []
        base = time.time() - 3600 + self.round * 600
        for number in range(self.messages):
            n, index = divmod(number * self.batch, self.devices)
            readings = [
                {
                    "device": f"device{order[(index + k) % self.devices]}",
                    "boot": 1,
                    "n": self.round * 1_000_000 + n,
                    "at": moment(base + n * 0.5 + k * 0.001),
                    "values": {
                        "dimmingLevel": number % 101,
                        "activePower": round(number % 300 / 10, 1),
                        "activeEnergy": round(800 + number / 1000, 3),
                    },
                }
                for k in range(self.batch)
            ]
            client = order[index % self.devices] % self.clients
            if self.batch > 1:
                for reading in readings:
                    reading["device"] = f"device{owned(client, self.clients, self.devices)}"
            body = msgspec.json.encode(readings[0] if self.batch == 1 else readings)
            head = b"NATS/1.0\r\nNmqtt-Pub: 1\r\n\r\n"
            subject = f"{PREFIX}up.{client % SHARDS}.client{client}.reading"
            frames.append(
                f"HPUB {subject} {len(head)} {len(head) + len(body)}\r\n".encode()
                + head + body + b"\r\n"
            )  # fmt: skip
        return frames

    async def preload(self, bus: Bus) -> None:
        """Fill the stream."""
        frames = await asyncio.to_thread(self.frames)
        # The stream's inlet holds 10,000 messages and drops what is beyond.
        for start in range(0, len(frames), 5_000):
            await asyncio.to_thread(self._send, frames[start : start + 5_000])
            while (state := await stream_state(bus)).messages < min(start + 5_000, len(frames)):
                await asyncio.sleep(0.01)
        print(f"  preloaded {state.messages:,} messages, {state.bytes / state.messages:.0f} B each")

    def _send(self, frames: list[bytes]) -> None:
        address = urlparse(self.nats.url())
        with socket.create_connection(("127.0.0.1", self.nats.port)) as connection:
            hello = msgspec.json.encode(
                {"verbose": False, "headers": True, "user": address.username,
                 "pass": address.password, "lang": "bench", "version": "1"}
            )  # fmt: skip
            connection.recv(4096)
            connection.sendall(b"CONNECT " + hello + b"\r\nPING\r\n")
            for start in range(0, len(frames), 500):
                connection.sendall(b"".join(frames[start : start + 500]))
            connection.sendall(b"PING\r\n")
            answers = b""
            while answers.count(b"PONG") < 2:
                answers += connection.recv(4096)

    def stored(self) -> int:
        with psycopg.connect(self.postgres.url(OWNER)) as connection:
            row = connection.execute("select count(*) from twin.history").fetchone()
        return row[0] if row else 0

    async def drain(self, bus: Bus) -> dict[str, Any]:
        """Start the ingest and wait until the stream is empty."""
        before = self.stored()
        started_pids: list[asyncio.subprocess.Process] = []
        for _ in range(self.processes):
            started_pids.append(
                await asyncio.create_subprocess_exec(
                    sys.executable, __file__, "--serve", str(self.root),
                    env=os.environ | self._environment(),
                )
            )  # fmt: skip
        while (await stream_state(bus)).messages > self.messages * 0.98:
            await asyncio.sleep(0.02)
        first = (await stream_state(bus)).messages
        watched = {
            "postgres": self.postgres.child.pid if self.postgres.child else 0,
            "nats": self.nats.child.pid if self.nats.child else 0,
            **{f"ingest {i}": child.pid for i, child in enumerate(started_pids)},
        }
        cpu = {name: cpu_us(pid or 0) for name, pid in watched.items()}
        started = time.perf_counter()
        while (last := (await stream_state(bus)).messages) > self.messages * 0.02:
            await asyncio.sleep(0.05)
        elapsed = time.perf_counter() - started
        used = {name: cpu_us(pid or 0) - cpu[name] for name, pid in watched.items()}
        memory = {name: round(rss_mib(pid or 0)) for name, pid in watched.items()}
        while (await stream_state(bus)).messages:
            await asyncio.sleep(0.1)
        for child in started_pids:
            child.send_signal(signal.SIGTERM)
            await child.wait()
        drained = first - last
        return {
            "messages_per_s": round(drained / elapsed),
            "readings_per_s": round(drained * self.batch / elapsed),
            "cpu_us_per_message": {n: round(v / drained, 1) for n, v in used.items()},
            "rss_mib": memory,
            "stored": self.stored() - before,
        }

    def _environment(self) -> dict[str, str]:
        s = self.settings()
        return {
            "VIGIE_VAR": s.var,
            "VIGIE_POSTGRES_PORT": str(s.postgres_port),
            "VIGIE_NATS_PORT": str(s.nats_port),
            "VIGIE_MQTT_PORT": str(s.mqtt_port),
            "VIGIE_SHARDS": str(s.shards),
            "VIGIE_LOG_LEVEL": "warning",
        }

    async def bare_jetstream(self, bus: Bus) -> float:
        """The same stream read with nats-py's own pull, acknowledged, nothing else done."""
        js = bus.jetstream()
        subscriptions = [
            await js.pull_subscribe_bind(f"ingest-{shard}", STREAM) for shard in range(SHARDS)
        ]
        started = time.perf_counter()

        async def read(subscription: Any) -> int:
            count = 0
            while True:
                try:
                    got = await subscription.fetch(1000, timeout=1)
                except TimeoutError:
                    return count
                count += len(got)
                await got[-1].ack()

        counts = await asyncio.gather(*(read(s) for s in subscriptions))
        return sum(counts) / (time.perf_counter() - started - 1)

    async def bare_copy(self) -> float:
        """The same rows by COPY into a table of history's shape, a transaction a thousand."""
        row = struct.Struct(">h ii ii iq ih ih ih i5i ififif")
        head, foot = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
        now = int((time.time() - 946_684_800) * 1e6)
        connection = await psycopg.AsyncConnection.connect(self.postgres.url(OWNER))
        async with connection:
            await connection.execute("create table twin.bare (like twin.history including all)")
            started = time.perf_counter()
            for start in range(0, self.messages, 1000):
                rows = b"".join(
                    row.pack(
                        7, 4, i % self.devices, 4, i, 8, now + i, 2, 1, 2, 1, 2, 1, 44,
                        1, 0, 700, 3, 1, 4, 40.0, 4, 31.2, 4, 812.4,
                    )
                    for i in range(start, start + 1000)
                )  # fmt: skip
                async with connection.cursor().copy(
                    "copy twin.bare (device, n, at, boot, set, lag, vals)"
                    " from stdin (format binary)"
                ) as copy:
                    await copy.write(head + rows + foot)
                await connection.commit()
            elapsed = time.perf_counter() - started
            await connection.execute("drop table twin.bare")
        return self.messages / elapsed

    def sizes(self) -> dict[str, float]:
        """Bytes a message."""
        with psycopg.connect(self.postgres.url(OWNER)) as connection:
            row = connection.execute(
                "select sum(pg_relation_size(c.oid)), sum(pg_indexes_size(c.oid)),"
                " (select count(*) from twin.history) from pg_inherits i"
                " join pg_class c on c.oid = i.inhrelid"
                " where i.inhparent = 'twin.history'::regclass"
            ).fetchone()
        assert row is not None
        table, index, count = (float(v) for v in row)
        return {
            "bytes_per_message": round((table + index) / count, 1),
            "index_share_of_table": round(index / table, 3),
        }


def owned(client: int, clients: int, devices: int) -> int:
    """A device that this client carries."""
    choices = (devices - client) // clients
    return client + clients * random.randint(0 if client else 1, choices)


def moment(seconds: float) -> str:
    """RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


async def serve() -> None:
    """An ingest process."""
    from vigie.core import logs
    from vigie.core.runtime import Runtime
    from vigie.core.settings import load
    from vigie.gateways.ingest.service import services
    from vigie.gateways.ingest.writer import Ports
    from vigie.gateways.mqtt import UPWARD

    settings = load()
    logs.configure(settings.log_level, "console")
    runtime = await Runtime.open(settings, "ingest")

    async def nobody(_unit: Any, _items: Any) -> None:
        return None

    await runtime.run(services(runtime, (UPWARD,), Ports(nobody, nobody)))


async def main(arguments: argparse.Namespace) -> None:
    """One run, printed."""
    root = Path(tempfile.mkdtemp(prefix="vigie-bench-"))
    bench = Bench(root, arguments)
    try:
        bus = await bench.start()
        print(f"{bench.messages:,} messages of {bench.batch} reading(s), {bench.devices:,} devices")
        print(f"  bare COPY: {await bench.bare_copy():,.0f} rows/s")
        if bench.batch == 1:
            await bench.preload(bus)
            print(f"  bare JetStream (nats-py): {await bench.bare_jetstream(bus):,.0f} messages/s")
        for _ in range(arguments.rounds):
            await bench.preload(bus)
            for name, value in (await bench.drain(bus)).items():
                print(f"  {name}: {value}")
        for name, value in bench.sizes().items():
            print(f"  {name}: {value}")
        await bus.close()
    finally:
        await bench.stop()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    import uvloop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--devices", type=int, default=34_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--serve", metavar="VAR")
    given = parser.parse_args()
    uvloop.run(serve() if given.serve else main(given))
