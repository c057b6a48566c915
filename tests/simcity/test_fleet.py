import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcity.faults import Fault
from simcity.fleet import LIGHT_CELL_SPREAD, Fleet
from simcity.lamp import Schedule
from simcity.provisioning import Device
from simcity.world import in_order

DAY = 86_400.0
NIGHTS = Schedule.of(
    [(0.0, 0.0)]
    + [
        switch
        for day in range(10)
        for switch in (
            (day * DAY + 0.7 * DAY, 100.0),
            (day * DAY + 0.9 * DAY, 40.0),
            (day * DAY + 1.2 * DAY, 0.0),
        )
    ]
)
LAMP = np.array([0])
NOON, EVENING = 3 * DAY + 0.5 * DAY, 3 * DAY + 0.8 * DAY
times = st.floats(DAY, 8 * DAY)


def fleet(lamps: int = 4, cabinets: int = 1, seed: int = 1, rate: float = 0.0) -> Fleet:
    devices = [Device(f"L{i}", "Streetlight", f"s{i}", 5 + i / 1e3, 47, 50) for i in range(lamps)]
    boxes = [
        Device(f"C{i}", "StreetlightControlCabinet", f"c{i}", 5 + i, 47) for i in range(cabinets)
    ]
    return Fleet(devices + boxes, [0] * (lamps + cabinets), NIGHTS, seed, rate)


def energy(city: Fleet, t: float) -> float:
    return float(city.measure(LAMP, t, np.zeros(1, np.uint64)).energy[0])


def test_a_command_takes_effect_by_day_and_holds_until_the_next_switch() -> None:
    city = fleet()
    city.command({0: 55.0}, NOON)
    assert city.shining(LAMP, NOON)[0] == 55
    dusk = 3 * DAY + 0.7 * DAY
    assert city.shining(LAMP, dusk - LIGHT_CELL_SPREAD - 1)[0] == 55
    assert city.shining(LAMP, dusk + LIGHT_CELL_SPREAD + 1)[0] == 100
    assert city.shining(np.array([1]), NOON)[0] == 0


@given(times, times, st.floats(0, 100), times)
def test_energy_never_falls_whatever_is_commanded(
    a: float, b: float, level: float, commanded: float
) -> None:
    city, first, last = fleet(), *sorted((a, b))
    if commanded <= first:
        city.command({0: level}, commanded)
    before = energy(city, first)
    if first < commanded <= last:
        city.command({0: level}, commanded)
    assert energy(city, last) >= before - 1e-9


@given(times, st.floats(1, 100), st.lists(times, max_size=5))
def test_looking_more_often_changes_no_meter(
    commanded: float, level: float, looks: list[float]
) -> None:
    quiet, watched = fleet(), fleet()
    for city in (quiet, watched):
        city.command({0: level}, commanded)
    for t in sorted(t for t in looks if t > commanded):
        energy(watched, t)
        watched.set_fault(0, Fault.NONE, t)  # settles the meters, changes nothing else
    assert energy(watched, 9 * DAY) == pytest.approx(energy(quiet, 9 * DAY))


def test_a_held_level_is_metered_as_held() -> None:
    city = fleet()
    city.command({0: 100.0}, NOON)
    used = energy(city, NOON + 3600) - energy(city, NOON)
    assert used == pytest.approx((50 + 0.4) / 1000)


@given(times)
def test_a_city_goes_on_from_the_state_it_kept(t: float) -> None:
    first, second = fleet(), fleet()
    first.command({0: 33.0}, t)
    for lamp, (_, *state) in enumerate(first.state(t + 60)):
        second.restore(lamp, t + 60, *state)
    for later in (t + 61, t + DAY):
        assert second.shining(LAMP, later)[0] == first.shining(LAMP, later)[0]
        assert energy(second, later) == pytest.approx(energy(first, later))


def test_a_failed_lamp_is_dark_and_a_dead_supply_takes_no_power() -> None:
    city, every = fleet(), np.arange(4)
    city.set_fault(1, Fault.LAMP_FAILURE, EVENING)
    city.set_fault(2, Fault.SUPPLY_LOSS, EVENING)
    city.set_fault(3, Fault.SILENT, EVENING)
    seen = city.measure(every, EVENING + 1, np.zeros(4, np.uint64))
    assert seen.level.tolist() == [100, 0, 0, 100]
    assert seen.lamp_failure.tolist() == [0, 1, 0, 0]
    assert seen.supply_loss.tolist() == [0, 0, 1, 0]
    assert 0 < seen.power[1] < 1
    assert seen.power[2] == seen.voltage[2] == 0


def test_a_cabinet_meters_the_lamps_nearest_to_it() -> None:
    city = fleet(lamps=4, cabinets=2)
    zero = np.zeros(2, np.uint64)
    power = city.measure_cabinets(np.array([0, 1]), EVENING, zero).power
    assert 200 < power[0] < 240
    assert 10 < power[1] < 14


def test_measurements_repeat_from_the_seed() -> None:
    every, serial = np.arange(4), np.arange(4).astype(np.uint64)
    one, same, other = (fleet(seed=s).measure(every, EVENING, serial) for s in (1, 1, 2))
    assert (one.power == same.power).all()
    assert (one.energy == same.energy).all()
    assert (one.power != other.power).any()
    brief = fleet().measure_briefly(every, EVENING, serial)
    assert (brief[0] == one.level).all()
    assert (brief[1] == one.power).all()
    assert (brief[2] == one.energy).all()


def test_lamps_come_before_cabinets() -> None:
    devices = [
        Device("c", "StreetlightControlCabinet", "c", 5, 47),
        Device("a", "Streetlight", "a", 5, 47),
        Device("b", "Streetlight", "b", 5, 47),
    ]
    assert in_order(devices) == [1, 2, 0]
