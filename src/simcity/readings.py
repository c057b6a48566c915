"""Readings as the contract writes them: one JSON object a device, numbered (boot, n)."""

from itertools import compress

import numpy as np

from simcity.behaviours import Behaviour
from simcity.behaviours.streetlight import Streetlight
from simcity.lamp import Ints
from simcity.world import Residents

HEAD = b'%b%d,"at":%d,"values":{'
BRIEF = HEAD + b'"dimmingLevel":%g,"activePower":%.1f,"activeEnergy":%.3f}}'
Row = tuple[int, int, int]  # device, n, at in milliseconds


class Form:
    """How the readings of one kind are written."""

    def __init__(self, behaviour: Behaviour):
        self.values = [
            b'"%b":' % point.name.encode()
            + (b"%%.%df" % point.decimals if point.decimals else b"%g" if _exact(point) else b"%d")
            for point in behaviour.points
        ]
        self.whole = HEAD + b",".join(self.values) + b"}}"

    def sparse(self, head: bytes, n: int, at: int, row: tuple[float, ...]) -> bytes:
        """Without the values that are missing."""
        there = [value == value for value in row]
        form = HEAD + b",".join(compress(self.values, there)) + b"}}"
        return form % (head, n, at, *compress(row, there))


def _exact(point: object) -> bool:
    return getattr(point, "name", "") == "dimmingLevel"


class Scribe:
    """Measures equipment and writes what it says; counts each device's messages."""

    def __init__(self, residents: Residents, boot: int, brief: bool):
        self._residents = residents
        self._brief = brief
        self._forms = [Form(behaviour) for behaviour in residents.behaviours]
        self._heads = [
            b'{"device":"%b","boot":%d,"n":' % (device.device.encode(), boot)
            for device in residents.devices
        ]
        self._next = np.zeros(len(residents.devices), dtype=np.int64)
        self._salt = np.uint64(boot) << np.uint64(32)

    def write(self, devices: Ints, t: float, at: int) -> tuple[list[bytes], list[Row]]:
        """Bodies and (device, n, at) in the order of `devices`, each named at most once.

        `t` is the city's time, on which what is true depends; `at` the true time in milliseconds.
        """
        serial = self._next[devices]
        self._next[devices] = serial + 1
        numbers, n = devices.tolist(), serial.tolist()
        rows = [(number, k, at) for number, k in zip(numbers, n, strict=True)]
        kinds = self._residents.kind_of[devices]
        first = int(kinds[0]) if len(kinds) else 0
        if (kinds == first).all():
            return self._kind(first, devices, numbers, n, serial, t, at), rows
        bodies: list[bytes] = [b""] * len(numbers)
        for kind in np.unique(kinds).tolist():
            places = np.flatnonzero(kinds == kind)
            some = devices[places]
            part = serial[places]
            written = self._kind(kind, some, some.tolist(), part.tolist(), part, t, at)
            for place, body in zip(places.tolist(), written, strict=True):
                bodies[place] = body
        return bodies, rows

    def _kind(
        self, kind: int, devices: Ints, numbers: list[int], n: list[int], serial: Ints,
        t: float, at: int,
    ) -> list[bytes]:  # fmt: skip
        heads, noise = self._heads, serial.astype(np.uint64) + self._salt
        behaviour, form = self._residents.behaviours[kind], self._forms[kind]
        rows = devices - self._residents.first[kind]
        if self._brief and isinstance(behaviour, Streetlight):
            level, power, energy = behaviour.fleet.measure_briefly(rows, t, noise)
            return [
                BRIEF % (heads[i], k, at, v, p, e)
                for i, k, v, p, e in zip(
                    numbers, n, level.tolist(), power.tolist(), energy.tolist(), strict=True
                )
            ]
        columns = behaviour.measure(rows, t, noise)
        values = zip(*(column.tolist() for column in columns), strict=True)
        if behaviour.sparse:
            return [
                form.sparse(heads[i], k, at, row)
                for i, k, row in zip(numbers, n, values, strict=True)
            ]
        whole = form.whole
        return [
            whole % (heads[i], k, at, *row) for i, k, row in zip(numbers, n, values, strict=True)
        ]
