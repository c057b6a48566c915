"""Time: always UTC and aware; local days only at the edge, with the territory's zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present instant, UTC and aware."""
    return datetime.now(UTC)


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


def local_day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """First instant of a local day and of the next one, in UTC: 23, 24 or 25 hours apart."""
    start = datetime.combine(day, time.min, zone)
    end = datetime.combine(day + timedelta(days=1), time.min, zone)
    return start.astimezone(UTC), end.astimezone(UTC)
