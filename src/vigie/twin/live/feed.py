"""Keeps the live picture true: loads it, applies the lanes' commits, and reads it again whenever a
commit was missed. Heartbeats carry the commit number, so a lost delta is noticed in a second."""

import asyncio
import time

import msgspec
from nats.aio.msg import Msg

from vigie.core.bus import Wakeup
from vigie.core.errors import Unavailable
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.twin.live import loading
from vigie.twin.live.delta import Delta, decode
from vigie.twin.live.model import LiveModel

log = logger(__name__)
SILENT_S = 2.5
_SETTLE_S = 0.5
# The picture of a whole city may take longer than one request may.
_LOAD_S = 300.0
_MOST_HELD = 2_000


class Feed:
    """One process's live picture."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lanes = runtime.settings.lanes
        self.model = LiveModel()
        self.loaded = False
        self.newest_us = 0
        self._commits: dict[int, int] = {}
        self._heard: dict[int, tuple[float, float]] = {}
        self._held: list[Delta] | None = None
        self._since = ""
        self._gap = False
        self._stale = Wakeup()
        self._intents = Wakeup()

    @property
    def live(self) -> bool:
        """True while every lane tells its commits and none was missed."""
        return self.doubt is None

    @property
    def doubt(self) -> str | None:
        """Why what is shown may not be what is stored; None while it is."""
        if not self.loaded:
            return "not_loaded"
        if self._gap:
            return "commit_missed"
        now = time.monotonic()
        for lane in self._lanes:
            if lane not in self._heard or now - self._heard[lane][0] >= SILENT_S:
                return f"lane_{lane}_silent"
        return None

    @property
    def lag_s(self) -> float | None:
        """How long the slowest lane's last message waited; None when nothing is known."""
        return max((lag for _, lag in self._heard.values()), default=None)

    def age_s(self, now_ms: int) -> float | None:
        """Age of the newest evidence committed."""
        return max(0.0, now_ms / 1000 - self.newest_us / 1e6) if self.newest_us else None

    async def keep(self) -> None:
        """Service: load, then load again whenever something was missed or the registry changed."""
        component = self._runtime.component("live")
        self.loaded = False
        subscription = await self._runtime.bus.subscribe("live.*", self._hear)
        try:
            for subject in ("twin.changed", "wake.twin"):
                await self._stale.on(self._runtime.bus, subject)
            while True:
                try:
                    await self._load()
                    component.set("ok", assets=self.model.size)
                except Unavailable:
                    component.set("degraded", "database_unavailable")
                    await asyncio.sleep(0.5)
                    continue
                await self._stale.wait(3600)
                if not self._gap:
                    # A change of the registry seldom comes alone; a screen that is not live waits.
                    await asyncio.sleep(_SETTLE_S)
        finally:
            await subscription.unsubscribe()
            await self._stale.close()

    async def keep_intents(self) -> None:
        """Service: what commands want, as soon as it is told, and once a second."""
        await self._intents.on(self._runtime.bus, "wake.intent")
        try:
            while True:
                if self.loaded:
                    try:
                        await self._read_intents()
                    except Unavailable:
                        await asyncio.sleep(0.5)
                await self._intents.wait(1.0)
        finally:
            await self._intents.close()

    async def _load(self) -> None:
        """Read everything; commits told meanwhile are held and applied after."""
        self._held = []
        try:
            async with self._runtime.database.unit(statement_timeout_s=_LOAD_S) as unit:
                commits = await loading.load_lanes(unit)
                since, _ = await loading.load_intents(unit, "")
                loaded = await loading.load(unit)
            # Together, or a load that fails half-way would skip commits that were never shown.
            self._commits = commits
            self.model.replace(loaded)
            # From before the picture was read: what was settled while it was, is read again.
            self._since = since
            self.loaded, self._gap = True, False
            self.newest_us = max(self.newest_us, self.model.newest_us)
        finally:
            held, self._held = self._held, None
        if self.loaded:
            for delta in held:
                self._apply(delta)

    async def _read_intents(self) -> None:
        async with self._runtime.database.unit() as unit:
            asked = self._since
            since, changed = await loading.load_intents(unit, asked)
        if self._since == asked:
            # Else the picture was read anew meanwhile, and says from where to go on.
            self._since = since
        for function, (assets, desired, pending) in changed.items():
            self.model.intend(assets, function, desired, pending)

    async def _hear(self, message: Msg) -> None:
        try:
            delta = decode(message.data)
        except msgspec.MsgspecError:
            log.warning("live_delta_unreadable", subject=message.subject)
            return
        if delta.lane not in self._lanes:
            return
        self._heard[delta.lane] = (time.monotonic(), delta.lag_s)
        if self._held is not None:
            if len(self._held) < _MOST_HELD:
                self._held.append(delta)
        else:
            self._apply(delta)

    def _apply(self, delta: Delta) -> None:
        known = self._commits.get(delta.lane, 0)
        if delta.commit <= known:
            return
        if delta.previous != known:
            if not self._gap:
                log.info("live_gap", lane=delta.lane, known=known, previous=delta.previous)
            self._gap = True
            self._stale.set()
            return
        self._commits[delta.lane] = delta.commit
        self.newest_us = max(self.newest_us, delta.newest_us)
        for part in delta.parts:
            self.model.apply(part.kind, *part.columns())
