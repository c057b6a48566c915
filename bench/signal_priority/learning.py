"""Weights of the lanes, learned over days: what `vigie.traffic.priority.learn` does in a city.

Each day is a few seeds under the engine; what every movement waited, against what it waited under
the static plans, moves the weights of its lanes. The seeds are those named, never those reported.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from vigie.traffic.priority import LaneWeights, learn, weights_from_json, weights_to_json

from .controllers import OURS, STATIC
from .report import pooled, worst
from .scenario import Scenario

SEEDS_A_DAY = 4
LEAST = 60
"""Vehicles of a movement in an hour below which its mean teaches nothing."""

Runs = Callable[[list[str], list[int], str], list[dict]]
"""Runs of controllers and seeds with the weights of a file."""


def lanes_of(scenario: Scenario) -> dict[str, set[tuple[str, str]]]:
    """The lanes of each movement, named as in the report."""
    out: dict[str, set[tuple[str, str]]] = {}
    for link in scenario.network.links:
        if link.tl is not None:
            origin, target = (lane.rsplit("_", 1)[0] for lane in (link.origin, link.target))
            out.setdefault(f"{link.tl}: {origin} > {target}", set()).add((link.tl, link.origin))
    return out


def waits(runs: list[dict], lanes: dict[str, set[tuple[str, str]]]) -> dict:
    """Seconds waited by the movements of every lane (lane, movement → s), pooled."""
    (means,) = pooled(runs).values()
    return {
        (lane, movement): wait
        for movement, (wait, vehicles) in means["movements"].items()
        if vehicles >= LEAST
        for lane in lanes.get(movement, ())
    }


def learn_weights(asked: argparse.Namespace, scenario: Scenario, run: Runs) -> None:
    """Learn for `asked.learn` days on `asked.seeds` and keep the weights in `asked.weights`."""
    path, seeds = Path(asked.weights), asked.seeds
    if not path.exists():
        path.write_bytes(weights_to_json(LaneWeights()))
    lanes = lanes_of(scenario)
    static = run([STATIC], seeds, "")
    base, before = pooled(static)[STATIC], waits(static, lanes)
    for day in range(asked.learn):
        first = SEEDS_A_DAY * day % len(seeds)
        todays = seeds[first : first + SEEDS_A_DAY]
        ours = run([OURS], todays, asked.weights)
        after = waits(ours, lanes)
        hardest = {}
        for lane, movement in before.keys() & after.keys():
            pair = before[lane, movement], after[lane, movement]
            if lane not in hardest or pair[1] * hardest[lane][0] > hardest[lane][1] * pair[0]:
                hardest[lane] = pair
        weights = learn(
            weights_from_json(path.read_bytes()),
            {lane: pair[0] for lane, pair in hardest.items()},
            {lane: pair[1] for lane, pair in hardest.items()},
        )
        path.write_bytes(weights_to_json(weights))
        means = pooled(ours)[OURS]
        beyond = [m for m in worst(means, base) if m[0] > 0.15]
        print(
            f"day {day + 1}: buses {means['bus_loss'] / base['bus_loss'] - 1:+.1%}, others "
            f"{means['other_loss'] / base['other_loss'] - 1:+.1%}, {len(beyond)} movements "
            f"beyond 15%, worst {beyond[0][0] if beyond else 0:+.0%}",
            flush=True,
        )
