"""Crossings laid out as arrays, so that a whole city is weighed in a few numpy calls.

Shapes: C crossings, S stages (of the longest plan), L lanes (of the widest crossing). Rows that
pad a smaller crossing have zero service and zero weight.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .model import GREEN, Crossing
from .runner import Running, aspects

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

AMBER_USE = 2  # seconds of amber that drivers still use


class Tables:
    """The fixed part of the arrays, computed once for a set of crossings."""

    def __init__(self, crossings: Sequence[Crossing]) -> None:
        self.crossings = tuple(crossings)
        self.index = {crossing.id: c for c, crossing in enumerate(self.crossings)}
        n = len(self.crossings)
        depth = max((len(c.stages) for c in self.crossings), default=1)
        width = max((len(c.lanes) for c in self.crossings), default=1) or 1
        self.shape = (n, depth, width)
        self.count: Ints = np.array([len(c.stages) for c in self.crossings], dtype=np.int64)
        self.green = np.zeros((n, depth))
        self.least = np.zeros((n, depth))
        self.most = np.zeros((n, depth))
        self.full = np.zeros((n, depth, width))
        """1 where the lane has right of way in the stage."""
        self.filtered = np.zeros((n, depth, width))
        """1 where it may go but gives way."""
        self.way_seconds = np.full((n, depth, depth), -1.0)
        self.way_full = np.zeros((n, depth, depth, width))
        """Share of the interstage in which the lane discharges."""
        self.way_filtered = np.zeros((n, depth, depth, width))
        self.way_through = np.zeros((n, depth, depth, width))
        """1 where the lane keeps its green from one stage to the other."""
        self.real = np.zeros((n, width), dtype=np.bool_)
        self.saturation = np.full((n, width), 0.5)
        self.distance = np.full((n, width), 50.0)
        self.length = np.full((n, width), 50.0)
        self.speed = np.full((n, width), 13.9)
        self.feeders = np.zeros((n, width, 1), dtype=np.int64)
        """Lanes (C, L, J) whose vehicles come to each lane next, its second stop line."""
        self.feed = np.zeros((n, width, 1))
        """Share of what each of them lets go that comes; 0 pads."""
        self.cycle: Floats = np.array([c.cycle for c in self.crossings], dtype=np.float64)
        self.lane_at: dict[tuple[str, str], int] = {}
        self._cache: dict[tuple[int, str], tuple[Bools, Bools]] = {}
        for c, crossing in enumerate(self.crossings):
            self._fill(c, crossing)
        self._chain()
        open_: Bools = (self.full + self.filtered) > 0
        self.together: Bools = np.any(open_[:, :, :, None] & open_[:, :, None, :], axis=1)
        """(C, L, L) whether some stage lets both lanes go."""
        share = (self.full + 0.5 * self.filtered) * self.green[:, :, None]
        self.planned_share: Floats = share.sum(axis=1) / np.maximum(self.cycle, 1.0)[:, None]
        """Share of the cycle each lane is served in the plan (C, L)."""

    def _fill(self, c: int, crossing: Crossing) -> None:
        for k, lane in enumerate(crossing.lanes):
            self.lane_at[crossing.id, lane.id] = k
            self.real[c, k] = True
            self.saturation[c, k] = lane.saturation
            self.distance[c, k] = max(lane.entry_distance, 7.0)
            self.length[c, k] = lane.length
            self.speed[c, k] = lane.speed
        for s, stage in enumerate(crossing.stages):
            self.green[c, s] = stage.green
            self.least[c, s] = stage.min_green
            self.most[c, s] = stage.max_green
            self.full[c, s], self.filtered[c, s] = self.shows(c, stage.aspects)
        for (s, t), way in crossing.ways.items():
            self.way_seconds[c, s, t] = way.seconds
            before = crossing.stages[s].aspects
            left = AMBER_USE
            through = np.ones(self.shape[2])
            for step in way.steps:
                full, filtered = self.shows(c, step.aspects)
                late, _ = self.shows(c, _late(step.aspects, before))
                through *= full + filtered
                use = min(left, step.seconds)
                self.way_full[c, s, t] += full * step.seconds + (late > full) * use
                self.way_filtered[c, s, t] += filtered * step.seconds
                left -= use
            self.way_through[c, s, t] = through
            total = max(way.seconds, 1)
            self.way_full[c, s, t] /= total
            self.way_filtered[c, s, t] /= total

    def _chain(self) -> None:
        """Who feeds whom, a lane's ways taken alike; `rollout` fits the shares to the counts."""
        fed: dict[tuple[int, int], list[tuple[int, float]]] = {}
        for c, crossing in enumerate(self.crossings):
            for k, lane in enumerate(crossing.lanes):
                for onward in lane.leads_to:
                    at = self.lane_at[crossing.id, onward]
                    fed.setdefault((c, at), []).append((k, 1.0 / len(lane.leads_to)))
        depth = max((len(lanes) for lanes in fed.values()), default=0)
        shape = (self.shape[0], self.shape[2], depth)
        self.feeders, self.feed = np.zeros(shape, dtype=np.int64), np.zeros(shape)
        for (c, at), lanes in fed.items():
            for j, (k, part) in enumerate(lanes):
                self.feeders[c, at, j], self.feed[c, at, j] = k, part

    def shows(self, c: int, shown: str) -> tuple[Floats, Floats]:
        """(L,) ones where lanes have right of way, and where they may go giving way."""
        full, filtered = np.zeros(self.shape[2]), np.zeros(self.shape[2])
        crossing = self.crossings[c]
        for k, lane in enumerate(crossing.lanes):
            best = crossing.serves(shown, lane)
            full[k], filtered[k] = best == "G", best == "g"
        return full, filtered

    def showing(self, states: Sequence[Running], now: int) -> tuple[Bools, Bools]:
        """(C, L) whether each lane may go at `now`, and whether it gives way then."""
        may_go = np.zeros((self.shape[0], self.shape[2]), dtype=np.bool_)
        giving = np.zeros_like(may_go)
        for c, (crossing, state) in enumerate(zip(self.crossings, states, strict=True)):
            shown = aspects(crossing, state, now)
            if (c, shown) not in self._cache:
                full, filtered = self.shows(c, shown)
                self._cache[c, shown] = ((full + filtered) > 0, filtered > 0)
            may_go[c], giving[c] = self._cache[c, shown]
        return may_go, giving


def _late(shown: str, before: str) -> str:
    """The step's aspects with the ambers of what was green before shown as green."""
    return "".join(
        "G" if now == "y" and was in GREEN else now for now, was in zip(shown, before, strict=True)
    )
