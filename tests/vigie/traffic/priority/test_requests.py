"""The life of a request: a table, always to its end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.traffic.priority import REQUEST_TABLE, Request, TransitionError
from vigie.traffic.priority.requests import AFTERLIFE, MAX_PRESENCE, MEANING, move, overdue

VERBS = sorted(MEANING)
J2735 = {
    "requested", "processing", "watchOtherTraffic", "granted", "rejected", "maxPresence",
    "reserviceLocked",
}  # fmt: skip


def test_states_are_those_of_j2735() -> None:
    states = {s for s, _ in REQUEST_TABLE} | set(REQUEST_TABLE.values())
    assert states == J2735 | {"closed"}
    assert not [verb for state, verb in REQUEST_TABLE if state == "closed"]


def test_every_state_can_end() -> None:
    for state in J2735:
        assert REQUEST_TABLE[state, "lose"] == "closed"
        assert REQUEST_TABLE[state, "pass"] == "closed"


@given(st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 30)), max_size=60))
def test_requests_always_end(steps: list[tuple[str, int]]) -> None:
    """Whatever happens, time alone closes a request."""
    request, now = Request("b", "x", "x.main", 0), 0
    for verb, lapse in steps:
        now += lapse
        if (request.state, verb) in REQUEST_TABLE:
            request = move(request, verb, now)  # type: ignore[arg-type]
        else:
            with pytest.raises(TransitionError):
                move(request, verb, now)  # type: ignore[arg-type]
    for now in range(now, now + MAX_PRESENCE + AFTERLIFE + 2):
        verb = overdue(request, now)
        if verb is not None:
            request = move(request, verb, now)
    assert request.state == "closed"


def test_time_runs_forward() -> None:
    request = move(Request("b", "x", "x.main", 5, changed=5), "weigh", 9)
    with pytest.raises(TransitionError, match="before"):
        move(request, "grant", 8)
