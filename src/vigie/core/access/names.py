"""Names of people with an account, for rooms that keep only whose it is."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text

from vigie.core.database import Unit


async def display_names(
    unit: Unit, accounts: Collection[UUID], *, active: bool = False
) -> dict[UUID, str]:
    """The names of those accounts that there are; with `active`, of those that may log in."""
    if not accounts:
        return {}
    rows = await unit.execute(
        text(
            "select id, display_name from access.account"
            " where id = any(:ids) and (active or not :active)"
        ),
        {"ids": list(accounts), "active": active},
    )
    return {row.id: row.display_name for row in rows}
