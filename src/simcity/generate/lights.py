"""Lamps along the streets, and the cabinets that feed them."""

from dataclasses import dataclass

import numpy as np

from simcity.generate.arrays import Floats, Ints
from simcity.generate.ground import owner_of
from simcity.generate.layout import AVENUE
from simcity.generate.streets import Plan, lit_edges
from simcity.generate.territory import Territory

LAMPS_PER_CABINET = 60
LANTERNS = ("LED road", "LED residential", "LED village", "Sodium road")
FIRST_YEAR, LAST_YEAR = 2009, 2025


@dataclass
class Equipment:
    xy: Floats
    owner: Ints  # municipality
    street: Ints
    cabinet: Ints
    feeder: Ints  # 1…4
    power: Ints
    height: Floats
    lantern: Ints
    installed: Ints  # days since 1970


@dataclass
class Cabinets:
    xy: Floats
    owner: Ints
    street: Ints
    feeders: Ints
    installed: Ints


def place_lights(
    plan: Plan, territory: Territory, wanted: Ints, rng: np.random.Generator
) -> Equipment:
    """`wanted` lamps per municipality, evenly along its lit streets, on alternate sides."""
    net = plan.net
    lit = lit_edges(plan)
    ends, street = plan.edge_ends[lit], plan.edge_street[lit]
    owner, kind = net.owner[plan.edge_order[lit]], net.kind[plan.edge_order[lit]]
    start, end = net.vertices[ends[:, 0]], net.vertices[ends[:, 1]]
    length = np.hypot(*(end - start).T)
    edges: list[Ints] = []
    along: list[Floats] = []
    sides: list[Floats] = []
    for index, count in enumerate(wanted.tolist()):
        mine = np.flatnonzero(owner == index)
        if count == 0 or len(mine) == 0:
            continue
        total = np.cumsum(length[mine])
        step = total[-1] / count
        at = (np.arange(count) + 0.5) * step + rng.uniform(-0.06, 0.06, count) * step
        which = np.searchsorted(total, at).clip(0, len(mine) - 1)
        edges.append(mine[which])
        along.append(((at - total[which]) / length[mine[which]] + 1).clip(0.02, 0.98))
        sides.append(np.where(np.arange(count) % 2 == 0, 1.0, -1.0))
    edge, t, side = np.concatenate(edges), np.concatenate(along), np.concatenate(sides)
    direction = (end - start)[edge] / np.maximum(length[edge], 1e-9)[:, None]
    normal = np.stack([-direction[:, 1], direction[:, 0]], axis=-1)
    wide = kind[edge] == AVENUE
    away = np.where(wide, 8.0, 4.5) + rng.uniform(-0.4, 0.4, len(edge))
    out = normal * (side * away)[:, None]
    xy = start[edge] + (end - start)[edge] * t[:, None] + out
    town = owner[edge]
    if territory.contours:
        _bring_home(territory, xy, town, out, (start[edge] + end[edge]) / 2)
    dress = _Dress(plan, rng)
    return Equipment(
        xy=xy,
        owner=town,
        street=street[edge],
        cabinet=np.zeros(len(edge), dtype=np.int64),
        feeder=np.ones(len(edge), dtype=np.int64),
        power=dress.power[street[edge]],
        height=dress.height[street[edge]],
        lantern=dress.lantern[street[edge]],
        installed=dress.installed[street[edge]] + rng.integers(0, 20, len(edge)),
    )


def _bring_home(territory: Territory, xy: Floats, town: Ints, out: Floats, middle: Floats) -> None:
    """A street may follow or cross a border: the lamp changes sides, or belongs across."""
    away = np.flatnonzero(owner_of(territory, xy) != town)
    xy[away] -= 2 * out[away]
    there = owner_of(territory, xy[away])
    town[away] = np.where(there >= 0, there, town[away])
    lost = away[there < 0]
    xy[lost] = middle[lost]


class _Dress:
    """What stands in a street: one works campaign gave all of it the same lamps."""

    def __init__(self, plan: Plan, rng: np.random.Generator):
        count = len(plan.streets)
        kind = np.array([street.kind for street in plan.streets])
        year = rng.integers(FIRST_YEAR, LAST_YEAR + 1, count)
        day = rng.integers(0, 340, count)
        self.installed = ((year - 1970) * 365.25 + day).astype(np.int64)
        avenue, sodium = kind == AVENUE, year < 2013
        small = np.array(
            [
                street.name.startswith(("Chemin", "Impasse", "Allée", "Ruelle"))
                for street in plan.streets
            ],
            dtype=np.bool_,
        )
        self.lantern = np.select([sodium, avenue, small], [3, 0, 2], 1).astype(np.int64)
        led = np.select(
            [avenue, small],
            [rng.choice([75, 90, 105, 120], count), rng.choice([22, 28, 33], count)],
            rng.choice([36, 45, 54, 60], count),
        )
        self.power = np.where(sodium, np.where(avenue, 150, 100), led).astype(np.int64)
        self.height = np.select(
            [avenue, small],
            [rng.choice([9.0, 10.0], count), rng.choice([4.0, 5.0], count)],
            rng.choice([6.0, 7.0, 8.0], count),
        )


def wire(lights: Equipment, rng: np.random.Generator) -> Cabinets:
    """Group neighbouring lamps under cabinets and share each group out on two to four feeders."""
    groups: list[Ints] = []
    for owner in np.unique(lights.owner).tolist():
        mine = np.flatnonzero(lights.owner == owner)
        groups.extend(bisect(lights.xy, mine, max(round(len(mine) / LAMPS_PER_CABINET), 1)))
    xy, street, feeders = [], [], []
    for number, group in enumerate(groups):
        centre = lights.xy[group].mean(axis=0)
        offset = lights.xy[group] - centre
        host = group[np.hypot(*offset.T).argmin()]
        count = int(np.clip(round(len(group) / 20), 2, 4)) if len(group) > 1 else 1
        turn = (np.arctan2(offset[:, 1], offset[:, 0]) + np.pi) / (2 * np.pi)
        rank = np.empty(len(group), dtype=np.int64)
        rank[turn.argsort(kind="stable")] = np.arange(len(group))
        lights.cabinet[group] = number
        lights.feeder[group] = rank * count // len(group) + 1
        xy.append(lights.xy[host])
        street.append(lights.street[host])
        feeders.append(count)
    return Cabinets(
        xy=np.array(xy) + rng.uniform(1.5, 3.0, (len(groups), 2)),
        owner=np.array([lights.owner[group[0]] for group in groups]),
        street=np.array(street),
        feeders=np.array(feeders),
        installed=np.array([lights.installed[group].min() for group in groups]),
    )


def bisect(xy: Floats, members: Ints, parts: int) -> list[Ints]:
    """Split in `parts` compact groups of like size, each time across the longer side."""
    if parts <= 1:
        return [members]
    spread = np.ptp(xy[members], axis=0)
    low = parts // 2
    order = members[np.argsort(xy[members, int(spread[1] > spread[0])], kind="stable")]
    cut = len(order) * low // parts
    return bisect(xy, order[:cut], low) + bisect(xy, order[cut:], parts - low)
