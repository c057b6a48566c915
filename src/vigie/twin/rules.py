"""Decisions about equipment, pure: identity, what it is found by, what changed."""

from collections.abc import Mapping
from typing import Any

from vigie.core.text import spellings
from vigie.twin.kinds import Kind

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def position_key(x: float, y: float) -> str:
    """A stable id of a place: Web Mercator decimetres. Neighbours 10 cm apart differ."""
    return f"p-{_base36(round(x * 10))}-{_base36(round(y * 10))}"


def _base36(value: int) -> str:
    sign, value = ("m" if value < 0 else ""), abs(value)
    digits = ""
    while True:
        value, rest = divmod(value, 36)
        digits = _DIGITS[rest] + digits
        if not value:
            return sign + digits


def folded(name: str, source_id: str) -> str:
    """The words an asset is found by, its token aside."""
    return " ".join(dict.fromkeys([*spellings(name), *spellings(source_id)]))


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, before and after."""
    names = [name for name in after if before.get(name) != after[name]]
    return {n: before.get(n) for n in names}, {n: after[n] for n in names}


def may_feed(parent: Kind, child: Kind) -> bool:
    """True when equipment of one kind may be the parent of another."""
    return parent.name in child.parents
