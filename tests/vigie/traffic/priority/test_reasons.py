"""What is said of each decision: in both languages, with what is not known said first."""

import re
from itertools import pairwise

import pytest
from msgspec import structs

from tests.vigie.traffic.priority.make import crossing, way
from vigie.traffic.priority import BusFacts, BusFix, Engine, Event, Loop, Settings, StopOnWay
from vigie.traffic.priority.reasons import RIVALRY, WAITING, WORDS
from vigie.traffic.priority.requests import AFTERLIFE, MAX_PRESENCE

GROUPS = ("main", "turn", "cross")


def test_both_languages_say_the_same_facts() -> None:
    assert WORDS["en"].keys() == WORDS["fr"].keys()
    assert WORDS["en"].keys() >= WAITING | RIVALRY
    for key, english in WORDS["en"].items():
        names = set(re.findall(r"{(\w+)}", english))
        assert set(re.findall(r"{(\w+)}", WORDS["fr"][key])) == names, key


def stand(dead: tuple[str, ...], seconds: int, factor: float = 0.0) -> list[Event]:
    """A bus stands before the cross street's red while the main road is full; some loops dead."""
    engine = Engine([crossing()], 0, Settings(bus_factor=factor))
    facts = {"c": BusFacts(way(group="cross"), "2")}
    out: list[Event] = []
    for now in range(1, seconds + 1):
        loops = {f"{w}/x.{g}": Loop(0, 0.0) for w in ("in", "stop") for g in GROUPS}
        loops["in/x.main"] = loops["stop/x.main"] = Loop(now % 2, 0.9)
        heard = {name: loop for name, loop in loops.items() if name not in dead}
        fix = BusFix("c", now, 490.0, 0.0, 0.0)
        out += engine.turn(now, heard, [fix], facts).events
    return out


@pytest.mark.parametrize(
    ("dead", "key"), [((), "bus.waits"), (("in/x.cross", "stop/x.cross"), "bus.blind")]
)
def test_a_refusal_says_what_is_not_known(dead: tuple[str, ...], key: str) -> None:
    refusals = [e for e in stand(dead, 12) if e.state == "watchOtherTraffic"]
    assert refusals
    assert {e.reason.key for e in refusals} == {key}
    if dead:
        assert "dead loops here: 2 of 6" in refusals[0].reason.words()
        assert "boucles muettes ici : 2 sur 6" in refusals[0].reason.words("fr")


def test_an_uncertain_arrival_is_said() -> None:
    """Five stops of unknown dwell before the crossing: the bus may come any moment."""
    stops = tuple(StopOnWay(f"s{k}", 300.0 + 40 * k) for k in range(5))
    line = structs.replace(way(group="cross"), stops=stops)
    engine = Engine([crossing()], 0, Settings(bus_factor=0.0, reach=200.0))
    out: list[Event] = []
    for now in range(1, 12):
        loops = {f"{w}/x.{g}": Loop(0, 0.0) for w in ("in", "stop") for g in GROUPS}
        loops["in/x.main"] = loops["stop/x.main"] = Loop(now % 2, 0.9)
        fix = BusFix("c", now, 250.0, 0.0, 2.0)
        out += engine.turn(now, loops, [fix], {"c": BusFacts(line, "2")}).events
    refusals = [e for e in out if e.state == "watchOtherTraffic"]
    assert {e.reason.key for e in refusals} == {"bus.vague"}
    assert "too uncertain" in refusals[0].reason.words()


def test_a_bus_that_never_leaves_does_not_ask_for_ever() -> None:
    """A bus broken down at its stop line: helped no longer than the maximum, closed, and not
    helped again."""
    events = stand((), 2 * (MAX_PRESENCE + AFTERLIFE) + 5)
    assert [e.at for e in events if e.state == "maxPresence"] == [MAX_PRESENCE + 1]
    closed = [e for e in events if e.state == "closed"]
    assert [e.at for e in closed] == [MAX_PRESENCE + AFTERLIFE + 1]
    assert [e.reason.key for e in closed] == ["bus.given_up"]
    assert [e.state for e in events].count("requested") == 1


def test_words_do_not_flicker() -> None:
    """What a bus is told stands some seconds, a grant or a rival excepted."""
    events = [e for e in stand((), 120) if e.state in ("watchOtherTraffic", "processing")]
    gaps = [b.at - a.at for a, b in pairwise(events)]
    assert len(gaps) >= 1
    assert all(gap >= 12 for gap in gaps)


def test_a_maximum_reached_is_said_as_such() -> None:
    """A queue that is not served when its green must end is not called served."""
    engine = Engine([crossing()], 0, Settings(bus_factor=0.0))
    said: dict[str, int] = {}
    for now in range(1, 200):
        loops = {f"{w}/x.{g}": Loop(0, 0.0) for w in ("in", "stop") for g in GROUPS}
        loops["in/x.main"] = loops["stop/x.main"] = Loop(1, 0.9)
        for decision in engine.turn(now, loops, [], {}).decisions:
            if decision.reason.facts.get("stage") == "A":
                said[decision.reason.key] = said.get(decision.reason.key, 0) + 1
    assert set(said) == {"stage.limit"}
