"""Keeping what the search reads up to date, in the transaction of the object itself."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from vigie.core.database import Unit
from vigie.core.errors import NotFound
from vigie.core.search.model import Entry
from vigie.core.search.rules import kept_words
from vigie.core.text import fold

_AT_ONCE = 1000
_LONGEST = 300

# A row first, so that there is one to lock: two transactions that put the same object follow each
# other, and the second one sees the words of the first.
_CLAIM = text(
    """
    insert into core.found (type, id, municipality, trade, compartment)
    select * from unnest(cast(:types as text[]), cast(:ids as text[]),
        cast(:municipalities as text[]), cast(:trades as text[]), cast(:compartments as text[]))
    on conflict (type, id) do nothing
    """
)
_LOCK = text(
    """
    select found.object, found.type, found.id, found.text,
        found.municipality, found.trade, found.compartment
    from unnest(cast(:types as text[]), cast(:ids as text[])) as given (type, id)
    join core.found on found.type = given.type and found.id = given.id
    order by found.type, found.id
    for update of found
    """
)
_WRITE = text(
    """
    update core.found set number = given.number, title = given.title, subtitle = given.subtitle,
        folded = given.folded, text = given.text, at = given.at,
        municipality = given.municipality, trade = given.trade, compartment = given.compartment,
        rank = given.rank
    from unnest(cast(:objects as bigint[]), cast(:numbers as text[]), cast(:titles as text[]),
        cast(:subtitles as text[]), cast(:folded as text[]), cast(:texts as text[]),
        cast(:ats as timestamptz[]), cast(:municipalities as text[]), cast(:trades as text[]),
        cast(:compartments as text[]), cast(:ranks as smallint[]))
        as given (object, number, title, subtitle, folded, text, at, municipality, trade,
            compartment, rank)
    where found.object = given.object
    """
)
_TAKE_WORDS = text(
    """
    delete from core.found_word
    using unnest(cast(:types as text[]), cast(:words as text[]), cast(:objects as bigint[]))
        as gone (type, word, object)
    where found_word.type = gone.type and found_word.word = gone.word
        and found_word.object = gone.object
    """
)
_GIVE_WORDS = text(
    """
    insert into core.found_word (type, word, object, municipality, trade, compartment)
    select * from unnest(cast(:types as text[]), cast(:words as text[]),
        cast(:objects as bigint[]), cast(:municipalities as text[]), cast(:trades as text[]),
        cast(:compartments as text[]))
    on conflict do nothing
    """
)
_DROP = text(
    """
    with gone as (
        delete from core.found where type = :type and id = :id returning object, type, text
    )
    delete from core.found_word
    using gone, unnest(string_to_array(btrim(gone.text), ' ')) as taken (word)
    where found_word.type = gone.type and found_word.word = taken.word
        and found_word.object = gone.object
    """
)


async def put(
    unit: Unit,
    type_: str,
    id_: str,
    *,
    title: str,
    subtitle: str = "",
    number: str = "",
    words: Iterable[str] = (),
    at: datetime | None = None,
    municipality: str = "",
    trade: str = "",
    compartment: str = "",
    rank: int = 0,
) -> None:
    """Let an object be found so from now on; `Entry` says what each part is for."""
    entry = Entry(
        type=type_, id=id_, title=title, subtitle=subtitle, number=number, words=tuple(words),
        at=at, municipality=municipality, trade=trade, compartment=compartment, rank=rank,
    )  # fmt: skip
    await put_many(unit, [entry])


async def put_many(unit: Unit, entries: Iterable[Entry]) -> None:
    """The same for many objects of any types; of two entries for one object the last counts.

    Raises NotFound for an object that is out of the unit's scope.
    """
    last = {(entry.type, entry.id): entry for entry in entries}
    # In one order everywhere: two units that put the same objects do not wait for each other.
    ordered = [last[key] for key in sorted(last)]
    for start in range(0, len(ordered), _AT_ONCE):
        await _put(unit, ordered[start : start + _AT_ONCE])


async def drop(unit: Unit, type_: str, id_: str) -> None:
    """Let an object be found no more; one that is not there is no fault."""
    await unit.execute(_DROP, {"type": type_, "id": id_})


async def _put(unit: Unit, entries: Sequence[Entry]) -> None:
    keys = {"types": [e.type for e in entries], "ids": [e.id for e in entries]}
    await unit.execute(_CLAIM, {**keys, **_places(entries)})
    rows = (await unit.execute(_LOCK, keys)).all()
    before = {(row.type, row.id): row for row in rows}
    words = {(e.type, e.id): kept_words(e) for e in entries}
    gone: list[tuple[str, str, int]] = []
    new: list[tuple[str, str, int, str, str, str]] = []
    for entry in entries:
        row = before.get((entry.type, entry.id))
        if row is None:
            raise NotFound(
                "object_not_found",
                f"There is no {entry.type} {entry.id}.",
                {"type": entry.type, "id": entry.id},
            )
        old = row.text.split()
        place = (entry.municipality, entry.trade, entry.compartment)
        kept = frozenset[str]()
        if place == (row.municipality, row.trade, row.compartment):
            kept = frozenset(old) & frozenset(words[entry.type, entry.id])
        gone += [(entry.type, word, row.object) for word in old if word not in kept]
        new += [
            (entry.type, word, row.object, *place)
            for word in words[entry.type, entry.id]
            if word not in kept
        ]
    if gone:
        await unit.execute(_TAKE_WORDS, _columns(("types", "words", "objects"), gone))
    await unit.execute(
        _WRITE,
        {
            "objects": [before[e.type, e.id].object for e in entries],
            "numbers": [fold(_clean(e.number)) for e in entries],
            "titles": [_clean(e.title) for e in entries],
            "subtitles": [_clean(e.subtitle) for e in entries],
            "folded": [fold(_clean(e.title)) for e in entries],
            "texts": [f" {' '.join(words[e.type, e.id])} " for e in entries],
            "ats": [e.at for e in entries],
            "ranks": [e.rank for e in entries],
            **_places(entries),
        },
    )
    if new:
        names = ("types", "words", "objects", "municipalities", "trades", "compartments")
        await unit.execute(_GIVE_WORDS, _columns(names, new))


def _places(entries: Sequence[Entry]) -> dict[str, list[str]]:
    return {
        "municipalities": [e.municipality for e in entries],
        "trades": [e.trade for e in entries],
        "compartments": [e.compartment for e in entries],
    }


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[n] for row in rows] for n, name in enumerate(names)}


def _clean(value: str) -> str:
    return value.replace("\0", "")[:_LONGEST]
