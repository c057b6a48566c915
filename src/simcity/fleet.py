"""All the equipment of one process in arrays: its true state, at any time.

Lamps come first, cabinets after them. A lamp follows the schedule (each with its own small
offset: its light cell) until a command sets a level, which holds until the schedule's next
switch. Meters are exact integrals, so nothing depends on how often anyone looks.
"""

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from simcity.faults import Fault, fault_of
from simcity.lamp import STANDBY_W, Floats, Ints, Schedule, ambient, hash01, load, voltage
from simcity.provisioning import Device

LIGHT_CELL_SPREAD = 150.0  # seconds around the timetable
DEFAULT_POWER = 60.0
CABINET_LOSSES = 1.03
STREETLIGHT, CABINET = "Streetlight", "StreetlightControlCabinet"


@dataclass(frozen=True)
class Lamps:
    """What some lamps would measure at one moment."""

    level: Floats
    power: Floats
    energy: Floats  # kWh
    hours: Floats
    voltage: Floats
    temperature: Floats
    lamp_failure: Ints
    supply_loss: Ints


@dataclass(frozen=True)
class Cabinets:
    power: Floats
    energy: Floats
    voltage: Floats


class Fleet:
    def __init__(
        self,
        devices: list[Device],
        site_of: list[int],
        schedule: Schedule,
        seed: int,
        rate: float,
        fed_by: dict[str, str] | None = None,
    ):
        """`devices` lamps first; `site_of` numbers the gateway of each; `fed_by` says which cabinet
        feeds a lamp, by source ids, where that is known."""
        self.schedule = schedule
        self.devices = devices
        self.lamps = sum(1 for device in devices if device.kind == STREETLIGHT)
        count = self.lamps
        lamps = devices[:count]
        self._key = np.array(
            [
                int.from_bytes(
                    hashlib.blake2b(f"{seed}:{d.source_id}".encode(), digest_size=8).digest(), "big"
                )
                for d in devices
            ],
            dtype=np.uint64,
        )
        key = self._key[:count]
        self.nominal = np.array([d.power or DEFAULT_POWER for d in lamps], dtype=np.float64)
        self._offset = (hash01(key) - 0.5) * 2 * LIGHT_CELL_SPREAD
        age = hash01(key, np.full(count, 7, np.uint64)) * 12_000
        self.fault = np.array(
            [fault_of(seed, rate, d.source_id) for d in lamps], dtype=np.int64
        ).reshape(count)
        # meters: reading at the anchor, then the schedule's (or the manual level's) integral
        self._anchor = np.full(count, schedule.times[0])
        self._energy = age * self.nominal * 0.6 / 1000
        self._hours = age
        self._manual = np.zeros(count)
        self._until = np.full(count, -np.inf)
        self.members = self._feed(devices, site_of, fed_by or {})

    def _feed(
        self, devices: list[Device], site_of: list[int], fed_by: dict[str, str]
    ) -> list[Ints]:
        """The lamps of each cabinet: those said to be; else those of its gateway nearest to it."""
        count = self.lamps
        cabinets = len(devices) - count
        if not cabinets:
            return []
        place = np.array([(d.lon, d.lat * 1.47) for d in devices], dtype=np.float64)
        site = np.array(site_of, dtype=np.int64)
        number = {device.source_id: i for i, device in enumerate(devices[count:])}
        feeder = np.array(
            [number.get(fed_by.get(d.source_id, ""), -1) for d in devices[:count]], dtype=np.int64
        ).reshape(count)
        said = feeder >= 0
        for gateway in np.unique(site[count:]).tolist():
            mine = np.flatnonzero(site[count:] == gateway)
            lamps = np.flatnonzero((site[:count] == gateway) & ~said)
            if len(lamps):
                offset = place[lamps][:, None] - place[count + mine][None, :]
                feeder[lamps] = mine[np.hypot(offset[..., 0], offset[..., 1]).argmin(axis=1)]
        order = np.argsort(feeder, kind="stable")
        bounds = np.searchsorted(feeder[order], np.arange(cabinets + 1))
        return [order[a:b] for a, b in pairwise(bounds.tolist())]

    # --- what is true

    def level(self, lamps: Ints, t: float) -> Floats:
        """The level the lamp holds: commanded or by the schedule; dark lamps included."""
        scheduled = self.schedule.level(t - self._offset[lamps])
        return np.where(t < self._until[lamps], self._manual[lamps], scheduled)

    def shining(self, lamps: Ints, t: float) -> Floats:
        """The level one would see in the street."""
        dark = self.fault[lamps] >= Fault.LAMP_FAILURE
        return np.where(dark, 0.0, self.level(lamps, t))

    def _power(self, lamps: Ints, level: Floats) -> Floats:
        supplied = self.fault[lamps] != Fault.SUPPLY_LOSS
        return np.where(supplied, STANDBY_W + self.nominal[lamps] * load(level), 0.0)

    def _meters(self, lamps: Ints, t: float) -> tuple[Floats, Floats]:
        """kWh and hours lit at t (not before the anchor)."""
        anchor, until, offset = self._anchor[lamps], self._until[lamps], self._offset[lamps]
        held = np.clip(np.minimum(t, until) - anchor, 0.0, None)
        since = np.clip(until, anchor, t)  # when the schedule took over
        burned_0, lit_0 = self.schedule.meters(since - offset)
        burned_1, lit_1 = self.schedule.meters(t - offset)
        manual = self._manual[lamps]
        shines = self.fault[lamps] < Fault.LAMP_FAILURE
        burned = (burned_1 - burned_0 + held * load(manual)) * shines
        lit = (lit_1 - lit_0 + held * (manual > 0)) * shines
        standby = STANDBY_W * (t - anchor) * (self.fault[lamps] != Fault.SUPPLY_LOSS)
        energy = self._energy[lamps] + (burned * self.nominal[lamps] + standby) / 3.6e6
        return energy, self._hours[lamps] + lit / 3600

    # --- what changes it

    def _settle(self, lamps: Ints, t: float) -> None:
        """Move the meters' anchor to t before anything else changes."""
        energy, hours = self._meters(lamps, t)
        self._energy[lamps], self._hours[lamps] = energy, hours
        self._anchor[lamps] = t

    def command(self, levels: dict[int, float], t: float) -> None:
        """Hold a level per lamp until the schedule's next switch."""
        lamps = np.fromiter(levels, np.int64, len(levels))
        self._settle(lamps, t)
        self._manual[lamps] = np.fromiter(levels.values(), np.float64, len(levels))
        offset = self._offset[lamps]
        self._until[lamps] = self.schedule.next_switch(t - offset) + offset

    def set_fault(self, lamp: int, fault: Fault, t: float) -> None:
        self._settle(np.array([lamp]), t)
        self.fault[lamp] = fault

    def set_faults(self, lamps: Ints, faults: Ints, t: float) -> None:
        """Those of many lamps at once."""
        self._settle(lamps, t)
        self.fault[lamps] = faults

    def extend(self, schedule: Schedule) -> None:
        """Go on with a longer timetable that begins like the present one."""
        self.schedule = schedule

    def state(self, t: float) -> list[tuple[float, float | None, float | None, float, float]]:
        """(true level, manual level, until, kWh, hours) of every lamp, to keep over a restart."""
        every = np.arange(self.lamps)
        energy, hours = self._meters(every, t)
        held = t < self._until
        manual = [v if h else None for v, h in zip(self._manual.tolist(), held, strict=True)]
        until = [v if h else None for v, h in zip(self._until.tolist(), held, strict=True)]
        columns = self.shining(every, t).tolist(), manual, until, energy.tolist(), hours.tolist()
        return list(zip(*columns, strict=True))

    def restore(
        self,
        lamp: int,
        t: float,
        manual: float | None,
        until: float | None,
        energy: float,
        hours: float,
    ) -> None:
        """Go on from a state kept at t."""
        self._anchor[lamp], self._energy[lamp], self._hours[lamp] = t, energy, hours
        if manual is not None and until is not None:
            self._manual[lamp], self._until[lamp] = manual, until

    # --- what instruments say

    def measure(self, lamps: Ints, t: float, serial: NDArray[np.uint64]) -> Lamps:
        """Readings with their noise, which depends on seed, lamp and message number only."""
        level = self.shining(lamps, t)
        energy, hours = self._meters(lamps, t)
        noise = hash01(self._key[lamps], serial)
        supply_loss = (self.fault[lamps] == Fault.SUPPLY_LOSS).astype(np.int64)
        on = 1 - supply_loss
        return Lamps(
            level=level,
            power=self._power(lamps, level) * (0.985 + 0.03 * noise),
            energy=energy,
            hours=hours,
            voltage=voltage(t, noise) * on,
            temperature=ambient(t) + 0.22 * level + 1.5 * noise,
            lamp_failure=(self.fault[lamps] == Fault.LAMP_FAILURE).astype(np.int64),
            supply_loss=supply_loss,
        )

    def measure_briefly(
        self, lamps: Ints, t: float, serial: NDArray[np.uint64]
    ) -> tuple[Floats, Floats, Floats]:
        """Level, power and energy alone."""
        level = self.shining(lamps, t)
        noise = hash01(self._key[lamps], serial)
        power = self._power(lamps, level) * (0.985 + 0.03 * noise)
        return level, power, self._meters(lamps, t)[0]

    def measure_cabinets(self, cabinets: Ints, t: float, serial: NDArray[np.uint64]) -> Cabinets:
        """A cabinet meters the lamps it feeds, and its own losses. `cabinets` count from 0."""
        power, energy = np.zeros(len(cabinets)), np.zeros(len(cabinets))
        for row, cabinet in enumerate(cabinets.tolist()):
            members = self.members[cabinet]
            if len(members):
                power[row] = self._power(members, self.shining(members, t)).sum()
                energy[row] = self._meters(members, t)[0].sum()
        noise = hash01(self._key[cabinets + self.lamps], serial)
        return Cabinets(
            power=(12.0 + power * CABINET_LOSSES) * (0.995 + 0.01 * noise),
            energy=energy * CABINET_LOSSES,
            voltage=voltage(t, noise),
        )
