"""Control cabinets: they meter and feed their lamps; what trips here goes dark in the street."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcity.behaviours.base import DONE, OUT_OF_RANGE, Behaviour, Point, choice
from simcity.commands import Outcome
from simcity.fleet import Fleet
from simcity.lamp import Floats, Ints

OPEN, CLOSED = 0.0, 1.0
POSITIONS = ("open", "closed")


class Cabinet(Behaviour):
    kind = "StreetlightControlCabinet"
    points = (
        Point("activePower", 1),
        Point("activeEnergy", 3),
        Point("supplyVoltage", 1),
        Point("doorOpen", watched=True),
        Point("supplyLoss", watched=True),
        Point("contactor", watched=True, words=POSITIONS),
        Point("breakerTripped", watched=True),
    )
    verbs = ("switch_contactor",)
    modes = {  # noqa: RUF012
        "supplyLoss": {"supplyLoss": 1.0, "activePower": 0.0, "supplyVoltage": 0.0},
        "breakerTripped": {"breakerTripped": 1.0, "activePower": 8.0},
        "doorOpen": {"doorOpen": 1.0},
    }
    without_power = modes["supplyLoss"]
    cuts_power = ("supplyLoss", "breakerTripped")
    watch_every = 1.0
    fleet: Fleet

    def prepare(self) -> None:
        self.contactor = self.keep("contactor", CLOSED)

    def attach(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def measure(self, rows: Ints, t: float, serial: NDArray[np.uint64]) -> Sequence[Floats]:
        m = self.fleet.measure_cabinets(rows, t, serial)
        zero = np.zeros(len(rows))
        columns = [m.power, m.energy, m.voltage, zero, zero.copy(), self.contactor[rows], zero]
        return self.faulty([np.array(c) for c in columns], rows)

    def changed(self, t: float) -> list[tuple[int, str, float]]:
        """Without metering every lamp of the city to see whether a door opened."""
        rows = np.arange(self.count)
        zero = np.zeros(self.count)
        columns = [zero.copy() for _ in self.points]
        columns[self.slot["contactor"]] = self.contactor.copy()
        return self.compare(self.faulty(columns, rows))

    def stops_orders(self, mode: str) -> bool:
        return mode == "supplyLoss"

    def obey(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        position = choice(params, "position", POSITIONS)
        if position is None:
            return OUT_OF_RANGE
        self.contactor[row] = position
        self.settle(row)
        return DONE

    def switched_off(self, row: int) -> bool:
        return self.contactor[row] == OPEN
