"""What a bus has passed: its position is wrong by metres, the lamps are not."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.vigie.traffic.priority.make import crossing, way
from vigie.traffic.priority import BusFacts, BusFix, SignalOnWay, StopOnWay
from vigie.traffic.priority.fleet import Fleet
from vigie.traffic.priority.tables import Tables

FACTS = {"b": BusFacts(way(), "1")}
LINE = 500.0


def fleet() -> Fleet:
    """The buses of a city of one crossing."""
    return Fleet(Tables([crossing()]))


def second(buses: Fleet, now: int, at: float, speed: float, *, green: bool) -> None:
    """One position of the bus, and what its lane shows."""
    assert not buses.hear([BusFix("b", now, at, 0.0, speed)], FACTS, now)
    buses.follow(np.full((1, 3), green), now)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 9))
def test_a_bus_that_stands_at_a_red_never_passes_it(seed: int, sigma: float) -> None:
    """However the receiver errs for minutes on end, the red holds the bus, and green frees it."""
    chance, buses, error = random.Random(seed), fleet(), 0.0
    for now in range(1, 121):
        error = 0.9 * error + chance.gauss(0, 0.44 * sigma)
        at = min(LINE - 1.0, 360.0 + 10.0 * now)
        second(buses, now, at + error, 10.0 if at < LINE - 1 else 0.0, green=now < 5)
        assert not buses.has_passed("b", 0)
    for now in range(121, 135):
        second(buses, now, LINE + 8.0 * (now - 121) + error, 8.0, green=True)
    assert buses.has_passed("b", 0)


def test_a_bus_passes_at_the_end_of_its_green() -> None:
    buses = fleet()
    for now in range(1, 16):
        second(buses, now, 400.0 + 10.0 * now, 10.0, green=now <= 10)
        assert buses.has_passed("b", 0) == (now >= 12), now


def test_far_beyond_is_beyond_whatever_the_lamps_showed() -> None:
    buses = fleet()
    for now in range(1, 40):
        second(buses, now, 400.0 + 8.0 * now, 8.0, green=False)
    assert buses.has_passed("b", 0)


def test_a_jam_does_not_end_a_request() -> None:
    """A bus whose arrival moves off for minutes is still ahead of its signal."""
    buses = fleet()
    second(buses, 1, 100.0, 0.0, green=True)
    bus = buses.buses["b"]
    assert [k for k, _ in buses.ahead(bus, 1, 240.0)] == [0]
    assert not buses.has_passed("b", 0)
    assert buses.hears("b", 12)
    assert not buses.hears("b", 30)


def test_a_new_run_of_the_same_bus_asks_again() -> None:
    """Nothing of the last run is held against it: not on another way, not on another trip, not
    after a long silence."""
    elsewhere, next_trip = BusFacts(way(group="cross"), "2"), BusFacts(way(), "1", trip="2")
    for facts, pause in (({"b": elsewhere}, 1), ({"b": next_trip}, 1), (FACTS, 60)):
        buses = fleet()
        for now in range(1, 16):
            second(buses, now, 400.0 + 10.0 * now, 10.0, green=True)
        assert buses.has_passed("b", 0)
        again = 15 + pause
        assert not buses.hear([BusFix("b", again, 300.0, 0.0, 9.0)], facts, again)
        buses.follow(np.full((1, 3), True), again)
        assert not buses.has_passed("b", 0)
        assert [k for k, _ in buses.ahead(buses.buses["b"], again, 240.0)] == [0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"points": ()}, "two points"),
        ({"points": ((0.0, 0.0),)}, "two points"),
        ({"speeds": ()}, "a speed from each"),
        ({"points": ((0.0, 0.0), (float("nan"), 0.0))}, "not a place"),
        ({"points": ((1.0, 1.0), (1.0, 1.0))}, "all one place"),
        ({"speeds": (0.0,)}, "above 0"),
        ({"signals": (SignalOnWay("x", "x.main", float("nan")),)}, "signal is not on it"),
        ({"stops": (StopOnWay("a", 9e9),)}, "stop is not on it"),
        ({"stops": (StopOnWay("a", 9.0), StopOnWay("b", 3.0))}, "not in their order"),
    ],
)
def test_a_broken_way_is_refused(change: dict, said: str) -> None:
    buses = fleet()
    facts = {"b": BusFacts(structs.replace(way(), **change), "1")}
    (refused,) = buses.hear([BusFix("b", 1, 400.0, 0.0, 9.0)], facts, 1)
    assert refused.startswith("bus b: way w-main: ")
    assert said in refused
    assert not buses.buses


@given(st.floats())
def test_a_speed_that_cannot_be_is_told_and_left_out(speed: float) -> None:
    """It neither carries the bus past its line nor anywhere else."""
    buses = fleet()
    refused = buses.hear([BusFix("b", 1, 420.0, 0.0, speed)], FACTS, 1)
    buses.follow(np.full((1, 3), True), 1)
    assert bool(refused) == (not -3 <= speed <= 40)
    assert not buses.has_passed("b", 0)
    assert buses.buses["b"].at == pytest.approx(420.0)


def test_a_position_told_twice_is_one() -> None:
    once, often = fleet(), fleet()
    for now in range(1, 5):
        for buses, times in ((once, 1), (often, 50)):
            for _ in range(times):
                second(buses, now, 400.0 + 9.0 * now, 9.0, green=True)
    one, other = once.buses["b"], often.buses["b"]
    assert (one.at, one.speed, one.spread) == (other.at, other.speed, other.spread)


def test_a_bus_not_heard_for_long_is_forgotten() -> None:
    buses = fleet()
    for now in range(1, 16):
        second(buses, now, 400.0 + 10.0 * now, 10.0, green=True)
    assert buses.has_passed("b", 0)
    buses.follow(np.full((1, 3), True), 15 + 40)
    assert "b" in buses.buses
    buses.follow(np.full((1, 3), True), 15 + 50)
    assert not buses.buses
    assert not buses.has_passed("b", 0)


@given(st.floats(), st.floats())
def test_what_is_known_of_a_bus_and_cannot_be_is_told_and_left_out(
    people: float, lateness: float
) -> None:
    facts = {"b": BusFacts(way(), "1", lateness, people)}
    buses = fleet()
    refused = buses.hear([BusFix("b", 1, 400.0, 0.0, 9.0)], facts, 1)
    kept = buses.buses["b"].facts
    sound = (0 <= people <= 500, -86_400 <= lateness <= 86_400)
    assert (kept.people == people, kept.lateness == lateness) == sound
    assert (kept.people is None, kept.lateness is None) == (not sound[0], not sound[1])
    assert len(refused) == 2 - sum(sound)
    assert all("give a number" in words for words in refused)
