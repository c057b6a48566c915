"""The city's equipment as a topic of columns, and the services that keep it, in the `api` role."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from vigie.core.live import ColumnTopic
from vigie.core.runtime import Runtime
from vigie.twin.live import frames
from vigie.twin.live.feed import Feed
from vigie.twin.live.model import Change


class Equipment:
    """The live picture of one process, as the hub asks it (core.live.ColumnSource)."""

    _of: ClassVar[WeakKeyDictionary[Runtime, "Equipment"]] = WeakKeyDictionary()

    def __init__(self, runtime: Runtime) -> None:
        self.feed = Feed(runtime)
        self._snapshots: dict[str, tuple[int, bytes]] = {}

    @classmethod
    def of(cls, runtime: Runtime) -> "Equipment":
        """The picture of this process."""
        if runtime not in cls._of:
            cls._of[runtime] = cls(runtime)
        return cls._of[runtime]

    @property
    def channels(self) -> Collection[str]:
        """Municipality/trade/kind."""
        return self.feed.model.channels

    @property
    def version(self) -> int:
        """Raised whenever the registry was read again."""
        return self.feed.model.version

    @property
    def doubt(self) -> str | None:
        """Why the picture may not be what is stored."""
        return self.feed.doubt

    @property
    def lag_s(self) -> float | None:
        """How long the slowest lane's last message waited."""
        return self.feed.lag_s

    def age_s(self, now_ms: int) -> float | None:
        """Age of the newest evidence committed."""
        return self.feed.age_s(now_ms)

    def greeting(self) -> Mapping[str, Any]:
        """The points that frames of each kind carry."""
        return {"kinds": frames.kinds()}

    def collect(self) -> Sequence[tuple[str, Change]]:
        """What changed since last time."""
        return [(change.channel.name, change) for change in self.feed.model.collect()]

    def encode(self, change: Change) -> bytes:
        """The rows that changed, or all of them."""
        if change.rows is None:
            return self.snapshot(change.channel.name)
        return frames.delta(self.feed.model.block_of(change.channel), change)

    def snapshot(self, channel: str) -> bytes:
        """Encoded once a frame number: what changed since is in the next delta."""
        found = self.feed.model.channels[channel]
        seq, data = self._snapshots.get(channel, (-1, b""))
        if seq != found.seq:
            data = frames.snapshot(self.feed.model.block_of(found), found)
            self._snapshots[channel] = (found.seq, data)
        return data


TOPICS = [ColumnTopic(name="twin.assets", permission="twin.read", open=Equipment.of)]


def services(runtime: Runtime) -> dict[str, Callable[[], Awaitable[None]]]:
    """The picture, and what commands want."""
    feed = Equipment.of(runtime).feed
    return {"live": feed.keep, "live-intents": feed.keep_intents}
