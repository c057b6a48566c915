"""What was shown before plus the changes equals what is shown anew, whatever one may see."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.live import Row, RowTopic, Touched
from vigie.core.live.mirror import MOST_HINTS, Mirror
from vigie.core.live.rules import BURST, Pace, sees, sees_channel
from vigie.core.scope import EVERYTHING, Scope

DIJON, QUETIGNY = "21231/lighting", "21515/lighting"


SCOPES = (
    EVERYTHING,
    Scope(pairs=frozenset({DIJON})),
    Scope(municipalities=frozenset({"21515"})),
    Scope(pairs=frozenset({"34172/lighting"})),
    Scope(True, compartments=frozenset({"police"})),
)


async def nothing(*_: Any) -> list[Row]:
    return []


def shown(body: Any, scope: Scope) -> Any:
    return {key: n for key, n in body.items() if scope.holds(key)}


def topic(most: int = 100, *, narrowed: bool = False) -> RowTopic:
    return RowTopic(
        name="trial.rows", permission="trial.read", load=nothing, most=most,
        shown=shown if narrowed else None,
    )  # fmt: skip


row = st.builds(
    lambda n, keys, number, compartment: Row(
        str(n), tuple(keys), dict.fromkeys(keys, number), compartment
    ),
    st.integers(0, 7),
    st.sampled_from([(), (DIJON,), (QUETIGNY,), (DIJON, QUETIGNY)]),
    st.integers(0, 3),
    st.sampled_from(["", "", "police"]),
)
step = st.one_of(
    st.tuples(st.just("put"), row),
    st.tuples(st.just("drop"), st.integers(0, 7)),
    st.tuples(st.just("frame"), st.none()),
    st.tuples(st.just("all"), st.lists(row, max_size=8)),
)


def seen(mirror: Mirror, scope: Scope) -> dict[str, Any]:
    return {id_: msgspec.json.decode(body) for id_, body in mirror.seen_by(scope)}


class Screen:
    """A screen of one scope."""

    def __init__(self, mirror: Mirror, scope: Scope) -> None:
        self.scope = scope
        self.rows = seen(mirror, scope)

    def take(self, mirror: Mirror, changes: Any) -> None:
        if changes.anew:
            self.rows = seen(mirror, self.scope)
            return
        view = mirror.view(changes, self.scope)
        for id_, body in view.put:
            self.rows[id_] = msgspec.json.decode(body)
        for id_ in view.drop:
            assert id_ in self.rows, "nobody is told of what they did not see"
            del self.rows[id_]


@given(st.lists(step, max_size=40), st.integers(3, 9), st.booleans())
def test_changes_on_an_old_snapshot_equal_a_fresh_one(
    steps: list[Any], most: int, narrowed: bool
) -> None:
    mirror = Mirror(topic(most, narrowed=narrowed))
    mirror.replace([])
    mirror.collect()
    screens = [Screen(mirror, scope) for scope in SCOPES]
    truth: dict[str, Row] = {}

    def frame() -> None:
        changes = mirror.collect()
        if changes is not None:
            for screen in screens:
                screen.take(mirror, changes)

    for kind, value in [*steps, ("frame", None)]:
        if kind == "frame":
            frame()
        elif kind == "all":
            truth = {row.id: row for row in value}
            mirror.replace(truth.values())
        else:
            id_ = value.id if kind == "put" else str(value)
            if kind == "put":
                truth[id_] = value
            else:
                truth.pop(id_, None)
            if not mirror.update([Touched(id_)], [truth[id_]] if id_ in truth else []):
                mirror.replace(truth.values())
        if mirror.complete:
            assert mirror.rows == truth
    for screen in screens:
        assert screen.rows == seen(mirror, screen.scope)


@given(st.lists(step, max_size=20))
def test_nobody_is_told_of_what_is_not_theirs(steps: list[Any]) -> None:
    mirror = Mirror(topic())
    mirror.replace([])
    mirror.collect()
    stranger = Scope(pairs=frozenset({"34172/lighting"}))
    for kind, value in steps:
        if kind == "put" and value.scope:
            touch = Touched(value.id, value.scope, value.compartment)
            mirror.update([touch], [value])
            changes = mirror.collect()
            assert changes is not None
            assert mirror.view(changes, stranger).empty
            if value.compartment:
                view = mirror.view(changes, EVERYTHING)
                assert not view.put
                assert view.hint == []


def test_every_touch_is_heard_of_once() -> None:
    """Open rows as they are; what is not open, or looks the same, as a hint."""
    mirror = Mirror(topic())
    open_ = Row("1", DIJON, {"n": 1})
    mirror.replace([open_])
    mirror.collect()
    mirror.update([Touched("1", (DIJON,)), Touched("2", (DIJON,)), Touched("3")], [open_])
    changes = mirror.collect()
    assert changes is not None
    assert mirror.view(changes, EVERYTHING).hint == ["1", "2", "3"]
    assert mirror.view(changes, Scope(pairs=frozenset({QUETIGNY}))).hint == ["3"]
    mirror.update([Touched(str(n), (DIJON,)) for n in range(10, 11 + MOST_HINTS)], [])
    changes = mirror.collect()
    assert changes is not None
    assert mirror.view(changes, EVERYTHING).hint is None, "too many to name"


def test_too_many_open_rows_are_hints_until_they_are_fewer() -> None:
    mirror = Mirror(topic(most=2))
    mirror.replace([Row(str(n), "", n) for n in range(2)])
    mirror.collect()
    assert not mirror.update([Touched("9")], [Row("9", "", 9)])
    mirror.replace([Row(str(n), "", n) for n in range(3)])
    changes = mirror.collect()
    assert changes is not None
    assert changes.anew
    assert (mirror.complete, mirror.rows) == (False, {})
    mirror.update([Touched("1")], [])
    changes = mirror.collect()
    assert changes is not None
    assert not changes.anew
    assert mirror.view(changes, EVERYTHING).hint == ["1"]
    mirror.replace([Row("1", "", 1)])
    changes = mirror.collect()
    assert changes is not None
    assert changes.anew
    assert mirror.complete


def test_who_sees_what() -> None:
    assert sees(Scope(pairs=frozenset({DIJON})), (QUETIGNY, DIJON))
    assert not sees(Scope(pairs=frozenset({DIJON})), (QUETIGNY,))
    assert sees(Scope(pairs=frozenset({DIJON})), ()), "of no place: the permission is enough"
    assert not sees(None, ())
    assert not sees(EVERYTHING, (), "police"), "administrators do not by themselves"
    assert sees(SCOPES[-1], (DIJON,), "police")
    assert sees_channel(Scope(trades=frozenset({"lighting"})), "21231/lighting/Streetlight")
    assert not sees_channel(Scope(trades=frozenset({"lighting"})), "21231/traffic")
    assert not sees_channel(None, DIJON)


def test_a_client_that_asks_too_often_waits() -> None:
    pace = Pace()
    assert [pace.wait_s(5.0) for _ in range(BURST)] == [0.0] * BURST
    assert pace.wait_s(5.0) > 0
    assert pace.wait_s(65.0) == 0.0
