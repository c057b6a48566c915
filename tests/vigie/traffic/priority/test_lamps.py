"""Whatever is commanded, the lamps stay within bounds; gaps, restarts and nonsense are met."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vigie.traffic.priority.make import crossing
from tests.vigie.traffic.priority.oracle import broken
from vigie.traffic.priority import HOLD, Engine, Go, ObservationError, Running
from vigie.traffic.priority.lamps import LONGEST_GAP, Lamps


def test_the_oracle_sees_what_is_wrong() -> None:
    x = crossing()
    calm = ["Grrr"] * 12 + ["yrrr"] * 3 + ["rrrr"] * 2 + ["rGrr"] * 9
    assert not broken(x, calm)
    assert broken(x, calm[:12] + ["rrrr"] * 5 + ["rGrr"])
    assert broken(x, [*calm[:13], *calm[15:]])
    assert broken(x, [*calm[:15], "rGrr"])
    assert broken(x, ["GGrr"])
    assert broken(x, ["Grrr"] * 51)
    assert broken(x, [*calm, *["ryrr"] * 3, *["rrrr"] * 2, *["rrGG"] * 4, "rryr"])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_no_command_whatever_breaks_a_bound(seed: int, skippable: bool) -> None:
    x, chance, shown = crossing(skippable=skippable), random.Random(seed), list[str]()
    lamps = Lamps([x], 0, {})
    wrong = 0
    for now in range(1, 300):
        lamps.advance(now)
        if lamps.states[0].target is None:
            command = HOLD if chance.random() < 0.9 else Go(chance.randrange(3))
            done, why = lamps.obey(0, command)
            assert (why is None) == (done == command) or done == HOLD
            wrong += why is not None
        shown.append(lamps.show()["x"])
    assert not broken(x, shown)
    assert wrong


@given(st.integers(1, 77), st.integers(2, LONGEST_GAP))
def test_missing_seconds_are_lived_through(at: int, gap: int) -> None:
    engine = Engine([crossing()], 0)
    for now in range(1, at + 1):
        engine.turn(now, {}, [], {})
    for now in range(at + gap, at + gap + 30):
        engine.turn(now, {}, [], {})


def test_after_a_long_silence_the_engine_starts_anew() -> None:
    engine = Engine([crossing()], 0)
    engine.turn(1, {}, [], {})
    with pytest.raises(ObservationError, match="left to themselves"):
        engine.turn(1 + LONGEST_GAP + 1, {}, [], {})
    engine.turn(2, {}, [], {})


@given(st.integers(1, 120), st.integers(0, 50))
def test_a_restart_takes_the_crossings_as_they_run(at: int, rest: int) -> None:
    """What a new engine shows goes on from what the old one showed, within every bound."""
    x = crossing()
    first, shown = Engine([x], 0), list[str]()
    state = Running(0, 0)
    for now in range(1, at + 1):
        turn = first.turn(now, {}, [], {})
        shown.append(turn.shown["x"])
        for decision in turn.decisions:
            if isinstance(decision.command, Go):
                state = Running(state.stage, now, decision.command.target)
        if state.target is not None:
            way = x.ways[state.stage, state.target]
            if now >= state.since + way.seconds:
                state = Running(state.target, state.since + way.seconds)
    second = Engine([x], at, running={"x": state})
    for now in range(at + 1, at + 2 + rest):
        shown.append(second.turn(now, {}, [], {}).shown["x"])
    assert not broken(x, shown)


@pytest.mark.parametrize(
    "running",
    [
        {"y": Running(0, 0)},
        {"x": Running(7, 0)},
        {"x": Running(0, 99)},
        {"x": Running(2, 0, 1)},
    ],
)
def test_a_crossing_that_runs_as_it_cannot_is_refused(running: dict[str, Running]) -> None:
    with pytest.raises(ObservationError, match="crossing"):
        Engine([crossing()], 5, running=running)
