"""What a second of waiting counts on each lane: learned, so that nobody pays for the rest.

Weighing everybody alike makes the street as a whole better off and a few lanes much worse. The
remedy is a price: each lane has a weight, 1 to begin with, raised while the lane waits longer than
it did under the plans alone and let down while it does not. It is the multiplier of the
constraint "no lane waits more than it did" (dual ascent: Arrow, Hurwicz & Uzawa 1958); a lane
that nobody harms keeps weight 1 and costs the buses nothing.

The waits come from wherever the operator measures them, before and after: loops, number plates,
floating cars. A day's mean is a sample: how much of it the weights follow is the caller's `gain`,
large while everything still moves, small once days only differ by chance (stochastic
approximation: Robbins & Monro 1951).
"""

import math
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from .errors import PlanError
from .model import Crossing

LaneKey: TypeAlias = tuple[str, str]
"""Crossing and lane."""

AIM = 1.0
"""Wait against the wait before that a lane is steered to: below what is promised, since a day's
mean is not exact."""
LIGHTEST, HEAVIEST = 1.0, 40.0
RISE, FALL = 0.5, 0.25
"""Most of a day's error (logarithm of the ratio to the aim) that is believed, up and down."""
NOTICED = 5.0
"""Seconds added to both waits: a second more matters where one waits a minute as where one waits
three seconds, and a price no course can meet would only spoil the others."""

Weight: TypeAlias = Annotated[float, Meta(ge=LIGHTEST, le=HEAVIEST)]


class LaneWeights(Struct, frozen=True, forbid_unknown_fields=True):
    """The document: weights by crossing and lane; a lane that is not in it weighs 1."""

    vigie: Literal["lane-weights/1"] = "lane-weights/1"
    crossings: dict[str, dict[str, Weight]] = {}

    def of(self, crossing: str, lane: str) -> float:
        """The weight of a lane."""
        return self.crossings.get(crossing, {}).get(lane, LIGHTEST)


def learn(
    weights: LaneWeights,
    before: Mapping[LaneKey, float],
    after: Mapping[LaneKey, float],
    gain: float = 1.0,
) -> LaneWeights:
    """The weights after a day on which lanes waited `after` seconds, `before` under the plans.

    A lane that waited a tenth longer than it should grows heavier by about `gain` tenths. Lanes
    without both waits keep what they have.
    """
    if not 0 < gain <= 2:
        raise PlanError(f"gain is {gain}; give a number above 0, at most 2")
    learned = {name: dict(lanes) for name, lanes in weights.crossings.items()}
    for crossing, lane in sorted(before.keys() & after.keys()):
        old, new = before[crossing, lane], after[crossing, lane]
        if not (math.isfinite(old) and math.isfinite(new) and old >= 0 and new >= 0):
            raise PlanError(
                f"crossing {crossing}: waits of lane {lane} are {old} s and {new} s; "
                "give finite seconds, none below 0"
            )
        error = math.log((new + NOTICED) / (old + NOTICED) / AIM)
        factor = math.exp(gain * max(-FALL, min(RISE, error)))
        mine = learned.setdefault(crossing, {})
        mine[lane] = min(HEAVIEST, mine.get(lane, LIGHTEST) * factor)
        if mine[lane] <= LIGHTEST:
            del mine[lane]
    return LaneWeights(crossings={name: lanes for name, lanes in learned.items() if lanes})


def weights_from_json(data: bytes | str) -> LaneWeights:
    """Read a document; PlanError names what is wrong."""
    try:
        return msgspec.json.decode(data, type=LaneWeights)
    except (msgspec.DecodeError, UnicodeError) as broken:
        raise PlanError(f"lane weights document: {broken}") from broken


def weights_to_json(weights: LaneWeights) -> bytes:
    """The document, rounded and in order, for people and their version control."""
    crossings = {
        name: {lane: round(weight, 2) for lane, weight in sorted(lanes.items())}
        for name, lanes in sorted(weights.crossings.items())
    }
    return msgspec.json.format(msgspec.json.encode(LaneWeights(crossings=crossings)), indent=2)


def check_weights(weights: LaneWeights, crossings: Mapping[str, Crossing]) -> None:
    """PlanError when the weights speak of a crossing or lane that is not there: learn anew."""
    for name, lanes in weights.crossings.items():
        if name not in crossings:
            raise PlanError(f"lane weights: crossing {name} is not among the crossings")
        for lane, weight in lanes.items():
            if not LIGHTEST <= weight <= HEAVIEST:
                raise PlanError(
                    f"lane weights: crossing {name}: lane {lane} weighs {weight}; "
                    f"give {LIGHTEST:.0f} to {HEAVIEST:.0f}"
                )
        known = {lane.id for lane in crossings[name].lanes}
        if stray := sorted(lanes.keys() - known):
            raise PlanError(
                f"lane weights: crossing {name} has no lane {stray[0]}; "
                "the crossing has changed: learn its weights anew"
            )
