"""Every kind through a real centre: drawn, imported, provisioned, reporting, obeying, failing."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from simcity.behaviours import BEHAVIOURS
from tests.support.centre import Centre
from tests.support.city import City, ask
from tests.support.ledgers import compare_history, owner

PLACE = {"longitude", "latitude", "speed", "heading"}


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    made = Centre(tmp_path_factory.mktemp("whole") / "var")
    try:
        made.up("--lights", "40", "--failure-rate", "0", within_s=180)
        made.await_city()
        yield made
    finally:
        made.stop()


def eventually(look: Callable[[], Any], within_s: float = 120) -> Any:
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.3)
    return seen


def witness(centre: Centre) -> City:
    """The city that the centre started, as if a test had."""
    city = City(centre.var / "witness", centre.var / "provisioning.json")
    city.ledger = centre.var / "simcity.sqlite"
    city.socket = centre.var / "run" / "simcity.sock"
    return city


def test_every_kind_reports_obeys_and_fails_and_history_is_the_ledger(centre: Centre) -> None:
    city = witness(centre)
    eventually(city.socket.exists)
    city.ask(op="keep")
    with owner(centre) as connection:

        def reported() -> set[str]:
            rows = connection.execute(
                "select a.kind from twin.asset a left join twin.state s on s.asset = a.id"
                " group by a.kind having count(*) = count(s.asset)"
            ).fetchall()
            connection.commit()
            return {row[0] for row in rows}

        # Within a minute of its start; the machine may be slow.
        eventually(lambda: reported() == set(BEHAVIOURS), 180)

    client = centre.login()
    found = client.get("/api/v1/assets", params={"filter": "kind:RetractableBollard"}).json()
    bollard = found["items"][0]
    answer = client.post(
        "/api/v1/commands",
        json={
            "verb": "lower",
            "params": {},
            "assets": [bollard["id"]],
            "reason": "Un camion de pompiers",
            "expires_in_s": 120,
        },
        headers={"Idempotency-Key": str(uuid4())},
    )
    answer.raise_for_status()
    order = f"/api/v1/commands/{answer.json()['id']}"
    eventually(lambda: client.get(order).json()["counts"].get("confirmed"), 60)
    token = bollard["token"]
    eventually(lambda: city.ask(op="values", devices=[token])["values"][token]["barrier"] == 1, 30)
    city.ask(op="fault", device=token, mode="blocked")
    shown = f"/api/v1/assets/{bollard['id']}"
    eventually(lambda: client.get(shown).json()["state"]["barrier"]["value"] == 3, 60)
    client.close()

    counts = city.drain(60)
    assert counts["drained"]
    assert counts["dropped"] == counts["skipped"] == 0
    time.sleep(1)
    compare_history(centre, city)
    assert compare_values(centre, city) > 100
    happened = city.query("select kind, point, value from what_happened")
    assert ("RetractableBollard", "fault", "blocked") in happened
    ask(city.socket, op="resume")


def compare_values(centre: Centre, city: City) -> int:
    """What history holds of each kept reading is what the device said."""
    said = city.query("select device, boot, n, body from reading_of")
    with owner(centre) as connection:
        held = {
            (token, boot, n): dict(zip(names, values, strict=True))
            for token, boot, n, names, values in connection.execute(
                "select a.token, h.boot, h.n, m.metrics, h.vals from twin.history h"
                " join twin.asset a on a.id = h.device join twin.metric_set m on m.id = h.set"
            ).fetchall()
        }
    for device, boot, n, body in said:
        values = json.loads(body)["values"]
        if "longitude" in values:
            # Where something is goes to its track.
            values = {name: v for name, v in values.items() if name not in PLACE}
            if not values:
                continue
        kept = held[device, boot, n]
        assert kept.keys() == values.keys()
        assert all(np.float32(values[name]) == np.float32(kept[name]) for name in values), body
    return len(said)


def test_a_city_drawn_again_is_the_same_file_for_file(tmp_path: Path) -> None:
    from tests.support.cities import synthetic

    one, two = synthetic(tmp_path / "one", 40), synthetic(tmp_path / "two", 40)
    assert one == two
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file.name
