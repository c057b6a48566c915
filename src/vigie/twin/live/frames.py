"""Frames as bytes: each encoded once, whoever receives it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from vigie.twin.kinds import KINDS, STREETLIGHT
from vigie.twin.live import rules
from vigie.twin.live.model import NO_TIME, Change, Channel, LiveModel

_NUMPY = orjson.OPT_SERIALIZE_NUMPY


def hello(server: str, now_ms: int) -> bytes:
    """The first frame: who speaks, and the metrics of each kind in slot order."""
    kinds = {kind.name: [metric.name for metric in kind.metrics] for kind in KINDS.values()}
    return orjson.dumps({"op": "hello", "server": server, "now": now_ms, "kinds": kinds})


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


def batch(now_ms: int, age_s: float | None, items: Sequence[bytes]) -> bytes:
    """Several items in one frame."""
    age = b"null" if age_s is None else b"%.3f" % age_s
    return b'{"op":"batch","now":%d,"age":%b,"items":[%b]}' % (now_ms, age, b",".join(items))


def heartbeat(now_ms: int, live: bool, lag_s: float | None) -> bytes:
    """Once a second: whether what is shown is what is stored."""
    lag = None if lag_s is None else round(lag_s, 1)
    return orjson.dumps({"op": "heartbeat", "now": now_ms, "live": live, "lag_s": lag})


def error(code: str, channel: str) -> bytes:
    """A refusal of one request; the socket stays open."""
    return orjson.dumps({"op": "error", "code": code, "channel": channel})


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
