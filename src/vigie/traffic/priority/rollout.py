"""What each possible course of the next minutes would cost, for all crossings at once.

A course (a row) holds the present stage `hold` seconds more, goes to `target`, then runs the
following stages by a simple policy up to the horizon. Queues are fluid: they grow at the lane's
demand and shrink at its discharge, so every interval has a closed form and no second is stepped
through. Waiting is the area under the queue (vehicle-seconds, vertical queue: Webster 1958,
Robertson & Bretherton 1991 for the rolling horizon). A bus passes when what stands before it has
been discharged and it has arrived itself. Where a crossing has two stop lines one behind the other,
what the first lets go is what comes to the second: nobody is counted as waiting at both.

R rows, L lanes, B bus samples (each bus several times, with its arrival early, likely and late).
"""

from typing import NamedTuple

import numpy as np

from .tables import Bools, Floats, Ints, Tables

FAR = 1e6
TINY = 1e-6
CHAIN = 2
"""Stop lines one behind the other at one crossing that are followed, beyond the first."""


class Buses(NamedTuple):
    """Bus samples per crossing, each (C, B); `weight` 0 pads."""

    lane: Ints
    ahead: Floats
    eta: Floats
    """Seconds from now to the stop line if nothing stood in the way."""
    weight: Floats


class Rows(NamedTuple):
    """The courses weighed, each (R,)."""

    crossing: Ints
    stage: Ints
    hold: Floats
    target: Ints
    policy: Floats
    """Share of the time needed to clear the queues that later greens get; 0: as planned."""


class Outcome(NamedTuple):
    """What came out of each row."""

    waiting: Floats
    """(R, L) vehicle-seconds, with what is left over at the horizon."""
    passing: Floats
    """(R, B) seconds from now at which the bus sample passes."""
    traffic: Floats
    """(R,) weighted waiting."""
    vehicles: Floats
    """(R,) vehicle-seconds, unweighted."""
    bus: Floats
    """(R,) weighted waiting of the buses."""


class _State:
    def __init__(
        self, t: Tables, rows: Rows, queue: Floats, rate: Floats, buses: Buses, end: float
    ) -> None:
        c = rows.crossing
        self.rows = np.arange(len(c))
        self.queue = queue[c]
        self.rate = rate[c]
        self.area = np.zeros_like(self.queue)
        self.now = np.zeros(len(c))
        self.end = end
        self.lane = buses.lane[c]
        self.ahead = buses.ahead[c]
        self.eta = buses.eta[c]
        self.passing = np.full(self.eta.shape, FAR)
        share, coming = _feed(t, rate)
        self.own = (rate - coming)[c]
        self.share = [share[c, :, j] for j in range(share.shape[2])]
        lanes = self.queue.shape[1]
        self.feeders = [
            self.rows[:, None] * lanes + t.feeders[c, :, j] for j in range(len(self.share))
        ]
        self.lag = (t.length / t.speed + 2.0)[c]

    def serve(self, flow: Floats, seconds: Floats, green: Floats) -> None:
        """Let `flow` (R, L) discharge for `seconds` (R,); buses pass where it is `green` only.

        A queue uses part of the amber; a bus that is still on its way brakes for it.
        """
        span = np.maximum(0.0, np.minimum(seconds, self.end - self.now))
        wide = span[:, None]
        fed, late = self._fed(flow, wide)
        coming = self.own + fed
        after = self.queue + (coming - flow) * wide
        cleared = after < 0
        drained = self.queue * self.queue / np.maximum(2.0 * (flow - coming), TINY)
        self.area += np.where(cleared, drained, 0.5 * (self.queue + after) * wide)
        self.queue = np.maximum(after, 0.0) + late
        out = flow[self.rows[:, None], self.lane]
        reach = self.now[:, None] + self.ahead / np.maximum(out, TINY)
        at = np.maximum(reach, self.eta)
        sure = out * green[self.rows[:, None], self.lane]
        hit = (sure > 0.02) & (self.passing >= FAR) & (at <= (self.now + span)[:, None])
        self.passing = np.where(hit, at, self.passing)
        self.ahead = np.maximum(0.0, self.ahead - out * wide)
        self.now = self.now + span

    def _fed(self, flow: Floats, wide: Floats) -> tuple[Floats, Floats]:
        """What comes from a first stop line to a second: vehicles a second meanwhile, and the
        vehicles still on their way when the interval ends."""
        fed = late = np.zeros_like(self.queue)
        if not self.share:
            return fed, late
        caught = np.minimum(1.0, self.lag / np.maximum(wide, TINY))
        for _ in range(CHAIN):
            most = self.queue / np.maximum(wide, TINY) + self.own + fed
            gone = np.minimum(flow, most)
            inflow = np.zeros_like(fed)
            for share, feeders in zip(self.share, self.feeders, strict=True):
                inflow += share * gone.take(feeders)
            fed, late = inflow * (1.0 - caught), inflow * caught * wide
        return fed, late


def _feed(t: Tables, rate: Floats) -> tuple[Floats, Floats]:
    """Shares (C, L, J) that agree with the demand counted, and what comes so on average (C, L)."""
    index = np.arange(t.shape[0])[:, None, None]
    coming = (t.feed * rate[index, t.feeders]).sum(axis=2)
    fit = np.minimum(1.0, rate / np.maximum(coming, TINY))
    return t.feed * fit[:, :, None], coming * fit


def roll(
    t: Tables,
    flows: tuple[Floats, Floats],
    queue: Floats,
    rate: Floats,
    weight: Floats,
    buses: Buses,
    rows: Rows,
    horizon: float,
) -> Outcome:
    """Weigh every row over `horizon` seconds."""
    stage_flow, way_flow = flows
    c = rows.crossing
    state = _State(t, rows, queue, rate, buses, horizon)
    stage = rows.stage.copy()
    always = np.ones_like(state.queue)
    state.serve(stage_flow[c, stage], rows.hold, always)
    target = rows.target.copy()
    for _ in range(3 * t.shape[1] + 2):
        way = (c, stage, target)
        state.serve(way_flow[way], t.way_seconds[way], t.way_through[way])
        stage = target
        target = (stage + 1) % t.count[c]
        flow = stage_flow[c, stage]
        greens = _policy(t, rows, stage, flow, stage_flow[c, target], state)
        state.serve(flow, greens, always)
        if bool((state.now >= horizon - TINY).all()):
            break
    left = state.queue
    best = np.maximum(stage_flow.max(axis=1) * np.clip(t.planned_share, 0.1, 0.8), 0.03)[c]
    waiting = state.area + left * (8.0 + 0.5 * left / best)
    lost = np.maximum(0.0, np.minimum(state.passing, horizon + 20.0) - state.eta)
    return Outcome(
        waiting,
        state.passing,
        (waiting * weight[c]).sum(axis=1),
        (waiting * t.real[c]).sum(axis=1),
        (lost * buses.weight[c]).sum(axis=1),
    )


def _policy(
    t: Tables, rows: Rows, stage: Ints, flow: Floats, following: Floats, state: _State
) -> Floats:
    """Greens of a later stage: enough for the queues it alone serves, or as planned."""
    c = rows.crossing
    ending: Bools = (flow > 0.02) & (following < 0.02)
    need = np.where(ending, state.queue / np.maximum(flow - state.rate, 0.1), 0.0).max(axis=1)
    planned = t.green[c, stage]
    asked = np.where(rows.policy > 0, rows.policy * (need + 2.0), planned)
    roof = np.minimum(t.most[c, stage], 1.5 * planned + 5.0)
    return np.maximum(t.least[c, stage], np.minimum(asked, roof))
