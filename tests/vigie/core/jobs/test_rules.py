"""Decisions on jobs: pauses, schedules, states."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.jobs import JOB, Job
from vigie.core.jobs.rules import backoff_s, next_daily, next_run

PARIS = ZoneInfo("Europe/Paris")
instants = st.datetimes(
    datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)
)  # fmt: skip


async def nothing(_one, _two) -> None:
    """A job of these tests."""


@given(st.integers(1, 100), st.floats(0.01, 60), st.floats(60, 7200), st.floats(0, 1))
def test_pauses_grow_and_stay_within_their_bounds(attempt, first, longest, chance):
    pause = backoff_s(attempt, first, longest, chance)
    whole = min(first * 2.0 ** (attempt - 1), longest)
    assert whole / 2 <= pause <= whole
    assert backoff_s(attempt + 1, first, longest, chance) >= pause


@given(instants, st.times())
def test_a_daily_job_runs_once_a_local_day_at_its_time(after, at):
    at = at.replace(fold=0)
    first = next_daily(at, after, PARIS)
    second = next_daily(at, first, PARIS)
    assert after < first <= after + timedelta(hours=26)
    assert second.astimezone(PARIS).date() - first.astimezone(PARIS).date() == timedelta(days=1)
    # But for an hour that the day does not have, clocks show exactly that.
    shown = first.astimezone(PARIS).time()
    assert shown == at or first.astimezone(PARIS).date().month == 3


def test_a_time_that_a_day_does_not_have_runs_an_hour_later():
    found = next_daily(time(2, 30), datetime(2026, 3, 28, 12, tzinfo=UTC), PARIS)
    assert found == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    found = next_daily(time(2, 30), datetime(2026, 10, 24, 12, tzinfo=UTC), PARIS)
    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(instants, st.integers(1, 100_000))
def test_every_process_plans_the_same_instants(after, seconds):
    job = Job("x.y", nothing, every=timedelta(seconds=seconds))
    found = next_run(job, after, PARIS)
    assert found is not None
    assert after < found <= after + timedelta(seconds=seconds)
    assert next_run(job, found - timedelta(milliseconds=1), PARIS) == found


def test_a_job_without_a_schedule_has_no_next_run():
    assert next_run(Job("x.y", nothing), datetime(2026, 1, 1, tzinfo=UTC), PARIS) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"every": timedelta(hours=1), "daily": time(3)},
        {"every": timedelta(milliseconds=5)},
        {"tries": 0},
        {"concurrency": 0},
    ],
)
def test_a_faulty_declaration_is_refused(wrong):
    with pytest.raises(ValueError, match=r"job 'x\.y'"):
        Job("x.y", nothing, **wrong)


def test_a_running_job_cannot_be_cancelled_and_an_ended_one_not_be_tried_again():
    assert "cancel" not in JOB.verbs_from("running")
    assert "retry" not in JOB.verbs_from("done")
    assert JOB.ends == {"done", "cancelled"}
