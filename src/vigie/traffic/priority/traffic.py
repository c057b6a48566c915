"""What the loops tell about every approach lane: queue, demand, discharge.

Counting in at the entry loop and out at the stop line, corrected where the loops themselves
contradict the count: a stop line nobody stands on in green ends a queue, a loop that stays
occupied shows that the queue has reached it. A dead loop is replaced by what was learned of its
lane, and where nothing was learned by the flow the plan was made for.
"""

from collections.abc import Mapping

import numpy as np
from msgspec import Struct

from .tables import Bools, Floats, Tables

SPACING = 7.0  # metres a standing vehicle takes
MOST = 5  # vehicles that can cross a loop in a second
RING = 16  # seconds of entries remembered
COVER_STEP = 0.25
RATE_MEMORY = 240.0  # seconds
SATURATION_MEMORY = 40.0  # seconds of discharging queue
PLAN_LOAD = 0.75  # assumed use of a planned green nobody measures


class Loop(Struct, frozen=True):
    """One second of one loop: vehicles that came onto it, share of the second it was occupied."""

    count: int
    occupancy: float


class Traffic:
    """Running estimates for all lanes, arrays (C, L)."""

    def __init__(self, tables: Tables) -> None:
        shape = (tables.shape[0], tables.shape[2])
        self.tables = tables
        self.near = np.zeros(shape)
        """Vehicles between entry loop and stop line."""
        self.beyond = np.zeros(shape)
        """Vehicles queued upstream of the entry loop."""
        self.rate: Floats = PLAN_LOAD * tables.saturation * tables.planned_share * tables.real
        """Demand, vehicles a second."""
        self.full_flow: Floats = tables.saturation.copy()
        self.filtered_flow: Floats = 0.4 * tables.saturation
        self.idle = np.zeros(shape)
        """Seconds since the stop line loop last saw anything."""
        self.cover = np.zeros(shape)
        """Occupancy of the entry loop, smoothed over a few seconds."""
        self.green_for = np.zeros(shape)
        self.silent = np.zeros((2, *shape))
        """Vehicles the partner counted since each loop (entry, stop) last counted one."""
        self.alive = np.ones((2, *shape), dtype=np.bool_)
        self.loops: Bools = np.zeros((2, *shape), dtype=np.bool_)
        """Where there is a loop (entry, stop)."""
        self._reach: Floats = np.minimum(np.ceil(tables.distance / tables.speed) + 3.0, RING)
        self._ring = np.zeros((RING, *shape))
        self._at = 0
        self._slots: dict[str, list[tuple[int, int, int]]] = {}
        for c, crossing in enumerate(tables.crossings):
            for k, lane in enumerate(crossing.lanes):
                for which, loop in ((0, lane.entry_loop), (1, lane.stop_loop)):
                    if loop is not None:
                        self._slots.setdefault(loop, []).append((which, c, k))
                        self.loops[which, c, k] = True

    @property
    def queue(self) -> Floats:
        """Vehicles waiting or about to, (C, L)."""
        return self.near + self.beyond

    def flows(self) -> tuple[Floats, Floats]:
        """Discharge in stages (C, S, L) and interstages (C, S, S, L), vehicles a second."""
        t = self.tables
        full, filtered = self.full_flow[:, None, :], self.filtered_flow[:, None, :]
        stages = t.full * full + t.filtered * filtered
        ways = t.way_full * full[:, None] + t.way_filtered * filtered[:, None]
        return stages, ways

    def update(self, loops: Mapping[str, Loop], green: Bools, filtered: Bools) -> list[str]:
        """One second of readings; loops not in `loops` are dead this second.

        So are those that tell what cannot be, returned in words.
        """
        refused = list[str]()
        shape = self.near.shape
        count = np.zeros((2, *shape))
        occupancy = np.zeros((2, *shape))
        heard = np.zeros((2, *shape), dtype=np.bool_)
        for name, loop in loops.items():
            if not (0 <= loop.count <= MOST and 0.0 <= loop.occupancy <= 1.0):
                refused.append(
                    f"loop {name}: {loop.count} vehicles in a second, occupied {loop.occupancy} of"
                    f" it; give 0 to {MOST}, and a share from 0 to 1"
                )
                continue
            for slot in self._slots.get(name, ()):
                count[slot], occupancy[slot], heard[slot] = loop.count, loop.occupancy, True
        self._judge(count, heard)
        self._count(count, self.alive, green)
        self._correct(count, occupancy, self.alive, green)
        self._learn(count, self.alive, green, filtered)
        return refused

    def probe(self, c: int, lane: int, vehicles: float) -> None:
        """A bus standing in the queue shows that it holds at least `vehicles` ahead of it."""
        reach = self.tables.distance[c, lane] / SPACING
        self.near[c, lane] = max(self.near[c, lane], min(vehicles, reach))
        self.beyond[c, lane] = max(self.beyond[c, lane], vehicles - reach)

    def _judge(self, count: Floats, heard: Bools) -> None:
        """A loop is dead when not heard, or mute while its partner counts many."""
        self.silent = np.where(count > 0, 0.0, self.silent + count[::-1] * heard[::-1])
        self.alive = heard & (self.silent < 30)

    def _count(self, count: Floats, alive: Bools, green: Bools) -> None:
        self.green_for = np.where(green, self.green_for + 1, 0.0)
        arrived = np.where(alive[0], count[0], self.rate)
        modelled = np.where(green, np.minimum(self.near, self.full_flow), 0.0)
        left = np.where(alive[1], count[1], modelled)
        self.near = np.maximum(0.0, self.near + arrived - left)

    def _correct(self, count: Floats, occupancy: Floats, alive: Bools, green: Bools) -> None:
        t = self.tables
        seen = (count[1] > 0) | (occupancy[1] > 0)
        self.idle = np.where(seen, 0.0, self.idle + 1)
        # A queue begins at the stop line: nobody there, and only those just come in are left.
        gone = alive[1] & (self.idle >= 3)
        came = np.where(alive[0], self._just_came(count[0]), self.rate * self._reach)
        self.near = np.where(gone, np.minimum(self.near, came), self.near)
        waiting = alive[1] & ~green & (occupancy[1] > 0.5)
        self.near = np.where(waiting, np.maximum(self.near, 1.0), self.near)
        self.cover += np.where(alive[0], COVER_STEP * (occupancy[0] - self.cover), 0.0)
        full = t.distance / SPACING
        jammed = alive[0] & (self.cover > 0.6) & (full > 4)
        self.near = np.where(jammed, np.maximum(self.near, 0.9 * full), self.near)
        clear = alive[0] & (self.cover < 0.3) & (full > 4)
        self.near = np.where(clear, np.minimum(self.near, 0.9 * full), self.near)
        self.near = np.where(alive[0], np.minimum(self.near, 1.1 * full + 1), self.near)
        grown = np.maximum(0.0, self.beyond + self.rate - count[0])
        room = np.maximum(0.0, t.length - t.distance) / SPACING + 5.0
        brim = jammed | (alive[0] & ~clear & (full > 4) & (self.near >= 0.9 * full))
        held = np.where(clear, 0.7 * self.beyond, self.beyond)
        self.beyond = np.minimum(np.where(brim, grown, held), room)
        self.beyond = np.where(clear & (self.beyond < 0.5), 0.0, self.beyond)
        self.near *= t.real

    def _just_came(self, count: Floats) -> Floats:
        """Vehicles counted in during the time a lane takes to drive."""
        self._ring[self._at] = count
        ages = (self._at - np.arange(RING)) % RING
        self._at = (self._at + 1) % RING
        return (self._ring * (ages[:, None, None] < self._reach)).sum(axis=0)

    def _learn(self, count: Floats, alive: Bools, green: Bools, filtered: Bools) -> None:
        demand = np.where(alive[0], count[0], count[1])
        heard = alive[0] | alive[1]
        choked = alive[0] & (self.beyond > 0.5)  # what comes in is then less than what wants to
        step = np.where(choked, 0.25, 1.0) / RATE_MEMORY
        self.rate = np.where(heard, self.rate + step * (demand - self.rate), self.rate)
        queued = alive[1] & green & (self.green_for >= 4) & (self.near >= 2) & (self.idle <= 1)
        step = 1.0 / SATURATION_MEMORY
        for flow, when in ((self.full_flow, ~filtered), (self.filtered_flow, filtered)):
            learn = queued & when
            flow += np.where(learn, step * (count[1] - flow), 0.0)
            np.clip(flow, 0.06, 0.65, out=flow)
        # A lane blocked once is not blocked for ever: forget slowly while it waits.
        rest = ~green
        self.full_flow += np.where(rest, 0.002 * (self.tables.saturation - self.full_flow), 0.0)
