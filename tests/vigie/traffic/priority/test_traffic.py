"""What loops tell, what is done without them, and what a course is said to cost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vigie.traffic.priority.make import crossing
from vigie.traffic.priority import Loop
from vigie.traffic.priority.fairness import Fairness
from vigie.traffic.priority.rollout import Buses, Rows, roll
from vigie.traffic.priority.tables import Tables
from vigie.traffic.priority.traffic import Traffic

EMPTY, CAR, STANDING = Loop(0, 0.0), Loop(1, 0.4), Loop(0, 1.0)
RED, GREEN = np.array([[False] * 3]), np.array([[True, False, False]])


def readings(entry: Loop, stop: Loop) -> dict[str, Loop]:
    """Loops of the main lane; the others see nobody."""
    out = {f"{w}/x.{g}": EMPTY for w in ("in", "stop") for g in ("turn", "cross")}
    return out | {"in/x.main": entry, "stop/x.main": stop}


def test_a_queue_is_counted_in_and_out_and_cleared() -> None:
    traffic = Traffic(Tables([crossing()]))
    for k in range(30):
        traffic.update(readings(CAR if k % 5 == 0 else EMPTY, STANDING), RED, RED)
    assert traffic.queue[0, 0] == pytest.approx(6, abs=0.5)
    assert traffic.queue[0, 1] == 0
    for k in range(6):
        traffic.update(readings(EMPTY, CAR if k % 2 == 0 else EMPTY), GREEN, RED)
    assert traffic.queue[0, 0] == pytest.approx(3, abs=0.5)
    for _ in range(4):
        traffic.update(readings(EMPTY, EMPTY), GREEN, RED)
    assert traffic.queue[0, 0] <= 2.5


def test_a_queue_over_the_loop_is_seen_beyond_it() -> None:
    traffic = Traffic(Tables([crossing()]))
    for _ in range(60):
        traffic.update(readings(STANDING, STANDING), RED, RED)
    assert traffic.queue[0, 0] > 100 / 7.0


def test_a_dead_loop_is_replaced_by_the_plans_flow() -> None:
    tables = Tables([crossing()])
    traffic = Traffic(tables)
    assumed = traffic.rate.copy()
    for _ in range(40):
        traffic.update({}, RED, RED)
    assert not traffic.alive.any()
    assert np.allclose(traffic.rate, assumed)
    assert traffic.queue[0, 0] == pytest.approx(40 * assumed[0, 0])


def test_a_mute_loop_is_found_out() -> None:
    traffic = Traffic(Tables([crossing()]))
    for _ in range(40):
        traffic.update(readings(CAR, EMPTY), RED, RED)
    assert traffic.alive[0, 0, 0]
    assert not traffic.alive[1, 0, 0]


def test_a_course_costs_the_area_under_its_queue() -> None:
    tables = Tables([crossing()])
    flow = (
        np.array([[[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]]),
        np.zeros((1, 3, 3, 3)),
    )
    queue, rate = np.array([[10.0, 0, 0]]), np.zeros((1, 3))
    buses = Buses(
        np.zeros((1, 1), dtype=np.int64), np.array([[4.0]]), np.array([[2.0]]), np.ones((1, 1))
    )
    rows = Rows(
        np.array([0, 0]), np.array([0, 0]), np.array([30.0, 0.0]), np.array([1, 1]),
        np.array([0.0, 0.0]),
    )  # fmt: skip
    out = roll(tables, flow, queue, rate, np.ones((1, 3)), buses, rows, 60.0)
    assert out.waiting[0, 0] == pytest.approx(10 * 10 / (2 * 0.5))
    assert out.passing[0, 0] == pytest.approx(4 / 0.5)
    assert out.traffic[1] > out.traffic[0]
    assert out.bus[1] > out.bus[0]


def test_a_red_longer_than_planned_weighs() -> None:
    fairness = Fairness(Tables([crossing()]))
    assert fairness.planned_red[0, 0] == 48
    idle = np.full((1, 3), 99.0)
    for _ in range(30):
        fairness.update(RED, idle, 1.0, 1.0)
    assert (fairness.weight == 1.0).all()
    for _ in range(70):
        fairness.update(RED, idle, 1.0, 1.0)
    assert fairness.weight[0, 0] > 1.5
    fairness.update(GREEN, idle, 1.0, 1.0)
    assert fairness.weight[0, 0] == 1.0


@given(
    st.integers(),
    st.floats() | st.sampled_from([0.0, 1.0, float("nan")]),
)
def test_a_loop_that_tells_what_cannot_be_is_dead_and_told(count: int, occupancy: float) -> None:
    told = Loop(count, occupancy)
    sound = 0 <= count <= 5 and 0 <= occupancy <= 1
    one, other = Traffic(Tables([crossing()])), Traffic(Tables([crossing()]))
    refused = one.update(readings(told, EMPTY), RED, RED)
    assert len(refused) == (not sound)
    if not sound:
        assert "in/x.main" in refused[0]
        without = readings(told, EMPTY)
        del without["in/x.main"]
        assert other.update(without, RED, RED) == []
        assert (one.queue == other.queue).all()
        assert (one.alive == other.alive).all()
    assert np.isfinite(one.queue).all()
    assert np.isfinite(one.cover).all()
