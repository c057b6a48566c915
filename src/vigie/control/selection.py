"""Which equipment a command goes to: as asked, in scope, able to do it."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec
from sqlalchemy import text

from vigie import twin
from vigie.control.model import MOST_TARGETS
from vigie.control.rules import Wanted, check_params, wanted_of
from vigie.core.database import Unit
from vigie.core.errors import Fault, Invalid, NotFound, TooLarge, wrong_fields
from vigie.core.geometry import BBox
from vigie.core.journal import Change
from vigie.twin import kinds
from vigie.twin.kinds import Command, Kind

# Of what is in sight: row level security leaves the rest out, and `choose` then refuses.
_ADD_FUNCTIONS = text(
    "insert into control.function (asset, function) select id, :function from twin.asset"
    " where id = any(:ids) and kind = any(:able) order by id on conflict do nothing"
)
_LOCK_FUNCTIONS = text(
    "select count(*) from (select 1 from control.function"
    " where asset = any(:ids) and function = :function order by asset for update) held"
)


class Chosen(msgspec.Struct, frozen=True, gc=False):
    """One asset that a command goes to; `already` when it may show what is wanted without it."""

    id: int
    kind: str
    municipality: str
    trade: str
    desired: float | None
    already: bool

    @property
    def scope(self) -> str:
        """Its key."""
        return f"{self.municipality}/{self.trade}"


class Order(msgspec.Struct, frozen=True):
    """A command as declared, the kinds that know it, and what they show once it is done."""

    command: Command
    able: frozenset[str]
    wanted: Wanted

    @property
    def principal(self) -> str | None:
        """The point that shows what was wanted, of which the twin keeps the value."""
        return next(iter(self.wanted), None)


def specified(verb: str, params: Mapping[str, Any]) -> Order:
    """The declaration of a verb, its parameters checked. Raises Invalid naming every fault."""
    command = kinds.commands().get(verb)
    if command is None:
        verbs = sorted(kinds.commands())
        raise wrong_fields(
            Fault("verb", "unknown", "no such command"),
            code="unknown_verb",
            detail=f"No kind of equipment knows this command; there are {', '.join(verbs)}.",
            params={"verbs": verbs},
        )
    faults = check_params(command, params)
    if faults:
        raise wrong_fields(
            *faults,
            code="bad_params",
            detail=f"{faults[0].field}: {faults[0].message}.",
            params={"verb": verb},
        )
    able = kinds.able(verb)
    # Kinds that share a verb show it by the same points.
    return Order(command, able, wanted_of(command, params, kinds.kinds()[min(able)]))


class Selection(Protocol):
    """One of three ways to name equipment."""

    @property
    def assets(self) -> list[int] | None: ...
    @property
    def filter(self) -> str | None: ...
    @property
    def bbox(self) -> tuple[float, float, float, float] | None: ...


async def choose(unit: Unit, asked: Selection, order: Order, *, hold: bool = False) -> list[Chosen]:
    """The targets, by id; `hold`: whoever else commands the same function of them waits until this
    unit ends, and what is read of them is what holds then.

    Named assets must all be in sight and able, or none is chosen; a filter or a box chooses those
    that are able and not retired. Raises NotFound, Invalid or TooLarge.
    """
    ways = [asked.assets is not None, asked.filter is not None, asked.bbox is not None]
    if sum(ways) != 1:
        raise wrong_fields(
            Fault("assets", "one_selection_needed", "one of three"),
            code="one_selection_needed",
            detail="Name the equipment in exactly one way: assets, filter or bbox.",
        )
    if asked.assets is not None:
        return await _named(unit, order, sorted(set(asked.assets)), hold=hold)
    bbox = None if asked.bbox is None else _box(*asked.bbox)
    found = await twin.find_ids(unit, filter_=asked.filter or "", bbox=bbox, limit=MOST_TARGETS)
    able = sorted(asset for asset, kind in found if kind in order.able)
    rows = await _load(unit, able, order, hold=hold)
    chosen = [_chosen(row) for row in rows if not row.retired]
    if not chosen:
        raise Invalid(
            "no_target",
            "Nothing there can do this: choose other equipment.",
            {"found": len(found)},
        )
    return chosen


def _box(west: float, south: float, east: float, north: float) -> BBox:
    if not (-180 <= west <= east <= 180 and -85 <= south <= north <= 85):
        raise wrong_fields(
            Fault("bbox", "bad_bbox", "not a box"),
            code="bad_bbox",
            detail="bbox is [west, south, east, north] in degrees, west before east, south before "
            "north.",
        )
    return BBox(west, south, east, north)


async def read_again(unit: Unit, order: Order, ids: list[int]) -> list[Chosen]:
    """Targets chosen earlier as they are now, held; the retired ones are gone."""
    return [_chosen(row) for row in await _load(unit, ids, order, hold=True) if not row.retired]


async def _named(unit: Unit, order: Order, ids: list[int], *, hold: bool) -> list[Chosen]:
    if len(ids) > MOST_TARGETS:
        raise TooLarge(
            "too_many_assets",
            f"A command goes to {MOST_TARGETS} assets at most.",
            {"limit": MOST_TARGETS},
        )
    if not -(2**31) <= ids[0] <= ids[-1] < 2**31:
        raise _missing(1, len(ids))
    rows = await _load(unit, ids, order, hold=hold)
    if len(rows) < len(ids):
        raise _missing(len(ids) - len(rows), len(ids))
    unable = [row.id for row in rows if row.kind not in order.able]
    if unable:
        raise Invalid(
            "verb_not_supported",
            f"{len(unable)} of them cannot do {order.command.verb}: leave them out.",
            {"count": len(unable), "assets": unable[:20]},
        )
    retired = [row.id for row in rows if row.retired]
    if retired:
        raise Invalid(
            "asset_retired",
            f"{len(retired)} of them are retired: leave them out.",
            {"count": len(retired), "assets": retired[:20]},
        )
    return [_chosen(row) for row in rows]


async def _load(unit: Unit, ids: list[int], order: Order, *, hold: bool) -> list[Any]:
    if hold:
        await _hold(unit, ids, order)
    rows = await unit.execute(
        text(
            "select a.id, a.kind, a.municipality, a.trade,"  # noqa: S608 - declared names
            " coalesce(a.retired <= (vigie.now() at time zone 'utc')::date, false) as retired,"
            " i.desired,"
            # What was never heard may be so already.
            f" coalesce({_desired(order.wanted)}, false)"
            f" or coalesce({_shown(order.able, order.wanted)}, true) as already"
            " from twin.asset a left join twin.intent i"
            " on i.asset = a.id and i.function = :function"
            " left join twin.state s on s.asset = a.id where a.id = any(:ids) order by a.id"
        ),
        {"ids": ids, "function": order.command.function} | _values(order.wanted),
    )
    return list(rows.fetchall())


async def _hold(unit: Unit, ids: list[int], order: Order) -> None:
    """Lock the function of each, in order of asset: of two requests for the same lamp one waits,
    and sees what the other did; requests for different ones do not know each other.

    The rows that are missing are added first, in the same order: who adds waits for who adds, who
    locks for who locks, so nobody waits in a circle.
    """
    named = {"ids": ids, "function": order.command.function}
    await unit.execute(_ADD_FUNCTIONS, named | {"able": sorted(order.able)})
    await unit.execute(_LOCK_FUNCTIONS, named)


def _desired(wanted: Wanted) -> str:
    # The twin keeps one desired value a function: that of the first point.
    return "abs(i.desired - :v0) <= :w0" if wanted else "false"


def _shown(able: frozenset[str], wanted: Wanted) -> str:
    """Does the latest state show what is wanted? Slots differ by kind."""
    cases: list[str] = []
    for name in sorted(able):
        kind: Kind = kinds.kinds()[name]
        slots = [kind.slot(metric) for metric in wanted]
        if wanted and None not in slots:
            near = [
                f"abs(s.vals[{slot + 1}] - :v{n}) <= :w{n}"
                for n, slot in enumerate(slots)
                if slot is not None
            ]
            cases.append(f"(a.kind = '{kind.name}' and {' and '.join(near)})")
    return f"({' or '.join(cases)})" if cases else "true"


def _values(wanted: Wanted) -> dict[str, float]:
    values: dict[str, float] = {}
    for n, (value, within) in enumerate(wanted.values()):
        values |= {f"v{n}": value, f"w{n}": within}
    return values


def _chosen(row: Any) -> Chosen:
    return Chosen(row.id, row.kind, row.municipality, row.trade, row.desired, row.already)


def changes_of(chosen: Iterable[Chosen], wanted: Wanted) -> list[Change]:
    """What an order changes of what is wanted of each, for the journal."""
    after = {metric: value for metric, (value, _within) in wanted.items()}
    metric = next(iter(wanted), None)
    return [
        Change(
            "twin.asset",
            str(asset.id),
            None if metric is None or asset.desired is None else {metric: asset.desired},
            after,
            asset.scope,
        )
        for asset in chosen
    ]


def _missing(count: int, total: int) -> NotFound:
    return NotFound(
        "asset_not_found",
        f"{count} of the {total} assets do not exist, or not for you: nothing was commanded.",
        {"missing": count, "total": total},
    )


__all__ = ["Chosen", "Order", "changes_of", "choose", "read_again", "specified"]
