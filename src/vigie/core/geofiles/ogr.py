"""Shapefile, GeoPackage and GeoJSON, through GDAL."""

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
from vigie.core.geofiles.crs import to_degrees
from vigie.core.geofiles.source import (
    Batch,
    Geometries,
    ReadOptions,
    clean_text,
    unreadable,
)
from vigie.core.geometry import BBox

_DRIVERS = {
    ".shp": "ESRI Shapefile",
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
}
# The .dbf is read as bytes in disguise and decoded here: GDAL believes what a file declares.
_BYTES = "ISO-8859-1"
_LDID = {0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x57: "cp1252", 0x64: "cp852"}
_DETECT_BYTES = 8_000_000
# GDAL reads a GeoJSON whole each time it opens it: few, large batches.
_ROWS = 40_000

# A file may not make GDAL open another one, or the network.
pyogrio.set_gdal_config_options(
    {
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "SHAPE_RESTORE_SHX": "YES",
        "OGR_GEOJSON_MAX_OBJ_SIZE": "50",
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
        self.encoding = "utf-8"
        if path.suffix.lower() == ".shp":
            self._dbf = self._dbf_encoding(options.encoding)
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
        self._system = self._choose_crs(info["crs"], options.crs, near, place)
        self.crs = systems.short_name(self._system)
        self._transform = systems.to_wgs84(self._system)

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """All features, a batch at a time."""
        start = 0
        while True:
            names, columns_read, wkb = self._read(start, _ROWS, columns)
            size = len(wkb)
            if not size:
                return
            geometry, problems = self._geometry(wkb)
            by_name = dict(zip(names, columns_read, strict=True))
            yield Batch(
                range(start + 1, start + size + 1),
                {c: self._values(by_name[self._names[c]]) for c in columns},
                geometry,
                problems,
            )
            if size < _ROWS:
                return
            start += size

    def _read(self, start: int, rows: int, columns: Sequence[str]) -> tuple[list[str], Any, Any]:
        try:
            meta, _, wkb, values = cast(
                tuple[dict[str, Any], Any, Any, Any],
                read_raw(
                    self._path,
                    layer=self._layer,
                    columns=[self._names[c] for c in columns],
                    skip_features=start,
                    max_features=rows,
                    encoding=_BYTES if self._dbf else None,
                    datetime_as_string=True,
                ),
            )
        except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError) as error:
            raise unreadable(self._shown, str(error)[:200]) from error
        return [str(n) for n in meta["fields"]], values, wkb

    def _info(self) -> dict[str, Any]:
        try:
            return pyogrio.read_info(
                self._path, layer=self._layer, encoding=_BYTES if self._dbf else None,
                force_feature_count=True,
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

    def _choose_crs(self, declared: str | None, given: str, near: BBox | None, place: str) -> CRS:
        if given:
            return systems.known_crs(given)
        _, _, wkb = self._read(0, 1000, [])
        geometry = shapely.from_wkb(wkb, on_invalid="ignore")
        coordinates = shapely.get_coordinates(geometry)
        try:
            system = CRS.from_user_input(declared) if declared else None
        except Exception:
            system = None
        if system is None:
            if not systems.are_degrees(coordinates):
                raise systems.not_degrees(self._shown, coordinates, near, place)
            self.notes.append("The file names no reference system; its degrees are read as WGS 84.")
            return CRS.from_epsg(4326)
        if system.is_geographic and not systems.are_degrees(coordinates):
            raise systems.not_degrees(self._shown, coordinates, near, place)
        return system

    def _geometry(self, wkb: Any) -> tuple[Geometries, dict[int, str]]:
        geometry = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
        problems: dict[int, str] = {}
        for i in np.flatnonzero(shapely.is_missing(geometry) | shapely.is_empty(geometry)):
            problems[int(i)] = "no_geometry"
            geometry[i] = None
        return to_degrees(shapely.force_2d(geometry), self._transform, problems), problems

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
        if isinstance(value, str):
            return clean_text(self._text(value)) or None
        return clean_text(str(value))[:1000] or None

    def _text(self, value: str) -> str:
        if self._dbf and not value.isascii():
            return value.encode("latin-1", "replace").decode(self._dbf, "replace")
        return value

    def _dbf_encoding(self, given: str) -> str:
        if given:
            return encodings.known(given)
        table = self._path.with_suffix(".dbf")
        if not table.is_file():
            raise unreadable(self._shown, "its .dbf is missing: give all parts of the Shapefile")
        with table.open("rb") as file:
            data = file.read(_DETECT_BYTES)
        declared = _LDID.get(data[29], "") if len(data) > 32 else ""
        page = self._path.with_suffix(".cpg")
        if page.is_file():
            text = page.read_bytes()[:40].decode("ascii", "replace").strip()
            text = text if not text.isdigit() else f"cp{text}"
            try:
                declared = encodings.known(text)
            except Invalid:
                self.notes.append(f"Its .cpg names an unknown encoding {text!r}.")
        return encodings.detect_bytes(data[32:], declared)
