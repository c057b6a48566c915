"""Where the rows of a table are: two columns, or one that holds both coordinates."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, cast

import msgspec
import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from vigie.core.geofiles.numbers import decimal_of_column, number
from vigie.core.geofiles.source import Geometries
from vigie.core.geometry import BBox
from vigie.core.text import fold

X = ("lon", "longitude", "lng", "long", "x", "coord x", "point x", "x wgs84", "x l93", "easting")
Y = ("lat", "latitude", "y", "coord y", "point y", "y wgs84", "y l93", "northing")
# A pair of numbers is a position only in a column named so, or where it leads to the territory.
_POSITION = re.compile(
    r"geo|point|coord|position|locali[sz]ation|location|gps|lat ?l|l(on|ng) ?lat"
)
_LON_FIRST = re.compile(r"lo?ng? ?lat|longitude ?latitude|^x ?y$")
_WKT = re.compile(
    r"\s*(?:SRID=(\d+);)?\s*((?:MULTI)?(?:POINT|LINESTRING|POLYGON)|GEOMETRYCOLLECTION)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_WKB = re.compile(r"\s*(?:00|01)[0-9A-Fa-f]{40,}\s*")
_LON = re.compile(r"(?i)\b(?:lon|lng|long|longitude)\b['\"]?\s*[:=]?\s*([+-]?\d{1,3}(?:\.\d+)?)\b")
_LAT = re.compile(r"(?i)\b(?:lat|latitude)\b['\"]?\s*[:=]?\s*([+-]?\d{1,2}(?:\.\d+)?)\b")
_SHOWN = 60
_DETAIL = 200

Cells = Sequence[str]


class Placed(msgspec.Struct):
    """Geometries as the file has them; what is wrong with a row, and in words."""

    geometry: Geometries
    problems: dict[int, str]
    details: dict[int, str]


class Position(Protocol):
    """Reads the position of rows."""

    @property
    def note(self) -> str:
        """What was assumed; "" for nothing."""
        ...

    @property
    def system(self) -> CRS | None:
        """The reference system that the cells themselves name."""
        ...

    def read(self, rows: Sequence[Cells]) -> Placed:
        """The geometries of rows; those of a fault are None."""
        ...


class TwoColumns:
    """x and y, or longitude and latitude."""

    system: CRS | None = None
    note = ""

    def __init__(self, x: int, y: int, sample: Sequence[Cells]) -> None:
        self._at = x, y
        found = [decimal_of_column(_cell(row, i) for row in sample) for i in (x, y)]
        self._decimals = found[0] or found[1], found[1] or found[0]

    def read(self, rows: Sequence[Cells]) -> Placed:
        """Points."""
        problems: dict[int, str] = {}
        details: dict[int, str] = {}
        coordinates = np.full((len(rows), 2), np.nan)
        (x, y), (decimal_x, decimal_y) = self._at, self._decimals
        for i, row in enumerate(rows):
            texts = _cell(row, x), _cell(row, y)
            numbers = number(texts[0], decimal_x), number(texts[1], decimal_y)
            if numbers[0] is not None and numbers[1] is not None:
                coordinates[i] = numbers
            elif texts[0].strip() or texts[1].strip():
                problems[i], details[i] = "position_unusable", _unusable(*texts)
            else:
                problems[i] = "no_geometry"
        geometry = np.asarray(shapely.points(coordinates), dtype=object)
        for i in problems:
            geometry[i] = None
        return Placed(geometry, problems, details)


class OneColumn:
    """Both coordinates in one cell, read by one of the ways below."""

    def __init__(self, index: int, read: "Reader", note: str, system: CRS | None = None) -> None:
        self._index, self._read = index, read
        self.note, self.system = note, system

    def read(self, rows: Sequence[Cells]) -> Placed:
        """Geometries of any type."""
        texts = [_cell(row, self._index).strip() for row in rows]
        geometry = self._read(texts)
        problems: dict[int, str] = {}
        details: dict[int, str] = {}
        for i in np.flatnonzero(shapely.is_missing(geometry) | shapely.is_empty(geometry)):
            k = int(i)
            geometry[k] = None
            problems[k] = "position_unusable" if texts[k] else "no_geometry"
            if texts[k]:
                details[k] = _unusable(texts[k])
        return Placed(geometry, problems, details)


Reader = Callable[[Sequence[str]], Geometries]


def one_column(
    names: Sequence[str], sample: Sequence[Cells], near: BBox | None, wanted: str = ""
) -> OneColumn | None:
    """The column that holds both coordinates, found by what is in it; None when there is none."""
    columns = [i for i, name in enumerate(names) if not wanted or name == wanted]
    sure = bool(wanted)
    cells = {i: [t for row in sample if (t := _cell(row, i).strip())] for i in columns}
    filled = {i: texts for i, texts in cells.items() if texts}
    for find in (_find_wkt, _find_wkb, _find_geojson, _find_named):
        for i, texts in filled.items():
            if found := find(i, names[i], texts, sure):
                return found
    for i, texts in filled.items():
        if found := _find_pair(i, names[i], texts, near, sure):
            return found
    return None


def _most(marks: Iterable[bool], sure: bool) -> bool:
    """Enough cells are positions; one is where a person named the column."""
    counted = list(marks)
    return any(counted) if sure else sum(counted) * 10 >= len(counted) * 8


def _find_wkt(index: int, name: str, texts: Sequence[str], sure: bool) -> OneColumn | None:
    if not _most((_WKT.match(text) is not None for text in texts), sure):
        return None
    numbers = {m.group(1) for text in texts if (m := _WKT.match(text)) and m.group(1)}
    system = _epsg(numbers.pop()) if len(numbers) == 1 else None
    return OneColumn(index, _wkt, f"Positions are read from the column {name!r} (WKT).", system)


def _wkt(texts: Sequence[str]) -> Geometries:
    bare = [text.partition(";")[2] if text[:5].upper() == "SRID=" else text for text in texts]
    return np.asarray(shapely.from_wkt(bare, on_invalid="ignore"), dtype=object)


def _find_wkb(index: int, name: str, texts: Sequence[str], sure: bool) -> OneColumn | None:
    if not _most((_WKB.fullmatch(text) is not None for text in texts), sure):
        return None
    shapes_found = _wkb(texts)
    # Ids may be hexadecimal too.
    if not _most((shape is not None for shape in shapes_found), sure):
        return None
    numbers = set(np.asarray(shapely.get_srid(shapes_found)).tolist()) - {0, -1}
    system = _epsg(str(numbers.pop())) if len(numbers) == 1 else None
    return OneColumn(index, _wkb, f"Positions are read from the column {name!r} (WKB).", system)


def _wkb(texts: Sequence[str]) -> Geometries:
    return np.asarray(shapely.from_wkb(list(texts), on_invalid="ignore"), dtype=object)


def _find_geojson(index: int, name: str, texts: Sequence[str], sure: bool) -> OneColumn | None:
    if not _most((text.startswith("{") and "coordinates" in text for text in texts), sure):
        return None
    return OneColumn(index, _geojson, f"Positions are read from the column {name!r} (GeoJSON).")


def _geojson(texts: Sequence[str]) -> Geometries:
    return shapes([_json(text) for text in texts])


def _json(text: str) -> Any:
    """The geometry of a GeoJSON text, feature or not; some exports write Python's quotes."""
    try:
        value = json.loads(text.replace("'", '"'))
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and "geometry" in value:
        return cast(dict[str, Any], value)["geometry"]
    return value


