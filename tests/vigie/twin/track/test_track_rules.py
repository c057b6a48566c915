"""What is a fix, what is a jump, where a track has gaps, how it is simplified."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.geometry import METRES_A_DEGREE
from vigie.twin.track import Position, rules
from vigie.twin.track.model import Fix, Held

NOW = 1_795_000_000_000_000
DAY = 86_400_000_000


def position(lon=5.04, lat=47.32, at=NOW, **more):
    return Position(1, at, NOW, lon, lat, **more)


def fix(seconds, lon=5.04, lat=47.32, accuracy=-1):
    return Fix(1, 1_795_000_000_000 + round(seconds * 1000), round(lon * 1e7), round(lat * 1e7),
               -1, -1, accuracy)  # fmt: skip


@pytest.mark.parametrize(
    ("given_", "code"),
    [
        (position(), None),
        (position(valid=False), "no_fix"),
        (position(0.0, 0.0), "no_fix"),
        (position(181.0), "out_of_bounds"),
        (position(math.nan), "out_of_bounds"),
        (position(lat=math.inf), "out_of_bounds"),
        (position(at=NOW - 31 * DAY), "at_past"),
        (position(at=NOW + 10 * 60 * 1_000_000), "at_future"),
        (position(at=NOW + 60 * 1_000_000), None),
    ],
)
def test_what_is_no_fix_is_named(given_, code):
    assert rules.fault_of(given_, NOW, NOW - 30 * DAY) == code


@given(st.floats(-180, 180), st.floats(-90, 90), st.none() | st.floats(), st.none() | st.floats())
def test_a_fix_always_fits_its_columns(lon, lat, speed, heading):
    made = rules.fix_of(position(lon, lat, speed_m_s=speed, heading_deg=heading, accuracy_m=speed))
    assert abs(made.lon / 1e7 - lon) <= 6e-8
    assert abs(made.lat / 1e7 - lat) <= 6e-8
    assert -1 <= made.speed <= 32767
    assert -1 <= made.heading < 3600
    assert -1 <= made.accuracy <= 32767


def test_a_jump_is_doubted_and_believed_when_a_second_fix_agrees():
    held = Held(1)
    assert rules.accept(held, fix(0))
    assert not rules.accept(held, fix(10, lat=47.40)), "9 km in 10 s"
    assert held.fix == fix(0)
    assert rules.accept(held, fix(20)), "an outlier: it never left"
    assert held.doubt is None
    assert not rules.accept(held, fix(30, lat=47.40))
    assert rules.accept(held, fix(40, lat=47.4001)), "it is there: the receiver was off"
    assert held.fix == fix(40, lat=47.4001)


def test_accuracy_and_time_allow_for_more():
    assert not rules.reachable(fix(0), fix(1, lat=47.3225))
    assert rules.reachable(fix(0), fix(1, lat=47.3225, accuracy=2000))
    assert rules.reachable(fix(0), fix(10, lat=47.3225))


def test_late_jumps_are_found_in_their_place():
    lat = np.array([473200000, 474000000, 473201000, 473202000])
    ms = np.array([0, 10_000, 20_000, 30_000])
    lon = np.full(4, 50400000)
    assert rules.jumps(ms, lon, lat).tolist() == [False, True, False, False]
    assert not rules.jumps(ms[:0], lon[:0], lat[:0]).any()


def test_gaps_cut_a_track():
    ms = np.array([0, 10_000, 400_000, 410_000, 1_000_000])
    assert [(s.start, s.stop) for s in rules.segments(ms, 300)] == [(0, 2), (2, 4), (4, 5)]
    assert rules.segments(ms[:0], 300) == []


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), min_size=1, max_size=60),
    st.floats(0.5, 50),
)
def test_a_simplified_line_stays_within_its_tolerance(steps, tolerance):
    lon = np.array([50_000_000 + x * 10 for x, _ in steps])
    lat = np.array([473_000_000 + y * 10 for _, y in steps])
    kept = rules.simplified(lon, lat, tolerance)
    assert kept[0] == 0
    assert kept[-1] == len(lon) - 1
    scale = METRES_A_DEGREE / 1e7
    east = lon * scale * math.cos(math.radians(lat[0] / 1e7))
    north = lat * scale
    for a, b in itertools.pairwise(kept):
        start, piece = complex(east[a], north[a]), complex(east[b] - east[a], north[b] - north[a])
        for n in range(a, b + 1):
            here = complex(east[n], north[n]) - start
            along = (here * piece.conjugate()).real / abs(piece) ** 2 if piece else 0
            assert abs(here - piece * min(max(along, 0), 1)) <= tolerance + 0.01


def test_a_long_straight_line_keeps_few_points():
    lon = np.arange(50_000_000, 50_000_000 + 5_000 * 100, 100)
    lat = np.full(len(lon), 473_000_000)
    kept = rules.simplified(lon, lat, 5.0)
    assert len(kept) <= 8
    assert kept[-1] == len(lon) - 1
