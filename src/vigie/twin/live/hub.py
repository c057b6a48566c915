"""Fans the live picture out: about ten frames a second, each encoded once for all who see the same
channels; a client that does not keep up loses its queue and gets a new snapshot instead."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import uuid4
from weakref import WeakKeyDictionary

import msgspec
import orjson
from nats.aio.msg import Msg

from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.core.scope import Scope, counted
from vigie.twin.live import frames
from vigie.twin.live.feed import Feed
from vigie.twin.live.model import Change, Channel

log = logger(__name__)
FRAME_S = 0.1
HEARTBEAT_S = 1.0
MOST_WAITING = 50
_SNAPSHOTS_A_FRAME = 1_000_000
_EVENTS = ("event.command", "event.system")


class Client:
    """One socket: what it may see, what it asked for, what waits to be sent."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.wanted: frozenset[str] | None = None
        self.subscribed = False
        self.lagging = False
        self.ready = asyncio.Event()
        self.idle = asyncio.Event()
        self._queue: deque[str] = deque()
        self._beat: str | None = None

    def sees(self, channel: str) -> bool:
        """True when it is granted and asked for."""
        if self.wanted is not None and channel not in self.wanted:
            return False
        municipality, _, trade = channel.partition("/")
        return self.scope.allows(municipality, trade)

    def push(self, frame: str) -> None:
        """Queue a frame; too many waiting turn into one new snapshot."""
        if self.lagging:
            return
        if len(self._queue) >= MOST_WAITING:
            self._queue.clear()
            self.lagging = True
        else:
            self._queue.append(frame)
        self.ready.set()

    def beat(self, frame: str) -> None:
        """Only the newest heartbeat is worth sending."""
        self._beat = frame
        self.ready.set()

    def give(self, snapshots: Iterable[str]) -> None:
        """Snapshots are not counted: there is one of each channel at most."""
        self._queue.extend(snapshots)
        self.idle.clear()
        self.ready.set()

    @property
    def waiting(self) -> int:
        """Frames to be sent, heartbeats aside."""
        return len(self._queue)

    def take(self) -> str | None:
        """The next frame to send."""
        if self._queue:
            return self._queue.popleft()
        self.idle.set()
        beat, self._beat = self._beat, None
        return beat


