"""Equipment in the search box: by id, token or name."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select, union

from vigie.core.database import Unit
from vigie.core.filters import Predicate
from vigie.core.search import Hit, Source
from vigie.core.text import words
from vigie.twin.model import ASSET, WORD, WORDS
from vigie.twin.query import narrow, starting_with

# A word that so many assets have tells nothing apart: a rarer one leads.
_COMMON = 2000
_ALL = select(
    ASSET.c.id, ASSET.c.token, ASSET.c.kind, ASSET.c.name, ASSET.c.source_id, ASSET.c.street,
    ASSET.c.municipality, ASSET.c.lon, ASSET.c.lat,
)  # fmt: skip


async def search(unit: Unit, query: str, limit: int = 10) -> list[Hit]:
    """Exact equipment first, then equipment with such words, in the caller's scope."""
    plain = query.replace("\x00", "").strip()[:200]
    if not plain:
        return []
    exact = await _exact(unit, plain, limit)
    found = [_hit(row, exact=True) for row in exact]
    if len(found) < limit:
        already = {row.id for row in exact}
        rows = await _by_words(unit, words(plain)[:8], limit)
        found += [_hit(row, exact=False) for row in rows if row.id not in already]
    return found[:limit]


async def _exact(unit: Unit, query: str, limit: int) -> Sequence[Row[Any]]:
    by: list[Predicate] = [ASSET.c.token == query, ASSET.c.source_id == query]
    if query.isascii() and query.isdigit() and len(query) < 10:
        by.append(ASSET.c.id == int(query))
    inside = narrow(unit.scope, ASSET)
    each = [_ALL.where(one, *inside).limit(limit).subquery().select() for one in by]
    return (await unit.execute(union(*each))).all()


async def _by_words(unit: Unit, asked: Sequence[str], limit: int) -> Sequence[Row[Any]]:
    ranked = [(await _frequency(unit, word), -len(word), word) for word in dict.fromkeys(asked)]
    if not ranked:
        return []
    ranked.sort()
    frequency, _, lead = ranked[0]
    if frequency == 0 or (frequency >= _COMMON and len(lead) < 3):
        return []
    matching = [*starting_with(lead), *narrow(unit.scope, WORD)]
    other = WORDS.alias("o")
    for _, _, word in ranked[1:]:
        matching.append(
            select(other.c.asset)
            .where(other.c.asset == WORD.c.asset, *starting_with(word, other))
            .exists()
        )
    first = select(WORD.c.asset, func.min(WORD.c.word).label("word")).where(*matching)
    first = first.group_by(WORD.c.asset)
    if frequency < _COMMON:
        first = first.order_by(func.min(WORD.c.word), WORD.c.asset)
    else:
        # Too many to rank: any of them, as the index gives them.
        first = select(WORD.c.asset, WORD.c.word).where(*matching)
    found = first.limit(limit).subquery()
    statement = _ALL.join(found, found.c.asset == ASSET.c.id)
    return (await unit.execute(statement.order_by(found.c.word, ASSET.c.id))).all()


async def _frequency(unit: Unit, word: str) -> int:
    matching = [*starting_with(word), *narrow(unit.scope, WORD)]
    some = select(WORD.c.asset).where(*matching).limit(_COMMON).subquery()
    return int((await unit.execute(select(func.count()).select_from(some))).scalar_one())


def _hit(row: Row[Any], *, exact: bool) -> Hit:
    detail = " · ".join(p for p in (row.kind, row.street, row.municipality) if p)
    return Hit(
        "asset", row.id, row.name or row.source_id, detail, (row.lon, row.lat), exact=exact,
        object="twin.asset",
    )  # fmt: skip


SOURCES = (Source("twin.asset", "twin.read", search),)
