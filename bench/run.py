"""`make bench`: how fast the spine is, beside the limit of its engines, all in one run.

    .venv/bin/python bench/run.py [--seconds 300] [--rate 10000] [--lights 34000] [--screens 50]
                                  [--write]

One machine holds everything: load generator, broker, database, roles. "Message" is one QoS 1
PUBLISH of one device with three values. `--write` puts the tables into docs/performance.md.
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import json as std_json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nats
import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.centre import Centre, json  # noqa: E402
from tests.support.city import City, draw_city  # noqa: E402
from tests.support.ledgers import owner  # noqa: E402
from vigie.core.engines.nats import SYSTEM_USER  # noqa: E402

Row = tuple[str, str]


def main() -> None:
    """Run every part and print, or write, the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--lights", type=int, default=34_000)
    parser.add_argument("--screens", type=int, default=50, help="live WebSockets attached")
    parser.add_argument("--only-batches", action="store_true", help="the part of batches alone")
    parser.add_argument("--write", action="store_true", help="update docs/performance.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vigie-bench-", ignore_cleanup_errors=True) as folder:
        rows = measure(Path(folder), options)
    lines = ["| what | measured |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    table = "\n".join(lines)
    print(table)
    if options.write:
        publish(table)


def measure(folder: Path, options: argparse.Namespace) -> list[Row]:
    """Every row of the table."""
    rows: list[Row] = [
        ("machine", f"{os.cpu_count()} cores, {psutil.virtual_memory().total >> 30} GiB, "
         f"Python {platform.python_version()}, everything on it, load generator included"),
    ]  # fmt: skip
    if not options.only_batches:
        rows += engine_limits(options)
    centre = Centre(folder / "var")
    try:
        rows.append(("`vigie up`, first start, to a login page", f"{centre.up('--no-city'):.1f} s"))
        centre.stop()
        rows.append(("`vigie up`, warm start", f"{centre.up('--no-city'):.1f} s"))
        began = time.monotonic()
        provisioning = draw_city(centre, options.lights)
        rows.append(
            (f"draw, import and provision {options.lights:,} lights",
             f"{time.monotonic() - began:.1f} s")
        )  # fmt: skip
        if options.only_batches:
            return storing(centre, folder / "batch", provisioning, options, batch=50)
        rows += storing(centre, folder / "single", provisioning, options, batch=0)
        rows += watching(centre, folder / "watch", provisioning, options)
        rows += storing(centre, folder / "batch", provisioning, options, batch=50)
        rows += commanding(centre, folder / "command", provisioning)
        rows += history_size(centre)
    finally:
        centre.stop()
    return rows


def engine_limits(options: argparse.Namespace) -> list[Row]:
    """What the engines do alone, and the pipeline without load beside it: bench/ingest.py."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "ingest.py"), f"--devices={options.lights}"],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    rows: list[Row] = []
    for line in done.stdout.splitlines():
        name, found, value = line.strip().partition(": ")
        if found:
            rows.append((f"preloaded stream, {name}" if "bare" not in name else name, value))
    return rows


def storing(
    centre: Centre, folder: Path, provisioning: Path, options: argparse.Namespace, batch: int
) -> list[Row]:
    """Offer messages for a while; count what was acknowledged and what is stored."""
    city = City(folder, provisioning)
    seconds = options.seconds if batch == 0 else min(options.seconds, 60)
    rate = options.rate if batch == 0 else max(1, 100_000 // (3 * 50))
    before = stored(centre)
    city.start(f"--rate={rate}", *([f"--batch={batch}"] if batch else []), ledger=False)
    try:
        time.sleep(5)
        start, count = time.monotonic(), city.ask(op="stats")
        behind = 0.0
        with screens(centre, 0 if batch else options.screens) as seen:
            usage = Usage(centre, city)
            while time.monotonic() - start < seconds:
                time.sleep(min(5, seconds))
                behind = max(behind, lag(centre))
                usage.sample()
            end, after = time.monotonic(), city.ask(op="stats")
            shares = usage.rows(f"batches of {batch}" if batch else "unbatched messages")
        drained = time.monotonic()
        final = city.drain()
        acknowledged = final["readings_acknowledged"]
        while stored(centre) - before < acknowledged and time.monotonic() - drained < 120:
            time.sleep(0.2)
        caught_up = time.monotonic() - drained
        kept = stored(centre) - before
    finally:
        city.stop()
    sustained = (after["acknowledged"] - count["acknowledged"]) / (end - start)
    readings = (after["readings_acknowledged"] - count["readings_acknowledged"]) / (end - start)
    name = f"batches of {batch}" if batch else "unbatched messages"
    rows = [
        (f"{name}: offered for {seconds:.0f} s", f"{rate:,} a second"),
        (f"{name}: acknowledged", f"{sustained:,.0f} a second"
         + (f" = {readings * 3:,.0f} values a second" if batch else "")),
        (f"{name}: readings acknowledged / stored", f"{acknowledged:,} / {kept:,}"),
        (f"{name}: furthest behind; caught up after the end in",
         f"{behind:,.0f} messages; {caught_up:.1f} s"),
        (f"{name}: PUBACK p50, p99", f"{final['puback_p50_ms']:.0f}, "
         f"{final['puback_p99_ms']:.0f} ms"),
    ]  # fmt: skip
    return rows + screen_rows(name, options.screens, seen) + shares


def watching(
    centre: Centre, folder: Path, provisioning: Path, options: argparse.Namespace
) -> list[Row]:
    """From device to screen at 5,000 messages a second."""
    city = City(folder, provisioning)
    city.start("--rate=5000", ledger=False)
    try:
        time.sleep(5)
        with screens(centre, options.screens) as seen:
            time.sleep(min(options.seconds, 60))
        city.drain()
    finally:
        city.stop()
    return screen_rows("5,000 messages/s", options.screens, seen)


@contextlib.contextmanager
def screens(centre: Centre, count: int) -> Iterator[dict[str, Any]]:
    """Live screens for the block; what they received when it ends (bench/screens.py)."""
    seen: dict[str, Any] = {}
    if not count:
        yield seen
        return
    with contextlib.closing(centre.login()) as client:
        made = json(
            client.post("/api/v1/tokens", json={"name": "bench", "permissions": ["twin.read"]})
        )
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "bench" / "screens.py"), f"--url={centre.url}",
         f"--token={made['token']}", f"--screens={count}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        time.sleep(3)
        yield seen
        seen |= std_json.loads(process.communicate("end\n", timeout=60)[0])
    finally:
        process.kill()


def screen_rows(part: str, count: int, seen: dict[str, Any]) -> list[Row]:
    """What the screens received."""
    if not seen:
        return []
    faults = ", ".join(f"{name} {seen[name]}" for name in ("missed", "anew", "lost", "dark"))
    return [
        (f"{part}: to {count} screens",
         f"{seen['frames_a_second']:,.0f} frames, {seen['mbytes_a_second']:.1f} MB a second; "
         f"{seen['changes_a_second']:,.0f} changes a second on each; {faults}"),
        (f"{part}: device to screen p50, p99, most",
         f"{seen['p50_s'] * 1e3:.0f}, {seen['p99_s'] * 1e3:.0f}, {seen['most_s'] * 1e3:.0f} ms"),
    ]  # fmt: skip


def commanding(centre: Centre, folder: Path, provisioning: Path) -> list[Row]:
    """Set every lamp to 70% by one act: time to the first and the last acknowledgement."""
    city = City(folder, provisioning)
    city.start("--batch=20", ledger=False)
    client = centre.login()
    try:
        time.sleep(8)
        began = time.monotonic()
        answer = json(
            client.post(
                "/api/v1/commands",
                json={
                    "verb": "set_dimming_level",
                    "params": {"level": 70},
                    "filter": "kind:Streetlight",
                    "reason": "bench",
                },
                headers={"Idempotency-Key": f"bench-{time.time_ns()}"},
            )
        )
        accepted = time.monotonic() - began
        while json(client.get(f"/api/v1/commands/{answer['id']}"))["ended_at"] is None:
            time.sleep(0.2)
            assert time.monotonic() - began < 180, "the group command did not end"
        counts = json(client.get(f"/api/v1/commands/{answer['id']}"))["counts"]
        with owner(centre) as connection:
            first, last = connection.execute(
                "select extract(epoch from min(t.ended_at) - c.requested_at),"
                " extract(epoch from max(t.ended_at) - c.requested_at) from control.target t"
                " join control.command c on c.id = t.command where c.id = %s"
                " group by c.requested_at",
                [answer["id"]],
            ).fetchone() or (0, 0)
    finally:
        city.stop()
    return [
        (f"group command to {answer['total']:,} lamps: accepted after", f"{accepted:.2f} s"),
        ("first lamp confirmed; last lamp confirmed",
         f"{float(first):.2f} s; {float(last):.2f} s ({counts['confirmed']:,} confirmed)"),
    ]  # fmt: skip


def history_size(centre: Centre) -> list[Row]:
    """Bytes a message in history, with its index."""
    with owner(centre) as connection:
        connection.execute("vacuum analyze twin.history")
        rows, table, index = connection.execute(
            "select (select count(*) from twin.history), sum(pg_table_size(relid)),"
            " sum(pg_indexes_size(relid)) from pg_partition_tree('twin.history') where isleaf"
        ).fetchone() or (1, 0, 0)
    return [
        ("history: bytes a message with its index; index to table",
         f"{float(table + index) / max(rows, 1):.0f}; {float(index) / float(table):.0%}"),
    ]  # fmt: skip


class Usage:
    """CPU and memory of every process while a part runs."""

    def __init__(self, centre: Centre, city: City) -> None:
        self.processes: dict[str, psutil.Process] = {}
        for name, pid in centre.pids().items():
            self.processes[name] = psutil.Process(pid)
        if city.process:
            self.processes["simcity (load)"] = psutil.Process(city.process.pid)
        self.start = {name: self._cpu(p) for name, p in self.processes.items()}
        self.began = time.monotonic()
        self.memory: dict[str, int] = {}

    def _cpu(self, process: psutil.Process) -> float:
        return sum(sum(p.cpu_times()[:2]) for p in [process, *process.children()] if p.is_running())

    def sample(self) -> None:
        """Note the proportional memory (PSS) of each process with its children."""
        for name, process in self.processes.items():
            kin = [process] if name == "supervisor" else [process, *process.children()]
            pss = 0
            for one in kin:
                try:
                    pss += one.memory_full_info().pss
                except psutil.Error:
                    continue
            self.memory[name] = max(self.memory.get(name, 0), pss)

    def rows(self, part: str) -> list[Row]:
        """One row for all processes."""
        seconds = time.monotonic() - self.began
        said: list[str] = []
        for name, process in self.processes.items():
            try:
                own = self._cpu(process) if name != "supervisor" else 0.0
                share = (own - (self.start[name] if name != "supervisor" else 0.0)) / seconds
            except psutil.Error:
                continue
            said.append(f"{name} {share:.0%} / {self.memory.get(name, 0) >> 20} MiB")
        total = sum(v for n, v in self.memory.items() if not n.startswith("simcity")) >> 20
        return [
            (f"{part}: share of a core / memory (PSS) of each process", ", ".join(said)),
            (f"{part}: memory of the platform", f"{total:,} MiB"),
        ]


def stored(centre: Centre) -> int:
    """Messages in history."""
    with owner(centre) as connection:
        row = connection.execute("select count(*) from twin.history").fetchone()
    return int(row[0]) if row else 0


def lag(centre: Centre) -> float:
    """Messages that wait in the broker to be stored, as its system account says."""
    return asyncio.run(_lag(centre))


async def _lag(centre: Centre) -> float:
    secret = (centre.var / "secrets" / f"nats-{SYSTEM_USER}").read_text().strip()
    client = await nats.connect(
        f"nats://{SYSTEM_USER}:{secret}@127.0.0.1:{centre.environment['VIGIE_NATS_PORT']}"
    )
    try:
        options = b'{"accounts": true, "streams": true, "consumer": true}'
        answer = await client.request("$SYS.REQ.SERVER.PING.JSZ", options, timeout=10)
    finally:
        await client.close()
    return sum(
        consumer.get("num_pending", 0) + consumer.get("num_ack_pending", 0)
        for account in std_json.loads(answer.data)["data"].get("account_details", [])
        for stream in account.get("stream_detail", [])
        for consumer in stream.get("consumer_detail") or []
        if consumer["name"].startswith("ingest")
    )


def publish(table: str) -> None:
    """Replace the table between the markers of docs/performance.md."""
    path = ROOT / "docs" / "performance.md"
    text = path.read_text(encoding="utf-8")
    stamp = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d")
    block = f"<!-- bench -->\nMeasured {stamp}:\n\n{table}\n<!-- /bench -->"
    path.write_text(
        re.sub(r"<!-- bench -->.*<!-- /bench -->", lambda _: block, text, flags=re.S),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
