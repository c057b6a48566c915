"""Buildings and what is in them: opening hours, alarms that rise from detector to zone to building,
doors, plant and meters."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from simcity.behaviours.base import DONE, OUT_OF_RANGE, Behaviour, Point, choice, number
from simcity.behaviours.hours import OPENING
from simcity.commands import Outcome
from simcity.lamp import Floats, Ints

INTRUSION = ("disarmed", "armed", "partly_armed", "alarm")
FIRE = ("normal", "pre_alarm", "alarm", "fault")
OCCUPANCY = ("closed", "open", "occupied_out_of_hours")
STATE = ("normal", "alarm", "fault", "isolated")
SERVICE = ("in_service", "inhibited", "test")
POSITION = ("closed", "open", "held_open", "forced")
LOCK = ("locked", "unlocked", "released")
RUNNING = ("stopped", "running", "fault")
ORDER_HOLDS = 8 * 3600.0


class Building(Behaviour):
    kind = "Building"
    points = (
        Point("intrusion", watched=True, words=INTRUSION),
        Point("fire", watched=True, words=FIRE),
        Point("occupancy", watched=True, words=OCCUPANCY),
        Point("indoorTemperature", 1),
        Point("mainsLost", watched=True),
        Point("lineLost", watched=True),
    )
    interval = 300.0
    watch_every = 1.0
    verbs = ("arm", "disarm")
    modes = {  # noqa: RUF012
        "intrusion": {"intrusion": 3.0},
        "fire": {"fire": 2.0},
        "mainsLost": {"mainsLost": 1.0},
        "lineLost": {"lineLost": 1.0},
    }
    without_power = {"mainsLost": 1.0}  # noqa: RUF012
    without_network = {"lineLost": 1.0}  # noqa: RUF012
    ignores_power = True  # its alarms have a battery

    def prepare(self) -> None:
        self._ordered = self.keep("ordered", -1.0)
        self._until = self.keep("until", 0.0)

    def link(self) -> None:
        uses = [OPENING.get(str(use), (8.0, 18.0, 5)) for use in self.attribute("use")]
        self._opens = np.array([u[0] for u in uses]).reshape(self.count) + 0.5 * self.draw(1)
        self._closes = np.array([u[1] for u in uses]).reshape(self.count) + 0.5 * self.draw(2)
        self._days = np.array([u[2] for u in uses]).reshape(self.count)

    def open(self, rows: Ints, t: float, before: float = 0.0) -> Floats:
        at = self.world.local(t)
        hours = (at.hour >= self._opens[rows] - before) & (at.hour < self._closes[rows] + before)
        return (hours & (at.weekday < self._days[rows])).astype(np.float64)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        is_open = self.open(rows, t)
        armed = 1 - self.open(rows, t, 0.5)
        armed = np.where(t < self._until[rows], self._ordered[rows], armed)
        alarm = self._alarms(IntrusionDetector.kind)[rows]
        fire = self._alarms(FireDetector.kind)[rows]
        outdoor = self.world.weather.temperature(t)
        wanted = 16 + 4.5 * is_open + 1.5 * self.draw(3, rows)
        inside = wanted + 0.12 * (outdoor - 12) + self.wander(4, rows, t, 3600)
        return [
            np.where(alarm > 0, 3.0, armed), np.where(fire > 0, 2.0, 0.0), is_open, inside,
            np.zeros(len(rows)), np.zeros(len(rows)),
        ]  # fmt: skip

    def _alarms(self, kind: str) -> Floats:
        found = np.zeros(self.count)
        detectors, zones = self.world.kinds.get(kind), self.world.kinds.get(AlarmZone.kind)
        if isinstance(detectors, Detector) and isinstance(zones, AlarmZone):
            building = zones.building[detectors.zone[detectors.alarmed()]]
            np.add.at(found, building[building >= 0], 1.0)
        return found

    def stops_orders(self, mode: str) -> bool:
        return mode == "lineLost"

    def obey(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        self._ordered[row] = 1.0 if verb == "arm" else 0.0
        self._until[row] = t + ORDER_HOLDS
        return DONE


class AlarmZone(Behaviour):
    kind = "AlarmZone"
    points = (
        Point("state", watched=True, words=STATE),
        Point("service", watched=True, words=SERVICE),
        Point("tamper", watched=True),
    )
    interval = 300.0
    watch_every = 1.0
    verbs = ("inhibit",)
    modes = {"alarm": {"state": 1.0}, "fault": {"state": 2.0}, "tamper": {"tamper": 1.0}}  # noqa: RUF012
    ignores_power = True

    def prepare(self) -> None:
        self._service = self.keep("service", 0.0)

    def link(self) -> None:
        self.building = np.append(self.parents_in(Building.kind), -1)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        alarm = np.zeros(self.count + 1)
        for kind in (FireDetector.kind, IntrusionDetector.kind):
            detectors = self.world.kinds.get(kind)
            if isinstance(detectors, Detector):
                alarm[detectors.zone[detectors.alarmed()]] = 1.0
        isolated = self._service[rows] == SERVICE.index("inhibited")
        state = np.where(isolated, 3.0, alarm[rows])
        return [state, self._service[rows], np.zeros(len(rows))]

    def stops_orders(self, mode: str) -> bool:
        return False

    def obey(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        service = choice(params, "service", SERVICE)
        if service is None:
            return OUT_OF_RANGE
        self._service[row] = service
        return DONE


class Detector(Behaviour):
    """What detectors share: a zone, and a fault named alarm."""

    interval = 600.0
    watch_every = 1.0
    ignores_power = True

    def link(self) -> None:
        self.zone = self.parents_in(AlarmZone.kind)  # −1 is nobody's place at the array's end

    def alarmed(self) -> Ints:
        return np.flatnonzero(self.mode == self.mode_names.index("alarm"))


class FireDetector(Detector):
    kind = "FireDetector"
    points = (
        Point("state", watched=True, words=STATE),
        Point("soiling", 1),
        Point("temperature", 1),
    )
    modes = {  # noqa: RUF012
        "alarm": {"state": 1.0, "temperature": 74.0},
        "fault": {"state": 2.0},
    }

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        soiling = 60 * ((t / 86_400 / (200 + 300 * self.draw(1, rows)) + self.draw(2, rows)) % 1)
        return [np.zeros(len(rows)), soiling, 18 + 5 * self.wander(3, rows, t, 7200)]


class IntrusionDetector(Detector):
    kind = "IntrusionDetector"
    points = (
        Point("state", watched=True, words=STATE),
        Point("tamper", watched=True),
        Point("batteryLevel"),
    )
    modes = {"alarm": {"state": 1.0}, "fault": {"state": 2.0}, "tamper": {"tamper": 1.0}}  # noqa: RUF012

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        zero = np.zeros(len(rows))
        return [zero, zero, battery(self, rows, t)]


class Door(Behaviour):
    kind = "Door"
    points = (
        Point("position", watched=True, words=POSITION),
        Point("lock", watched=True, words=LOCK),
        Point("tamper", watched=True),
    )
    interval = 300.0
    watch_every = 1.0
    witnessed = False
    verbs = ("open_door", "set_lock")
    modes = {  # noqa: RUF012
        "forced": {"position": 3.0},
        "heldOpen": {"position": 2.0},
        "tamper": {"tamper": 1.0},
    }
    ignores_power = True

    def prepare(self) -> None:
        self._open_until = self.keep("open_until", 0.0)
        self._lock = self.keep("lock", -1.0)

    def link(self) -> None:
        self._building = self.parents_in(Building.kind)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        buildings, of = self.world.kinds.get(Building.kind), self._building[rows]
        is_open = np.zeros(len(rows))
        if isinstance(buildings, Building):
            is_open = np.where(of >= 0, buildings.open(np.maximum(of, 0), t), 0.0)
        passes = (self.draw_at(1, rows, t / 180) < 0.25) & (is_open > 0)
        into = t % 180 - 160 * self.draw_at(2, rows, t / 180)
        walking = passes & (into >= 0) & (into < 9)
        ordered = t < self._open_until[rows]
        lock = np.where(self._lock[rows] >= 0, self._lock[rows], is_open)
        lock = np.where(ordered, 2.0, lock)
        shut = (self._lock[rows] == 0) & ~ordered
        return [(walking & ~shut | ordered).astype(np.float64), lock, np.zeros(len(rows))]

    def stops_orders(self, mode: str) -> bool:
        return False

    def obey(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        if verb == "open_door":
            seconds = number(params, "seconds", 1, 600)
            if seconds is None:
                return OUT_OF_RANGE
            self._open_until[row] = t + seconds
            return DONE
        lock = choice(params, "lock", LOCK[:2])
        if lock is None:
            return OUT_OF_RANGE
        self._lock[row] = lock
        return DONE


class TechnicalPoint(Behaviour):
    kind = "TechnicalPoint"
    points = (
        Point("value", 1),
        Point("alarm", watched=True),
        Point("running", watched=True, words=RUNNING),
        Point("setPoint", 1, watched=True),
    )
    interval = 120.0
    watch_every = 1.0
    verbs = ("write_set_point",)
    modes = {"fault": {"running": 2.0, "alarm": 1.0}, "alarm": {"alarm": 1.0}}  # noqa: RUF012

    def prepare(self) -> None:
        self._usual = np.round(18 + 40 * self.draw(1))
        self._set = self.keep("set_point", -1e9)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        wanted = np.where(self._set[rows] > -1e9, self._set[rows], self._usual[rows])
        runs = (t % 1800 / 1800 + self.draw(2, rows)) % 1 < 0.6
        value = wanted - 2 + 4 * self.wander(3, rows, t, 900)
        return [value, np.zeros(len(rows)), runs.astype(np.float64), wanted]

    def stops_orders(self, mode: str) -> bool:
        return mode == "fault"

    def obey(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        value = number(params, "value", -1e6, 1e6)
        if value is None:
            return OUT_OF_RANGE
        self._set[row] = value
        return DONE


class EnergyMeter(Behaviour):
    kind = "EnergyMeter"
    points = (
        Point("activeEnergy", 2),
        Point("activePower"),
        Point("volume", 2),
        Point("tamper", watched=True),
    )
    interval = 300.0
    sparse = True  # a water meter knows no power
    modes = {"tamper": {"tamper": 1.0}}  # noqa: RUF012
    ignores_power = True

    def link(self) -> None:
        self._water = np.array([m == "water" for m in self.attribute("medium")], np.bool_)
        self._water = self._water.reshape(self.count)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        mean = 2_000 + 22_000 * self.draw(1, rows) ** 2
        turn = 2 * np.pi * ((t + self.world.local(t).offset) / 86_400 - 0.3)
        since = t - 1.7e9
        # The integral of mean × (1 + 0.6 sin(turn)): the meter and the power agree.
        energy = mean * (since - 0.6 * 86_400 / (2 * np.pi) * np.cos(turn)) / 3.6e6
        power = mean * (1 + 0.6 * np.sin(turn))
        volume = (since - 0.6 * 86_400 / (2 * np.pi) * np.cos(turn)) * 2e-5 * (0.2 + mean / 1e4)
        water, nothing = self._water[rows], np.full(len(rows), np.nan)
        base = 50_000 * self.draw(2, rows) + 1000
        return [
            np.where(water, nothing, base + energy), np.where(water, nothing, power),
            np.where(water, base + volume, nothing), np.zeros(len(rows)),
        ]  # fmt: skip


def battery(of: Behaviour, rows: Ints, t: float) -> Floats:
    """It lasts some years, then somebody changes it."""
    years = 2 + 4 * of.draw(90, rows)
    used = (t / 86_400 / 365.25 / years + of.draw(91, rows)) % 1
    return np.round(100 - 85 * used)