def _find_named(index: int, name: str, texts: Sequence[str], sure: bool) -> OneColumn | None:
    if not _most((named_pair(text) is not None for text in texts), sure):
        return None
    note = f"Positions are read from the column {name!r}, longitude and latitude by their names."
    return OneColumn(index, lambda cells: _points(named_pair(text) for text in cells), note)


def named_pair(text: str) -> tuple[float, float] | None:
    """Longitude and latitude that are named: "{'lon': 5.04, 'lat': 47.32}", "lat=47.32 lon=5"."""
    if len(text) > 300:
        return None
    lon, lat = _LON.search(text), _LAT.search(text)
    return (float(lon[1]), float(lat[1])) if lon and lat else None


def _points(pairs: Iterable[tuple[float, float] | None]) -> Geometries:
    points = [None if pair is None else shapely.Point(*pair) for pair in pairs]
    geometry = np.empty(len(points), dtype=object)
    geometry[:] = points
    return geometry


def _find_pair(
    index: int, name: str, texts: Sequence[str], near: BBox | None, sure: bool
) -> OneColumn | None:
    pairs = [pair(text) for text in texts]
    if not _most((p is not None for p in pairs), sure):
        return None
    numbers = np.array([p for p in pairs if p is not None], dtype=np.float64)
    first, second = numbers[:, 0], numbers[:, 1]
    wide = near.grown(5_000) if near else None
    as_lat_lon = float(wide.contains(second, first).mean()) if wide else 0.0
    as_lon_lat = float(wide.contains(first, second).mean()) if wide else 0.0
    folded = fold(name)
    if not sure and not _POSITION.search(folded) and max(as_lat_lon, as_lon_lat) < 0.5:
        return None
    if as_lat_lon != as_lon_lat:
        latitude_first = as_lat_lon > as_lon_lat
    else:
        degrees = bool((np.abs(first) <= 90).all() and (np.abs(second) <= 180).all())
        latitude_first = degrees and not _LON_FIRST.search(folded)

    def read(cells: Sequence[str]) -> Geometries:
        found = (pair(text) for text in cells)
        return _points((p[1], p[0]) if p and latitude_first else p for p in found)

    order = "latitude, longitude" if latitude_first else "x (or longitude), y (or latitude)"
    return OneColumn(index, read, f"Positions are read from the column {name!r}, as {order}.")


