"""Telemetry: what devices said (history) and what is known now (state).

Responsible for twin.history, twin.state, twin.intent. Never checks who a message is from: that is
the gateway's; never decides what a value means: that is supervision's.
"""

from vigie.twin.telemetry.history import read_history
from vigie.twin.telemetry.model import (
    WIDTH,
    Arrival,
    AssetState,
    Evidence,
    MetricSet,
    Series,
)
from vigie.twin.telemetry.partitions import services
from vigie.twin.telemetry.service import clear_pending, read_state, set_desired
from vigie.twin.telemetry.sets import MetricSets, Names
from vigie.twin.telemetry.store import Store, Stored, pending

__all__ = [
    "WIDTH",
    "Arrival",
    "AssetState",
    "Evidence",
    "MetricSet",
    "MetricSets",
    "Names",
    "Series",
    "Store",
    "Stored",
    "clear_pending",
    "pending",
    "read_history",
    "read_state",
    "services",
    "set_desired",
]
