"""Equipment in frames, as bytes: each encoded once, whoever receives it."""

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from vigie.twin import kinds as catalogue
from vigie.twin.live.model import NO_TIME, Block, Change, Channel

_NUMPY = orjson.OPT_SERIALIZE_NUMPY


def kinds() -> dict[str, list[str]]:
    """The points that frames of each kind carry, in their order."""
    return {kind.name: list(kind.draws) for kind in catalogue.kinds().values()}


def snapshot(block: Block, channel: Channel) -> bytes:
    """All equipment of a channel as it is now."""
    rows = slice(channel.start, channel.stop)
    columns = block.columns
    return orjson.dumps(
        {
            "op": "snapshot",
            "channel": channel.name,
            "seq": channel.seq,
            "kind": block.kind.name,
            "id": columns.id[rows],
            **_place(block, rows),
            **_state(block, rows),
        },
        option=_NUMPY,
    )


def delta(block: Block, change: Change) -> bytes:
    """The equipment of a channel that changed, as it is now; where it is, when it moves."""
    rows, channel = change.rows, change.channel
    return orjson.dumps(
        {
            "op": "delta",
            "channel": channel.name,
            "seq": channel.seq,
            "prev": channel.seq - 1,
            "id": block.columns.id[rows],
            **(_place(block, rows) if block.kind.moves else {}),
            **_state(block, rows),
        },
        option=_NUMPY,
    )


def _place(block: Block, rows: Any) -> dict[str, Any]:
    return {
        "lon": np.round(block.columns.lon[rows], 7),
        "lat": np.round(block.columns.lat[rows], 7),
    }


def _state(block: Block, rows: Any) -> dict[str, Any]:
    vals = block.columns.vals[rows]
    drawn = {
        name: np.ascontiguousarray(vals[:, block.kind.slots[name]]) for name in block.kind.draws
    }
    return {
        "at": _seconds(block.columns.at[rows]),
        "values": drawn,
        "flags": block.flags[rows],
    }


def _seconds(at: NDArray[np.int64]) -> NDArray[np.float64]:
    """NaN, null in JSON, where nothing was ever told."""
    return np.where(at == NO_TIME, np.nan, np.round(at / 1e6, 3))
