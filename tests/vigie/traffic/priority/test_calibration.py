"""Weights of lanes: who pays is made heavier, who does not is let go, and nothing else moves."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vigie.traffic.priority.make import crossing
from vigie.traffic.priority import (
    Engine,
    LaneWeights,
    PlanError,
    learn,
    weights_from_json,
    weights_to_json,
)
from vigie.traffic.priority.calibration import AIM, HEAVIEST, LIGHTEST

LANES = [("x", "x.main"), ("x", "x.turn"), ("x", "x.cross")]
waits = st.dictionaries(st.sampled_from(LANES), st.floats(0, 500))
documents = st.dictionaries(
    st.sampled_from(["x.main", "x.turn", "x.cross"]),
    st.floats(1.01, HEAVIEST),
).map(lambda lanes: LaneWeights(crossings={"x": lanes} if lanes else {}))


@given(documents, waits, waits)
def test_a_day_moves_each_weight_the_right_way(
    weights: LaneWeights, before: dict, after: dict
) -> None:
    learned = learn(weights, before, after)
    assert learned == learn(weights, before, after)
    for key in LANES:
        old, new = weights.of(*key), learned.of(*key)
        assert LIGHTEST <= new <= HEAVIEST
        if key not in before or key not in after:
            assert new == old
        elif after[key] > AIM * (before[key] + 5):
            assert new >= old
        elif after[key] + 5 < AIM * (before[key] + 5):
            assert new <= old


@given(documents)
def test_a_document_is_read_as_written(weights: LaneWeights) -> None:
    read = weights_from_json(weights_to_json(weights))
    for key in LANES:
        assert math.isclose(read.of(*key), weights.of(*key), abs_tol=0.01)


def _wait(weights: LaneWeights) -> float:
    """A lane that waits 160 s unless it weighs more, 40 s under the plans."""
    return 160.0 / math.sqrt(weights.of(*LANES[0]))


def test_days_settle_where_nobody_pays() -> None:
    """A lane whose wait falls as its weight grows is brought to the aim and held there."""
    weights = LaneWeights()
    for _ in range(40):
        weights = learn(weights, {LANES[0]: 40.0}, {LANES[0]: _wait(weights)})
    assert _wait(weights) == pytest.approx(AIM * 45.0 - 5.0, rel=0.001)
    assert weights.of("x", "x.turn") == LIGHTEST


def test_days_that_differ_by_chance_settle_too() -> None:
    """With a small gain the chance of the days is averaged out, not followed."""
    chance = random.Random(1)
    weights, swings = LaneWeights(crossings={"x": {"x.main": 16.0}}), list[float]()
    for _ in range(300):
        wait = _wait(weights) * chance.lognormvariate(0.0, 0.1)
        weights = learn(weights, {LANES[0]: 40.0}, {LANES[0]: wait}, gain=0.1)
        swings.append(_wait(weights) / (AIM * 45.0 - 5.0))
    assert all(0.9 < swing < 1.1 for swing in swings[100:])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "lane weights document"),
        (b'{"vigie": "crossings/1"}', "lane weights document"),
        (b'{"vigie": "lane-weights/1", "crossings": {"x": {"x.main": 0.5}}}', ">= 1"),
        (b'{"vigie": "lane-weights/1", "crossings": {"x": {"x.main": 1e9}}}', "<= 40"),
        (b'{"vigie": "lane-weights/1", "crossings": {"x": {"x.main": "a"}}}', "x"),
        (b"\xff", "lane weights document"),
    ],
)
def test_a_broken_document_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        weights_from_json(data)


def test_weights_of_another_city_are_refused() -> None:
    heavy = 2.0
    for stray, said in (({"y": {"y.main": heavy}}, "crossing y"), ({"x": {"gone": heavy}}, "gone")):
        with pytest.raises(PlanError, match=said):
            Engine([crossing()], 0, weights=LaneWeights(crossings=stray))


def test_waits_that_cannot_be_are_refused() -> None:
    for wrong in (math.nan, math.inf, -1.0):
        with pytest.raises(PlanError, match="finite"):
            learn(LaneWeights(), {LANES[0]: 10.0}, {LANES[0]: wrong})


@pytest.mark.parametrize("gain", [0.0, -1.0, 3.0, math.nan])
def test_a_gain_that_cannot_be_is_refused(gain: float) -> None:
    with pytest.raises(PlanError, match="gain"):
        learn(LaneWeights(), {}, {}, gain)
