"""Telemetry: what devices said (history) and what is known now (state).

Responsible for twin.history, twin.state, twin.intent. Never checks who a message is from: that is
the gateway's; never decides what a value means: that is supervision's.
"""

from vigie.twin.telemetry.history import read_history
from vigie.twin.telemetry.model import (
    Arrival,
    AssetState,
    Evidence,
    MetricSet,
    Place,
    Series,
    Wanted,
)
from vigie.twin.telemetry.partitions import services
from vigie.twin.telemetry.service import clear_pending, read_state, set_desired
from vigie.twin.telemetry.sets import MetricSets, Names
from vigie.twin.telemetry.store import StatePart, Store, Stored, pending

__all__ = [
    "Arrival",
    "AssetState",
    "Evidence",
    "MetricSet",
    "MetricSets",
    "Names",
    "Place",
    "Series",
    "StatePart",
    "Store",
    "Stored",
    "Wanted",
    "clear_pending",
    "pending",
    "read_history",
    "read_state",
    "services",
    "set_desired",
]
