"""The live picture: what was shown before plus the changes equals what is shown anew."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.lighting.kinds import STREETLIGHT
from vigie.operations.kinds import VEHICLE
from vigie.twin.kinds import Kind
from vigie.twin.live import frames, rules
from vigie.twin.live.model import NO_TIME, Columns, LiveModel

Loaded = dict[str, tuple[Kind, list[str], Columns]]

LIGHTS = [f"{insee}/lighting/Streetlight" for insee in ("21166", "21231", "34172")]
VEHICLES = [f"{insee}/operations/Vehicle" for insee in ("21166", "21231", "34172")]
FIRST = {STREETLIGHT.name: 10, VEHICLE.name: 11}


def columns(kind: Kind, *sizes: int) -> Columns:
    """So many a channel; ids of lights and of vehicles differ."""
    total, functions = sum(sizes), len(rules.face(kind).functions)
    return Columns(
        np.repeat(np.arange(len(sizes)), sizes).astype(np.int32),
        (FIRST[kind.name] + 3 * np.arange(total)).astype(np.int32),
        5 + np.arange(total) / 1000,
        47 + np.arange(total) / 1000,
        np.zeros(total, np.bool_),
        np.full(total, NO_TIME, np.int64),
        np.full((total, kind.width), np.nan, np.float32),
        np.full((total, functions), np.nan, np.float32),
        np.zeros((total, functions), np.bool_),
    )


def loaded(lights: Sequence[int], vehicles: Sequence[int] = ()) -> Loaded:
    """What the database holds."""
    return {
        kind.name: (kind, names[: len(sizes)], columns(kind, *sizes))
        for kind, names, sizes in ((STREETLIGHT, LIGHTS, lights), (VEHICLE, VEHICLES, vehicles))
        if sizes
    }


def snapshots(model: LiveModel) -> dict[str, Any]:
    return {
        name: orjson.loads(frames.snapshot(model.block_of(channel), channel))
        for name, channel in model.channels.items()
    }


def advance(shown: dict[str, Any], model: LiveModel) -> None:
    """A screen that receives what changed."""
    for change in model.collect():
        name = change.channel.name
        if change.rows is None:
            shown[name] = orjson.loads(
                frames.snapshot(model.block_of(change.channel), change.channel)
            )
            continue
        delta = orjson.loads(frames.delta(model.block_of(change.channel), change))
        picture = shown[name]
        assert delta["prev"] == picture["seq"]
        picture["seq"] = delta["seq"]
        for index, light in enumerate(delta["id"]):
            row = picture["id"].index(light)
            for key in ("at", "flags", *(k for k in ("lon", "lat") if k in delta)):
                picture[key][row] = delta[key][index]
            for point, values in delta["values"].items():
                picture["values"][point][row] = values[index]


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
    model.replace(loaded((3, 15, 2), (2, 4)))
    model.collect()
    shown = snapshots(model)
    for kind, *values in steps:
        if kind == "told":
            asset, slot, value, at = values
            for told in (STREETLIGHT, VEHICLE):
                vals = np.full((1, told.width), np.nan, np.float32)
                vals[0, slot] = value
                model.apply(told.name, np.array([asset], np.int32), np.array([at * 10**6]), vals)
        elif kind == "wanted":
            asset, level, waits = values
            model.intend(
                np.array([asset], np.int32),
                "level",
                np.array([level], np.float32),
                np.array([waits]),
            )
        elif kind == "frame":
            advance(shown, model)
        else:
            model.replace(loaded((3, 15 if values[0] else 16, 2), (2, 4)))
    advance(shown, model)
    assert shown == snapshots(model)


def test_what_moves_is_where_it_last_said() -> None:
    model = LiveModel()
    model.replace(loaded((1,), (1,)))
    model.collect()
    shown = snapshots(model)
    vals = np.full((1, VEHICLE.width), np.nan, np.float32)
    vals[0, :4] = (5.25, 47.5, 12, 90)
    model.apply(VEHICLE.name, np.array([11], np.int32), np.array([10**6]), vals)
    advance(shown, model)
    vehicle = shown[VEHICLES[0]]
    assert (vehicle["lon"], vehicle["lat"]) == ([5.25], [47.5])
    assert vehicle["values"]["heading"] == [90]
    assert shown[LIGHTS[0]]["lon"] == [5]


def test_another_release_of_ingest_is_not_read() -> None:
    model = LiveModel()
    model.replace(loaded((1,)))
    model.collect()
    wider = np.zeros((1, STREETLIGHT.width + 1), np.float32)
    model.apply(STREETLIGHT.name, np.array([10], np.int32), np.array([1]), wider)
    model.apply("Unheard", np.array([10], np.int32), np.array([1]), wider)
    assert model.collect() == []


def test_frame_numbers_never_go_back() -> None:
    model = LiveModel()
    model.replace(loaded((3, 4, 2)))
    assert [change.channel.seq for change in model.collect()] == [1, 1, 1]
    model.replace(loaded((3, 4)))
    assert model.collect() == []
    model.replace(loaded((3, 5)))
    assert [(c.channel.name, c.channel.seq) for c in model.collect()] == [(LIGHTS[1], 2)]


def test_a_kind_that_is_gone_leaves_no_channel() -> None:
    model = LiveModel()
    model.replace(loaded((1,), (2,)))
    model.replace(loaded((1,)))
    assert set(model.channels) == {LIGHTS[0]}
    assert model.size == 1


def test_unknown_assets_are_skipped() -> None:
    model = LiveModel()
    model.replace(loaded((1, 1, 1)))
    model.collect()
    vals = np.zeros((3, STREETLIGHT.width), np.float32)
    ids = np.array([-5, 11, 10_000], np.int32)
    model.apply(STREETLIGHT.name, ids, np.array([1, 2, 3]), vals)
    assert model.collect() == []


def flag(
    *, lamp: float = 0, supply: float = 0, level: float = 40, desired: float = np.nan,
    pending: bool = False, retired: bool = False,
) -> int:  # fmt: skip
    vals = np.array([[level, 30, 1, 1, 230, 7, lamp, supply]], np.float32)
    made = rules.flags(
        STREETLIGHT,
        vals,
        np.array([[desired]], np.float32),
        np.array([[pending]]),
        np.array([retired]),
    )
    return int(made[0])


def test_flags() -> None:
    assert flag() == 0
    assert flag(lamp=1) == rules.FIRST_MARK
    assert flag(supply=1, lamp=1) == rules.SECOND_MARK | rules.FIRST_MARK
    assert flag(desired=40) == 0
    assert flag(desired=40.5) == 0
    assert flag(desired=0) == rules.UNEXPECTED
    assert flag(desired=0, pending=True) == rules.PENDING
    assert flag(desired=0, level=np.nan) == 0
    assert flag(retired=True) == rules.RETIRED
    assert flag(lamp=np.nan) == 0


def test_nothing_told_is_null() -> None:
    model = LiveModel()
    model.replace(loaded((1,)))
    channel = model.channels[LIGHTS[0]]
    told = orjson.loads(frames.snapshot(model.block_of(channel), channel))
    assert (told["at"], told["values"]["dimmingLevel"], told["flags"]) == ([None], [None], [0])
