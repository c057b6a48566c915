"""The live picture in memory: columns over all lights, sorted by channel, and what changed since
the last frame. No I/O."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from vigie.twin.live import rules
from vigie.twin.telemetry import WIDTH

NO_TIME = np.iinfo(np.int64).min
_UNKNOWN = -1


class Columns(msgspec.Struct):
    """Every light once, sorted by channel and id. Times in microseconds since 1970."""

    channel: NDArray[np.int32]
    id: NDArray[np.int32]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    retired: NDArray[np.bool_]
    at: NDArray[np.int64]
    vals: NDArray[np.float32]
    desired: NDArray[np.float32]
    pending: NDArray[np.bool_]


def no_columns() -> Columns:
    """An empty city."""
    return Columns(
        np.empty(0, np.int32),
        np.empty(0, np.int32),
        np.empty(0),
        np.empty(0),
        np.empty(0, np.bool_),
        np.empty(0, np.int64),
        np.empty((0, WIDTH), np.float32),
        np.empty(0, np.float32),
        np.empty(0, np.bool_),
    )


class Channel(msgspec.Struct):
    """The rows of one municipality and trade, and the number of its last frame."""

    name: str
    start: int
    stop: int
    seq: int


class Change(msgspec.Struct):
    """What the next frame says of a channel: rows that changed, or None: everything anew."""

    channel: Channel
    rows: NDArray[np.intp] | None


class LiveModel:
    """The newest state; `collect` takes what changed since it was last called."""

    def __init__(self) -> None:
        self.columns = no_columns()
        self.flags: NDArray[np.uint8] = np.empty(0, np.uint8)
        self.channels: dict[str, Channel] = {}
        # Raised whenever the channels may have changed.
        self.version = 0
        self._dirty: NDArray[np.bool_] = np.empty(0, np.bool_)
        self._any = False
        self._anew: set[str] = set()
        self._row_of: NDArray[np.int32] = np.empty(0, np.int32)
        self._starts: NDArray[np.int64] = np.empty(0, np.int64)
        self._order: list[Channel] = []

    def replace(self, names: list[str], columns: Columns) -> None:
        """What the database holds now. Channels whose lights are the same get a difference, others
        a new snapshot; a frame number never goes back."""
        old, before, old_flags, waiting = self.columns, self.channels, self.flags, self._dirty
        self.columns = columns
        self.flags = rules.flags(columns.vals, columns.desired, columns.pending, columns.retired)
        self._dirty = np.zeros(len(columns.id), np.bool_)
        numbers = np.arange(len(names) + 1)
        bounds = np.searchsorted(columns.channel, numbers)
        self.channels, self._order = {}, []
        self.version += 1
        for number, name in enumerate(names):
            start, stop = int(bounds[number]), int(bounds[number + 1])
            was = before.get(name)
            channel = Channel(name, start, stop, was.seq if was else 0)
            self.channels[name] = channel
            self._order.append(channel)
            if was is None or not _same_lights(old, was, columns, channel):
                self._anew.add(name)
                continue
            now, then = slice(start, stop), slice(was.start, was.stop)
            self._dirty[now] = (
                waiting[then]
                | (columns.at[now] != old.at[then])
                | (self.flags[now] != old_flags[then])
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
        self._touch(rows)

    def intend(
        self, ids: NDArray[np.int32], desired: NDArray[np.float32], pending: NDArray[np.bool_]
    ) -> None:
        """What commands want of these assets now."""
        rows, known = self._rows(ids)
        columns = self.columns
        differs = (columns.pending[rows] != pending[known]) | ~_equal(
            columns.desired[rows], desired[known]
        )
        rows, known = rows[differs], np.flatnonzero(known)[differs]
        if not len(rows):
            return
        columns.desired[rows], columns.pending[rows] = desired[known], pending[known]
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
        columns = self.columns
        self.flags[rows] = rules.flags(
            columns.vals[rows], columns.desired[rows], columns.pending[rows], columns.retired[rows]
        )
        self._dirty[rows] = True
        self._any = True


def _same_lights(old: Columns, was: Channel, new: Columns, now: Channel) -> bool:
    if was.stop - was.start != now.stop - now.start:
        return False
    then, here = slice(was.start, was.stop), slice(now.start, now.stop)
    return (
        np.array_equal(old.id[then], new.id[here])
        and np.array_equal(old.lon[then], new.lon[here])
        and np.array_equal(old.lat[then], new.lat[here])
    )


def _equal(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.bool_]:
    return (one == other) | (np.isnan(one) & np.isnan(other))
