"""A room with one live topic of rows, for these tests: notes, open until they are closed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from vigie.core import live
from vigie.core.database import Unit
from vigie.core.live import Row, RowTopic
from vigie.core.permissions import Permission
from vigie.core.rooms import Room

NOTES = "trial.notes"
CREATE = """
create table core.trial_note (id text primary key, scope text not null, body text not null,
 open boolean not null default true, compartment text not null default '');
grant select, insert, update, delete on core.trial_note to vigie_runtime;
"""


async def write(
    unit: Unit, note: str, body: str, *, scope: str = "21231/lighting", open_: bool = True
) -> None:
    """A verb: what it changed, it tells."""
    before = (
        await unit.execute(text("select scope from core.trial_note where id = :id"), {"id": note})
    ).scalar()
    await unit.execute(
        text(
            "insert into core.trial_note (id, scope, body, open)"
            " values (:id, :scope, :body, :open) on conflict (id) do update"
            " set scope = excluded.scope, body = excluded.body, open = excluded.open"
        ),
        {"id": note, "scope": scope, "body": body, "open": open_},
    )
    await live.touched(unit, NOTES, note, sorted({scope, before or scope}))


async def load(unit: Unit, ids: Sequence[str] | None) -> list[Row]:
    rows: Any = await unit.execute(
        text(
            "select id, scope, body, compartment from core.trial_note where open"
            " and (cast(:ids as text[]) is null or id = any(cast(:ids as text[]))) order by id"
        ),
        {"ids": None if ids is None else list(ids)},
    )
    return [Row(row.id, row.scope, {"body": row.body}, row.compartment) for row in rows]


TOPICS = [RowTopic(name=NOTES, permission="trial.read", load=load)]
ROOM = Room(
    name="trial",
    package="tests.vigie.core.live",
    floor="trade",
    permissions=(Permission("trial.read", "See notes.", ("operator",)),),
    topics=f"{__name__}:TOPICS",
)
