"""The engine on random city seconds: safe, the same every time, and every request ends."""

import math
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.vigie.traffic.priority.make import crossing, way
from tests.vigie.traffic.priority.oracle import broken
from vigie.traffic.priority import (
    BusFacts,
    BusFix,
    Crossing,
    Engine,
    Go,
    Loop,
    ObservationError,
    PlanError,
    Settings,
    Turn,
)
from vigie.traffic.priority.reasons import Reason
from vigie.traffic.priority.rules import Choice, Verdict, together, weight_of

GROUPS = ("main", "turn", "cross")
FACTS = {
    "m1": BusFacts(way(), "1", lateness=200.0, people=60.0),
    "m2": BusFacts(way(), "1"),
    "c1": BusFacts(way(group="cross"), "2", lateness=-60.0, people=12.0),
    "c2": BusFacts(way(group="cross"), "2"),
}

seconds = st.lists(
    st.tuples(
        st.lists(
            st.tuples(
                st.sampled_from(sorted(FACTS)),
                st.floats(-50, 1050),
                st.floats(-90, 90),
                st.floats(0, 15),
            ),
            max_size=3,
        ),
        st.dictionaries(
            st.sampled_from([f"{w}/x.{g}" for w in ("in", "stop") for g in GROUPS]),
            st.tuples(st.integers(0, 2), st.floats(0, 1)),
            max_size=6,
        ),
    ),
    min_size=40,
    max_size=160,
)


def play(x: Crossing, story: list, chosen: Settings | None = None) -> list[Turn]:
    """Run the engine over a story of seconds."""
    engine = Engine([x], 0, chosen)
    out = []
    for now, (fixes, loops) in enumerate(story, start=1):
        heard = [BusFix(bus, now - 1, at, off, speed) for bus, at, off, speed in fixes]
        readings = {name: Loop(*value) for name, value in loops.items()}
        out.append(engine.turn(now, readings, heard, FACTS))
    return out


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(seconds, st.booleans(), st.booleans(), st.floats(0, 50))
def test_no_bound_is_ever_broken_and_the_answer_is_one(
    story: list, skippable: bool, coordinated: bool, factor: float
) -> None:
    """Whatever is observed: lamps stay within bounds, and twice the same gives the same."""
    x = crossing(skippable=skippable, coordinated=coordinated)
    chosen = Settings(bus_factor=factor)
    turns = play(x, story, chosen)
    assert not broken(x, [turn.shown["x"] for turn in turns])
    assert turns == play(x, story, chosen)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(seconds)
def test_conflicting_requests_are_never_both_granted(story: list) -> None:
    """In one second, and over time, no two granted requests need lamps that exclude another."""
    x = crossing()
    engine = Engine([x], 0)
    for now, (fixes, loops) in enumerate(story, start=1):
        heard = [BusFix(bus, now - 1, at, off, speed) for bus, at, off, speed in fixes]
        engine.turn(now, {k: Loop(*v) for k, v in loops.items()}, heard, FACTS)
        granted = [r for r in engine.requests.values() if r.state == "granted"]
        lanes = {engine.tables.lane_at["x", r.lane] for r in granted}
        for one in lanes:
            for other in lanes:
                assert one == other or together(engine.tables, 0, one, other)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(seconds)
def test_requests_end_when_nothing_more_is_heard(story: list) -> None:
    """Silence closes every request within a minute."""
    silent = [([], {})] * 60
    engine = Engine([crossing()], 0)
    for now, (fixes, loops) in enumerate([*story, *silent], start=1):
        heard = [BusFix(bus, now - 1, at, off, speed) for bus, at, off, speed in fixes]
        engine.turn(now, {k: Loop(*v) for k, v in loops.items()}, heard, FACTS)
    assert not engine.requests


def approach(chosen: Settings, start: float, people: float | None = None) -> list[Turn]:
    """A bus drives from `start` metres to its red; nobody else is there."""
    engine = Engine([crossing()], 0, chosen)
    facts = {"c": BusFacts(way(group="cross"), "2", people=people)}
    at, out = start, []
    for now in range(1, 60):
        fix = BusFix("c", now, at, 0.0, 10.0 if at < 495 else 0.0)
        empty = {f"{w}/x.{g}": Loop(0, 0.0) for w in ("in", "stop") for g in GROUPS}
        out.append(engine.turn(now, empty, [fix], facts))
        green = out[-1].shown["x"][2] == "G"
        at += 10.0 if at < 495 or green else 0.0
    return out


