"""What a room declares to be shown live: its topics."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from vigie.core.database import Unit
from vigie.core.runtime import Runtime
from vigie.core.scope import Scope

MOST_ROWS = 5_000


class Row(msgspec.Struct, frozen=True):
    """One row of a topic.

    `scope` is its scope key ("21231/lighting"), or the keys of all the parts of the city it lies
    in; "" is a row of no place, seen by everyone who holds the topic's permission somewhere.
    """

    id: str
    scope: str | tuple[str, ...]
    body: Any
    compartment: str = ""


class RowTopic(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are kept in the database.

    `load` reads the open rows, or those of `ids` that are open; what it leaves out is not open
    (any more), and is dropped from the screens. A topic with more than `most` open rows is not
    mirrored until there are fewer: screens are then only told which ids changed. So `load` need
    never read more than `most` + 1. `shown` makes of a body what someone with this scope sees of
    it, for rows that lie in several parts of the city.
    """

    name: str
    permission: str
    load: Callable[[Unit, Sequence[str] | None], Awaitable[list[Row]]]
    shown: Callable[[Any, Scope], Any] | None = None
    most: int = MOST_ROWS


class MemoryTopic(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that the api process has in memory anyway: looked at once a second."""

    name: str
    permission: str
    rows: Callable[[Runtime], list[Row]]
    shown: Callable[[Any, Scope], Any] | None = None
    most: int = MOST_ROWS


class ColumnSource(Protocol):
    """A topic of columns at work in one api process.

    Its rows lie in channels, named municipality/trade (and more after another slash); each has a
    frame number of its own. Items are JSON objects in bytes, encoded once whoever receives them.
    """

    @property
    def channels(self) -> Collection[str]:
        """The channels there are now."""
        ...

    @property
    def version(self) -> int:
        """A number that changes whenever the set of channels does."""
        ...

    @property
    def doubt(self) -> str | None:
        """Why what is shown may not be what is stored; None while it is."""
        ...

    @property
    def lag_s(self) -> float | None:
        """How long the newest evidence waited before it was stored; None when unknown."""
        ...

    def age_s(self, now_ms: int) -> float | None:
        """Age of the newest evidence."""
        ...

    def greeting(self) -> Mapping[str, Any]:
        """What the first frame of a socket says of the topic."""
        ...

    def collect(self) -> Sequence[tuple[str, Any]]:
        """The channels that changed since it was last asked, and what is needed to encode that."""
        ...

    def encode(self, change: Any) -> bytes:
        """The item of one such change."""
        ...

    def snapshot(self, channel: str) -> bytes:
        """The item of a whole channel as it was last collected, or newer."""
        ...


class ColumnTopic(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of many like things, changing all the time."""

    name: str
    permission: str
    open: Callable[[Runtime], ColumnSource]


Topic = RowTopic | MemoryTopic | ColumnTopic
