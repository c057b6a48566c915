"""Scenarios: what goes wrong and when, as TOML.

    name = "Panne d'un départ d'éclairage"

    [[step]]
    at = 30                       # seconds after its beginning, or "00:05:00"
    lasts = 1200                  # seconds; without it, for ever
    cut = "feeder"                # a feeder, cabinet, substation: chosen by the seed
    count = 1

    [[step]]
    at = 60
    fail = "FireDetector"         # a kind
    mode = "alarm"                # one of its faults
    where = { use = "school" }    # of its own attributes or its ancestors'

    [[step]]
    at = 0
    lasts = 7200
    weather = { rain = 30, wind = 12 }   # added to temperature, rain, wind, pressure, visibility

The same seed chooses the same equipment.
"""

import hashlib
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from simcity.topology import Topology
from simcity.weather import FIELDS

FOR_EVER = 1e9
NODES = ("feeder", "cabinet", "substation")


class ScenarioError(ValueError):
    """The file cannot be played; the message says why."""


class StepSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: float | str = 0
    lasts: float | str | None = None
    fail: str = ""
    mode: str = ""
    cut: str = ""
    count: int = 1
    where: dict[str, Any] = {}
    weather: dict[str, float] = {}


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    step: tuple[StepSpec, ...]
    about: str = ""


class Step(msgspec.Struct, frozen=True):
    """One thing that happens at one second, to chosen equipment."""

    at: int
    lasts: float
    fail: str
    mode: str
    cut: str
    chosen: tuple[str, ...]
    weather: dict[str, float]
    mends: bool = False


class Play:
    """A scenario that began at some second."""

    def __init__(self, steps: Iterable[Step], begins: int):
        self._due: dict[int, list[Step]] = {}
        for step in steps:
            self._due.setdefault(begins + step.at, []).append(step)
            if step.lasts < FOR_EVER and not step.weather:
                end = begins + step.at + int(step.lasts)
                mend = msgspec.structs.replace(step, mends=True)
                self._due.setdefault(end, []).append(mend)

    def due(self, second: int) -> list[Step]:
        return self._due.pop(second, [])


def library() -> list[str]:
    """The names of the scenarios that ship."""
    folder = files("simcity") / "scenarios"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if ".toml" in f.name)


def read_scenario(name: str) -> Scenario:
    """A file, or one of the library by its name."""
    path = Path(name)
    try:
        if path.suffix == ".toml":
            text = path.read_text(encoding="utf-8")
        else:
            text = (files("simcity") / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")
        found = msgspec.convert(tomllib.loads(text), Scenario)
    except OSError:
        raise ScenarioError(f"{name} is neither a file nor one of {', '.join(library())}") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ScenarioError(f"{name}: {error}") from None
    for number, step in enumerate(found.step, 1):
        if sum(map(bool, (step.fail, step.cut, step.weather))) != 1:
            raise ScenarioError(f"{name}, step {number}: one of fail, cut or weather")
        if step.cut and step.cut not in NODES:
            raise ScenarioError(f"{name}, step {number}: cut one of {', '.join(NODES)}")
        if strange := set(step.weather) - set(FIELDS):
            raise ScenarioError(f"{name}, step {number}: weather knows no {', '.join(strange)}")
    return found


def choose(
    scenario: Scenario, seed: int, kinds: dict[str, list[str]], modes: dict[str, tuple[str, ...]],
    topology: Topology,
) -> list[Step]:  # fmt: skip
    """The scenario's steps with the equipment they befall. `kinds` lists source ids."""
    steps: list[Step] = []
    for number, spec in enumerate(scenario.step, 1):
        if spec.fail and spec.fail in kinds and spec.mode not in modes[spec.fail]:
            raise ScenarioError(
                f"step {number}: {spec.fail} fails as {', '.join(modes[spec.fail])}"
            )
        if spec.cut:
            able = _nodes(spec.cut, topology)
        else:
            able = [i for i in kinds.get(spec.fail, ()) if _matches(i, spec.where, topology)]
        draw = sorted(able, key=lambda i: _draw(seed, number, i))
        steps.append(
            Step(
                int(_seconds(spec.at)),
                FOR_EVER if spec.lasts is None else _seconds(spec.lasts),
                spec.fail,
                spec.mode,
                spec.cut,
                tuple(draw[: spec.count]),
                spec.weather,
            )
        )
    return steps


def _nodes(what: str, topology: Topology) -> list[str]:
    nodes = {node for node in topology.power.values() if node}
    match what:
        case "feeder":
            return [node for node in nodes if "/" in node]
        case "substation":
            return [node for node in nodes if node.startswith("P-")]
        case _:
            return [node for node in nodes if "-C-" in node and "/" not in node]


def _matches(id_: str, where: dict[str, Any], topology: Topology) -> bool:
    while where and id_:
        known = topology.attributes.get(id_, {})
        where = {what: value for what, value in where.items() if known.get(what) != value}
        id_ = topology.parents.get(id_, "")
    return not where


def _draw(seed: int, step: int, id_: str) -> bytes:
    return hashlib.blake2b(f"{seed}/{step}/{id_}".encode(), digest_size=8).digest()


def _seconds(given: float | str) -> float:
    """`90`, `"01:30"` or `"00:01:30"`."""
    if not isinstance(given, str):
        return float(given)
    seconds = 0.0
    try:
        for part in given.split(":"):
            seconds = seconds * 60 + float(part)
    except ValueError:
        raise ScenarioError(f"{given!r} is no time: write it like 00:01:30") from None
    return seconds
