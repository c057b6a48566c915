"""The model, its JSON and its checker: what is unsafe or incomplete is refused."""

import json

import pytest
from msgspec import structs

from tests.vigie.traffic.priority.make import crossing
from vigie.traffic.priority import (
    HOLD,
    Crossing,
    Go,
    ObservationError,
    PlanError,
    Running,
    SafetyViolation,
    Step,
    apply,
    aspects,
    check_command,
    check_crossing,
    crossings_from_json,
    crossings_to_json,
    planned,
    settle,
    start_watch,
    step_watch,
)


def test_plan_follows_its_cycle_and_offset() -> None:
    x = structs.replace(crossing(), offset=7)
    assert x.cycle == 30 + 5 + 8 + 5 + 20 + 10
    assert planned(x, 7) == Running(0, 7)
    assert planned(x, 7 + x.cycle * 3 + 36) == Running(1, 7 + x.cycle * 3 + 35)
    assert aspects(x, planned(x, 7 + 31), 7 + 31) == "yrrr"
    assert planned(x, 6).target == 0


def test_json_round_trip() -> None:
    data = crossings_to_json([crossing("a"), crossing("b")])
    assert crossings_from_json(data) == (crossing("a"), crossing("b"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("intergreens"), "intergreens"),
        (lambda d: d.update(intergreens=[]), "plan without intergreens"),
        (lambda d: d.update(conflicts=[]), "conflict matrix"),
        (lambda d: d["stages"][0].update(min_green=31), "min_green"),
        (lambda d: d["stages"][0].update(aspects="GrGr"), "conflicting groups"),
        (lambda d: d["stages"][0].update(aspects="Grr"), "not one of"),
        (lambda d: d["interstages"][0].update(steps=[]), "without its 3 s of amber"),
        (lambda d: d["interstages"][0]["steps"].pop(), "intergreen is 5 s"),
        (lambda d: d["interstages"].pop(0), "no interstage after"),
        (lambda d: d["lanes"][0].update(groups=["ghost"]), "ghost"),
        (lambda d: d["lanes"][0].update(leads_to=["nowhere"]), "unknown lanes nowhere"),
        (lambda d: d.update(colour="blue"), "colour"),
        (lambda d: d["groups"][3].update(min_green=9), "minimum is 9"),
        (lambda d: d["groups"][0].update(amber=0), "green to red without amber"),
        (lambda d: d["groups"][0].update(links=[1, 1]), "same lamp"),
        (lambda d: d["groups"][0].update(links=[-1]), "a link of group main is -1"),
        (lambda d: d["intergreens"].append(d["intergreens"][0]), "intergreens are of the same"),
        (lambda d: d["intergreens"][0].update(seconds=2), "shorter than its amber"),
        (lambda d: d["interstages"].append(d["interstages"][0]), "join the same stages"),
        (lambda d: d["lanes"].append(d["lanes"][0]), "lanes share an id"),
        (lambda d: d["lanes"][0].update(length=0), "length of lane x.main is 0"),
        (lambda d: d["lanes"][0].update(saturation=1e300), "saturation of lane x.main"),
        (lambda d: d["lanes"][0].update(speed=-1), "speed of lane x.main"),
        (lambda d: d["stages"][0].update(max_green=10**30), "max_green of stage A"),
        (lambda d: d["interstages"][0]["steps"][0].update(seconds=10**9), "a step from A to B"),
        (lambda d: d.update(offset=10**30), "offset"),
    ],
)
def test_an_unsafe_document_is_refused(change, words: str) -> None:
    document = json.loads(crossings_to_json([crossing()]))
    change(document["crossings"][0])
    with pytest.raises(PlanError, match=words):
        crossings_from_json(json.dumps(document))


def test_not_a_document() -> None:
    with pytest.raises(PlanError, match="crossings document"):
        crossings_from_json(b"{")
    two = crossings_to_json([crossing(), crossing()])
    with pytest.raises(PlanError, match="share an id"):
        crossings_from_json(two)


