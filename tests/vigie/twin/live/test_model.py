"""The live picture: what was shown before plus the changes equals what is shown anew."""

from typing import Any

import numpy as np
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.twin.live import frames, rules
from vigie.twin.live.model import NO_TIME, Columns, LiveModel

NAMES = ["21166/lighting", "21231/lighting", "34172/lighting"]
STATE = ("at", "dimmingLevel", "activePower", "flags")


def columns(*sizes: int) -> Columns:
    """So many lights a channel."""
    total = sum(sizes)
    return Columns(
        np.repeat(np.arange(len(sizes)), sizes).astype(np.int32),
        np.arange(10, 10 + 3 * total, 3).astype(np.int32),
        5 + np.arange(total) / 1000,
        47 + np.arange(total) / 1000,
        np.zeros(total, np.bool_),
        np.full(total, NO_TIME, np.int64),
        np.full((total, 8), np.nan, np.float32),
        np.full(total, np.nan, np.float32),
        np.zeros(total, np.bool_),
    )


def snapshots(model: LiveModel) -> dict[str, Any]:
    return {
        name: orjson.loads(frames.snapshot(model, channel))
        for name, channel in model.channels.items()
    }


def advance(shown: dict[str, Any], model: LiveModel) -> None:
    """A screen that receives what changed."""
    for change in model.collect():
        name = change.channel.name
        if change.rows is None:
            shown[name] = orjson.loads(frames.snapshot(model, change.channel))
            continue
        delta = orjson.loads(frames.delta(model, change))
        picture = shown[name]
        assert delta["prev"] == picture["seq"]
        picture["seq"] = delta["seq"]
        for index, light in enumerate(delta["id"]):
            row = picture["id"].index(light)
            for key in STATE:
                picture[key][row] = delta[key][index]


step = st.one_of(
    st.tuples(
        st.just("told"), st.integers(0, 70), st.integers(0, 7), st.integers(0, 3),
        st.integers(1, 10**6),
    ),
    st.tuples(st.just("wanted"), st.integers(0, 70), st.integers(0, 100), st.booleans()),
    st.tuples(st.just("frame")),
    st.tuples(st.just("anew"), st.booleans()),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(step, max_size=40))
def test_deltas_on_an_old_snapshot_equal_a_fresh_one(steps: list[Any]) -> None:
    model = LiveModel()
    model.replace(NAMES, columns(3, 15, 2))
    model.collect()
    shown = snapshots(model)
    for kind, *values in steps:
        if kind == "told":
            light, slot, value, at = values
            vals = np.full((1, 8), np.nan, np.float32)
            vals[0, slot] = value
            model.apply(np.array([light], np.int32), np.array([at * 10**6]), vals)
        elif kind == "wanted":
            light, level, waits = values
            model.intend(
                np.array([light], np.int32), np.array([level], np.float32), np.array([waits])
            )
        elif kind == "frame":
            advance(shown, model)
        else:
            again = columns(3, 15 if values[0] else 16, 2)
            model.replace(NAMES, again)
    advance(shown, model)
    assert shown == snapshots(model)


def test_frame_numbers_never_go_back() -> None:
    model = LiveModel()
    model.replace(NAMES, columns(3, 4, 2))
    assert [change.channel.seq for change in model.collect()] == [1, 1, 1]
    model.replace(NAMES[:2], columns(3, 4))
    assert model.collect() == []
    model.replace(NAMES[:2], columns(3, 5))
    assert [(c.channel.name, c.channel.seq) for c in model.collect()] == [(NAMES[1], 2)]


def test_unknown_assets_are_skipped() -> None:
    model = LiveModel()
    model.replace(NAMES, columns(1, 1, 1))
    model.collect()
    model.apply(
        np.array([-5, 11, 10_000], np.int32), np.array([1, 2, 3]), np.zeros((3, 8), np.float32)
    )
    assert model.collect() == []


def flag(
    *, lamp: float = 0, supply: float = 0, level: float = 40, desired: float = np.nan,
    pending: bool = False, retired: bool = False,
) -> int:  # fmt: skip
    vals = np.array([[level, 30, 1, 1, 230, 7, lamp, supply]], np.float32)
    made = rules.flags(
        vals, np.array([desired], np.float32), np.array([pending]), np.array([retired])
    )
    return int(made[0])


def test_flags() -> None:
    assert flag() == 0
    assert flag(lamp=1) == rules.LAMP_FAILURE
    assert flag(supply=1, lamp=1) == rules.SUPPLY_LOSS | rules.LAMP_FAILURE
    assert flag(desired=40) == 0
    assert flag(desired=40.5) == 0
    assert flag(desired=0) == rules.UNEXPECTED
    assert flag(desired=0, pending=True) == rules.PENDING
    assert flag(desired=0, level=np.nan) == 0
    assert flag(retired=True) == rules.RETIRED
    assert flag(lamp=np.nan) == 0


def test_nothing_told_is_null() -> None:
    model = LiveModel()
    model.replace(NAMES[:1], columns(1))
    told = orjson.loads(frames.snapshot(model, model.channels[NAMES[0]]))
    assert (told["at"], told["dimmingLevel"], told["flags"]) == ([None], [None], [0])
