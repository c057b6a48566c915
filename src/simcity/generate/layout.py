"""The net of streets: quarters bounded by avenues, each with a grain of its own inside.

Streets are the edges of a Voronoi diagram. Pure random seeds would look like foam, so the
seeds of a quarter stand on a loose lattice turned its own way (blocks and T-junctions), and
seeds stand in mirrored pairs along the borders between quarters, which makes those borders
straight: the avenues. Villages are joined by roads across the fields.
"""

from dataclasses import dataclass

import numpy as np

from simcity.generate.arrays import Bools, Floats, Ints, components, nearest, nearest_distance
from simcity.generate.arrays import voronoi_edges as voronoi
from simcity.generate.ground import Ground, Waves

LANE, AVENUE, ROAD = 0, 1, 2
BLOCKS_PER_QUARTER = 5.5  # streets across a quarter
OUTSKIRT = 1.12  # lattice points are laid a little beyond the town's edge


@dataclass
class Net:
    vertices: Floats
    edges: Ints  # (edge, 2) vertex numbers
    kind: Ints  # LANE, AVENUE or ROAD
    owner: Ints  # municipality of each edge

    @property
    def lengths(self) -> Floats:
        ends = self.vertices[self.edges]
        return np.hypot(*(ends[:, 0] - ends[:, 1]).T)

    def only(self, keep: Bools) -> "Net":
        return Net(self.vertices, self.edges[keep], self.kind[keep], self.owner[keep])


def lay_out(ground: Ground, rng: np.random.Generator) -> Net:
    quarters = _quarters(ground, rng)
    seeds, quarter = _seeds(ground, quarters, rng)
    net = _trim(_streets(ground, seeds, quarter), ground, rng)
    return _compact(_join_towns(net, ground, rng))


def _quarters(ground: Ground, rng: np.random.Generator) -> Floats:
    """Centres of quarters, closer together where blocks are small, relaxed twice (Lloyd)."""
    width = ground.spacing(ground.cell_owner, ground.cell_depth) * BLOCKS_PER_QUARTER
    weight = 1 / width**2
    count = max(int(60.0**2 * weight.sum()), 4)
    count = min(count, len(ground.cells))
    chosen = rng.choice(len(ground.cells), count, replace=False, p=weight / weight.sum())
    centres = ground.cells[chosen] + rng.uniform(-20, 20, (count, 2))
    for _ in range(2):
        mine = nearest(ground.cells, centres)
        mass = np.bincount(mine, weight, count)
        moved = np.stack(
            [np.bincount(mine, weight * ground.cells[:, axis], count) for axis in (0, 1)], axis=-1
        )
        live = mass > 0
        centres[live] = moved[live] / mass[live, None]
    hearts = ground.territory.centres
    alone = nearest_distance(hearts, centres)[0] > 400  # the smallest villages drew none
    return np.concatenate([centres, hearts[alone]])


def _seeds(ground: Ground, quarters: Floats, rng: np.random.Generator) -> tuple[Floats, Ints]:
    owner = np.maximum(ground.owner(quarters), 0)
    depth = ground.depth(quarters, owner)
    spacing = ground.spacing(owner, depth)
    pairs, pair_quarter, border = _border_pairs(quarters, spacing, rng)
    inner, inner_quarter = _lattices(ground, quarters, owner, depth, spacing, rng)
    if len(border):
        away = nearest_distance(inner, border)[0] > 0.55 * spacing[inner_quarter]
        inner, inner_quarter = inner[away], inner_quarter[away]
    seeds = np.concatenate([inner, pairs])
    quarter = np.concatenate([inner_quarter, pair_quarter])
    owner = ground.owner(seeds)
    near = owner >= 0
    near[near] &= ground.depth(seeds[near], owner[near]) < OUTSKIRT + 0.15
    return seeds[near], quarter[near]


