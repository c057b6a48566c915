"""Readings as the contract writes them: one JSON object a device, numbered (boot, n)."""

import numpy as np

from simcity.fleet import Fleet
from simcity.lamp import Ints

FULL = (
    b'%b%d,"at":%d,"values":{"dimmingLevel":%g,"activePower":%.1f,"activeEnergy":%.3f,'
    b'"operatingHours":%.2f,"supplyVoltage":%.1f,"temperature":%.1f,'
    b'"lampFailure":%d,"supplyLoss":%d}}'
)
BRIEF = b'%b%d,"at":%d,"values":{"dimmingLevel":%g,"activePower":%.1f,"activeEnergy":%.3f}}'
CABINET = (
    b'%b%d,"at":%d,"values":{"activePower":%.1f,"activeEnergy":%.3f,'
    b'"supplyVoltage":%.1f,"doorOpen":0,"supplyLoss":0}}'
)
Row = tuple[int, int, int]  # device, n, at in milliseconds


class Scribe:
    """Measures equipment and writes what it says; counts each device's messages."""

    def __init__(self, fleet: Fleet, boot: int, brief: bool):
        self._fleet = fleet
        self._brief = brief
        self._heads = [
            b'{"device":"%b","boot":%d,"n":' % (device.device.encode(), boot)
            for device in fleet.devices
        ]
        self._next = np.zeros(len(fleet.devices), dtype=np.int64)
        self._salt = np.uint64(boot) << np.uint64(32)

    def write(self, devices: Ints, t: float, at: int) -> tuple[list[bytes], list[Row]]:
        """Bodies and (device, n, at) in the order of `devices`, each named at most once.

        `t` is the city's time, on which lamps depend; `at` the true time in milliseconds.
        """
        serial = self._next[devices]
        self._next[devices] = serial + 1
        numbers, n = devices.tolist(), serial.tolist()
        is_lamp = devices < self._fleet.lamps
        rows = [(number, k, at) for number, k in zip(numbers, n, strict=True)]
        if is_lamp.all():
            return self._lamps(devices, numbers, n, serial, t, at), rows
        bodies: list[bytes] = [b""] * len(numbers)
        for chosen, writer in ((is_lamp, self._lamps), (~is_lamp, self._cabinets)):
            places = np.flatnonzero(chosen)
            if len(places):
                some = devices[places]
                made = writer(some, some.tolist(), serial[places].tolist(), serial[places], t, at)
                for place, body in zip(places.tolist(), made, strict=True):
                    bodies[place] = body
        return bodies, rows

    def _lamps(
        self, lamps: Ints, numbers: list[int], n: list[int], serial: Ints, t: float, at: int
    ) -> list[bytes]:
        heads, fleet, noise = self._heads, self._fleet, serial.astype(np.uint64) + self._salt
        if self._brief:
            level, power, energy = fleet.measure_briefly(lamps, t, noise)
            return [
                BRIEF % (heads[i], k, at, v, p, e)
                for i, k, v, p, e in zip(
                    numbers, n, level.tolist(), power.tolist(), energy.tolist(), strict=True
                )
            ]
        m = fleet.measure(lamps, t, noise)
        columns = (m.level, m.power, m.energy, m.hours, m.voltage, m.temperature)
        flags = (m.lamp_failure, m.supply_loss)
        values = zip(*(column.tolist() for column in (*columns, *flags)), strict=True)
        return [
            FULL % (heads[i], k, at, *row) for i, k, row in zip(numbers, n, values, strict=True)
        ]

    def _cabinets(
        self, devices: Ints, numbers: list[int], n: list[int], serial: Ints, t: float, at: int
    ) -> list[bytes]:
        noise = serial.astype(np.uint64) + self._salt
        m = self._fleet.measure_cabinets(devices - self._fleet.lamps, t, noise)
        return [
            CABINET % (self._heads[i], k, at, p, e, v)
            for i, k, p, e, v in zip(
                numbers, n, m.power.tolist(), m.energy.tolist(), m.voltage.tolist(), strict=True
            )
        ]
