"""Which column of a file is what: a TOML file a person writes once for a publisher's format."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from vigie.core.errors import Invalid
from vigie.core.geofiles.source import ReadOptions

# Where a row of a CSV is: two of the first four, or the one that holds both coordinates.
POSITION = ("lon", "lat", "x", "y", "position")
# Beyond this a float no longer tells neighbouring whole numbers apart.
EXACT = 2**53
_SHORTENED = re.compile(r"\d(?:[.,]\d+[eE]\+?|[eE]\+)\d{2,}")


class SourceSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to read the file. `name` is the namespace of its ids."""

    crs: str = ""
    encoding: str = ""
    layer: str = ""
    name: str = ""
    swap_axes: bool = False


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`columns` and `attributes`: what is wanted = the column that has it."""

    kind: str = ""
    source: SourceSpec = SourceSpec()
    columns: dict[str, str] = {}
    attributes: dict[str, str] = {}
    defaults: dict[str, str | int | float | bool] = {}

    def options(self, crs: str = "", encoding: str = "", layer: str = "") -> ReadOptions:
        """How to open the file; what is said on the command line wins."""
        return ReadOptions(
            crs=crs or self.source.crs,
            encoding=encoding or self.source.encoding,
            layer=layer or self.source.layer,
            x=self.columns.get("lon", "") or self.columns.get("x", ""),
            y=self.columns.get("lat", "") or self.columns.get("y", ""),
            position=self.columns.get("position", ""),
            swap_axes=self.source.swap_axes,
        )

    def wanted(self) -> list[str]:
        """Every column of the file that is used, once."""
        used = [c for target, c in self.columns.items() if target not in POSITION]
        return list(dict.fromkeys([*used, *self.attributes.values()]))


def load_mapping(file: Path, targets: Sequence[str]) -> Mapping:
    """Read a mapping. Raises Invalid naming what is wrong and what may be used."""
    try:
        mapping = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Mapping)
    except OSError as error:
        raise Invalid(
            "mapping_missing",
            f"The mapping {file} cannot be read: {error.strerror}.",
            {"file": file.name},
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise Invalid(
            "mapping_wrong",
            f"The mapping {file.name} is wrong: {error}. docs/import.md shows one.",
            {"file": file.name, "cause": str(error)},
        ) from error
    check_targets(mapping, targets, file.name)
    return mapping


def check_targets(mapping: Mapping, targets: Sequence[str], name: str) -> None:
    """Refuse a [columns] or [defaults] entry that is not known."""
    for section, keys in (("columns", mapping.columns), ("defaults", mapping.defaults)):
        unknown = [key for key in keys if key not in targets]
        if unknown:
            raise Invalid(
                "mapping_target",
                f"{name}: [{section}] has {unknown[0]!r}, which is none of "
                f"{', '.join(targets)}. Anything else goes under [attributes].",
                {"file": name, "target": unknown[0], "targets": list(targets)},
            )


def check_columns(mapping: Mapping, fields: Sequence[str], name: str) -> None:
    """Refuse columns that the file does not have, naming those it has."""
    missing = [column for column in mapping.wanted() if column not in fields]
    if missing:
        shown = ", ".join(fields[:60]) or "none"
        raise Invalid(
            "mapping_column",
            f"{name} has no column {', '.join(repr(c) for c in missing[:10])}. Its columns are: "
            f"{shown}.",
            {"file": name, "missing": missing[:50], "columns": list(fields[:200])},
        )


def text_of(value: Any) -> str:
    """A cell as text: whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    return str(value)


def is_inexact(value: Any) -> bool:
    """True for a number of which digits were lost before it came here: as an id it is a guess.

    A column of floats that holds long ids, or what a spreadsheet makes of them: "2,02403E+15".
    """
    if isinstance(value, float):
        return abs(value) >= EXACT
    return isinstance(value, str) and _SHORTENED.fullmatch(value) is not None


def attribute_of(value: Any) -> Any:
    """An attribute as it is stored: the same number is the same, whatever stands in other rows.

    A column becomes one of floats because of one value in it: 70.0 is 70. Whole numbers that
    JavaScript would round are text.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return int(value)
    if isinstance(value, int) and abs(value) > EXACT:
        return str(value)
    return value
