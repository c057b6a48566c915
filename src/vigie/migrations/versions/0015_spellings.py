"""Names are found by every spelling of their words: stored folded text is written again.

Folding is the application's own (core/text.py), not frozen here: whatever it is when this runs is
what search compares with.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from alembic import op
from sqlalchemy import Connection, text

from vigie.core.text import fold, spellings

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

_BATCH = 10_000


def upgrade() -> None:
    connection = op.get_bind()
    if _fold_streets(connection):
        connection.execute(text("update places.meta set revision = revision + 1"))
    _find_assets_by_spellings(connection)


def _fold_streets(connection: Connection) -> int:
    changed = 0
    for rows in _batches(connection, "select id, name, folded from places.street"):
        new = {r.id: folded for r in rows if (folded := fold(r.name)) != r.folded}
        changed += len(new)
        connection.execute(
            text(
                """
                update places.street s set folded = n.folded
                from unnest(cast(:ids as int[]), cast(:texts as text[])) as n(id, folded)
                where s.id = n.id
                """
            ),
            {"ids": list(new), "texts": list(new.values())},
        )
    return changed


def _find_assets_by_spellings(connection: Connection) -> None:
    """Rewrites the words of the assets that lack one; the others have the same as before."""
    for rows in _batches(connection, "select id, name, source_id, token, folded from twin.asset"):
        new: dict[int, str] = {}
        for row in rows:
            wanted = list(dict.fromkeys([*spellings(row.name), *spellings(row.source_id)]))
            # An id made of the position ("p-2kjz0-w6d6d") was stored as one word: left so.
            named = wanted if not row.source_id.startswith("p-") else spellings(row.name)
            if not set(named) <= set(row.folded.split()):
                new[row.id] = " ".join([*wanted, row.token.lower()])
        if not new:
            continue
        connection.execute(
            text(
                """
                update twin.asset a set folded = n.folded
                from unnest(cast(:ids as int[]), cast(:texts as text[])) as n(id, folded)
                where a.id = n.id
                """
            ),
            {"ids": list(new), "texts": list(new.values())},
        )
        connection.execute(
            text("delete from twin.word where asset = any(cast(:ids as int[]))"), {"ids": list(new)}
        )
        connection.execute(
            text(
                """
                insert into twin.word (word, asset, municipality, trade)
                select distinct w.word, a.id, a.municipality, a.trade
                from twin.asset a, lateral unnest(string_to_array(a.folded, ' ')) as w(word)
                where a.id = any(cast(:ids as int[])) and w.word <> ''
                """
            ),
            {"ids": list(new)},
        )


def _batches(connection: Connection, select: str) -> Iterator[Sequence[Any]]:
    """Rows by id, some at a time: a city has hundreds of thousands."""
    last = 0
    while rows := connection.execute(
        text(f"{select} where id > :last order by id limit :n"), {"last": last, "n": _BATCH}
    ).all():
        yield rows
        last = rows[-1].id