def test_commands_are_held_to_the_bounds() -> None:
    x = crossing()
    state, watch = Running(0, 0), start_watch(x, "Grrr", 0)
    with pytest.raises(SafetyViolation, match="minimum"):
        check_command(x, watch, state, Go(1), 9)
    with pytest.raises(SafetyViolation, match="maximum"):
        check_command(x, watch, state, HOLD, 50)
    with pytest.raises(SafetyViolation, match="may not be skipped"):
        check_command(x, watch, state, Go(2), 20)
    with pytest.raises(SafetyViolation, match="no interstage"):
        check_command(x, watch, Running(2, 0), Go(1), 20)
    check_command(x, watch, state, Go(1), 10)
    check_command(crossing(skippable=True), watch, state, Go(2), 10)
    with pytest.raises(SafetyViolation, match="interrupted"):
        check_command(x, watch, apply(x, state, Go(1), 10), Go(2), 12)


def test_watch_names_what_is_broken() -> None:
    x = crossing()
    watch = start_watch(x, "Grrr", 0)
    with pytest.raises(SafetyViolation, match="without its 3 s of amber"):
        step_watch(x, watch, "rrrr", 20)
    watch = step_watch(x, watch, "yrrr", 20)
    with pytest.raises(SafetyViolation, match="amber of group main"):
        step_watch(x, watch, "rrrr", 22)
    watch = step_watch(x, watch, "rrrr", 23)
    with pytest.raises(SafetyViolation, match="intergreen"):
        step_watch(x, watch, "rGrr", 24)
    watch = step_watch(x, watch, "rGrr", 25)
    with pytest.raises(SafetyViolation, match="time ran backwards"):
        step_watch(x, watch, "rGrr", 24)
    with pytest.raises(SafetyViolation, match="minimum is 5"):
        step_watch(x, watch, "ryrr", 28)


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ObservationError, match="backwards"):
        settle(crossing(), Running(0, 100), 99)


def test_a_stage_that_cannot_be_run_at_its_minimum_is_refused() -> None:
    x = crossing()
    short = structs.replace(x.stages[1], min_green=3)
    with pytest.raises(PlanError, match="unsafe"):
        check_crossing(structs.replace(x, stages=(x.stages[0], short, x.stages[2])))


def test_a_skip_that_would_cut_a_minimum_short_is_refused() -> None:
    """Cross needs 24 s, which B and C give together; skipping B leaves it C's 8."""
    x = crossing(skippable=True)
    long = structs.replace(x.groups[2], min_green=24)
    turning = tuple(
        pair for pair in x.conflicts if set(pair) != {"turn", "cross"}
    )  # cross may go with turn here
    both = structs.replace(x.stages[1], aspects="rGGr", min_green=16, green=16, max_green=20)
    ways = (
        structs.replace(x.interstages[0]),
        structs.replace(x.interstages[1], steps=(Step(3, "ryGr"), Step(2, "rrGr"))),
        *x.interstages[2:],
    )
    joined = structs.replace(
        x, groups=(*x.groups[:2], long, x.groups[3]), conflicts=turning, interstages=ways,
        intergreens=tuple(i for i in x.intergreens if {i.ending, i.starting} != {"turn", "cross"}),
        stages=(x.stages[0], both, x.stages[2]),
    )  # fmt: skip
    check_crossing(structs.replace(joined, interstages=(*ways[:2], ways[3])))
    with pytest.raises(PlanError, match="minimum is 24"):
        check_crossing(joined)


def test_every_interstage_is_tried() -> None:
    """An interstage used only for skipping is checked too."""
    x = crossing(skippable=True)
    bad = structs.replace(x.interstages[2], steps=(Step(3, "yrrr"), Step(1, "rrrr")))
    with pytest.raises(PlanError, match="intergreen"):
        check_crossing(structs.replace(x, interstages=(*x.interstages[:2], bad, x.interstages[3])))
    assert isinstance(x, Crossing)
