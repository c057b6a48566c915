"""The rota: every instant has exactly the people that its rules say, whatever the clocks do."""

import itertools
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.errors import Invalid
from vigie.duty import rules
from vigie.duty.rules import WEEKDAYS, Absence, Fault, Pattern, Rota, Rule, Shift, Span, Swap

PARIS = ZoneInfo("Europe/Paris")
A, B, C, D = PEOPLE = [UUID(int=n) for n in range(1, 5)]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
# Both changes of the clocks, and the turn of the year, are near: 25 October, 28 March.
EPOCH = datetime(2026, 10, 19, tzinfo=UTC)


def at(text: str) -> datetime:
    """A local time in Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


def rota(*specs, absences=(), ended=None) -> Rota:
    made = [Rule(UUID(int=n), LONG_AGO, ended, spec) for n, spec in enumerate(specs)]
    return Rota(PARIS, made, absences)


hours = st.integers(0, 24 * 200).map(lambda n: EPOCH + timedelta(hours=n))
lengths = st.integers(1, 24 * 9).map(lambda n: timedelta(hours=n))
clock = st.builds(lambda h, m: f"{h:02}:{m:02}", st.integers(0, 23), st.sampled_from([0, 30]))
people = st.sampled_from(PEOPLE)
days = st.integers(0, 200).map(lambda n: date(2026, 10, 19) + timedelta(days=n))


@st.composite
def patterns(draw):
    start, end = draw(clock), draw(clock)
    first = draw(days)
    return Pattern(
        members=draw(st.lists(people, min_size=1, max_size=3)),
        weekdays=draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7)),
        start=start, end=end, first=first,
        days=draw(st.integers(0 if end > start else 1, 8)),
        every=draw(st.integers(1, 3)),
        until=draw(st.none() | st.just(first + timedelta(days=40))),
    )  # fmt: skip


@st.composite
def shifts(draw):
    start = draw(hours)
    return Shift(draw(people), start, start + draw(lengths))


@st.composite
def swaps(draw):
    start = draw(hours)
    giver, taker = draw(st.lists(people, min_size=2, max_size=2, unique=True))
    return Swap(giver, taker, start, start + draw(lengths))


@st.composite
def rotas(draw):
    specs = draw(st.lists(patterns() | shifts() | swaps(), max_size=8))
    made = [
        Rule(UUID(int=n), draw(st.just(LONG_AGO) | hours), draw(st.none() | hours), spec)
        for n, spec in enumerate(specs)
    ]
    absences = [
        Absence(draw(people), start, start + draw(lengths))
        for start in draw(st.lists(hours, max_size=3))
    ]
    return Rota(PARIS, made, absences)


def on_call_by_hand(rota: Rota, instant: datetime) -> set[UUID]:
    """The same, said another way: every day that may matter, one after the other."""
    on = set()
    live = [r for r in rota.rules if r.since <= instant and (r.ended is None or instant < r.ended)]
    for spec in (rule.spec for rule in live):
        if isinstance(spec, Shift) and spec.start <= instant < spec.end:
            on.add(spec.member)
        if isinstance(spec, Pattern):
            monday = spec.first - timedelta(days=spec.first.weekday())
            for back in range(-1, 17):
                day = instant.astimezone(PARIS).date() - timedelta(days=back)
                weeks = (day - monday).days // 7
                if (
                    day < spec.first
                    or (spec.until and day > spec.until)
                    or WEEKDAYS[day.weekday()] not in spec.weekdays
                    or weeks % spec.every
                ):
                    continue
                start = at(f"{day}T{spec.start}")
                end = at(f"{day + timedelta(days=spec.days)}T{spec.end}")
                if start <= instant < end:
                    on.add(spec.members[weeks // spec.every % len(spec.members)])
    for spec in (rule.spec for rule in live):
        if isinstance(spec, Swap) and spec.start <= instant < spec.end and spec.giver in on:
            on = on - {spec.giver} | {spec.taker}
    return on - {a.member for a in rota.absences if a.start <= instant < a.end}


@given(rotas(), hours, st.lists(st.integers(0, 14 * 48 - 1), min_size=1, max_size=20))
def test_every_instant_has_exactly_the_people_that_the_rules_say(rota, start, halves):
    end = start + timedelta(days=14)
    told = rules.spans(rota, start, end)
    assert (told[0].start, told[-1].end) == (start, end)
    for before, after in itertools.pairwise(told):
        assert before.end == after.start
        assert before.members != after.members
    for half in halves:
        instant = start + timedelta(minutes=30 * half)
        span = next(s for s in told if s.start <= instant < s.end)
        assert set(span.members) == on_call_by_hand(rota, instant)
        assert rules.on_call(rota, instant) == span.members


@given(rotas(), swaps(), hours)
def test_a_swap_never_makes_two_of_one(rota, swap, start):
    with_swap = Rota(PARIS, [*rota.rules, Rule(UUID(int=99), LONG_AGO, None, swap)])
    without = Rota(PARIS, rota.rules)
    for hour in range(0, 24 * 9, 5):
        instant = start + timedelta(hours=hour)
        before = set(rules.on_call(without, instant))
        after = set(rules.on_call(with_swap, instant))
        assert len(after) <= len(before)
        if swap.start <= instant < swap.end:
            assert swap.giver not in after
            assert (swap.taker in after) == (swap.taker in before or swap.giver in before)
            assert after - {swap.taker} == before - {swap.giver, swap.taker}
        else:
            assert after == before


@given(rotas(), hours, st.integers(0, 3))
def test_gaps_and_overlaps_are_where_the_people_are_too_few_or_too_many(rota, start, people):
    end = start + timedelta(days=7)
    told = rules.spans(rota, start, end)
    faults = rules.faults(told, people, [(start, end)])
    for half in range(0, 7 * 48, 7):
        instant = start + timedelta(minutes=30 * half)
        count = len(rules.on_call(rota, instant))
        (kind,) = [f.kind for f in faults if f.start <= instant < f.end] or ["fine"]
        assert kind == ("gap" if count < people else "overlap" if count > people else "fine")


@pytest.mark.parametrize(
    ("first", "hours"), [("2026-10-23", 14), ("2026-10-24", 15), ("2027-03-27", 13)]
)
def test_a_night_in_which_the_clocks_change_is_as_long_as_it_is(first, hours):
    nights = Pattern([A], list(WEEKDAYS), "18:00", "08:00", date.fromisoformat(first), days=1,
                     until=date.fromisoformat(first))  # fmt: skip
    start = at(f"{first}T00:00")
    told = rules.spans(rota(nights), start, start + timedelta(days=3))
    (night,) = [span for span in told if span.members]
    assert night.start == at(f"{first}T18:00")
    assert night.end - night.start == timedelta(hours=hours)


def test_a_turn_that_begins_in_the_hour_that_the_clocks_skip_or_repeat():
    early = Pattern([A], ["Su"], "02:30", "06:00", date(2026, 10, 25))
    for instant, on in (
        ("2026-10-25T00:29+00:00", ()), ("2026-10-25T00:30+00:00", (A,)),
        ("2026-10-25T04:59+00:00", (A,)), ("2026-10-25T05:00+00:00", ()),
        ("2027-03-28T01:29+00:00", ()), ("2027-03-28T01:30+00:00", (A,)),
        ("2027-03-28T03:59+00:00", (A,)), ("2027-03-28T04:00+00:00", ()),
    ):  # fmt: skip
        assert rules.on_call(rota(early), datetime.fromisoformat(instant)) == on, instant


def test_weeks_are_taken_in_turn():
    weeks = Pattern([A, B, C], ["Fr"], "17:00", "17:00", date(2026, 10, 23), days=7)
    told = rules.spans(rota(weeks), at("2026-10-23T17:00"), at("2026-11-20T17:00"))
    assert [(s.members, s.end - s.start) for s in told] == [
        ((A,), timedelta(days=7, hours=1)),
        ((B,), timedelta(days=7)), ((C,), timedelta(days=7)), ((A,), timedelta(days=7)),
    ]  # fmt: skip


def test_swaps_follow_each_other_and_absence_has_the_last_word():
    shift = Shift(A, at("2026-11-02T08:00"), at("2026-11-02T20:00"))
    first = Swap(A, B, shift.start, shift.end)
    second = Swap(B, C, at("2026-11-02T12:00"), shift.end)
    away = Absence(C, at("2026-11-02T16:00"), shift.end)
    told = rules.spans(rota(shift, first, second, absences=[away]), shift.start, shift.end)
    assert told == [
        Span(shift.start, second.start, (B,)),
        Span(second.start, away.start, (C,)),
        Span(away.start, shift.end, ()),
    ]
    assert rules.faults(told, 1, [(shift.start, at("2026-11-02T18:00"))]) == [
        Fault("gap", away.start, at("2026-11-02T18:00"), 0)
    ]


def test_what_ended_was_true_until_then():
    shift = Shift(A, at("2026-11-02T08:00"), at("2026-11-02T20:00"))
    ended = rota(shift, ended=at("2026-11-02T12:00"))
    assert [s.members for s in rules.spans(ended, shift.start, shift.end)] == [(A,), ()]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (Pattern([A], ["Mo"], "18:00", "08:00", date(2026, 1, 5)), "end"),
        (Pattern([A], ["Mo"], "08:00", "18:00", date(2026, 1, 5), until=date(2026, 1, 4)), "until"),
        (Shift(A, EPOCH, EPOCH), "end"),
        (Swap(A, A, EPOCH, EPOCH + timedelta(1)), "taker"),
        (Swap(A, B, EPOCH, EPOCH - timedelta(1)), "end"),
    ],
)
def test_rules_that_cannot_be_followed_are_refused(spec, field):
    with pytest.raises(Invalid) as refused:
        rules.demand_sound(spec)
    assert refused.value.errors[0]["field"] == field
