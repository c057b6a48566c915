"""A bus line's way through the city, and where a noisy position is on it.

Positions are metres in one local plane (the network's own), distances are metres along the way.
"""

import math
from functools import cached_property

import numpy as np
from msgspec import Struct

from .errors import ObservationError

OFF_THE_WAY = 60.0  # metres from the way beyond which a position is not believed
BEYOND = 50.0  # metres by which a stop line may lie beyond the end of the polyline


class SignalOnWay(Struct, frozen=True):
    """A stop line on the way: the crossing, the lane a bus takes, how far along."""

    crossing: str
    lane: str
    distance: float


class StopOnWay(Struct, frozen=True):
    """A bus stop on the way."""

    stop: str
    distance: float


class Way(Struct, frozen=True, dict=True):
    """The way of a line's run: polyline, speed limits from each vertex on, stops and signals."""

    id: str
    points: tuple[tuple[float, float], ...]
    speeds: tuple[float, ...]
    """Speed limit from each vertex to the next, m/s; one fewer than `points`."""
    stops: tuple[StopOnWay, ...] = ()
    signals: tuple[SignalOnWay, ...] = ()

    @cached_property
    def _vertices(self) -> np.ndarray:
        return np.asarray(self.points, dtype=np.float64)

    @cached_property
    def _along(self) -> np.ndarray:
        steps = np.hypot(*np.diff(self._vertices, axis=0).T)
        return np.concatenate(([0.0], np.cumsum(steps)))

    @cached_property
    def _seconds(self) -> np.ndarray:
        pace = np.diff(self._along) / np.maximum(np.asarray(self.speeds), 1.0)
        return np.concatenate(([0.0], np.cumsum(pace)))

    @cached_property
    def fault(self) -> str | None:
        """What makes the way unusable, in words; None where nothing does."""
        if len(self.points) < 2 or len(self.speeds) != len(self.points) - 1:
            return (
                f"{len(self.points)} points and {len(self.speeds)} speeds; give two points or "
                "more, and a speed from each to the next"
            )
        if not all(math.isfinite(metres) for point in self.points for metres in point):
            return "a point is not a place"
        if not all(math.isfinite(speed) and speed > 0 for speed in self.speeds):
            return "a speed limit is not above 0 m/s"
        if not 0 < self.length < math.inf:
            return "its points are all one place"
        for what, places in (("stop", self.stops), ("signal", self.signals)):
            along = [place.distance for place in places]
            if not all(0 <= metres <= self.length + BEYOND for metres in along):
                return f"a {what} is not on it: it is {self.length:.0f} m long"
            if along != sorted(along):
                return f"its {what}s are not in their order"
        return None

    @property
    def length(self) -> float:
        """Metres from end to end."""
        return float(self._along[-1])

    def travel(self, start: float, end: float) -> float:
        """Seconds from `start` to `end` at the speed limits, unhindered."""
        a, b = np.interp((start, end), self._along, self._seconds)
        return max(0.0, float(b - a))

    def locate(self, x: float, y: float, low: float, high: float) -> float:
        """Metres along the way of the point nearest to (x, y) between `low` and `high`.

        ObservationError when the point is further than `OFF_THE_WAY` from the way.
        """
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ObservationError(f"position ({x}, {y}) is not a place")
        along = self._along
        first = max(0, int(np.searchsorted(along, low, "right")) - 1)
        last = min(len(along) - 1, int(np.searchsorted(along, high, "left")))
        a = self._vertices[first:last]
        if len(a) == 0:
            first, last = max(0, len(along) - 2), len(along) - 1
            a = self._vertices[first:last]
        d = self._vertices[first + 1 : last + 1] - a
        lengths = along[first + 1 : last + 1] - along[first:last]
        square = np.maximum(lengths * lengths, 1e-9)
        share = np.clip(((x - a[:, 0]) * d[:, 0] + (y - a[:, 1]) * d[:, 1]) / square, 0.0, 1.0)
        off = np.hypot(a[:, 0] + share * d[:, 0] - x, a[:, 1] + share * d[:, 1] - y)
        best = int(np.argmin(off))
        if not off[best] <= OFF_THE_WAY:
            raise ObservationError(
                f"position ({x:.0f}, {y:.0f}) is {off[best]:.0f} m from way {self.id}; "
                "off the map or on another line"
            )
        return float(along[first + best] + share[best] * lengths[best])
