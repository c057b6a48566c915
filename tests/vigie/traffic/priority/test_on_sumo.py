"""Short runs on SUMO, watched from outside: what the lamps really showed broke no bound."""

from pathlib import Path

import pytest

pytest.importorskip("libsumo", reason="libsumo is not installed: signals are not simulated")
pytest.importorskip("sumo", reason="eclipse-sumo is not installed: signals are not simulated")

from bench.signal_priority import controllers, scenario, world
from vigie.traffic.priority import Settings, weights_from_json


@pytest.mark.parametrize("name", ["grid", "bologna"])
def test_no_bound_is_broken_on_a_simulated_city(name: str, tmp_path: Path) -> None:
    if name == "bologna" and not scenario.BOLOGNA.is_dir():
        pytest.skip("Bologna's scenario is not on this machine")
    city = getattr(scenario, name)(tmp_path)
    files = [*city.additional, *city.programmes, city.folder / "loops.add.xml"]
    command = [
        scenario.tool("sumo"), "-n", str(city.net), "-r", ",".join(map(str, city.routes)),
        "-a", ",".join(map(str, files)), "--seed", "5", "--no-step-log", "--no-warnings",
        "--xml-validation", "never",
    ]  # fmt: skip
    bad = world.Field(gps=15.0, delay=2.0, lost=0.05, dead_loops=0.2)
    shipped = Path(scenario.__file__).parent / f"{name}.weights.json"
    weights = weights_from_json(shipped.read_bytes()) if shipped.exists() else None
    make = controllers.ours(city, Settings(), weights)
    ledger = world.run(command, city.crossings, city.facts, 5, bad, make, end=240)
    assert ledger.violations == []
    assert any(event.state == "granted" for event in ledger.events)
    assert not [why for why in ledger.complaints if "crossing" in why], "the checker had to refuse"
