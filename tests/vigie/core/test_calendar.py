"""Holidays, opening hours and clocks of service levels, across nights of 23 and 25 hours."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.calendar import Days, Hours, Level, Pause, Term, reckon
from vigie.core.errors import Invalid

PARIS = ZoneInfo("Europe/Paris")
DAYS = Days(
    PARIS,
    fixed=("01-01", "05-01", "05-08", "07-14", "08-15", "11-01", "11-11", "12-25"),
    easter=(1, 39, 50),
    terms=(Term("Toussaint", date(2025, 10, 18), date(2025, 11, 2)),),
)
OFFICE = Hours("Mo-Fr 08:00-12:00,13:30-17:30; PH off", DAYS)
ALWAYS = Hours("24/7", DAYS)
HOUR = timedelta(hours=1)
instants = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))
durations = st.timedeltas(timedelta(), timedelta(days=20))


def at(text: str) -> datetime:
    """An instant of Paris, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


@pytest.mark.parametrize(
    "day", ["2026-04-06", "2026-05-14", "2026-05-25", "2026-05-08", "2026-12-25", "2026-05-01"]
)
def test_french_public_holidays(day):
    assert DAYS.public_holiday(date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2026-04-05", "2026-04-07", "2026-12-26", "2026-11-10"])
def test_days_beside_them_are_none(day):
    assert not DAYS.public_holiday(date.fromisoformat(day))


def test_school_holidays_are_those_of_the_territory():
    term = DAYS.school_holiday(date(2025, 10, 20))
    assert term is not None
    assert term.name == "Toussaint"
    assert DAYS.school_holiday(date(2025, 11, 3)) is None


@pytest.mark.parametrize(
    ("expression", "when", "opened"),
    [
        ("Mo-Fr 08:00-12:00; PH off", "2026-05-08 10:00", False),
        ("Mo-Fr 08:00-12:00; PH off", "2026-05-07 10:00", True),
        ("Mo-Fr 08:00-12:00; PH 10:00-11:00", "2026-05-08 10:30", True),
        ("Mo-Fr 08:00-12:00; PH 10:00-11:00", "2026-05-08 09:30", False),
        ("Mo,PH 10:00-12:00", "2026-05-08 10:30", True),
        ("Mo,PH 10:00-12:00", "2026-05-05 10:30", False),
        ("Mo-Fr 08:00-18:00; PH,SH off", "2025-10-20 10:00", False),
        ("Mo-Fr 08:00-18:00; SH Mo-Fr 10:00-16:00", "2025-10-20 09:00", False),
        ("Mo 22:00-06:00", "2026-05-05 05:00", True),
        ("24/7", "2026-05-08 03:00", True),
    ],
)
def test_hours_know_the_days(expression, when, opened):
    assert Hours(expression, DAYS).open_at(at(when)) is opened


@pytest.mark.parametrize(
    "expression", ["foo bar", "Mo-Fr 25:00-26:99", "", "PH -1 day off", "Mo " * 400]
)
def test_hours_that_cannot_be_read_are_refused_with_what_to_write(expression):
    with pytest.raises(Invalid, match="Write them like"):
        Hours(expression, DAYS)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_is_as_long_as_it_is(day, hours):
    start = at(f"{day} 00:00")
    end = start + timedelta(hours=hours)
    assert ALWAYS.opened(start, end) == end - start
    night = Hours("00:00-06:00", DAYS)
    assert night.opened(start, end) == timedelta(hours=6 + hours - 24)


def test_when_it_next_opens_or_closes():
    assert OFFICE.next_change(at("2026-05-07 17:45")) == at("2026-05-11 08:00")
    assert OFFICE.next_change(at("2026-05-07 09:00")) == at("2026-05-07 12:00")
    assert ALWAYS.next_change(at("2026-05-07 09:00")) is None


@given(instants, durations, durations)
def test_opened_time_adds_up(start, one, two):
    middle, end = start + one, start + one + two
    assert OFFICE.opened(start, end) == OFFICE.opened(start, middle) + OFFICE.opened(middle, end)
    assert timedelta() <= OFFICE.opened(start, end) <= end - start


@given(instants, durations, st.integers(1, 40))
def test_a_promise_is_due_after_so_much_open_time(start, passed, hours):
    level = Level("answer", timedelta(hours=hours))
    stands = reckon(level, OFFICE, start, [], start + passed)
    assert stands.due is not None
    assert OFFICE.opened(start, stands.due) == level.within
    assert stands.met == (start + passed <= stands.due or stands.elapsed == level.within)
    assert stands.elapsed + stands.left == level.within


def test_a_pause_stops_the_clock_and_says_why():
    level = Level("repair", 8 * HOUR)
    start = at("2026-05-04 08:00")
    waiting = Pause(at("2026-05-04 10:00"), "parts_ordered")
    stands = reckon(level, OFFICE, start, [waiting], at("2026-05-06 09:00"))
    assert (stands.elapsed, stands.due, stands.paused) == (2 * HOUR, None, "parts_ordered")
    over = Pause(waiting.since, waiting.reason, at("2026-05-06 10:00"))
    stands = reckon(level, OFFICE, start, [over], at("2026-05-06 11:00"))
    assert (stands.elapsed, stands.paused) == (3 * HOUR, None)
    assert stands.due == at("2026-05-06 17:30")


@given(
    instants,
    st.lists(st.tuples(durations, durations), max_size=4),
    durations,
)
def test_pauses_count_once_in_whatever_order_they_come(start, raw, passed):
    pauses = [Pause(start + a, "x", start + a + b) for a, b in raw]
    level, now = Level("l", 4 * HOUR), start + passed
    stands = reckon(level, ALWAYS, start, pauses, now)
    assert stands.elapsed == reckon(level, ALWAYS, start, pauses[::-1], now).elapsed
    assert timedelta() <= stands.elapsed <= passed
    covered = sum(
        1 for minute in range(0, int(passed.total_seconds()), 3600)
        if any(p.since <= start + timedelta(seconds=minute) < p.until for p in pauses)
    )  # fmt: skip
    assert abs((passed - stands.elapsed) - covered * HOUR) <= (2 * len(pauses) + 1) * HOUR


def test_a_clock_that_was_stopped_stays():
    level, start = Level("l", HOUR), at("2026-05-04 08:00")
    stands = reckon(level, OFFICE, start, [], at("2026-06-04 08:00"), at("2026-05-04 08:30"))
    assert (stands.elapsed, stands.met, stands.due) == (HOUR / 2, True, None)


def test_a_promise_that_is_broken_says_since_when():
    stands = reckon(Level("l", HOUR), OFFICE, at("2026-05-04 08:00"), [], at("2026-05-05 09:00"))
    assert not stands.met
    assert stands.due == at("2026-05-04 09:00")


def test_hours_that_never_open_are_never_due():
    never = Hours("off", DAYS)
    assert (
        reckon(Level("l", HOUR), never, at("2026-05-04 08:00"), [], at("2026-05-05 09:00")).due
        is None
    )
