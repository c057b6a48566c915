"""Every order goes by its client's protocol, and a trade gets a protocol's service by name."""

from datetime import timedelta
from typing import Any, Protocol, runtime_checkable

import pytest

from vigie.core import clock
from vigie.core.errors import NotFound, SetupError, Unavailable
from vigie.core.ids import uuid7
from vigie.core.rooms import Room, Rooms
from vigie.core.runtime import Runtime
from vigie.gateways.clients import Adapter, OutCommand, Outlets, adapters, service_of

SENT: dict[str, list[OutCommand]] = {"good": [], "away": []}


class Good:
    def __init__(self, _runtime: Runtime) -> None:
        self.masked: list[str] = []

    async def send(self, orders: list[OutCommand]) -> None:
        SENT["good"] += orders

    async def mask(self, camera: str) -> None:
        self.masked.append(camera)


class Away(Good):
    async def send(self, orders: list[OutCommand]) -> None:
        raise Unavailable("bus_unavailable", "away")


@runtime_checkable
class Masks(Protocol):
    """As a trade would declare it: nothing of it is known to the protocol's room."""

    async def mask(self, camera: str) -> None: ...


@runtime_checkable
class Doors(Protocol):
    async def lock(self, door: str) -> None: ...


ADAPTERS = (
    Adapter(name="good", title="Good", maturity="experimental", outlet=f"{__name__}:Good",
            services={"video.masks": f"{__name__}:Good"}),
    Adapter(name="away", title="Away", maturity="experimental", outlet=f"{__name__}:Away"),
    Adapter(name="mute", title="Mute", maturity="experimental"),
)  # fmt: skip


@pytest.fixture
def house(runtime: Runtime) -> Runtime:
    import sys

    sys.modules[__name__] = sys.modules.get(__name__) or __import__("types").ModuleType(__name__)
    for name in ("ADAPTERS", "Good", "Away"):
        setattr(sys.modules[__name__], name, globals()[name])
    rooms = Rooms([Room(name="fake", floor="protocol", adapters=f"{__name__}:ADAPTERS")])
    return Runtime(runtime.settings, "test", runtime.database, runtime.bus, rooms)


def order(protocol: str) -> OutCommand:
    now = clock.now()
    return OutCommand(protocol, "c", "d", uuid7(), "open", {}, now, now + timedelta(minutes=1))


async def test_a_protocol_that_is_away_holds_up_no_other(house: Runtime) -> None:
    SENT["good"].clear()
    orders = [order("away"), order("good"), order("mute"), order("nobody"), order("good")]
    with pytest.raises(Unavailable):
        await Outlets(house).send(orders)
    assert SENT["good"] == [orders[1], orders[4]]
    await Outlets(house).send([orders[2], orders[3]])


async def test_a_trade_gets_the_service_that_it_declared(house: Runtime) -> None:
    masks = service_of(house, "good", "video.masks", Masks)
    await masks.mask("camera 3")
    found: Any = masks
    assert found.masked == ["camera 3"]
    with pytest.raises(NotFound, match="cannot do this"):
        service_of(house, "mute", "video.masks", Masks)
    with pytest.raises(SetupError, match="no Doors"):
        service_of(house, "good", "video.masks", Doors)


def test_the_products_own_adapters_say_how_mature_they_are(runtime: Runtime) -> None:
    found = adapters(runtime)
    assert found["mqtt"].maturity == "tested"
    for adapter in found.values():
        assert adapter.maturity == "certified" or adapter.exemptions, adapter.name
