"""Days and hours of a territory: public holidays, school holidays, opening hours, and the clocks of
service levels, which count working time only, pause, and say why. Pure.

    days = Days(zone, fixed=("01-01", "05-01"), easter=(1, 39, 50), terms=terms)
    hours = Hours("Mo-Fr 08:00-18:00; PH off", days)
    level = Level("first_answer", timedelta(hours=4))
    reckon(level, hours, started, pauses, now).due

Opening hours are written as OpenStreetMap writes them (the opening_hours specification), `PH` for
public and `SH` for school holidays.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
from dateutil.easter import easter as easter_sunday
from opening_hours import (
    OpeningHours,
    ParserError,  # pyright: ignore[reportAttributeAccessIssue]
    State,
)

from vigie.core.errors import Fault, Invalid, wrong_fields

LONGEST = 500
# No service level of a city runs longer than this in real time; a clock never looks further.
HORIZON = timedelta(days=3 * 366)
_WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_HOLIDAY = re.compile(r"\b(?:PH|SH)\b")
# "SH Mo-Fr": these weekdays, in school holidays only.
_WITHIN = re.compile(
    r"\b((?:PH|SH)(?:\s*,\s*(?:PH|SH))*)\s+((?:{0})(?:\s*[-,]\s*(?:{0}))*)".format(
        "|".join(_WEEKDAYS)
    )
)
_SHIFTED = re.compile(r"\b(?:PH|SH)\s*[+-]")


class Term(msgspec.Struct, frozen=True):
    """School holidays: first and last day without school."""

    name: str
    first: date
    last: date


class Days(msgspec.Struct, frozen=True):
    """Which days are unlike others. `fixed` are "MM-DD"; `easter` days after Easter Sunday."""

    zone: ZoneInfo
    fixed: tuple[str, ...] = ()
    easter: tuple[int, ...] = ()
    terms: tuple[Term, ...] = ()

    def public_holiday(self, day: date) -> bool:
        """True on a public holiday."""
        if f"{day.month:02}-{day.day:02}" in self.fixed:
            return True
        return bool(self.easter) and (day - easter_sunday(day.year)).days in self.easter

    def school_holiday(self, day: date) -> Term | None:
        """The school holidays that a day is in."""
        return next((term for term in self.terms if term.first <= day <= term.last), None)

    def local_day(self, instant: datetime) -> date:
        """The day that people there call it."""
        return instant.astimezone(self.zone).date()


class Hours:
    """Opening hours on a territory's days. Raises Invalid when they cannot be read."""

    def __init__(self, expression: str, days: Days) -> None:
        self.expression = expression
        self.days = days
        _parsed(expression)

    def open_at(self, instant: datetime) -> bool:
        """True while open."""
        return any(start <= instant < end for start, end in self._around(instant))

    def opened(self, start: datetime, end: datetime) -> timedelta:
        """How much of a time it was open."""
        total = timedelta()
        for opens, closes in self.spans(start, end):
            total += closes - opens
        return total

    def spans(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """When it is open between two instants (UTC), in order, touching ones as one.

        Raises ValueError over more than three years.
        """
        if end - start > HORIZON:
            raise ValueError(f"hours are looked at over {HORIZON.days} days at most")
        found: list[tuple[datetime, datetime]] = []
        day = self.days.local_day(start)
        last = self.days.local_day(end)
        while day <= last:
            for opens, closes in self._of_day(day):
                opens, closes = max(opens, start), min(closes, end)
                if opens >= closes:
                    continue
                if found and found[-1][1] == opens:
                    found[-1] = (found[-1][0], closes)
                else:
                    found.append((opens, closes))
            day += timedelta(days=1)
        return found

    def next_change(self, instant: datetime) -> datetime | None:
        """When it next opens or closes; None when it does not within a year."""
        open_now = self.open_at(instant)
        edge = instant
        for opens, closes in self.spans(instant, instant + timedelta(days=366)):
            if not open_now:
                return opens
            if opens > edge:
                return edge
            edge = closes
        return edge if open_now and edge < instant + timedelta(days=366) else None

    def _around(self, instant: datetime) -> list[tuple[datetime, datetime]]:
        return self._of_day(self.days.local_day(instant))

    def _of_day(self, day: date) -> list[tuple[datetime, datetime]]:
        """When it is open on a local day, in UTC: a night of 23 or 25 hours included."""
        kind = (self.days.public_holiday(day), self.days.school_holiday(day) is not None)
        zone = self.days.zone
        midnight = datetime.combine(day, time.min, zone)
        following = datetime.combine(day + timedelta(days=1), time.min, zone)
        found: list[tuple[datetime, datetime]] = []
        for start, end in _spans_of(self.expression, day, *kind):
            opens = midnight if start == 0 else _at(day, start, zone)
            closes = following if end >= 24 * 60 else _at(day, end, zone)
            if opens < closes:
                found.append((opens.astimezone(UTC), closes.astimezone(UTC)))
        return found


class Pause(msgspec.Struct, frozen=True):
    """A time in which a clock stands, and why (a code that has words)."""

    since: datetime
    reason: str
    until: datetime | None = None


class Level(msgspec.Struct, frozen=True):
    """A promise: within so much open time."""

    name: str
    within: timedelta


class Reckoning(msgspec.Struct, frozen=True):
    """Where a clock stands. `due` is None while it pauses: nobody knows for how long."""

    elapsed: timedelta
    left: timedelta
    due: datetime | None
    paused: str | None
    met: bool


def reckon(
    level: Level,
    hours: Hours,
    started: datetime,
    pauses: Sequence[Pause],
    now: datetime,
    stopped: datetime | None = None,
) -> Reckoning:
    """Where a promise stands now: open time only, less the pauses.

    Pauses may overlap and come in any order; `stopped` ends the clock for good.
    """
    end = min(now, stopped) if stopped is not None else now
    elapsed = timedelta()
    for opens, closes in _running(started, end, pauses):
        elapsed += hours.opened(opens, closes)
    left = level.within - elapsed
    standing = [p for p in pauses if p.since <= now and (p.until is None or p.until > now)]
    paused = standing[0].reason if standing and stopped is None else None
    due = None
    if paused is None and stopped is None:
        running = left > timedelta()
        due = _ahead(hours, now, left) if running else _broken(level, hours, started, pauses, now)
    return Reckoning(elapsed, left, due, paused, elapsed <= level.within)


def _running(
    start: datetime, end: datetime, pauses: Iterable[Pause]
) -> Iterable[tuple[datetime, datetime]]:
    """The parts of a time that no pause covers."""
    at = start
    for pause in sorted(pauses, key=lambda p: p.since):
        if pause.since > at:
            yield at, min(pause.since, end)
        at = max(at, pause.until or end)
        if at >= end:
            return
    if at < end:
        yield at, end


def _ahead(hours: Hours, now: datetime, left: timedelta) -> datetime | None:
    """When so much open time will have passed; None when it never opens that long."""
    window = timedelta(days=7)
    at, end = now, now + HORIZON
    while at < end:
        upto = min(at + window, end)
        for opens, closes in hours.spans(at, upto):
            if closes - opens >= left:
                return opens + left
            left -= closes - opens
        at, window = upto, window * 2
    return None


def _broken(
    level: Level, hours: Hours, started: datetime, pauses: Sequence[Pause], now: datetime
) -> datetime | None:
    """When a promise that is broken broke."""
    left = level.within
    for start, end in _running(started, now, pauses):
        for opens, closes in hours.spans(start, end):
            if closes - opens >= left:
                return opens + left
            left -= closes - opens
    return None


def _at(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(minutes // 60, minutes % 60), zone)


@lru_cache(maxsize=2048)
def _parsed(expression: str) -> OpeningHours:
    if len(expression) > LONGEST:
        raise _unreadable(expression, f"at most {LONGEST} characters")
    if _SHIFTED.search(expression):
        raise _unreadable(expression, "days before or after holidays cannot be named")
    try:
        return OpeningHours(expression)
    except ParserError as error:
        raise _unreadable(expression, str(error).splitlines()[-1].strip(" =")) from error


@lru_cache(maxsize=20_000)
def _spans_of(
    expression: str, day: date, public: bool, school: bool
) -> tuple[tuple[int, int], ...]:
    """Minutes of the day in which it is open.

    The parser is asked about a week like any other: on a holiday, `PH` is read as this weekday, so
    that its rules hold; on other days as a weekday far from this one, so that they do not.
    """
    here, away = _WEEKDAYS[day.weekday()], _WEEKDAYS[(day.weekday() + 3) % 7]
    kinds = {"PH": here if public else away, "SH": here if school else away}

    def within_holidays(found: re.Match[str]) -> str:
        holds = any(kinds[name] == here for name in _HOLIDAY.findall(found.group(1)))
        return found.group(2) if holds else away

    plain = _WITHIN.sub(within_holidays, expression)
    parsed = _parsed(_HOLIDAY.sub(lambda name: kinds[name.group()], plain))
    start = datetime.combine(day, time.min)
    return tuple(
        (_minutes(opens, start), _minutes(closes, start))
        for opens, closes, state, _ in parsed.intervals(start, start + timedelta(days=1))
        if state == State.OPEN
    )


def _minutes(instant: datetime, start: datetime) -> int:
    return max(0, min(24 * 60, int((instant - start).total_seconds() // 60)))


def _unreadable(expression: str, why: str) -> Invalid:
    return wrong_fields(
        Fault("hours", "hours_unreadable", why),
        code="hours_unreadable",
        detail=f"These hours are not understood: {expression[:80]!r} ({why}). Write them like "
        "`Mo-Fr 08:00-12:00,13:30-17:30; Sa 09:00-12:00; PH off`.",
        params={"hours": expression[:80]},
    )
