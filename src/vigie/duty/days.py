"""The territory's days off, which the composition provides: this room knows no places."""

from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

from vigie.core.calendar import Days
from vigie.core.database import Unit

_provided: list[Callable[[Unit], Awaitable[Days]]] = []


def provide_days(days: Callable[[Unit], Awaitable[Days]]) -> None:
    """Say where the days off come from; until then there are none."""
    _provided[:] = [days]


async def days_of(unit: Unit) -> Days:
    """Which days are unlike others."""
    if _provided:
        return await _provided[0](unit)
    return Days(ZoneInfo(str(await unit.zone())))
