"""CSV, as cities publish it: any delimiter, decimal commas, coordinates in two columns."""

import contextlib
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import shapely
from pyproj import CRS

from vigie.core.errors import Invalid
from vigie.core.geofiles import crs as systems
from vigie.core.geofiles.crs import to_degrees
from vigie.core.geofiles.source import (
    BATCH_ROWS,
    Batch,
    ReadOptions,
    clean_text,
    number,
    unreadable,
)
from vigie.core.geometry import BBox
from vigie.core.text import fold

_DELIMITERS = ";,\t|"
_X = ("lon", "longitude", "lng", "long", "x", "coord x", "point x", "x wgs84", "x l93", "easting")
_Y = ("lat", "latitude", "y", "coord y", "point y", "y wgs84", "y l93", "northing")
_MAX_COLUMNS = 2000


class CsvFile:
    """A UTF-8 CSV file with a header line."""

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
        self.count: int | None = None
        self.encoding = encoding
        self._path, self._shown = path, shown
        self._delimiter = self._sniff()
        self.fields = self._header()
        self._x = self._column(options.x, _X, "x")
        self._y = self._column(options.y, _Y, "y")
        self._system = self._choose_crs(options.crs, near, place)
        self.crs = systems.short_name(self._system)
        self._transform = systems.to_wgs84(self._system)

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """All rows, a batch at a time."""
        index = [self.fields.index(c) for c in columns]
        x, y = self.fields.index(self._x), self.fields.index(self._y)
        lines: list[int] = []
        rows: list[list[str]] = []
        for line, row in self._rows():
            lines.append(line)
            rows.append(row)
            if len(rows) >= BATCH_ROWS:
                yield self._batch(lines, rows, columns, index, x, y)
                lines, rows = [], []
        if rows:
            yield self._batch(lines, rows, columns, index, x, y)

    def _batch(
        self,
        lines: list[int],
        rows: list[list[str]],
        columns: Sequence[str],
        index: list[int],
        x: int,
        y: int,
    ) -> Batch:
        problems: dict[int, str] = {}
        coordinates = np.full((len(rows), 2), np.nan)
        for i, row in enumerate(rows):
            if len(row) > len(self.fields):
                problems[i] = "too_many_columns"
                continue
            texts = _cell(row, x), _cell(row, y)
            numbers = number(texts[0]), number(texts[1])
            if numbers[0] is None or numbers[1] is None:
                problems[i] = "no_geometry" if not any(texts) else "position_unusable"
            else:
                coordinates[i] = numbers
        geometry = np.asarray(shapely.points(coordinates), dtype=object)
        for i in problems:
            geometry[i] = None
        values = {
            c: [clean_text(_cell(row, k)) or None for row in rows]
            for c, k in zip(columns, index, strict=True)
        }
        return Batch(lines, values, to_degrees(geometry, self._transform, problems), problems)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        with self._path.open(encoding="utf-8", errors="replace", newline="") as file:
            reader = csv.reader(file, delimiter=self._delimiter)
            try:
                next(reader, None)
                for row in reader:
                    if row and any(row):
                        yield reader.line_num, row
            except csv.Error as error:
                raise unreadable(self._shown, f"line {reader.line_num}: {error}") from error

    def _header(self) -> list[str]:
        with self._path.open(encoding="utf-8", errors="replace", newline="") as file:
            try:
                row = next(csv.reader(file, delimiter=self._delimiter), [])
            except csv.Error as error:
                raise unreadable(self._shown, f"line 1: {error}") from error
        names = [clean_text(name.lstrip("﻿")) for name in row]
        if not any(names):
            raise unreadable(self._shown, "it is empty; a first line with column names is needed")
        if len(names) > _MAX_COLUMNS:
            raise unreadable(self._shown, f"it has more than {_MAX_COLUMNS} columns")
        twice = sorted({n for n in names if n and names.count(n) > 1})
        if twice:
            raise unreadable(self._shown, f"two columns are named {twice[0]!r}")
        return names

    def _sniff(self) -> str:
        with self._path.open(encoding="utf-8", errors="replace", newline="") as file:
            sample = [line for line in (file.readline(65536) for _ in range(20)) if line.strip()]
        if not sample:
            raise unreadable(self._shown, "it is empty")

        def score(delimiter: str) -> tuple[int, int]:
            widths: list[int] = []
            with contextlib.suppress(csv.Error):
                widths.extend(len(row) for row in csv.reader(sample, delimiter=delimiter))
            if not widths or widths[0] < 2:
                return (0, 0)
            return (sum(w == widths[0] for w in widths), widths[0])

        return max(_DELIMITERS, key=score)

    def _column(self, wanted: str, usual: Sequence[str], axis: str) -> str:
        if wanted:
            if wanted in self.fields:
                return wanted
        else:
            folded = {fold(name): name for name in reversed(self.fields)}
            for name in usual:
                if name in folded:
                    return folded[name]
        shown = ", ".join(self.fields[:40])
        raise Invalid(
            "file_coordinates",
            f"{self._shown} has no column {wanted or 'of coordinates'}: name it as {axis} under "
            f"[columns] in the mapping. Its columns are {shown}.",
            {"file": self._shown, "axis": axis, "columns": self.fields[:200]},
        )

    def _choose_crs(self, given: str, near: BBox | None, place: str) -> CRS:
        if given:
            return systems.known_crs(given)
        x, y = self.fields.index(self._x), self.fields.index(self._y)
        found: list[tuple[float, float]] = []
        for _, row in self._rows():
            numbers = number(_cell(row, x)), number(_cell(row, y))
            if numbers[0] is not None and numbers[1] is not None:
                found.append((numbers[0], numbers[1]))
            if len(found) >= 1000:
                break
        coordinates = np.asarray(found, dtype=np.float64).reshape(-1, 2)
        if not systems.are_degrees(coordinates):
            raise systems.not_degrees(self._shown, coordinates, near, place)
        return CRS.from_epsg(4326)


def _cell(row: list[str], index: int) -> str:
    return row[index] if index < len(row) else ""
