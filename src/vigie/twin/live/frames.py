"""The lights' items in frames, as bytes: each encoded once, whoever receives it."""

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from vigie.twin.kinds import KINDS, STREETLIGHT
from vigie.twin.live import rules
from vigie.twin.live.model import NO_TIME, Change, Channel, LiveModel

_NUMPY = orjson.OPT_SERIALIZE_NUMPY


def kinds() -> dict[str, list[str]]:
    """The metrics of each kind in slot order."""
    return {kind.name: [metric.name for metric in kind.metrics] for kind in KINDS.values()}


def snapshot(model: LiveModel, channel: Channel) -> bytes:
    """All lights of a channel as they are now."""
    rows = slice(channel.start, channel.stop)
    columns = model.columns
    return orjson.dumps(
        {
            "op": "snapshot",
            "channel": channel.name,
            "seq": channel.seq,
            "kind": STREETLIGHT.name,
            "id": columns.id[rows],
            "lon": np.round(columns.lon[rows], 7),
            "lat": np.round(columns.lat[rows], 7),
            **_state(model, rows),
        },
        option=_NUMPY,
    )


def delta(model: LiveModel, change: Change) -> bytes:
    """The lights of a channel that changed, as they are now."""
    rows, channel = change.rows, change.channel
    return orjson.dumps(
        {
            "op": "delta",
            "channel": channel.name,
            "seq": channel.seq,
            "prev": channel.seq - 1,
            "id": model.columns.id[rows],
            **_state(model, rows),
        },
        option=_NUMPY,
    )


def _state(model: LiveModel, rows: Any) -> dict[str, Any]:
    vals = model.columns.vals[rows]
    return {
        "at": _seconds(model.columns.at[rows]),
        "dimmingLevel": np.ascontiguousarray(vals[:, rules.LEVEL]),
        "activePower": np.ascontiguousarray(vals[:, rules.POWER]),
        "flags": model.flags[rows],
    }


def _seconds(at: NDArray[np.int64]) -> NDArray[np.float64]:
    """NaN, null in JSON, where nothing was ever told."""
    return np.where(at == NO_TIME, np.nan, np.round(at / 1e6, 3))
