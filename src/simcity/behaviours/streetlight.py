"""Street lights: the fleet's arithmetic behind a behaviour's face."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcity.behaviours.base import DONE, OUT_OF_RANGE, Behaviour, Point, number
from simcity.commands import Outcome
from simcity.faults import BY_NAME, NAMES, Fault, fault_of
from simcity.fleet import Fleet
from simcity.lamp import Floats, Ints
from simcity.topology import Bools


class Streetlight(Behaviour):
    kind = "Streetlight"
    points = (
        Point("dimmingLevel"),
        Point("activePower", 1),
        Point("activeEnergy", 3),
        Point("operatingHours", 2),
        Point("supplyVoltage", 1),
        Point("temperature", 1),
        Point("lampFailure"),
        Point("supplyLoss"),
    )
    verbs = ("set_dimming_level",)
    modes = {"lampFailure": {}, "supplyLoss": {}}  # noqa: RUF012
    without_power = {"supplyLoss": 1.0}  # noqa: RUF012
    ignores_power = True
    fleet: Fleet

    def attach(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def _seeded(self, rate: float, source_id: str) -> int:
        return self.mode_names.index(NAMES[fault_of(self.world.seed, rate, source_id)])

    def measure(self, rows: Ints, t: float, serial: NDArray[np.uint64]) -> Sequence[Floats]:
        m = self.fleet.measure(rows, t, serial)
        return (
            m.level, m.power, m.energy, m.hours, m.voltage, m.temperature,
            m.lamp_failure.astype(np.float64), m.supply_loss.astype(np.float64),
        )  # fmt: skip

    def online(self) -> Bools:
        return self.mode != self.mode_names.index("offline")

    def obey(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        level = number(params, "level", 0, 100)
        if level is None:
            return OUT_OF_RANGE
        self.fleet.command({row: level}, t)
        return DONE

    def fault(self, row: int) -> Fault:
        return Fault(int(self.fleet.fault[row]))

    def fail(self, row: int, mode: str, t: float) -> None:
        super().fail(row, mode, t)
        self._tell(np.array([row]), t)

    def cut(self, unpowered: Bools, unreached: Bools, t: float) -> None:
        changed = np.flatnonzero(unpowered != self.unpowered)
        super().cut(unpowered, unreached, t)
        if len(changed):
            self._tell(changed, t)

    def _tell(self, rows: Ints, t: float) -> None:
        """The fleet knows one fault a lamp: a dead supply hides the others."""
        own = np.array([BY_NAME.get(name, Fault.NONE) for name in self.mode_names], np.int64)
        faults = np.where(self.unpowered[rows], int(Fault.SUPPLY_LOSS), own[self.mode[rows]])
        self.fleet.set_faults(rows, faults, t)
