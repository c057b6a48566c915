"""One simulated hour seen as the field would see it, and controllers that act on it.

The engine never meets SUMO: it hears loops and bus positions that are noisy, late and sometimes
lost, and its answer is a string of lamps a crossing. What SUMO really shows is read back every
second by an independent watch.
"""

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import libsumo

from vigie.traffic.priority import (
    BusFacts,
    BusFix,
    Crossing,
    Engine,
    Loop,
    Turn,
    aspects,
    planned,
    start_watch,
    step_watch,
)

EMPTY = Loop(0, 0.0)


@dataclass(frozen=True)
class Field:
    """How bad the field is."""

    gps: float = 5.0
    delay: float = 1.5
    lost: float = 0.01
    dead_loops: float = 0.0


@dataclass
class Ledger:
    """What a run leaves beside SUMO's own outputs."""

    violations: list[str] = field(default_factory=list)
    events: list = field(default_factory=list)
    decisions: list = field(default_factory=list)
    refused: int = 0
    complaints: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class Receiver:
    """Bus positions as an operator receives them: correlated noise, delay, loss."""

    def __init__(self, field_: Field, seed: int) -> None:
        self._field, self._chance = field_, random.Random(seed)
        self._error: dict[str, tuple[float, float]] = {}
        self._queue: deque[tuple[float, BusFix]] = deque()

    def hear(self, now: int, buses: dict[str, tuple[float, float, float]]) -> list[BusFix]:
        """True positions in, those that arrive this second out."""
        f, chance = self._field, self._chance
        for bus, (x, y, speed) in buses.items():
            ex, ey = self._error.get(bus, (chance.gauss(0, f.gps), chance.gauss(0, f.gps)))
            drive = f.gps * (1 - 0.9**2) ** 0.5
            ex, ey = 0.9 * ex + chance.gauss(0, drive), 0.9 * ey + chance.gauss(0, drive)
            self._error[bus] = (ex, ey)
            if chance.random() < f.lost:
                continue
            seen = max(0.0, speed + chance.gauss(0, 0.3))
            late = now + f.delay + chance.uniform(-0.5, 0.5)
            self._queue.append((late, BusFix(bus, float(now), x + ex, y + ey, seen)))
        ready = [fix for at, fix in self._queue if at <= now]
        self._queue = deque((at, fix) for at, fix in self._queue if at > now)
        return sorted(ready, key=lambda fix: (fix.measured, fix.bus))


def lamps(crossing: Crossing, shown: str, width: int) -> str:
    """Group aspects as SUMO's string of links."""
    out = ["r"] * width
    for group, aspect in zip(crossing.groups, shown, strict=True):
        for link in group.links:
            out[link] = aspect
    return "".join(out)


def groups_of(crossing: Crossing, state: str) -> str:
    """SUMO's string of links as group aspects."""
    return "".join(state[group.links[0]] for group in crossing.groups)


def run(
    command: list[str],
    crossings: list[Crossing],
    facts: dict[str, BusFacts],
    seed: int,
    field_: Field,
    make: Callable[[int], Engine] | None,
    naive: Callable | None = None,
    end: int = 10_000,
    bus_type: str = "bus",
    watch: bool = True,
) -> Ledger:
    """Run SUMO to the end under a controller; None leaves the programmes to SUMO."""
    libsumo.start(command)
    ledger = Ledger()
    try:
        _loop(crossings, facts, seed, field_, make, naive, end, bus_type, ledger, watch)
    finally:
        libsumo.close()
    return ledger


def _loop(crossings, facts, seed, field_, make, naive, end, bus_type, ledger, watching) -> None:
    engine = make(0) if make else None
    loops = sorted(set(libsumo.inductionloop.getIDList())) if engine else []
    chance = random.Random(seed + 7)
    dead = {name for name in loops if chance.random() < field_.dead_loops}
    alive = [name for name in loops if name not in dead and name.startswith(("stop/", "entry/"))]
    receiver = Receiver(field_, seed)
    widths = {c.id: len(libsumo.trafficlight.getRedYellowGreenState(c.id)) for c in crossings}
    shown: dict[str, str] = {}
    buses: set[str] = set()
    watches = {}
    if (engine or naive) and watching:
        watches = {c.id: start_watch(c, aspects(c, planned(c, 0), 0), 0) for c in crossings}
    now = 0
    while now < end and (now < 60 or libsumo.simulation.getMinExpectedNumber() > 0):
        libsumo.simulationStep()
        now = int(libsumo.simulation.getTime())
        for bus in libsumo.simulation.getDepartedIDList():
            if libsumo.vehicle.getTypeID(bus) == bus_type:
                buses.add(bus)
        buses.difference_update(libsumo.simulation.getArrivedIDList())
        for crossing in crossings if watches else ():
            real = groups_of(crossing, libsumo.trafficlight.getRedYellowGreenState(crossing.id))
            try:
                watches[crossing.id] = step_watch(crossing, watches[crossing.id], real, now)
            except Exception as broken:
                ledger.violations.append(f"{now}: {broken}")
                watches[crossing.id] = start_watch(crossing, real, now)
        if naive:
            naive(now, buses)
        if engine is None:
            continue
        true = {}
        for bus in sorted(buses):
            try:
                x, y = libsumo.vehicle.getPosition(bus)
                true[bus] = (x, y, libsumo.vehicle.getSpeed(bus))
            except libsumo.TraCIException:
                continue
        readings = {name: _read(name, now) for name in alive}
        fixes = receiver.hear(now, true)
        begin = time.perf_counter()
        turn: Turn = engine.turn(now, readings, fixes, facts)
        ledger.seconds.append(time.perf_counter() - begin)
        ledger.events += turn.events
        ledger.decisions += turn.decisions
        ledger.refused += len(turn.refused)
        ledger.complaints += turn.refused[: max(0, 200 - len(ledger.complaints))]
        for crossing in crossings:
            look = turn.shown[crossing.id]
            if shown.get(crossing.id) != look:
                shown[crossing.id] = look
                libsumo.trafficlight.setRedYellowGreenState(
                    crossing.id, lamps(crossing, look, widths[crossing.id])
                )


def _read(name: str, now: int) -> Loop:
    """One second of a loop: rising edges, and the share of the second it was covered."""
    if libsumo.inductionloop.getLastStepVehicleNumber(name) == 0:
        return EMPTY
    count, covered = 0, 0.0
    for _, _, entry, leave, _ in libsumo.inductionloop.getVehicleData(name):
        count += entry >= now - 1
        finish = now if leave < 0 else min(leave, now)
        covered += max(0.0, finish - max(entry, now - 1))
    return Loop(count, min(1.0, covered))
