"""GeoJSON, read feature by feature: what a property is depends on no other feature.

A reader that gives each property one type for the whole file turns every id into a float because
one is null, and rounds the long ones. Here a number is what is written.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO, cast

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from vigie.core.geofiles import crs as systems
from vigie.core.geofiles.encoding import bad_byte
from vigie.core.geofiles.position import shapes
from vigie.core.geofiles.source import BATCH_ROWS, Batch, ReadOptions, clean_text, unreadable
from vigie.core.geometry import BBox

_CHUNK = 1 << 20
# Characters of one feature, and of the features of one batch.
_MAX_VALUE = 50_000_000
_BATCH_CHARACTERS = 20_000_000
_MAX_FIELDS = 2000
_SAMPLE = 1000
_SPACE = re.compile(r"[ \t\r\n]*")
_GEOMETRIES = {
    "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon",
    "GeometryCollection",
}  # fmt: skip
_KEPT = {"type", "crs", "id", "properties", "geometry", "coordinates", "geometries"}
_SHOWN = 100


class GeoJsonFile:
    """A UTF-8 GeoJSON: features, one feature or a bare geometry."""

    def __init__(
        self,
        path: Path,
        shown: str,
        encoding: str,
        options: ReadOptions,
        near: BBox | None,
        place: str,
    ) -> None:
        self.notes: list[str] = []
        self.encoding = encoding
        self._path, self._shown = path, shown
        fields: dict[str, None] = {}
        sample: list[Any] = []
        self._ids = False
        count = 0
        reader = _Reader(path, shown)
        for feature, _ in reader.features():
            count += 1
            properties = _properties(feature)
            fields.update(dict.fromkeys(properties))
            if len(fields) > _MAX_FIELDS:
                raise unreadable(shown, f"it has more than {_MAX_FIELDS} properties")
            # A whole number there is often a mere count of the program that wrote the file.
            self._ids = self._ids or isinstance(_member(feature, "id"), str)
            if len(sample) < _SAMPLE:
                sample.append(_member(feature, "geometry"))
        self.count: int | None = count
        self._ids = self._ids and "id" not in fields
        self._names = {clean_text(name): name for name in [*fields, *(["id"] * self._ids)]}
        self.fields = list(self._names)
        coordinates = shapely.get_coordinates(shapes(sample))
        declared = self._declared(reader.members.get("crs"))
        self._placing = systems.Placing.choose(shown, coordinates, declared, options, near, place)
        self.crs = self._placing.name

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """All features, a batch at a time; `lines` are their numbers."""
        names = [self._names[c] for c in columns]
        id_at = names.index("id") if self._ids and "id" in names else None
        start = size = 0
        geometries: list[Any] = []
        rows: list[list[Any]] = []
        for feature, length in _Reader(self._path, self._shown).features():
            properties = _properties(feature)
            geometries.append(_member(feature, "geometry"))
            row = [properties.get(name) for name in names]
            if id_at is not None:
                row[id_at] = _member(feature, "id")
            rows.append(row)
            size += length
            if len(rows) >= BATCH_ROWS or size > _BATCH_CHARACTERS:
                yield self._batch(start, geometries, rows, columns)
                start += len(rows)
                size, geometries, rows = 0, [], []
        if rows:
            yield self._batch(start, geometries, rows, columns)

    def _batch(
        self, start: int, geometries: list[Any], rows: list[list[Any]], columns: Sequence[str]
    ) -> Batch:
        problems: dict[int, str] = {}
        details: dict[int, str] = {}
        found = shapely.force_2d(shapes(geometries))
        geometry = np.asarray(found, dtype=object)
        for i in np.flatnonzero(shapely.is_missing(geometry) | shapely.is_empty(geometry)):
            k = int(i)
            geometry[k] = None
            problems[k] = "no_geometry"
            if geometry_value := _coordinates(geometries[k]):
                problems[k] = "position_unusable"
                shown = json.dumps(geometry_value)[:_SHOWN]
                details[k] = f"its position {shown} is no number or lies outside the Earth"
        for i, row in enumerate(rows):
            for column, value in zip(columns, row, strict=True):
                if isinstance(value, str) and not value.isascii() and (bad := bad_byte(value)):
                    problems[i] = "bad_bytes"
                    details[i] = f"its {column} is not {self.encoding}: {bad}"
                    geometry[i] = None
        values = {c: [_value(row[k]) for row in rows] for k, c in enumerate(columns)}
        geometry = self._placing.degrees(geometry, problems, details)
        return Batch(range(start + 1, start + len(rows) + 1), values, geometry, problems, details)

    def _declared(self, crs: Any) -> CRS | None:
        """The system of the member `crs`, which older files have."""
        if not isinstance(crs, dict):
            return None
        properties = cast(dict[str, Any], crs).get("properties")
        if not isinstance(properties, dict):
            return None
        named = cast(dict[str, Any], properties)
        name = str(named.get("name") or (f"EPSG:{named['code']}" if "code" in named else ""))[:200]
        if not name or name.upper().endswith(("CRS84", "WGS84")):
            return None
        try:
            return CRS.from_user_input(name)
        except CRSError:
            self.notes.append(
                f"Its reference system {name[:80]!r} is unknown; its coordinates are read as "
                "degrees (WGS 84)."
            )
            return None


class _Reader:
    """The features of a file, and the other members of its outermost object."""

    def __init__(self, path: Path, shown: str) -> None:
        self._path, self._shown = path, shown
        self.members: dict[str, Any] = {}

    def features(self) -> Iterator[tuple[Any, int]]:
        """Each feature with its length in characters."""
        count = 0
        with self._path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            window = _Window(file)
            try:
                for found in self._walk(window):
                    count += 1
                    yield found
            except (ValueError, RecursionError) as error:
                cause = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
                raise unreadable(
                    self._shown, f"after feature {count}: it is not JSON ({cause[:200]})"
                ) from error
        kind = self.members.get("type")
        if kind == "Feature":
            yield self.members, 0
        elif isinstance(kind, str) and kind in _GEOMETRIES:
            yield {"geometry": self.members}, 0
        elif kind != "FeatureCollection":
            raise unreadable(self._shown, f"it is not GeoJSON (its type is {str(kind)[:40]!r})")

    def _walk(self, window: "_Window") -> Iterator[tuple[Any, int]]:
        window.expect("{")
        while window.peek() != "}":
            key, _ = window.value()
            window.expect(":")
            if key == "features" and window.peek() == "[":
                yield from self._items(window)
            else:
                value, _ = window.value()
                if key in _KEPT:
                    self.members[key] = value
            if window.peek() != "}":
                window.expect(",")
        window.expect("}")
        if window.peek():
            raise ValueError("something follows its end")

    @staticmethod
    def _items(window: "_Window") -> Iterator[tuple[Any, int]]:
        window.expect("[")
        if window.peek() == "]":
            window.expect("]")
            return
        while True:
            yield window.value()
            if (after := window.take()) == "]":
                return
            if after != ",":
                raise ValueError(f"',' expected, {after or 'the end'!r} found")


class _Window:
    """Parses JSON values one after the other, with little of the text in memory."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text, self._at, self._ended = "", 0, False
        self._decoder = json.JSONDecoder(strict=False)

    def peek(self) -> str:
        """The next character that is no space, "" at the end."""
        here = self._text[self._at : self._at + 1]
        if here and here not in " \t\r\n":
            return here
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._fill()

    def take(self) -> str:
        """Steps over the next character that is no space."""
        found = self.peek()
        self._at += len(found)
        return found

    def expect(self, character: str) -> None:
        """Steps over a character. Raises ValueError when another one is there."""
        if (found := self.take()) != character:
            raise ValueError(f"{character!r} expected, {found or 'the end'!r} found")

    def value(self) -> tuple[Any, int]:
        """The next value and its length. Raises ValueError."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
                # A number that ends with the text may go on.
                complete = end < len(self._text) or self._ended
            except json.JSONDecodeError:
                if self._ended:
                    raise
                value, end, complete = None, 0, False
            if complete:
                length = end - self._at
                self._at = end
                return value, length
            if len(self._text) - self._at > _MAX_VALUE:
                raise ValueError(f"a feature is over {_MAX_VALUE:,} characters, or broken")
            self._fill()

    def _fill(self) -> None:
        rest = self._text[self._at :]
        more = self._file.read(max(_CHUNK, len(rest)))
        self._ended = not more
        self._text, self._at = rest + more, 0


def _member(feature: Any, name: str) -> Any:
    return cast(dict[str, Any], feature).get(name) if isinstance(feature, dict) else None


def _properties(feature: Any) -> dict[str, Any]:
    properties = _member(feature, "properties")
    return cast(dict[str, Any], properties) if isinstance(properties, dict) else {}


def _coordinates(geometry: Any) -> Any:
    """What a geometry holds, nothing when it is empty."""
    if not isinstance(geometry, dict):
        return geometry
    return _member(geometry, "coordinates") or _member(geometry, "geometries")


def _value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return clean_text(text) or None
