import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcity.lamp import Schedule, Site, hash01, load, night, sun_schedule

DIJON = Site(5.04, 47.32)
PARIS = ZoneInfo("Europe/Paris")
SCHEDULE = sun_schedule(DIJON, dt.date(2024, 12, 31))
moments = st.floats(SCHEDULE.times[0], SCHEDULE.times[-1] - 1)
days = st.dates(dt.date(2024, 1, 2), dt.date(2024, 12, 29))


def at(day: dt.date, clock: dt.time) -> np.ndarray:
    return np.array([dt.datetime.combine(day, clock, PARIS).timestamp()])


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


@given(days)
def test_dark_at_midnight_lit_and_dimmed_bright_at_noon_off(day: dt.date) -> None:
    assert SCHEDULE.level(at(day, dt.time(13)))[0] == 0
    assert SCHEDULE.level(at(day, dt.time(2)))[0] == 40
    assert SCHEDULE.level(at(day, dt.time(23)))[0] == 70


def test_december_evening_is_full_and_the_morning_rises_again() -> None:
    day = dt.date(2024, 12, 10)
    assert SCHEDULE.level(at(day, dt.time(18)))[0] == 100
    assert SCHEDULE.level(at(day, dt.time(6)))[0] == 80


def test_nights_keep_local_time_over_the_change_to_summer_time() -> None:
    for day in (dt.date(2024, 3, 30), dt.date(2024, 3, 31)):
        switches = [dt.datetime.fromtimestamp(t, PARIS).time() for t, _ in night(DIJON, day)]
        assert dt.time(23, 30) in switches


@pytest.mark.parametrize(("month", "level"), [(6, 0.0), (12, 100.0)])
def test_beyond_the_polar_circle_midsummer_is_off_and_midwinter_is_night(
    month: int, level: float
) -> None:
    schedule = sun_schedule(Site(20, 78, "Europe/Oslo"), dt.date(2024, 12, 31))
    evening = dt.datetime(2024, month, 21, 20, tzinfo=ZoneInfo("Europe/Oslo")).timestamp()
    assert schedule.level(array(evening))[0] == level


@given(moments, st.floats(0, 5 * 86_400))
def test_meters_never_run_back_nor_faster_than_time(t: float, span: float) -> None:
    burned, lit = SCHEDULE.meters(array(t, t + span))
    assert 0 <= burned[1] - burned[0] <= lit[1] - lit[0] + 1e-3 <= span + 2e-3


@given(moments)
def test_meters_equal_the_sum_of_small_steps(t: float) -> None:
    steps = t + np.arange(0, 86_400, 30.0)
    burned, lit = SCHEDULE.meters(array(t, t + 86_400))
    assert burned[1] - burned[0] == pytest.approx((load(SCHEDULE.level(steps)) * 30).sum(), abs=120)
    assert lit[1] - lit[0] == pytest.approx(((SCHEDULE.level(steps) > 0) * 30.0).sum(), abs=120)


@given(moments)
def test_the_level_holds_until_the_next_switch(t: float) -> None:
    until = SCHEDULE.next_switch(array(t))[0]
    assert until > t
    assert SCHEDULE.level(array(until - 1e-3))[0] == SCHEDULE.level(array(t))[0]
    assert SCHEDULE.level(array(until))[0] != SCHEDULE.level(array(t))[0]


@given(st.floats(0, 100), st.floats(0, 100))
def test_more_light_takes_more_power(a: float, b: float) -> None:
    low, high = load(array(*sorted((a, b))))
    assert 0 <= low <= high <= 1


def test_a_longer_timetable_begins_like_the_shorter() -> None:
    longer = sun_schedule(DIJON, dt.date(2025, 2, 1))
    count = len(SCHEDULE.times)
    assert (longer.times[:count] == SCHEDULE.times).all()
    assert (longer.burned[:count] == SCHEDULE.burned).all()


@given(st.lists(st.integers(0, 2**63), min_size=1, max_size=50), st.integers(0, 2**31))
def test_noise_is_a_pure_number_between_zero_and_one(keys: list[int], serial: int) -> None:
    key, n = np.array(keys, np.uint64), np.full(len(keys), serial, np.uint64)
    assert (hash01(key, n) == hash01(key, n)).all()
    assert ((hash01(key, n) >= 0) & (hash01(key, n) < 1)).all()


def test_noise_is_evenly_spread() -> None:
    draws = hash01(np.arange(10_000, dtype=np.uint64), np.full(10_000, 3, np.uint64))
    counts, _ = np.histogram(draws, 10, (0, 1))
    assert counts.min() > 850


def test_a_schedule_of_given_switches() -> None:
    schedule = Schedule.of([(0.0, 0.0), (100.0, 100.0), (200.0, 0.0)])
    assert schedule.level(array(50, 100, 199, 200)).tolist() == [0, 100, 100, 0]
    assert schedule.meters(array(150))[1].tolist() == [50]
