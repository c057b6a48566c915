"""History over HTTP."""

from datetime import datetime
from typing import Annotated

from litestar.params import Parameter

from vigie.core import clock
from vigie.core.database import Unit
from vigie.core.web import get
from vigie.twin.telemetry import history
from vigie.twin.telemetry.model import Series

Points = Annotated[int, Parameter(ge=2, le=5000, description="Points wanted, at most.")]


@get("/assets/{asset_id:int}/history", permission="twin.read")
async def history_of_asset(
    unit: Unit,
    asset_id: int,
    metric: str,
    from_: datetime | None = None,
    to: datetime | None = None,
    points: Points = 500,
) -> Series:
    """One metric over time: raw within 24 hours, means of time buckets beyond. `from` and `to` are
    instants with their offset."""
    end = to or clock.now()
    return await history.read_history(
        unit, asset_id, metric, from_ or end - history.RAW_SPAN, end, points
    )


ROUTES = [history_of_asset]
