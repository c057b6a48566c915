"""Tables kept by UTC day, for tracks and events: a day is opened ahead and dropped whole.

A writer that meets a day of its own (late positions, a clock that jumped) opens it in its own
transaction; the sweep of the role `watch` has done so before for all others.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from weakref import WeakKeyDictionary

import psycopg.errors
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError

from vigie.core.database import Database, Unit

Part = Literal["track", "track_refused", "event", "event_personal", "event_refused"]
AHEAD = 3
_EPOCH = date(1970, 1, 1)
_DAY_US = 86_400_000_000


class Days:
    """The days that this process knows to be open in a database."""

    def __init__(self) -> None:
        self._open: dict[Part, set[date]] = {}

    async def open(self, unit: Unit, part: Part, days: Iterable[date]) -> None:
        """Make sure that these days can be written."""
        held = self._open.setdefault(part, set())
        for day in sorted(set(days) - held):
            await unit.execute(
                text("select twin.open_day(:part, :day)"), {"part": part, "day": day}
            )
            unit.after_commit(lambda day=day: held.add(day))


_known: WeakKeyDictionary[Database, Days] = WeakKeyDictionary()


async def ensure(unit: Unit, part: Part, days: Iterable[date]) -> None:
    """Make sure that these days can be written; those met before cost nothing."""
    await _known.setdefault(unit.database, Days()).open(unit, part, days)


def day_of(at_us: int) -> date:
    """The UTC day of an instant in microseconds since 1970."""
    return _EPOCH + timedelta(days=at_us // _DAY_US)


async def open_ahead(database: Database, part: Part, today: date) -> None:
    """Open yesterday to three days ahead."""
    async with database.unit() as unit:
        await Days().open(
            unit, part, (today + timedelta(days=ahead) for ahead in range(-1, AHEAD + 1))
        )


async def drop_before(database: Database, part: Part, day: date) -> int | None:
    """Drop whole days before this one; how many. None when a reader holds one: try again."""
    statement = text("select twin.drop_days(:part, :day)")
    return await _unless_held(database, statement, {"part": part, "day": day})


async def pack(database: Database, day: date) -> bool | None:
    """Put a day of tracks that is over in order; False when it is. None when a reader holds it."""
    return await _unless_held(database, text("select twin.pack_track(:day)"), {"day": day})


async def _unless_held(database: Database, statement: TextClause, values: dict[str, Any]) -> Any:
    """What a statement answers; None when it would wait for a reader, and all others behind it."""
    async with database.unit(statement_timeout_s=0) as unit:
        await unit.execute(text("set local lock_timeout = '500ms'"))
        try:
            # Caught here: the unit would make an answer for people of it.
            async with unit.attempt():
                return (await unit.execute(statement, values)).scalar_one()
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.LockNotAvailable):
                return None
            raise


def utc_day(at: datetime) -> date:
    """The UTC day of an instant."""
    return at.astimezone(UTC).date()
