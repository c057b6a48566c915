"""The protocols of trackers and radios, and how far each is proven."""

from vigie.gateways.clients import Adapter

_NO_ORDERS = "No order is sent down."

ADAPTERS = (
    Adapter(
        name="osmand",
        title="OsmAnd over HTTP",
        maturity="tested",
        exemptions=(_NO_ORDERS,),
    ),
    Adapter(
        name="teltonika",
        title="Teltonika Codec 8, 8E and 16",
        maturity="tested",
        exemptions=(
            _NO_ORDERS,
            "Held against published frames, not against a device in service.",
        ),
    ),
    Adapter(
        name="nmea",
        title="NMEA 0183 over TCP",
        maturity="tested",
        exemptions=(_NO_ORDERS,),
    ),
    Adapter(
        name="radio",
        title="Radio gateways (JSON lines, TETRA LIP)",
        maturity="experimental",
        exemptions=(_NO_ORDERS, "The short report is read from its description alone."),
    ),
)
