"""Ways over random towns: never over what is closed, never the wrong way, never too long."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from vigie.places.roads.graph import Graph, Street
from vigie.places.roads.matching import Closed, of_parts, parts_of
from vigie.places.roads.reach import reachable
from vigie.places.roads.routing import (
    Snap,
    closed,
    coordinates,
    nearest,
    shortest,
    snap,
    streets,
    usable,
)
from vigie.places.roads.rules import Traits

SIDE = 5
STEP = 0.002
KINDS = ("residential", "primary", "pedestrian", "motorway", "service")


@st.composite
def towns(draw: st.DrawFn) -> Graph:
    """A grid of which some streets are missing, one-way, or not for cars."""
    corners = [(x, y) for x in range(SIDE) for y in range(SIDE)]
    pairs = [((x, y), (x + 1, y)) for x, y in corners if x + 1 < SIDE]
    pairs += [((x, y), (x, y + 1)) for x, y in corners if y + 1 < SIDE]
    kept = draw(st.lists(st.sampled_from(pairs), min_size=2, max_size=40, unique=True))
    made: list[Street] = []
    for number, ends in enumerate(kept):
        traits = Traits(draw(st.sampled_from(KINDS)), draw(st.sampled_from((-1, 0, 0, 1))))
        line = shapely.linestrings([(x * STEP, y * STEP) for x, y in ends])
        made.append(Street(number, f"S{number}", "", traits, line))
    return Graph(made)


def places(graph: Graph) -> st.SearchStrategy[Snap]:
    """Anywhere on its streets, their very ends included."""
    fraction = st.one_of(st.sampled_from((0.0, 1.0)), st.floats(0, 1))
    return st.builds(
        lambda edge, t: Snap(edge, t, 0.0, 0.0, 0.0), st.integers(0, graph.edges - 1), fraction
    )


@st.composite
def journeys(draw: st.DrawFn):
    graph = draw(towns())
    weights = graph.base[draw(st.sampled_from(("car", "emergency", "foot", "truck")))]
    arcs = draw(st.lists(st.integers(0, 2 * graph.edges - 1), max_size=15))
    return graph, weights, arcs, draw(places(graph)), draw(places(graph))


def expected(graph: Graph, weights: np.ndarray, start: Snap, end: Snap) -> float:
    """The same by a matrix of its own in which both places are junctions."""
    arcs: dict[tuple[int, int], float] = {}

    def arc(a: int, b: int, seconds: float) -> None:
        # A place at a junction is the junction; scipy may take 0 for no arc.
        arcs[a, b] = min(arcs.get((a, b), np.inf), max(seconds, 1e-9))

    for edge in range(graph.edges):
        tail, head = int(graph.tail[edge]), int(graph.head[edge])
        stops = [(0.0, tail), (1.0, head)]
        stops += [(p.fraction, graph.nodes + k) for k, p in enumerate((start, end))
                  if p.edge == edge]  # fmt: skip
        for t, a in stops:
            for u, b in stops:
                if u == t and a != b:
                    arc(a, b, 0.0)
                if u > t and np.isfinite(weights[2 * edge]):
                    arc(a, b, (u - t) * weights[2 * edge])
                    continue
                if u < t and np.isfinite(weights[2 * edge + 1]):
                    arc(a, b, (t - u) * weights[2 * edge + 1])
    if not arcs:
        return np.inf
    tails, heads = np.array(list(arcs)).T
    shape = (graph.nodes + 2, graph.nodes + 2)
    matrix = csr_array((np.array(list(arcs.values())), (tails, heads)), shape=shape)
    return float(dijkstra(matrix, indices=graph.nodes)[graph.nodes + 1])


@given(journeys())
@settings(max_examples=300)
def test_a_way_is_the_fastest_and_uses_only_what_is_open(journey):
    graph, base, arcs, start, end = journey
    weights = closed(base, arcs)
    path = shortest(graph, weights, start, end)
    right = expected(graph, weights, start, end)
    if path is None:
        assert not np.isfinite(right)
        return
    assert path.seconds == pytest.approx(right, abs=1e-6)
    travelled = [leg for leg in path.legs if leg.start != leg.end]
    assert not {leg.arc for leg in travelled} & set(arcs)
    for leg in travelled:
        assert np.isfinite(base[leg.arc])
        assert (leg.end < leg.start) == bool(leg.arc & 1)
    assert sum(abs(leg.end - leg.start) * weights[leg.arc] for leg in travelled) == pytest.approx(
        path.seconds, abs=1e-6
    )


@given(journeys())
def test_a_way_hangs_together(journey):
    graph, base, arcs, start, end = journey
    path = shortest(graph, closed(base, arcs), start, end)
    if path is None or path.metres < 0.5:
        return
    for before, after in pairwise(path.legs):
        one = graph.ends(before.arc)[1]
        assert one == graph.ends(after.arc)[0]
    line = shapely.linestrings(graph.plane(coordinates(graph, path)))
    assert shapely.length(line) == pytest.approx(path.metres, rel=2e-3, abs=0.5)
    named = list(streets(graph, path, base))
    assert sum(metres for _, metres, _ in named) == pytest.approx(path.metres)
    assert all(a[0] != b[0] for a, b in pairwise(named))


@given(towns().flatmap(lambda g: st.tuples(
    st.just(g), places(g), st.lists(places(g), min_size=1, max_size=6), st.booleans(),
    st.lists(st.integers(0, 2 * g.edges - 1), max_size=10))))  # fmt: skip
def test_nearest_is_the_best_of_the_single_ways(drawn):
    graph, place, candidates, away, arcs = drawn
    weights = closed(graph.base["emergency"], arcs)
    times = nearest(graph, weights, place, candidates, away=away)
    for candidate, seconds in zip(candidates, times, strict=True):
        ends = (place, candidate) if away else (candidate, place)
        path = shortest(graph, weights, *ends)
        assert seconds == pytest.approx(path.seconds if path else np.inf, abs=1e-6)


@given(journeys())
def test_closing_by_weight_is_the_same_as_never_having_had_the_street(journey):
    """The graph re-weighted equals the graph built without the closed streets."""
    graph, _, arcs, _, _ = journey
    gone = {arc >> 1 for arc in arcs}
    left = [street for n, street in enumerate(graph.streets) if n not in gone]
    if not left:
        return
    other = Graph(left)
    both = [2 * edge + way for edge in gone for way in (0, 1)]
    weights = closed(graph.base["car"], both)
    number = {s.id: n for n, s in enumerate(graph.streets)}
    for a in range(0, other.edges, 3):
        for b in range(0, other.edges, 2):
            one = shortest(other, other.base["car"], _at(a), _at(b))
            same = [_at(number[other.streets[int(other.street[e])].id]) for e in (a, b)]
            two = shortest(graph, weights, *same)
            assert (one is None) == (two is None)
            if one is not None and two is not None:
                assert one.seconds == pytest.approx(two.seconds, abs=1e-6)


def _at(edge: int) -> Snap:
    return Snap(edge, 0.4, 0.0, 0.0, 0.0)


@given(towns(), st.data())
def test_what_a_closure_keeps_closes_the_same_again(graph, data):
    edges = data.draw(st.lists(st.integers(0, graph.edges - 1), min_size=1, unique=True))
    ways = data.draw(st.lists(st.sampled_from((-1, 1)), min_size=len(edges), max_size=len(edges)))
    order = np.argsort(edges)
    kept = Closed(np.array(edges)[order], np.array(ways)[order])
    again = of_parts(graph, parts_of(graph, kept))
    assert again.edges.tolist() == kept.edges.tolist()
    assert again.along.tolist() == kept.along.tolist()
    forward = set(again.arcs("forward").tolist())
    assert forward | set(again.arcs("backward").tolist()) == set(again.arcs("both").tolist())
    assert len(forward) == len(edges)


@given(towns(), st.floats(-0.001, 0.009), st.floats(-0.001, 0.009))
def test_a_place_is_put_on_the_nearest_street_allowed(graph, lon, lat):
    allowed = usable(graph.base["car"])
    found = snap(graph, allowed, lon, lat)
    point = shapely.points(graph.plane(np.array([[lon, lat]]))[0])
    distances = np.where(allowed, shapely.distance(graph.lines, point), np.inf)
    if found is None:
        assert distances.min() > 1999 or not allowed.any()
        return
    assert allowed[found.edge]
    assert found.distance_m == pytest.approx(distances.min(), abs=1e-6)


@given(towns(), st.data())
@settings(max_examples=25)
def test_what_is_reached_in_time_lies_in_the_area(graph, data):
    weights = graph.base["car"]
    allowed = usable(weights)
    start = data.draw(places(graph))
    if not allowed[start.edge]:
        return
    line = graph.line(start.edge)
    where = snap(graph, allowed, *((line[0] + line[1]) / 2))
    assert where is not None
    small, large = reachable(graph, weights, where, [40, 90])
    assert shapely.area(large) >= shapely.area(small) > 0
    for edge in range(graph.edges):
        middle = Snap(edge, 0.5, 0.0, 0.0, 0.0)
        path = shortest(graph, weights, where, middle)
        point = shapely.points(graph.line(edge).mean(axis=0))
        if path is not None and path.seconds < 80:
            assert shapely.distance(large, point) * 111_000 < 30
        elif path is None or path.seconds > 400:
            assert not shapely.contains(small, point)
