"""What the lane remembers of metric sets: dropped when in doubt, and no message with it."""

import time
from typing import Any

import msgspec
import pytest

from vigie.gateways.ingest import Raw, validate
from vigie.gateways.ingest.lane import Lane
from vigie.gateways.ingest.registry import Registry
from vigie.gateways.ingest.writer import Ports, Writer
from vigie.gateways.mqtt import UPWARD
from vigie.gateways.mqtt.messages import PREFIX
from vigie.lighting.kinds import STREETLIGHT
from vigie.twin.telemetry import sets

City = Any


def raw(city: City, n: int, *metrics: str) -> Raw:
    reading = city.reading("d1", n, values=dict.fromkeys(metrics, 1))
    subject = f"{PREFIX}up.1.c1.reading".encode()
    return Raw(n, time.time_ns(), subject, msgspec.json.encode(reading), n)


async def lane(city: City) -> Writer:
    registry = Registry(city.runtime)
    await registry.load()
    reader: Any = Lane(city.runtime.bus, None, UPWARD, 1)  # type: ignore[arg-type]
    return Writer(city.runtime.database, city.runtime.bus, reader, registry, Ports())


async def test_plans_go_with_the_sets_they_were_drawn_from(city: City) -> None:
    ours = await lane(city)
    batch = [raw(city, 1, "dimmingLevel")]
    assert len((await ours._understand(batch)).arrivals) == 1
    ours.store.forget()
    assert ours.validator.parse(batch).unknown_sets == {(STREETLIGHT.name, ("dimmingLevel",))}


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
