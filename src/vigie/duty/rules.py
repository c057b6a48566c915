"""Who is on call at any instant, from patterns, shifts, swaps and absences. Pure.

Patterns and shifts say who is on call. Swaps are laid over them in the order in which they were
made: whoever is replaced is off, who replaces them is on. Absences come last: who is away is not
on call, whatever else was said. All times of day are local; a night in which the clocks change is
an hour longer or shorter.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from dateutil.rrule import WEEKLY, rrule
from msgspec import Meta

from vigie.core.errors import Invalid

Weekday = Literal["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
WEEKDAYS: tuple[Weekday, ...] = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
TimeOfDay = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["18:00"])]
LONGEST_TURN = 14


class Pattern(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pattern", tag_field="kind"
):
    """On call every week, or every so many weeks, in turn: each week of the pattern is the next
    member's.

    A turn begins on each of the weekdays at `start` and lasts until `end`, `days` days later.
    """

    members: Annotated[list[UUID], Meta(min_length=1, max_length=50)]
    weekdays: Annotated[list[Weekday], Meta(min_length=1, max_length=7)]
    start: TimeOfDay
    end: TimeOfDay
    first: date
    days: Annotated[int, Meta(ge=0, le=LONGEST_TURN)] = 0
    every: Annotated[int, Meta(ge=1, le=52)] = 1
    until: date | None = None


class Shift(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="shift", tag_field="kind"):
    """On call once."""

    member: UUID
    start: datetime
    end: datetime


class Swap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="swap", tag_field="kind"):
    """Between two instants, `taker` is on call wherever `giver` would be."""

    giver: UUID
    taker: UUID
    start: datetime
    end: datetime


Spec = Pattern | Shift | Swap


class Rule(msgspec.Struct, frozen=True):
    """One of them, and from when until when it holds."""

    id: UUID
    since: datetime
    ended: datetime | None
    spec: Spec


class Absence(msgspec.Struct, frozen=True):
    """A member who cannot be called."""

    member: UUID
    start: datetime
    end: datetime


class Rota(msgspec.Struct, frozen=True):
    """Everything that says who is on call for a function; rules in the order they were made."""

    zone: tzinfo
    rules: Sequence[Rule] = ()
    absences: Sequence[Absence] = ()


class Span(msgspec.Struct, frozen=True):
    """A time in which the same people are on call."""

    start: datetime
    end: datetime
    members: tuple[UUID, ...]


class Fault(msgspec.Struct, frozen=True):
    """Too few people (`gap`) or too many (`overlap`) for a time."""

    kind: Literal["gap", "overlap"]
    start: datetime
    end: datetime
    people: int


def demand_sound(spec: Spec) -> None:
    """Raises Invalid for a rule that says nothing or contradicts itself."""
    match spec:
        case Pattern():
            if spec.days == 0 and spec.end <= spec.start:
                raise _unsound("end", "a turn ends after its start: say `days`: 1 for the next day")
            if spec.until is not None and spec.until < spec.first:
                raise _unsound("until", "the last day is not before the first one")
        case Swap() if spec.giver == spec.taker:
            raise _unsound("taker", "two different people swap")
        case Shift() | Swap():
            if spec.end <= spec.start:
                raise _unsound("end", "the end is after the start")


def members_of(spec: Spec) -> set[UUID]:
    """Who a rule names."""
    match spec:
        case Pattern():
            return set(spec.members)
        case Shift():
            return {spec.member}
        case Swap():
            return {spec.giver, spec.taker}


def end_of(spec: Spec, zone: tzinfo) -> datetime | None:
    """When a rule has nothing more to say; None when never."""
    if isinstance(spec, Pattern):
        if spec.until is None:
            return None
        return _local(spec.until + timedelta(days=spec.days), spec.end, zone)
    return spec.end


def on_call(rota: Rota, at: datetime) -> tuple[UUID, ...]:
    """Who is on call at an instant."""
    return spans(rota, at, at + timedelta(microseconds=1))[0].members


def spans(rota: Rota, start: datetime, end: datetime) -> list[Span]:
    """Who is on call from one instant to another, without a break: times of nobody are told too."""
    steps: list[tuple[datetime, int, _Piece]] = []
    for piece in _pieces(rota, start, end):
        steps += [(piece.start, 1, piece), (piece.end, -1, piece)]
    steps.sort(key=lambda step: step[0])
    base, away = Counter[UUID](), Counter[UUID]()
    swaps: dict[int, Swap] = {}
    found: list[Span] = []
    at, n = start, 0
    while at < end:
        while n < len(steps) and steps[n][0] <= at:
            _, change, piece = steps[n]
            if piece.swap is not None and change > 0:
                swaps[piece.order] = piece.swap
            elif piece.swap is not None:
                del swaps[piece.order]
            else:
                (away if piece.absent else base)[piece.member] += change
            n += 1
        upto = min(steps[n][0], end) if n < len(steps) else end
        members = _members(base, [swaps[order] for order in sorted(swaps)], away)
        if found and found[-1].members == members:
            found[-1] = Span(found[-1].start, upto, members)
        else:
            found.append(Span(at, upto, members))
        at = upto
    return found


def faults(
    told: Sequence[Span], people: int, needed: Sequence[tuple[datetime, datetime]]
) -> list[Fault]:
    """Where too few are on call while they are needed, or too many at any time."""
    found: list[Fault] = []
    for span in told:
        count = len(span.members)
        if count > people:
            found.append(Fault("overlap", span.start, span.end, count))
        elif count < people:
            for opens, closes in needed:
                start, end = max(opens, span.start), min(closes, span.end)
                if start < end:
                    found.append(Fault("gap", start, end, count))
    return found


class _Piece(msgspec.Struct, frozen=True):
    """One stretch of one rule: someone on call, someone away, or a swap."""

    start: datetime
    end: datetime
    member: UUID = UUID(int=0)
    absent: bool = False
    swap: Swap | None = None
    order: int = 0


def _pieces(rota: Rota, start: datetime, end: datetime) -> Iterator[_Piece]:
    """The stretches of all rules within a time, cut to it."""
    for order, rule in enumerate(rota.rules):
        low = max(start, rule.since)
        high = end if rule.ended is None else min(end, rule.ended)
        for opens, closes, member in _turns(rule.spec, rota.zone, low, high):
            opens, closes = max(opens, low), min(closes, high)
            if opens < closes:
                swap = rule.spec if isinstance(rule.spec, Swap) else None
                yield _Piece(opens, closes, member, swap=swap, order=order)
    for absence in rota.absences:
        opens, closes = max(absence.start, start), min(absence.end, end)
        if opens < closes:
            yield _Piece(opens, closes, absence.member, absent=True)


def _turns(
    spec: Spec, zone: tzinfo, start: datetime, end: datetime
) -> Iterable[tuple[datetime, datetime, UUID]]:
    match spec:
        case Pattern():
            return _weekly(spec, zone, start, end)
        case Shift():
            return [(spec.start, spec.end, spec.member)]
        case Swap():
            return [(spec.start, spec.end, spec.giver)]


def _weekly(
    pattern: Pattern, zone: tzinfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, UUID]]:
    if start >= end:
        return
    days = rrule(
        WEEKLY,
        dtstart=datetime.combine(pattern.first, time.min),
        until=None if pattern.until is None else datetime.combine(pattern.until, time.min),
        interval=pattern.every,
        byweekday=[WEEKDAYS.index(day) for day in pattern.weekdays],
    )
    # A turn that began days ago may still go on; a day more for the zone.
    earliest = start.astimezone(zone).replace(tzinfo=None) - timedelta(days=pattern.days + 1)
    latest = end.astimezone(zone).replace(tzinfo=None)
    monday = pattern.first - timedelta(days=pattern.first.weekday())
    for day in days.between(earliest, latest, inc=True):
        turn = (day.date() - monday).days // 7 // pattern.every
        yield (
            _local(day.date(), pattern.start, zone),
            _local(day.date() + timedelta(days=pattern.days), pattern.end, zone),
            pattern.members[turn % len(pattern.members)],
        )


def _local(day: date, at: str, zone: tzinfo) -> datetime:
    """An instant by the clock on the wall: one that is shown twice is the first one, one that the
    clocks skip is as much later."""
    return datetime.combine(day, time.fromisoformat(at), zone).astimezone(UTC)


def _members(base: Counter[UUID], swaps: Sequence[Swap], away: Counter[UUID]) -> tuple[UUID, ...]:
    on = {member for member, count in base.items() if count}
    for swap in swaps:
        if swap.giver in on:
            on = (on - {swap.giver}) | {swap.taker}
    return tuple(sorted(member for member in on if not away[member]))


def _unsound(field: str, why: str) -> Invalid:
    return Invalid(
        "rota_unsound",
        f"This says nothing that can be followed: {why}.",
        {"field": field},
        errors=[{"field": field, "code": "rota_unsound", "message": why}],
    )
