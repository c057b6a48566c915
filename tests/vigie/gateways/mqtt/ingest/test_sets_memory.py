"""What the lane remembers of metric sets: dropped when in doubt, and no message with it."""

import time
from typing import Any

import msgspec
import pytest

from vigie.gateways.mqtt.ingest import pipeline, validate
from vigie.gateways.mqtt.ingest.lane import Lane, Raw
from vigie.gateways.mqtt.ingest.registry import Registry
from vigie.gateways.mqtt.streams import PREFIX
from vigie.lighting.kinds import STREETLIGHT
from vigie.twin.telemetry import sets

City = Any


def raw(city: City, n: int, *metrics: str) -> Raw:
    reading = city.reading("d1", n, values=dict.fromkeys(metrics, 1))
    subject = f"{PREFIX}up.1.c1.reading".encode()
    return Raw(n, time.time_ns(), subject, msgspec.json.encode(reading), n)


async def lane(city: City) -> pipeline.Pipeline:
    registry = Registry(city.runtime)
    await registry.load()
    reader: Any = Lane(city.runtime.bus, None, 1)  # type: ignore[arg-type]
    return pipeline.Pipeline(city.runtime, reader, registry)


async def test_plans_go_with_the_sets_they_were_drawn_from(city: City) -> None:
    ours = await lane(city)
    batch = [raw(city, 1, "dimmingLevel")]
    assert len((await ours._understand(batch)).arrivals) == 1
    ours._store.forget()
    assert ours._validator.parse(batch).unknown_sets == {(STREETLIGHT.name, ("dimmingLevel",))}


async def test_a_full_memory_of_sets_drops_no_message(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validate, "_MOST_PLANS", 1)
    monkeypatch.setattr(sets, "_MOST", 1)
    ours = await lane(city)
    names = [metric.name for metric in STREETLIGHT.points]
    await ours._understand([raw(city, n, name) for n, name in enumerate(names[:4])])
    batch = [raw(city, 10, *names[:3]), *(raw(city, n, name) for n, name in enumerate(names))]
    assert len((await ours._understand(batch)).arrivals) == len(batch)
