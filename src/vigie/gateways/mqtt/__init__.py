"""MQTT 3.1.1: how street equipment talks to the platform.

Front door: clients and their credentials, provisioning, commands down, quarantine, the services of
the `gateways` role. Never: what a reading means (twin), or when a command is due (control). The way
of a reading up is vigie.gateways.mqtt.ingest.
"""

from vigie.gateways.mqtt.check import Finding, check_server
from vigie.gateways.mqtt.gateway import MqttGateway, services
from vigie.gateways.mqtt.messages import Ack, Reading, decode_acks, decode_readings, schema
from vigie.gateways.mqtt.model import (
    Gateway,
    Issued,
    OutCommand,
    Quarantined,
    Refused,
    Secret,
    Tally,
)
from vigie.gateways.mqtt.orders import send
from vigie.gateways.mqtt.permissions import PERMISSIONS
from vigie.gateways.mqtt.presence import heard
from vigie.gateways.mqtt.provision import Provisioned, provision
from vigie.gateways.mqtt.quarantine import Quarantine, read_quarantine
from vigie.gateways.mqtt.read import read_gateway, read_gateways, read_tally
from vigie.gateways.mqtt.service import (
    Carrier,
    bind,
    carriers,
    issue_client,
    revoke,
    rotate_secret,
)
from vigie.gateways.mqtt.streams import ensure_streams, reader_name, stream_state

__all__ = [
    "PERMISSIONS",
    "Ack",
    "Carrier",
    "Finding",
    "Gateway",
    "Issued",
    "MqttGateway",
    "OutCommand",
    "Provisioned",
    "Quarantine",
    "Quarantined",
    "Reading",
    "Refused",
    "Secret",
    "Tally",
    "bind",
    "carriers",
    "check_server",
    "decode_acks",
    "decode_readings",
    "ensure_streams",
    "heard",
    "issue_client",
    "provision",
    "read_gateway",
    "read_gateways",
    "read_quarantine",
    "read_tally",
    "reader_name",
    "revoke",
    "rotate_secret",
    "schema",
    "send",
    "services",
    "stream_state",
]
