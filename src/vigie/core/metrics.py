"""Figures of every process, on one page.

A room counts with plain prometheus_client objects in the default registry:

    STORED = Counter("vigie_readings_stored", "Readings stored.", ["shard"])

Every process tells its registry on `metrics.<role>.<instance>` every few seconds (`services`); the
api process hears them and shows them with its own at /metrics, labelled role and instance. No port
is opened, and it works as well when processes live on several machines.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from nats.aio.msg import Msg
from prometheus_client import REGISTRY, Gauge, Histogram
from prometheus_client.utils import floatToGoString

from vigie.core.runtime import Runtime

EVERY_S = 5.0
FORGOTTEN_S = 30.0

LAG = Histogram(
    "vigie_loop_lag_seconds",
    "How much later than asked the event loop woke a sleeper.",
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2),
)
POOL_USED = Gauge("vigie_database_pool_used", "Database connections in use.")
POOL_SIZE = Gauge("vigie_database_pool_size", "Database connections this process may hold.")


class _Sample(msgspec.Struct, array_like=True):
    name: str
    labels: dict[str, str]
    value: float


class _Family(msgspec.Struct, array_like=True):
    name: str
    kind: str
    help: str
    samples: list[_Sample]


_Heard = dict[tuple[str, str], tuple[float, list[_Family]]]
_heard: "WeakKeyDictionary[Runtime, _Heard]" = WeakKeyDictionary()
_decoder = msgspec.msgpack.Decoder(list[_Family])


def services(runtime: Runtime) -> dict[str, Callable[[], Awaitable[None]]]:
    """Watch the loop and tell the figures; the api role hears the others' besides."""
    found: dict[str, Callable[[], Awaitable[None]]] = {
        "loop-lag": lambda: _watch(runtime),
        "metrics": lambda: _tell(runtime),
    }
    if runtime.role == "api":
        found["metrics-heard"] = lambda: _listen(runtime)
    return found


def render(runtime: Runtime) -> str:
    """Prometheus' text format: this process and all that were heard lately."""
    now = time.monotonic()
    heard = _heard.get(runtime, {})
    for key in [k for k, (at, _) in heard.items() if now - at > FORGOTTEN_S]:
        del heard[key]
    told = {key: families for key, (_, families) in heard.items()}
    told[runtime.role, runtime.instance] = _collect()
    lines: list[str] = []
    merged: dict[str, tuple[_Family, list[str]]] = {}
    for (role, instance), families in sorted(told.items()):
        for family in families:
            _, rows = merged.setdefault(family.name, (family, []))
            for sample in family.samples:
                labels = {**sample.labels, "role": role, "instance": instance}
                inside = ",".join(f'{k}="{_escape(v)}"' for k, v in labels.items())
                rows.append(f"{sample.name}{{{inside}}} {floatToGoString(sample.value)}")
    for name, (family, rows) in merged.items():
        shown = name + "_total" if family.kind == "counter" else name
        lines += [f"# HELP {shown} {_escape(family.help)}", f"# TYPE {shown} {family.kind}", *rows]
    return "\n".join(lines) + "\n"


def _collect() -> list[_Family]:
    families: list[_Family] = []
    for metric in REGISTRY.collect():
        samples = [
            _Sample(s.name, dict(s.labels), s.value)
            for s in metric.samples
            if not s.name.endswith("_created")
        ]
        families.append(_Family(metric.name, metric.type, metric.documentation, samples))
    return families


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


async def _watch(runtime: Runtime) -> None:
    loop = asyncio.get_running_loop()
    while True:
        asked = loop.time() + 0.5
        await asyncio.sleep(0.5)
        LAG.observe(max(0.0, loop.time() - asked))
        used, size = runtime.database.pool()
        POOL_USED.set(used)
        POOL_SIZE.set(size)


async def _tell(runtime: Runtime) -> None:
    subject = f"metrics.{runtime.role}.{runtime.instance}"
    while True:
        await runtime.bus.publish(subject, msgspec.msgpack.encode(_collect()))
        await asyncio.sleep(EVERY_S)


async def _listen(runtime: Runtime) -> None:
    heard: _Heard = _heard.setdefault(runtime, {})

    async def hear(message: Msg) -> None:
        _, role, instance = message.subject.split(".")
        heard[role, instance] = (time.monotonic(), _decoder.decode(message.data))

    subscription: Any = await runtime.bus.subscribe("metrics.*.*", hear)
    try:
        await asyncio.Event().wait()
    finally:
        await subscription.unsubscribe()