def _border_pairs(
    quarters: Floats, spacing: Floats, rng: np.random.Generator
) -> tuple[Floats, Ints, Floats]:
    """Seeds mirrored on both sides of every border between quarters, and points along it."""
    vertices, edges, sides = voronoi(quarters)
    start, end = vertices[edges[:, 0]], vertices[edges[:, 1]]
    length = np.hypot(*(end - start).T)
    gap = spacing[sides].mean(axis=1)
    usable = (length > 0.8 * gap) & (length < 60 * gap)
    start, end, length, gap, sides = (a[usable] for a in (start, end, length, gap, sides))
    steps = np.maximum(np.round(length / (gap * 0.9)), 1).astype(np.int64)
    edge = np.repeat(np.arange(len(steps)), steps)
    rank = np.arange(len(edge)) - np.repeat(np.cumsum(steps) - steps, steps)
    along = (rank + 0.5) / steps[edge]
    jitter = rng.uniform(-0.12, 0.12, len(edge)) / steps[edge]
    point = start[edge] + (end - start)[edge] * (along + jitter)[:, None]
    direction = ((end - start) / length[:, None])[edge]
    normal = np.stack([-direction[:, 1], direction[:, 0]], axis=-1)
    out = normal * (0.5 * gap[edge])[:, None]
    left_nearer = ((quarters[sides[edge, 0]] - point) * normal).sum(axis=1) > 0
    first = np.where(left_nearer, sides[edge, 0], sides[edge, 1])
    second = np.where(left_nearer, sides[edge, 1], sides[edge, 0])
    return np.concatenate([point + out, point - out]), np.concatenate([first, second]), point


def _lattices(
    ground: Ground,
    quarters: Floats,
    owner: Ints,
    depth: Floats,
    spacing: Floats,
    rng: np.random.Generator,
) -> tuple[Floats, Ints]:
    """A loose lattice in each quarter, turned towards its town's heart, bricks or squares."""
    to_heart = ground.territory.centres[owner] - quarters
    turn = np.arctan2(to_heart[:, 1], to_heart[:, 0]) + rng.normal(0, 0.35, len(quarters))
    aspect = rng.uniform(1.0, 1.9, len(quarters))
    brick = rng.random(len(quarters)) < 0.12
    skew = rng.normal(0, 0.05, len(quarters))
    loose = np.where(depth < 0.2, 0.13, rng.uniform(0.03, 0.1, len(quarters)))
    bends = Waves(rng, (500, 1600)), Waves(rng, (500, 1600))
    found: list[Floats] = []
    number: list[Ints] = []
    half = 7
    column, row = (
        a.ravel() for a in np.meshgrid(np.arange(-half, half + 1), np.arange(-half, half + 1))
    )
    for q in range(len(quarters)):
        step = np.array([spacing[q] * np.sqrt(aspect[q]), spacing[q] / np.sqrt(aspect[q])])
        shift = 0.5 * (row % 2) if brick[q] else skew[q] * row
        grid = np.stack([(column + shift) * step[0], row * step[1]], axis=-1)
        grid += rng.normal(0, loose[q], grid.shape) * step.min()
        cos, sin = np.cos(turn[q]), np.sin(turn[q])
        found.append(quarters[q] + grid @ np.array([[cos, sin], [-sin, cos]]))
        number.append(np.full(len(grid), q))
    points, quarter = np.concatenate(found), np.concatenate(number)
    bend = np.stack([bends[0](points), bends[1](points)], axis=-1)
    points = points + bend * (0.45 * spacing[quarter])[:, None]
    mine = nearest(points, quarters) == quarter
    return points[mine], quarter[mine]


def _streets(ground: Ground, seeds: Floats, quarter: Ints) -> Net:
    vertices, edges, sides = voronoi(seeds)
    middle = vertices[edges].mean(axis=1)
    span = np.hypot(*(vertices[edges[:, 0]] - vertices[edges[:, 1]]).T)
    owner = ground.owner(middle)
    keep = (owner >= 0) & (span < 420)
    keep[keep] &= ground.depth(middle[keep], owner[keep]) < 1.0
    kind = np.where(quarter[sides[:, 0]] != quarter[sides[:, 1]], AVENUE, LANE)
    green = keep & (kind == LANE)
    green[green] &= ground.park(middle[green], owner[green])
    keep &= ~green
    net = Net(vertices, edges[keep], kind[keep].astype(np.int64), owner[keep])
    return _merge_close(net, ground.block[net.owner] * 0.34)


def _merge_close(net: Net, limit: Floats) -> Net:
    """Contract very short edges: two T-junctions a few metres apart are one crossing."""
    short = net.lengths < limit
    label = components(len(net.vertices), net.edges[short])
    size = np.bincount(label)
    merged = np.stack(
        [np.bincount(label, net.vertices[:, axis]) / size for axis in (0, 1)], axis=-1
    )
    edges = np.sort(label[net.edges], axis=1)
    distinct = edges[:, 0] != edges[:, 1]
    _, first = np.unique(edges[distinct], axis=0, return_index=True)
    chosen = np.sort(np.flatnonzero(distinct)[first])
    return Net(merged, edges[chosen], net.kind[chosen], net.owner[chosen])


