"""What is searched and what is found."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from vigie.core.database import Unit
from vigie.core.geometry import BBox

Point = tuple[float, float]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An object as the search keeps it.

    It is found by the words of its title, its number and `words` (any texts), and first of all by
    its whole id or number. `rank` lifts it above others that match as well; of equals the newest
    comes first.
    """

    type: str
    id: str
    title: str
    subtitle: str = ""
    number: str = ""
    words: tuple[str, ...] = ()
    at: datetime | None = None
    municipality: str = ""
    trade: str = ""
    compartment: str = ""
    rank: int = 0


class Hit(msgspec.Struct, frozen=True):
    """One answer of a source: `exact` when the query is its whole id, number or token."""

    type: str
    id: int | str
    label: str
    detail: str = ""
    point: Point | None = None
    bbox: BBox | None = None
    at: datetime | None = None
    exact: bool = False
    # The type of object (see core.objects) that says its address, when it has one.
    object: str = ""


class Source(msgspec.Struct, frozen=True):
    """A search that a room does itself; `find` answers its best, best first, in the scope of
    `permission`, which is a permission or ANY_LOGIN."""

    name: str
    permission: str
    find: Callable[[Unit, str, int], Awaitable[list[Hit]]]


class Found(msgspec.Struct, frozen=True):
    """One answer of the search. `group` is what it is shown under, `address` its place in the
    console (empty when it has none), `point` is [lon, lat], WGS 84."""

    type: str
    id: int | str
    label: str
    detail: str
    point: Point | None
    bbox: BBox | None
    at: datetime | None
    group: str
    address: str


class FoundList(msgspec.Struct, frozen=True):
    """What a search found: group by group, the best of each first."""

    items: list[Found]
