"""Every scenario of the library, played in a drawn city: what it says happens, and ends."""

from pathlib import Path

import numpy as np
import pytest

from simcity.scenario import Play, ScenarioError, choose, library, read_scenario
from simcity.world import Happening, Residents
from tests.simcity.test_behaviours import NOON, folder, residents

__all__ = ["folder"]


def begin(city: Residents, name: str, t: float) -> None:
    kinds = {b.kind: list(b.row) for b in city.behaviours}
    modes = {b.kind: b.mode_names for b in city.behaviours}
    steps = choose(read_scenario(name), 1, kinds, modes, city.shared.topology)
    assert all(step.chosen or step.weather for step in steps), name
    city.play(Play(steps, int(t)))


def faults(city: Residents) -> int:
    return sum(int(np.count_nonzero(b.mode)) for b in city.behaviours)


def test_there_are_twenty() -> None:
    assert len(library()) == 20


@pytest.mark.parametrize("name", library())
def test_a_scenario_happens_and_ends(folder: Path, name: str) -> None:
    scenario = read_scenario(name)
    runs: list[list[Happening]] = []
    for pace in (30, 600):
        city, seen = residents(folder), []
        begin(city, name, NOON)
        for behaviour in city.behaviours:  # what is not set or cut is not looked at here
            behaviour.watch_every = 3600.0  # type: ignore[misc]
        for t in range(int(NOON) - 1, int(NOON) + 7500, pace):
            city.step(float(t), seen.append)
        steps = [h for h in seen if isinstance(h.value, str) or "weather" in h.point]
        runs.append([h for h in steps if h.t < NOON + 6000])
    assert runs[0] == runs[1]
    expected = sum(
        len(step.weather) or step.count for step in scenario.step if _seconds(step.at) < 6000
    )
    begun = [h for h in runs[0] if h.value != "none" and h.point != "mended"]
    assert 0.4 * expected <= len(begun) <= expected
    for kind in ("fault", "cut"):
        assert any(h.point == kind for h in begun) == any(
            getattr(step, "fail" if kind == "fault" else "cut")
            for step in scenario.step
            if _seconds(step.at) < 6000
        )


def test_what_a_scenario_broke_it_mends(folder: Path) -> None:
    city = residents(folder)
    begin(city, "school_fire", NOON)
    city.step(NOON, lambda _: None)
    for t in range(int(NOON), int(NOON) + 420, 60):
        city.step(float(t), lambda _: None)
    assert faults(city) >= 2
    for t in range(int(NOON) + 420, int(NOON) + 3000, 60):
        city.step(float(t), lambda _: None)
    assert faults(city) == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('name = "x"\n[[step]]\nat = 1\n', "one of fail, cut or weather"),
        ('name = "x"\n[[step]]\ncut = "moon"\n', "feeder"),
        ('name = "x"\n[[step]]\nweather = { mood = 1 }\n', "mood"),
        ('name = "x"\n[[step]]\nfly = 1\n', "fly"),
        ("name", "TOML|Expected|expected"),
    ],
)
def test_a_faulty_scenario_is_refused_with_the_reason(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "faulty.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ScenarioError, match=says):
        read_scenario(str(file))
    with pytest.raises(ScenarioError, match="school_fire"):
        read_scenario("no such one")


def _seconds(given: float | str) -> float:
    if not isinstance(given, str):
        return given
    hours, minutes, seconds = map(float, given.split(":"))
    return hours * 3600 + minutes * 60 + seconds
