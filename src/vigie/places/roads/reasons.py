"""Why a way is as it is, or why there is none: pure."""

from collections.abc import Sequence

import msgspec

from vigie.places.roads.matching import ActiveClosure
from vigie.places.roads.model import RouteReason
from vigie.places.roads.routing import Path, Snap

CODES = (
    "start_without_street",
    "end_without_street",
    "start_moved",
    "end_moved",
    "closure_avoided",
    "closure_blocks",
    "not_connected",
)


class Ends(msgspec.Struct, frozen=True):
    """Where on the streets a way begins and ends."""

    start: Snap | None
    end: Snap | None


def explain(
    closures: Sequence[ActiveClosure],
    ends: Ends,
    free_ends: Ends,
    path: Path | None,
    free: Path | None,
) -> list[RouteReason]:
    """What there is to say of a way: `path` is the one found, `free` the one there would be if
    nothing were closed.

    A closure is avoided, or blocks, when the free way leads over it.
    """
    said: list[RouteReason] = []
    for which, real, other in (
        ("start", ends.start, free_ends.start),
        ("end", ends.end, free_ends.end),
    ):
        if real is None and other is None:
            said.append(RouteReason(f"{which}_without_street"))
        elif other is not None and (real is None or real.edge != other.edge):
            said += [
                _reason(f"{which}_moved", closure)
                for closure in _over(closures, {2 * other.edge, 2 * other.edge + 1})
                if real is None or real.distance_m > other.distance_m
            ]
    avoided = _over(closures, _arcs(free)) if free is not None else []
    if path is not None:
        added = max(0.0, path.seconds - free.seconds) if free is not None else None
        seconds = None if added is None else round(added, 1)
        said += [_reason("closure_avoided", closure, seconds) for closure in avoided]
        return said
    if avoided:
        said += [_reason("closure_blocks", closure) for closure in avoided]
    elif not any(reason.code.endswith("_without_street") for reason in said):
        said.append(RouteReason("not_connected"))
    return said


def _arcs(path: Path) -> set[int]:
    return {leg.arc for leg in path.legs if leg.start != leg.end}


def _over(closures: Sequence[ActiveClosure], arcs: set[int]) -> list[ActiveClosure]:
    return [c for c in closures if not c.arcs.members.isdisjoint(arcs)]


def _reason(code: str, closure: ActiveClosure, seconds: float | None = None) -> RouteReason:
    id_ = closure.id if closure.shown else None
    return RouteReason(code, id_, list(closure.streets), seconds)
