"""What a reader of geographic files gives, whatever the format."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from vigie.core.errors import Invalid

Geometries = NDArray[np.object_]
BATCH_ROWS = 10_000
TEXT_LIMIT = 10_000


class ReadOptions(msgspec.Struct, frozen=True):
    """What the person knows better than the file. Empty means: as the file says."""

    crs: str = ""
    encoding: str = ""
    layer: str = ""
    x: str = ""
    y: str = ""
    position: str = ""
    swap_axes: bool = False


class Batch(msgspec.Struct):
    """Rows in file order. `geometry` is WGS 84, two-dimensional, None where there is none.

    `lines[i]` is where a person finds row i: the line of a text file, the number of a feature.
    `problems` names why a row cannot be imported, `details` says it in words where the usual words
    of report.FAULTS do not tell enough.
    """

    lines: Sequence[int]
    columns: dict[str, list[Any]]
    geometry: Geometries
    problems: dict[int, str]
    details: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.lines)


class GeoFile(Protocol):
    """An opened file."""

    @property
    def fields(self) -> list[str]:
        """The names of its columns."""
        ...

    @property
    def count(self) -> int | None:
        """How many rows, when that is known."""
        ...

    @property
    def crs(self) -> str:
        """The reference system its coordinates are read in."""
        ...

    @property
    def encoding(self) -> str:
        """The encoding its text is read in."""
        ...

    @property
    def notes(self) -> list[str]:
        """What was assumed, in words."""
        ...

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """All rows, a batch at a time, with those columns."""
        ...


def clean_text(value: str) -> str:
    """Without control characters (a database cannot hold NUL), ends trimmed."""
    if value.isprintable():
        return value.strip()
    return "".join(c if c.isprintable() else " " for c in value).strip()


def unreadable(name: str, why: str) -> Invalid:
    """A file that is not what it should be."""
    return Invalid(
        "file_unreadable", f"{name} cannot be read: {why}.", {"file": name, "cause": why}
    )
