"""Decisions about equipment, pure: identity, what it is found by, what changed."""

from collections.abc import Mapping
from typing import Any

import msgspec

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


def scope_key(trade: str, *municipalities: str) -> str:
    """The journal's key of equipment; of what moved, the keys of before and of after."""
    return " ".join(dict.fromkeys(f"{municipality}/{trade}" for municipality in municipalities))


class Kept(msgspec.Struct, frozen=True):
    """A field that stays as a person corrected it although the source says something new."""

    field: str
    ours: Any
    then: Any
    now: Any


def corrected(
    overridden: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, Any]:
    """What the source says of each field that people corrected, after one more change by them.

    A field that is back to what the source says is not corrected any more. `attributes` are
    compared key by key; None stands for a key that is not there.
    """
    said = dict(overridden)
    for name in after:
        if name == "attributes":
            inside = corrected(
                said.pop(name, {}),
                before[name],
                dict.fromkeys(before[name]) | dict(after[name]),
            )
            said |= {name: inside} if inside else {}
            continue
        source = said.pop(name, before.get(name))
        if after[name] != source:
            said[name] = source
    return said


def three_ways(
    overridden: Mapping[str, Any], ours: Mapping[str, Any], source: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], list[Kept]]:
    """An import against people's corrections: what the source said then, ours, what it says now.

    The fields as they become, what the source says of those that stay corrected, and those where
    both changed: a correction is never overwritten, and is dropped when the source agrees.
    """
    fields, said, kept = dict(source), dict[str, Any](), list[Kept]()
    for name, then in overridden.items():
        if name == "attributes":
            inside, said_inside, kept_inside = three_ways(then, ours[name], source[name])
            fields[name] = {key: value for key, value in inside.items() if value is not None}
            said |= {name: said_inside} if said_inside else {}
            kept += [Kept(f"{name}.{k.field}", k.ours, k.then, k.now) for k in kept_inside]
            continue
        mine, now = ours.get(name), source.get(name)
        if mine == now:
            continue
        fields[name], said[name] = mine, now
        if now != then:
            kept.append(Kept(name, mine, then, now))
    return fields, said, kept


def may_feed(parent: Kind, child: Kind) -> bool:
    """True when equipment of one kind may be the parent of another."""
    return parent.name in child.parents