def test_a_red_is_cut_short_for_a_bus_and_the_reason_says_so() -> None:
    turns = approach(Settings(), 330.0)
    green = next(t.at for t in turns if t.shown["x"][2] == "G")
    assert green < 30 + 5 + 8 + 5
    grants = [e for t in turns for e in t.events if e.state == "granted"]
    assert grants
    words = grants[0].reason.words()
    assert "bus c" in words
    assert "saves it" in words
    assert grants[0].reason.words("fr") != words
    closed = [e for t in turns for e in t.events if e.state == "closed"]
    assert closed
    assert closed[-1].reason.key == "bus.passed"


def test_stages_are_skipped_only_where_allowed() -> None:
    for skippable in (False, True):
        engine = Engine([crossing(skippable=skippable)], 0, Settings(bus_factor=50.0))
        facts = {"c": BusFacts(way(group="cross"), "2")}
        seen = set()
        for now in range(1, 50):
            fix = BusFix("c", now, 490.0, 0.0, 0.0)
            turn = engine.turn(now, {}, [fix], facts)
            seen |= {d.command.target for d in turn.decisions if isinstance(d.command, Go)}
            if turn.shown["x"][2] == "G":
                break
        assert (1 in seen) is not skippable


def test_weights() -> None:
    s = Settings()
    assert weight_of(s, 60, 0) == 2 * weight_of(s, 30, 0)
    assert weight_of(s, None, None) == weight_of(s, s.bus_people, 0)
    assert weight_of(s, 30, 300) > weight_of(s, 30, 0) > weight_of(s, 30, -300) > 0


def test_wrong_observations_are_refused_and_decide_nothing() -> None:
    engine = Engine([crossing()], 0)
    turn = engine.turn(
        1,
        {"no/such": Loop(3, 1.0), "in/x.main": Loop(1, math.nan)},
        [
            BusFix("ghost", 0, 1.0, 1.0),
            BusFix("m1", 0, 5000.0, 5000.0),
            BusFix("m2", 99, 100.0, 0.0),
            BusFix("c1", 0, math.inf, 0.0),
        ],
        FACTS,
    )
    assert len(turn.refused) == 5
    assert not turn.events
    assert not engine.requests
    with pytest.raises(ObservationError, match="time does not run backwards"):
        engine.turn(1, {}, [], FACTS)


def test_a_lane_without_green_is_rejected() -> None:
    engine = Engine([crossing()], 0)
    facts = {"g": BusFacts(way(group="ghost"), "9")}
    turn = engine.turn(1, {}, [BusFix("g", 0, 400.0, 0.0, 9.0)], facts)
    assert [e.state for e in turn.events] == ["requested", "rejected"]
    assert "cannot be served" in turn.events[-1].reason.words()
    for now in range(2, 40):
        turn = engine.turn(now, {}, [], facts)
    assert not engine.requests


def test_an_unsafe_crossing_never_starts() -> None:
    with pytest.raises(PlanError):
        Engine([structs.replace(crossing(), intergreens=())], 0)


def test_a_bus_sent_another_way_asks_no_longer() -> None:
    engine = Engine([crossing()], 0)
    engine.turn(1, {}, [BusFix("c", 0, 400.0, 0.0, 9.0)], {"c": BusFacts(way(), "1")})
    assert engine.requests
    elsewhere = BusFacts(way("y"), "1")
    elsewhere = BusFacts(structs.replace(elsewhere.way, id="elsewhere"), "1")
    turn = engine.turn(2, {}, [BusFix("c", 1, 410.0, 0.0, 9.0)], {"c": elsewhere})
    assert [(e.state, e.reason.key) for e in turn.events] == [("closed", "bus.turned")]
    assert not engine.requests


