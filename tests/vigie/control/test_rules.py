"""The table is total; whatever the order of events, an ended target stays ended."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vigie.control.rules import (
    ENDED,
    EVENTS,
    IMPOSSIBLE,
    LATE,
    OPEN,
    SAME,
    STATES,
    TABLE,
    Event,
    Target,
    apply,
    check_params,
    proves,
    shows,
    wanted_of,
)
from vigie.lighting.kinds import STREETLIGHT

NOW = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
FIELD: tuple[Event, ...] = ("received", "shown", "done", "refused", "failed")
SPEC = STREETLIGHT.command("set_dimming_level")
assert SPEC is not None


def test_the_table_is_total() -> None:
    assert set(TABLE) == {(state, event) for state in STATES for event in EVENTS}
    assert set(TABLE.values()) <= {*STATES, SAME, LATE, IMPOSSIBLE}


def test_no_ended_state_is_left() -> None:
    for state in ENDED:
        for event in EVENTS:
            assert TABLE[state, event] in (SAME, LATE, IMPOSSIBLE)


def test_every_state_is_reached_and_every_open_one_can_end() -> None:
    reached = {"requested"} | {o for o in TABLE.values() if o in STATES}
    assert reached == set(STATES)
    for state in OPEN:
        for event, end in (("expire", "timed_out"), ("cancel", "cancelled")):
            assert TABLE[state, event] == end
        assert TABLE[state, "supersede"] == "superseded"


def test_what_sql_writes_is_what_the_table_says() -> None:
    """The sender's, the keeper's and the canceller's SQL each assume one outcome."""
    for state in OPEN:
        assert TABLE[state, "expire"] == "timed_out"
        assert TABLE[state, "cancel"] == "cancelled"
        assert TABLE[state, "supersede"] == "superseded"
        assert TABLE[state, "failed"] == "failed"
    assert TABLE["requested", "send"] == "sent"
    assert TABLE["sent", "send"] == TABLE["delivered", "send"] == SAME


@given(
    st.sampled_from(["requested", "sent", "delivered"]),
    st.lists(st.sampled_from(FIELD), max_size=12),
)
def test_any_order_of_answers_ends_once(start: str, events: list[Event]) -> None:
    target = Target(start, sent_at=NOW)  # type: ignore[arg-type]
    first_end = None
    for offset, event in enumerate(events):
        was = target.state
        apply(target, event, NOW + timedelta(seconds=offset), {"code": "x"})
        if was in ENDED:
            assert target.state == was
            assert target.ended_at == first_end
        if target.state in ENDED and first_end is None:
            first_end = target.ended_at
        assert (target.ended_at is not None) == (target.state in ENDED)
        assert target.next_send is None or target.state in OPEN
        assert (target.error is not None) == (target.state in ("refused", "failed"))
    for event in events:
        apply(target, event, NOW, {"code": "x"})
    if target.state in ENDED:
        # Told twice, nothing is left to say.
        assert not any(apply(target, event, NOW) for event in events)


@given(st.lists(st.sampled_from(FIELD), min_size=1, max_size=8))
def test_after_a_timeout_answers_are_kept_as_late(events: list[Event]) -> None:
    target = Target("timed_out", ended_at=NOW)
    for event in events:
        apply(target, event, NOW)
    assert target.state == "timed_out"
    assert target.late is not None
    if "done" in events:
        assert target.late["event"] == "done"


@given(st.floats(0, 100), st.floats(0, 100))
def test_half_a_percent_is_near_enough(wanted: float, value: float) -> None:
    shown = shows(wanted_of(SPEC, {"level": wanted}, STREETLIGHT), {"dimmingLevel": value})
    assert shown == (abs(wanted - value) <= 0.5)


def test_a_reading_proves_nothing_before_sending_nor_where_it_was_so() -> None:
    wanted = wanted_of(SPEC, {"level": 40}, STREETLIGHT)
    there = {"dimmingLevel": 40.2}
    assert not proves(Target("requested"), wanted, there)
    assert proves(Target("delivered", sent_at=NOW), wanted, there)
    assert not proves(Target("delivered", already=True, sent_at=NOW), wanted, there)
    assert not proves(Target("delivered", sent_at=NOW), wanted, {"activePower": 40})
    assert not proves(Target("delivered", sent_at=NOW), {}, there)
    assert not apply(Target("sent", sent_at=NOW), "shown", NOW), "not acknowledged"


def test_parameters_are_checked_against_the_declaration() -> None:
    assert check_params(SPEC, {"level": 0}) == []
    assert check_params(SPEC, {"level": 100.0}) == []
    for params, code in (
        ({"level": 100.1}, "out_of_range"),
        ({"level": -1}, "out_of_range"),
        ({"level": float("nan")}, "out_of_range"),
        ({"level": True}, "number_needed"),
        ({"level": "40"}, "number_needed"),
        ({}, "number_needed"),
        ({"level": 1, "colour": 3}, "unknown"),
    ):
        assert [fault.code for fault in check_params(SPEC, params)] == [code], params
