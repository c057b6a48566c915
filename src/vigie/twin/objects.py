"""Equipment as others name it: in links, in search, in the journal."""

from collections.abc import Collection

from sqlalchemy import text

from vigie.core.database import Unit
from vigie.core.objects import ObjectType, Title

_TITLES = text(
    "select id, coalesce(nullif(name, ''), source_id) as name, kind, municipality, trade,"
    " street from twin.asset where id = any(:ids)"
)


async def _titles(unit: Unit, ids: Collection[str]) -> dict[str, Title]:
    numbers = [int(i) for i in ids if i.isascii() and i.isdigit() and len(i) < 10]
    rows = await unit.execute(_TITLES, {"ids": numbers})
    return {
        str(row.id): Title(
            row.name, f"{row.kind} · {row.street}" if row.street else row.kind,
            municipality=row.municipality, trade=row.trade,
        )
        for row in rows
    }  # fmt: skip


OBJECTS = (ObjectType("twin.asset", "twin.read", _titles, "/asset/{id}"),)