def _trim(net: Net, ground: Ground, rng: np.random.Generator) -> Net:
    """Close some lanes (large blocks, dead ends), then drop stubs and loose pieces."""
    middle = net.vertices[net.edges].mean(axis=1)
    depth = ground.depth(middle, net.owner)
    closed = (net.kind == LANE) & (
        rng.random(len(net.edges)) < (0.04 + 0.14 * depth) * (ground.street_km[net.owner] > 10)
    )
    net = net.only(~closed)
    for _ in range(2):
        degree = np.bincount(net.edges.ravel(), minlength=len(net.vertices))
        loose_end = (degree[net.edges] == 1).any(axis=1)
        net = net.only(~(loose_end & (net.lengths < 45)))
    label = components(len(net.vertices), net.edges)[net.edges[:, 0]]
    size = np.bincount(label)[label]
    largest = np.zeros(len(ground.street_km), dtype=np.int64)
    np.maximum.at(largest, net.owner, size)
    return net.only(size >= np.minimum(largest[net.owner], 30))


def _join_towns(net: Net, ground: Ground, rng: np.random.Generator) -> Net:
    """Roads between neighbouring towns (Gabriel graph), from edge of town to edge of town."""
    centres = ground.territory.centres
    vertices, edges, kind, owner = [net.vertices], [net.edges], [net.kind], [net.owner]
    used = np.unique(net.edges)
    if len(used) == 0:
        return net
    base = len(net.vertices)
    for a, b in _gabriel(centres):
        path = _bend(centres[a], centres[b], rng)
        mine = ground.owner(path)
        open_land = mine < 0
        open_land[~open_land] = ground.depth(path[~open_land], mine[~open_land]) > 1.0
        for start, end in _runs(open_land):
            if end - start < 4:
                continue
            inner = path[start:end]
            ends, index = nearest_distance(inner[[0, -1]], net.vertices[used])
            if (ends > 500).any() or np.hypot(*(inner[0] - inner[-1])) < 60 * len(inner) / 1.5:
                continue  # it would hang in the fields, or turn back to the town it left
            numbers = np.concatenate(
                [[used[index[0]]], base + np.arange(len(inner)), [used[index[1]]]]
            )
            road = np.stack([numbers[:-1], numbers[1:]], axis=-1)
            vertices.append(inner)
            edges.append(road)
            kind.append(np.full(len(road), ROAD))
            town = np.where(mine[start:end] < 0, a, mine[start:end])
            owner.append(np.concatenate([town[:1], town]))
            base += len(inner)
    return Net(
        np.concatenate(vertices),
        np.concatenate(edges).astype(np.int64),
        np.concatenate(kind).astype(np.int64),
        np.concatenate(owner).astype(np.int64),
    )


def _gabriel(centres: Floats) -> list[tuple[int, int]]:
    """Pairs with no third centre inside the circle on which they are opposite."""
    found: list[tuple[int, int]] = []
    for a in range(len(centres)):
        for b in range(a + 1, len(centres)):
            middle, radius = (centres[a] + centres[b]) / 2, np.hypot(*(centres[a] - centres[b])) / 2
            distance = np.hypot(*(centres - middle).T)
            distance[[a, b]] = np.inf
            if (distance > radius).all():
                found.append((a, b))
    return found


def _bend(start: Floats, end: Floats, rng: np.random.Generator) -> Floats:
    """A gently winding line, a point about every 70 metres."""
    length = float(np.hypot(*(end - start)))
    t = np.linspace(0, 1, max(int(length / 70), 2))
    normal = np.array([start[1] - end[1], end[0] - start[0]]) / max(length, 1.0)
    sway = rng.normal(0, 0.05, 3) * length / np.arange(1, 4)
    wave = sum(sway[i] * np.sin((i + 1) * np.pi * t) for i in range(3))
    return start + (end - start) * t[:, None] + normal * np.asarray(wave)[:, None]


def _runs(flags: Bools) -> list[tuple[int, int]]:
    change = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(s), int(e)) for s, e in change.reshape(-1, 2)]


def _compact(net: Net) -> Net:
    used, edges = np.unique(net.edges, return_inverse=True)
    return Net(net.vertices[used], edges.reshape(-1, 2).astype(np.int64), net.kind, net.owner)
