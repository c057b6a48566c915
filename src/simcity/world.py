"""All the city's behaviours together: who is where among the devices, what spreads, what changed.

The world moves in whole seconds of city time, whatever the pace of the clock: the same seed and
the same beginning give the same happenings, at true pace or at sixty times it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from simcity.behaviours import BEHAVIOURS, Behaviour
from simcity.behaviours.base import World
from simcity.behaviours.cabinet import Cabinet
from simcity.behaviours.streetlight import Streetlight
from simcity.fleet import Fleet
from simcity.lamp import Ints, Schedule
from simcity.provisioning import Device
from simcity.roads import read_roads
from simcity.scenario import Play, Step
from simcity.topology import Bools, Tree, read_topology
from simcity.weather import Front, Weather

MOST_STEPS = 600  # seconds caught up one by one; a longer sleep is skipped
RANK = {kind: number for number, kind in enumerate(BEHAVIOURS)}


@dataclass(frozen=True)
class Happening:
    """Something that became so: seen in a device, or set by a scenario."""

    t: float
    device: int  # −1: nobody in particular
    point: str
    value: float | str


def in_order(devices: list[Device]) -> list[int]:
    """Numbers of the devices by kind, lamps and cabinets first; kinds without behaviour last."""
    return sorted(range(len(devices)), key=lambda i: RANK.get(devices[i].kind, len(RANK)))


class Residents:
    """Every device of one process and how it behaves."""

    def __init__(
        self,
        devices: list[Device],
        site_of: list[int],
        schedule: Schedule,
        *,
        seed: int,
        rate: float,
        zone: str,
        folder: Path | None,
    ):
        self.devices = devices
        lon = sum(d.lon for d in devices) / len(devices)
        lat = sum(d.lat for d in devices) / len(devices)
        self.shared = World(
            seed, ZoneInfo(zone), read_topology(folder), read_roads(folder, (lon, lat)),
            Weather(seed),
        )  # fmt: skip
        self.behaviours: list[Behaviour] = []
        self.first: list[int] = []
        self.kind_of = np.full(len(devices), -1, dtype=np.int64)  # behaviour of each device
        for kind, make in BEHAVIOURS.items():
            mine = [i for i, device in enumerate(devices) if device.kind == kind]
            if mine:
                self.kind_of[mine] = len(self.behaviours)
                self.first.append(mine[0])
                behaviour = make([devices[i] for i in mine], self.shared, rate)
                self.behaviours.append(behaviour)
                self.shared.kinds[kind] = behaviour
        known = int((self.kind_of >= 0).sum())
        lamps = [d for d in devices if d.kind in (Streetlight.kind, Cabinet.kind)]
        power = self.shared.topology.power
        fed_by = {d.source_id: power.get(d.source_id, "").partition("/")[0] for d in lamps}
        self.fleet = Fleet(lamps, site_of[: len(lamps)], schedule, seed, rate, fed_by)
        self._root(devices[:known])
        for behaviour in self.behaviours:
            if isinstance(behaviour, Streetlight | Cabinet):
                behaviour.attach(self.fleet)
            behaviour.link()
        for behaviour in self.behaviours:
            for row in np.flatnonzero(behaviour.mode).tolist():
                behaviour.settle(row)
        self.online: Bools = self.kind_of >= 0
        self.all_online = bool(self.online.all())
        self._now: int | None = None
        self._play: list[Play] = []
        self.spread(0.0)

    def _root(self, devices: list[Device]) -> None:
        """Grow the trees; a lamp of which nothing is said hangs on the nearest cabinet."""
        ids = [device.source_id for device in devices]
        power = dict(self.shared.topology.power)
        for cabinet, members in enumerate(self.fleet.members):
            for lamp in members.tolist():
                power.setdefault(ids[lamp], ids[self.fleet.lamps + cabinet])
        self.shared.power = Tree(power, ids)
        self.shared.network = Tree(dict(self.shared.topology.network), ids)

    # --- who is who

    def behaviour(self, device: int) -> tuple[Behaviour, int] | None:
        """Of a device, and its row there; None for a kind nobody plays."""
        number = int(self.kind_of[device])
        return None if number < 0 else (self.behaviours[number], device - self.first[number])

    # --- time

    def step(self, t: float, happened: Callable[[Happening], None]) -> set[int]:
        """Live up to t; the devices that changed and report at once."""
        to = int(t)
        begin = self._now
        if begin is None:
            begin = to - 1
            for behaviour in self.behaviours:
                behaviour.changed(float(begin))
        changed: set[int] = set()
        for second in range(max(begin + 1, to - MOST_STEPS), to + 1):
            for play in self._play:
                for what in play.due(second):
                    changed |= self._perform(what, float(second), happened)
            if self.shared.unsettled:
                changed |= self.spread(float(second))
            for number, behaviour in enumerate(self.behaviours):
                if second % behaviour.watch_every == 0:
                    for row, point, value in behaviour.changed(float(second)):
                        device = self.first[number] + row
                        changed.add(device)
                        if behaviour.witnessed:
                            happened(Happening(float(second), device, point, value))
        self._now = max(to, begin)
        return changed

    def spread(self, t: float) -> set[int]:
        """Carry cuts down the trees; the devices for which something changed."""
        shared = self.shared
        shared.unsettled = False
        power, network = shared.power.spread(), shared.network.spread()
        changed: set[int] = set()
        for number, behaviour in enumerate(self.behaviours):
            first = self.first[number]
            mine = slice(first, first + behaviour.count)
            before = behaviour.unpowered, behaviour.unreached
            now = power[mine].copy(), network[mine].copy()
            differs = (before[0] != now[0]) | (before[1] != now[1])
            if differs.any():
                behaviour.cut(*now, t)
                changed.update((np.flatnonzero(differs) + first).tolist())
            self.online[mine] = behaviour.online()
        self.all_online = bool(self.online.all())
        return changed

    def awake(self, devices: Ints) -> Ints:
        """Those that report."""
        return devices if self.all_online else devices[self.online[devices]]

    # --- scenarios

    def play(self, play: Play) -> None:
        self._play.append(play)

    def _perform(self, step: Step, t: float, happened: Callable[[Happening], None]) -> set[int]:
        if step.weather:
            for what, add in step.weather.items():
                self.shared.weather.add(Front(what, add, t, t + step.lasts))
                happened(Happening(t, -1, f"weather.{what}", add))
            return set()
        if step.cut:
            for node in step.chosen:
                self.shared.power.set(node, not step.mends)
                happened(Happening(t, -1, "mended" if step.mends else "cut", node))
            self.shared.unsettled = True
            return set()
        changed: set[int] = set()
        for id_ in step.chosen:
            behaviour = self.shared.kinds[step.fail]
            row = behaviour.row[id_]
            mode = "none" if step.mends else step.mode
            behaviour.fail(row, mode, t)
            device = self.first[self.behaviours.index(behaviour)] + row
            changed.add(device)
            happened(Happening(t, device, "fault", mode))
        return changed
