"""What a run cost: to buses, to the others, to each movement, to the air."""

import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path

import numpy as np

from .scenario import Scenario

BUS_PEOPLE, CAR_PEOPLE = 30.0, 1.3


def measure(scenario: Scenario, out: Path) -> dict:
    """Means over the vehicles of one run; seconds unless said."""
    loss: dict[bool, list[float]] = {True: [], False: []}
    stops: dict[bool, list[float]] = {True: [], False: []}
    wait = 0.0
    co2, equipped = 0.0, 0
    for trip in ET.parse(out / "trip.xml").getroot():
        bus = trip.attrib["id"].startswith("bus_")
        loss[bus].append(float(trip.attrib["timeLoss"]))
        stops[bus].append(float(trip.attrib["waitingCount"]))
        wait += float(trip.attrib["departDelay"])
        emissions = trip.find("emissions")
        if emissions is not None:
            co2 += float(emissions.attrib["CO2_abs"])
            equipped += 1
    count = len(loss[True]) + len(loss[False])
    people = BUS_PEOPLE * sum(loss[True]) + CAR_PEOPLE * sum(loss[False])
    return {
        "buses": len(loss[True]),
        "others": len(loss[False]),
        "bus_loss": float(np.mean(loss[True])),
        "other_loss": float(np.mean(loss[False])),
        "person_delay": people / (BUS_PEOPLE * len(loss[True]) + CAR_PEOPLE * len(loss[False])),
        "bus_stops": float(np.mean(stops[True])),
        "other_stops": float(np.mean(stops[False])),
        "depart_delay": wait / count,
        "co2_kg": co2 / 1e6 / max(equipped, 1) * count,
        "headway_cv": headways(out / "stops.xml"),
        **movements(scenario, out / "routes.xml"),
    }


def headways(path: Path) -> float:
    """Mean coefficient of variation of the headways of a line at a stop."""
    seen: dict[tuple[str, str], list[float]] = defaultdict(list)
    for stop in ET.parse(path).getroot():
        line = stop.attrib["id"].split("_")[1]
        seen[line, stop.attrib["busStop"]].append(float(stop.attrib["started"]))
    spreads = []
    for times in seen.values():
        if len(times) >= 4:
            gaps = np.diff(sorted(times))
            spreads.append(float(np.std(gaps) / max(np.mean(gaps), 1.0)))
    return float(np.mean(spreads)) if spreads else 0.0


def movements(scenario: Scenario, path: Path) -> dict[str, dict[str, tuple[float, int]]]:
    """Delay of every movement, non-buses only: seconds in all, and vehicles.

    `movements` are by stop line: on the approach edge, to an exit edge. `through` are by crossing:
    from the approach edge to the edge that leaves it, over all stop lines one behind the other.
    """
    free: dict[str, float] = {}
    for edge, lanes in scenario.network.edges.items():
        if lanes:
            lane = scenario.network.lanes[lanes[0]]
            free[edge] = lane.length / lane.speed
    turns = {
        (link.origin.rsplit("_", 1)[0], link.target.rsplit("_", 1)[0]): link.tl
        for link in scenario.network.links
        if link.tl is not None
    }
    by_line: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])
    through: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])
    for vehicle in ET.parse(path).getroot():
        if vehicle.attrib["id"].startswith("bus_"):
            continue
        route = vehicle.find("route")
        if route is None or "exitTimes" not in route.attrib:
            continue
        edges, exits = route.attrib["edges"].split(), route.attrib["exitTimes"].split()
        before, entered, spent = float(vehicle.attrib["depart"]), None, 0.0
        for i, edge in enumerate(edges):
            leave = float(exits[i])
            if leave < 0:
                break
            onward = edges[i + 1] if i + 1 < len(edges) else ""
            crossing = turns.get((edge, onward))
            if crossing is not None:
                delay = max(0.0, leave - before - free[edge])
                _add(by_line[f"{crossing}: {edge} > {onward}"], delay)
                entered, spent = entered or edge, spent + delay
                if i + 2 == len(edges) or turns.get((onward, edges[i + 2])) != crossing:
                    _add(through[f"{crossing}: {entered} > {onward}"], spent)
                    entered, spent = None, 0.0
            before = leave
    return {"movements": _cells(by_line), "through": _cells(through)}


def _add(cell: list[float], delay: float) -> None:
    cell[0] += delay
    cell[1] += 1


def _cells(totals: dict[str, list[float]]) -> dict[str, tuple[float, int]]:
    return {name: (spent, int(n)) for name, (spent, n) in totals.items()}
