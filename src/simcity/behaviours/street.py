"""Waste containers that fill and are emptied, parking spots that turn over."""

import numpy as np

from simcity.behaviours.base import Behaviour, Point
from simcity.behaviours.building import battery
from simcity.behaviours.hours import traffic
from simcity.lamp import Floats, Ints

SPOT = ("free", "occupied", "closed")
DAY = 86_400.0


class WasteContainer(Behaviour):
    kind = "WasteContainer"
    points = (
        Point("fillingLevel"),
        Point("temperature", 1),
        Point("batteryLevel"),
        Point("fire", watched=True),
        Point("overturned", watched=True),
    )
    interval = 900.0
    watch_every = 10.0
    modes = {"fire": {"fire": 1.0, "temperature": 130.0}, "overturned": {"overturned": 1.0}}  # noqa: RUF012

    def prepare(self) -> None:
        self._days = 2 + np.floor(7 * self.draw(1))  # a lorry comes every so many days
        self._hour = 4.5 + 7 * self.draw(2)
        self._phase = np.floor(self.draw(3) * self._days)
        self._most = 45 + 65 * self.draw(4)  # how full it is by then

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        offset = self.world.local(t).offset
        since = t + offset - self._hour[rows] * 3600 - self._phase[rows] * DAY
        share = since / (self._days[rows] * DAY) % 1
        level = np.round(np.clip(self._most[rows] * share, 0, 100))
        air = self.world.weather.temperature(t) + 3 + 4 * self.draw(5, rows)
        return [level, air, battery(self, rows, t), np.zeros(len(rows)), np.zeros(len(rows))]


class ParkingSpot(Behaviour):
    kind = "ParkingSpot"
    points = (Point("occupied", watched=True, words=SPOT), Point("batteryLevel"))
    interval = 900.0
    watch_every = 5.0
    witnessed = False
    modes = {"closed": {"occupied": 2.0}}  # noqa: RUF012

    def prepare(self) -> None:
        self._stay = 1200 + 6000 * self.draw(1) ** 2
        self._phase = self._stay * self.draw(2)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        step = np.floor((t + self._phase[rows]) / self._stay[rows])
        at = self.world.local(t)
        hours = (step * self._stay[rows] - self._phase[rows] + at.offset) / 3600 % 24
        grid = np.array([traffic(h, at.weekday) for h in range(25)])
        wanted = 0.3 + 0.6 * np.interp(hours, np.arange(25), grid)
        taken = self.draw_at(3, rows, step) < wanted
        into = (t + self._phase[rows]) % self._stay[rows]
        gap = into < 60 + 240 * self.draw_at(4, rows, step)  # it is free for a moment in between
        return [(taken & ~gap).astype(np.float64), battery(self, rows, t)]
