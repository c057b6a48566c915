"""Way-finding for what moves: missions between places of a beat, and a bus line's timetable.

Where something is follows from seed and time alone: a stopped city resumes on the same street.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from simcity.lamp import Floats
from simcity.roads import Roads


@dataclass(frozen=True)
class Way:
    """A polyline and when each of its points is passed, from 0 on."""

    xy: Floats
    at: Floats

    @property
    def duration(self) -> float:
        return float(self.at[-1])

    def where(self, t: float) -> tuple[float, float, float, float]:
        """(x, y, speed, heading) so long after the start."""
        t = min(max(t, 0.0), self.duration)
        i = min(max(int(np.searchsorted(self.at, t, "right")) - 1, 0), len(self.at) - 2)
        span = self.at[i + 1] - self.at[i]
        share = (t - self.at[i]) / span if span > 0 else 0.0
        step = self.xy[i + 1] - self.xy[i]
        x, y = self.xy[i] + step * share
        speed = float(np.hypot(*step)) / span if span > 0 and t < self.duration else 0.0
        heading = float(np.degrees(np.arctan2(step[0], step[1])) % 360) % 360
        return float(x), float(y), speed, heading


def drive(xy: Floats, speed: float, within: float) -> Way:
    """Along a path at a speed, faster if it must arrive within so many seconds."""
    length = np.hypot(*np.diff(xy, axis=0).T)
    total = float(length.sum())
    pace = max(speed, total / within if within > 0 else speed)
    return Way(xy, np.concatenate([[0.0], np.cumsum(length)]) / max(pace, 0.1))


@dataclass(frozen=True)
class Line:
    """A bus line there and back: its way with stops, in which it stands still for a while."""

    way: Way
    stops: Floats  # seconds at which each stop begins

    def stands(self, t: Floats, dwell: float) -> Floats:
        i = np.maximum(np.searchsorted(self.stops, t, "right") - 1, 0)
        return ((t >= self.stops[i]) & (t < self.stops[i] + dwell)).astype(np.float64)


def line(roads: Roads, nodes: list[int], speed: float, spacing: float, dwell: float) -> Line:
    """A line through some crossings and back, with a stop about every `spacing` metres."""
    there = np.concatenate([roads.way(a, b) for a, b in pairwise(nodes)])
    path = np.concatenate([there, there[::-1]])
    length = np.hypot(*np.diff(path, axis=0).T)
    keep = np.concatenate([[True], length > 0.01])
    path = path[keep]
    if len(path) < 2:
        path = np.concatenate([path, path + 1.0])
    reach = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    halts = np.arange(0.0, reach[-1], spacing)
    xs = np.union1d(reach, halts)
    xy = np.stack([np.interp(xs, reach, path[:, axis]) for axis in (0, 1)], axis=-1)
    # Each halt is passed twice: it arrives, and leaves `dwell` later from the same place.
    at_halt = np.isin(xs, halts)
    times = xs / speed + dwell * (np.cumsum(at_halt) - at_halt)
    order = np.repeat(np.arange(len(xs)), 1 + at_halt)
    leaves = np.concatenate([[False], order[1:] == order[:-1]])
    at = times[order] + dwell * leaves
    # From here on points after a halt are already later by their own count of halts.
    return Line(Way(xy[order], at), times[at_halt])
