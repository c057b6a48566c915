"""Retractable bollards: people with a badge pass, lorries park on them, orders open and close."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from simcity.behaviours.base import DONE, OUT_OF_RANGE, Behaviour, Point, choice
from simcity.commands import Outcome
from simcity.lamp import Floats, Ints

BARRIER = ("raised", "lowered", "moving", "blocked")
MODE = ("automatic", "forced_open", "forced_closed", "out_of_service")
RAISED, LOWERED, MOVING, BLOCKED = range(4)
TRAVEL = 3.0  # seconds
OPENED = 23.0  # from the beginning of a passage until it rises again
SLOT = 600.0  # at most one passage in so long
STAY = 3600.0  # at most one lorry in so long
HOLD = 300.0  # an order holds so long in automatic mode


class Bollard(Behaviour):
    kind = "RetractableBollard"
    points = (
        Point("barrier", watched=True, words=BARRIER),
        Point("mode", watched=True, words=MODE),
        Point("presence", watched=True),
        Point("supplyLoss", watched=True),
        Point("cycles"),
        Point("oilTemperature", 1),
    )
    interval = 60.0
    watch_every = 1.0
    verbs = ("lower", "raise", "set_mode")
    modes = {  # noqa: RUF012
        "blocked": {"barrier": float(BLOCKED)},
        "outOfService": {"mode": 3.0},
        "supplyLoss": {"supplyLoss": 1.0, "barrier": float(LOWERED)},
    }
    without_power = modes["supplyLoss"]

    def prepare(self) -> None:
        self.held = self.keep("held", -1.0)  # RAISED or LOWERED
        self.since = self.keep("since", 0.0)
        self.forced = self.keep("mode_forced", 0.0)
        self.busy = 0.15 + 0.6 * self.draw(1)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        barrier, presence = self._automatic(rows, t)
        held = np.where(self.forced[rows] == 1, LOWERED, self.held[rows])
        held = np.where(self.forced[rows] == 2, RAISED, held)
        holds = (self.forced[rows] > 0) | ((held >= 0) & (t < self.since[rows] + HOLD))
        moving = t - self.since[rows] < TRAVEL
        barrier = np.where(holds, np.where(moving, MOVING, held), barrier)
        presence = presence * (barrier == LOWERED)
        cycles = np.floor(self.draw(2, rows) * 40_000 + (t - 1.7e9) / 86_400 * 90 * self.busy[rows])
        oil = self.world.weather.temperature(t) + 4 + 10 * self.draw(3, rows)
        return [barrier, self.forced[rows], presence, np.zeros(len(rows)), cycles, oil]

    def _automatic(self, rows: Ints, t: float) -> tuple[Floats, Floats]:
        hour = self.world.local(t).hour
        day = 1.0 if 7 <= hour < 20 else 0.12
        step = t / SLOT
        passes = self.draw_at(4, rows, step) < self.busy[rows] * day
        into = t % SLOT - self.draw_at(5, rows, step) * (SLOT - OPENED - 2 * TRAVEL)
        into = np.where(passes, into, -1.0)
        barrier = np.select(
            [into < 0, into < TRAVEL, into < OPENED, into < OPENED + TRAVEL],
            [RAISED, MOVING, LOWERED, MOVING],
            RAISED,
        )
        presence = (into > TRAVEL + 2) & (into < OPENED - 3)
        # A lorry that delivers: it stands on the bollard for minutes.
        lorry = self.draw_at(6, rows, t / STAY) < (0.05 if 7 <= hour < 12 else 0.006)
        parked = lorry & (t % STAY < 600 + 1800 * self.draw_at(7, rows, t / STAY))
        return np.where(parked, LOWERED, barrier).astype(np.float64), (presence | parked).astype(
            np.float64
        )

    def stops_orders(self, mode: str) -> bool:
        return mode != "outOfService"

    def obey(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        presence = self.measure(np.array([row]), t, np.zeros(1, np.uint64))[2][0]
        if verb == "set_mode":
            mode = choice(params, "mode", MODE[:3])
            if mode is None:
                return OUT_OF_RANGE
            if mode == MODE.index("forced_closed") and presence:
                return Outcome("refused", "presence")
            self.forced[row], self.since[row] = mode, t
            return DONE
        if self.forced[row]:
            return Outcome("refused", "forced")
        if verb == "raise" and presence:
            return Outcome("refused", "presence")
        now = self.truth(np.array([row]), t)[0][0]
        wanted = LOWERED if verb == "lower" else RAISED
        self.held[row] = wanted
        self.since[row] = t - TRAVEL if now == wanted else t
        return DONE
