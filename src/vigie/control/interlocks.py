"""Interlocks: rules that refuse an order at one piece of equipment, and say why.

    def no_vehicle(facts: Facts) -> Refusal | None:
        if facts.asset.value("presence") is not False:
            return Refusal("vehicle_present")
        return None

    INTERLOCKS = (Interlock("bollard_presence", no_vehicle),)

A trade names them in its room (`Room(interlocks="module:INTERLOCKS")`), its commands by name. Rules
are pure. What they read they read for the whole city, whoever asks: safety does not depend on what
a person may see. A rule that is not there refuses.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import text

from vigie.control.rules import INTERLOCK
from vigie.core import clock
from vigie.core.database import Unit
from vigie.core.errors import TooLarge
from vigie.core.scope import PLATFORM
from vigie.core.verbs import within
from vigie.twin import kinds
from vigie.twin.kinds import Command, shown_as
from vigie.twin.telemetry import AssetState, read_state

MOST_CHECKED = 5_000
"""Equipment that one order with interlocks goes to at most: its state is read piece by piece."""
_AT_ONCE = 500
_ASSETS = text("select id, kind, parent from twin.asset where id = any(:ids)")
_CHILDREN = text(
    "select id, kind, parent from twin.asset where parent = any(:parents)"
    " and coalesce(retired > (vigie.now() at time zone 'utc')::date, true) order by id"
)

Near = Literal["children", "siblings"]


class Seen(msgspec.Struct, frozen=True):
    """What is known of one piece of equipment: `at` is when it last reported, `values` what it
    shows in words, yes or no, and numbers, `times` since when."""

    id: int
    kind: str
    at: datetime | None = None
    values: Mapping[str, Any] = {}
    times: Mapping[str, datetime] = {}

    def value(self, point: str) -> Any:
        """What a point shows; None when it never reported it."""
        return self.values.get(point)


class Facts(msgspec.Struct, frozen=True):
    """All that a rule may look at, of one target."""

    verb: str
    params: Mapping[str, Any]
    now: datetime
    asset: Seen
    parent: Seen | None = None
    near: tuple[Seen, ...] = ()

    def is_recent(self, seen: Seen, within_s: float) -> bool:
        """True when equipment reported within that time: older evidence says nothing of now."""
        return seen.at is not None and self.now - seen.at <= timedelta(seconds=within_s)


class Refusal(msgspec.Struct, frozen=True):
    """Why a rule refuses: its words are `targetError.<code>`."""

    code: str
    params: Mapping[str, Any] = {}


Rule = Callable[[Facts], Refusal | None]


class Interlock(msgspec.Struct, frozen=True):
    """A rule by its name; `near`: the other equipment that it looks at."""

    name: str
    rule: Rule
    near: tuple[Near, ...] = ()


class Refused(msgspec.Struct, frozen=True):
    """An interlock that refused, and why."""

    interlock: str
    refusal: Refusal

    @property
    def error(self) -> dict[str, Any]:
        """As it is kept at the target."""
        return {
            "code": INTERLOCK + self.interlock,
            "reason": self.refusal.code,
            **self.refusal.params,
        }


def missing(facts: Facts) -> Refusal | None:
    """The rule of an interlock that no room of this installation declares."""
    return Refusal("interlock_missing")


def judge(interlocks: Iterable[Interlock], facts: Facts) -> Refused | None:
    """The first interlock that refuses, in the order of the declaration."""
    for interlock in interlocks:
        refusal = interlock.rule(facts)
        if refusal is not None:
            return Refused(interlock.name, refusal)
    return None


async def find_refusals(
    unit: Unit, command: Command, params: Mapping[str, Any], assets: Sequence[int]
) -> dict[int, Refused]:
    """The targets that may not be commanded now, by id. Raises TooLarge for too many to look at."""
    if not command.interlocks:
        return {}
    if len(assets) > MOST_CHECKED:
        raise TooLarge(
            "too_many_interlocked",
            f"{command.verb} has interlocks, and goes to {MOST_CHECKED} assets at most: divide it.",
            {"limit": MOST_CHECKED, "verb": command.verb},
        )
    declared: dict[str, Interlock] = unit.house.part("interlocks")
    interlocks = [declared.get(name) or Interlock(name, missing) for name in command.interlocks]
    near: set[Near] = {which for interlock in interlocks for which in interlock.near}
    refused: dict[int, Refused] = {}
    async with within(unit, PLATFORM):
        for start in range(0, len(assets), _AT_ONCE):
            ids = assets[start : start + _AT_ONCE]
            for facts in await _facts(unit, command.verb, params, ids, near):
                found = judge(interlocks, facts)
                if found is not None:
                    refused[facts.asset.id] = found
    return refused


async def _facts(
    unit: Unit, verb: str, params: Mapping[str, Any], ids: Sequence[int], near: set[Near]
) -> list[Facts]:
    targets = (await unit.execute(_ASSETS, {"ids": list(ids)})).fetchall()
    parents = [row.parent for row in targets if row.parent is not None]
    above = (await unit.execute(_ASSETS, {"ids": parents})).fetchall() if parents else []
    beside: dict[int, list[int]] = {}
    around: dict[int, str] = {}
    wanted = [*(ids if "children" in near else ()), *(parents if "siblings" in near else ())]
    if wanted:
        for row in await unit.execute(_CHILDREN, {"parents": wanted}):
            beside.setdefault(row.parent, []).append(row.id)
            around[row.id] = row.kind
    kind_of = around | {row.id: row.kind for row in (*targets, *above)}
    states = await read_state(unit, list(kind_of))
    seen = {asset: _seen(asset, kind, states.get(asset)) for asset, kind in kind_of.items()}
    now = clock.now()
    return [
        Facts(
            verb,
            params,
            now,
            seen[row.id],
            seen.get(row.parent),
            tuple(
                seen[other]
                for which, of in (("children", row.id), ("siblings", row.parent))
                if which in near
                for other in beside.get(of, ())
                if other != row.id
            ),
        )
        for row in targets
    ]


def _seen(asset: int, name: str, state: AssetState | None) -> Seen:
    kind = kinds.kind(name)
    if kind is None or state is None:
        return Seen(asset, name)
    values: dict[str, Any] = {}
    times: dict[str, datetime] = {}
    for point, value in state.values.items():
        declared = kind.point(point)
        if declared is not None and value.value is not None:
            values[point] = shown_as(declared, value.value)
            if value.at is not None:
                times[point] = value.at
    return Seen(asset, name, state.at, values, times)