class Hub:
    """The clients of one process."""

    _of: ClassVar[WeakKeyDictionary[Runtime, "Hub"]] = WeakKeyDictionary()

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.feed = Feed(runtime)
        self.server = str(uuid4())
        self.clients: set[Client] = set()
        self._snapshots: dict[str, tuple[int, bytes]] = {}

    @classmethod
    def of(cls, runtime: Runtime) -> "Hub":
        """The hub of this process."""
        if runtime not in cls._of:
            cls._of[runtime] = cls(runtime)
        return cls._of[runtime]

    def hello(self) -> str:
        """The first frame of a socket."""
        return frames.hello(self.server, _now_ms()).decode()

    def subscribe(self, client: Client, wanted: frozenset[str] | None) -> list[str]:
        """Let a client see these channels (None: all it is granted); those it may not see."""
        client.wanted = wanted
        client.subscribed = True
        client.lagging = False
        self.clients.add(client)
        client.give(self._snapshot_frames(client))
        client.beat(self._heartbeat())
        channels = self.feed.model.channels
        return [name for name in wanted or () if name not in channels or not client.sees(name)]

    def resync(self, client: Client, name: str) -> bool:
        """One channel anew; False when the client may not see it."""
        channel = self.feed.model.channels.get(name)
        if channel is None or not client.sees(name):
            return False
        client.give([self._batch([self._snapshot(channel)])])
        return True

    def catch_up(self, client: Client) -> None:
        """The queue of a client that fell behind is empty: everything anew."""
        client.lagging = False
        client.give(self._snapshot_frames(client))

    def leave(self, client: Client) -> None:
        """The socket closed."""
        self.clients.discard(client)

    def rescope(self, client: Client, scope: Scope) -> None:
        """Grants changed: what was granted anew comes as a snapshot."""
        if scope != client.scope:
            client.scope = scope
            client.give(self._snapshot_frames(client))

    async def keep(self) -> None:
        """Service: frames, heartbeats, events."""
        subscriptions = [await self._runtime.bus.subscribe(s, self._event) for s in _EVENTS]
        beaten = 0.0
        doubt: str | None = "not_loaded"
        try:
            while True:
                began = time.monotonic()
                self.tick()
                before, doubt = doubt, self.feed.doubt
                if doubt != before:
                    _note(doubt, before)
                if began - beaten >= HEARTBEAT_S or bool(doubt) != bool(before):
                    beaten = began
                    beat = self._heartbeat()
                    for client in self.clients:
                        client.beat(beat)
                await asyncio.sleep(max(0.01, FRAME_S - (time.monotonic() - began)))
        finally:
            for subscription in subscriptions:
                await subscription.unsubscribe()

    def tick(self) -> None:
        """Send what changed since the last tick."""
        model = self.feed.model
        changes = model.collect()
        if not changes or not self.clients:
            return
        encoded = [self._encode(change) for change in changes]
        names = [change.channel.name for change in changes]
        shared: dict[tuple[int, ...], str] = {}
        for client in self.clients:
            seen = tuple(index for index, name in enumerate(names) if client.sees(name))
            if not seen:
                continue
            if seen not in shared:
                shared[seen] = self._batch([encoded[index] for index in seen])
            client.push(shared[seen])

    def _encode(self, change: Change) -> bytes:
        if change.rows is None:
            return self._snapshot(change.channel)
        return frames.delta(self.feed.model, change)

    def _snapshot(self, channel: Channel) -> bytes:
        """Encoded once a frame number: what changed since is in the next delta."""
        seq, data = self._snapshots.get(channel.name, (-1, b""))
        if seq != channel.seq:
            data = frames.snapshot(self.feed.model, channel)
            self._snapshots[channel.name] = (channel.seq, data)
        return data

    def _snapshot_frames(self, client: Client) -> list[str]:
        out: list[str] = []
        items: list[bytes] = []
        size = 0
        for channel in self.feed.model.channels.values():
            if client.sees(channel.name):
                items.append(self._snapshot(channel))
                size += len(items[-1])
                if size > _SNAPSHOTS_A_FRAME:
                    out.append(self._batch(items))
                    items, size = [], 0
        if items:
            out.append(self._batch(items))
        return out

    def _batch(self, items: list[bytes]) -> str:
        now = _now_ms()
        return frames.batch(now, self.feed.age_s(now), items).decode()

    def _heartbeat(self) -> str:
        return frames.heartbeat(_now_ms(), self.feed.live, self.feed.lag_s).decode()

    async def _event(self, message: Msg) -> None:
        """Relay what another process tells screens. `parts` are its counts by scope key: whoever
        sees a part of the city hears of that part, and of its counts alone."""
        try:
            told = msgspec.json.decode(message.data, type=dict[str, Any])
        except msgspec.MsgspecError:
            log.warning("event_unreadable", subject=message.subject)
            return
        topic = message.subject.partition(".")[2]
        parts = None if topic == "system" else told.pop("parts", {})
        shared: dict[frozenset[str] | None, str] = {}
        for client in self.clients:
            seen = None if parts is None else frozenset(filter(client.scope.holds, parts))
            if seen is not None and not seen:
                continue
            if seen not in shared:
                item = {"op": "event", "topic": topic} | told
                if parts is not None and seen is not None and len(seen) < len(parts):
                    counts = counted(parts, client.scope)
                    item["counts"] = {state: counts[state] for state in told["counts"]}
                    item["total"] = counts.total()
                shared[seen] = self._batch([orjson.dumps(item)])
            client.push(shared[seen])


def _note(doubt: str | None, before: str | None) -> None:
    """Write down when the picture stops being live, why, and when it is again."""
    if doubt:
        log.warning("not_live", cause=doubt)
    else:
        log.info("live", was=before)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
