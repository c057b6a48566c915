"""State machines as tables: from where, by which verb, to where, and what the verb demands.

    SHIFT = Machine(
        "logbook.shift",
        '''
                    hand_over   take     close
        open        handed      -        closed
        handed      .           open     -
        closed      -           -        .
        ''',
        demands={"close": Demand(reason=True)},
    )
    SHIFT.after("open", "close")        # "closed"
    SHIFT.after("closed", "take")       # raises Conflict, which says what can be done

A cell names the next state; `.` is the verb done already (nothing changes, nothing is refused:
what is sent twice is answered as the first time); `-` is refused. The table is total: a state or a
verb without all its cells is a fault when the module is loaded.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from sqlalchemy import text

from vigie.core.access.demands import Act, demand_fresh, demand_second
from vigie.core.database import Unit
from vigie.core.errors import (
    Conflict,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    wrong_fields,
)

SAME = "."
REFUSED = "-"


class Demand(msgspec.Struct, frozen=True):
    """What a step asks of who takes it, beside the route's permission.

    `permission` is one more than the route's, held where the row is; who approves as a second
    person holds it too, so that `second_person` cannot do without.
    """

    permission: str = ""
    reason: bool = False
    fresh_login: bool = False
    second_person: bool = False


NOTHING = Demand()


class Machine:
    """One transition table. Raises ValueError when it is not total or names an unknown state."""

    def __init__(self, name: str, grid: str, demands: Mapping[str, Demand] | None = None) -> None:
        self.name = name
        head, *rows = (line.split() for line in grid.strip().splitlines() if line.strip())
        self.verbs = tuple(head)
        self.states = tuple(row[0] for row in rows)
        self.table: dict[tuple[str, str], str] = {}
        self.demands = dict(demands or {})
        for state, *cells in rows:
            if len(cells) != len(head):
                raise ValueError(f"{name}: the row {state!r} has {len(cells)} of {len(head)} cells")
            for verb, cell in zip(head, cells, strict=True):
                if cell not in (SAME, REFUSED) and cell not in self.states:
                    raise ValueError(f"{name}: {state} → {verb} leads to no state: {cell!r}")
                self.table[state, verb] = cell
        for many in (self.verbs, self.states):
            twice = sorted({one for one in many if many.count(one) > 1})
            if twice:
                raise ValueError(f"{name}: {twice[0]!r} is named twice")
        unknown = set(self.demands) - set(self.verbs)
        if unknown:
            raise ValueError(f"{name}: a demand for no verb: {sorted(unknown)[0]!r}")
        for verb, demand in self.demands.items():
            if demand.second_person and not demand.permission:
                raise ValueError(f"{name}: {verb!r} demands a second person with what permission?")

    @property
    def initial(self) -> str:
        """Where everything begins: the first row."""
        return self.states[0]

    @property
    def ends(self) -> frozenset[str]:
        """States that nothing leads out of."""
        return frozenset(
            state for state in self.states
            if all(self.table[state, verb] in (SAME, REFUSED, state) for verb in self.verbs)
        )  # fmt: skip

    def verbs_from(self, state: str) -> tuple[str, ...]:
        """What can be done now."""
        return tuple(v for v in self.verbs if self.table[state, v] not in (SAME, REFUSED))

    def demand(self, verb: str) -> Demand:
        """What a verb asks of who uses it."""
        return self.demands.get(verb, NOTHING)

    def after(self, state: str, verb: str) -> str:
        """The state after a verb; the same one when it was done already.

        Raises Conflict with what can be done instead, Invalid for a verb there is not.
        """
        if verb not in self.verbs:
            raise Invalid(
                "step_unknown",
                f"There is no step {verb!r} here: use {', '.join(self.verbs)}.",
                {"step": verb, "machine": self.name},
            )
        cell = self.table[state, verb]
        if cell == REFUSED:
            can = self.verbs_from(state)
            raise Conflict(
                "step_refused",
                f"{verb!r} is not possible in the state {state!r}: "
                + (f"possible now are {', '.join(can)}." if can else "nothing more can be done."),
                {"step": verb, "state": state, "possible": list(can), "machine": self.name},
            )
        return state if cell == SAME else cell

    def diagram(self) -> str:
        """The table as a Mermaid state diagram, for the docs."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        for state in self.states:
            to: dict[str, list[str]] = {}
            for verb in self.verbs_from(state):
                to.setdefault(self.table[state, verb], []).append(verb)
            lines += [f"    {state} --> {end}: {', '.join(verbs)}" for end, verbs in to.items()]
        lines += [f"    {state} --> [*]" for state in self.states if state in self.ends]
        return "\n".join(lines)


