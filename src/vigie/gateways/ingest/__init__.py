"""Ingest: the one way of a message into history, state and live screens, whatever the protocol.

Responsible for that each message that was acknowledged to its sender is stored once or in
quarantine with its reason. Never: who may connect (clients and the protocols' rooms), or what a
command's state is (control). The lanes themselves are `vigie.gateways.ingest.service:services`,
apart, since they load numpy.
"""

from vigie.gateways.ingest.accepted import ACCEPTED_STREAM
from vigie.gateways.ingest.gate import admits, why_shut
from vigie.gateways.ingest.intake import Intake
from vigie.gateways.ingest.messages import (
    Answers,
    Events,
    Format,
    Message,
    Positions,
    Raw,
    Readings,
    Refusal,
    Source,
)
from vigie.gateways.ingest.sinks import DeviceEvent, DevicePosition, EventSink, Sinks, TrackSink
from vigie.gateways.ingest.streams import (
    Stream,
    ask,
    config_of,
    ensure,
    make,
    state_of,
    waiting_by_client,
)

__all__ = [
    "ACCEPTED_STREAM",
    "Answers",
    "DeviceEvent",
    "DevicePosition",
    "EventSink",
    "Events",
    "Format",
    "Intake",
    "Message",
    "Positions",
    "Raw",
    "Readings",
    "Refusal",
    "Sinks",
    "Source",
    "Stream",
    "TrackSink",
    "admits",
    "ask",
    "config_of",
    "ensure",
    "make",
    "state_of",
    "waiting_by_client",
    "why_shut",
]
