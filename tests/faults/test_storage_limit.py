"""At the storage limit of the stream: admission closes and says so, nothing acknowledged is lost,
and it opens again once what waited is stored."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.victims import await_well, find
from tests.support.centre import Centre, json
from tests.support.city import City, draw_city
from tests.support.ledgers import compare_history

pytestmark = pytest.mark.faults

LIMIT = 2_000_000
LIGHTS = 600
RATE = 1_000


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A centre whose stream holds little."""
    made = Centre(tmp_path_factory.mktemp("limit") / "var", stream_max_bytes=str(LIMIT))
    try:
        made.up("--no-city")
        yield made
    finally:
        made.stop()


def test_closes_tells_and_opens_again(centre: Centre, tmp_path: Path) -> None:
    """The ingest stands still while devices go on reporting; then it goes on."""
    city = City(tmp_path / "city", draw_city(centre, LIGHTS))
    client = centre.login()

    def system() -> dict[str, Any]:
        return json(client.get("/api/v1/system"))

    def part(name: str) -> dict[str, Any]:
        return next(c for c in system()["components"] if c["name"] == name)

    ingest = find(centre, "ingest")
    try:
        city.start(f"--rate={RATE}")
        sites = city.ask(op="stats")["gateways"]
        until(lambda: city.ask(op="stats")["connected"] == sites, 30)
        await_well(client)
        assert system()["admission"]["open"]

        ingest.suspend()
        until(lambda: not system()["admission"]["open"], 60)
        told = system()
        assert told["admission"]["code"] == "admission_closed"
        assert 0.8 * LIMIT <= told["admission"]["stream_bytes"] <= LIMIT
        assert told["admission"]["stream_limit"] == LIMIT
        assert told["status"] != "ok"
        admission = part("admission")
        assert (admission["status"], admission["params"]["reason"]) == ("degraded", "stream_full")
        # Nobody stays connected, and whoever tries again is refused.
        until(lambda: city.ask(op="stats")["connected"] == 0, 20)
        refused = city.ask(op="stats")["refused"]
        until(lambda: city.ask(op="stats")["refused"] > refused, 30)
        stopped = city.ask(op="stats")["acknowledged"]
        time.sleep(2)
        assert city.ask(op="stats")["acknowledged"] == stopped
        assert not system()["admission"]["open"]

        ingest.resume()
        until(lambda: system()["admission"]["open"], 60)
        until(lambda: city.ask(op="stats")["connected"] == sites, 60)
        until(lambda: city.ask(op="stats")["acknowledged"] > stopped, 20)
        counts = city.drain(90)
        assert counts["drained"]
        until(lambda: system()["admission"]["stream_bytes"] == 0, 60)
        await_well(client)
    finally:
        ingest.resume()
        city.stop()
    assert counts["dropped"] == 0
    print(f"{stopped} acknowledged when admission closed;", compare_history(centre, city))


def until(true: Callable[[], bool], within_s: float) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not so after {within_s} s"
        time.sleep(0.1)
