"""The MQTT adapter of the `gateways` role: its parts, brought up in the right order.

Stream and readers first, then the clients in memory, then the door opens, then the canary proves
that what comes through it is kept.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from vigie.core.errors import SetupError, Unavailable
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.gateways.clients import (
    CHANGED,
    OVER,
    Book,
    Presence,
    Quota,
    Refusals,
    changed_tokens,
)
from vigie.gateways.mqtt import canary
from vigie.gateways.mqtt.admission import Admission
from vigie.gateways.mqtt.brokerlog import BrokerLog
from vigie.gateways.mqtt.callout import Callout
from vigie.gateways.mqtt.provision import PROTOCOL
from vigie.gateways.mqtt.sessions import Sessions
from vigie.gateways.mqtt.streams import bound_retained, ensure_streams

log = logger(__name__)
Service = Callable[[], Awaitable[None]]
_LOOK_AGAIN_S = 10


class MqttGateway:
    """One process's share of the MQTT adapter."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.sessions = Sessions(runtime)
        self.refusals = Refusals(runtime)
        self.book = Book(runtime, self._void)
        self.admission = Admission(runtime, self.sessions.kick_all)
        self.quota = Quota(runtime, self.sessions, self.admission, self.refusals)
        self.callout = Callout(runtime, self.book, self.admission, self.refusals, self.quota.holds)
        self.broker_log = BrokerLog(runtime, self.sessions, self.book, self.refusals)
        self.presence = Presence(runtime, PROTOCOL, self.sessions, self.broker_log.keep)
        self.sessions.unwanted = self._unwanted
        self.ready = asyncio.Event()
        self._opened = False
        self._subscriptions: list[Subscription] = []

    def services(self) -> dict[str, Service]:
        """What the process runs; each waits until the door is open."""
        return {
            "mqtt": self.keep_door,
            "clients": self._after_opening(self.book.keep),
            "admission": self._after_opening(self.admission.keep),
            "quota": self._after_opening(self.quota.keep),
            "sessions": self._after_opening(self.sessions.keep),
            "presence": self._after_opening(self.presence.keep),
            "refusals": self._after_opening(self.refusals.keep),
        }

    async def keep_door(self) -> None:
        """Service: open the door once, prove it, and look after the stream from then on."""
        component = self.runtime.component("mqtt")
        component.set("starting", "opening")
        await self._open()
        while True:
            try:
                await ensure_streams(self.runtime.bus, self.runtime.settings)
                await bound_retained(self.runtime.bus)
                await self._prove()
                component.set("ok")
                self.ready.set()
            except (Unavailable, SetupError) as error:
                component.set("degraded", error.code, detail=error.detail)
                log.warning("mqtt_not_ready", code=error.code, detail=error.detail)
                await asyncio.sleep(1)
                continue
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def close(self) -> None:
        """Take no more questions; leave the system account."""
        await self.callout.close()
        await self.admission.close()
        for subscription in self._subscriptions:
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()
        await self.sessions.close()

    async def _open(self) -> None:
        if self._opened:
            return
        await ensure_streams(self.runtime.bus, self.runtime.settings)
        await self.book.load()
        if not self.sessions.known:
            await self.sessions.open()
        await self.admission.join()
        self._subscriptions.append(await self.runtime.bus.subscribe(CHANGED, self._changed))
        self._subscriptions.append(await self.runtime.bus.subscribe(OVER, self.quota.reported))
        await self.callout.listen()
        self._opened = True

    async def _prove(self) -> None:
        """Once at start; not into a stream that is nearly full, which proves nothing."""
        if self.ready.is_set() or not self.admission.open:
            return
        await canary.sing(self.runtime.bus, self.runtime.settings)
        log.info("canary_heard")

    async def _changed(self, message: Msg) -> None:
        tokens = changed_tokens(message)
        try:
            if tokens:
                await self.book.refresh(tokens)
            else:
                await self.book.load()
        except Unavailable:
            log.warning("clients_not_read", clients=len(tokens))

    def _unwanted(self, token: str) -> bool:
        known = self.book.get(token)
        if known is None or known.revoked or not self.admission.open:
            return True
        return self.quota.holds(token)

    async def _void(self, tokens: list[str]) -> None:
        """Connections made with a credential that is void now are cut."""
        count = await self.sessions.kick(tokens)
        if count:
            log.info("connections_cut", connections=count, clients=tokens[:10])

    def _after_opening(self, service: Service) -> Service:
        async def run() -> None:
            while not self._opened:  # noqa: ASYNC110 - a few looks at start
                await asyncio.sleep(0.05)
            await service()

        return run


def services(runtime: Runtime) -> dict[str, Service]:
    """Services of the `gateways` role."""
    return MqttGateway(runtime).services()
