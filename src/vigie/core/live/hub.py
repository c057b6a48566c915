"""Fans the topics out: about ten frames a second, each encoded once for all who see the same; a
client that does not keep up is told, loses its queue and gets new snapshots instead.

Sockets with the same grants and the same wish form a group: what a group may see is worked out
when its grants or the channels change, not once a frame.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

from nats.aio.msg import Msg

from vigie.core.access.logins import SUBJECT as ACCESS_CHANGED
from vigie.core.access.logins import Logins
from vigie.core.live import frames
from vigie.core.live.client import Client
from vigie.core.live.mirror import Changes, Mirror
from vigie.core.live.reader import Reader
from vigie.core.live.rules import sees_channel
from vigie.core.live.topics import ColumnSource, ColumnTopic, MemoryTopic, RowTopic, Topic
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.core.scope import Scope

log = logger(__name__)
FRAME_S = 0.1
HEARTBEAT_S = 1.0
_SNAPSHOTS_A_FRAME = 1_000_000
_NONE: frozenset[str] = frozenset()

Wish = tuple[Scope | None, frozenset[str] | None]


class _Columns:
    """A topic of columns, and what each group of sockets sees of it."""

    def __init__(self, topic: ColumnTopic, source: ColumnSource) -> None:
        self.permission = topic.permission
        self.source = source
        self._version = -1
        self._granted: dict[Wish, frozenset[str]] = {}

    def granted(self, client: Client) -> frozenset[str]:
        """The channels that a client is granted and asked for."""
        if not client.subscribed:
            return _NONE
        if self._version != self.source.version:
            self._version = self.source.version
            self._granted = {}
        wish = client.grants.get(self.permission), client.wanted
        if wish not in self._granted:
            scope, wanted = wish
            self._granted[wish] = frozenset(
                name
                for name in self.source.channels
                if (wanted is None or name in wanted) and sees_channel(scope, name)
            )
        return self._granted[wish]

    def forget(self) -> None:
        """Work it out again when asked: what nobody wishes any more is not kept."""
        self._granted = {}


class Hub:
    """The clients and topics of one process."""

    _of: ClassVar[WeakKeyDictionary[Runtime, "Hub"]] = WeakKeyDictionary()

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.server = str(uuid4())
        self.clients: set[Client] = set()
        topics: Iterable[Topic] = runtime.house.part("topics").values()
        self._columns = [_Columns(t, t.open(runtime)) for t in topics if isinstance(t, ColumnTopic)]
        self.mirrors = {t.name: Mirror(t) for t in topics if not isinstance(t, ColumnTopic)}
        self.reader = Reader(
            runtime, [m for m in self.mirrors.values() if isinstance(m.topic, RowTopic)]
        )
        self.permissions = frozenset(topic.permission for topic in topics)

    @classmethod
    def of(cls, runtime: Runtime) -> "Hub":
        """The hub of this process."""
        if runtime not in cls._of:
            cls._of[runtime] = cls(runtime)
        return cls._of[runtime]

    @property
    def doubt(self) -> str | None:
        """Why what is shown may not be what is stored; None while it is."""
        doubts = [columns.source.doubt for columns in self._columns]
        return next((doubt for doubt in (*doubts, self.reader.doubt) if doubt), None)

    def hello(self) -> str:
        """The first frame of a socket."""
        greetings: dict[str, Any] = {}
        for columns in self._columns:
            greetings |= columns.source.greeting()
        return frames.hello(self.server, _now_ms(), greetings).decode()

    # What clients ask for.

    def join(self, client: Client) -> None:
        """A socket opened."""
        self.clients.add(client)
        client.give([self.hello()])

    def leave(self, client: Client) -> None:
        """The socket closed."""
        self.clients.discard(client)
        self._forget_wishes()

    def subscribe(self, client: Client, wanted: frozenset[str] | None) -> list[str]:
        """Let a client see these channels (None: all it is granted); those it may not see."""
        self.clients.add(client)
        if wanted != client.wanted:
            self._forget_wishes()
        client.wanted = wanted
        client.subscribed = True
        if client.lagging:
            client.forget()
            client.give([*self._column_frames(client), *self._row_frames(client)])
        else:
            client.give(self._column_frames(client))
        client.beat(self._heartbeat())
        if wanted is None:
            return []
        return sorted(wanted - frozenset().union(*self._granted(client)))

    def follow(self, client: Client, topics: Iterable[str]) -> list[str]:
        """Let a client follow these topics of rows and no others; those it may not see."""
        self.clients.add(client)
        wanted = set(topics)
        client.followed = {t: n for t, n in client.followed.items() if t in wanted}
        refused = {t for t in wanted if not self._may_follow(client, t)}
        new = sorted(wanted - refused - client.followed.keys())
        client.followed |= dict.fromkeys(new, 0)
        client.give(self._row_frames(client, new))
        client.beat(self._heartbeat())
        return sorted(refused)

    def resync(self, client: Client, *, channel: str = "", topic: str = "") -> bool:
        """One channel or topic anew; False when the client may not see it."""
        if topic:
            if topic not in client.followed:
                return False
            client.give(self._row_frames(client, [topic]))
            return True
        for columns in self._columns:
            if channel in columns.granted(client):
                client.give([self._batch([columns.source.snapshot(channel)])])
                return True
        return False

    def catch_up(self, client: Client) -> None:
        """The queue of a client that fell behind is empty: everything anew."""
        client.lagging = False
        client.give([*self._column_frames(client), *self._row_frames(client)])

    def rescope(self, client: Client, grants: Mapping[str, Scope]) -> None:
        """Grants changed: what is no longer seen is taken away, and all else comes anew. Nothing of
        what waited is sent: it is of the old grants."""
        if grants == client.grants:
            return
        before = frozenset[str]().union(*self._granted(client))
        client.grants = dict(grants)
        lost = sorted(before - frozenset().union(*self._granted(client)))
        taken = [frames.drop(channel=name) for name in lost]
        for topic in list(client.followed):
            if not self._may_follow(client, topic):
                del client.followed[topic]
                taken.append(frames.drop(topic=topic))
        client.forget()
        client.give([self._batch(taken)] if taken else [])
        client.give([*self._column_frames(client), *self._row_frames(client)])

    def _forget_wishes(self) -> None:
        for columns in self._columns:
            columns.forget()

    def _granted(self, client: Client) -> list[frozenset[str]]:
        return [columns.granted(client) for columns in self._columns]

    def _may_follow(self, client: Client, topic: str) -> bool:
        mirror = self.mirrors.get(topic)
        return mirror is not None and mirror.topic.permission in client.grants

    # What is sent to them.

    async def keep(self) -> None:
        """Service: frames and heartbeats."""
        changed = await self._runtime.bus.subscribe(ACCESS_CHANGED, self._access_changed)
        beaten = 0.0
        doubt: str | None = "not_loaded"
        try:
            while True:
                began = time.monotonic()
                if began - beaten >= HEARTBEAT_S:
                    self._look()
                self.tick()
                before, doubt = doubt, self.doubt
                if doubt != before:
                    _note(doubt, before)
                if began - beaten >= HEARTBEAT_S or bool(doubt) != bool(before):
                    beaten = began
                    beat = self._heartbeat()
                    for client in self.clients:
                        client.beat(beat)
                await asyncio.sleep(max(0.01, FRAME_S - (time.monotonic() - began)))
        finally:
            await changed.unsubscribe()

    def tick(self) -> None:
        """Send what changed since the last tick."""
        for columns in self._columns:
            self._tick_columns(columns)
        for name, mirror in self.mirrors.items():
            changes = mirror.collect()
            if changes is not None:
                self._tick_rows(name, mirror, changes)

    def _tick_columns(self, columns: _Columns) -> None:
        changes = columns.source.collect()
        if not changes or not self.clients:
            return
        encoded = [columns.source.encode(change) for _, change in changes]
        names = [name for name, _ in changes]
        of_group: dict[int, str | None] = {}
        shared: dict[tuple[int, ...], str | None] = {(): None}
        for client in self.clients:
            # Those of one group have one set between them.
            granted = columns.granted(client)
            if id(granted) not in of_group:
                seen = tuple(index for index, name in enumerate(names) if name in granted)
                if seen not in shared:
                    shared[seen] = self._batch([encoded[index] for index in seen])
                of_group[id(granted)] = shared[seen]
            frame = of_group[id(granted)]
            if frame is not None:
                client.push(frame)

    def _tick_rows(self, name: str, mirror: Mirror, changes: Changes) -> None:
        views: dict[Scope, bytes | None] = {}
        for client in self.clients:
            scope = client.grants.get(mirror.topic.permission)
            if scope is None or name not in client.followed:
                continue
            if changes.anew:
                if not client.lagging:
                    client.give(self._row_frames(client, [name]))
                continue
            if scope not in views:
                view = mirror.view(changes, scope)
                views[scope] = None if view.empty else frames.change(name, view)
            tail = views[scope]
            if tail is not None and not client.lagging:
                client.push(self._batch([frames.numbered(client.number(name), tail)]))

    def _look(self) -> None:
        """The topics that lie in this process's own memory."""
        for mirror in self.mirrors.values():
            if not isinstance(mirror.topic, MemoryTopic):
                continue
            try:
                mirror.replace(mirror.topic.rows(self._runtime))
            except Exception:
                # One topic of many: the rest is shown, and this one again when it can be.
                log.exception("live_topic_failed", topic=mirror.topic.name)

    def _column_frames(self, client: Client) -> list[str]:
        out: list[str] = []
        items: list[bytes] = []
        size = 0
        for columns in self._columns:
            granted = columns.granted(client)
            for name in columns.source.channels:
                if name in granted:
                    items.append(columns.source.snapshot(name))
                    size += len(items[-1])
                    if size > _SNAPSHOTS_A_FRAME:
                        out.append(self._batch(items))
                        items, size = [], 0
        if items:
            out.append(self._batch(items))
        return out

    def _row_frames(self, client: Client, topics: Iterable[str] | None = None) -> list[str]:
        """Snapshots of topics of rows; all that the client follows when none are named. One that
        was not read yet comes as soon as it is."""
        items: list[bytes] = []
        for name in client.followed if topics is None else topics:
            mirror = self.mirrors[name]
            scope = client.grants.get(mirror.topic.permission)
            if mirror.loaded and scope is not None:
                number, seen = client.number(name), mirror.seen_by(scope)
                items.append(frames.rows(name, number, mirror.complete, seen))
        return [self._batch(items)] if items else []

    def _batch(self, items: list[bytes]) -> str:
        now = _now_ms()
        ages = [columns.source.age_s(now) for columns in self._columns]
        age = max((age for age in ages if age is not None), default=None)
        return frames.batch(now, age, items).decode()

    def _heartbeat(self) -> str:
        lags = [columns.source.lag_s for columns in self._columns]
        lag = max((lag for lag in lags if lag is not None), default=None)
        return frames.heartbeat(_now_ms(), self.doubt is None, lag).decode()

    async def _access_changed(self, message: Msg) -> None:
        """Someone's grants, password or sessions changed: every socket looks at its own again."""
        Logins.of(self._runtime).forget(UUID(bytes=message.data))
        for client in self.clients:
            client.doubted.set()


def _note(doubt: str | None, before: str | None) -> None:
    """Write down when the picture stops being live, why, and when it is again."""
    if doubt:
        log.warning("not_live", cause=doubt)
    else:
        log.info("live", was=before)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
