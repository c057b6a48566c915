"""The five controllers, as SUMO files or as what acts on SUMO each second."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import libsumo

from vigie.traffic.priority import (
    HOLD,
    Crossing,
    Engine,
    Go,
    LaneWeights,
    Running,
    Settings,
    apply,
    aspects,
    plan_command,
    planned,
    settle,
)

from .scenario import Scenario
from .world import lamps

STATIC, ACTUATED, SUMO_BUS, NAIVE, OURS = "static", "actuated", "sumo-bus", "naive", "ours"
ALL = (STATIC, ACTUATED, SUMO_BUS, NAIVE, OURS)
LESS, MORE = 10, 15  # seconds that actuated control may take from or add to a planned green


def actuated_file(scenario: Scenario, path: Path) -> None:
    """SUMO's gap-based control on the city's phases."""
    root = ET.Element("additional")
    for tl, programme in sorted(scenario.network.programmes.items()):
        logic = ET.SubElement(root, "tlLogic", id=tl, type="actuated", programID="act",
                              offset=str(programme.offset))  # fmt: skip
        for phase in programme.phases:
            ET.SubElement(logic, "phase", _bounds(phase))
    ET.ElementTree(root).write(path)


def _bounds(phase) -> dict[str, str]:
    out = {"duration": str(phase.seconds), "state": phase.state}
    if _open(phase):
        out["minDur"] = str(max(5, phase.seconds - LESS))
        out["maxDur"] = str(phase.seconds + MORE)
    else:
        out["minDur"] = out["maxDur"] = str(phase.seconds)
    return out


def _open(phase) -> bool:
    return phase.seconds > 6 and "y" not in phase.state and bool({"G", "g"} & set(phase.state))


def sumo_bus_file(scenario: Scenario, path: Path) -> None:
    """SUMO's documented bus prioritisation: switching conditions on bus-only detectors.

    A green goes on while a bus is on a detector it serves, ends early when a bus waits on one it
    does not serve, and otherwise ends when its loops have been empty for three seconds.
    Source: https://sumo.dlr.de/docs/Simulation/Traffic_Lights.html (custom switching rules).
    """
    root = ET.Element("additional")
    net = scenario.network
    bus_lanes = {
        (signal.crossing, signal.lane)
        for facts in scenario.facts.values()
        for signal in facts.way.signals
    }
    for crossing in scenario.crossings:
        for lane in crossing.lanes:
            name = f"gap/{crossing.id}/{lane.id}"
            real = net.lanes[lane.id].length
            place = max(min(0.1, real / 2), real - min(30.0, real * 0.8))
            ET.SubElement(root, "inductionLoop", id=name, lane=lane.id, pos=f"{place:.1f}",
                          period="100000", file="NUL", friendlyPos="true")  # fmt: skip
            if (crossing.id, lane.id) in bus_lanes:
                begin = max(0.0, real - 120)
                ET.SubElement(root, "laneAreaDetector", id=f"bus/{crossing.id}/{lane.id}",
                              lane=lane.id, pos=f"{begin:.1f}", endPos=f"{real:.2f}",
                              period="100000", file="NUL", vTypes="bus",
                              friendlyPos="true")  # fmt: skip
    for crossing in scenario.crossings:
        programme = net.programmes[crossing.id]
        logic = ET.SubElement(root, "tlLogic", id=crossing.id, type="actuated", programID="bus",
                              offset=str(programme.offset))  # fmt: skip
        links = {k.index: k.origin for k in net.links if k.tl == crossing.id}
        lanes = sorted(set(links.values()))
        phases = []
        for phase in programme.phases:
            served = {links[i] for i, a in enumerate(phase.state) if a in "Gg" and i in links}
            mine = [f"a:bus/{crossing.id}/{k}" for k in lanes
                    if k in served and (crossing.id, k) in bus_lanes]  # fmt: skip
            rest = [f"a:bus/{crossing.id}/{k}" for k in lanes
                    if k not in served and (crossing.id, k) in bus_lanes]  # fmt: skip
            major = {links[i] for i, a in enumerate(phase.state) if a == "G" and i in links}
            gaps = [f"z:gap/{crossing.id}/{k} > 3" for k in sorted(major or served)]
            phases.append((phase, mine, rest, gaps))
        for i, (phase, *_) in enumerate(phases):
            before, mine, rest, gaps = phases[i - 1]
            attributes = _bounds(phase)
            if _open(before):
                empty = " and ".join(gaps) or "1"
                idle = " and ".join(f"{m} = 0" for m in mine) or "1"
                other = " or ".join(f"{m} > 0" for m in rest) or "0"
                name = f"leave{crossing.id}/{i}"
                logic.append(ET.Element("condition", id=f"{name}/gap", value=f"({empty})"))
                logic.append(ET.Element("condition", id=f"{name}/idle", value=f"({idle})"))
                logic.append(ET.Element("condition", id=f"{name}/bus", value=f"({other})"))
                attributes["earlyTarget"] = f"{name}/idle and ({name}/gap or {name}/bus)"
            ET.SubElement(logic, "phase", attributes)
    ET.ElementTree(root).write(path)


@dataclass
class Naive:
    """Any bus within 120 m: hold its green up to 15 s more, cut the others to 5 s or planned
    less 10 s, then leave the crossing alone for 60 s."""

    scenario: Scenario

    def __post_init__(self) -> None:
        self._states: dict[str, Running] = {}
        self._locked: dict[str, int] = {}
        self._shown: dict[str, str] = {}

    def __call__(self, now: int, buses: set[str]) -> None:
        """One second."""
        near: dict[str, set[str]] = {}
        for bus in buses:
            for tl, _, distance, _ in libsumo.vehicle.getNextTLS(bus)[:1]:
                if distance <= 120:
                    near.setdefault(tl, set()).add(libsumo.vehicle.getLaneID(bus))
        for crossing in self.scenario.crossings:
            self._one(crossing, now, near.get(crossing.id, set()))

    def _one(self, crossing: Crossing, now: int, lanes: set[str]) -> None:
        state = settle(crossing, self._states.get(crossing.id, planned(crossing, now)), now)
        command = plan_command(crossing, state, now)
        if state.target is None:
            stage = crossing.stages[state.stage]
            elapsed = now - state.since
            served = {
                lane.id for lane in crossing.lanes if crossing.serves(stage.aspects, lane) != "r"
            }
            free = now >= self._locked.get(crossing.id, 0)
            least = stage.min_green
            if lanes & served and free:
                if isinstance(command, Go) and elapsed < min(stage.max_green, stage.green + MORE):
                    command = HOLD
                elif isinstance(command, Go):
                    self._locked[crossing.id] = now + 60
            elif lanes and free and elapsed >= least:
                command = Go((state.stage + 1) % len(crossing.stages))
                self._locked[crossing.id] = now + 60
        state = apply(crossing, state, command, now)
        self._states[crossing.id] = state
        look = aspects(crossing, state, now)
        if self._shown.get(crossing.id) != look:
            self._shown[crossing.id] = look
            width = len(libsumo.trafficlight.getRedYellowGreenState(crossing.id))
            libsumo.trafficlight.setRedYellowGreenState(crossing.id, lamps(crossing, look, width))


def ours(
    scenario: Scenario, settings: Settings, weights: LaneWeights | None = None
) -> Callable[[int], Engine]:
    """The engine of this project."""
    return lambda now: Engine(scenario.crossings, now, settings, weights)
