"""What roams a beat on duty: vehicles at the pace of traffic, people with radios on foot.

Time is cut into missions. At the start of one it leaves for a crossing of its beat by the shortest
way; what is left of the mission it spends there. Off duty it is at its depot.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from simcity.behaviours.base import DONE, OUT_OF_RANGE, Behaviour, Point
from simcity.behaviours.moving import Way, drive
from simcity.commands import Outcome
from simcity.lamp import Floats, Ints

DUTY = ("off_duty", "available", "on_way", "on_scene", "busy", "returning")
OFF, AVAILABLE, ON_WAY, ON_SCENE, BUSY, RETURNING = range(6)
# fleet or service → (begins, ends) in hours; the end may be after midnight
SHIFTS = {
    "police": (0.0, 24.0),
    "waste": (4.5, 12.5),
    "cleaning": (5.0, 13.0),
    "winter": (3.0, 10.0),
    "roads": (7.0, 16.5),
    "lighting": (7.5, 17.0),
    "parks": (7.0, 15.5),
    "water": (7.5, 17.5),
    "Police": (0.0, 24.0),
    "Voirie": (7.0, 16.5),
    "Propreté": (5.0, 13.0),
    "Astreinte": (0.0, 24.0),
}


class Roaming(Behaviour):
    mission: ClassVar[float] = 1800.0
    beat: ClassVar[float] = 2500.0
    pace: ClassVar[tuple[float, float]] = (7.0, 12.0)
    whose: ClassVar[str] = "fleet"
    text_limit: ClassVar[int] = 200
    interval = 10.0
    ignores_power = True

    def prepare(self) -> None:
        self._ways: dict[int, tuple[int, Way]] = {}
        self._phase = self.mission * self.draw(1)
        self._pace = self.pace[0] + (self.pace[1] - self.pace[0]) * self.draw(2)

    def link(self) -> None:
        shifts = [SHIFTS.get(str(who), (6.0, 22.0)) for who in self.attribute(self.whose)]
        begins = np.array([a for a, _ in shifts]).reshape(self.count)
        ends = np.array([b for _, b in shifts]).reshape(self.count)
        always = ends - begins >= 24
        # Who serves round the clock takes turns: eight hours of the day each.
        turn = np.floor(3 * self.draw(3)) * 8
        self.begins = np.where(always, turn, begins + 0.5 * self.draw(4))
        self.length = np.where(always, 8.0, ends - begins - 0.5)
        roads = self.world.roads
        lon = np.array([d.lon for d in self.devices])
        lat = np.array([d.lat for d in self.devices])
        self._depot = roads.nearest(roads.to_xy(lon, lat)).reshape(self.count)
        # A beat is a quarter of the city, not the street the depot is in.
        heart = np.median(roads.xy, axis=0)
        spread = np.percentile(np.hypot(*(roads.xy - heart).T), 50)
        turn, far = 2 * np.pi * self.draw(5), spread * np.sqrt(self.draw(6))
        offset = np.stack([np.cos(turn), np.sin(turn)], axis=-1) * far[:, None]
        centre = roads.nearest(heart + offset).reshape(self.count)
        self._beat = [roads.around(roads.xy[c], self.beat) for c in centre.tolist()]

    def on_duty(self, rows: Ints, t: float | Floats) -> Floats:
        """By mission: who starts one finishes it."""
        start = self._starts(rows, t)
        offset = self.world.local(float(np.max(start)) if len(start) else 0.0).offset
        hour = (start + offset) / 3600 % 24
        return ((hour - self.begins[rows]) % 24 < self.length[rows]).astype(np.float64)

    def _starts(self, rows: Ints, t: float | Floats) -> Floats:
        return np.floor((t + self._phase[rows]) / self.mission) * self.mission - self._phase[rows]

    def _place(self, row: int, mission: int) -> int:
        """Where it ends a mission."""
        one = np.array([row])
        t = mission * self.mission - self._phase[row]
        if not self.on_duty(one, t + 1.0)[0]:
            return int(self._depot[row])
        beat = self._beat[row]
        return int(beat[int(self.draw_at(7, one, float(mission))[0] * len(beat))])

    def way(self, row: int, mission: int) -> Way:
        held = self._ways.get(row)
        if held is None or held[0] != mission:
            roads = self.world.roads
            start, end = self._place(row, mission - 1), self._place(row, mission)
            path = roads.way(start, end)
            held = mission, drive(path, float(self._pace[row]), self.mission * 0.9)
            self._ways[row] = held
        return held[1]

    def moves(self, rows: Ints, t: float) -> tuple[Floats, Floats]:
        """(x, y, speed, heading) and duty of each."""
        found, duty = np.zeros((len(rows), 4)), np.zeros(len(rows))
        on = self.on_duty(rows, t)
        mission = np.floor((t + self._phase[rows]) / self.mission)
        start = self._starts(rows, t)
        for place, row in enumerate(rows.tolist()):
            way = self.way(row, int(mission[place]))
            into = t - float(start[place])
            found[place] = way.where(into)
            driving = into < way.duration
            if on[place]:
                duty[place] = ON_WAY if driving else ON_SCENE
            else:
                duty[place] = RETURNING if driving and way.duration > 1 else OFF
        return found, duty

    def shifts(self, rows: Ints, t: float) -> Floats:
        """Seconds on duty since a fixed day: mileage and fuel follow it, and never run back."""
        local = t - 1.7e9 + self.world.local(t).offset - self.begins[rows] * 3600
        whole = np.floor(local / 86_400)
        length = self.length[rows] * 3600
        return whole * length + np.minimum(local - whole * 86_400, length)

    def stops_orders(self, mode: str) -> bool:
        return False

    def obey(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        text = params.get("text")
        return DONE if isinstance(text, str) and len(text) <= self.text_limit else OUT_OF_RANGE


class Vehicle(Roaming):
    kind = "Vehicle"
    points = (
        Point("longitude", 6),
        Point("latitude", 6),
        Point("speed", 1),
        Point("heading"),
        Point("ignition"),
        Point("fuelLevel", 1),
        Point("mileage", 1),
        Point("duty", watched=True, words=DUTY),
        Point("equipment"),
        Point("emergency", watched=True),
    )
    verbs = ("send_destination",)
    modes = {"emergency": {"emergency": 1.0}}  # noqa: RUF012

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        found, duty = self.moves(rows, t)
        place = self.world.roads.to_lonlat(found[:, :2])
        served = self.shifts(rows, t)
        fuel = 98 - (served / 3600 * 1.3 + 80 * self.draw(8, rows)) % 80
        mileage = 90_000 * self.draw(9, rows) + served * 0.0035
        return [
            place[:, 0], place[:, 1], found[:, 2], found[:, 3], (duty != OFF) * 1.0,
            fuel, mileage, duty, (duty == ON_SCENE) * 1.0, np.zeros(len(rows)),
        ]  # fmt: skip


class Radio(Roaming):
    kind = "Radio"
    points = (
        Point("longitude", 6),
        Point("latitude", 6),
        Point("speed", 1),
        Point("heading"),
        Point("batteryLevel", 1),
        Point("duty", watched=True, words=DUTY),
        Point("talkGroup"),
        Point("signal"),
        Point("emergency", watched=True),
    )
    beat = 500.0
    pace = (1.1, 1.6)
    whose = "service"
    text_limit = 140
    verbs = ("send_message",)
    modes = {"emergency": {"emergency": 1.0}}  # noqa: RUF012

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        found, duty = self.moves(rows, t)
        place = self.world.roads.to_lonlat(found[:, :2])
        hour = self.world.local(t).hour
        into = (hour - self.begins[rows]) % 24
        battery = np.where(duty == OFF, 100.0, np.clip(100 - into * 7, 8, 100))
        group = 1000 + np.floor(4 * self.draw(8, rows))
        signal = -58 - 45 * self.wander(9, rows, t, 180)
        return [
            place[:, 0], place[:, 1], found[:, 2], found[:, 3], battery, duty,
            group, np.round(signal), np.zeros(len(rows)),
        ]  # fmt: skip
