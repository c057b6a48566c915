"""Courses: what a queue may do in amber, a bus may not; nobody waits at two lines at once."""

import numpy as np
from msgspec import structs

from tests.vigie.traffic.priority.make import crossing
from vigie.traffic.priority.rollout import Buses, Rows, roll
from vigie.traffic.priority.tables import Tables
from vigie.traffic.priority.traffic import Traffic


def passing(hold: float, eta: float) -> float:
    """When a bus of the main road passes, `eta` s away, its green held `hold` s more."""
    t = Tables([crossing()])
    traffic = Traffic(t)
    one = np.ones((1, 1))
    rows = Rows(np.array([0]), np.array([0]), np.array([hold]), np.array([1]), np.array([0.0]))
    buses = Buses(np.zeros((1, 1), dtype=np.int64), 0 * one, eta * one, one)
    nobody = np.zeros_like(traffic.queue)
    out = roll(t, traffic.flows(), nobody, nobody, t.real * 1.3, buses, rows, 110.0)
    assert out.vehicles[0] == 0
    return float(out.passing[0, 0])


def test_a_bus_passes_in_green_and_brakes_for_amber() -> None:
    assert passing(5.0, 4.0) == 4.0
    assert passing(5.0, 5.0) == 5.0
    planned_turn = 5 + 5 + 8 + 5 + 20 + 10
    assert passing(5.0, 6.0) == planned_turn
    assert passing(0.0, 1.0) == planned_turn - 5


def at_second_line(stage: int, queue: float, *, chained: bool) -> float:
    """Vehicle-seconds at the turn lane while a stage (0: main, 2: cross) holds for 20 s; the main
    lane has `queue` vehicles, which come to the turn lane next where `chained`."""
    x = crossing()
    main, turn, cross = x.lanes
    onward = (turn.id,) if chained else ()
    t = Tables([structs.replace(x, lanes=(structs.replace(main, leads_to=onward), turn, cross))])
    traffic = Traffic(t)
    rate = np.array([[0.1, 0.1, 0.0]])
    rows = Rows(
        np.array([0]), np.array([stage]), np.array([20.0]), np.array([(stage + 1) % 3]), np.zeros(1)
    )
    zero = np.zeros((1, 1))
    buses = Buses(np.zeros((1, 1), dtype=np.int64), zero, zero, zero)
    waiting = np.array([[queue, 0.0, 0.0]])
    out = roll(t, traffic.flows(), waiting, rate, t.real * 1.0, buses, rows, 20.0)
    return float(out.waiting[0, 1])


def test_what_a_first_line_lets_go_waits_at_the_second() -> None:
    assert at_second_line(0, 8.0, chained=True) > at_second_line(0, 8.0, chained=False)
    assert at_second_line(0, 8.0, chained=True) > at_second_line(0, 0.0, chained=True)


def test_nobody_waits_at_two_lines_at_once() -> None:
    """While the first line is red, those who will come to the second stand at the first."""
    assert at_second_line(2, 8.0, chained=False) > 0
    assert at_second_line(2, 8.0, chained=True) == 0
