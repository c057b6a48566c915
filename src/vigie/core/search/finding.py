"""Finding: every source and every type of object, each by its own permission and scope."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from vigie.core.database import Unit
from vigie.core.objects import ObjectType
from vigie.core.permissions import ANY_LOGIN
from vigie.core.scope import Scope
from vigie.core.search.model import Found, FoundList, Hit, Source
from vigie.core.search.rules import LONGEST_QUERY, asked_words, exact_first, share
from vigie.core.text import fold, successor
from vigie.core.verbs import within

# A word that so many objects have is common: of those, the newest are looked at.
COMMON = 2000
# So many objects of common words are read, over all types.
_READ = 2000

_EXACT = text(
    """
    select object, type, id, title, subtitle, at from core.found
    where type = any(:types) and id = any(:ids)
    union
    select object, type, id, title, subtitle, at from core.found
    where type = any(:types) and number = :number and number <> ''
    order by object desc limit :limit
    """
)
_FREQUENCY = """
    select given.word, (
        select count(*) from (
            select from core.found_word w
            where w.type = any(:types) and w.word >= given.word and w.word < given.next {inside}
            limit :most
        ) as first_ones
    ) as n
    from unnest(cast(:words as text[]), cast(:nexts as text[])) as given (word, next)
"""
# All objects of a rare word.
_RARE = """
    select distinct w.object from core.found_word w
    where w.type = any(:types) and w.word >= :lead and w.word < :next {inside}
"""
# Of a common one: the newest that have exactly it, and some that have one that starts so.
_COMMON = """
    select one.object
    from unnest(cast(:types as text[])) as given (type) {places}
    cross join lateral (
        (select w.object from core.found_word w
         where w.type = given.type and w.word = :lead {here}
         order by w.object desc limit :each)
        union
        (select w.object from core.found_word w
         where w.type = given.type and w.word > :lead and w.word < :next {here}
         limit :each)
    ) as one
"""
_EACH_PLACE = "cross join unnest(cast(:codes as text[])) as place (code)"
_BEST = """
    with candidate as materialized ({candidates}),
    matching as (
        select f.object, f.type, f.id, f.title, f.subtitle, f.at,
            f.rank
            + case when f.folded = :folded then 40 when starts_with(f.folded, :folded) then 20
                else 0 end
            + 2 * (select count(*) from unnest(cast(:words as text[])) as word
                   where position(' ' || word || ' ' in f.text) > 0) as score
        from candidate join core.found f on f.object = candidate.object
        where not exists (
            select from unnest(cast(:words as text[])) as word
            where position(' ' || word in f.text) = 0)
    ),
    placed as (
        select *, row_number() over (
            partition by type order by score desc, at desc nulls last, object desc) as place
        from matching
    )
    select type, id, title, subtitle, at from placed where place <= :limit
    order by type, place
"""


async def find(unit: Unit, query: str, limit: int = 10) -> FoundList:
    """What a person may mean, over every room: exact ids and numbers first, then by the start of
    words; each type of object by its own permission and scope."""
    plain = query.replace("\x00", "").strip()[:LONGEST_QUERY]
    if not plain:
        return FoundList([])
    groups: dict[str, list[Hit]] = {}
    for source in unit.house.part("search").values():
        for hit in await _ask(unit, source, plain, limit):
            groups.setdefault(hit.object or source.name, []).append(hit)
    for scope, types in _types(unit).items():
        async with within(unit, scope):
            for hit in await _objects(unit, types, plain, limit):
                groups.setdefault(hit.object, []).append(hit)
    # A group's place is always the same, so that the eye finds it.
    names = [*unit.house.part("search"), *unit.house.part("objects")]
    ordered = {name: groups[name] for name in names if name in groups}
    shared = share(exact_first(ordered), limit)
    return FoundList([_found(unit, name, hit) for name, hits in shared.items() for hit in hits])


async def _ask(unit: Unit, source: Source, query: str, limit: int) -> list[Hit]:
    if source.permission == ANY_LOGIN:
        return await source.find(unit, query, limit)
    scope = unit.house.catalogue.scope_for(unit.principal, source.permission)
    if scope is None:
        return []
    async with within(unit, scope):
        return await source.find(unit, query, limit)


def _types(unit: Unit) -> dict[Scope, list[str]]:
    """The types of object that the principal may see somewhere, by where: types of one scope are
    searched together."""
    by_scope: dict[Scope, list[str]] = {}
    declared: ObjectType
    for declared in unit.house.part("objects").values():
        scope = unit.house.catalogue.scope_for(unit.principal, declared.permission)
        if scope is not None:
            by_scope.setdefault(scope, []).append(declared.name)
    return by_scope


async def _objects(unit: Unit, types: Sequence[str], query: str, limit: int) -> list[Hit]:
    exact = (
        await unit.execute(
            _EXACT,
            {
                "types": types,
                "ids": sorted({query, query.lower()}),
                "number": fold(query),
                "limit": limit,
            },
        )
    ).all()
    already = {(row.type, row.id) for row in exact}
    rest = [
        row for row in await _by_words(unit, types, query, limit)
        if (row.type, row.id) not in already
    ]  # fmt: skip
    return [_hit(row, exact=True) for row in exact] + [_hit(row, exact=False) for row in rest]


async def _by_words(unit: Unit, types: Sequence[str], query: str, limit: int) -> Sequence[Row[Any]]:
    asked = asked_words(query)
    if not asked:
        return []
    # The scope in a form that an index serves, beside the policy.
    codes: list[str] | None = None
    if not unit.scope.everything and not unit.scope.trades:
        pairs = {pair.partition("/")[0] for pair in unit.scope.pairs}
        codes = sorted(unit.scope.municipalities | pairs)
    inside = "" if codes is None else "and w.municipality = any(:codes)"
    given: dict[str, Any] = {"types": list(types)} | ({} if codes is None else {"codes": codes})
    counted = await unit.execute(
        text(_FREQUENCY.format(inside=inside)),
        {**given, "words": asked, "nexts": [successor(w) for w in asked], "most": COMMON},
    )
    frequency: dict[str, int] = {row.word: row.n for row in counted}
    lead = min(asked, key=lambda word: (frequency[word], -len(word)))
    if frequency[lead] == 0:
        return []
    if frequency[lead] < COMMON:
        candidates = _RARE.format(inside=inside)
    else:
        parts = len(types) * (1 if codes is None else len(codes))
        # One word alone: nothing falls away, so that a page of each suffices.
        each = limit if len(asked) == 1 else max(_READ // parts, limit)
        given["each"] = each
        places = (
            "" if codes is None else "cross join unnest(cast(:codes as text[])) as place (code)"
        )
        here = "" if codes is None else "and w.municipality = place.code"
        candidates = _COMMON.format(places=places, here=here)
    found = await unit.execute(
        text(_BEST.format(candidates=candidates)),
        {
            **given,
            "lead": lead,
            "next": successor(lead),
            "words": asked,
            "folded": fold(query),
            "limit": limit,
        },
    )
    return found.all()


def _hit(row: Row[Any], *, exact: bool) -> Hit:
    return Hit(row.type, row.id, row.title, row.subtitle, at=row.at, exact=exact, object=row.type)


def _found(unit: Unit, group: str, hit: Hit) -> Found:
    declared: ObjectType | None = unit.house.part("objects").get(hit.object)
    address = declared.address.replace("{id}", str(hit.id)) if declared else ""
    return Found(
        hit.type, hit.id, hit.label, hit.detail, hit.point, hit.bbox, hit.at, group, address
    )
