"""The parts of a SUMO network this room needs: edges, lanes, connections, foes, programmes.

Source: SUMO's documented network format (https://sumo.dlr.de/docs/Networks/SUMO_Road_Networks.html).
A request's index counts the links of a junction lane by lane in the order of `incLanes`, and
connection by connection within a lane; `foes` is read from the right.
"""

import math
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from .errors import NetworkError

DAY = 86_400
"""Seconds; nothing in a programme lasts longer."""

Point: TypeAlias = tuple[float, float]


class NetLane(Struct, frozen=True):
    """A lane: metres, m/s, its centre line, and who may use it."""

    id: str
    edge: str
    index: int
    length: float
    speed: float
    shape: tuple[Point, ...]
    allow: frozenset[str]


class NetLink(Struct, frozen=True):
    """A connection from lane to lane; `tl` and `index` where a signal governs it."""

    origin: str
    target: str
    via: str | None
    tl: str | None
    index: int
    crossing: bool


class NetPhase(Struct, frozen=True):
    """A step of a signal programme; bounds are None where the file declares none."""

    seconds: int
    state: str
    least: int | None
    most: int | None


class NetProgramme(Struct, frozen=True):
    """A signal programme."""

    tl: str
    offset: int
    phases: tuple[NetPhase, ...]


class Network(Struct, frozen=True):
    """What was read, by identifier."""

    lanes: dict[str, NetLane]
    edges: dict[str, tuple[str, ...]]
    links: tuple[NetLink, ...]
    foes: dict[str, frozenset[tuple[int, int]]]
    programmes: dict[str, NetProgramme]


def read_network(net_file: Path, programme_files: Iterable[Path] = ()) -> Network:
    """Read a network and the programmes that replace its own; NetworkError if it is broken."""
    root = _parse(net_file)
    if root.tag != "net":
        raise NetworkError(f"{net_file.name}: <{root.tag}> is not a SUMO network")
    try:
        lanes, edges = _lanes(root)
        if not edges:
            raise NetworkError(f"{net_file.name}: a network without edges")
        links = tuple(_link(c, lanes) for c in root.iter("connection"))
        programmes = _programmes(root)
        for path in programme_files:
            programmes |= _programmes(_parse(path))
        return Network(lanes, edges, links, _foes(root, links), programmes)
    except (KeyError, ValueError, TypeError, IndexError) as broken:
        raise NetworkError(
            f"{net_file.name}: broken network, {type(broken).__name__} on {broken}"
        ) from broken


def _parse(path: Path) -> ET.Element:
    try:
        return ET.parse(path).getroot()  # noqa: S314  (the operator's own file, never a stranger's)
    except (ET.ParseError, OSError, LookupError, ValueError) as broken:
        raise NetworkError(f"{path.name}: cannot be read: {broken}") from broken


def _need(element: ET.Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise NetworkError(f"<{element.tag}> {dict(element.attrib)} lacks {name}")
    return value


def _lanes(root: ET.Element) -> tuple[dict[str, NetLane], dict[str, tuple[str, ...]]]:
    lanes: dict[str, NetLane] = {}
    edges: dict[str, tuple[str, ...]] = {}
    for edge in root.iter("edge"):
        own = list[str]()
        for lane in edge.iter("lane"):
            points = (p.split(",") for p in _need(lane, "shape").split())
            read = NetLane(
                _need(lane, "id"), _need(edge, "id"), int(_need(lane, "index")),
                float(_need(lane, "length")), float(_need(lane, "speed")),
                tuple((float(p[0]), float(p[1])) for p in points),
                frozenset((lane.get("allow") or "").split()),
            )  # fmt: skip
            if not (0 < read.length < math.inf and 0 < read.speed < math.inf):
                raise NetworkError(f"lane {read.id}: length and speed must be above 0")
            if not all(math.isfinite(metres) for point in read.shape for metres in point):
                raise NetworkError(f"lane {read.id}: its shape has a point that is no place")
            lanes[read.id] = read
            own.append(read.id)
        edges[_need(edge, "id")] = tuple(own)
    return lanes, edges


def _link(element: ET.Element, lanes: dict[str, NetLane]) -> NetLink:
    origin = f"{_need(element, 'from')}_{_need(element, 'fromLane')}"
    target = f"{_need(element, 'to')}_{_need(element, 'toLane')}"
    for lane in (origin, target):
        if lane not in lanes:
            raise NetworkError(f"a connection names lane {lane}, which the network lacks")
    tl = element.get("tl")
    index = int(_need(element, "linkIndex")) if tl is not None else -1
    if tl is not None and index < 0:
        raise NetworkError(f"connection from {origin} to {target}: linkIndex {index} is below 0")
    walk = origin.startswith(":") and "_w" in origin
    return NetLink(origin, target, element.get("via"), tl, index, walk)


def _programmes(root: ET.Element) -> dict[str, NetProgramme]:
    found: dict[str, NetProgramme] = {}
    for logic in root.iter("tlLogic"):
        tl = _need(logic, "id")
        phases = tuple(
            NetPhase(
                _whole(tl, _need(p, "duration")),
                _need(p, "state"),
                _bound(tl, p.get("minDur")),
                _bound(tl, p.get("maxDur")),
            )
            for p in logic.iter("phase")
        )
        if not phases:
            raise NetworkError(f"programme of {tl}: no phases")
        found[tl] = NetProgramme(tl, _whole(tl, logic.get("offset", "0")), phases)
    return found


def _whole(tl: str, text: str) -> int:
    value = float(text)
    if not abs(value) <= DAY:
        raise NetworkError(f"programme of {tl}: {text} s is no time of a programme")
    if value != int(value):
        raise NetworkError(f"programme of {tl}: {text} s; controllers count whole seconds")
    return int(value)


def _bound(tl: str, text: str | None) -> int | None:
    return None if text is None else _whole(tl, text)


def _foes(root: ET.Element, links: tuple[NetLink, ...]) -> dict[str, frozenset[tuple[int, int]]]:
    by_lane: dict[str, list[NetLink]] = defaultdict(list)
    for link in links:
        by_lane[link.origin].append(link)
    out: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for junction in root.iter("junction"):
        ordered = [k for lane in (junction.get("incLanes") or "").split() for k in by_lane[lane]]
        for request in junction.iter("request"):
            a = int(_need(request, "index"))
            foes = _need(request, "foes")
            if a >= len(foes) or len(foes) < len(ordered):
                raise NetworkError(
                    f"junction {junction.get('id')}: request {a} has {len(foes)} foes for "
                    f"{len(ordered)} links"
                )
            for b, bit in enumerate(reversed(foes)):
                if bit == "1" and a < len(ordered) and b < len(ordered):
                    one, other = ordered[a], ordered[b]
                    if one.tl is not None and one.tl == other.tl:
                        out[one.tl] |= {(one.index, other.index), (other.index, one.index)}
    return {tl: frozenset(pairs) for tl, pairs in out.items()}
