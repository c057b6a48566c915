"""Which devices share a site gateway: neighbours of one municipality, cabinet by cabinet; those
that are there are filled up first. Pure."""

import math
from collections.abc import Sequence
from typing import NamedTuple

_ORDER = 16
# A gateway takes what is no farther than this, or than the farthest that it serves already.
NEAR_M = 300.0


class Place(NamedTuple):
    """A device to connect; `cabinet` is what feeds it (itself when it feeds others)."""

    asset: int
    municipality: str
    trade: str
    lon: float
    lat: float
    cabinet: int


class Group(NamedTuple):
    """The devices of one gateway."""

    municipality: str
    trade: str
    assets: list[int]


class Site(NamedTuple):
    """A site gateway that is there, with the devices it serves."""

    client: int
    municipality: str
    trade: str
    places: list[Place]


class Filled(NamedTuple):
    """Devices that existing gateways take, by client; and those that need new ones."""

    taken: dict[int, list[int]]
    left: list[Place]


def fill(places: Sequence[Place], sites: Sequence[Site], most: int) -> Filled:
    """Give whole cabinets to existing gateways of their municipality and trade that have room: the
    one that serves the cabinet already, else the nearest within reach."""
    areas: dict[tuple[str, str], list[_Room]] = {}
    for site in sites:
        if site.places and len(site.places) < most:
            areas.setdefault((site.municipality, site.trade), []).append(_Room(site, most))
    cabinets: dict[tuple[str, str, int], list[Place]] = {}
    for place in places:
        cabinets.setdefault((place.municipality, place.trade, place.cabinet), []).append(place)
    filled = Filled({}, [])
    for (municipality, trade, cabinet), members in sorted(cabinets.items()):
        middle = _middle(members)
        able = [
            (cabinet not in room.cabinets, away, room.client, room)
            for room in areas.get((municipality, trade), ())
            if room.free >= len(members)
            and ((away := _metres(middle, room.middle)) <= room.reach or cabinet in room.cabinets)
        ]
        if not able:
            filled.left.extend(members)
            continue
        chosen = min(able, key=lambda one: one[:3])[3]
        chosen.free -= len(members)
        chosen.cabinets.add(cabinet)
        filled.taken.setdefault(chosen.client, []).extend(place.asset for place in members)
    return filled


class _Room:
    """What an existing gateway can take yet, and from where."""

    def __init__(self, site: Site, most: int) -> None:
        self.client = site.client
        self.free = most - len(site.places)
        self.cabinets = {place.cabinet for place in site.places}
        self.middle = _middle(site.places)
        self.reach = max(NEAR_M, *(_metres((p.lon, p.lat), self.middle) for p in site.places))


def _middle(places: Sequence[Place]) -> tuple[float, float]:
    return (
        math.fsum(place.lon for place in places) / len(places),
        math.fsum(place.lat for place in places) / len(places),
    )


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Between two places of one city: flat is near enough."""
    east = (other[0] - one[0]) * math.cos(math.radians(one[1]))
    return math.hypot(east, other[1] - one[1]) * 111_195


def group(places: Sequence[Place], most: int) -> list[Group]:
    """Groups of at most `most` devices. The same devices make the same groups."""
    areas: dict[tuple[str, str], dict[int, list[Place]]] = {}
    for place in places:
        area = areas.setdefault((place.municipality, place.trade), {})
        area.setdefault(place.cabinet, []).append(place)
    groups: list[Group] = []
    for (municipality, trade), cabinets in sorted(areas.items()):
        for assets in _fill(_along_curve(list(cabinets.values())), most):
            groups.append(Group(municipality, trade, assets))
    return groups


def _fill(cabinets: Sequence[Sequence[Place]], most: int) -> list[list[int]]:
    """Whole cabinets one after the other; one that is too large alone is cut."""
    filled: list[list[int]] = []
    current: list[int] = []
    for cabinet in cabinets:
        assets = [place.asset for place in cabinet]
        if current and len(current) + len(assets) > most:
            filled.append(current)
            current = []
        current = current + assets
        while len(current) > most:
            filled.append(current[:most])
            current = current[most:]
    if current:
        filled.append(current)
    return filled


def _along_curve(cabinets: list[list[Place]]) -> list[list[Place]]:
    """Cabinets in the order a Hilbert curve meets their middles: neighbours stay together."""
    middles = [_middle(members) for members in cabinets]
    west = min(lon for lon, _ in middles)
    south = min(lat for _, lat in middles)
    # A degree of longitude is shorter than one of latitude.
    narrow = math.cos(math.radians(south))
    width = max(lon - west for lon, _ in middles) * narrow
    height = max(lat - south for _, lat in middles)
    scale = ((1 << _ORDER) - 1) / (max(width, height) or 1.0)

    def key(index: int) -> tuple[int, int]:
        lon, lat = middles[index]
        x, y = int((lon - west) * narrow * scale), int((lat - south) * scale)
        return hilbert(x, y), cabinets[index][0].asset

    return [cabinets[index] for index in sorted(range(len(cabinets)), key=key)]


def hilbert(x: int, y: int) -> int:
    """How far along a Hilbert curve of order 16 a cell is."""
    distance = 0
    side = 1 << (_ORDER - 1)
    while side:
        right, up = int(bool(x & side)), int(bool(y & side))
        distance += side * side * ((3 * right) ^ up)
        if not up:
            if right:
                x, y = (1 << _ORDER) - 1 - x, (1 << _ORDER) - 1 - y
            x, y = y, x
        side >>= 1
    return distance
