"""Buses: where they are, when they arrive, what is not believed."""

import random

import pytest

from tests.vigie.traffic.priority.make import way
from vigie.traffic.priority import BusFacts, BusFix, ObservationError
from vigie.traffic.priority.buses import Bus, Dwells


def drive(bus: Bus, dwells: Dwells, dwell: int, sigma: float, seed: int, until: float) -> list:
    """Drive the way with a stop of `dwell` s; returns (now, likely, early, late) forecasts."""
    chance, at, stood, out = random.Random(seed), 0.0, 0, []
    for now in range(1, 200):
        if abs(at - 298) < 6 and stood < dwell:
            stood, speed = stood + 1, 0.0
        else:
            speed = 10.0
        at += speed
        if at > until:
            return [(n, now - n, *f) for n, *f in out]
        fix = BusFix(bus.name, now, at + chance.gauss(0, sigma), chance.gauss(0, sigma), speed)
        bus.fix(fix, dwells)
        arrival = bus.arrival(500.0, now, dwells)
        if arrival is not None:
            out.append((now, arrival.likely, arrival.early, arrival.late, at))
    raise AssertionError("never arrived")


def test_dwell_is_learned_and_the_interval_holds() -> None:
    dwells = Dwells()
    for k in range(12):
        drive(Bus(f"b{k}", BusFacts(way(), "1")), dwells, 30, 4.0, k, 495.0)
    mean, deviation = dwells.expected("s")
    assert 25 <= mean <= 35
    assert deviation <= 6
    forecasts = drive(Bus("z", BusFacts(way(), "1")), dwells, 30, 4.0, 99, 495.0)
    inside = [early - 3 <= true <= late + 3 for _, true, _, early, late, _ in forecasts]
    assert sum(inside) / len(inside) > 0.75
    errors = [abs(likely - true) for _, true, likely, _, _, at in forecasts if at > 320]
    assert max(errors) < 6


def test_off_the_map_and_backwards_are_refused() -> None:
    dwells, bus = Dwells(), Bus("b", BusFacts(way(), "1"))
    with pytest.raises(ObservationError, match="off the map"):
        bus.fix(BusFix("b", 1, 50.0, 400.0), dwells)
    with pytest.raises(ObservationError, match="not a place"):
        bus.fix(BusFix("b", 1, float("nan"), 0.0), dwells)
    bus.fix(BusFix("b", 10, 50.0, 2.0, 9.0), dwells)
    with pytest.raises(ObservationError, match="backwards"):
        bus.fix(BusFix("b", 9, 60.0, 2.0, 9.0), dwells)
    with pytest.raises(ObservationError, match="without a time"):
        bus.fix(BusFix("b", float("nan"), 60.0, 2.0), dwells)
    assert bus.arrival(500.0, 10, dwells) is not None


def test_a_silent_bus_asks_for_nothing() -> None:
    dwells, bus = Dwells(), Bus("b", BusFacts(way(), "1"))
    bus.fix(BusFix("b", 10, 400.0, 2.0, 9.0), dwells)
    assert bus.arrival(500.0, 15, dwells) is not None
    assert bus.arrival(500.0, 30, dwells) is None


def test_a_measured_speed_keeps_a_braking_bus_before_its_line() -> None:
    dwells, bus = Dwells(), Bus("b", BusFacts(way(), "1"))
    at, speed, now, furthest = 380.0, 12.0, 0, -1000.0
    while speed > 0 or now < 30:
        now += 1
        room = 499.0 - at
        speed = 0.0 if room < 1 else min(12.0, speed, (2 * 3.0 * room) ** 0.5)
        at = min(499.0, at + speed)
        bus.fix(BusFix("b", now, at, 0.0, speed), dwells)
        furthest = max(furthest, bus.beyond(500.0, now))
    assert furthest < 5.0
