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
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from tests.faults.victims import await_well, freeze
from tests.support.attacks import Running, Target, registry
from tests.support.centre import Centre
from tests.support.city import City, draw_city
from tests.support.ledgers import owner
from tests.support.people import Account, new_account, session_headers
from tests.support.probe import Neighbour, Probe

pytestmark = [pytest.mark.long, pytest.mark.faults]

ATTACK_S = float(os.environ.get("VIGIE_ATTACK_S", "2.5"))
# Enough that searches, exports and commands to a whole town cost something.
LIGHTS = 8_000
LAMPS = 60
CALM_WITHIN_S = 10
MOST_GROWTH = 400_000_000


@dataclass
class World:
    """A centre with a city, the probe that watches it, and what an attacker may use."""

    centre: Centre
    city: City
    target: Target
    watch: Callable[[], Probe]
    probe: Probe
    calm: bool = False

    def settle(self) -> None:
        """Be well before the next attack; a centre that an attack left hanging starts again."""
        calm, self.calm = self.calm, False
        if calm or self.probe.await_calm(CALM_WITHIN_S):
            return
        self.probe.stop()
        self.city.stop()
        self.centre.stop()
        self.centre.up("--no-city")
        self.city.start(ledger=False)
        self.probe = self.watch()
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
    with contextlib.ExitStack() as stack:
        stack.callback(centre.stop)
        centre.up("--no-city")
        provisioning = json.loads(draw_city(centre, LIGHTS).read_bytes())
        lamps, beside, attacker = choose_sites(provisioning["gateways"])
        assets = read_assets(centre)
        simulated = folder / "provisioning.json"
        simulated.write_text(json.dumps({**provisioning, "gateways": [lamps]}))
        city = City(folder / "city", simulated)
        stack.callback(city.stop)
        city.start(ledger=False)
        with contextlib.closing(centre.login()) as admin:
            operator, person = (session(centre, new_account(admin)) for _ in range(2))
            await_well(admin)
        spared = {assets[light["device"]][1] for light in [*lights(lamps), *lights(beside)]}
        target = attacking(centre, attacker, assets, person, spared)
        neighbour = neighbouring(beside, assets)
        chosen = [assets[lamp["device"]][0] for lamp in lights(lamps)[:LAMPS]]

        def watch() -> Probe:
            # The session outlives a restart; a login may be refused after an attack on it.
            probe = Probe(centre, operator, neighbour, chosen)
            stack.callback(probe.stop)
            probe.start()
            return probe

        yield World(centre, city, target, watch, watch())


def session(centre: Centre, account: Account) -> dict[str, str]:
    """The headers of someone who is logged in, and stays so."""
    with contextlib.closing(centre.login(*account)) as client:
        return session_headers(client)


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


def attacking(
    centre: Centre,
    site: dict[str, Any],
    assets: dict[str, tuple[int, str]],
    session: dict[str, str],
    spared: set[str],
) -> Target:
    """What the attacker has: a site's secret, an operator's session, a town that is not watched."""
    devices = [light["device"] for light in lights(site)]
    towns = Counter(town for _, town in assets.values() if town not in spared)
    return Target(
        http_port=int(centre.environment["VIGIE_HTTP_PORT"]),
        mqtt_port=int(centre.environment["VIGIE_MQTT_PORT"]),
        cookie=session["Cookie"],
        csrf=session["X-CSRF-Token"],
        client=site["client"],
        secret=site["secret"],
        shard=site["shard"],
        devices=devices,
        lamp=assets[devices[0]][0],
        municipality=towns.most_common(1)[0][0],
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
    world.calm = world.probe.await_calm(CALM_WITHIN_S)
    assert world.calm, "the centre did not come to rest afterwards"


def slowest(samples: list[Any]) -> dict[str, str]:
    """The longest time of each kind, for the record."""
    found: dict[str, float] = {}
    for sample in samples:
        taken = sample.ended - sample.began if sample.ended else float("inf")
        found[sample.what] = max(taken, found.get(sample.what, 0.0))
    return {what: f"{taken:.2f} s" for what, taken in found.items()}
