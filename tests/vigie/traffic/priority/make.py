"""Crossings, ways and seconds for the tests of this room."""

from vigie.traffic.priority import (
    Crossing,
    Intergreen,
    Interstage,
    Lane,
    SignalGroup,
    SignalOnWay,
    Stage,
    Step,
    StopOnWay,
    Way,
)


def crossing(name: str = "x", *, skippable: bool = False, coordinated: bool = False) -> Crossing:
    """Three stages: main road, its left turn, cross street with pedestrians."""
    groups = (
        SignalGroup("main", min_green=6),
        SignalGroup("turn", min_green=5),
        SignalGroup("cross", min_green=6),
        SignalGroup("walk", "pedestrian", min_green=8, amber=0),
    )
    conflicts = (
        ("main", "turn"), ("main", "cross"), ("main", "walk"), ("turn", "cross"), ("turn", "walk"),
    )  # fmt: skip
    clearances = tuple(
        Intergreen(ending, starting, 10 if ending == "walk" else 5)
        for a, b in conflicts
        for ending, starting in ((a, b), (b, a))
    )
    ways = (
        Interstage("A", "B", (Step(3, "yrrr"), Step(2, "rrrr"))),
        Interstage("B", "C", (Step(3, "ryrr"), Step(2, "rrrr"))),
        Interstage("A", "C", (Step(3, "yrrr"), Step(2, "rrrr"))),
        Interstage("C", "A", (Step(5, "rrGr"), Step(3, "rryr"), Step(2, "rrrr"))),
    )
    stages = (
        Stage("A", "Grrr", 30, 10, 50),
        Stage("B", "rGrr", 8, 5, 15, skippable=skippable),
        Stage("C", "rrGG", 20, 8, 40),
    )
    lanes = tuple(
        Lane(f"{name}.{g}", (g,), 150.0, 13.9, 0.5, f"stop/{name}.{g}", f"in/{name}.{g}", 100.0)
        for g in ("main", "turn", "cross")
    )
    return Crossing(
        name, groups, stages, ways, conflicts, clearances, lanes, coordinated=coordinated
    )


def way(name: str = "x", group: str = "main") -> Way:
    """A straight kilometre with a stop at 300 m and the crossing at 500 m."""
    return Way(
        f"w-{group}",
        ((0.0, 0.0), (1000.0, 0.0)),
        (13.9,),
        (StopOnWay("s", 300.0),),
        (SignalOnWay(name, f"{name}.{group}", 500.0),),
    )
