"""One person or one device tries to exhaust the centre; the others' work goes through in 2 s.

Each attack (tests/support/attacks) lasts some seconds, from a process and an address of its own.
All the while an operator's commands to a simulated lamp must be confirmed, and a neighbouring
device's readings be seen on a live socket, within 2 s each (tests/support/probe.py); no process may
grow by more than MOST_GROWTH; and afterwards the centre comes to rest by itself.

A new attack is a function in one of the lists ATTACKS there. To try one for longer:

    VIGIE_ATTACK_S=30 pytest tests/faults/test_one_person.py -k exports_never_read -s
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from tests.faults.victims import await_well, freeze
from tests.support.attacks import Running, Target, registry
from tests.support.centre import Centre
from tests.support.city import City, draw_city
from tests.support.ledgers import owner
from tests.support.people import new_account
from tests.support.probe import Neighbour, Probe

pytestmark = pytest.mark.faults

ATTACK_S = float(os.environ.get("VIGIE_ATTACK_S", "2.5"))
# Enough that an export of everything does not fit into a connection's buffers.
LIGHTS = 12_000
LAMPS = 60
CALM_WITHIN_S = 10
MOST_GROWTH = 400_000_000


@dataclass
class World:
    """A centre with a city, the probe that watches it, and what an attacker may use."""

    centre: Centre
    target: Target
    neighbour: Neighbour
    lamps: list[int]
    probe: Probe

    def settle(self) -> None:
        """Be well before the next attack; a centre that an attack left hanging starts again."""
        if not self.probe.await_calm(CALM_WITHIN_S):
            self.probe.stop()
            self.centre.stop()
            self.centre.up("--no-city")
            self.probe = Probe(self.centre, self.neighbour, self.lamps)
            self.probe.start()
            assert self.probe.await_calm(60), "the centre is not well without any attack"

    def memory(self) -> dict[str, int]:
        """Resident bytes by process; PostgreSQL's are shared and bounded by its settings."""
        found: dict[str, int] = {}
        for name, pid in self.centre.pids().items():
            with contextlib.suppress(psutil.Error):
                found[name] = psutil.Process(pid).memory_info().rss
        found.pop("postgres", None)
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The centre, one site of simulated lamps, a neighbour beside them, and the attacker."""
    folder = tmp_path_factory.mktemp("one")
    centre = Centre(folder / "var")
    city: City | None = None
    probe: Probe | None = None
    try:
        centre.up("--no-city")
        provisioning = json.loads(draw_city(centre, LIGHTS).read_bytes())
        lamps, beside, attacker = choose_sites(provisioning["gateways"])
        assets = read_assets(centre)
        with contextlib.closing(centre.login()) as admin:
            username, password = new_account(admin)
            await_well(admin)
        target = attacking(centre, attacker, assets)
        with contextlib.closing(centre.login(username, password)) as session:
            target.cookie = "; ".join(f"{c.name}={c.value}" for c in session.cookies.jar)
            target.csrf = session.headers["X-CSRF-Token"]
        neighbour = neighbouring(beside, assets)
        simulated = folder / "provisioning.json"
        simulated.write_text(json.dumps({**provisioning, "gateways": [lamps]}))
        city = City(folder / "city", simulated)
        city.start(ledger=False)
        chosen = [assets[lamp["device"]][0] for lamp in lights(lamps)[:LAMPS]]
        probe = Probe(centre, neighbour, chosen)
        probe.start()
        made = World(centre, target, neighbour, chosen, probe)
        yield made
        probe = made.probe
    finally:
        if probe:
            probe.stop()
        if city:
            city.stop()
        centre.stop()


def choose_sites(gateways: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Three sites of one shard with many lights: what one device fills is its neighbours' too."""
    full = sorted(gateways, key=lambda gateway: len(lights(gateway)), reverse=True)
    return [gateway for gateway in full if gateway["shard"] == full[0]["shard"]][:3]


def lights(gateway: dict[str, Any]) -> list[dict[str, Any]]:
    """Its street lights."""
    return [device for device in gateway["devices"] if device["kind"] == "Streetlight"]


def read_assets(centre: Centre) -> dict[str, tuple[int, str]]:
    """Id and municipality of every device."""
    with owner(centre) as connection:
        rows = connection.execute("select token, id, municipality from twin.asset").fetchall()
    return {token: (asset, municipality) for token, asset, municipality in rows}


def neighbouring(site: dict[str, Any], assets: dict[str, tuple[int, str]]) -> Neighbour:
    """The device whose readings are waited for."""
    device = lights(site)[0]["device"]
    asset, municipality = assets[device]
    return Neighbour(
        site["client"], site["secret"], site["shard"], device, asset, f"{municipality}/lighting"
    )


def attacking(centre: Centre, site: dict[str, Any], assets: dict[str, tuple[int, str]]) -> Target:
    """What the attacker has: a site's secret, an operator's session, a town besides Dijon."""
    devices = [light["device"] for light in lights(site)]
    towns = [municipality for _, municipality in assets.values() if municipality != "21231"]
    return Target(
        http_port=int(centre.environment["VIGIE_HTTP_PORT"]),
        mqtt_port=int(centre.environment["VIGIE_MQTT_PORT"]),
        cookie="",
        csrf="",
        client=site["client"],
        secret=site["secret"],
        shard=site["shard"],
        devices=devices,
        lamp=assets[devices[0]][0],
        municipality=max(set(towns), key=towns.count),
    )


def test_there_are_twenty() -> None:
    """As many ways as the purpose names, at least."""
    assert len(registry()) >= 20


def test_the_probe_sees_what_is_late(world: World) -> None:
    """Nothing is late at rest; when the API stands still for 3 s, commands and readings are."""
    world.settle()
    began = time.monotonic()
    time.sleep(2)
    rested = world.probe.during(began, time.monotonic())
    assert {sample.what for sample in rested} == {"command", "reading"}
    assert [str(sample) for sample in rested if sample.late] == []
    began = time.monotonic()
    freeze(world.centre, "api", 3)
    samples = world.probe.during(began, began + 0.9)
    assert {sample.what for sample in samples if sample.late} == {"command", "reading"}


@pytest.mark.parametrize("name", registry())
def test_others_go_through(world: World, name: str) -> None:
    """The operator's commands and the neighbour's readings, while one person does this."""
    world.settle()
    before = peak = world.memory()
    began = time.monotonic()
    attack = Running(name, world.target, ATTACK_S)
    while attack.running:
        peak = {who: max(now, peak.get(who, 0)) for who, now in world.memory().items()}
        time.sleep(0.2)
    tally = attack.result()
    samples = world.probe.during(began, time.monotonic())
    print(f"{name}: {tally}; slowest {slowest(samples)}")
    assert tally, "the attack did not begin: nothing is shown by it"
    late = [str(sample) for sample in samples if sample.late]
    assert not late, f"{len(late)} of {len(samples)} late during {tally}: {late[:6]}"
    assert {sample.what for sample in samples} == {"command", "reading"}
    grown = {who: size - before.get(who, size) for who, size in peak.items()}
    assert {who: size for who, size in grown.items() if size > MOST_GROWTH} == {}
    assert world.probe.await_calm(CALM_WITHIN_S), "the centre did not come to rest afterwards"


def slowest(samples: list[Any]) -> dict[str, str]:
    """The longest time of each kind, for the record."""
    found: dict[str, float] = {}
    for sample in samples:
        taken = sample.ended - sample.began if sample.ended else float("inf")
        found[sample.what] = max(taken, found.get(sample.what, 0.0))
    return {what: f"{taken:.2f} s" for what, taken in found.items()}
