"""From a batch of a file to rows of equipment: every cell judged, every refusal with its reason."""

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from vigie.core.geofiles import (
    Batch,
    ImportReport,
    Mapping,
    attribute_of,
    is_inexact,
    refuse_faults,
    text_of,
)
from vigie.core.geometry import Floats, mercator
from vigie.core.ids import tokens
from vigie.places import Locator, Streets
from vigie.twin import rules
from vigie.twin.importing.dates import read_date

TEXTS = ("name", "street", "feeder", "manufacturer", "model")
DATES = ("installed", "commissioned", "retired")
IDENTITIES = ("source_id", "parent")
TEXT_LIMIT = 300
ATTRIBUTE_LIMIT = 2000

# In the order of the staging table.
COLUMNS = {
    "line": "int4",
    "source_id": "text",
    "place_key": "text",
    "name": "text",
    "folded": "text",
    "municipality": "text",
    "municipality_given": "bool",
    "street": "text",
    "street_given": "bool",
    "lon": "float8",
    "lat": "float8",
    "x": "float8",
    "y": "float8",
    "parent_ref": "text",
    "feeder": "text",
    "installed": "date",
    "commissioned": "date",
    "retired": "date",
    "manufacturer": "text",
    "model": "text",
    "attributes": "text",
    "digest": "bytea",
    "token": "text",
}

Cells = Callable[[int], Any]


class RowMaker:
    """Makes the rows of one import."""

    def __init__(
        self, mapping: Mapping, where: Locator, streets: Streets, report: ImportReport
    ) -> None:
        self._mapping, self._where, self._streets = mapping, where, streets
        self._report = report
        self._place = "territory" if len(where.municipalities) else ""
        self.outside = 0

    def rows(self, batch: Batch) -> list[tuple[Any, ...]]:
        """The rows of a batch that can be imported."""
        report = self._report
        report.read += len(batch)
        kept = [i for i, shape in enumerate(batch.geometry) if shape is not None]
        refuse_faults(report, batch)
        if not kept:
            return []
        points = _points(np.asarray(batch.geometry[kept], dtype=object))
        lon, lat = np.round(points[:, 0], 7), np.round(points[:, 1], 7)
        x, y = mercator(lon, lat)
        found = self._where.locate(lon, lat)
        near = self._streets.locate(lon, lat)
        issued = tokens(len(kept))
        rows: list[tuple[Any, ...]] = []
        for k, i in enumerate(kept):
            line = batch.lines[i]
            read = self._read(batch, i, line)
            if read is None:
                continue
            texts, days, attributes = read
            place = self._municipality(texts.pop("municipality"), line)
            if not place and not found[k]:
                self.outside += 1
                if self._place:
                    report.warn(line, "outside", "it lies in no municipality of the territory")
            at = float(lon[k]), float(lat[k])
            source_id, parent = texts.pop("source_id"), texts.pop("parent")
            content = [texts, place, at, days, attributes, parent]
            rows.append(
                (
                    line,
                    source_id,
                    "" if source_id else rules.position_key(float(x[k]), float(y[k])),
                    texts["name"],
                    rules.folded(texts["name"], source_id),
                    place or str(found[k]),
                    bool(place),
                    texts["street"] or str(near[k]),
                    bool(texts["street"]),
                    *at,
                    float(x[k]),
                    float(y[k]),
                    parent,
                    texts["feeder"],
                    *(days[d] for d in DATES),
                    texts["manufacturer"],
                    texts["model"],
                    msgspec.json.encode(attributes, order="sorted").decode(),
                    hashlib.blake2b(msgspec.json.encode(content, order="sorted"),
                                    digest_size=16).digest(),
                    issued[k],
                )
            )  # fmt: skip
        return rows

    def _read(
        self, batch: Batch, i: int, line: int
    ) -> tuple[dict[str, str], dict[str, date | None], dict[str, Any]] | None:
        def cell(target: str) -> Any:
            column = self._mapping.columns.get(target)
            value = batch.columns[column][i] if column is not None else None
            return self._mapping.defaults.get(target) if value is None else value

        texts: dict[str, str] = {}
        for target in (*TEXTS, "source_id", "municipality", "parent"):
            value = cell(target)
            texts[target] = text_of(value)
            if target in IDENTITIES and is_inexact(value):
                self._report.refuse(
                    line,
                    "inexact_id",
                    f"its {target} {texts[target][:60]} is a number that lost digits: write ids "
                    "as text",
                )
                return None
            if len(texts[target]) > TEXT_LIMIT:
                self._report.refuse(
                    line, "too_long", f"its {target} is over {TEXT_LIMIT} characters"
                )
                return None
        for target, text in texts.items():
            if "\ufffd" in text:
                self._report.warn(
                    line, "damaged", f"its {target} lost a character before: {text[:60]!r}"
                )
        days: dict[str, date | None] = {}
        for target in DATES:
            days[target] = None
            try:
                days[target] = read_date(cell(target))
            except ValueError as error:
                self._report.warn(line, "date", f"{target} is left empty: {error}")
        attributes: dict[str, Any] = {}
        for target, column in self._mapping.attributes.items():
            value = attribute_of(batch.columns[column][i])
            if value is None:
                continue
            if isinstance(value, str) and len(value) > ATTRIBUTE_LIMIT:
                self._report.refuse(
                    line, "too_long", f"its {column} is over {ATTRIBUTE_LIMIT} characters"
                )
                return None
            attributes[target] = value
        return texts, days, attributes

    def _municipality(self, given: str, line: int) -> str:
        if not given:
            return ""
        code = self._where.code(given)
        if code is None:
            self._report.warn(
                line, "municipality", f"{given[:60]!r} is no municipality of the territory; "
                "its position decides",
            )  # fmt: skip
        return code or ""


def _points(shapes: NDArray[np.object_]) -> Floats:
    """One position a shape: itself, or a point on it."""
    kinds = shapely.get_type_id(shapes)
    if not (kinds == 0).all():
        on = np.asarray(shapely.point_on_surface(shapes), dtype=object)
        shapes = np.where(kinds == 0, shapes, on)
    return shapely.get_coordinates(shapes)
