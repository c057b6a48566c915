"""What a message changes: pure, and the same whatever the order or number of its copies.

State is, slot by slot, the value of the message that is greatest by (at, boot, n): a maximum, so
late and repeated messages cannot move it backwards. Time comes first since it is the evidence's
age; boot only tells messages of one instant apart, so that a replaced device (boot 0 again) or one
whose counter wrapped goes on where its time is newer. A wrong clock is bounded by validation.

A message is surely new when it is newer than all that is known of its device (every stored one has
`at` ≤ known.at) and its number was not passed yet. Only the others (late, repeated, out of order)
must be looked up. A copy that was given a newer time is still a copy: (device, boot, n) names it.
"""

from collections.abc import Iterable, Sequence
from math import nan

from vigie.twin.kinds import Kind
from vigie.twin.telemetry.model import NEVER, Arrival, Known, Place

Key = tuple[int, int, int, int]
SMALLINT = 32767


def blank(asset: int, kind: Kind) -> Known:
    """An asset that never reported."""
    return Known(asset, kind, vals=[nan] * kind.width, ats=[NEVER] * kind.width)


def fitted(vals: list[float], width: int) -> list[float]:
    """Stored values as wide as the kind is now: points are only ever added at the end."""
    return [*vals[:width], *([nan] * (width - len(vals)))]


def surely_new(known: Known, arrival: Arrival) -> bool:
    """True when no copy of it can have been stored, not even one with an earlier time."""
    return arrival.at > known.at and (arrival.boot, arrival.n) > (known.boot, known.n)


def restamped(known: Known, arrival: Arrival) -> bool:
    """True for a copy of the newest message that carries another time."""
    return (
        arrival.n == known.n
        and arrival.boot == known.boot
        and arrival.at != known.at
        and known.at != NEVER
    )


def out_of_order(known: Known, arrival: Arrival) -> bool:
    """True for a number that was passed already, with a time that was not: a copy that was given
    a new time, a device that was replaced, or one that mixes up its numbers."""
    return arrival.at > known.at and (arrival.boot, arrival.n) < (known.boot, known.n)


def key(arrival: Arrival) -> Key:
    """What names a message for ever."""
    return (arrival.asset, arrival.at, arrival.boot, arrival.n)


def advance(known: Known, arrival: Arrival) -> None:
    """Apply a message newer than all known ones."""
    at = known.at = arrival.at
    known.boot, known.n, known.recorded = arrival.boot, arrival.n, arrival.recorded
    vals, ats = known.vals, known.ats
    for slot, value in zip(arrival.set.slots, arrival.values, strict=True):
        vals[slot] = value
        ats[slot] = at


def merge(known: Known, arrival: Arrival, siblings: Sequence[Arrival] = ()) -> bool:
    """Apply a late message; True when the state changed.

    `siblings` are all other messages of the device at that same instant: between them (boot, n)
    decides.
    """
    if arrival.at > known.at:
        advance(known, arrival)
        return True
    changed = False
    rank = (arrival.boot, arrival.n)
    if arrival.at == known.at and rank > (known.boot, known.n):
        known.boot, known.n, known.recorded = arrival.boot, arrival.n, arrival.recorded
        changed = True
    newer = {slot for other in siblings if (other.boot, other.n) > rank for slot in other.set.slots}
    for slot, value in zip(arrival.set.slots, arrival.values, strict=True):
        told = known.ats[slot]
        if arrival.at > told or (arrival.at == told and slot not in newer):
            known.vals[slot], known.ats[slot] = value, arrival.at
            changed = True
    return changed


def place(known: Known, place: Place) -> bool:
    """Apply a newest position to the first points of what moves (kinds.POSITION); True when it is
    news. It is no message: numbers stay what they were."""
    if place.at <= known.ats[0]:
        return False
    told = (place.longitude, place.latitude, place.speed, place.heading)
    for slot, value in enumerate(told):
        if value is not None:
            known.vals[slot], known.ats[slot] = value, place.at
    if place.at > known.at:
        known.at = known.recorded = place.at
    return True


def unseen(arrivals: Iterable[Arrival], stored: set[Key]) -> list[Arrival]:
    """Those not stored, each once; `stored` learns them."""
    fresh: list[Arrival] = []
    for arrival in arrivals:
        name = key(arrival)
        if name not in stored:
            stored.add(name)
            fresh.append(arrival)
    return fresh


def lag_s(arrival: Arrival) -> int:
    """Whole seconds between measuring and arriving, as history holds it."""
    return max(-SMALLINT, min(SMALLINT, (arrival.recorded - arrival.at) // 1_000_000))


def uniform(known: Known) -> bool:
    """True when every value told so far is of the newest message: state needs no times of slots."""
    at = known.at
    return all(told in (at, NEVER) for told in known.ats)
