"""Edges joined into named streets: at a crossing the straightest way on is the same street."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from simcity.generate.arrays import Bools, Floats, Ints, components, nearest
from simcity.generate.layout import ROAD, Net
from simcity.generate.names import Namer
from simcity.generate.territory import Territory

STRAIGHT = np.cos(np.radians(38))  # a sharper turn begins another street
TOWN_PEOPLE = 5_000


@dataclass
class Street:
    id: str
    name: str
    insee: str
    kind: int
    path: Ints  # vertex numbers


@dataclass
class Plan:
    """Named streets over the net, and for each edge its street and direction along it."""

    net: Net
    streets: list[Street]
    edge_order: Ints  # edges sorted by street, then along it
    edge_street: Ints  # street of each edge of edge_order
    edge_ends: Ints  # (from, to) vertices of each edge of edge_order


def name_streets(net: Net, territory: Territory, rng: np.random.Generator) -> Plan:
    links = _links(net)
    label = components(len(net.edges), links)
    order = np.argsort(label, kind="stable")
    bounds = np.flatnonzero(np.diff(label[order], prepend=-1, append=-2))
    lengths, namer = net.lengths, Namer(rng)
    streets: list[Street] = []
    ordered: list[int] = []
    ends: list[tuple[int, int]] = []
    counts: list[int] = []
    serial: dict[str, int] = {}
    chains = list(_chains(order, bounds, net.edges.tolist()))
    length = [float(lengths[edges].sum()) for edges, _ in chains]
    for number in sorted(range(len(chains)), key=lambda i: -length[i]):  # plain names go first
        edges, path = chains[number]
        town = territory.municipalities[int(net.owner[edges[0]])]
        kind = int(net.kind[edges[0]])
        name = None
        if kind == ROAD:
            name = namer.road(town.insee, _far_end(net.vertices[path], territory, town.name))
        if name is None:
            name = namer.name(town.insee, kind, length[number], town.population > TOWN_PEOPLE)
        serial[town.insee] = serial.get(town.insee, 0) + 1
        id_ = f"{town.insee}-S-{serial[town.insee]:05d}"
        streets.append(Street(id_, name, town.insee, kind, np.array(path, dtype=np.int64)))
        ordered.extend(edges)
        counts.append(len(edges))
        ends.extend(pairwise(path))
    return Plan(
        net,
        streets,
        np.array(ordered, dtype=np.int64),
        np.repeat(np.arange(len(streets)), counts),
        np.array(ends, dtype=np.int64),
    )


def _links(net: Net) -> Ints:
    """Pairs of edges that are one street: each is the other's straightest way on."""
    edge = np.concatenate([np.arange(len(net.edges))] * 2)
    at = np.concatenate([net.edges[:, 0], net.edges[:, 1]])
    away = np.concatenate([net.edges[:, 1], net.edges[:, 0]])
    direction = net.vertices[away] - net.vertices[at]
    direction /= np.maximum(np.hypot(*direction.T), 1e-9)[:, None]
    order = np.argsort(at, kind="stable")
    first = np.searchsorted(at[order], np.arange(len(net.vertices) + 1))
    degree = np.diff(first)
    left, right, value = [], [], []
    for d in range(2, int(degree.max(initial=0)) + 1):  # all crossings of d ways at once
        table = order[first[:-1][degree == d][:, None] + np.arange(d)]
        for i in range(d):
            for j in range(i + 1, d):
                a, b = table[:, i], table[:, j]
                left.append(a)
                right.append(b)
                value.append(-(direction[a] * direction[b]).sum(axis=1))
    if not left:
        return np.zeros((0, 2), dtype=np.int64)
    a, b, fit = np.concatenate(left), np.concatenate(right), np.concatenate(value)
    same = (net.kind[edge[a]] == net.kind[edge[b]]) & (net.owner[edge[a]] == net.owner[edge[b]])
    good = same & ((fit > STRAIGHT) | ((net.kind[edge[a]] == ROAD) & (fit > 0)))
    a, b, fit = a[good], b[good], fit[good]
    best = np.full(len(edge), -2.0)
    np.maximum.at(best, a, fit)
    np.maximum.at(best, b, fit)
    mutual = (fit >= best[a]) & (fit >= best[b])
    return np.stack([edge[a[mutual]], edge[b[mutual]]], axis=-1)


def _chains(
    order: Ints, bounds: Ints, ends_of: list[list[int]]
) -> Iterator[tuple[list[int], list[int]]]:
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        left = order[start:stop].tolist()
        while left:  # more than one walk only where equal angles tied three ways together
            edges, path = _walk(left, ends_of)
            yield edges, path
            done = set(edges)
            left = [edge for edge in left if edge not in done]


def _walk(edges: list[int], ends_of: list[list[int]]) -> tuple[list[int], list[int]]:
    """Edges of one chain in order along it, and its vertices."""
    at: dict[int, list[int]] = {}
    for edge in edges:
        for vertex in ends_of[edge]:
            at.setdefault(vertex, []).append(edge)
    start = next((vertex for vertex, here in at.items() if len(here) == 1), ends_of[edges[0]][0])
    left, path, ordered = set(edges), [start], []
    while True:
        edge = next((e for e in at[path[-1]] if e in left), None)
        if edge is None:
            break
        left.discard(edge)
        ordered.append(edge)
        a, b = ends_of[edge]
        path.append(b if a == path[-1] else a)
    return ordered, path


def _far_end(points: Floats, territory: Territory, home: str) -> str:
    names = [m.name for m in territory.municipalities]
    for index in nearest(points[[0, -1]], territory.centres):
        if names[index] != home:
            return names[index]
    return home


def lit_edges(plan: Plan) -> Bools:
    return plan.net.kind[plan.edge_order] != ROAD
