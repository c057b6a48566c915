"""Ingest: the way of a reading from the broker's stream into history, state and live screens.

Responsible for that each message the broker acknowledged is stored once or in quarantine with its
reason. Never: who may log in (gateways.mqtt), or what a command's state is (control).
"""

from vigie.gateways.mqtt.ingest.service import services
from vigie.gateways.mqtt.ingest.validate import DeviceAck

__all__ = ["DeviceAck", "services"]
