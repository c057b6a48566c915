"""Erasing what the journal holds about a person: value and salt go, the sealed digest stays."""

from uuid import UUID

from sqlalchemy import text

from vigie.core.database import Unit
from vigie.core.errors import Invalid
from vigie.core.journal.model import Change
from vigie.core.journal.service import record

ERASED = "journal.personal_erased"

_ERASE = text(
    "with gone as (delete from journal.personal where subject = :subject"
    " or (entry = :entry and (cast(:fields as text[]) is null or field = any(:fields)))"
    " returning entry, field)"
    " select entry, array_agg(field order by field) as fields from gone"
    " group by entry order by entry"
)


async def erase_personal(
    unit: Unit,
    *,
    subject: str | None = None,
    entry: UUID | None = None,
    fields: list[str] | None = None,
    reason: str | None = None,
) -> int:
    """Erase every value kept under a person's key ("user:<id>"), or those of one act; how many.

    The erasure is an act of its own, naming the acts it touched: `verify` accepts only values
    that were erased so. Raises Invalid when neither subject nor entry is given.
    """
    if not subject and entry is None:
        raise Invalid("nothing_to_erase", "Name a person's key or an act.")
    rows = (
        await unit.execute(_ERASE, {"subject": subject or None, "entry": entry, "fields": fields})
    ).fetchall()
    count = sum(len(row.fields) for row in rows)
    if count:
        await record(
            unit,
            ERASED,
            params={"count": count},
            changes=[
                Change("journal.entry", str(row.entry), None, {"erased": list(row.fields)})
                for row in rows
            ],
            reason=reason,
        )
    return count
