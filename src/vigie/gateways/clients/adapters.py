"""What a protocol's room says of its adapter, and the ways down that follow from it.

    ADAPTERS = (
        Adapter(
            name="trackers", title="Teltonika trackers", maturity="tested",
            exemptions=("No order is sent down yet.",),
        ),
    )

Named in its room (`Room(adapters="module:ADAPTERS")`); `name` is what `gateways.client.protocol`
holds. Control sends orders through `Outlets` and knows no protocol. What a trade needs that
is no order (programmes, door lists, masks) it declares as a `Protocol` of its own; an adapter names
the object that does it under `services`, and the trade asks for it with `service_of`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from vigie.core.errors import NotFound, SetupError, Unavailable
from vigie.core.logs import logger
from vigie.core.rooms import loaded
from vigie.core.runtime import Runtime
from vigie.gateways.clients.model import ACCEPTED, OutCommand

log = logger(__name__)
T = TypeVar("T")

# experimental: written from the description; tested: against captured messages of real devices;
# certified: in service, or passed the protocol's own conformance test.
Maturity = Literal["experimental", "tested", "certified"]


class Outlet(Protocol):
    """A way down to devices."""

    async def send(self, orders: Sequence[OutCommand], /) -> None:
        """Send each, at most once; devices acknowledge, the caller sends again. Raises Unavailable:
        some may have left."""
        ...


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    """A protocol that the platform speaks. Functions are named as `module:function` and called with
    the Runtime, so that a process loads what it uses."""

    name: str
    title: str
    maturity: Maturity
    # What keeps it from being certified, a sentence each.
    exemptions: tuple[str, ...] = ()
    # By which stream its clients' messages come.
    stream: int = ACCEPTED
    # Gives the Outlet; a protocol without one takes no orders.
    outlet: str = ""
    # What it does for trades: name of the service → function that gives the object.
    services: Mapping[str, str] = {}


class Outlets:
    """Every way down: each order goes by the protocol of the client that carries it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._outlets: dict[str, Outlet | None] = {}

    async def send(self, orders: Sequence[OutCommand]) -> None:
        """Send all. A protocol that is away holds up no other; raises Unavailable afterwards."""
        groups: dict[str, list[OutCommand]] = {}
        for order in orders:
            groups.setdefault(order.protocol, []).append(order)
        away: list[Unavailable] = []

        async def send(protocol: str, group: list[OutCommand]) -> None:
            outlet = self._outlet(protocol)
            if outlet is None:
                log.warning("no_way_down", protocol=protocol, orders=len(group))
                return
            try:
                await outlet.send(group)
            except Unavailable as error:
                away.append(error)

        await asyncio.gather(*(send(protocol, group) for protocol, group in groups.items()))
        if away:
            raise away[0]

    def _outlet(self, protocol: str) -> Outlet | None:
        if protocol not in self._outlets:
            adapter = adapters(self._runtime).get(protocol)
            self._outlets[protocol] = (
                loaded(adapter.outlet)(self._runtime) if adapter and adapter.outlet else None
            )
        return self._outlets[protocol]


def adapters(runtime: Runtime) -> dict[str, Adapter]:
    """The protocols of this installation."""
    return runtime.house.part("adapters")


def service_of(runtime: Runtime, protocol: str, name: str, shape: type[T]) -> T:
    """What a protocol does for a trade, as the trade's own `shape` (a runtime_checkable Protocol).

    Raises NotFound when the protocol does not do this, SetupError when it does something else.
    """
    adapter = adapters(runtime).get(protocol)
    reference = adapter.services.get(name) if adapter else None
    if reference is None:
        raise NotFound(
            "service_not_offered",
            f"Equipment that speaks {protocol} cannot do this ({name}) through the platform.",
            {"protocol": protocol, "service": name},
        )
    found: Any = loaded(reference)(runtime)
    if not isinstance(found, shape):
        raise SetupError(f"{reference} is no {shape.__name__}: it lacks a method of it.")
    return found
