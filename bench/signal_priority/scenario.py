"""The scenarios: the city of Bologna where its data are present, and a grid made on the spot."""

import os
import random
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import sumo

from vigie.traffic.priority import (
    BusFacts,
    Crossing,
    Network,
    crossings_of,
    loop_places,
    read_network,
)

from .ways import ways_of

BOLOGNA = Path(__file__).resolve().parents[3] / "shared" / "data" / "bologna" / "joined"


def tool(name: str) -> str:
    """Path of one of SUMO's programs, from the package and never from PATH."""
    return os.path.join(sumo.SUMO_HOME, "bin", name)


@dataclass(frozen=True)
class Scenario:
    """Files of a scenario in a folder that may be written to."""

    folder: Path
    net: Path
    routes: tuple[Path, ...]
    additional: tuple[Path, ...]
    programmes: tuple[Path, ...]
    network: Network
    crossings: list[Crossing]
    facts: dict[str, BusFacts]
    end: int = 10_000


def _finish(folder, net, routes, additional, programmes, bus_routes, stops) -> Scenario:
    network = read_network(net, programmes)
    crossings = crossings_of(network)
    ways = ways_of(network, bus_routes, stops)
    facts = {
        bus: BusFacts(way, bus.split("_")[1]) for bus, way in ways.items()
    }  # neither load nor lateness is known here
    _write_loops(folder / "loops.add.xml", network, crossings)
    return Scenario(folder, net, routes, additional, programmes, network, crossings, facts)


def _write_loops(path: Path, network: Network, crossings: list[Crossing]) -> None:
    root = ET.Element("additional")
    for name, (lane, position) in sorted(loop_places(network, crossings).items()):
        ET.SubElement(root, "e1Detector", id=name, lane=lane, pos=f"{position:.2f}",
                      length="2.0", period="100000", file="NUL", friendlyPos="true")  # fmt: skip
    ET.ElementTree(root).write(path)


def of_name(name: str, folder: Path, scale: float = 1.0) -> Scenario:
    """The scenario `bologna` or `grid`."""
    return {"bologna": bologna, "grid": grid}[name](folder, scale)


def bologna(folder: Path, scale: float = 1.0) -> Scenario:
    """Bologna's joined scenario, copied; `scale` multiplies the traffic but not the buses."""
    if not BOLOGNA.is_dir():
        raise FileNotFoundError(f"{BOLOGNA} is missing: Bologna's scenario is not part of Vigie")
    for source in BOLOGNA.glob("*.xml"):
        shutil.copyfile(source, folder / source.name)
    types = folder / "joined_vtypes.add.xml"
    if scale != 1.0:
        tree = ET.parse(types)
        for vtype in tree.getroot().iter("vType"):
            if vtype.attrib["id"] != "bus":
                vtype.set("scale", str(scale))
        tree.write(types)
    return _finish(
        folder,
        folder / "joined_buslanes.net.xml",
        (folder / "joined.rou.xml", folder / "joined_busses.rou.xml"),
        (folder / "joined_bus_stops.add.xml", types),
        (folder / "joined_tls.add.xml",),
        folder / "joined_busses.rou.xml",
        folder / "joined_bus_stops.add.xml",
    )


def grid(folder: Path, scale: float = 1.0, seed: int = 11) -> Scenario:
    """A made city: 5 × 4 signalised grid, four bus lines, traffic entering from its fringe."""
    net, stops = folder / "grid.net.xml", folder / "grid_stops.add.xml"
    subprocess.run(
        [tool("netgenerate"), "--grid", "--grid.x-number=5", "--grid.y-number=4",
         "--grid.length=240", "--grid.attach-length=220", "--default.lanenumber=2",
         "--default.speed=13.9", "--default-junction-type=traffic_light", "--seed=11",
         "--tls.cycle.time=80", "--tls.yellow.time=3", "--tls.allred.time=2",
         "--tls.left-green.time=8", "--no-turnarounds=true", "-o", str(net)],
        check=True, capture_output=True,
    )  # fmt: skip
    chance = random.Random(seed)
    columns, rows = "ABCDE", "0123"
    across = [
        [f"left{y}{columns[0]}{y}"]
        + [f"{a}{y}{b}{y}" for a, b in pairwise(columns)]
        + [f"{columns[-1]}{y}right{y}"]
        for y in rows
    ]
    up = [
        [f"bottom{i}{x}0"] + [f"{x}{a}{x}{b}" for a, b in pairwise(rows)]
        + [f"{x}3top{i}"]
        for i, x in enumerate(columns)
    ]  # fmt: skip
    names = {edge.attrib["id"] for edge in ET.parse(net).getroot().iter("edge")}
    lines = {"10": across[1], "20": across[2], "30": up[1], "40": up[3]}
    lines |= {
        "11": [_back(e, names) for e in reversed(across[1])],
        "31": [_back(e, names) for e in reversed(up[1])],
    }
    _write_stops(stops, lines, net)
    ways_in = [*across, *up]
    ways_in += [[_back(e, names) for e in reversed(road)] for road in (*across, *up)]
    _write_grid_routes(folder, ways_in, lines, net, chance, scale)
    return _finish(
        folder, net, (folder / "grid.rou.xml",), (stops, folder / "grid_types.add.xml"), (),
        folder / "grid.rou.xml", stops,
    )  # fmt: skip


