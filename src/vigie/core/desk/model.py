"""What a desk keeps."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from vigie.core.objects import Ref

Address = Annotated[str, Meta(max_length=1000, pattern=r"^/")]
Digit = Annotated[str, Meta(pattern="^[1-9]$")]
Digits = Annotated[dict[Digit, Address], Meta(max_length=9)]
Short = Annotated[str, Meta(max_length=128)]
Degrees = Annotated[float, Meta(ge=-180, le=180)]
Pixels = Annotated[int, Meta(ge=-100_000, le=100_000)]


class DeskPreferences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one person likes their console: the places behind the digits, the tour they have seen."""

    digits: Digits = msgspec.field(default_factory=dict)
    toured: bool = False


class WindowPanel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A panel of a window's dock."""

    kind: Short
    id: Short = ""
    pinned: bool = False


class WindowRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The period that charts and lists look at, by name or in milliseconds since 1970."""

    name: Annotated[str, Meta(max_length=16)]
    from_: int | None = msgspec.field(default=None, name="from")
    to: int | None = None


class DeskWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One window of a post: where it stands and what it shows."""

    path: Address
    left: Pixels
    top: Pixels
    width: Pixels
    height: Pixels
    panels: Annotated[list[WindowPanel], Meta(max_length=20)]
    filter: Annotated[str, Meta(max_length=2000)]
    drawer: bool
    side_by_side: bool
    range: WindowRange
    view: tuple[Degrees, Degrees, Degrees, Degrees] | None
    linked: bool


class NewPost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Windows to bring back together, under a name: "Éclairage nuit"."""

    title: Annotated[str, Meta(min_length=1, max_length=60)]
    windows: Annotated[list[DeskWindow], Meta(min_length=1, max_length=8)]


class DeskPost(msgspec.Struct, frozen=True):
    """A saved post of one's own."""

    id: UUID
    title: str
    windows: list[DeskWindow]
    changed: datetime


class Taking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object to take; `over` from a colleague who has it."""

    object: Ref
    over: bool = False


class DeskHold(msgspec.Struct, frozen=True):
    """Who looks at an object or took it; over at `until` unless it is renewed."""

    type: str
    object: str
    person: UUID
    name: str
    since: datetime
    until: datetime


class WallTile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the wall: the map (of a box), the counters, the commands under way, an object, a
    chart of one of its values, or a text."""

    kind: Literal["map", "counters", "commands", "asset", "chart", "text"]
    text: Annotated[str, Meta(max_length=500)] = ""
    asset: int | None = None
    metric: Short = ""
    view: tuple[Degrees, Degrees, Degrees, Degrees] | None = None


class WallChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a wall is to show; a locked wall takes it only with `unlock`."""

    tiles: Annotated[list[WallTile], Meta(max_length=8)]
    locked: bool = False
    unlock: bool = False


class Wall(msgspec.Struct, frozen=True):
    """What a wall shows, and who said so."""

    name: str
    tiles: list[WallTile]
    locked: bool
    changed_by: str
    changed: datetime | None
    version: int
