"""Is an event as its kind declares it, and what names it for ever."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vigie.twin.events import Event, rules
from vigie.twin.kinds import Choice, Flag, Number, Text
from vigie.twin.kinds import Event as Happening

NOW = datetime(2026, 11, 28, 17, 0, tzinfo=UTC)
BADGE = Happening(
    "badge_read",
    (
        Text("badge", 8),
        Choice("result", ("granted", "refused")),
        Flag("duress"),
        Number("seconds", "s", 0, 60),
    ),
    personal=True,
    keep_days=90,
)


def test_fields_are_read_as_declared():
    given_ = {"badge": "A1", "result": "refused", "duress": True, "seconds": 3}
    assert rules.checked(BADGE, given_) == given_
    assert rules.checked(BADGE, {"result": 1, "duress": 0.0}) == {
        "result": "refused", "duress": False,
    }  # fmt: skip
    assert rules.checked(BADGE, {"badge": None}) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"badge": "too long a badge"}, {"badge": 7}, {"badge": "a\0b"}, {"result": "maybe"},
        {"result": 2}, {"result": True}, {"result": 0.5}, {"duress": 2}, {"duress": "yes"},
        {"seconds": 61}, {"seconds": float("nan")}, {"seconds": "3"},
    ],
)  # fmt: skip
def test_what_is_not_declared_so_is_refused(fields):
    assert rules.checked(BADGE, fields) == "wrong_field"


def test_a_field_that_nobody_declared_is_refused():
    assert rules.checked(BADGE, {"colour": "red"}) == "unknown_field"


names = st.text(max_size=6) | st.sampled_from(["badge", "result", "duress", "seconds"])


@example({"result": float("inf")})
@example({"result": float("nan")})
@given(st.dictionaries(names, st.none() | st.booleans() | st.floats() | st.text(max_size=10)))
def test_anything_is_kept_or_refused(fields):
    kept = rules.checked(BADGE, fields)
    assert isinstance(kept, str) or set(kept) <= set(fields)


@given(
    st.integers(1, 2**31 - 1),
    st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    st.text(max_size=20),
)
def test_a_key_names_one_event_and_tells_its_time(asset, at, id_):
    key = rules.key_of(asset, at, id_)
    assert key == rules.key_of(asset, at, id_)
    assert key.version == 8
    assert abs(rules.instant_of(key) - at) <= timedelta(milliseconds=1)
    assert key != rules.key_of(asset, at, id_ + "x")
    assert key != rules.key_of(asset % (2**31 - 2) + 1, at, id_) or asset == asset % (2**31 - 2) + 1


def test_equal_events_without_a_number_are_one():
    event = Event(1, NOW, NOW, "forced", {"a": 1, "b": True})
    other = Event(1, NOW, NOW, "forced", {"b": True, "a": 1})
    assert rules.name_of(event) == rules.name_of(other)
    assert rules.name_of(Event(1, NOW, NOW, "held")) != rules.name_of(Event(1, NOW, NOW, "forced"))
    assert rules.name_of(Event(1, NOW, NOW, "forced", {}, "17")) == "17"


def test_times_are_bounded():
    assert rules.time_fault(NOW, NOW) is None
    assert rules.time_fault(NOW + timedelta(minutes=6), NOW) == "at_future"
    assert rules.time_fault(NOW - timedelta(days=31), NOW) == "at_past"
