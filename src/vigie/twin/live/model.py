"""The live picture in memory: a block of columns a kind, sorted by channel, and what changed since
the last frame. No I/O."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from vigie.twin.kinds import POSITION, Kind
from vigie.twin.live import rules

NO_TIME = np.iinfo(np.int64).min
_UNKNOWN = -1
_LONGITUDE, _LATITUDE = (
    [point.name for point in POSITION].index(name) for name in ("longitude", "latitude")
)


class Columns(msgspec.Struct):
    """All equipment of a kind, each once, sorted by channel and id. Times in microseconds since
    1970; `vals` by slot, `desired` and `pending` by function (rules.face)."""

    channel: NDArray[np.int32]
    id: NDArray[np.int32]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    retired: NDArray[np.bool_]
    at: NDArray[np.int64]
    vals: NDArray[np.float32]
    desired: NDArray[np.float32]
    pending: NDArray[np.bool_]


def no_columns(kind: Kind) -> Columns:
    """None of them."""
    functions = len(rules.face(kind).functions)
    return Columns(
        np.empty(0, np.int32),
        np.empty(0, np.int32),
        np.empty(0),
        np.empty(0),
        np.empty(0, np.bool_),
        np.empty(0, np.int64),
        np.empty((0, kind.width), np.float32),
        np.empty((0, functions), np.float32),
        np.empty((0, functions), np.bool_),
    )


class Channel(msgspec.Struct):
    """The rows of one municipality, trade and kind, and the number of its last frame."""

    name: str
    kind: Kind
    start: int
    stop: int
    seq: int


class Change(msgspec.Struct):
    """What the next frame says of a channel: rows that changed, or None: everything anew."""

    channel: Channel
    rows: NDArray[np.intp] | None


class Block:
    """The newest state of one kind; `collect` takes what changed since it was last called."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.columns = no_columns(kind)
        self.flags: NDArray[np.uint8] = np.empty(0, np.uint8)
        self.channels: dict[str, Channel] = {}
        self._dirty: NDArray[np.bool_] = np.empty(0, np.bool_)
        self._any = False
        self._anew: set[str] = set()
        self._row_of: NDArray[np.int32] = np.empty(0, np.int32)
        self._starts: NDArray[np.int64] = np.empty(0, np.int64)
        self._order: list[Channel] = []

    def replace(self, names: list[str], columns: Columns) -> None:
        """What the database holds now. Channels whose equipment is the same get a difference,
        others a new snapshot; a frame number never goes back."""
        old, before, old_flags, waiting = self.columns, self.channels, self.flags, self._dirty
        self.columns = columns
        self.flags = self._flags(slice(None))
        self._dirty = np.zeros(len(columns.id), np.bool_)
        numbers = np.arange(len(names) + 1)
        bounds = np.searchsorted(columns.channel, numbers)
        self.channels, self._order = {}, []
        for number, name in enumerate(names):
            start, stop = int(bounds[number]), int(bounds[number + 1])
            was = before.get(name)
            channel = Channel(name, self.kind, start, stop, was.seq if was else 0)
            self.channels[name] = channel
            self._order.append(channel)
            if was is None or not _same(old, was, columns, channel, moves=self.kind.moves):
                self._anew.add(name)
                continue
            now, then = slice(start, stop), slice(was.start, was.stop)
            self._dirty[now] = (
                waiting[then]
                | (columns.at[now] != old.at[then])
                | (self.flags[now] != old_flags[then])
                | (columns.lon[now] != old.lon[then])
                | (columns.lat[now] != old.lat[then])
                | ~_equal(columns.vals[now], old.vals[then]).all(axis=1)
            )
        self._anew &= set(self.channels)
        self._starts = bounds[:-1].astype(np.int64)
        size = int(columns.id.max()) + 1 if len(columns.id) else 0
        self._row_of = np.full(size, _UNKNOWN, np.int32)
        self._row_of[columns.id] = np.arange(len(columns.id), dtype=np.int32)
        self._any = True

    def apply(
        self, ids: NDArray[np.int32], at: NDArray[np.int64], vals: NDArray[np.float32]
    ) -> None:
        """The state of these assets after a commit; those not on the map are skipped."""
        rows, known = self._rows(ids)
        if not len(rows):
            return
        self.columns.at[rows] = at[known]
        self.columns.vals[rows] = vals[known]
        if self.kind.moves:
            self._move(rows, vals[known])
        self._touch(rows)

    def intend(
        self,
        ids: NDArray[np.int32],
        function: str,
        desired: NDArray[np.float32],
        pending: NDArray[np.bool_],
    ) -> None:
        """What orders want of a function of these assets now."""
        functions = rules.face(self.kind).functions
        if function not in functions:
            return
        column = functions.index(function)
        rows, known = self._rows(ids)
        columns = self.columns
        differs = (columns.pending[rows, column] != pending[known]) | ~_equal(
            columns.desired[rows, column], desired[known]
        )
        rows, known = rows[differs], np.flatnonzero(known)[differs]
        if not len(rows):
            return
        columns.desired[rows, column] = desired[known]
        columns.pending[rows, column] = pending[known]
        self._touch(rows)

    def collect(self) -> list[Change]:
        """What changed since last time; the frame numbers are advanced."""
        if not self._any:
            return []
        self._any = False
        changed: list[Change] = []
        rows = np.flatnonzero(self._dirty)
        self._dirty[rows] = False
        bounds = np.searchsorted(rows, self._starts)
        for number, channel in enumerate(self._order):
            end = bounds[number + 1] if number + 1 < len(bounds) else len(rows)
            part = rows[bounds[number] : end]
            if channel.name in self._anew:
                channel.seq += 1
                changed.append(Change(channel, None))
            elif len(part):
                channel.seq += 1
                changed.append(Change(channel, part))
        self._anew.clear()
        return changed

    def _rows(self, ids: NDArray[np.int32]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        known = (ids >= 0) & (ids < len(self._row_of))
        rows = np.full(len(ids), _UNKNOWN, np.int32)
        rows[known] = self._row_of[ids[known]]
        known = rows != _UNKNOWN
        return rows[known], known

    def _touch(self, rows: NDArray[Any]) -> None:
        self.flags[rows] = self._flags(rows)
        self._dirty[rows] = True
        self._any = True

    def _move(self, rows: NDArray[Any], vals: NDArray[np.float32]) -> None:
        """To where they said they are."""
        lon, lat = vals[:, _LONGITUDE], vals[:, _LATITUDE]
        known = ~(np.isnan(lon) | np.isnan(lat))
        self.columns.lon[rows[known]] = lon[known]
        self.columns.lat[rows[known]] = lat[known]

    def _flags(self, rows: Any) -> NDArray[np.uint8]:
        columns = self.columns
        return rules.flags(
            self.kind,
            columns.vals[rows],
            columns.desired[rows],
            columns.pending[rows],
            columns.retired[rows],
        )


class LiveModel:
    """The newest state of everything, by kind."""

    def __init__(self) -> None:
        self.blocks: dict[str, Block] = {}
        self.channels: dict[str, Channel] = {}
        # Raised whenever the channels may have changed.
        self.version = 0

    def replace(self, loaded: Mapping[str, tuple[Kind, list[str], Columns]]) -> None:
        """What the database holds now of each kind that has equipment."""
        for name, (kind, names, columns) in loaded.items():
            self.blocks.setdefault(name, Block(kind)).replace(names, columns)
        for name in self.blocks.keys() - loaded.keys():
            block = self.blocks[name]
            block.replace([], no_columns(block.kind))
        self.channels = {
            name: channel
            for block in self.blocks.values()
            for name, channel in block.channels.items()
        }
        self.version += 1

    def apply(
        self, kind: str, ids: NDArray[np.int32], at: NDArray[np.int64], vals: NDArray[np.float32]
    ) -> None:
        """The state of these assets after a commit."""
        block = self.blocks.get(kind)
        # Another width: that ingest runs another release; the next load tells it all.
        if block is not None and vals.shape[1] == block.kind.width:
            block.apply(ids, at, vals)

    def intend(
        self,
        ids: NDArray[np.int32],
        function: str,
        desired: NDArray[np.float32],
        pending: NDArray[np.bool_],
    ) -> None:
        """What orders want of a function of these assets now, whatever kinds they are."""
        for block in self.blocks.values():
            block.intend(ids, function, desired, pending)

    def collect(self) -> list[Change]:
        """What changed since last time."""
        return [change for block in self.blocks.values() for change in block.collect()]

    def block_of(self, channel: Channel) -> Block:
        """The columns that a channel's rows are of."""
        return self.blocks[channel.kind.name]

    @property
    def size(self) -> int:
        """How many there are."""
        return sum(len(block.columns.id) for block in self.blocks.values())

    @property
    def newest_us(self) -> int:
        """The newest evidence of all; NO_TIME when there is none."""
        return max(
            (int(b.columns.at.max()) for b in self.blocks.values() if len(b.columns.at)),
            default=int(NO_TIME),
        )


def _same(old: Columns, was: Channel, new: Columns, now: Channel, *, moves: bool) -> bool:
    """The same equipment, and where it was unless it moves."""
    if was.stop - was.start != now.stop - now.start:
        return False
    then, here = slice(was.start, was.stop), slice(now.start, now.stop)
    return np.array_equal(old.id[then], new.id[here]) and (
        moves
        or (
            np.array_equal(old.lon[then], new.lon[here])
            and np.array_equal(old.lat[then], new.lat[here])
        )
    )


def _equal(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.bool_]:
    return (one == other) | (np.isnan(one) & np.isnan(other))
