"""Crossings: controllers run programmes by the clock, signal groups follow their stages, detectors
count what the hour brings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simcity.behaviours.base import DONE, OUT_OF_RANGE, Behaviour, Point, choice, number
from simcity.behaviours.hours import traffic
from simcity.commands import Outcome
from simcity.lamp import Floats, Ints

MODE = ("normal", "flashing", "dark", "all_red", "manual", "isolated")
PRIORITY = ("none", "asked", "granted", "refused")
COLOUR = ("red", "red_amber", "green", "amber", "flashing_amber", "dark")
DETECTOR = ("working", "stuck_on", "stuck_off")
CYCLES = (60.0, 90.0, 110.0)  # plans 1, 2, 3: night, day, rush
AMBER, CLEARING = 3.0, 2.0


@dataclass(frozen=True)
class Moment:
    """Where some controllers are in their programmes."""

    mode: Floats
    plan: Floats
    second: Floats
    stage: Floats
    into: Floats  # seconds into the stage
    left: Floats  # seconds until its end


class TrafficLightController(Behaviour):
    kind = "TrafficLightController"
    points = (
        Point("mode", watched=True, words=MODE),
        Point("plan", watched=True),
        Point("cycleSecond"),
        Point("stage"),
        Point("lampFault", watched=True),
        Point("doorOpen", watched=True),
        Point("supplyLoss", watched=True),
        Point("priority", words=PRIORITY),
    )
    interval = 30.0
    watch_every = 1.0
    verbs = ("set_plan", "set_signal_mode")
    modes = {  # noqa: RUF012
        "flashing": {"mode": 1.0},
        "lampFault": {"lampFault": 1.0},
        "doorOpen": {"doorOpen": 1.0},
        "supplyLoss": {"supplyLoss": 1.0, "mode": 2.0, "stage": 0.0, "cycleSecond": 0.0},
    }
    without_power = modes["supplyLoss"]
    cuts_power = ("supplyLoss",)

    def prepare(self) -> None:
        self.ordered_mode = self.keep("ordered_mode", 0.0)
        self.ordered_plan = self.keep("ordered_plan", 0.0)
        self.stages = 2.0 + np.floor(3 * self.draw(1))
        self.offset = 120 * self.draw(2)

    def moment(self, rows: Ints, t: float) -> Moment:
        at = self.world.local(t)
        usual = 1.0 if not 6 <= at.hour < 22 else 3.0 if _rush(at.hour, at.weekday) else 2.0
        ordered = self.ordered_plan[rows]
        plan = np.where(ordered > 0, ordered, usual)
        cycle = np.array(CYCLES)[(plan.astype(np.int64) - 1) % len(CYCLES)]
        second = (t + self.offset[rows]) % cycle
        length = cycle / self.stages[rows]
        stage = np.floor(second / length)
        mode = self.ordered_mode[rows].copy()
        for place, name in enumerate(self.mode_names):
            if "mode" in self.modes.get(name, {}):
                mode[self.mode[rows] == place] = self.modes[name]["mode"]
        mode[self.unpowered[rows]] = MODE.index("dark")
        into = second - stage * length
        return Moment(mode, plan, second, stage + 1, into, length - into)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        now, zero = self.moment(rows, t), np.zeros(len(rows))
        asked = self.draw_at(3, rows, t / 120) < 0.1
        priority = np.where(asked, np.where(t % 120 < 8, 1.0, np.where(t % 120 < 40, 2.0, 0.0)), 0)
        return [now.mode, now.plan, np.floor(now.second), now.stage, zero, zero, zero, priority]

    def stops_orders(self, mode: str) -> bool:
        return mode == "supplyLoss"

    def obey(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        if verb == "set_plan":
            plan = number(params, "plan", 1, 255)
            if plan is None:
                return OUT_OF_RANGE
            self.ordered_plan[row] = plan
            return DONE
        mode = choice(params, "mode", MODE)
        if mode is None or MODE[int(mode)] not in ("normal", "flashing", "all_red"):
            return OUT_OF_RANGE
        self.ordered_mode[row] = mode
        return DONE


class SignalGroup(Behaviour):
    kind = "SignalGroup"
    points = (
        Point("colour", watched=True, words=COLOUR),
        Point("greenSeconds"),
        Point("lampFault", watched=True),
    )
    interval = 300.0
    watch_every = 1.0
    witnessed = False  # thirty changes a second are no news
    modes = {"lampFault": {"lampFault": 1.0}, "dark": {"colour": 5.0, "lampFault": 1.0}}  # noqa: RUF012
    without_power = {"colour": 5.0}  # noqa: RUF012

    def link(self) -> None:
        self._controller = self.parents_in(TrafficLightController.kind)
        rank = np.array([float(n) for n in self.attribute("number", 1)]).reshape(self.count)
        self._rank = rank
        self._walks = np.array([use == "piétons" for use in self.attribute("use")], np.bool_)
        self._walks = self._walks.reshape(self.count)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        controllers = self.world.kinds.get(TrafficLightController.kind)
        colour, green, zero = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
        if not isinstance(controllers, TrafficLightController):
            return [colour, green, zero]
        known = np.flatnonzero(self._controller[rows] >= 0)
        mine, of = rows[known], self._controller[rows[known]]
        now = controllers.moment(of, t)
        # People cross while the other stage has green.
        stage = (self._rank[mine] + self._walks[mine]) % controllers.stages[of] + 1
        has = stage == now.stage
        last = np.where(self._walks[mine], AMBER + 5, CLEARING)
        amber = has & ~self._walks[mine] & (now.left <= AMBER + CLEARING) & (now.left > CLEARING)
        is_green = has & (now.left > np.where(self._walks[mine], last, AMBER + CLEARING))
        shown = np.select([is_green, amber], [2.0, 3.0], 0.0)
        shown = np.where(now.mode == MODE.index("flashing"), 4.0, shown)
        shown = np.where(now.mode == MODE.index("all_red"), 0.0, shown)
        shown = np.where(now.mode == MODE.index("dark"), 5.0, shown)
        colour[known] = shown
        green[known] = np.where(shown == 2, np.floor(now.into), 0)
        return [colour, green, zero]


class TrafficDetector(Behaviour):
    kind = "TrafficDetector"
    points = (
        Point("flow"),
        Point("occupancy", 1),
        Point("speed", 1),
        Point("trucks", 1),
        Point("detector", watched=True, words=DETECTOR),
    )
    interval = 60.0
    modes = {  # noqa: RUF012
        "stuckOn": {"detector": 1.0, "occupancy": 100.0, "flow": 0.0},
        "stuckOff": {"detector": 2.0, "occupancy": 0.0, "flow": 0.0},
    }

    def prepare(self) -> None:
        self._capacity = 150 + 900 * self.draw(1) ** 2
        self._free = 8 + 6 * self.draw(2)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        at = self.world.local(t)
        load = traffic(at.hour, at.weekday) * (0.75 + 0.5 * self.wander(3, rows, t, 420))
        flow = np.clip(self._capacity[rows] * load, 0, 9000)
        speed = self._free[rows] * (1 - 0.5 * np.clip(load, 0, 1.2) ** 3)
        occupancy = np.clip(100 * flow / 3600 * 6.5 / np.maximum(speed, 1), 0, 95)
        trucks = 3 + 9 * self.draw_at(4, rows, t / 900) * (6 <= at.hour < 19)
        return [np.round(flow), occupancy, speed, trucks, np.zeros(len(rows))]


def _rush(hour: float, weekday: int) -> bool:
    return weekday < 5 and (7.25 <= hour < 9.25 or 16.5 <= hour < 18.75)
