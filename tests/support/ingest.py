"""The ingest of a test, with whoever takes part in its transactions."""

from typing import Any

from vigie.core.runtime import Runtime
from vigie.gateways.ingest import Sinks
from vigie.gateways.ingest import service as lanes
from vigie.gateways.ingest.streams import Stream
from vigie.gateways.ingest.writer import Ports
from vigie.gateways.mqtt import UPWARD


def services(
    runtime: Runtime,
    *,
    acknowledge: Any = None,
    observe: Any = None,
    sinks: Sinks | None = None,
    streams: tuple[Stream, ...] = (UPWARD,),
) -> dict[str, Any]:
    """One service a lane, and the registry's."""
    return lanes.services(runtime, streams, Ports(acknowledge, observe, sinks or Sinks()))
