"""City time set and kept alike in every process: for exercises and tests, and for no other.

One row of core.city_clock says how it runs; processes read it when they start and when they are
woken, `vigie.now()` reads it in SQL. In a real installation nobody can set it: neither this verb
nor the database lets them.
"""

from datetime import datetime

from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.bus import Wakeup
from vigie.core.clock import Course
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Invalid, Unavailable
from vigie.core.runtime import Runtime

WAKE = "clock"
FASTEST = 3600.0


async def read(unit: Unit) -> Course | None:
    """How city time runs; None: as the machine's."""
    row = (await unit.execute(text("select base, anchor, rate from core.city_clock"))).one_or_none()
    return None if row is None else Course(row.base, row.anchor, row.rate)


async def set_time(
    unit: Unit, installation: str, *, to: datetime | None = None, rate: float = 1.0
) -> datetime:
    """Let city time go on from `to` (from where it is when None) at a rate; the time it is then.

    Raises Conflict in a real installation, Invalid for a time or rate that cannot be.
    """
    if installation == "real":
        raise Conflict(
            "clock_is_real",
            "The clock of a real installation is never set: use one of its own for exercises "
            "(VIGIE_INSTALLATION=exercise).",
        )
    if not 0 < rate <= FASTEST:
        raise Invalid(
            "clock_rate", f"City time runs from just above 0 to {FASTEST:.0f} times as fast."
        )
    if to is not None and (fault := clock.fault_of(to)):
        raise Invalid("clock_time", f"City time is {clock.FAULTS[fault]}.")
    anchor = clock.machine()
    before = await read(unit)
    base = to or (before.at(anchor) if before else anchor)
    await unit.execute(
        text(
            """
            insert into core.city_clock (singleton, base, anchor, rate)
            values (true, :base, :anchor, :rate)
            on conflict (singleton) do update
               set base = excluded.base, anchor = excluded.anchor, rate = excluded.rate
            """
        ),
        {"base": base, "anchor": anchor, "rate": rate},
    )
    await journal.record(unit, "core.clock_set", params={"to": clock.rfc3339(base), "rate": rate})
    unit.wake(WAKE)
    return base


async def keep(runtime: Runtime) -> None:
    """Service of every process of an exercise or a test: follow what was set."""
    wakeup = await Wakeup().on(runtime.bus, f"wake.{WAKE}")
    try:
        while True:
            try:
                async with runtime.database.unit() as unit:
                    clock.follow(await read(unit))
            except Unavailable:
                pass
            await wakeup.wait(5.0)
    finally:
        await wakeup.close()