def pair(text: str) -> tuple[float, float] | None:
    """Two numbers in one cell: "47.32, 5.04", "47,32 5,04", "[5.04; 47.32]"; None for all else."""
    if len(text) > 100:
        return None
    bare = text.strip().strip("[](){}").strip()
    if ";" in bare:
        parts = bare.split(";")
    elif len(parts := re.split(r",\s+|\s+,?\s*", bare)) != 2:
        parts = bare.split(",")
    if len(parts) != 2:
        return None
    x, y = number(parts[0]), number(parts[1])
    return None if x is None or y is None else (x, y)


def _epsg(code: str) -> CRS | None:
    try:
        return CRS.from_epsg(int(code))
    except (CRSError, ValueError):
        return None


def _unusable(*cells: str) -> str:
    shown = ", ".join(repr(cell.strip()[:_SHOWN].encode("ascii", "backslashreplace").decode()
                           if not cell.isprintable() else cell.strip()[:_SHOWN])
                      for cell in cells)  # fmt: skip
    return f"its position {shown} is no number or lies outside the Earth"[:_DETAIL]


def shapes(values: Sequence[Any]) -> Geometries:
    """Geometries of parsed GeoJSON, None for what is none; points, the many, without a detour."""
    geometry = np.full(len(values), None, dtype=object)
    at: list[int] = []
    points: list[tuple[float, float]] = []
    others: list[int] = []
    texts: list[str] = []
    for i, value in enumerate(values):
        if not isinstance(value, dict):
            continue
        match value:
            case {"type": "Point", "coordinates": [float() | int() as x, float() | int() as y, *_]}:
                at.append(i)
                points.append((_float(x), _float(y)))
            case _:
                others.append(i)
                texts.append(json.dumps(value))
    if at:
        geometry[at] = shapely.points(np.array(points, dtype=np.float64))
    if others:
        geometry[others] = shapely.from_geojson(texts, on_invalid="ignore")
    return geometry


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _cell(row: Cells, index: int) -> str:
    return row[index] if index < len(row) else ""
