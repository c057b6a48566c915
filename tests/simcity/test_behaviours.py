"""Every kind by itself: it speaks the contract, repeats from its seed, obeys, fails and resumes."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from simcity.behaviours import BEHAVIOURS, Behaviour
from simcity.behaviours.base import COMMON
from simcity.generate.city import generate
from simcity.lamp import Site, sun_schedule
from simcity.provisioning import Device
from simcity.topology import read_topology
from simcity.world import Happening, Residents, in_order
from tests.simcity.helpers import city_devices
from vigie.twin import kinds

PACK = Path(__file__).parents[2] / "src" / "vigie" / "places" / "packs" / "dijon"
NOON = 1_790_000_000.0 - 1_790_000_000.0 % 86_400 + 11 * 3600
DAY = 86_400.0
TIMES = tuple(NOON + hours * 3600 for hours in (0, 6.5, 9.2, 13, 19.7, 26))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("city")
    generate(PACK, out, 300, 1)
    return out


def residents(folder: Path, seed: int = 1, rate: float = 0.0) -> Residents:
    devices = city_devices(folder)
    devices = [devices[i] for i in in_order(devices)]
    site = Site(5.04, 47.32)
    schedule = sun_schedule(site, dt.date(2026, 12, 1), dt.date(2026, 9, 1))
    return Residents(
        devices, [0] * len(devices), schedule,
        seed=seed, rate=rate, zone="Europe/Paris", folder=folder,
    )  # fmt: skip


@pytest.fixture(scope="module")
def city(folder: Path) -> Residents:
    return residents(folder)


def measured(behaviour: Behaviour, t: float) -> dict[str, np.ndarray]:
    rows = np.arange(behaviour.count)
    columns = behaviour.measure(rows, t, np.zeros(behaviour.count, np.uint64))
    return {point.name: c for point, c in zip(behaviour.points, columns, strict=True)}


def test_every_kind_of_the_platform_lives_in_the_city(city: Residents) -> None:
    assert set(BEHAVIOURS) == set(kinds.kinds())
    assert {b.kind for b in city.behaviours} == set(BEHAVIOURS)


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_a_kind_speaks_the_contract(city: Residents, name: str) -> None:
    declared = kinds.kinds()[name]
    behaviour = city.shared.kinds[name]
    assert [p.name for p in behaviour.points] == [p.name for p in declared.points]
    assert behaviour.interval <= (declared.promise_s or 900)
    assert set(behaviour.verbs) == {command.verb for command in declared.commands}
    for point in behaviour.points:
        words = getattr(declared.point(point.name), "words", ())
        assert not words or not point.words or point.words == words
    for t in TIMES:
        for mode in behaviour.mode_names:
            behaviour.fail(0, mode, t)
            for point, column in measured(behaviour, t).items():
                limits = declared.point(point)
                assert limits is not None
                assert np.nanmin(column) >= limits.low, (point, mode, t)
                assert np.nanmax(column) <= limits.high, (point, mode, t)
        behaviour.fail(0, "none", t)


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_a_kind_repeats_from_its_seed(folder: Path, name: str) -> None:
    city, again, other = (residents(folder, seed=seed) for seed in (1, 1, 2))
    same = measured(again.shared.kinds[name], NOON + 77)
    for point, column in measured(city.shared.kinds[name], NOON + 77).items():
        assert np.array_equal(column, same[point], equal_nan=True), point
    if name not in ("SignalGroup", "AlarmZone", "StreetlightControlCabinet", "Door"):
        differs = measured(other.shared.kinds[name], NOON + 77)
        assert any((differs[p] != same[p]).any() for p in same)


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_counters_never_run_back(city: Residents, name: str) -> None:
    behaviour = city.shared.kinds[name]
    counters = [p.name for p in kinds.kinds()[name].points if getattr(p, "counter", False)]
    before: dict[str, np.ndarray] = {}
    for t in np.arange(NOON, NOON + 2 * DAY, 4567.0):
        for point, column in measured(behaviour, float(t)).items():
            if point in counters and point != "upTime" and point in before:
                assert not (column < before[point] - 1e-9).any(), point
            before[point] = column


ORDERS = (
    ("RetractableBollard", "lower", {}, "barrier", 1.0),
    ("RetractableBollard", "raise", {}, "barrier", 0.0),
    ("RetractableBollard", "set_mode", {"mode": "forced_open"}, "mode", 1.0),
    ("TrafficLightController", "set_plan", {"plan": 3}, "plan", 3.0),
    ("TrafficLightController", "set_signal_mode", {"mode": "flashing"}, "mode", 1.0),
    ("StreetlightControlCabinet", "switch_contactor", {"position": "open"}, "contactor", 0.0),
    ("Streetlight", "set_dimming_level", {"level": 33}, "dimmingLevel", 33.0),
    ("Camera", "move_camera", {"pan": 12, "tilt": -5, "zoom": 4}, "pan", 12.0),
    ("Camera", "set_recording", {"recording": "stopped"}, "recording", 0.0),
    ("Building", "arm", {}, "intrusion", 1.0),
    ("Building", "disarm", {}, "intrusion", 0.0),
    ("AlarmZone", "inhibit", {"service": "test"}, "service", 2.0),
    ("Door", "open_door", {"seconds": 60}, "position", 1.0),
    ("Door", "set_lock", {"lock": "locked"}, "lock", 0.0),
    ("TechnicalPoint", "write_set_point", {"value": 21.5}, "setPoint", 21.5),
)


@pytest.mark.parametrize(("name", "verb", "params", "point", "value"), ORDERS)
def test_what_is_obeyed_is_shown(
    folder: Path, name: str, verb: str, params: dict[str, object], point: str, value: float
) -> None:
    behaviour = residents(folder).shared.kinds[name]
    night = NOON + 15 * 3600.0 - 9 * 60  # nobody passes
    t = next(t for t in np.arange(night, night + 3600, 7) if not _present(behaviour, float(t)))
    assert behaviour.order(0, verb, params, float(t)).status == "done"
    assert measured(behaviour, float(t) + 5)[point][0] == value
    if params:
        wrong = dict.fromkeys(params, "no such thing")
        assert behaviour.order(0, verb, wrong, float(t)).code == "out_of_range"


def _present(behaviour: Behaviour, t: float) -> bool:
    return behaviour.kind == "RetractableBollard" and measured(behaviour, t)["presence"][0] == 1


def test_a_bollard_does_not_rise_under_a_lorry(city: Residents) -> None:
    bollard = city.shared.kinds["RetractableBollard"]
    t = next(t for t in np.arange(NOON - 4 * 3600, NOON + DAY) if _present(bollard, float(t)))
    outcome = bollard.order(0, "raise", {}, float(t))
    assert (outcome.status, outcome.code) == ("refused", "presence")


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_faults_answer_as_they_are_said_to(folder: Path, name: str) -> None:
    behaviour = residents(folder).shared.kinds[name]
    for mode in behaviour.mode_names:
        behaviour.fail(0, mode, NOON)
        assert behaviour.hears(0) == (mode not in ("silent", "offline"))
    with pytest.raises(KeyError):
        behaviour.fail(0, "flies", NOON)
    if behaviour.verbs:
        behaviour.fail(0, "refuses", NOON)
        assert behaviour.order(0, behaviour.verbs[0], {}, NOON).code == "interlock"
    shown = [m for m in behaviour.mode_names[len(COMMON) :] if behaviour.modes[m]]
    for mode in shown:
        behaviour.fail(0, mode, NOON)
        for point, value in behaviour.modes[mode].items():
            assert measured(behaviour, NOON)[point][0] == value


def test_memory_of_orders_outlives_a_restart(folder: Path) -> None:
    first, second = residents(folder), residents(folder)
    bollard = first.shared.kinds["RetractableBollard"]
    bollard.order(0, "set_mode", {"mode": "forced_open"}, NOON)
    camera = first.shared.kinds["Camera"]
    camera.fail(1, "tamper", NOON)
    for kind in ("RetractableBollard", "Camera"):
        for row, state in first.shared.kinds[kind].states():
            second.shared.kinds[kind].restore(row, state)
    for kind in ("RetractableBollard", "Camera"):
        was, now = (measured(city.shared.kinds[kind], NOON + 60) for city in (first, second))
        assert all(np.array_equal(was[point], now[point]) for point in was)


def test_vehicles_keep_to_the_streets_at_plausible_speeds(city: Residents) -> None:
    roads = city.shared.roads
    for kind, most in (("Vehicle", 30.0), ("Bus", 15.0), ("Radio", 12.0)):
        behaviour = city.shared.kinds[kind]
        drove = 0.0
        before: np.ndarray | None = None
        for second in range(0, 3 * 36_000, 10):
            if second % 36_000 >= 900:  # a quarter of an hour at three times of the day
                before = None
                continue
            seen = measured(behaviour, NOON - 3 * 3600 + second)
            here = roads.to_xy(seen["longitude"], seen["latitude"])
            if before is not None:
                step = np.hypot(*(here - before).T)
                assert step.max() <= most * 10 + 1, kind
                drove += step.sum()
            before = here
        assert drove > 500, kind


def test_a_dead_feeder_darkens_its_lamps_and_a_switch_silences_what_it_connects(
    folder: Path,
) -> None:
    city, topology = residents(folder), read_topology(folder)
    seen: list[Happening] = []
    city.step(NOON, seen.append)
    lamp = city.devices[0].source_id
    feeder = topology.power[lamp]
    city.shared.power.set(feeder, True)
    city.shared.unsettled = True
    changed = city.step(NOON + 1, seen.append)
    lamps = [d.source_id for d in city.devices if d.kind == "Streetlight"]
    dark = {id_ for i, id_ in enumerate(lamps) if i in changed}
    assert dark == {id_ for id_, above in topology.power.items() if above == feeder}
    lost = measured(city.shared.kinds["Streetlight"], NOON + 1)["supplyLoss"]
    assert lost.sum() == len(dark)
    camera = city.shared.kinds["Camera"]
    switch = topology.network[camera.devices[0].source_id]
    switches = city.shared.kinds["NetworkSwitch"]
    switches.fail(switches.row[switch], "down", NOON + 2)
    city.step(NOON + 2, seen.append)
    assert not camera.online()[0]
    assert not city.all_online
    switches.fail(switches.row[switch], "none", NOON + 3)
    city.shared.power.set(feeder, False)
    city.step(NOON + 3, seen.append)
    assert city.all_online
    assert measured(city.shared.kinds["Streetlight"], NOON + 3)["supplyLoss"].sum() == 0


def test_a_fire_rises_from_the_detector_to_the_building(folder: Path) -> None:
    city, topology = residents(folder), read_topology(folder)
    detectors = city.shared.kinds["FireDetector"]
    detectors.fail(0, "alarm", NOON)
    zone = topology.parents[detectors.devices[0].source_id]
    zones, buildings = city.shared.kinds["AlarmZone"], city.shared.kinds["Building"]
    assert measured(zones, NOON)["state"][zones.row[zone]] == 1
    fire = measured(buildings, NOON)["fire"]
    assert fire[buildings.row[topology.parents[zone]]] == 2
    assert (fire > 0).sum() == 1


def test_what_happens_does_not_depend_on_the_pace(folder: Path) -> None:
    slow, fast = [], []
    for paces, seen in ((1, slow), (60, fast)):
        city = residents(folder, rate=0.05)
        for t in range(int(NOON), int(NOON) + 601, paces):
            city.step(float(t), seen.append)
    assert slow == fast
    assert len(slow) > 5


def test_green_is_never_given_to_both_stages(city: Residents) -> None:
    groups = city.shared.kinds["SignalGroup"]
    topology = city.shared.topology
    uses = topology.attributes
    for t in np.arange(NOON, NOON + 240, 3.0):
        colour = measured(groups, float(t))["colour"]
        green: dict[str, set[bool]] = {}
        for row in np.flatnonzero(colour == 2).tolist():
            id_ = groups.devices[row].source_id
            rank = int(uses[id_]["number"]) + (uses[id_]["use"] == "piétons")
            stages = city.shared.kinds["TrafficLightController"].stages  # type: ignore[attr-defined]
            of = city.shared.kinds["TrafficLightController"].row[topology.parents[id_]]
            green.setdefault(topology.parents[id_], set()).add(rank % stages[of])
        assert all(len(stages) == 1 for stages in green.values())


def test_devices_are_ordered_by_kind() -> None:
    devices = [
        Device("x", "Unknown", "x", 5, 47),
        Device("c", "StreetlightControlCabinet", "c", 5, 47),
        Device("b", "Bus", "b", 5, 47),
        Device("a", "Streetlight", "a", 5, 47),
    ]
    assert in_order(devices) == [3, 1, 2, 0]
