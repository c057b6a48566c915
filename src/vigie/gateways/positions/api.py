"""Trackers over HTTP."""

from typing import Annotated

from litestar.params import Parameter

from vigie.core.database import Unit
from vigie.core.runtime import Runtime
from vigie.core.web import delete, post
from vigie.gateways.positions import trackers
from vigie.gateways.positions.trackers import TRACKERS, TrackerIssued, TrackerNew

Reason = Annotated[str, Parameter(min_length=3, max_length=500, description="Why; written down.")]


@post("/trackers", permission="positions.manage", status=201)
async def enrol_tracker(unit: Unit, runtime: Runtime, data: TrackerNew) -> TrackerIssued:
    """Enrol a tracker for a piece of equipment; its secret is shown this once."""
    return await trackers.enrol(unit, runtime.bus, data, runtime.settings.shards)


@delete("/trackers/{token:str}", permission="positions.manage")
async def remove_tracker(unit: Unit, runtime: Runtime, token: str, reason: Reason) -> None:
    """Remove a tracker: it is refused within seconds, and its number may be enrolled again."""
    await trackers.remove(unit, runtime.bus, token, reason)


ROUTES = [*TRACKERS.routes("/trackers", permission="positions.read"), enrol_tracker, remove_tracker]
