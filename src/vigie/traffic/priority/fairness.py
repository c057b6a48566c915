"""Who has lost against the plan: what keeps retiming from making many happy at a few's expense.

Two things decide what a movement waits under a plan: how long its red is, and whether its green
suffices. Both can be compared with the plan from the lamps alone, whatever the loops miss: a
lane whose red outlasts the plan's own weighs more with every second, and so does one that got a
smaller share of green than planned while vehicles were left over at the end of its greens. This
is also the compensation after priority: what a bus took from a lane is what makes it weigh.
"""

import numpy as np

from .runner import aspects, planned
from .tables import Bools, Floats, Tables

MEMORY = 300.0  # seconds of green that are compared
ENOUGH = 1.1  # share of its planned green that a lane with vehicles left over is to get at least
PATIENCE = 0.8  # share of the planned red after which a lane begins to weigh more
ROOF = 6.0


class Fairness:
    """Weights (C, L) of the lanes against one another."""

    def __init__(self, tables: Tables) -> None:
        shape = (tables.shape[0], tables.shape[2])
        self.weight: Floats = np.ones(shape)
        self.red: Floats = np.zeros(shape)
        """Seconds since each lane could last go."""
        self.left_over: Floats = np.zeros(shape)
        """How often, lately, vehicles were left when its green ended (0 to 1)."""
        self.planned_red, self.planned_share = _plan_of(tables)
        self.share: Floats = self.planned_share.copy()
        self._went: Bools = np.ones(shape, dtype=np.bool_)

    def update(self, green: Bools, idle: Floats, red_gain: float, share_gain: float) -> None:
        """One second: who may go, seconds since each stop line last saw a vehicle, strengths."""
        ended = self._went & ~green
        left = (idle <= 2.0).astype(np.float64)
        self.left_over = np.where(ended, 0.6 * self.left_over + 0.4 * left, self.left_over)
        self.share += (green - self.share) / MEMORY
        self.red = np.where(green, 0.0, self.red + 1.0)
        self._went = green
        late = np.maximum(0.0, self.red / self.planned_red - PATIENCE)
        short = np.maximum(0.0, ENOUGH * self.planned_share / np.maximum(self.share, 0.02) - 1.0)
        starved = share_gain * short * np.maximum(0.0, self.left_over - 0.5)
        self.weight = np.minimum((1.0 + red_gain * late) * (1.0 + starved), ROOF)


def _plan_of(tables: Tables) -> tuple[Floats, Floats]:
    """Longest red and share of green of each lane over one turn of the plan, (C, L)."""
    shape = (tables.shape[0], tables.shape[2])
    longest, share = np.full(shape, 10.0), np.zeros(shape)
    for c, crossing in enumerate(tables.crossings):
        red = np.zeros(shape[1])
        for at in range(2 * crossing.cycle):
            now = crossing.offset + at
            full, filtered = tables.shows(c, aspects(crossing, planned(crossing, now), now))
            may_go = (full + filtered) > 0
            red = np.where(may_go, 0.0, red + 1.0)
            longest[c] = np.maximum(longest[c], red)
            share[c] += may_go / (2 * crossing.cycle)
    return longest, share
