"""Decisions about positions: pure. What is a fix, what is a jump, where a track has gaps."""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from vigie.core.geometry import METRES_A_DEGREE, distance_m, local_metres
from vigie.twin.track.model import Fix, Held, Position

E7 = 10_000_000
UNKNOWN = -1
LATE, JUMP = 1, 2
"""Flags of a stored position: it arrived after a newer one; nothing drives that fast."""

MOST_M_S = 300 / 3.6
SLACK_M = 50.0
"""Two fixes of a receiver at rest may be this far apart, accuracy aside."""
FUTURE_US = 5 * 60 * 1_000_000
MOVED_M = 50.0
"""How far it moves before its street is looked up again."""
GAP_S = 300.0
_SMALLINT = 32_767
_CHUNK = 1_024

Ints = NDArray[np.int64]


def fault_of(position: Position, now: int, oldest: int) -> str | None:
    """Why a position is none; None for a fix."""
    lon, lat = position.lon, position.lat
    if not (math.isfinite(lon) and math.isfinite(lat)) or abs(lon) > 180 or abs(lat) > 90:
        return "out_of_bounds"
    # 0, 0 is what receivers say that have no fix and no flag for it.
    if not position.valid or (lon == 0 and lat == 0):
        return "no_fix"
    if position.at < oldest:
        return "at_past"
    if position.at > now + FUTURE_US:
        return "at_future"
    return None


def fix_of(position: Position) -> Fix:
    """A position as it is stored. Values beyond what a column holds are cut, faulty ones left
    out."""
    return Fix(
        position.asset,
        position.at // 1000,
        round(position.lon * E7),
        round(position.lat * E7),
        _whole(position.speed_m_s, 100),
        _heading(position.heading_deg),
        _whole(position.accuracy_m, 10),
    )


def _whole(value: float | None, factor: int) -> int:
    if value is None or not math.isfinite(value) or value < 0:
        return UNKNOWN
    return round(min(value * factor, _SMALLINT))


def _heading(value: float | None) -> int:
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return round((value % 360) * 10) % 3600


def apart_m(a: Fix, b: Fix) -> float:
    """Metres between two fixes: flat, good to a percent over a few hundred kilometres."""
    east = abs(a.lon - b.lon) / E7
    east = min(east, 360 - east) * math.cos(math.radians((a.lat + b.lat) / 2 / E7))
    return math.hypot(east, (a.lat - b.lat) / E7) * METRES_A_DEGREE


def reachable(a: Fix, b: Fix) -> bool:
    """False when nothing on the ground gets from one to the other in the time between."""
    slack = SLACK_M + (max(a.accuracy, 0) + max(b.accuracy, 0)) / 10
    return apart_m(a, b) <= slack + MOST_M_S * abs(b.ms - a.ms) / 1000


def accept(held: Held, fix: Fix) -> bool:
    """Take a fix newer than all stored ones into account; False for a jump.

    A jump stays in doubt: when the next fix agrees with it and not with what was held, the
    equipment is there (the fix held was the wrong one, or the receiver was off).
    """
    held.last = fix.ms
    known, doubt = held.fix, held.doubt
    if known is None or reachable(known, fix) or (doubt is not None and reachable(doubt, fix)):
        held.fix, held.doubt = fix, None
        return True
    held.doubt = fix
    return False


def must_locate(held: Held) -> bool:
    """True when it moved away from the point whose street is known."""
    fix = held.fix
    if fix is None:
        return False
    if held.located == (0, 0):
        return True
    point = Fix(held.asset, fix.ms, *held.located, UNKNOWN, UNKNOWN, UNKNOWN)
    return apart_m(point, fix) > MOVED_M


def jumps(ms: Ints, lon: Ints, lat: Ints) -> NDArray[np.bool_]:
    """Which positions of a track in order of time are jumps: those that `accept` would doubt, seen
    from the end, so that late positions are judged in their place."""
    found = np.zeros(len(ms), bool)
    if len(ms) < 2:
        return found
    seconds = np.diff(ms) / 1000
    metres = distance_m(lon[:-1] / E7, lat[:-1] / E7, lon[1:] / E7, lat[1:] / E7)
    if not (metres > SLACK_M + MOST_M_S * seconds).any():
        return found
    held = Held(0)
    for n in range(len(ms)):
        fix = Fix(0, int(ms[n]), int(lon[n]), int(lat[n]), UNKNOWN, UNKNOWN, UNKNOWN)
        found[n] = not accept(held, fix)
    return found


def segments(ms: Ints, gap_s: float) -> list[slice]:
    """Stretches without a longer pause than `gap_s`."""
    if not len(ms):
        return []
    cuts = np.flatnonzero(np.diff(ms) > gap_s * 1000) + 1
    edges = [0, *cuts.tolist(), len(ms)]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


def simplified(lon: Ints, lat: Ints, tolerance_m: float) -> Ints:
    """The indices of positions that a line needs to stay within a tolerance of all of them
    (Douglas-Peucker). In chunks, so that the worst line costs no more than a thousand times its
    length."""
    if len(lon) <= 2 or tolerance_m <= 0:
        return np.arange(len(lon))
    east, north = local_metres(lon / E7, lat / E7, (float(lon[0]) / E7, float(lat[0]) / E7))
    keep = np.zeros(len(lon), bool)
    for start in range(0, len(lon) - 1, _CHUNK):
        stop = min(start + _CHUNK, len(lon) - 1)
        keep[start] = keep[stop] = True
        _split(east, north, keep, start, stop, tolerance_m)
    return np.flatnonzero(keep)


def _split(
    east: NDArray[np.float64],
    north: NDArray[np.float64],
    keep: NDArray[np.bool_],
    start: int,
    stop: int,
    tolerance_m: float,
) -> None:
    waiting = [(start, stop)]
    while waiting:
        a, b = waiting.pop()
        if b - a < 2:
            continue
        away = _distances(east[a : b + 1], north[a : b + 1])
        worst = int(np.argmax(away))
        if away[worst] > tolerance_m:
            middle = a + 1 + worst
            keep[middle] = True
            waiting += [(a, middle), (middle, b)]


def _distances(east: NDArray[np.float64], north: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each inner point is from the straight piece between first and last."""
    x, y = east[1:-1] - east[0], north[1:-1] - north[0]
    dx, dy = east[-1] - east[0], north[-1] - north[0]
    square = dx * dx + dy * dy
    along = np.clip((x * dx + y * dy) / square, 0, 1) if square else np.zeros_like(x)
    return np.hypot(x - along * dx, y - along * dy)