def test_a_refused_proposal_is_neither_shown_nor_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decider gone mad: the checker stands before the lamps, and nothing is told as done."""

    def mad(t, chosen, *rest) -> list[Choice]:
        *_, states, asks, _ = rest
        lost = Reason("bus.extend", {})
        return [
            Choice(c, Go((state.stage + 2) % 3), lost, tuple(
                Verdict(ask.bus, ask.signal, True, lost, 0.0) for ask in asks
            ), 5_000.0)
            for c, state in enumerate(states)
            if state.target is None
        ]  # fmt: skip

    monkeypatch.setattr("vigie.traffic.priority.engine.decide", mad)
    x, engine = crossing(), Engine([crossing()], 0)
    shown, events, refused = [], [], []
    for now in range(1, 200):
        turn = engine.turn(now, {}, [BusFix("m1", now, 400.0, 0.0, 0.0)], FACTS)
        shown.append(turn.shown["x"])
        events += turn.events
        refused += turn.refused
    assert not broken(x, shown)
    assert len({*shown}) > 3
    assert refused
    assert {e.state for e in events} == {"requested"}
    assert not engine._debt.any()


def test_a_late_bus_and_a_full_one_weigh_more() -> None:
    """One bus comes to its green, another stands at the red: the fuller or later is served."""

    def green_ends(coming: BusFacts, standing: BusFacts) -> int:
        engine = Engine([crossing()], 0)
        empty = {f"{w}/x.{g}": Loop(0, 0.0) for w in ("in", "stop") for g in GROUPS}
        for now in range(1, 60):
            fixes = [
                BusFix("m", now, 260.0 + 5.0 * now, 0.0, 5.0), BusFix("c", now, 490.0, 0.0, 0.0)
            ]  # fmt: skip
            if engine.turn(now, empty, fixes, {"m": coming, "c": standing}).shown["x"][0] != "G":
                return now
        return 60

    way_on = structs.replace(way(), stops=())
    for more, less in (({"people": 150.0}, {"people": 2.0}), ({"lateness": 360.0}, {})):
        to_green = green_ends(
            BusFacts(way_on, "1", **more), BusFacts(way(group="cross"), "2", **less)
        )
        to_red = green_ends(
            BusFacts(way_on, "1", **less), BusFacts(way(group="cross"), "2", **more)
        )
        assert to_red < to_green, more


def test_what_priority_takes_is_counted_locked_and_repaid() -> None:
    engine = Engine([crossing()], 0, Settings(debt_limit=50.0, bus_factor=20.0))
    states, debts = set(), []
    for now in range(1, 400):
        loops = {f"{w}/x.{g}": Loop(0, 0.0) for w in ("in", "stop") for g in GROUPS}
        loops["in/x.main"] = loops["stop/x.main"] = Loop(now % 2, 0.9)
        at = 400.0 + 10.0 * (now % 40)
        facts = {f"c{now // 40}": BusFacts(way(group="cross"), "2")}
        turn = engine.turn(now, loops, [BusFix(f"c{now // 40}", now, at, 0.0, 10.0)], facts)
        states |= {event.state for event in turn.events}
        debts.append(float(engine._debt[0]))
    assert "reserviceLocked" in states
    assert any(b < a for a, b in pairwise(debts))


def test_of_a_crowd_the_nearest_are_weighed() -> None:
    engine = Engine([crossing()], 0)
    facts = {f"b{k:02}": BusFacts(way(), "1") for k in range(40)}
    fixes = [BusFix(name, 1, 300.0 + 4.0 * k, 0.0, 9.0) for k, name in enumerate(facts)]
    turn = engine.turn(1, {}, fixes, facts)
    crowd = [e for e in turn.events if e.reason.key == "bus.crowd"]
    assert {e.state for e in crowd} == {"watchOtherTraffic"}
    assert {e.bus for e in crowd} == {f"b{k:02}" for k in range(24)}


def test_two_crossings_of_one_id_are_refused() -> None:
    with pytest.raises(PlanError, match="share an id"):
        Engine([crossing(), crossing()], 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"debt_memory": 0.0}, {"late_full": 0.0}, {"bus_factor": math.nan}, {"horizon": math.inf},
        {"policies": ()}, {"bus_people": -1.0},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(wrong: dict) -> None:
    with pytest.raises(PlanError, match=f"setting {next(iter(wrong))}"):
        Engine([crossing()], 0, Settings(**wrong))


def test_a_bus_on_another_lane_or_trip_leaves_its_request() -> None:
    """The old request is closed with its reason; the new run asks for itself."""
    other = BusFacts(structs.replace(way(group="cross"), id="w-main"), "1")
    trip = BusFacts(way(), "1", trip="next")
    for facts, key in ((other, "bus.turned"), (trip, "bus.anew")):
        engine = Engine([crossing()], 0)
        engine.turn(1, {}, [BusFix("c", 0, 400.0, 0.0, 9.0)], {"c": BusFacts(way(), "1")})
        events = engine.turn(2, {}, [BusFix("c", 1, 400.0, 0.0, 9.0)], {"c": facts}).events
        assert [(e.state, e.reason.key) for e in events if e.state == "closed"] == [("closed", key)]
        events = engine.turn(3, {}, [BusFix("c", 2, 400.0, 0.0, 9.0)], {"c": facts}).events
        assert [e.state for e in events if e.state == "requested"] == ["requested"]
        assert {r.lane for r in engine.requests.values()} == {facts.way.signals[0].lane}
