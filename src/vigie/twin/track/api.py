"""Tracks over HTTP. Who reads one says why; the act and its reason are in the journal."""

from datetime import datetime, timedelta
from typing import Annotated

from litestar.params import Parameter
from litestar.response import Stream

from vigie.core import clock
from vigie.core.database import Unit
from vigie.core.web import Export, get
from vigie.twin.track import read
from vigie.twin.track.model import PositionNow, Track

Reason = Annotated[
    str,
    Parameter(
        min_length=3, max_length=500, description="Why this track is looked at; it is written down."
    ),
]
Tolerance = Annotated[
    float,
    Parameter(
        ge=0, le=1000, description="Metres that a simplified line may be off; 0 leaves every fix."
    ),
]
Minutes = Annotated[int, Parameter(ge=1, le=read.MOST_TRAIL_MINUTES, description="How far back.")]
_DAY = timedelta(days=1)


@get("/assets/{asset_id:int}/track", permission="twin.tracks_read")
async def track_of_asset(
    unit: Unit,
    asset_id: int,
    reason: Reason,
    from_: datetime | None = None,
    to: datetime | None = None,
    tolerance_m: Tolerance = 0.0,
) -> Track:
    """Where equipment that moves was: the last day, or between `from` and `to`. Lines without gaps
    longer than five minutes; jumps are points of their own."""
    end = to or clock.now()
    return await read.read_track(
        unit, asset_id, from_ or end - _DAY, end, reason=reason, tolerance_m=tolerance_m
    )


@get("/assets/{asset_id:int}/track.csv", permission="twin.tracks_read", media_type="text/csv")
async def track_csv(
    export: Export,
    asset_id: int,
    reason: Reason,
    from_: datetime | None = None,
    to: datetime | None = None,
) -> Stream:
    """Every stored position, as CSV."""
    end = to or clock.now()
    return await export(
        lambda unit: read.csv_track(unit, asset_id, from_ or end - _DAY, end, reason),
        "text/csv; charset=utf-8",
        f"track-{asset_id}.csv",
    )


@get(
    "/assets/{asset_id:int}/track.gpx",
    permission="twin.tracks_read",
    media_type="application/gpx+xml",
)
async def track_gpx(
    export: Export,
    asset_id: int,
    reason: Reason,
    from_: datetime | None = None,
    to: datetime | None = None,
) -> Stream:
    """The same as GPX, a segment for each stretch without a gap."""
    end = to or clock.now()
    return await export(
        lambda unit: read.gpx_track(unit, asset_id, from_ or end - _DAY, end, reason),
        "application/gpx+xml",
        f"track-{asset_id}.gpx",
    )


@get("/assets/{asset_id:int}/position", permission="twin.read")
async def position_of_asset(unit: Unit, asset_id: int) -> PositionNow:
    """Where equipment that moves is, with the street and municipality there."""
    return await read.position_now(unit, asset_id)


@get("/tracks/trails", permission="twin.tracks_read")
async def trails(unit: Unit, reason: Reason, minutes: Minutes = 15) -> Track:
    """The last minutes of everything that moved, simplified, for the map."""
    return await read.read_trails(unit, minutes, reason=reason)


ROUTES = [track_of_asset, track_csv, track_gpx, position_of_asset, trails]
