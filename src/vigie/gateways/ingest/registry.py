"""Which device is what, through which client: in memory, so that a message asks no database."""

import asyncio
import contextlib
import time

import msgspec
import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from sqlalchemy import text

from vigie.core.errors import Unavailable
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.core.settings import LANES_A_STREAM
from vigie.twin import kinds
from vigie.twin.kinds import Kind

log = logger(__name__)
_MISS_EVERY_S = 5.0
_SETTLE_S = 0.3
_LOAD = text(
    """
    select a.token, a.id, a.kind, c.id as client_id, c.token as client, d.ref,
     c.stream * :lanes + c.shard as lane,
     a.retired is not null and a.retired <= current_date as retired
    from gateways.device d
    join gateways.client c on c.id = d.client
    join twin.asset a on a.id = d.asset
    """
)

_CALIBRATIONS = text(
    """
    select asset, metric, (extract(epoch from valid_from) * 1e6)::int8 as since, factor, "offset"
    from gateways.calibration
    order by asset, metric, valid_from desc
    """
)
Calibrations = dict[str, list[tuple[int, float, float]]]
_CLIENTS = text("select token, id, clock from gateways.client")


class Device(msgspec.Struct, frozen=True, gc=False):
    """A device as the ingest knows it."""

    asset: int
    kind: Kind
    client_id: int
    client: str
    lane: int
    retired: bool
    # By metric: (from µs, factor, offset), the newest first; None for most.
    calibration: Calibrations | None = None


class Registry:
    """Every device by token; read again when either room tells of a change."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._changed = asyncio.Event()
        self._missed_at = 0.0
        self._loading = asyncio.Lock()
        self.devices: dict[str, Device] = {}
        self.clients: dict[str, int] = {}
        # Clients whose clocks are not to be trusted.
        self.undated: frozenset[str] = frozenset()
        self._refs: dict[tuple[str, str], Device] = {}
        self.version = 0
        # Grows when a person had messages read again: the lanes look for them.
        self.replays = 0
        self.ready = asyncio.Event()

    async def load(self) -> None:
        """Read every device. Raises Unavailable."""
        async with self._loading, self._runtime.database.unit() as unit:
            rows = (await unit.execute(_LOAD, {"lanes": LANES_A_STREAM})).mappings().all()
            clients = (await unit.execute(_CLIENTS)).mappings().all()
            calibrations: dict[int, Calibrations] = {}
            for row in (await unit.execute(_CALIBRATIONS)).mappings():
                of_metric = calibrations.setdefault(row["asset"], {}).setdefault(row["metric"], [])
                of_metric.append((row["since"], row["factor"], row["offset"]))
            names: dict[str, str] = {}
            self.devices = {
                row["token"]: Device(
                    row["id"],
                    kind,
                    row["client_id"],
                    names.setdefault(row["client"], row["client"]),
                    row["lane"],
                    row["retired"],
                    calibrations.get(row["id"]),
                )
                for row in rows
                if (kind := kinds.kind(row["kind"])) is not None
            }
            self._refs = {
                (row["client"], row["ref"]): self.devices[row["token"]]
                for row in rows
                if row["ref"] is not None and row["token"] in self.devices
            }
            self.clients = {row["token"]: row["id"] for row in clients}
            self.undated = frozenset(row["token"] for row in clients if row["clock"] == "server")
        self.version += 1
        self.ready.set()

    async def missed(self) -> bool:
        """A device or client is not known: read again, at most every few seconds; True if done."""
        now = time.monotonic()
        if now - self._missed_at < _MISS_EVERY_S:
            return False
        self._missed_at = now
        await self.load()
        return True

    def device(self, client: str, name: str) -> Device | None:
        """A device by its token, or by the name that its client has for it."""
        return self.devices.get(name) or self._refs.get((client, name))

    def assets(self, lane: int) -> dict[int, Kind]:
        """The assets whose readings come by this lane."""
        return {d.asset: d.kind for d in self.devices.values() if d.lane == lane}

    async def keep(self) -> None:
        """Service: load, and load again when something changed, and once an hour."""
        subscriptions: list[Subscription] = []
        try:
            for subject in ("gateways.changed", "twin.changed", "wake.twin"):
                subscriptions.append(await self._runtime.bus.subscribe(subject, self._hear))
            subscriptions.append(await self._runtime.bus.subscribe("wake.ingest", self._replay))
            await self._follow()
        finally:
            # A service that failed is started again on the same connection.
            for subscription in subscriptions:
                with contextlib.suppress(nats.errors.Error, OSError):
                    await subscription.unsubscribe()

    async def _follow(self) -> None:
        component = self._runtime.component("registry")
        while True:
            try:
                self._changed.clear()
                await self.load()
                component.set("ok", devices=len(self.devices))
            except Unavailable:
                component.set("degraded", "database_unavailable")
                await asyncio.sleep(1)
                continue
            try:
                async with asyncio.timeout(3600):
                    await self._changed.wait()
            except TimeoutError:
                continue
            # A change seldom comes alone.
            await asyncio.sleep(_SETTLE_S)

    async def _replay(self, _message: Msg) -> None:
        """With what was mended before."""
        with contextlib.suppress(Unavailable):
            await self.load()
        self.replays += 1

    async def _hear(self, _message: Msg) -> None:
        self._changed.set()
