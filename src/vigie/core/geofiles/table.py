"""CSV, as cities publish it: any delimiter, decimal commas, coordinates in one column or two."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import shapely

from vigie.core.errors import Invalid
from vigie.core.geofiles import crs as systems
from vigie.core.geofiles.encoding import bad_byte
from vigie.core.geofiles.position import OneColumn, Position, TwoColumns, X, Y, one_column
from vigie.core.geofiles.records import CsvRecords, Record
from vigie.core.geofiles.source import BATCH_ROWS, Batch, ReadOptions, clean_text, unreadable
from vigie.core.geometry import BBox
from vigie.core.text import fold

_SAMPLE_ROWS = 1000


class CsvFile:
    """A UTF-8 CSV file with a line of column names."""

    def __init__(
        self,
        path: Path,
        shown: str,
        encoding: str,
        options: ReadOptions,
        near: BBox | None,
        place: str,
    ) -> None:
        self.count: int | None = None
        self.encoding = encoding
        self._shown, self._options = shown, options
        self._records = CsvRecords(path, shown, self._has_coordinates)
        self.fields = self._records.names
        self.notes = self._records.notes
        sample = [r.cells for r in islice(self._records.rows(), _SAMPLE_ROWS) if not r.fault]
        self._position = self._find_position(sample, near)
        if self._position.note:
            self.notes.append(self._position.note)
        placed = self._position.read(sample)
        self._placing = systems.Placing.choose(
            shown,
            shapely.get_coordinates(placed.geometry),
            self._position.system,
            options,
            near,
            place,
        )
        self.crs = self._placing.name

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """All rows, a batch at a time."""
        index = [self._index(c) for c in columns]
        rows = self._records.rows()
        while records := list(islice(rows, BATCH_ROWS)):
            yield self._batch(records, columns, index)

    def _batch(
        self, records: Sequence[Record], columns: Sequence[str], index: Sequence[int]
    ) -> Batch:
        faults: dict[int, str] = {}
        width = len(self.fields)
        for i, record in enumerate(records):
            if record.fault:
                faults[i] = record.fault
            elif len(record.cells) > width:
                faults[i] = "too_many_columns"
        rows = [() if i in faults else r.cells for i, r in enumerate(records)]
        placed = self._position.read(rows)
        placed.problems.update(faults)
        values: dict[str, list[str | None]] = {}
        for column, k in zip(columns, index, strict=True):
            cells = [row[k] if k < len(row) else "" for row in rows]
            values[column] = [clean_text(cell) or None for cell in cells]
            for i, cell in enumerate(cells):
                if not cell.isprintable() and (bad := bad_byte(cell)):
                    placed.problems[i] = "bad_bytes"
                    placed.details[i] = f"its {column} is not {self.encoding}: {bad}"
                    placed.geometry[i] = None
        geometry = self._placing.degrees(placed.geometry, placed.problems, placed.details)
        return Batch([r.line for r in records], values, geometry, placed.problems, placed.details)

    def _find_position(self, sample: Sequence[Sequence[str]], near: BBox | None) -> Position:
        options = self._options
        if options.position:
            self._index(options.position)
            return self._one_column(sample, near, options.position)
        if options.x and options.x == options.y:
            return self._one_column(sample, near, options.x)
        x, y = self._named(self.fields, options.x, X), self._named(self.fields, options.y, Y)
        if x and y:
            return TwoColumns(self._index(x), self._index(y), sample)
        wrong = options.x if options.x and not x else options.y if options.y and not y else ""
        found = None if wrong else one_column(self.fields, sample, near, options.x or options.y)
        if found is None:
            raise self._no_coordinates(wrong, "y" if x else "x")
        return found

    def _one_column(
        self, sample: Sequence[Sequence[str]], near: BBox | None, name: str
    ) -> OneColumn:
        found = one_column(self.fields, sample, near, name)
        if found is None:
            raise Invalid(
                "file_coordinates",
                f"{self._shown}: the column {name!r} holds no positions such as 47.32, 5.04 or "
                "POINT (5.04 47.32).",
                {"file": self._shown, "columns": [name]},
            )
        return found

    def _no_coordinates(self, wanted: str, axis: str) -> Invalid:
        shown = ", ".join(self.fields[:40])
        return Invalid(
            "file_coordinates",
            f"{self._shown} has no column {wanted or 'of coordinates'}: name it as {axis} (or one "
            "that holds both coordinates as position) under [columns] in the mapping. Its columns "
            f"are {shown}.",
            {"file": self._shown, "axis": axis, "columns": self.fields[:200]},
        )

    def _has_coordinates(self, names: Sequence[str]) -> bool:
        options = self._options
        if options.position:
            return options.position in names
        return bool(self._named(names, options.x, X) and self._named(names, options.y, Y))

    @staticmethod
    def _named(names: Sequence[str], wanted: str, usual: Sequence[str]) -> str:
        """The column of an axis: as the mapping says, or by a usual name."""
        if wanted:
            return wanted if wanted in names else ""
        folded = {fold(name): name for name in reversed(names)}
        return next((folded[name] for name in usual if name in folded), "")

    def _index(self, name: str) -> int:
        """Where a column is. Names may be there twice as long as nobody asks for them."""
        if name not in self.fields:
            raise self._no_coordinates(name, "x")
        if self.fields.count(name) > 1:
            raise unreadable(self._shown, f"two columns are named {name!r}")
        return self.fields.index(name)
