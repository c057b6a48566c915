"""Time: always UTC and aware; local days only at the edge, with the territory's zone.

`now()` is *city time*: schedules, deadlines, ages, what occurred when. It is the machine's, but in
an exercise or a test it may have been set elsewhere and run faster (core.city_clock; `vigie.now()`
is the same in SQL). `machine()` never is: leases, retries, keep-alives, time-outs of protocols,
sessions.

A time that someone sends names its offset (`…Z`, `…+01:00`): without one it is refused everywhere,
in the API, in filters and over MQTT, since the hour before and after the clocks go back would be
anyone's guess. A day (`2026-11-23`) is the city's.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal, NamedTuple

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""No city's time lies outside: arithmetic and the database are safe within."""

Fault = Literal["not_a_time", "no_offset", "out_of_range"]
FAULTS: dict[Fault, str] = {
    "not_a_time": "a day (2026-11-23) or an instant with its offset (2026-11-23T21:14:00Z)",
    "no_offset": "a time with its offset, as 2026-11-23T21:14:00Z or 2026-11-23T22:14:00+01:00",
    "out_of_range": "a time between 1900 and 2200",
}
"""What is wrong with a time that was sent, and what it should be."""


class Course(NamedTuple):
    """How city time runs: it was `base` when the machine's clock showed `anchor`, and runs `rate`
    times as fast."""

    base: datetime
    anchor: datetime
    rate: float

    def at(self, machine: datetime) -> datetime:
        """City time when the machine's clock shows that."""
        return self.base + (machine - self.anchor) * self.rate


# The course of this process; None is the machine's own time. Set by core.city_clock alone.
_course: Course | None = None


def now() -> datetime:
    """The present instant of the city, UTC and aware."""
    return machine() if _course is None else _course.at(machine())


def machine() -> datetime:
    """The present instant by the machine's own clock, UTC and aware."""
    return datetime.now(UTC)


def follow(course: Course | None) -> None:
    """Let this process's city time run so; None: as the machine's."""
    global _course
    _course = course


def rfc3339(instant: datetime) -> str:
    """`2026-11-23T21:14:00.123Z`: milliseconds, always with Z.

    Raises ValueError when the instant has no offset: a naive time is a bug, not a default.
    """
    if instant.tzinfo is None:
        raise ValueError("a time without an offset cannot be written: use clock.now()")
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_ms(instant: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00:00Z."""
    return int(instant.timestamp() * 1000)


def local_day(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """First instant of a local day and of the next one, in UTC: 23, 24 or 25 hours apart."""
    start = datetime.combine(day, time.min, zone)
    end = datetime.combine(day + timedelta(days=1), time.min, zone)
    return start.astimezone(UTC), end.astimezone(UTC)


def fault_of(instant: datetime) -> Fault | None:
    """Why a time that someone sent cannot be used; None when it can."""
    if instant.utcoffset() is None:
        return "no_offset"
    # Compared without conversion: the year 1 at +14:00 has no UTC.
    if not EARLIEST.year <= instant.year < LATEST.year:
        return "out_of_range"
    return None


def read_span(text: str, zone: tzinfo) -> tuple[datetime, datetime] | Fault:
    """The time that a text stands for, as [start, end): all of a day, or one instant."""
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            if not EARLIEST.year <= day.year < LATEST.year:
                return "out_of_range"
            return local_day(day, zone)
        instant = datetime.fromisoformat(text)
    except ValueError:
        return "not_a_time"
    return fault_of(instant) or (instant, instant + timedelta(microseconds=1))
