"""Crossings as a plain JSON document: `{"vigie": "crossings/1", "crossings": [...]}`.

The fields are those of `model.Crossing`, by the same names; docs/traffic-priority.md shows one.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from .check import check_crossing
from .errors import PlanError
from .model import Crossing


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    vigie: Literal["crossings/1"]
    crossings: tuple[Crossing, ...]


def crossings_from_json(data: bytes | str) -> tuple[Crossing, ...]:
    """Read and check; PlanError names the field or the bound that is wrong."""
    try:
        document = msgspec.json.decode(data, type=Document)
    except (msgspec.DecodeError, UnicodeError) as broken:
        raise PlanError(f"crossings document: {broken}") from broken
    names = [crossing.id for crossing in document.crossings]
    if len(set(names)) != len(names):
        raise PlanError("crossings document: two crossings share an id")
    for crossing in document.crossings:
        check_crossing(crossing)
    return document.crossings


def crossings_to_json(crossings: Iterable[Crossing]) -> bytes:
    """The document of these crossings, indented for people."""
    document = Document("crossings/1", tuple(crossings))
    return msgspec.json.format(msgspec.json.encode(document), indent=2)