def _back(edge: str, names: set[str]) -> str:
    for cut in range(2, len(edge) - 1):
        turned = edge[cut:] + edge[:cut]
        if turned in names and turned != edge:
            return turned
    raise ValueError(edge)


def _write_stops(path: Path, lines: dict[str, list[str]], net: Path) -> None:
    length = {
        e.attrib["id"]: float(e[0].attrib["length"]) for e in ET.parse(net).getroot().iter("edge")
    }
    root = ET.Element("additional")
    for line, edges in lines.items():
        for edge in edges[1:-1:2]:
            middle = length[edge] * (0.3 if int(line) % 20 else 0.8)
            ET.SubElement(root, "busStop", id=f"stop_{line}_{edge}", lane=f"{edge}_0",
                          startPos=f"{middle - 15:.1f}", endPos=f"{middle:.1f}")  # fmt: skip
    ET.ElementTree(root).write(path)


def _write_grid_routes(folder, roads, lines, net, chance, scale) -> None:
    types = ET.Element("additional")
    ET.SubElement(types, "vType", id="car", sigma="0.5", scale=str(scale))
    ET.SubElement(types, "vType", id="bus", vClass="bus", length="12", accel="1.2", sigma="0.5")
    ET.ElementTree(types).write(folder / "grid_types.add.xml")
    trips = ET.Element("routes")
    ET.SubElement(trips, "vType", id="car", sigma="0.5")
    ends = [(road[0], road[-1]) for road in roads]
    at, number = 0.0, 0
    while at < 3600:
        origin = chance.choice(ends)[0]
        target = chance.choice([e for o, e in ends if o != origin])
        ET.SubElement(trips, "trip", {"id": f"v{number}", "type": "car", "depart": f"{at:.1f}",
                      "from": origin, "to": target, "departLane": "best"})  # fmt: skip
        at += chance.expovariate(1.25)
        number += 1
    ET.ElementTree(trips).write(folder / "grid.trips.xml")
    subprocess.run(
        [tool("duarouter"), "-n", str(net), "-r", str(folder / "grid.trips.xml"), "--seed=11",
         "--ignore-errors", "--no-warnings", "-o", str(folder / "grid.cars.xml"),
         "--weights.random-factor=1.3"],
        check=True, capture_output=True,
    )  # fmt: skip
    routed = ET.parse(folder / "grid.cars.xml").getroot()
    for vtype in routed.findall("vType"):
        routed.remove(vtype)
    for line, edges in lines.items():
        for k, depart in enumerate(range(60 + 7 * int(line) % 200, 3600, 300)):
            bus = ET.SubElement(routed, "vehicle", id=f"bus_{line}_{k}", type="bus",
                                depart=str(depart), departLane="best")  # fmt: skip
            ET.SubElement(bus, "route", edges=" ".join(edges))
            for edge in edges[1:-1:2]:
                ET.SubElement(bus, "stop", busStop=f"stop_{line}_{edge}",
                              duration=str(chance.randint(10, 30)))  # fmt: skip
    vehicles = sorted(routed, key=lambda v: float(v.attrib["depart"]))
    out = ET.Element("routes")
    out.extend(vehicles)
    ET.ElementTree(out).write(folder / "grid.rou.xml")
