"""Which devices share a site gateway: neighbours of one municipality, cabinet by cabinet. Pure."""

import math
from collections.abc import Sequence
from typing import NamedTuple

_ORDER = 16


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
    middles = [
        (
            math.fsum(place.lon for place in members) / len(members),
            math.fsum(place.lat for place in members) / len(members),
        )
        for members in cabinets
    ]
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
