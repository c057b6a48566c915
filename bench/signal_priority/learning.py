"""Weights of the lanes, learned over days: what `vigie.traffic.priority.learn` does in a city.

Each day is a few seeds under the engine; what every movement waited, against what it waited under
the static plans, moves the weights of its lanes. The seeds are those named, never those reported.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vigie.traffic.priority import LaneWeights, learn, weights_from_json, weights_to_json

from .controllers import OURS, STATIC
from .report import pooled, worst
from .scenario import Scenario

SEEDS_A_DAY = 4
FIRST_GAIN, LAST_GAIN = 1.0, 0.25
"""How much of a day the weights follow during the first half of the days, and on the last."""
LEAST = 60
"""Vehicles of a movement in an hour below which its mean teaches nothing."""
PROMISED = 10
"""Days over which the waits are to be no longer than they were."""

Lane = tuple[str, str]
"""Crossing and lane."""

Runs = Callable[[list[str], list[int], str], list[dict]]
"""Runs of controllers and seeds with the weights of a file."""


def lanes_of(scenario: Scenario) -> dict[str, set[Lane]]:
    """The lanes of each movement, named as in the report."""
    out: dict[str, set[Lane]] = {}
    for link in scenario.network.links:
        if link.tl is not None:
            origin, target = (lane.rsplit("_", 1)[0] for lane in (link.origin, link.target))
            out.setdefault(f"{link.tl}: {origin} > {target}", set()).add((link.tl, link.origin))
    return out


def waits(means: dict[str, tuple[float, float]], lanes: dict[str, set[Lane]]) -> dict:
    """Seconds waited by the movements of every lane (lane, movement → s)."""
    return {
        (lane, movement): wait
        for movement, (wait, vehicles) in means.items()
        if vehicles >= LEAST
        for lane in lanes.get(movement, ())
    }


def better_days(runs: list[dict]) -> dict[str, tuple[float, float]]:
    """What each movement waits on the better days of the plans, and its vehicles.

    The mean less one standard error of `PROMISED` days: what is promised against that many days
    of the plans is then not lost to their chance.
    """
    (means,) = pooled(runs).values()
    out = {}
    for movement, (wait, vehicles) in means["movements"].items():
        days = [run["movements"][movement] for run in runs if movement in run["movements"]]
        spread = float(np.std([spent / max(n, 1) for spent, n in days]))
        out[movement] = (max(0.0, wait - spread / PROMISED**0.5), vehicles)
    return out


def gain(day: int, days: int) -> float:
    """How much of `day` (from 0) to follow, of `days`."""
    late = max(0.0, 2.0 * (day + 1) / days - 1.0)
    return FIRST_GAIN * (LAST_GAIN / FIRST_GAIN) ** late


def learn_weights(asked: argparse.Namespace, scenario: Scenario, run: Runs) -> None:
    """Learn for `asked.learn` days on `asked.seeds` and keep the weights in `asked.weights`."""
    path, seeds = Path(asked.weights), asked.seeds
    if not path.exists():
        path.write_bytes(weights_to_json(LaneWeights()))
    lanes = lanes_of(scenario)
    static = run([STATIC], seeds, "")
    base, before = pooled(static)[STATIC], waits(better_days(static), lanes)
    for day in range(asked.learn):
        first = SEEDS_A_DAY * day % len(seeds)
        todays = seeds[first : first + SEEDS_A_DAY]
        ours = run([OURS], todays, asked.weights)
        means = pooled(ours)[OURS]
        after = waits(means["movements"], lanes)
        hardest = {}
        for lane, movement in before.keys() & after.keys():
            pair = before[lane, movement], after[lane, movement]
            if lane not in hardest or pair[1] * hardest[lane][0] > hardest[lane][1] * pair[0]:
                hardest[lane] = pair
        weights = learn(
            weights_from_json(path.read_bytes()),
            {lane: pair[0] for lane, pair in hardest.items()},
            {lane: pair[1] for lane, pair in hardest.items()},
            gain(day, asked.learn),
        )
        path.write_bytes(weights_to_json(weights))
        beyond = [m for m in worst(means, base) if m[0] > 0.15]
        print(
            f"day {day + 1}: buses {means['bus_loss'] / base['bus_loss'] - 1:+.1%}, others "
            f"{means['other_loss'] / base['other_loss'] - 1:+.1%}, {len(beyond)} movements "
            f"beyond 15%, worst {beyond[0][0] if beyond else 0:+.0%}",
            flush=True,
        )