class Step(msgspec.Struct, frozen=True):
    """A step that was taken: the row before it, the states, and the version after it."""

    row: Mapping[str, Any]
    before: str
    after: str
    version: int

    @property
    def changed(self) -> bool:
        """False when the verb had been done already."""
        return self.before != self.after


class _Table(Protocol):
    @property
    def fullname(self) -> str: ...


async def step(
    unit: Unit,
    machine: Machine,
    table: _Table,
    key: Any,
    verb: str,
    *,
    version: int | None = None,
    reason: str | None = None,
    sets: Mapping[str, Any] | None = None,
    approves: Mapping[str, Any] | None = None,
) -> Step:
    """Lock a row, check its version, and let it live through a verb.

    The table has the columns `id`, `state` and `version`; `sets` are other columns that the step
    fills. `approves` is what a second person reads beside the version and the reason: all that
    changes what the step does, and nothing that differs when it is sent again (no present time).
    What the step means is for the caller to journal, in the same transaction.

    Raises NotFound for no such row in sight, PreconditionFailed when it changed meanwhile, Conflict
    when the table refuses, Invalid when a demanded reason is missing, Forbidden when a demanded
    permission, fresh login or second person is.
    """
    name = table.fullname
    found = await unit.execute(
        text(f"select * from {name} where id = :id for update"),  # noqa: S608 - a declared table
        {"id": key},
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("object_not_found", f"There is no {machine.name} {key}.",
                       {"type": machine.name, "id": str(key)})  # fmt: skip
    demand_version(row["version"], version)
    before = str(row["state"])
    after = machine.after(before, verb)
    if after == before and machine.table[before, verb] == SAME:
        return Step(dict(row), before, after, row["version"])
    if machine.demand(verb).reason and not (reason or "").strip():
        raise wrong_fields(
            Fault("reason", "required", "say why"),
            code="reason_needed",
            detail=f"{verb!r} needs a reason: say why in a few words.",
            params={"step": verb},
        )
    await _demand_rights(unit, machine, row, verb, {**(approves or {}), "reason": reason or ""})
    values = {"state": after, **(sets or {})}
    assigned = ", ".join(f"{column} = :{column}" for column in values)
    await unit.execute(
        text(f"update {name} set {assigned}, version = version + 1 where id = :id"),  # noqa: S608
        {**values, "id": key},
    )
    return Step(dict(row), before, after, row["version"] + 1)


async def _demand_rights(
    unit: Unit, machine: Machine, row: Mapping[Any, Any], verb: str, params: Mapping[str, Any]
) -> None:
    """What a verb demands beside its reason: Forbidden says which of them is missing."""
    demand = machine.demand(verb)
    place = [str(row.get(name) or "") for name in ("municipality", "trade", "compartment")]
    if demand.permission and unit.principal.kind != "system":
        scope = unit.house.catalogue.scope_for(unit.principal, demand.permission)
        if scope is None or not scope.sees(*place):
            raise Forbidden(
                "not_permitted",
                f"{verb!r} needs the permission {demand.permission} there.",
                {"permission": demand.permission},
            )
    if demand.fresh_login:
        demand_fresh(unit)
    if demand.second_person:
        await demand_second(
            unit,
            Act(
                f"{machine.name}.{verb}",
                (machine.name, str(row["id"])),
                {"version": row["version"], **params},
                demand.permission,
                *place,
            ),
        )


def version(if_match: str | None) -> int | None:
    """The version that an If-Match header names; None for none, or for `*`: any version.

    Raises PreconditionFailed for a tag that no answer of ours ever had.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tag = if_match.strip().removeprefix("W/").strip('"')
    if not tag.isascii() or not tag.isdigit() or len(tag) > 9:
        raise _changed()
    return int(tag)


def demand_version(current: int, wanted: int | None) -> None:
    """Raises PreconditionFailed when what is changed is not what was read."""
    if wanted is not None and wanted != current:
        raise _changed()


def _changed() -> PreconditionFailed:
    return PreconditionFailed(
        "version_changed", "It changed meanwhile: read it again, then decide."
    )
