"""Shapefile and GeoPackage, through GDAL."""

import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyogrio.raw import read as read_raw
from pyproj import CRS

from vigie.core.errors import Invalid
from vigie.core.geofiles import crs as systems
from vigie.core.geofiles import encoding as encodings
from vigie.core.geofiles.mapping import EXACT
from vigie.core.geofiles.source import (
    Batch,
    Geometries,
    ReadOptions,
    clean_text,
    unreadable,
)
from vigie.core.geometry import BBox

_DRIVERS = {".shp": "ESRI Shapefile", ".gpkg": "GPKG"}
# The .dbf is read as bytes in disguise and decoded here: GDAL believes what a file declares.
_BYTES = "ISO-8859-1"
_LDID = {0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x57: "cp1252", 0x64: "cp852"}
_DETECT_BYTES = 8_000_000
_ROWS = 40_000
# Widths of a .dbf column from which GDAL takes whole numbers for floats, unless it looks at them.
_WIDE = 19

# A file may not make GDAL open another one, or the network.
pyogrio.set_gdal_config_options(
    {
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "SHAPE_RESTORE_SHX": "YES",
        "OGR_SQLITE_LOAD_EXTENSIONS": "NO",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    }
)


class OgrFile:
    """One layer of a file GDAL reads."""

    def __init__(
        self, path: Path, shown: str, options: ReadOptions, near: BBox | None, place: str
    ) -> None:
        self.notes: list[str] = []
        self._path, self._shown = path, shown
        self._dbf = ""
        self._open_options: dict[str, Any] = {}
        self.encoding = "utf-8"
        if path.suffix.lower() == ".shp":
            self._dbf = self._look_into_dbf(options.encoding)
            self.encoding = self._dbf
        self._layer = self._choose_layer(options.layer)
        info = self._info()
        if info["driver"] != _DRIVERS.get(path.suffix.lower()):
            raise unreadable(shown, f"its content is {info['driver']}, its name says otherwise")
        self.count: int | None = int(info["features"]) if int(info["features"]) >= 0 else None
        self._names = {self._text(str(n)): str(n) for n in info["fields"]}
        self.fields = list(self._names)
        if info["geometry_type"] is None:
            raise unreadable(shown, "it has no geometry; a table goes in as CSV, with x and y")
        self._integers = {
            str(name): str(kind)
            for name, kind in zip(info["fields"], info["dtypes"], strict=True)
            if str(kind).startswith(("int", "uint", "bool"))
        }
        self._placing = self._place_in(info["crs"], options, near, place)
        self.crs = self._placing.name

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """All features, a batch at a time."""
        start = 0
        while True:
            names, fids, wkb, columns_read = self._read(start, _ROWS, columns)
            size = len(wkb)
            if not size:
                return
            by_name = dict(zip(names, columns_read, strict=True))
            values = {
                c: self._values(self._exact(self._names[c], by_name[self._names[c]], fids))
                for c in columns
            }
            problems: dict[int, str] = {}
            details: dict[int, str] = {}
            geometry = self._geometry(wkb, problems)
            for column, cells in values.items():
                for i, cell in enumerate(cells):
                    if isinstance(cell, str) and (bad := self._bad_byte(cell)):
                        problems[i] = "bad_bytes"
                        details[i] = f"its {column} is not {self.encoding}: {bad}"
                        geometry[i] = None
            yield Batch(
                range(start + 1, start + size + 1),
                {c: [_clean(v) for v in cells] for c, cells in values.items()},
                self._placing.degrees(geometry, problems, details),
                problems,
                details,
            )
            if size < _ROWS:
                return
            start += size

    def _read(
        self, start: int, rows: int, columns: Sequence[str]
    ) -> tuple[list[str], Any, Any, Any]:
        meta, fids, wkb, values = self._raw(
            columns=[self._names[c] for c in columns],
            skip_features=start,
            max_features=rows,
            return_fids=True,
        )
        return [str(n) for n in meta["fields"]], fids, wkb, values

    def _raw(self, **options: Any) -> tuple[dict[str, Any], Any, Any, Any]:
        try:
            return cast(
                tuple[dict[str, Any], Any, Any, Any],
                read_raw(
                    self._path,
                    layer=self._layer,
                    encoding=_BYTES if self._dbf else None,
                    datetime_as_string=True,
                    **self._open_options,
                    **options,
                ),
            )
        except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError) as error:
            raise unreadable(self._shown, str(error)[:200]) from error

    def _exact(self, name: str, column: Any, fids: Any) -> Any:
        """A column as declared: one null makes the reader give all its whole numbers as floats."""
        declared = self._integers.get(name)
        if declared is None or column.dtype.kind != "f":
            return column
        there = ~np.isnan(column)
        whole = column[there]
        if declared == "bool":
            whole = whole != 0
        elif (np.abs(whole) < EXACT).all():
            whole = whole.astype(np.int64)
        else:
            _, _, _, (whole,) = self._raw(columns=[name], fids=fids[there], read_geometry=False)
        exact = np.full(len(column), None, dtype=object)
        exact[there] = whole.tolist()
        return exact

    def _info(self) -> dict[str, Any]:
        try:
            return pyogrio.read_info(
                self._path, layer=self._layer, encoding=_BYTES if self._dbf else None,
                force_feature_count=True, **self._open_options,
            )  # fmt: skip
        except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError) as error:
            raise unreadable(self._shown, str(error)[:200]) from error

    def _choose_layer(self, wanted: str) -> str | None:
        if self._path.suffix.lower() != ".gpkg":
            return None
        try:
            found = [str(row[0]) for row in pyogrio.list_layers(self._path) if row[1] is not None]
        except (DataSourceError, UnicodeDecodeError) as error:
            raise unreadable(self._shown, str(error)[:200]) from error
        if wanted and wanted in found:
            return wanted
        if not wanted and len(found) == 1:
            return found[0]
        raise Invalid(
            "file_layer",
            f"{self._shown} has these layers: {', '.join(found[:20]) or 'none'}. Name one with "
            "--layer.",
            {"file": self._shown, "layer": wanted, "layers": found[:20]},
        )

    def _place_in(
        self, declared: str | None, options: ReadOptions, near: BBox | None, place: str
    ) -> systems.Placing:
        _, _, wkb, _ = self._read(0, 1000, [])
        coordinates = shapely.get_coordinates(shapely.from_wkb(wkb, on_invalid="ignore"))
        try:
            system = CRS.from_user_input(declared) if declared else None
        except Exception:
            system = None
        placing = systems.Placing.choose(self._shown, coordinates, system, options, near, place)
        if system is None and not options.crs:
            self.notes.append("The file names no reference system; its degrees are read as WGS 84.")
        return placing

    def _geometry(self, wkb: Any, problems: dict[int, str]) -> Geometries:
        geometry = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
        for i in np.flatnonzero(shapely.is_missing(geometry) | shapely.is_empty(geometry)):
            problems[int(i)] = "no_geometry"
            geometry[i] = None
        return np.asarray(shapely.force_2d(geometry), dtype=object)

    def _values(self, column: Any) -> list[Any]:
        kind = column.dtype.kind
        if kind in "iub":
            return column.tolist()
        if kind == "f":
            return [v if math.isfinite(v) else None for v in column.tolist()]
        if kind == "M":
            return [None if v is None else v for v in column.astype(object).tolist()]
        return [self._value(v) for v in column.tolist()]

    def _value(self, value: Any) -> Any:
        if value is None or isinstance(value, int | date | datetime):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        return self._text(value) if isinstance(value, str) else str(value)[:1000]

    def _text(self, value: str) -> str:
        if self._dbf and not value.isascii():
            return encodings.decode(value.encode("latin-1", "replace"), self._dbf)
        return value

    def _bad_byte(self, value: str) -> str:
        return "" if value.isascii() else encodings.bad_byte(value)

    def _look_into_dbf(self, given: str) -> str:
        """The encoding of the attributes; and whether whole numbers are wider than usual."""
        table = self._path.with_suffix(".dbf")
        if not table.is_file():
            raise unreadable(self._shown, "its .dbf is missing: give all parts of the Shapefile")
        with table.open("rb") as file:
            data = file.read(_DETECT_BYTES)
        if _has_wide_integers(data):
            self._open_options["ADJUST_TYPE"] = "YES"
        if given:
            return encodings.known(given)
        declared = _LDID.get(data[29], "") if len(data) > 32 else ""
        page = self._path.with_suffix(".cpg")
        if page.is_file():
            text = page.read_bytes()[:40].decode("ascii", "replace").strip()
            text = text if not text.isdigit() else f"cp{text}"
            try:
                declared = encodings.known(text)
            except Invalid:
                self.notes.append(f"Its .cpg names an unknown encoding {text!r}.")
        found = encodings.detect_bytes(data[32:], declared)
        self.notes += found.notes
        return found.encoding


def _clean(value: Any) -> Any:
    return (clean_text(value) or None) if isinstance(value, str) else value


def _has_wide_integers(table: bytes) -> bool:
    """True when a .dbf has a numeric column of no decimals that is too wide for 64 bits."""
    at = 32
    while at + 32 <= len(table) and table[at] != 0x0D:
        kind, width, decimals = table[at + 11 : at + 12], table[at + 16], table[at + 17]
        if kind in (b"N", b"F") and width >= _WIDE and not decimals:
            return True
        at += 32
    return False
