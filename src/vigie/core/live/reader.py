"""Keeps the mirrors of one api process true: reads what was touched, and everything when it cannot
know what was."""

import asyncio
import time
from collections.abc import Sequence, Set

from sqlalchemy.exc import DBAPIError

from vigie.core.bus import Wakeup
from vigie.core.database import Unit
from vigie.core.errors import Unavailable
from vigie.core.live.mirror import Mirror
from vigie.core.live.topics import RowTopic
from vigie.core.live.touch import WAKE, Cursor, Touched
from vigie.core.logs import logger
from vigie.core.runtime import Runtime

log = logger(__name__)
SILENT_S = 5.0
_EVERY_S = 1.0
# A touch seldom comes alone.
_SETTLE_S = 0.05
# A topic that had too many open rows to mirror is looked at again after this.
_AGAIN_S = 30.0


class Reader:
    """The topics of rows that lie in the database."""

    def __init__(self, runtime: Runtime, mirrors: Sequence[Mirror]) -> None:
        self._runtime = runtime
        self._mirrors = mirrors
        self._cursor = Cursor()
        self._due: dict[str, float] = {}
        self._failing: set[str] = set()
        self._unknown: set[str] = set()
        self._read_at = float("-inf")

    @property
    def doubt(self) -> str | None:
        """Why the mirrors may not be what is stored; None while they are."""
        if self._mirrors and time.monotonic() - self._read_at >= SILENT_S:
            return "rows_unread"
        return None

    async def keep(self) -> None:
        """Service: read on every wake-up, and once a second."""
        component = self._runtime.component("live-rows")
        wakeup = await Wakeup().on(self._runtime.bus, f"wake.{WAKE}")
        try:
            while True:
                try:
                    await self.read()
                except Unavailable:
                    component.set("degraded", "database_unavailable")
                    await asyncio.sleep(0.5)
                    continue
                if self._failing:
                    component.set("degraded", "topic_failed", topics=sorted(self._failing))
                else:
                    component.set("ok")
                await wakeup.wait(_EVERY_S)
                await asyncio.sleep(_SETTLE_S)
        finally:
            await wakeup.close()

    async def read(self) -> None:
        """One round. Raises Unavailable: nothing is passed over then."""
        if not self._mirrors:
            return
        now = time.monotonic()
        async with self._runtime.database.unit() as unit:
            position, touched = await self._cursor.read(unit)
            for mirror in self._mirrors:
                topic = mirror.topic.name
                touches = None if touched is None else touched.get(topic, [])
                try:
                    async with unit.attempt():
                        await self._refresh(unit, mirror, touches)
                    self._failing.discard(topic)
                except Exception as error:
                    if isinstance(error, DBAPIError) and error.connection_invalidated:
                        raise
                    if topic not in self._failing:
                        log.exception("live_topic_failed", topic=topic)
                    self._failing.add(topic)
                    # What was touched is not remembered for it: all is read again.
                    self._due[topic] = now
        self._cursor.advance(position)
        self._read_at = now
        if touched:
            self._name_unknown(touched.keys() - {mirror.topic.name for mirror in self._mirrors})

    def _name_unknown(self, topics: Set[str]) -> None:
        """A verb's misspelt topic is found in the log; one of a room that is off is no harm."""
        for topic in sorted(topics - self._unknown):
            self._unknown.add(topic)
            log.warning("live_topic_unknown", topic=topic)

    async def _refresh(self, unit: Unit, mirror: Mirror, touches: Sequence[Touched] | None) -> None:
        topic = mirror.topic
        assert isinstance(topic, RowTopic)
        due = self._due.get(topic.name)
        if touches is not None and (due is None or time.monotonic() < due):
            if not touches:
                return
            rows = []
            if mirror.complete:
                rows = await topic.load(unit, sorted({touch.id for touch in touches}))
            if mirror.update(touches, rows):
                return
        blind = touches is None or topic.name in self._failing
        mirror.replace(await topic.load(unit, None), blind=blind and mirror.loaded)
        self._due.pop(topic.name, None)
        if touches:
            # Those that are not open are not among the rows: they are told apart by their ids.
            mirror.update(touches, mirror.rows.values())
        if not mirror.complete:
            self._due[topic.name] = time.monotonic() + _AGAIN_S
            log.warning("live_topic_too_large", topic=topic.name, most=topic.most)
