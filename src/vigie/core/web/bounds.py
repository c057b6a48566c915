"""What the values of a request may be, whatever the route: sizes that are safe further in."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

import msgspec

from vigie.core import clock
from vigie.core.web.problems import invalid, malformed

MOST_DEPTH = 64
_INT64 = 2**63


def demand_bounded(arguments: Mapping[str, Any]) -> None:
    """Raises Invalid for a number or time of a path or query that nothing further in expects."""
    for name, value in arguments.items():
        fault = _fault(value)
        if fault is not None:
            code, message = fault
            raise invalid(
                [{"field": name.removesuffix("_"), "code": code, "message": f"must be {message}"}]
            )


def _fault(value: Any) -> tuple[str, str] | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "not_finite", "a finite number"
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return "out_of_range", "a number of at most 64 bits"
    if isinstance(value, datetime):
        fault = clock.fault_of(value)
        return fault and (fault, clock.FAULTS[fault])
    return None


def demand_shallow(raw: bytes, value: Any) -> None:
    """Raises Invalid for a body nested so deep that writing it again could fail."""
    # Counted in C; only a body with many brackets is worth a walk.
    if raw.count(b"[") + raw.count(b"{") <= MOST_DEPTH:
        return
    level: list[Any] = [value]
    for _ in range(MOST_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise too_deep()


def too_deep() -> Exception:
    """The refusal of such a body."""
    return malformed(f"The body is nested deeper than {MOST_DEPTH} levels.", "json_too_deep")


def _inside(value: Any) -> Iterable[Any]:
    """The containers directly inside one."""
    if isinstance(value, msgspec.Struct):
        parts: Iterable[Any] = (getattr(value, name) for name in value.__struct_fields__)
    elif isinstance(value, dict):
        parts = cast("dict[Any, Any]", value).values()
    else:
        parts = cast("Iterable[Any]", value)
    return (part for part in parts if isinstance(part, (dict, list, tuple, set, msgspec.Struct)))
