"""Bus ways from a SUMO network and its route files: what a timetable and a map would say."""

import xml.etree.ElementTree as ET
from pathlib import Path

from vigie.traffic.priority import Network, SignalOnWay, StopOnWay, Way


def ways_of(
    network: Network, route_file: Path, stops_file: Path, prefix: str = "bus"
) -> dict[str, Way]:
    """The way of every bus of a route file, by vehicle id."""
    stops = {
        stop.attrib["id"]: (stop.attrib["lane"], float(stop.attrib["endPos"]))
        for stop in ET.parse(stops_file).getroot().iter("busStop")
    }
    root = ET.parse(route_file).getroot()
    named = {r.attrib["id"]: r.attrib["edges"] for r in root.iter("route") if "id" in r.attrib}
    by_origin: dict[str, list] = {}
    for link in network.links:
        by_origin.setdefault(link.origin.rsplit("_", 1)[0], []).append(link)
    built: dict[tuple, Way] = {}
    out: dict[str, Way] = {}
    for vehicle in root.iter("vehicle"):
        if not vehicle.attrib["id"].startswith(prefix):
            continue
        inner = vehicle.find("route")
        edges = (inner.attrib if inner is not None else {"edges": named[vehicle.attrib["route"]]})[
            "edges"
        ].split()
        halts = tuple(stop.attrib["busStop"] for stop in vehicle.iter("stop"))
        key = (tuple(edges), halts)
        if key not in built:
            built[key] = _way(f"w{len(built)}", network, by_origin, edges, halts, stops)
        out[vehicle.attrib["id"]] = built[key]
    return out


def _way(name, network: Network, by_origin, edges, halts, stops) -> Way:
    points: list[tuple[float, float]] = []
    speeds: list[float] = []
    at = 0.0
    places: list[StopOnWay] = []
    signals: list[SignalOnWay] = []
    pending = list(halts)

    def extend(shape, speed):
        nonlocal at
        for point in shape:
            if points:
                step = ((point[0] - points[-1][0]) ** 2 + (point[1] - points[-1][1]) ** 2) ** 0.5
                if step < 0.01:
                    continue
                at += step
                speeds.append(speed)
            points.append(point)

    for i, edge in enumerate(edges):
        lanes = network.edges[edge]
        link = None
        if i + 1 < len(edges):
            onward = [
                k for k in by_origin.get(edge, ()) if k.target.rsplit("_", 1)[0] == edges[i + 1]
            ]
            onward.sort(key=lambda k: ("bus" not in network.lanes[k.origin].allow, k.origin))
            link = onward[0] if onward else None
        lane = network.lanes[link.origin if link else lanes[0]]
        begin = at
        extend(lane.shape, lane.speed)
        while pending and stops[pending[0]][0].rsplit("_", 1)[0] == edge:
            stop = pending.pop(0)
            share = min(1.0, stops[stop][1] / lane.length)
            places.append(StopOnWay(stop, begin + share * (at - begin)))
        if link is not None:
            if link.tl is not None:
                signals.append(SignalOnWay(link.tl, link.origin, at))
            if link.via in network.lanes:
                extend(network.lanes[link.via].shape, network.lanes[link.via].speed)
    return Way(name, tuple(points), tuple(speeds), tuple(places), tuple(signals))
