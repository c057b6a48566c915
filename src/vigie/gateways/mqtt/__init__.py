"""MQTT 3.1.1: how street equipment talks to the platform.

Front door: the services of the `gateways` role, orders down, the installer's file, the stream that
the broker fills. Never: who a client is (clients), what a reading means (twin), or when a command
is due (control). The way of a reading up is vigie.gateways.ingest.
"""

from vigie.gateways.mqtt.check import Finding, check_server
from vigie.gateways.mqtt.gateway import MqttGateway, services
from vigie.gateways.mqtt.messages import Ack, Reading, decode_acks, decode_readings, schema
from vigie.gateways.mqtt.provision import provision
from vigie.gateways.mqtt.streams import UPWARD, ensure_streams, stream_state

__all__ = [
    "UPWARD",
    "Ack",
    "Finding",
    "MqttGateway",
    "Reading",
    "check_server",
    "decode_acks",
    "decode_readings",
    "ensure_streams",
    "provision",
    "schema",
    "services",
    "stream_state",
]
