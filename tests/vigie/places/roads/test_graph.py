"""Where streets meet, and what their tags mean."""

import numpy as np
import pytest
import shapely

from vigie.places.roads import rules
from vigie.places.roads.graph import Graph, Street
from vigie.places.roads.rules import Traits, may, read_traits, speed_kmh

M = 1 / 111_195  # degrees north of one metre


def street(id_: int, *points: tuple[float, float], **traits: object) -> Street:
    """A street through points given in metres east (at the equator) and north."""
    line = shapely.linestrings([(x * M, y * M) for x, y in points])
    return Street(id_, f"S{id_}", "", Traits(**traits), line)


def joined(graph: Graph) -> set[frozenset[int]]:
    """Pairs of streets that share a junction."""
    at: dict[int, set[int]] = {}
    for edge in range(graph.edges):
        for node in (int(graph.tail[edge]), int(graph.head[edge])):
            at.setdefault(node, set()).add(graph.streets[int(graph.street[edge])].id)
    return {frozenset((a, b)) for ids in at.values() for a in ids for b in ids if a != b}


def test_ends_that_nearly_meet_are_one_junction():
    near = Graph([street(1, (0, 0), (100, 0)), street(2, (100.7, 0), (200, 0))])
    assert (near.nodes, near.edges) == (3, 2)
    assert joined(near) == {frozenset((1, 2))}
    far = Graph([street(1, (0, 0), (100, 0)), street(2, (103, 0), (200, 0))])
    assert (far.nodes, joined(far)) == (4, set())


def test_a_common_vertex_splits_both_streets():
    graph = Graph(
        [street(1, (0, 0), (100, 0), (200, 0)), street(2, (100, -100), (100, 0), (100, 100))]
    )
    assert (graph.nodes, graph.edges) == (5, 4)
    assert graph.metres == pytest.approx([100] * 4, rel=1e-3)


def test_a_bridge_does_not_join_what_passes_below():
    below = street(1, (0, 0), (100, 0), (200, 0))
    above = street(2, (100, -100), (100, 0), (100, 100), layer=1)
    ramp = street(3, (100, 100), (100, 300))
    graph = Graph([below, above, ramp])
    assert joined(graph) == {frozenset((2, 3))}
    assert graph.edges == 3


def test_lines_that_merely_cross_do_not_meet():
    graph = Graph([street(1, (0, 0), (200, 0)), street(2, (100, -100), (100, 100))])
    assert (graph.nodes, graph.edges, joined(graph)) == (4, 2, set())


def test_a_street_that_ends_on_another_splits_it():
    main = street(1, (0, 0), (200, 0))
    side = street(2, (100, 0.6), (100, 100))
    other = street(3, (100, -0.3), (100, -80))
    graph = Graph([main, side, other])
    assert joined(graph) == {frozenset(p) for p in ((1, 2), (1, 3), (2, 3))}
    assert sorted(graph.metres.round().tolist()) == [80, 99, 100, 100]
    tunnel = street(2, (100, 0.6), (100, 100), layer=-1)
    assert joined(Graph([main, tunnel])) == set()


def test_a_ring_and_a_line_that_is_none():
    ring = street(1, (0, 0), (100, 0), (100, 100), (0, 0))
    point = street(2, (50, 50), (50, 50))
    graph = Graph([ring, point])
    assert (graph.nodes, graph.edges) == (1, 1)
    assert Graph([]).edges == 0
    assert Graph([point]).nodes == 0


def test_thousands_of_the_same_line_are_bounded():
    """A file that repeats one line does not make a junction of every pair of its vertices."""
    same = [street(n, (0, 0), (50, 0), (100, 0)) for n in range(2000)]
    graph = Graph(same)
    assert (graph.nodes, graph.edges) == (3, 4000)


def test_the_main_part_is_where_one_comes_back_from():
    graph = Graph(
        [
            street(1, (0, 0), (100, 0)),
            street(2, (100, 0), (100, 100)),
            street(3, (100, 100), (200, 100), oneway=1),
            street(4, (500, 500), (600, 500)),
        ]
    )
    assert graph.main["car"].tolist() == [True, True, False, False]
    assert graph.main["foot"].tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"kind": "residential", "oneway": "yes", "limit": "30"}, Traits("residential", 1, 30)),
        ({"kind": "primary_link", "oneway": "-1", "limit": "30 mph"},
         Traits("primary", -1, 30 * 1.609344)),
        ({"kind": "motorway"}, Traits("motorway", 1)),
        ({"kind": "motorway", "oneway": "no"}, Traits("motorway", 0)),
        ({"kind": "tertiary", "junction": "roundabout"}, Traits("tertiary", 1)),
        ({"oneway": "SENS UNIQUE"}, Traits("", 1)),
        ({"oneway": "Sens inverse"}, Traits("", -1)),
        ({"oneway": "DOUBLE SENS"}, Traits()),
        ({"oneway": "INTERDIT"}, Traits("pedestrian")),
        ({"kind": "Piéton"}, Traits("pedestrian")),
        ({"kind": "primary", "bridge": "yes"}, Traits("primary", 0, None, 1)),
        ({"kind": "primary", "tunnel": "yes", "layer": "-2"}, Traits("primary", 0, None, -2)),
        ({"kind": "service", "access": "private"}, Traits("private")),
        ({"kind": "footway", "access": "private"}, Traits("footway")),
        ({"kind": "?", "oneway": "perhaps", "limit": "none", "layer": "1e999"}, Traits()),
        ({"limit": "FR:urban"}, Traits("", 0, 50)),
        ({"limit": "0"}, Traits()),
    ],
)  # fmt: skip
def test_what_tags_mean(cells, expected):
    assert read_traits(**cells) == expected


def test_who_may_travel_where():
    assert may(Traits("residential", oneway=1), "car") == (True, False)
    assert may(Traits("residential", oneway=-1), "emergency") == (False, True)
    assert may(Traits("residential", oneway=1), "foot") == (True, True)
    assert may(Traits("pedestrian"), "car") == (False, False)
    assert may(Traits("pedestrian"), "emergency") == (True, True)
    assert may(Traits("motorway"), "foot") == (False, False)
    assert may(Traits("private"), "truck") == (False, False)
    for profile in rules.PROFILES:
        for kind in rules.CLASSES:
            assert 0 <= speed_kmh(Traits(kind, limit=130), profile) <= rules.FASTEST_KMH
    assert speed_kmh(Traits("primary", limit=30), "car") < speed_kmh(Traits("primary"), "car")
    assert np.isfinite(speed_kmh(Traits("no such class"), "truck"))
