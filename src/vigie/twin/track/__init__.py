"""Tracks: the past of what moves, and where it is now.

Responsible for twin.track, twin.track_refused, twin.position. Never: check who a position is from
(the gateway's), or put it into the state of equipment (the lane's, from `Stored.newest`).
"""

from vigie.twin.track.model import (
    Newest,
    Position,
    PositionNow,
    Refusal,
    Reported,
    Stored,
    Track,
)
from vigie.twin.track.read import position_now, positions_now, read_track, read_trails
from vigie.twin.track.store import receive, store
from vigie.twin.track.sweep import services

__all__ = [
    "Newest",
    "Position",
    "PositionNow",
    "Refusal",
    "Reported",
    "Stored",
    "Track",
    "position_now",
    "positions_now",
    "read_track",
    "read_trails",
    "receive",
    "services",
    "store",
]
