"""Dropping old months: their acts, changes and personal values; block headers stay.

Run as the database's owner: the runtime has no right to drop anything.
"""

from datetime import date

from sqlalchemy import text

from vigie.core.database import RUNTIME_ROLE, Database
from vigie.core.journal.model import Change
from vigie.core.journal.service import record

RETIRED = "journal.month_retired"

_MONTHS = text(
    "select to_date(substring(c.relname from 'entry_(\\d{6})$'), 'YYYYMM') as month"
    " from pg_inherits i join pg_class c on c.oid = i.inhrelid"
    " where i.inhparent = 'journal.entry'::regclass and c.relname ~ '^entry_\\d{6}$'"
    " order by month"
)
_EXTENT = text(
    "select min(position) as first, max(position) as last, count(*) as entries"
    " from journal.position where recorded >= cast(:month as timestamp) at time zone 'utc'"
    " and recorded < (cast(:month as timestamp) + interval '1 month') at time zone 'utc'"
)


async def retire(owner: Database, before: date, *, reason: str | None = None) -> list[date]:
    """Drop every whole sealed month that ended by `before`; the months dropped.

    Each month in one transaction with its act, by which `verify` knows that it was meant. Raises
    the database's refusal when a month is not sealed or a reaction has not read it.
    """
    async with owner.unit() as unit:
        months = [row.month for row in await unit.execute(_MONTHS)]
    retired: list[date] = []
    for month in months:
        if _next(month) > before:
            break
        async with owner.unit() as unit:
            extent = (await unit.execute(_EXTENT, {"month": month})).one()
            await unit.execute(text("set local role none"))
            await unit.execute(text("select journal.drop_month(:month)"), {"month": month})
            await unit.execute(text(f"set local role {RUNTIME_ROLE}"))
            if extent.entries:
                await record(
                    unit,
                    RETIRED,
                    params={
                        "month": month.isoformat(),
                        "first": extent.first,
                        "last": extent.last,
                        "entries": extent.entries,
                    },
                    changes=[
                        Change(
                            "journal.month", month.isoformat(), {"entries": extent.entries}, None
                        )
                    ],
                    reason=reason,
                )
        retired.append(month)
    return retired


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
