"""Buses: they drive their lines by timetable, stop, run late in the rush, and rest at night."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from simcity.behaviours.base import DONE, OUT_OF_RANGE, Behaviour, Point
from simcity.behaviours.hours import traffic
from simcity.behaviours.moving import Line, line
from simcity.commands import Outcome
from simcity.lamp import Floats, Ints, hash01

OCCUPANCY = (
    "empty", "many_seats", "few_seats", "standing", "crushed", "full", "not_accepting",
)  # fmt: skip
SERVICE = ("off", "in_service", "not_in_service", "broken_down")
SPEED, SPACING, DWELL = 7.5, 420.0, 22.0
FIRST, LAST = 5.5, 23.75  # hours


class Bus(Behaviour):
    kind = "Bus"
    points = (
        Point("longitude", 6),
        Point("latitude", 6),
        Point("speed", 1),
        Point("heading"),
        Point("delay"),
        Point("occupancy", words=OCCUPANCY),
        Point("service", watched=True, words=SERVICE),
        Point("doorsOpen"),
        Point("emergency", watched=True),
    )
    interval = 10.0
    verbs = ("send_text",)
    modes = {  # noqa: RUF012
        "brokenDown": {"service": 3.0, "speed": 0.0},
        "emergency": {"emergency": 1.0},
    }
    ignores_power = True

    def prepare(self) -> None:
        self._lines: dict[str, Line] = {}
        self._frozen: dict[int, tuple[float, float, float]] = {}

    def link(self) -> None:
        names = [str(name) or "L1" for name in self.attribute("line", "L1")]
        self._line = names
        rank: dict[str, int] = {}
        self._rank = np.zeros(self.count)
        for row, name in enumerate(names):
            self._rank[row] = rank[name] = rank.get(name, -1) + 1
        self._share = np.array([self._rank[i] / (rank[n] + 1) for i, n in enumerate(names)])
        lon = np.array([d.lon for d in self.devices])
        lat = np.array([d.lat for d in self.devices])
        self._depot = self.world.roads.to_xy(lon, lat).reshape(self.count, 2)

    def _way(self, name: str) -> Line:
        if name not in self._lines:
            roads, seed = self.world.roads, np.uint64(self.world.seed)
            salt = np.uint64(sum(ord(c) * 131**i for i, c in enumerate(name)) & 0xFFFFFFFF)
            draw = hash01(np.full(3, seed), np.full(3, salt), np.arange(3).astype(np.uint64))
            middle = np.median(roads.xy, axis=0)
            reach = np.percentile(np.hypot(*(roads.xy - middle).T), 60)
            turn = 2 * np.pi * draw[0]
            far = reach * (0.5 + 0.5 * draw[1])
            one = middle + far * np.array([np.cos(turn), np.sin(turn)])
            bent = turn + np.pi * (0.7 + 0.6 * draw[2])
            other = middle + far * np.array([np.cos(bent), np.sin(bent)])
            nodes = roads.nearest(np.stack([one, middle, other])).tolist()
            self._lines[name] = line(roads, nodes, SPEED, SPACING, DWELL)
        return self._lines[name]

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        at = self.world.local(t)
        busy = traffic(at.hour, at.weekday)
        late = 240 * busy * (self.wander(1, rows, t, 1200) - 0.2)
        begins = FIRST + 1.5 * self.draw(2, rows)
        in_hours = (at.hour >= begins) & (at.hour < LAST - 2 * self.draw(3, rows))
        serves = in_hours.astype(np.float64)
        found = np.zeros((len(rows), 5))
        for place, row in enumerate(rows.tolist()):
            way = self._way(self._line[row])
            if serves[place]:
                into = (t - late[place] + self._share[row] * way.way.duration) % way.way.duration
                x, y, speed, heading = way.way.where(into)
                doors = float(way.stands(np.array([into]), DWELL)[0])
                found[place] = x, y, speed, heading, doors
            else:
                found[place, :2] = self._depot[row]
        for place, row in enumerate(rows.tolist()):
            if row in self._frozen:
                found[place] = (*self._frozen[row], 1.0, 0.0)[:5]
        place = self.world.roads.to_lonlat(found[:, :2])
        filling = np.floor(np.clip(busy * 5 * self.wander(4, rows, t, 600), 0, 5))
        return [
            place[:, 0], place[:, 1], found[:, 2] * (found[:, 4] == 0), found[:, 3],
            np.where(serves, np.round(late), 0), filling * serves, serves,
            found[:, 4], np.zeros(len(rows)),
        ]  # fmt: skip

    def fail(self, row: int, mode: str, t: float) -> None:
        """A bus that breaks down stands where it is."""
        self._frozen.pop(row, None)
        if mode == "brokenDown":
            lon, lat = (c[0] for c in self.truth(np.array([row]), t)[:2])
            x, y = self.world.roads.to_xy(np.array(lon), np.array(lat))
            self._frozen[row] = float(x), float(y), 0.0
        super().fail(row, mode, t)

    def changed(self, t: float) -> list[tuple[int, str, float]]:
        """Only who is in service, without driving every line."""
        at, rows = self.world.local(t), np.arange(self.count)
        begins, ends = FIRST + 1.5 * self.draw(2, rows), LAST - 2 * self.draw(3, rows)
        columns = [np.zeros(self.count) for _ in self.points]
        columns[self.slot["service"]] = np.array(
            (at.hour >= begins) & (at.hour < ends), dtype=np.float64
        )
        return self.compare(self.faulty(columns, rows))

    def stops_orders(self, mode: str) -> bool:
        return False

    def obey(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        text = params.get("text")
        return DONE if isinstance(text, str) and len(text) <= 200 else OUT_OF_RANGE
