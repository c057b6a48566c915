"""What this room says of its protocol."""

from vigie.gateways.clients import BROKER, Adapter
from vigie.gateways.mqtt.provision import PROTOCOL

ADAPTERS = (
    Adapter(
        name=PROTOCOL,
        title="MQTT 3.1.1",
        maturity="tested",
        exemptions=("Not yet in service with equipment of a city.",),
        stream=BROKER,
        outlet="vigie.gateways.mqtt.orders:MqttOutlet",
    ),
)
