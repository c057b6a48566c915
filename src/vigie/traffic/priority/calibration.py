"""What a second of waiting counts on each lane: learned, so that nobody pays for the rest.

Weighing everybody alike makes the street as a whole better off and a few lanes much worse. The
remedy is a price: each lane has a weight, 1 to begin with, raised while the lane waits longer than
it did under the plans alone and let down while it does not. It is the multiplier of the
constraint "no lane waits more than it did" (dual ascent: Arrow, Hurwicz & Uzawa 1958); a lane
that nobody harms keeps weight 1 and costs the buses nothing.

The waits come from wherever the operator measures them, before and after: loops, number plates,
floating cars. Each lane's weight follows in steps of its own, longer while they go the same way,
half as long when they turn (Rprop: Riedmiller & Braun 1993), since one crossing has room and
another, saturated, swings. The document keeps the steps, so that a city goes on learning.
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

AIM = 1.03
"""Wait against the wait before that a lane is steered to: below what is promised, since a day's
mean is not exact."""
LIGHTEST, HEAVIEST = 1.0, 30.0
RISE, FALL = 0.7, 0.25
"""Most of a day's error (logarithm of the ratio to the aim) that is believed, up and down."""
FIRST_STEP, SHORTEST, LONGEST = 0.3, 0.1, 1.3
ONWARD, TURN = 1.25, 0.5
"""A step against the one before it, in the same direction and in the other."""
NOTICED = 5.0
"""Seconds added to both waits: a second more matters where one waits a minute as where one waits
three seconds, and a price no course can meet would only spoil the others."""


class LaneWeight(Struct, frozen=True, forbid_unknown_fields=True):
    """What a second of waiting counts on a lane, and how it was learned."""

    weight: Annotated[float, Meta(ge=LIGHTEST, le=HEAVIEST)] = LIGHTEST
    step: Annotated[float, Meta(ge=-LONGEST, le=LONGEST)] = 0.0
    """Share of a day's error that the weight last followed; negative: downward; 0: not yet."""


class LaneWeights(Struct, frozen=True, forbid_unknown_fields=True):
    """The document: weights by crossing and lane; a lane that is not in it weighs 1."""

    vigie: Literal["lane-weights/1"] = "lane-weights/1"
    crossings: dict[str, dict[str, LaneWeight]] = {}

    def of(self, crossing: str, lane: str) -> float:
        """The weight of a lane."""
        return self.crossings.get(crossing, {}).get(lane, LaneWeight()).weight


def learn(
    weights: LaneWeights, before: Mapping[LaneKey, float], after: Mapping[LaneKey, float]
) -> LaneWeights:
    """The weights after a day on which lanes waited `after` seconds, `before` under the plans.

    Lanes without both waits keep what they have.
    """
    learned = {name: dict(lanes) for name, lanes in weights.crossings.items()}
    for crossing, lane in sorted(before.keys() & after.keys()):
        old, new = before[crossing, lane], after[crossing, lane]
        if not (math.isfinite(old) and math.isfinite(new) and old >= 0 and new >= 0):
            raise PlanError(
                f"crossing {crossing}: waits of lane {lane} are {old} s and {new} s; "
                "give finite seconds, none below 0"
            )
        mine = learned.setdefault(crossing, {})
        ratio = (new + NOTICED) / (old + NOTICED)
        moved = _follow(mine.get(lane, LaneWeight()), math.log(ratio / AIM))
        if moved.weight > LIGHTEST:
            mine[lane] = moved
        else:
            mine.pop(lane, None)
    return LaneWeights(crossings={name: lanes for name, lanes in learned.items() if lanes})


def _follow(lane: LaneWeight, error: float) -> LaneWeight:
    """The lane's weight moved by a step of its own toward mending `error`."""
    length = abs(lane.step) or FIRST_STEP
    if lane.step:
        onward = (lane.step > 0) == (error > 0)
        length = min(LONGEST, length * ONWARD) if onward else max(SHORTEST, length * TURN)
    factor = math.exp(length * max(-FALL, min(RISE, error)))
    weight = max(LIGHTEST, min(HEAVIEST, lane.weight * factor))
    return LaneWeight(weight, math.copysign(length, error))


def weights_from_json(data: bytes | str) -> LaneWeights:
    """Read a document; PlanError names what is wrong."""
    try:
        return msgspec.json.decode(data, type=LaneWeights)
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise PlanError(f"lane weights document: {broken}") from broken


def weights_to_json(weights: LaneWeights) -> bytes:
    """The document, rounded and in order, for people and their version control."""
    crossings = {
        name: {
            lane: LaneWeight(round(entry.weight, 2), round(entry.step, 2))
            for lane, entry in sorted(lanes.items())
        }
        for name, lanes in sorted(weights.crossings.items())
    }
    return msgspec.json.format(msgspec.json.encode(LaneWeights(crossings=crossings)), indent=2)


def check_weights(weights: LaneWeights, crossings: Mapping[str, Crossing]) -> None:
    """PlanError when the weights speak of a crossing or lane that is not there: learn anew."""
    for name, lanes in weights.crossings.items():
        if name not in crossings:
            raise PlanError(f"lane weights: crossing {name} is not among the crossings")
        known = {lane.id for lane in crossings[name].lanes}
        if stray := sorted(lanes.keys() - known):
            raise PlanError(
                f"lane weights: crossing {name} has no lane {stray[0]}; "
                "the crossing has changed: learn its weights anew"
            )
