"""Where equipment other than lights may stand: crossings, places along streets, hearts of towns."""

from dataclasses import dataclass

import numpy as np

from simcity.generate.arrays import Bools, Floats, Ints, nearest
from simcity.generate.layout import AVENUE, ROAD
from simcity.generate.streets import Plan
from simcity.generate.territory import Territory


@dataclass(frozen=True)
class Spots:
    """Some places: where, in which municipality, in which street."""

    xy: Floats
    owner: Ints
    street: Ints

    def __len__(self) -> int:
        return len(self.owner)

    def some(self, chosen: Ints | Bools) -> "Spots":
        return Spots(self.xy[chosen], self.owner[chosen], self.street[chosen])

    def moved(self, by: Floats) -> "Spots":
        return Spots(self.xy + by, self.owner, self.street)


class Sites:
    """Draws places on the streets of a plan; what it drew once it may draw again."""

    def __init__(self, plan: Plan, territory: Territory, rng: np.random.Generator):
        self.plan, self.territory, self.rng = plan, territory, rng
        net = plan.net
        kind, owner = net.kind[plan.edge_order], net.owner[plan.edge_order]
        built = np.flatnonzero(kind != ROAD)
        self._edges = built if len(built) else np.arange(len(kind))
        self._kind, self._owner = kind, owner
        start, end = net.vertices[plan.edge_ends[:, 0]], net.vertices[plan.edge_ends[:, 1]]
        self._start, self._span = start, end - start
        self._length = np.hypot(*(end - start).T)
        people = territory.populations
        self._people = people / people.sum()
        self.second: Ints = np.zeros(0, dtype=np.int64)  # the other street of drawn crossings

    def along(self, count: int, *, avenues: float = 1.0, away: float = 5.0) -> Spots:
        """Places beside streets, longer streets more often, avenues `avenues` times as often."""
        edges = self._edges
        weight = self._length[edges] * np.where(self._kind[edges] == AVENUE, avenues, 1.0)
        edge = edges[self.rng.choice(len(edges), count, p=weight / weight.sum())]
        t, side = self.rng.uniform(0.1, 0.9, count), self.rng.choice([-1.0, 1.0], count)
        direction = self._span[edge] / np.maximum(self._length[edge], 1e-9)[:, None]
        normal = np.stack([-direction[:, 1], direction[:, 0]], axis=-1)
        xy = self._start[edge] + self._span[edge] * t[:, None] + normal * (side * away)[:, None]
        return Spots(xy, self._owner[edge], self.plan.edge_street[edge])

    def crossings(self, count: int) -> Spots:
        """Distinct crossings, the widest first; `second` names the street across."""
        ends = self.plan.edge_ends[self._edges]
        vertices = len(self.plan.net.vertices)
        rank = np.where(self._kind[self._edges] == AVENUE, 10.0, 1.0)
        weight = np.zeros(vertices)
        degree = np.bincount(ends.ravel(), minlength=vertices)
        for side in (0, 1):
            np.add.at(weight, ends[:, side], rank)
        weight *= degree >= 3
        draw = weight * self.rng.uniform(0.5, 1.0, vertices)
        chosen = np.argsort(-draw, kind="stable")[:count]
        return self._at(chosen)

    def _at(self, vertices: Ints) -> Spots:
        order = np.argsort(self.plan.edge_ends[self._edges].ravel(), kind="stable")
        flat = self.plan.edge_ends[self._edges].ravel()[order]
        first, last = np.searchsorted(flat, vertices), np.searchsorted(flat, vertices, "right") - 1
        one, other = self._edges[order[first] // 2], self._edges[order[last] // 2]
        street = self.plan.edge_street
        self.second = street[other]
        return Spots(self.plan.net.vertices[vertices], self._owner[one], street[one])

    def hearts(self, count: int) -> Spots:
        """Places in towns, shared out by population, nearer to their hearts."""
        town = self.rng.choice(len(self._people), count, p=self._people)
        reach = 250.0 + 12.0 * np.sqrt(self.territory.populations[town])
        angle, far = self.rng.uniform(0, 2 * np.pi, count), self.rng.uniform(0, 1, count)
        offset = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        wanted = self.territory.centres[town] + offset * (far * reach)[:, None]
        edge = self._edges[nearest(wanted, self._middles)]
        xy = self._middles[nearest(wanted, self._middles)]
        direction = self._span[edge] / np.maximum(self._length[edge], 1e-9)[:, None]
        normal = np.stack([-direction[:, 1], direction[:, 0]], axis=-1)
        return Spots(xy + normal * 18.0, self._owner[edge], self.plan.edge_street[edge])

    @property
    def _middles(self) -> Floats:
        return self._start[self._edges] + self._span[self._edges] / 2
